package label

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"hsnas/internal/llm"
)

var (
	recordings = flag.String("recordings", "", "folder of TASK.requests.jsonl and TASK.responses*.jsonl to make data/recorded from")
	recordDate = flag.String("date", "", "when they were recorded, 2026-11 for example")
)

// TestRecord makes data/recorded from request and response files in the OpenAI
// Batch format:
//
//	go test ./stages/label -run TestRecord -recordings FOLDER -date 2026-11
func TestRecord(t *testing.T) {
	if *recordings == "" {
		t.Skip("makes data/recorded anew, only with -recordings FOLDER")
	}
	for short, name := range map[string]string{"wmt14ende": "wmt14.en-de", "wmt14enfr": "wmt14.en-fr", "wmt19ende": "wmt19.en-de"} {
		prompts := map[string][]llm.Message{}
		var order []string
		readLines(t, filepath.Join(*recordings, short+".requests.jsonl"), func(line []byte) {
			var r struct {
				CustomID string                           `json:"custom_id"`
				Body     struct{ Messages []llm.Message } `json:"body"`
			}
			decode(t, line, &r)
			prompts[r.CustomID] = r.Body.Messages
			order = append(order, r.CustomID)
		})
		var out []byte
		for i, file := range []string{".responses.jsonl", ".responses.sample2.jsonl"} {
			f, err := os.Open(filepath.Join(*recordings, short+file))
			if err != nil {
				t.Fatal(err)
			}
			batch, err := llm.NewBatch(file, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range order {
				request := llm.Request{CustomID: id, Messages: prompts[id], Sample: i + 1}
				a, err := batch.Do(t.Context(), request)
				if err != nil {
					continue // the second answers are to the test prompts alone
				}
				entry := llm.Entry{
					Request: request.PromptKey(), CustomID: id, Sample: i + 1, Model: a.Model, Date: *recordDate,
					FinishReason: a.FinishReason, Answer: a.Answer,
				}
				out = append(out, entry.Line()...)
			}
		}
		if err := os.WriteFile(filepath.Join("..", "..", "data", "recorded", name+".jsonl"), out, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func readLines(t *testing.T, file string, each func(line []byte)) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		each(lines.Bytes())
	}
}

func decode(t *testing.T, line []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(line, into); err != nil {
		t.Fatal(err)
	}
}
