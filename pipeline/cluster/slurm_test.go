package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/progress"
	"hsnas/internal/slurm"
	"hsnas/pipeline"
	"hsnas/pipeline/cluster"
)

// training is a pipeline of a stage that draws a number and one that has twelve shards
// in two waves: a shard of the second needs those of the first. did counts the work.
type training struct {
	mu    sync.Mutex
	did   map[string]int
	fault map[string]error // of shards, once each
}

func (p *training) stages() []pipeline.Stage {
	state := func(c pipeline.Call, shard string) string { return c.Path("train/state/" + shard) }
	compute := func(c pipeline.Call, shard string) error {
		p.mu.Lock()
		err := p.fault[shard]
		p.did[shard]++
		p.mu.Unlock()
		if err != nil {
			return err
		}
		drawn, err := os.ReadFile(c.Path("draw/out.txt"))
		if err != nil {
			return err
		}
		if err := os.MkdirAll(c.Path("train/state"), 0o777); err != nil {
			return err
		}
		return atomicfile.Write(state(c, shard), fmt.Appendf(drawn, " %s\n", shard))
	}
	waves := [][]string{{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}, {"last"}}
	return []pipeline.Stage{
		{
			Name: "draw", Version: 1, Outputs: []string{"draw/out.txt"},
			Run: func(_ context.Context, c pipeline.Call) (pipeline.Result, error) {
				return pipeline.Result{}, atomicfile.Write(c.Path("draw/out.txt"), []byte("7"))
			},
		},
		{
			Name: "train", Version: 1, Inputs: []string{"draw/out.txt"}, Outputs: []string{"train/out.txt"},
			Run: func(_ context.Context, c pipeline.Call) (pipeline.Result, error) {
				var all []byte
				for _, shard := range slices.Concat(waves...) {
					text, err := os.ReadFile(state(c, shard))
					if err != nil {
						if err := compute(c, shard); err != nil {
							return pipeline.Result{}, err
						}
						text, err = os.ReadFile(state(c, shard))
					}
					if err != nil {
						return pipeline.Result{}, err
					}
					all = append(all, text...)
				}
				return pipeline.Result{Rows: map[string]int64{"train/out.txt": 12}}, atomicfile.Write(c.Path("train/out.txt"), all)
			},
			Split: &pipeline.Split{
				Shards: func(context.Context, pipeline.Call) ([][]string, error) { return waves, nil },
				Do: func(_ context.Context, c pipeline.Call, shard string) ([]string, error) {
					return []string{"train/state/" + shard}, compute(c, shard)
				},
			},
		},
	}
}

// job is an array in the simulated cluster.
type job struct {
	slurm.Job
	id     int
	states []string // by task
}

// simulated is a cluster in which time passes when the driver waits: then every task
// that may start runs, one each time.
type simulated struct {
	t      *testing.T
	dir    string
	stages []pipeline.Stage
	limit  int
	jobs   []*job
	// fate says what becomes of the n-th attempt, from 1, at a shard in task of job: "" lets it
	// run, another text is the state that it ends in without having run, "PENDING" requeues it.
	fate     func(shard string, n int) string
	attempts map[string]int
	silent   int // calls of squeue that fail
	empty    int // calls of squeue that report nothing
	submit   func(id string, err error) (string, error)
	cancels  []string
	deaf     error                              // of scancel
	passed   int                                // times that time has passed
	before   func(ctx context.Context, now int) // called before time passes
}

func (s *simulated) MaxArraySize(context.Context) (int, error) { return s.limit, nil }

func (s *simulated) Submit(_ context.Context, j slurm.Job) (string, error) {
	if j.Tasks > s.limit {
		return "", config.Errorf("", 0, "sbatch refuses an array of %d", j.Tasks)
	}
	s.jobs = append(s.jobs, &job{j, len(s.jobs) + 1, slices.Repeat([]string{"PENDING"}, j.Tasks)})
	id := strconv.Itoa(len(s.jobs))
	if s.submit != nil {
		return s.submit(id, nil)
	}
	return id, nil
}

func (s *simulated) tasks(of func(*job) bool, which func(slurm.Task) bool) (out []slurm.Task) {
	for _, j := range s.jobs {
		for i, state := range j.states {
			t := slurm.Task{Job: strconv.Itoa(j.id), Index: i, Name: j.Name, State: state}
			if of(j) && which(t) {
				out = append(out, t)
			}
		}
	}
	return out
}

func (s *simulated) Queue(context.Context) ([]slurm.Task, error) {
	if s.silent > 0 {
		s.silent--
		return nil, errors.New("squeue: Unable to contact slurm controller (connect failure)")
	}
	if s.empty > 0 {
		s.empty--
		return nil, nil
	}
	return s.tasks(func(*job) bool { return true }, func(t slurm.Task) bool { return !t.Ended() }), nil
}

func (s *simulated) Show(_ context.Context, id string) ([]slurm.Task, error) {
	return s.tasks(func(j *job) bool { return id == "" || strconv.Itoa(j.id) == id }, func(slurm.Task) bool { return true }), nil
}

func (s *simulated) Cancel(_ context.Context, ids ...string) error {
	if s.deaf != nil {
		return s.deaf
	}
	s.cancels = append(s.cancels, ids...)
	for _, j := range s.jobs {
		for i := range j.states {
			if slices.Contains(ids, strconv.Itoa(j.id)) && !(slurm.Task{State: j.states[i]}).Ended() {
				j.states[i] = "CANCELLED"
			}
		}
	}
	return nil
}

// ready says whether the jobs that one waits for have ended well; one that cannot any
// more is cancelled, as --kill-on-invalid-dep does.
func (s *simulated) ready(j *job) bool {
	for _, id := range j.After {
		n, err := strconv.Atoi(id)
		if err != nil {
			s.t.Fatalf("job %d waits for %q", j.id, id)
		}
		for _, state := range s.jobs[n-1].states {
			if state == "COMPLETED" {
				continue
			}
			if (slurm.Task{State: state}).Ended() {
				j.states = slices.Repeat([]string{"CANCELLED"}, len(j.states))
			}
			return false
		}
	}
	return true
}

// pass lets time pass.
func (s *simulated) pass(ctx context.Context) error {
	s.passed++
	if s.passed > 500 {
		s.t.Fatalf("the stage does not end; jobs %+v", s.jobs)
	}
	if s.before != nil {
		s.before(ctx, s.passed)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, j := range slices.DeleteFunc(slices.Clone(s.jobs), func(j *job) bool { return !s.ready(j) }) {
		for i, state := range j.states {
			if !(slurm.Task{State: state}).Ended() {
				j.states[i] = s.runTask(ctx, j, i)
			}
		}
	}
	return nil
}

func (s *simulated) runTask(ctx context.Context, j *job, task int) string {
	sub, err := cluster.ReadSubmission(s.dir, "train", j.Name)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, shard := range sub.Tasks[task] {
		s.attempts[shard]++
		if s.fate == nil {
			continue
		}
		if state := s.fate(shard, s.attempts[shard]); state != "" {
			return state
		}
	}
	err = pipeline.RunShards(ctx, s.dir, s.stages, pipeline.ShardOptions{
		Stage: "train", Shards: sub.Tasks[task], Key: sub.Key, By: cluster.By(j.Name, task),
		Code: func(err error) int {
			var user *config.Error
			if errors.As(err, &user) {
				return 2
			}
			return 1
		},
	})
	if err != nil {
		return "FAILED"
	}
	return "COMPLETED"
}

// rig is a run on a simulated cluster.
type rig struct {
	t        *testing.T
	work     *training
	sim      *simulated
	settings cluster.Settings
	program  string
	lines    []string
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, work: &training{did: map[string]int{}, fault: map[string]error{}}, program: "p1"}
	r.sim = &simulated{t: t, dir: filepath.Join(t.TempDir(), "run"), stages: r.work.stages(), limit: 1000, attempts: map[string]int{}}
	return r
}

// heard collects lines.
type heard struct {
	progress.Reporter
	lines *[]string
}

func (h heard) Logf(format string, args ...any) {
	*h.lines = append(*h.lines, fmt.Sprintf(format, args...))
}

// run is a driver from its start to its end.
func (r *rig) run(ctx context.Context) error {
	r.lines = nil
	return pipeline.Run(ctx, r.sim.dir, r.sim.stages, pipeline.Options{
		Shared: func() (bool, error) { return cluster.Busy(r.sim.dir) }, Report: heard{progress.Discard, &r.lines},
		Executor: &cluster.Slurm{Scheduler: r.sim, Settings: r.settings, Command: []string{"hsnas"}, Program: r.program, Wait: r.sim.pass},
	})
}

// ends runs to the end and holds the artifact against the local executor's.
func (r *rig) ends() {
	r.t.Helper()
	if err := r.run(r.t.Context()); err != nil {
		r.t.Fatalf("%v\n%s", err, strings.Join(r.lines, "\n"))
	}
	r.same()
}

func (r *rig) same() {
	r.t.Helper()
	local := &training{did: map[string]int{}}
	dir := filepath.Join(r.t.TempDir(), "local")
	if err := pipeline.Run(r.t.Context(), dir, local.stages(), pipeline.Options{}); err != nil {
		r.t.Fatal(err)
	}
	want, errA := os.ReadFile(filepath.Join(dir, "train", "out.txt"))
	got, errB := os.ReadFile(filepath.Join(r.sim.dir, "train", "out.txt"))
	if errA != nil || errB != nil || string(got) != string(want) {
		r.t.Errorf("the artifact is %q, %v; on this machine %q, %v", got, errB, want, errA)
	}
	if busy, err := cluster.Busy(r.sim.dir); busy || err != nil {
		r.t.Errorf("the run has ended, and seems to have jobs: %v", err)
	}
	for _, t := range r.sim.tasks(func(*job) bool { return true }, func(t slurm.Task) bool { return !t.Ended() }) {
		r.t.Errorf("the run has ended, job %v goes on", t)
	}
}

// once holds that no work was done twice.
func (r *rig) once() {
	r.t.Helper()
	if len(r.work.did) != 12 {
		r.t.Errorf("%d shards were done, want 12", len(r.work.did))
	}
	for shard, n := range r.work.did {
		if n != 1 {
			r.t.Errorf("shard %s was done %d times", shard, n)
		}
	}
}

func (r *rig) told(want string) {
	r.t.Helper()
	if !slices.ContainsFunc(r.lines, func(l string) bool { return strings.Contains(l, want) }) {
		r.t.Errorf("the user was not told %q, but\n%s", want, strings.Join(r.lines, "\n"))
	}
}

// TestArrays: no array is larger than the cluster or the user admits, and each wave waits
// for the arrays before it.
func TestArrays(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		limit    int
		settings cluster.Settings
		want     string // tasks of each job, and what it waits for
	}{
		"one array":          {1000, cluster.Settings{}, "11[] 1[1] 1[2]"},
		"a limit of ten":     {10, cluster.Settings{}, "10[] 1[] 1[1 2] 1[3]"},
		"the user's limit":   {1000, cluster.Settings{TasksPerArray: 4}, "4[] 4[] 3[] 1[1 2 3] 1[4]"},
		"shards in tasks":    {1000, cluster.Settings{ShardsPerTask: 5}, "3[] 1[1] 1[2]"},
		"no arrays":          {1, cluster.Settings{ShardsPerTask: 6}, "1[] 1[] 1[1 2] 1[3]"},
		"more than is there": {5, cluster.Settings{TasksPerArray: 100}, "5[] 5[] 1[] 1[1 2 3] 1[4]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.sim.limit, r.settings = x.limit, x.settings
			r.ends()
			r.once()
			var got []string
			for _, j := range r.sim.jobs {
				got = append(got, fmt.Sprint(j.Tasks, j.After))
			}
			if strings.Join(got, " ") != strings.ReplaceAll(x.want, "[", " [") && strings.Join(got, " ") != x.want {
				t.Errorf("jobs %v, want %s", got, x.want)
			}
		})
	}
}

// TestLostNode: a task whose node is lost runs again, whether Slurm requeues it or not,
// and what is done does not.
func TestLostNode(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"PENDING", "NODE_FAIL", "FAILED", "TIMEOUT"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.sim.fate = func(shard string, n int) string {
				if n == 1 && strings.Contains("c h last whole", shard) {
					return state
				}
				return ""
			}
			r.ends()
			r.once()
			if state != "PENDING" {
				r.told("train      shard c runs again: job 1_2 ended as " + state)
			}
		})
	}
}

// TestUnknown: what Slurm does not say is no failure.
func TestUnknown(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*simulated){
		"empty replies": func(s *simulated) { s.empty = 9 },
		"no replies":    func(s *simulated) { s.silent = 9 },
		"now and then":  func(s *simulated) { s.before = func(_ context.Context, now int) { s.empty = now % 2 } },
		"both in a row": func(s *simulated) { s.silent, s.empty = 4, 4 },
		"slow to finish": func(s *simulated) {
			s.fate = func(_ string, n int) string { return []string{"RUNNING", ""}[min(1, n/20)] }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			set(r.sim)
			slow := r.sim.fate
			if slow == nil {
				r.sim.fate = func(_ string, n int) string {
					if n < 6 {
						return "RUNNING"
					}
					return ""
				}
			}
			r.ends()
			r.once()
			if len(r.sim.jobs) != 3 {
				t.Errorf("%d jobs were submitted, want 3\n%s", len(r.sim.jobs), strings.Join(r.lines, "\n"))
			}
		})
	}
}

// TestDriverKilled at every look, and started again: it goes on with the jobs that there
// are, and no work is lost or repeated.
func TestDriverKilled(t *testing.T) {
	t.Parallel()
	for at := 1; at < 8; at++ {
		r := newRig(t)
		r.sim.fate = func(_ string, n int) string {
			if n < 2 {
				return "RUNNING"
			}
			return ""
		}
		ctx, kill := context.WithCancel(t.Context())
		r.sim.before = func(_ context.Context, now int) {
			if now == at {
				kill()
			}
		}
		if err := r.run(ctx); at < 6 && !errors.Is(err, pipeline.ErrInterrupted) {
			t.Fatalf("killed at look %d: %v", at, err)
		}
		r.sim.before = nil
		for range at % 3 { // meanwhile nobody looks
			_ = r.sim.pass(t.Context())
		}
		r.ends()
		r.once()
		if len(r.sim.jobs) != 3 {
			t.Errorf("killed at look %d: %d jobs were submitted, want 3", at, len(r.sim.jobs))
		}
	}
}

// TestUnansweredSubmission: the driver dies, or hears nothing, after Slurm has taken a
// job and before its number is on the disk. The job is found by its name.
func TestUnansweredSubmission(t *testing.T) {
	t.Parallel()
	for at := 1; at <= 3; at++ {
		r := newRig(t)
		n := 0
		r.sim.submit = func(id string, err error) (string, error) {
			if n++; n == at {
				return "", errors.New("sbatch: Socket timed out on send/recv operation")
			}
			return id, err
		}
		if err := r.run(t.Context()); err == nil || !strings.Contains(err.Error(), "Socket timed out") {
			t.Fatalf("submission %d: %v", at, err)
		}
		r.ends()
		r.once()
		if len(r.sim.jobs) != 3 {
			t.Errorf("submission %d is not found again: %d jobs, want 3", at, len(r.sim.jobs))
		}
	}
}

// TestNeverSubmitted: the driver dies before Slurm hears of the job.
func TestNeverSubmitted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sim.submit = func(string, error) (string, error) {
		r.sim.jobs = r.sim.jobs[:len(r.sim.jobs)-1]
		return "", errors.New("killed")
	}
	if err := r.run(t.Context()); err == nil {
		t.Fatal("no error")
	}
	r.sim.submit = nil
	r.ends()
	r.once()
	r.told(" has not reached Slurm")
}

// TestShardFails: a fault that may pass is tried again, three times in all; one of the
// user's is told at once. Jobs do not outlive the driver then.
func TestShardFails(t *testing.T) {
	t.Parallel()
	for fault, x := range map[error]struct {
		want string
		did  int
	}{
		errors.New("no space left on device"):             {"stage train: shard c came to nothing 3 times, the last time: no space left on device; outputs of jobs are in JOBS", 3},
		config.Errorf("", 0, "tfs.recipe.peak: too high"): {"stage train: shard c: tfs.recipe.peak: too high", 1},
	} {
		r := newRig(t)
		r.work.fault["c"] = fault
		err := r.run(t.Context())
		text := fmt.Sprint(err)
		if i := strings.Index(text, r.sim.dir); i >= 0 {
			text = text[:i] + "JOBS"
		}
		if text != x.want || r.work.did["c"] != x.did {
			t.Errorf("tried %d times, want %d\ngot  %v\nwant %s", r.work.did["c"], x.did, err, x.want)
		}
		for _, left := range r.sim.tasks(func(*job) bool { return true }, func(t slurm.Task) bool { return !t.Ended() }) {
			t.Errorf("the driver has given up, job %v goes on", left)
		}
		delete(r.work.fault, "c") // what was wrong is mended
		r.work.did["c"] = 0
		r.ends()
		r.once()
	}
}

// TestOwnFault: the stage itself fails after its shards.
func TestOwnFault(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sim.fate = func(shard string, _ int) string {
		if shard == pipeline.Whole {
			return "OUT_OF_MEMORY"
		}
		return ""
	}
	err := r.run(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "stage train: shard whole came to nothing 3 times, the last time: job 5_0 ended as OUT_OF_MEMORY; ") {
		t.Errorf("error %v", err)
	}
	r.sim.fate = nil
	r.ends()
	r.once()
}

// TestCancel ends the jobs, and the driver that waits for them.
func TestCancel(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sim.fate = func(string, int) string { return "RUNNING" }
	r.sim.before = func(ctx context.Context, now int) {
		if now == 2 {
			if n, err := cluster.Cancel(ctx, r.sim, r.sim.dir); n != 3 || err != nil {
				t.Errorf("%d jobs cancelled, %v", n, err)
			}
		}
	}
	err := r.run(t.Context())
	if !errors.Is(err, pipeline.ErrInterrupted) || err.Error() != "stage train: interrupted: hsnas cancel has ended its jobs" {
		t.Errorf("error %v", err)
	}
	if n, err := cluster.Cancel(t.Context(), r.sim, r.sim.dir); n != 0 || err != nil {
		t.Errorf("again: %d jobs cancelled, %v", n, err)
	}
	r.sim.fate, r.sim.before = nil, nil
	r.ends()
	r.once()
}

// TestCancelUnanswered: jobs that Slurm has not ended are jobs of the run as before.
func TestCancelUnanswered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, kill := context.WithCancel(t.Context())
	r.sim.before = func(context.Context, int) { kill() }
	if err := r.run(ctx); !errors.Is(err, pipeline.ErrInterrupted) {
		t.Fatal(err)
	}
	r.sim.before, r.sim.deaf = nil, errors.New("scancel: Unable to contact slurm controller")
	if _, err := cluster.Cancel(t.Context(), r.sim, r.sim.dir); !errors.Is(err, r.sim.deaf) {
		t.Errorf("error %v", err)
	}
	if busy, err := cluster.Busy(r.sim.dir); !busy || err != nil {
		t.Errorf("the jobs are forgotten, %v", err)
	}
	r.program = "p2" // nor does a driver forget those that it cannot end
	if err := r.run(t.Context()); !errors.Is(err, r.sim.deaf) {
		t.Errorf("error %v", err)
	}
	r.sim.deaf = nil
	if n, err := cluster.Cancel(t.Context(), r.sim, r.sim.dir); n != 3 || err != nil {
		t.Errorf("%d jobs cancelled, %v", n, err)
	}
}

// TestResultIsGone: what a shard left is damaged or gone when the stage begins. It is
// done again, and no attempt is lost by that.
func TestResultIsGone(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(path string) error{
		"gone":    os.Remove,
		"damaged": func(path string) error { return os.WriteFile(path, []byte("x"), 0o666) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.settings.Attempts = 1
			r.sim.before = func(_ context.Context, now int) {
				if now == 3 { // the stage itself is next
					if err := harm(filepath.Join(r.sim.dir, "train", "state", "c")); err != nil {
						t.Error(err)
					}
				}
			}
			r.ends()
			r.told("shard c runs again: what it left is damaged or gone")
			if r.work.did["c"] != 2 || len(r.sim.jobs) != 5 || !slices.Equal(r.sim.jobs[4].After, []string{"4"}) {
				t.Errorf("shard c was done %d times, by jobs %+v", r.work.did["c"], r.sim.jobs)
			}
		})
	}
}

// TestArrayThatCannotEndWell: while the rest of an array runs on that has lost a task,
// nothing is submitted that waits for it, as Slurm would cancel that at once.
func TestArrayThatCannotEndWell(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sim.fate = func(shard string, n int) string {
		switch {
		case shard == "c" && n == 1:
			return "FAILED"
		case shard == "d" && n < 20:
			return "RUNNING"
		}
		return ""
	}
	r.ends()
	r.once()
	if len(r.sim.jobs) != 6 { // three, shard c again, and what waited for it
		t.Errorf("%d jobs were submitted, want 6\n%s", len(r.sim.jobs), strings.Join(r.lines, "\n"))
	}
}

// TestNameOfTheFolder: a run directory may have characters of patterns in its path.
func TestNameOfTheFolder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sim.dir = filepath.Join(t.TempDir(), "runs [a]*", "run")
	ctx, kill := context.WithCancel(t.Context())
	r.sim.before = func(context.Context, int) { kill() }
	if err := r.run(ctx); !errors.Is(err, pipeline.ErrInterrupted) {
		t.Fatal(err)
	}
	r.sim.before = nil
	r.ends()
	r.once()
	if len(r.sim.jobs) != 3 {
		t.Errorf("%d jobs were submitted, want 3", len(r.sim.jobs))
	}
}

// TestAnotherProgram: jobs of an older program are not waited for.
func TestAnotherProgram(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, kill := context.WithCancel(t.Context())
	r.sim.before = func(context.Context, int) { kill() }
	if err := r.run(ctx); !errors.Is(err, pipeline.ErrInterrupted) {
		t.Fatal(err)
	}
	status, err := pipeline.Inspect(t.Context(), r.sim.dir, r.sim.stages)
	if err != nil || status[0].Shards != nil || status[1].Shards == nil || *status[1].Shards != (pipeline.ShardCount{Done: 0, Total: 13}) {
		t.Errorf("status %+v, %v", status, err)
	}
	r.sim.before, r.program = nil, "p2"
	r.ends()
	r.once()
	if slices.Sort(r.sim.cancels); !slices.Equal(r.sim.cancels, []string{"1", "2", "3"}) {
		t.Errorf("cancelled %v", r.sim.cancels)
	}
	r.told("has jobs of other parameters, inputs or another version of hsnas: jobs 1, 2, 3; they are cancelled")
}

// TestClocks: files from the future or the past are as good as others, and a damaged
// one is none.
func TestClocks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, kill := context.WithCancel(t.Context())
	r.sim.before = func(_ context.Context, now int) {
		if now == 2 {
			kill()
		}
	}
	if err := r.run(ctx); !errors.Is(err, pipeline.ErrInterrupted) {
		t.Fatal(err)
	}
	r.sim.before = nil
	status, err := pipeline.Inspect(t.Context(), r.sim.dir, r.sim.stages)
	if err != nil || status[1].Shards == nil || *status[1].Shards != (pipeline.ShardCount{Done: 11, Total: 13}) {
		t.Errorf("status %+v, %v", status, err)
	}
	times := []time.Time{time.Unix(0, 0), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
	n := 0
	err = filepath.WalkDir(r.sim.dir, func(path string, _ os.DirEntry, err error) error {
		n++
		return errors.Join(err, os.Chtimes(path, times[n%2], times[n/2%2]))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.sim.dir, "train", "state", "d"), []byte("damage"), 0o666); err != nil {
		t.Fatal(err)
	}
	r.ends()
	if r.work.did["d"] != 2 {
		t.Errorf("the damaged shard was done %d times, want 2", r.work.did["d"])
	}
	r.work.did["d"] = 1
	r.once()
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]cluster.Settings{
		`time: "soon", expected minutes or [DAYS-]HOURS:MINUTES:SECONDS`:                    {Time: "soon"},
		`memory: "4 GB", expected a number with K, M, G or T, such as 4G`:                   {Memory: "4 GB"},
		`cpus: -1, expected 0 or more`:                                                      {CPUs: -1},
		`options: "qos=long", expected options of sbatch, each one text such as --qos=long`: {Options: []string{"qos=long"}},
		`options: --array is given by hsnas itself`:                                         {Options: []string{"--qos=long", "--array=1-2"}},
		`poll_seconds: -1, expected seconds, or 0 for a minute`:                             {PollSeconds: -1},
	} {
		if err := s.Validate(); fmt.Sprint(err) != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	r := newRig(t)
	r.settings = cluster.Settings{Partition: "gpu", Account: "a", Time: "1-12:00:00", Memory: "4G", CPUs: 2, Constraint: "x&y", Options: []string{"--qos=long"}, Running: 5}
	if err := r.settings.Validate(); err != nil {
		t.Fatal(err)
	}
	r.ends()
	want := []string{"--cpus-per-task=2", "--partition=gpu", "--account=a", "--time=1-12:00:00", "--mem=4G", "--constraint=x&y", "--qos=long"}
	script := "#!/bin/sh\nexport GOMAXPROCS=2\nexec 'hsnas' --stage train --submission NAME --task \"$SLURM_ARRAY_TASK_ID\"\n"
	if j := r.sim.jobs[0]; !slices.Equal(j.Options, want) || j.Running != 5 || j.Script != strings.Replace(script, "NAME", j.Name, 1) {
		t.Errorf("submitted %+v", j.Job)
	}
}

// TestStatusOfADoneStage has no shards to tell of.
func TestStatusOfADoneStage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ends()
	status, err := pipeline.Inspect(t.Context(), r.sim.dir, r.sim.stages)
	if err != nil || status[1].Shards != nil || status[1].State != string(pipeline.Done) {
		t.Errorf("status %+v, %v", status, err)
	}
}
