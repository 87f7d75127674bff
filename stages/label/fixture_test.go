package label

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"hsnas/internal/llm"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

const key = "sk-label-0123456789abcdefghijklmnop"

// fixture is a made-up task of one's own with its artifacts: two splits of two
// demonstrations and three test architectures, and four unlabelled ones.
type fixture struct {
	in  Inputs
	out Outputs
	dir string
	log *logged
}

// logged keeps what the stage reports.
type logged struct {
	progress.Reporter
	mu    sync.Mutex
	lines []string
}

func (l *logged) Logf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func loadTask(t *testing.T, name string) *task.Task {
	t.Helper()
	tk, err := task.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return tk
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "task.yaml"), `name: knobs
space: ./space.yaml
metric: {name: accuracy, direction: maximize, min: 0, max: 1, decimals: 3}
`)
	write(t, filepath.Join(dir, "space.yaml"), `name: knobs
hyperparameters:
  - {name: a, definition: the first knob, choices: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]}
`)
	tk := loadTask(t, filepath.Join(dir, "task.yaml"))
	var rows []schemas.Architecture
	var truth []schemas.TFS
	add := func(set, split string, n int) {
		for i := range n {
			a, err := tk.Space.ParseArchitecture(fmt.Appendf(nil, `{"a":%d}`, len(rows)+1))
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, schemas.Architecture{ID: a.ID(), Set: set, Split: split, Position: int32(i), Architecture: a.String()})
			truth = append(truth, schemas.TFS{ID: a.ID(), Score: float64(len(rows)) / 20, Metric: "accuracy", Source: schemas.SourceTable})
		}
	}
	for _, split := range []string{"s", "t"} {
		add(schemas.SetDemonstration, split, 2)
		add(schemas.SetTest, split, 3)
	}
	add(schemas.SetUnlabelled, "", 4)
	add(schemas.SetExtra, "", 1) // nobody asks about it
	return artifacts(t, tk, dir, rows, truth)
}

// at is a fixture whose artifacts lie in a folder.
func at(tk *task.Task, dir string) *fixture {
	path := func(name string) string { return filepath.Join(dir, name) }
	return &fixture{
		dir: dir, log: &logged{Reporter: progress.Discard},
		in:  Inputs{Task: tk, Architectures: path("architectures.parquet"), TFS: path("tfs.parquet"), Journal: path("journal.jsonl"), Confirmed: true},
		out: Outputs{Labels: path("labels.parquet"), Requests: path("requests.parquet"), Prompts: path("requests.jsonl")},
	}
}

func artifacts(t *testing.T, tk *task.Task, dir string, rows []schemas.Architecture, truth []schemas.TFS) *fixture {
	t.Helper()
	f := at(tk, dir)
	if err := schemas.WriteArchitectures(f.in.Architectures, rows, schemas.Provenance{Stage: "sample"}); err != nil {
		t.Fatal(err)
	}
	if err := schemas.WriteTFS(f.in.TFS, truth, schemas.Provenance{Stage: "tfs"}); err != nil {
		t.Fatal(err)
	}
	return f
}

// params asks the fixture's questions: one request a test set, two about the
// unlabelled set.
func params(source string) Params {
	p := Defaults()
	p.Source, p.Model, p.UnlabelledPerRequest, p.Concurrency, p.Tries = source, "m", 2, 1, 1
	return p
}

func (f *fixture) run(t *testing.T, p Params) error {
	t.Helper()
	return Run(t.Context(), p, f.in, f.out, schemas.Provenance{Stage: Name}, f.log)
}

func (f *fixture) labels(t *testing.T) []schemas.Label {
	t.Helper()
	rows, err := schemas.ReadLabels(f.out.Labels)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func (f *fixture) requests(t *testing.T) []schemas.Request {
	t.Helper()
	rows, err := schemas.ReadRequests(f.out.Requests)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// model is a service on the loopback device that predicts a/10 for every query,
// unless spoil has something else for the n-th request, counted from 1.
type model struct {
	*httptest.Server
	mu       sync.Mutex
	requests int
	spoil    func(n int, w http.ResponseWriter) bool
}

var queryKnob = regexp.MustCompile(`### Query \d+\na: (\d+)`)

func newModel(t *testing.T) *model {
	m := &model{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		m.mu.Lock()
		m.requests++
		n, spoil := m.requests, m.spoil
		m.mu.Unlock()
		if spoil != nil && spoil(n, w) {
			return
		}
		var sent struct{ Messages []llm.Message }
		if err := json.Unmarshal(body, &sent); err != nil {
			t.Error(err)
		}
		complete(w, predictions(sent.Messages[len(sent.Messages)-1].Content), "stop")
	}))
	t.Cleanup(m.Close)
	return m
}

var keyMark = regexp.MustCompile(`-k[0-9a-f]{8}\b`)

// bare leaves out what marks the names of requests by their contents.
func bare(text string) string { return keyMark.ReplaceAllString(text, "") }

// predictions answers a prompt.
func predictions(user string) string {
	var entries []string
	for i, q := range queryKnob.FindAllStringSubmatch(user, -1) {
		a, _ := strconv.Atoi(q[1])
		entries = append(entries, fmt.Sprintf(`{"id": %d, "prediction": %.3f}`, i+1, float64(a)/20))
	}
	return `{"predictions": [` + strings.Join(entries, ", ") + `]}`
}

func complete(w io.Writer, content, finish string) {
	text, _ := json.Marshal(content)
	fmt.Fprintf(w, `{"model":"m-1","choices":[{"message":{"content":%s},"finish_reason":%q}],"usage":{"prompt_tokens":10,"completion_tokens":5}}`, text, finish)
}

func (m *model) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.requests
}

// environment lets the stage find the model.
func (m *model) environment(name string) string {
	return map[string]string{llm.KeyVariable: key, llm.URLVariable: m.URL + "/v1"}[name]
}

// truthOf is what the model says about an architecture of the fixture.
func truthOf(t *testing.T, f *fixture, id string) float64 {
	t.Helper()
	rows, err := schemas.ReadArchitectures(f.in.Architectures)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.ID == id {
			return float64(parse(t, f.in.Task, r.Architecture).Int("a")) / 20
		}
	}
	t.Fatalf("no architecture %s", id)
	return 0
}

func parse(t *testing.T, tk *task.Task, text string) space.Architecture {
	t.Helper()
	a, err := tk.Space.ParseArchitecture([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}
