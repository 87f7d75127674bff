package llm

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"hsnas/internal/published"
)

// recordedTasks are the tasks whose answers ship, by the names of the request
// files and of what ships.
var recordedTasks = map[string]string{"wmt14ende": "wmt14.en-de", "wmt14enfr": "wmt14.en-fr", "wmt19ende": "wmt19.en-de"}

func recordedFile(name string) string {
	return filepath.Join("..", "..", "data", "recorded", recordedTasks[name]+".jsonl")
}

// TestRecorded holds the first recorded answers that ship against the request and
// response files, which lie in llm/recorded beside the folder of published
// figures, and BatchLine against the bytes of the requests.
func TestRecorded(t *testing.T) {
	root, err := published.Root()
	if err != nil {
		t.Skip("needs the published figures: ", err)
	}
	dir := filepath.Join(root, "..", "llm", "recorded")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("needs the recorded request and response files: ", err)
	}
	for name := range recordedTasks {
		var got bytes.Buffer
		requests := readRequests(t, filepath.Join(dir, name+".requests.jsonl"))
		for sample, suffix := range []string{".responses.jsonl", ".responses.sample2.jsonl"} {
			text, err := os.ReadFile(filepath.Join(dir, name+suffix))
			if err != nil {
				t.Fatal(err)
			}
			b, err := NewBatch(name+suffix, bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range requests {
				a, err := b.Do(context.Background(), r)
				if _, ok := b.answers[r.CustomID]; !ok {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				r.Sample = sample + 1
				e := newEntry(r.Key(), r, a, "2026-11")
				e.Prompt, e.Source = "", "" // the request is the prompt alone
				got.Write(e.Line())
			}
		}
		want, err := os.ReadFile(recordedFile(name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(want, got.Bytes()) {
			t.Errorf("%s does not begin with what the response files say", recordedFile(name))
		}
	}
}

// readRequests reads a request file, and checks that BatchLine gives its bytes.
func readRequests(t *testing.T, path string) []Request {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var requests []Request
	s := bufio.NewScanner(f)
	s.Buffer(nil, maxLine)
	for s.Scan() {
		var l struct {
			CustomID string `json:"custom_id"`
			Body     struct{ Messages []Message }
		}
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		r := Request{CustomID: l.CustomID, Messages: l.Body.Messages}
		if got := string(r.BatchLine()); got != s.Text()+"\n" {
			t.Errorf("%s: the batch line differs from the recorded one:\n%.300s", l.CustomID, got)
		}
		requests = append(requests, r)
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	return requests
}

// TestRecordedShips: what ships can be read, without any data beside it.
func TestRecordedShips(t *testing.T) {
	for name := range recordedTasks {
		f, err := os.Open(recordedFile(name))
		if err != nil {
			t.Fatal(err)
		}
		p, err := NewReplay(name, f)
		f.Close()
		if err != nil || p.Len() < 31 {
			t.Errorf("%s: %d answers, %v; want 13 prompts, 3 of them twice, and 5 folds of 3 splits", name, p.Len(), err)
		}
	}
}
