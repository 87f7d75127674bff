package label

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hsnas/internal/llm"
)

// batches is a Batch API whose batches end at once: spoiled requests have bad
// answers, in the first batch alone.
type batches struct {
	mu     sync.Mutex
	inputs []string // of each batch
	marks  []string // the metadata that they carry
}

func (b *batches) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/v1")
	switch {
	case path == "/files":
		file, _, _ := r.FormFile("file")
		text, _ := io.ReadAll(file)
		b.inputs = append(b.inputs, string(text))
		fmt.Fprintf(w, `{"id":"file-%d"}`, len(b.inputs)-1)
	case path == "/batches" && r.Method == http.MethodPost:
		var sent struct{ Metadata json.RawMessage }
		_ = json.NewDecoder(r.Body).Decode(&sent)
		b.marks = append(b.marks, string(sent.Metadata))
		fmt.Fprintf(w, `{"id":"batch-%d","status":"validating"}`, len(b.marks)-1)
	case path == "/batches":
		io.WriteString(w, `{"data":[],"has_more":false}`)
	case strings.HasPrefix(path, "/batches/batch-"):
		n := strings.TrimPrefix(path, "/batches/batch-")
		fmt.Fprintf(w, `{"id":"batch-%s","status":"completed","output_file_id":"out-%s"}`, n, n)
	case strings.HasPrefix(path, "/files/out-"):
		var n int
		fmt.Sscanf(path, "/files/out-%d", &n)
		for i, line := range strings.Split(strings.TrimSpace(b.inputs[n]), "\n") {
			var sent sentLine
			_ = json.Unmarshal([]byte(line), &sent)
			row := respond([]sentLine{sent})
			if n == 0 && i == 1 {
				row = strings.Replace(row, "predictions", "guesses", 1)
			}
			io.WriteString(w, row)
		}
	}
}

// TestBatchAPI: what cannot be read is asked for again in a second batch, all at the
// price of batches; a second run buys nothing.
func TestBatchAPI(t *testing.T) {
	f, b := newFixture(t), &batches{}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	f.in.Getenv = func(name string) string {
		return map[string]string{llm.KeyVariable: key, llm.URLVariable: server.URL + "/v1"}[name]
	}
	f.in.Tune = func(o *llm.Options) { o.Pause = func(time.Duration) time.Duration { return 0 } }
	p := params(BatchAPI)
	p.Model = "gpt-4o"
	for range 2 {
		if err := f.run(t, p); err != nil {
			t.Fatal(err)
		}
		for i, r := range f.requests(t) {
			asks := 1
			if i == 1 {
				asks = 2
			}
			if want := float64(asks) * (10*1.25 + 5*5) / 1e6; int(r.Asks) != asks || math.Abs(r.Dollars-want) > 1e-12 || r.Source != BatchAPI || r.Attempts != 0 || r.Model != "m-1" {
				t.Errorf("%+v, want %d asks for $%v", r, asks, want)
			}
		}
		for _, l := range f.labels(t) {
			if l.Gap != "" || l.Prediction != truthOf(t, f, l.ID) {
				t.Errorf("label %+v", l)
			}
		}
		f.in.Confirmed = false // nothing is left to buy
	}
	if len(b.marks) != 2 || strings.Count(b.inputs[0], "\n") != 4 || strings.Count(b.inputs[1], "\n") != 1 {
		t.Errorf("batches of %q", b.inputs)
	}
	if files, _ := filepath.Glob(filepath.Join(f.dir, "batches.jsonl")); len(files) != 1 {
		t.Error("the notes on batches do not lie beside the journal")
	}
}

// TestBatchAPIBudget: the batch of a round is refused as a whole, before it is sent.
func TestBatchAPIBudget(t *testing.T) {
	f := newFixture(t)
	f.in.Getenv = func(name string) string { return map[string]string{llm.KeyVariable: key}[name] }
	p := params(BatchAPI)
	p.MaxTokens, p.BudgetTokens = 5, 1000
	err := f.run(t, p)
	if err == nil || !strings.HasPrefix(err.Error(), "label.budget_tokens 1000 is too small for the batch: its 4 requests may take ") {
		t.Errorf("got %v", err)
	}
}
