package llm

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
)

// FuzzReplay: recorded answers are read or refused with the line, and none is made up.
func FuzzReplay(f *testing.F) {
	f.Add(append(entry(1, "one").Line(), entry(2, "two").Line()...))
	f.Add([]byte(`{"request":"` + entry(1, "").Request + `","answer":"unsealed"}`))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := NewReplay("answers.jsonl", bytes.NewReader(text))
		if err == nil && p.Len() > bytes.Count(text, []byte("\n"))+1 {
			t.Errorf("%d answers in %d lines", p.Len(), bytes.Count(text, []byte("\n")))
		}
	})
}

// FuzzNotesOnBatches: notes are read or refused with the line, and can be added to.
func FuzzNotesOnBatches(f *testing.F) {
	key := entry(1, "").Request
	f.Add([]byte(`{"input_sha256":"` + key + `","requests":{"q":"` + key + `"}}` + "\n" + `{"input_sha256":"` + key + `","batch":"b"}` + "\n"))
	f.Add([]byte("{}\n{"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "batches.jsonl")
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
		s, err := openBatchState(path)
		if err != nil {
			return
		}
		defer s.close()
		if err := s.note(batchNote{Input: key, Batch: "one more"}); err != nil || !s.known("one more") {
			t.Errorf("cannot be added to: %v", err)
		}
	})
}

// FuzzBatchAnswers: a body that a service put into a response file is an answer or an
// error, whatever it is.
func FuzzBatchAnswers(f *testing.F) {
	f.Add([]byte(`{"model":"m","choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}`))
	f.Add([]byte(`{"error":{"message":"no","code":429}}`))
	f.Add([]byte(`"text"`))
	f.Fuzz(func(t *testing.T, body []byte) {
		line := append([]byte(`{"custom_id":"q","response":{"status_code":200,"body":`), body...)
		b, err := NewBatch("b", bytes.NewReader(append(line, "},\"error\":null}\n"...)))
		if err != nil {
			return
		}
		_, _ = b.Do(context.Background(), Request{CustomID: "q"})
	})
}

func FuzzParsePrices(f *testing.F) {
	f.Add([]byte("models: {m: {prompt: 2.5, completion: 10}}"))
	f.Add([]byte("models: {m: {prompt: .nan, completion: -1, batch_discount: 2}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		table, err := ParsePrices("p.yaml", text)
		if err != nil {
			return
		}
		for _, name := range table.Names() {
			if p, ok := table.Find(name); !ok || p.Live().Dollars(1, 1) < 0 || p.Batch().Dollars(1, 1) < 0 {
				t.Errorf("%s: %+v", name, p)
			}
		}
	})
}
