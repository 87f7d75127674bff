package llm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"hsnas/internal/config"
	"hsnas/internal/mutationtest"
)

// shipped are recorded answers: the file, every entry of it, and how many requests they
// answer.
func shipped(t *testing.T, task string) (text []byte, entries map[string]bool, requests int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "data", "recorded", task+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	entries = map[string]bool{}
	answered := map[string]bool{}
	for line := range bytes.Lines(text) {
		e, err := parseEntry(line)
		if err != nil || !bytes.Contains(line, []byte(`"seal":`)) {
			t.Fatalf("%s: an answer that ships is not sealed, or damaged: %v", task, err)
		}
		entries[printed(e)], answered[e.Request] = true, true
	}
	return text, entries, len(answered)
}

func printed(e Entry) string { return string(e.Line()) }

// among says whether every entry found, by the key of its request, is one that was
// written.
func among(found map[string]Entry, written map[string]bool) bool {
	for key, e := range found {
		if e.Request != key || !written[printed(e)] {
			return false
		}
	}
	return true
}

// TestMutatedJournals: an answer that a journal gives is the one that was bought.
func TestMutatedJournals(t *testing.T) {
	text, written, requests := shipped(t, "wmt14.en-fr")
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	kind := mutationtest.Kind{Name: "journal", Way: "`llm.OpenJournal`, as stage label", Files: map[string][]byte{"journal.jsonl": text}}
	mutationtest.Run(t, kind, func(t *testing.T, _ string, damaged []byte) (mutationtest.Outcome, string) {
		if err := os.WriteFile(path, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		fault, err := CheckJournal(path)
		if err != nil {
			t.Fatal(err)
		}
		j, err := OpenJournal(path)
		if err != nil {
			return mutationtest.Detected, err.Error()
		}
		defer j.Close()
		e := entry(1, "an answer more")
		if err := j.Append(e); err != nil {
			t.Errorf("cannot append: %v", err)
		}
		delete(j.entries, e.Request)
		switch {
		case !among(j.entries, written):
			return mutationtest.Wrong, "an answer that nobody gave"
		case len(j.Damage) > 0:
			return mutationtest.Detected, j.Damage[0]
		case fault != "":
			return mutationtest.Wrong, "only the check says: " + fault
		case len(j.entries) == requests:
			return mutationtest.Harmless, ""
		}
		return mutationtest.Legal, "whole lines are gone: their answers are asked for again"
	})
}

func TestMutatedRecordedAnswers(t *testing.T) {
	files := map[string][]byte{}
	written := map[string]bool{}
	for _, task := range []string{"wmt14.en-de", "wmt14.en-fr", "wmt19.en-de", "micro.en-de"} {
		text, entries, _ := shipped(t, task)
		files[task] = text
		maps.Copy(written, entries)
	}
	kind := mutationtest.Kind{Name: "recorded answers", Way: "`llm.NewReplay`, as stage label", Files: files}
	mutationtest.Run(t, kind, func(t *testing.T, file string, damaged []byte) (mutationtest.Outcome, string) {
		p, err := NewReplay(file, bytes.NewReader(damaged))
		var fault *config.Error
		switch {
		case errors.As(err, &fault):
			return mutationtest.Detected, err.Error()
		case err != nil:
			t.Errorf("%v is no fault of the file", err)
		case !among(p.answers, written):
			return mutationtest.Wrong, "an answer that nobody gave"
		}
		if _, _, requests := shipped(t, file); len(p.answers) < requests {
			return mutationtest.Legal, "whole lines are gone: the request is named that has no answer"
		}
		return mutationtest.Harmless, ""
	})
}

func TestMutatedNotesOnBatches(t *testing.T) {
	path := filepath.Join(t.TempDir(), "batches.jsonl")
	s, err := openBatchState(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		key := entry(i+1, "").Request
		for _, n := range []batchNote{
			{Input: key, Requests: map[string]string{"q-1": key, "q-2": key}, Date: "2026-11-24"},
			{Input: key, Batch: fmt.Sprintf("batch-%d", i), Date: "2026-11-24"},
		} {
			if err := s.note(n); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.close()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	notes := map[string]bool{}
	for line := range bytes.Lines(text) {
		n, err := parseNote(line)
		if err != nil {
			t.Fatal(err)
		}
		notes[fmt.Sprint(n)] = true
	}
	kind := mutationtest.Kind{Name: "notes on batches", Way: "`label/batches.jsonl`, as stage label", Files: map[string][]byte{"batches.jsonl": text}}
	mutationtest.Run(t, kind, func(t *testing.T, _ string, damaged []byte) (mutationtest.Outcome, string) {
		if err := os.WriteFile(path, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		s, err := openBatchState(path)
		if err != nil {
			return mutationtest.Detected, err.Error()
		}
		defer s.close()
		for line := range bytes.Lines(damaged[:bytes.LastIndexByte(damaged, '\n')+1]) {
			if n, err := parseNote(line); err != nil || !notes[fmt.Sprint(n)] {
				return mutationtest.Wrong, "a note that nobody wrote"
			}
		}
		if bytes.Count(damaged, []byte("\n")) == len(notes) {
			return mutationtest.Harmless, ""
		}
		return mutationtest.Legal, "whole lines are gone, or there twice"
	})
}

// TestMutatedResponseFiles: a file of the service has no checksum. What of it can be
// read is read, the rest is an error of one line.
func TestMutatedResponseFiles(t *testing.T) {
	var text []byte
	var requests []Request
	for i := range 6 {
		id := fmt.Sprintf("q-%d", i)
		requests = append(requests, Request{CustomID: id, Messages: []Message{{"user", "q"}}})
		line := batchInput{CustomID: id}
		line.Body.Messages = requests[i].Messages
		text = append(text, fakeRow(line)...)
	}
	kind := mutationtest.Kind{Name: "response file of a batch", Way: "`llm.NewBatch`, as stage label", Files: map[string][]byte{"responses.jsonl": text}}
	mutationtest.Run(t, kind, func(t *testing.T, file string, damaged []byte) (mutationtest.Outcome, string) {
		b, err := NewBatch(file, bytes.NewReader(damaged))
		if err != nil {
			return mutationtest.Detected, err.Error()
		}
		whole, err := NewBatch(file, bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		outcome, said := mutationtest.Harmless, ""
		for _, r := range requests {
			got, err := b.Do(context.Background(), r)
			want, _ := whole.Do(context.Background(), r)
			switch {
			case err != nil:
				return mutationtest.Detected, err.Error()
			case got.Answer != want.Answer:
				outcome, said = mutationtest.Legal, "another answer"
			}
		}
		return outcome, said
	})
}
