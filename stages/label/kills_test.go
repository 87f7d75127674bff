package label

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hsnas/internal/llm"
	"hsnas/internal/llm/llmtest"
	"hsnas/schemas"
)

var kills = flag.Int("kills", 50, "how often TestKills kills a run")

// killedRun names the folder of the run to a process that is to be killed.
const killedRun = "HSNAS_TEST_KILLED_RUN"

// TestKills ends a run by SIGKILL again and again, each time when the service has
// received so many requests, and lets it finish at last. What the journal held at
// a kill is never sent again. What was in flight, sent but not in the journal,
// may be.
func TestKills(t *testing.T) {
	k := newKiller(t, 12**kills+50)
	inFlight := 0
	for n := range *kills {
		if err := k.run(t, 1+k.random.IntN(24)); err == nil {
			t.Fatalf("the run ended before kill %d", n+1)
		}
		inFlight += k.inspect(t)
	}
	if err := k.run(t, -1); err != nil {
		t.Fatalf("the last run: %v\n%s", err, k.output.Bytes())
	}
	if left := k.inspect(t); left != 0 {
		t.Errorf("after the last run %d answers are not in the journal", left)
	}
	doubles := 0
	for _, n := range k.received {
		doubles += n - 1
	}
	t.Logf("%d kills, %d requests in flight at them, %d received again", *kills, inFlight, doubles)
	if doubles > inFlight {
		t.Errorf("%d requests were received again, of %d in flight", doubles, inFlight)
	}
	k.complete(t)
}

// TestKilledRun is the run, in a process of its own.
func TestKilledRun(t *testing.T) {
	dir := os.Getenv(killedRun)
	if dir == "" {
		t.Skip("the process that TestKills runs and kills: nothing to do by itself")
	}
	f := at(loadTask(t, filepath.Join(dir, "task.yaml")), dir)
	f.in.Confirmed = true
	if err := f.run(t, killedParams()); err != nil {
		t.Fatal(err)
	}
}

func killedParams() Params {
	p := params(Live)
	p.Concurrency, p.UnlabelledPerRequest = 8, 1
	return p
}

// killer runs the stage in processes, which it kills.
type killer struct {
	*fixture
	server *llmtest.Server
	random *rand.Rand
	output bytes.Buffer

	mu      sync.Mutex
	process *os.Process
	left    int // requests until the kill; negative: there is none

	held     map[string]bool // keys that the journal held after the last run
	received map[string]int  // how often each key had come by then
}

// newKiller makes a task with so many unlabelled architectures, one a request.
func newKiller(t *testing.T, unlabelled int) *killer {
	t.Helper()
	dir := t.TempDir()
	const side = 32
	choices := "1"
	for i := 2; i <= side; i++ {
		choices += fmt.Sprintf(", %d", i)
	}
	write(t, filepath.Join(dir, "task.yaml"), "name: knobs\nspace: ./space.yaml\nmetric: {name: accuracy, direction: maximize, min: 0, max: 1000, decimals: 3}\n")
	write(t, filepath.Join(dir, "space.yaml"), "name: knobs\nhyperparameters:\n"+
		"  - {name: a, definition: a knob, choices: ["+choices+"]}\n  - {name: b, definition: another, choices: ["+choices+"]}\n")
	tk := loadTask(t, filepath.Join(dir, "task.yaml"))
	var rows []schemas.Architecture
	var truth []schemas.TFS
	for i := range unlabelled + 5 {
		a := parse(t, tk, fmt.Sprintf(`{"a":%d,"b":%d}`, i/side+1, i%side+1))
		row := schemas.Architecture{ID: a.ID(), Set: schemas.SetUnlabelled, Position: int32(i), Architecture: a.String()}
		switch {
		case i < 2:
			row.Set, row.Split = schemas.SetDemonstration, "s"
		case i < 5:
			row.Set, row.Split = schemas.SetTest, "s"
		}
		rows = append(rows, row)
		truth = append(truth, schemas.TFS{ID: a.ID(), Score: float64(i), Metric: "accuracy", Source: schemas.SourceTable})
	}
	k := &killer{fixture: artifacts(t, tk, dir, rows, truth), random: rand.New(rand.NewPCG(7, 11)), held: map[string]bool{}}
	k.server = llmtest.New(llmtest.Options{Answer: predictions, ServiceTime: time.Millisecond, Received: k.count})
	t.Cleanup(k.server.Close)
	return k
}

// count kills the process when its time has come.
func (k *killer) count(int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left--; k.left == 0 {
		_ = k.process.Kill()
	}
}

// run runs the stage until it has sent so many requests, or to its end.
func (k *killer) run(t *testing.T, requests int) error {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run", "^TestKilledRun$")
	c.Env = append(os.Environ(), killedRun+"="+k.dir, llm.KeyVariable+"="+key, llm.URLVariable+"="+k.server.URL+"/v1")
	k.output.Reset()
	c.Stdout, c.Stderr = &k.output, &k.output
	k.mu.Lock() // requests wait until the process is known
	err := c.Start()
	k.process, k.left = c.Process, requests
	k.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	return c.Wait()
}

// inspect holds the journal that a run left against what the service received,
// and returns how many of the run's requests were in flight: received, and not in
// the journal.
func (k *killer) inspect(t *testing.T) (inFlight int) {
	t.Helper()
	if err := k.server.Drain(); err != nil {
		t.Fatal(err)
	}
	received := map[string]int{}
	for body, n := range k.server.Received() {
		received[requestKey(k.server.Endpoint(), 1, body)] = n
	}
	for key := range k.held {
		if received[key] != k.received[key] {
			t.Errorf("a request was sent again whose answer was in the journal")
		}
	}
	k.held = k.journal(t)
	for key, n := range received {
		if n > k.received[key] && !k.held[key] {
			inFlight++
		}
	}
	k.received = received
	if most := killedParams().workers(); inFlight > most {
		t.Errorf("%d requests were in flight; at most %d are in hand", inFlight, most)
	}
	return inFlight
}

// journal reads the keys of the whole lines; none of them may be damaged or
// stand there twice.
func (k *killer) journal(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(k.in.Journal)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	for line := range bytes.Lines(text[:bytes.LastIndexByte(text, '\n')+1]) {
		var e llm.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Errorf("the journal is damaged: %v: %q", err, line)
		}
		if keys[e.Request] {
			t.Errorf("the journal answers %s twice", e.CustomID)
		}
		keys[e.Request] = true
	}
	return keys
}

// complete expects each label once.
func (k *killer) complete(t *testing.T) {
	t.Helper()
	labels := k.labels(t)
	if want := 12**kills + 50 + 3; len(labels) != want {
		t.Errorf("%d labels, want %d", len(labels), want)
	}
	seen := map[string]bool{}
	for _, l := range labels {
		if seen[l.ID] || l.Gap != "" {
			t.Errorf("label %+v", l)
		}
		seen[l.ID] = true
	}
}
