package label

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hsnas/internal/config"
	"hsnas/internal/llm"
	"hsnas/schemas"
)

// batches is a Batch API whose batches end at once, unless status says otherwise.
// The second answer of the first batch cannot be read, unless row says otherwise.
type batches struct {
	mu     sync.Mutex
	inputs []string // of each batch
	marks  []string // the metadata that they carry
	status func(batch int) string
	row    func(batch, line int, row string) string
}

// serve starts the service and leads a fixture to it.
func (b *batches) serve(t *testing.T, f *fixture) {
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	f.in.Getenv = func(name string) string {
		return map[string]string{llm.KeyVariable: key, llm.URLVariable: server.URL + "/v1"}[name]
	}
	f.in.Tune = func(o *llm.Options) { o.Pause = func(time.Duration) time.Duration { return 0 } }
}

// state is a batch as the service describes it.
func (b *batches) state(n int) string {
	status, output := "completed", fmt.Sprintf(`,"output_file_id":"out-%d"`, n)
	if b.status != nil {
		status = b.status(n)
	}
	if status == "in_progress" {
		output = ""
	}
	return fmt.Sprintf(`{"id":"batch-%d","status":%q,"metadata":%s%s}`, n, status, b.marks[n], output)
}

// spoil makes what a row says unreadable.
func spoil(row string) string { return strings.Replace(row, "predictions", "guesses", 1) }

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
		var all []string
		for n := range b.marks {
			all = append(all, b.state(n))
		}
		io.WriteString(w, `{"data":[`+strings.Join(all, ",")+`],"has_more":false}`)
	case strings.HasPrefix(path, "/batches/batch-"):
		n, _ := strconv.Atoi(strings.TrimPrefix(path, "/batches/batch-"))
		io.WriteString(w, b.state(n))
	case strings.HasPrefix(path, "/files/out-"):
		var n int
		fmt.Sscanf(path, "/files/out-%d", &n)
		for i, line := range strings.Split(strings.TrimSpace(b.inputs[n]), "\n") {
			var sent sentLine
			_ = json.Unmarshal([]byte(line), &sent)
			row := respond([]sentLine{sent})
			switch {
			case b.row != nil:
				row = b.row(n, i, row)
			case n == 0 && i == 1:
				row = spoil(row)
			}
			io.WriteString(w, row)
		}
	}
}

// TestBatchAPI: what cannot be read is asked for again in a second batch, all at the
// price of batches; a second run buys nothing.
func TestBatchAPI(t *testing.T) {
	f, b := newFixture(t), &batches{}
	b.serve(t, f)
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

// TestFurtherAskIsAnotherBatch: all of a batch cannot be read, so that the further ask
// is of the same requests. Interrupted in it, the next run fetches the second batch,
// and takes the first one's answers for nothing but what they are.
func TestFurtherAskIsAnotherBatch(t *testing.T) {
	for name, lose := range map[string]bool{"notes kept": false, "notes lost": true} {
		t.Run(name, func(t *testing.T) {
			f, b := newFixture(t), &batches{}
			b.serve(t, f)
			ctx, cancel := context.WithCancel(t.Context())
			b.row = func(batch, _ int, row string) string {
				if batch == 0 {
					return spoil(row)
				}
				return row
			}
			b.status = func(batch int) string {
				if batch == 0 {
					return "completed"
				}
				cancel()
				return "in_progress"
			}
			p := params(BatchAPI)
			if err := Run(ctx, p, f.in, f.out, schemas.Provenance{}, f.log); !errors.Is(err, context.Canceled) {
				t.Fatalf("got %v, want a cancelled context", err)
			}
			if lose {
				if err := os.Remove(filepath.Join(f.dir, "batches.jsonl")); err != nil {
					t.Fatal(err)
				}
			}
			b.status = nil
			if err := f.run(t, p); err != nil {
				t.Fatal(err)
			}
			for _, l := range f.labels(t) {
				if l.Gap != "" || l.Prediction != truthOf(t, f, l.ID) || strings.Contains(l.CustomID, "-ask") {
					t.Errorf("label %+v", l)
				}
			}
			if len(b.marks) != 2 || b.marks[0] == b.marks[1] || strings.Count(b.inputs[1], `-ask2", `) != 4 {
				t.Errorf("batches %v of %q", b.marks, b.inputs)
			}
		})
	}
}

// interrupted is a run that left a batch of all four requests at the service.
func (b *batches) interrupted(t *testing.T, f *fixture, p Params) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	b.status = func(int) string { cancel(); return "in_progress" }
	if err := Run(ctx, p, f.in, f.out, schemas.Provenance{}, f.log); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want a cancelled context", err)
	}
	b.status, f.in.Confirmed = nil, false
}

// TestResumedBatchIsNotBoughtAgain: what is with the service needs nobody's agreement,
// whether its batch has ended or goes on; nor does a budget count it twice.
func TestResumedBatchIsNotBoughtAgain(t *testing.T) {
	for _, looks := range []int{1, 3} {
		f, b := newFixture(t), &batches{row: func(_, _ int, row string) string { return row }}
		b.serve(t, f)
		p := params(BatchAPI)
		p.MaxTokens, p.BudgetTokens = 100, 2500 // one batch takes about 1,960
		b.interrupted(t, f, p)
		b.status = func(int) string {
			if looks--; looks > 0 {
				return "in_progress"
			}
			return "completed"
		}
		running := looks > 1
		if err := f.run(t, p); err != nil {
			t.Fatal(err)
		}
		for _, l := range f.labels(t) {
			if l.Gap != "" {
				t.Errorf("label %+v", l)
			}
		}
		said := strings.Contains(f.log.String(), "4 of 4 requests are in batches of an earlier run, and are not bought again")
		if len(b.marks) != 1 || said != running {
			t.Errorf("%d batches, said %v, want %v: %s", len(b.marks), said, running, f.log)
		}
	}
}

// TestResumedBatchLeavesSomething: what the fetched batch did not answer usably is for
// the user to agree to, also where that shows only at the end of the batch.
func TestResumedBatchLeavesSomething(t *testing.T) {
	for _, looks := range []int{1, 3} {
		f, b := newFixture(t), &batches{}
		b.serve(t, f)
		p := params(BatchAPI)
		b.interrupted(t, f, p)
		b.status = func(int) string {
			if looks--; looks > 0 {
				return "in_progress"
			}
			return "completed"
		}
		err := f.run(t, p)
		var usage *config.Error
		if !errors.As(err, &usage) || !strings.HasPrefix(err.Error(), "1 of 4 requests are left to buy from m: about ") || len(b.marks) != 1 {
			t.Errorf("%d batches, %v", len(b.marks), err)
		}
		f.in.Confirmed = true
		if err := f.run(t, p); err != nil || len(b.marks) != 2 {
			t.Errorf("%d batches, %v", len(b.marks), err)
		}
	}
}
