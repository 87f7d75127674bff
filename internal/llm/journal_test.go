package llm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func openJournal(t *testing.T, path string) *Journal {
	t.Helper()
	j, err := OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func entry(sample int, answer string) Entry {
	r := Request{CustomID: "t", Messages: []Message{{"user", "q"}}, Sample: sample}
	return newEntry(r.Key(), r, Response{Model: "m", Answer: answer}, "2026-11-24T00:00:00Z")
}

func TestJournalSurvivesACrashAtEveryByte(t *testing.T) {
	first, second := entry(1, "one"), entry(2, "two")
	whole := append(first.Line(), second.Line()...)
	for size := range len(whole) + 1 {
		path := filepath.Join(t.TempDir(), "journal.jsonl")
		if err := os.WriteFile(path, whole[:size], 0o644); err != nil {
			t.Fatal(err)
		}
		j, err := OpenJournal(path)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		want := 0
		for _, end := range []int{len(first.Line()), len(whole)} {
			if size >= end-1 { // but for the newline
				want++
			}
		}
		if j.Len() != want {
			t.Fatalf("%d bytes: %d answers, want %d", size, j.Len(), want)
		}
		for _, e := range []Entry{first, second} {
			if err := j.Append(e); err != nil {
				t.Fatal(err)
			}
		}
		j.Close()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(text) != string(whole) {
			t.Fatalf("%d bytes: after the repair the journal is\n%s", size, text)
		}
	}
}

func TestJournalSkipsDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	bad := strings.Replace(string(entry(3, "three").Line()), `"request":"`, `"request":"X`, 1)
	text := string(entry(1, "one").Line()) + "{\"request\n" + bad + string(entry(1, "other").Line()) + string(entry(2, "two").Line()) + `{"requ`
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	j := openJournal(t, path)
	want := []string{
		path + ":2: not a journal entry: the line ends in the middle of the JSON; skipped",
		path + ":3: not a journal entry any more: it was changed: its seal does not hold; skipped",
		path + ":4: answers t again, as line 1 does; skipped, the first counts",
		path + ":6: the last line is torn (6 bytes); cut off, its answer will be asked for again",
	}
	if !slices.Equal(j.Damage, want) {
		t.Errorf("damage\n got %q\nwant %q", j.Damage, want)
	}
	e, ok := j.Lookup(entry(1, "").Request)
	if j.Len() != 2 || !ok || e.Answer != "one" {
		t.Errorf("%d answers, first %q", j.Len(), e.Answer)
	}
}

func TestJournalDates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j := openJournal(t, path)
	c := NewJournaled(fixed("a"), j, func() time.Time { return time.Date(2026, 11, 24, 1, 2, 3, 0, time.UTC) })
	r := Request{CustomID: "t", Messages: []Message{{"user", "q"}}}
	if _, err := c.Do(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	if e, _ := j.Lookup(r.Key()); e.Date != "2026-11-24T01:02:03Z" {
		t.Errorf("date %q", e.Date)
	}
}

// fixed is a client that always gives the same answer.
type fixed string

func (f fixed) Do(_ context.Context, r Request) (Response, error) {
	return Response{Key: r.Key(), Answer: string(f)}, nil
}

// TestJournalCanBeReplayed: what a live run paid for answers the same prompts
// later, whatever the model.
func TestJournalCanBeReplayed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j := openJournal(t, path)
	r := Request{CustomID: "t", Endpoint: "http://host/v1/chat/completions", Messages: []Message{{"user", "q"}}, Sampling: Sampling{Model: "m"}}
	if _, err := NewJournaled(fixed("a"), j, nil).Do(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := NewReplay("journal.jsonl", f)
	if err != nil {
		t.Fatal(err)
	}
	plain := Request{CustomID: "other", Messages: r.Messages}
	if a, err := p.Do(context.Background(), plain); err != nil || a.Answer != "a" || a.Source != "replay" {
		t.Errorf("%+v, %v", a, err)
	}
	plain.Sample = 2
	_, err = p.Do(context.Background(), plain)
	want := "request other: journal.jsonl holds no answer (sample 2, prompt " + plain.PromptKey()[:12] + "...); record it with `source: live` or `source: batch`, a journal can be replayed as it is"
	var e *Error
	if !errors.As(err, &e) || e.Kind != Missing || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func FuzzJournal(f *testing.F) {
	whole := string(entry(1, "one").Line()) + string(entry(2, "two").Line())
	for _, s := range []string{"", "\n", "{}\n", whole, whole[:len(whole)-5], "null\n", "[]", whole + "\x00\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "journal.jsonl")
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		j := openJournal(t, path)
		n := j.Len()
		if err := j.Append(entry(7, "seven")); err != nil {
			t.Fatal(err)
		}
		again := openJournal(t, path)
		if again.Len() != j.Len() || again.Len() < n {
			t.Errorf("%d answers, after opening again %d", j.Len(), again.Len())
		}
	})
}
