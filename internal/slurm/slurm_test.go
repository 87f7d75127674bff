package slurm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hsnas/internal/config"
)

// fakeFolder names the folder of the fake commands: the test program, linked under
// Slurm's names, is each of them.
const fakeFolder = "TEST_FAKE_SLURM"

// arrayTask is the variable by which Slurm numbers tasks.
const arrayTask = "SLURM_ARRAY_TASK_ID"

func TestMain(m *testing.M) {
	if dir := os.Getenv(fakeFolder); dir != "" {
		os.Exit(fakeCommand(dir))
	}
	os.Exit(m.Run())
}

// reply is what a fake command says when it is called.
type reply struct {
	Out, Err string
	Code     int
}

// called is a call that was made of a fake command.
type called struct {
	Name, Input string
	Args        []string
	Array       string // the variable SLURM_ARRAY_TASK_ID
}

// fakeCommand records the call and gives the next reply; the last is given for ever.
func fakeCommand(dir string) int {
	name := filepath.Base(os.Args[0])
	input, _ := io.ReadAll(os.Stdin)
	text, err := json.Marshal(called{name, string(input), os.Args[1:], os.Getenv(arrayTask)})
	if err != nil {
		panic(err)
	}
	log, err := os.OpenFile(filepath.Join(dir, "calls"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(log, "%s\n", text)
	log.Close()
	var replies []reply
	text, err = os.ReadFile(filepath.Join(dir, name+".json"))
	if err != nil || json.Unmarshal(text, &replies) != nil {
		panic(err)
	}
	if len(replies) > 1 {
		text, _ = json.Marshal(replies[1:])
		if err := os.WriteFile(filepath.Join(dir, name+".json"), text, 0o600); err != nil {
			panic(err)
		}
	}
	fmt.Print(replies[0].Out)
	fmt.Fprint(os.Stderr, replies[0].Err)
	return replies[0].Code
}

// fake puts commands with replies on PATH, and nothing else. calls returns those made.
func fake(t *testing.T, replies map[string][]reply) (c *Client, calls func() []called) {
	t.Helper()
	dir := t.TempDir()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sbatch", "squeue", "scontrol", "sinfo", "scancel"} {
		if err := os.Symlink(program, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		of := replies[name]
		if of == nil {
			of = []reply{{Err: name + ": error: not expected to be called", Code: 99}}
		}
		text, _ := json.Marshal(of)
		if err := os.WriteFile(filepath.Join(dir, name+".json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Setenv(fakeFolder, dir)
	if c, err = Open(); err != nil {
		t.Fatal(err)
	}
	c.Pause = time.Microsecond
	return c, func() (out []called) {
		text, _ := os.ReadFile(filepath.Join(dir, "calls"))
		for line := range strings.Lines(string(text)) {
			var one called
			if err := json.Unmarshal([]byte(line), &one); err != nil {
				t.Fatal(err)
			}
			out = append(out, one)
		}
		return out
	}
}

func TestAbsent(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Open()
	const want = "sbatch of Slurm is not on PATH; run hsnas on a node of the cluster that may submit jobs"
	var user *config.Error
	if !errors.As(err, &user) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestSubmit(t *testing.T) {
	t.Setenv(arrayTask, "7") // a driver may be a task itself
	c, calls := fake(t, map[string][]reply{"sbatch": {{Out: "12;west\n"}}})
	id, err := c.Submit(t.Context(), Job{
		Name: "hsnas-a", Tasks: 3, Running: 2, After: []string{"4", "5"}, Output: "/x/a.%a.out", Options: []string{"--partition=p"}, Script: "#!/bin/sh\n",
	})
	if id != "12" || err != nil {
		t.Fatalf("id %q, %v", id, err)
	}
	want := []string{
		"--parsable", "--job-name=hsnas-a", "--output=/x/a.%a.out", "--open-mode=append", "--requeue", "--nodes=1", "--ntasks=1",
		"--array=0-2%2", "--dependency=afterok:4:5", "--kill-on-invalid-dep=yes", "--partition=p",
	}
	if got := calls(); len(got) != 1 || !slices.Equal(got[0].Args, want) || got[0].Input != "#!/bin/sh\n" || got[0].Array != "" {
		t.Errorf("called %+v\nwant   %q", got, want)
	}
}

// A submission whose answer is lost may have reached the controller: it is looked for
// before there is another.
func TestSubmitOnce(t *testing.T) {
	lost := reply{Err: "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n", Code: 1}
	for name, x := range map[string]struct {
		known  string
		sbatch int // calls
	}{
		"it arrived":     {"JobId=31 JobName=hsnas-a UserId=u(1) JobState=PENDING Reason=None\n", 1},
		"it did not":     {"JobId=30 JobName=other UserId=u(1) JobState=RUNNING Reason=None\n", 2},
		"as an array":    {"JobId=31 ArrayJobId=31 ArrayTaskId=0-2%2 JobName=hsnas-a JobState=PENDING\n", 1},
		"nothing so far": {"No jobs in the system\n", 2},
	} {
		t.Run(name, func(t *testing.T) {
			c, calls := fake(t, map[string][]reply{"sbatch": {lost, {Out: "31\n"}}, "scontrol": {{Out: x.known}}})
			var told []string
			c.Logf = func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }
			id, err := c.Submit(t.Context(), Job{Name: "hsnas-a", Tasks: 1})
			if id != "31" || err != nil {
				t.Errorf("id %q, %v", id, err)
			}
			n := 0
			for _, call := range calls() {
				if call.Name == "sbatch" {
					n++
				}
			}
			const line = "sbatch: Batch job submission failed: Socket timed out on send/recv operation; tried again"
			if n != x.sbatch || len(told) != 1 || told[0] != line {
				t.Errorf("%d submissions, want %d; told %q", n, x.sbatch, told)
			}
		})
	}
}

func TestSubmitGivesUp(t *testing.T) {
	c, calls := fake(t, map[string][]reply{
		"sbatch":   {{Err: "sbatch: error: Unable to contact slurm controller (connect failure)\n", Code: 1}},
		"scontrol": {{Out: "No jobs in the system\n"}},
	})
	_, err := c.Submit(t.Context(), Job{Name: "hsnas-a", Tasks: 1})
	var user *config.Error
	if err == nil || err.Error() != "sbatch: Unable to contact slurm controller (connect failure)" || errors.As(err, &user) {
		t.Errorf("error %v", err)
	}
	if n := len(calls()); n != 2*tries-1 { // each further one looks first
		t.Errorf("%d calls", n)
	}
}

func TestRefused(t *testing.T) {
	for stderr, want := range map[string]string{
		"sbatch: error: invalid partition specified: gpus\nsbatch: error: Batch job submission failed: Invalid partition name specified\n": `slurm.partition: this cluster has no partition "gpus"; did you mean "gpu"?`,
		"sbatch: error: Batch job submission failed: Invalid feature specification\n":                                                      "sbatch refuses the job: Invalid feature specification; it was asked for --partition=gpus --constraint=x",
		"sbatch: unrecognized option '--qqs'\nTry \"sbatch --help\" for more information\n":                                                `sbatch refuses the job: unrecognized option '--qqs'; it was asked for --partition=gpus --constraint=x`,
	} {
		c, calls := fake(t, map[string][]reply{"sbatch": {{Err: stderr, Code: 1}}, "sinfo": {{Out: "gpu\ncpu\ngpu\n"}}})
		_, err := c.Submit(t.Context(), Job{Name: "hsnas-a", Tasks: 1, Options: []string{"--partition=gpus", "--constraint=x"}})
		var user *config.Error
		if !errors.As(err, &user) || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		for _, call := range calls()[1:] {
			if call.Name == "sbatch" {
				t.Error("submitted again")
			}
		}
	}
}

func TestQueue(t *testing.T) {
	c, calls := fake(t, map[string][]reply{"squeue": {{Out: "12|0|RUNNING|None|hsnas-a\n12|1|PENDING|Dependency|hsnas-a\n13|N/A|PENDING|DependencyNeverSatisfied|a|b \ngarbage\n"}}})
	got, err := c.Queue(t.Context())
	want := []Task{
		{"12", 0, "hsnas-a", "RUNNING", "None"},
		{"12", 1, "hsnas-a", "PENDING", "Dependency"},
		{"13", 0, "a|b", "PENDING", "DependencyNeverSatisfied"},
	}
	if err != nil || !slices.Equal(got, want) || len(calls()) != 1 {
		t.Fatalf("%v, %v, %d calls", got, err, len(calls()))
	}
	for i, ended := range []bool{false, false, true} {
		if got[i].Ended() != ended {
			t.Errorf("%+v: ended %v", got[i], !ended)
		}
	}
	if (Task{State: "A_STATE_OF_A_LATER_SLURM"}).Ended() {
		t.Error("a state that is not known counts as ended")
	}
}

func TestShow(t *testing.T) {
	c, _ := fake(t, map[string][]reply{"scontrol": {
		{Out: "JobId=5 ArrayJobId=4 ArrayTaskId=1 JobName=n JobState=NODE_FAIL Reason=None Comment=JobState=RUNNING\nJobId=4 ArrayJobId=4 ArrayTaskId=2-3,7%1 JobName=n JobState=PENDING Reason=None\n"},
		{Err: "slurm_load_jobs error: Invalid job id specified\n", Code: 1},
		{Err: "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n", Code: 1},
	}})
	got, err := c.Show(t.Context(), "4")
	want := []Task{{"4", 1, "n", "NODE_FAIL", "None"}, {"4", 2, "n", "PENDING", "None"}, {"4", 3, "n", "PENDING", "None"}, {"4", 7, "n", "PENDING", "None"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := c.Show(t.Context(), "4"); got != nil || err != nil {
		t.Errorf("of a job that Slurm has forgotten: %v, %v", got, err)
	}
	if _, err := c.Show(t.Context(), "4"); err == nil {
		t.Error("a controller that is not reached seems to know nothing of the job")
	}
}

func TestMaxArraySize(t *testing.T) {
	for out, want := range map[string]int{
		"Configuration data as of 2026-12-01T12:00:00\nMaxArraySize            = 1001\nMaxJobCount             = 10000\n": 1001,
		"MaxArraySize            = 0\n": 1, // a cluster without arrays
	} {
		c, _ := fake(t, map[string][]reply{"scontrol": {{Out: out}}})
		if n, err := c.MaxArraySize(t.Context()); n != want || err != nil {
			t.Errorf("%d, %v, want %d", n, err, want)
		}
	}
	c, _ := fake(t, map[string][]reply{"scontrol": {{Out: "MaxJobCount = 3\n"}}})
	if _, err := c.MaxArraySize(t.Context()); err == nil || err.Error() != "scontrol show config tells no MaxArraySize" {
		t.Errorf("error %v", err)
	}
}

func TestCancel(t *testing.T) {
	c, calls := fake(t, map[string][]reply{"scancel": {{Err: "scancel: error: Connection timed out\n", Code: 1}, {}}})
	if err := c.Cancel(t.Context()); err != nil || len(calls()) != 0 {
		t.Errorf("nothing to cancel: %v, %d calls", err, len(calls()))
	}
	if err := c.Cancel(t.Context(), "4", "5"); err != nil {
		t.Error(err)
	}
	if got := calls(); len(got) != 2 || !slices.Equal(got[1].Args, []string{"--quiet", "4", "5"}) {
		t.Errorf("called %+v", got)
	}
}

// FuzzReplies: whatever Slurm prints, tasks have numbers, and indices are those of an
// array.
func FuzzReplies(f *testing.F) {
	f.Add("12|0|RUNNING|None|hsnas-a\n")
	f.Add("JobId=5 ArrayJobId=4 ArrayTaskId=0-9:3,11%2 JobName=n JobState=NODE_FAIL\n")
	f.Add("12|5-2|R||x\n13|-1|R||\n14|999999999999999999999|R||\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, task := range slices.Concat(parseQueue(text), parseJobs(text)) {
			if !jobID.MatchString(task.Job) || task.Index < 0 {
				t.Fatalf("task %+v", task)
			}
		}
	})
}
