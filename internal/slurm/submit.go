package slurm

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"hsnas/internal/config"
)

// Job is a job, or an array of jobs, to submit.
type Job struct {
	// Name is no other job's: by it a job is found again whose submission was not
	// answered.
	Name string
	// Tasks is the number of tasks of the array, with the indices from 0; one is
	// submitted as a job without an array.
	Tasks int
	// Running is how many tasks may run at once; 0 means as many as the cluster lets.
	Running int
	// After are the jobs that must have ended well, all tasks of theirs, before this one
	// starts. Where one ends otherwise Slurm cancels this one.
	After []string
	// Output is where its output goes, in sbatch's form: %a is the task.
	Output  string
	Options []string // further options of sbatch
	Script  string   // a shell script
}

// tries is how often a command is tried that fails for a reason that may pass.
const tries = 4

var jobID = regexp.MustCompile(`^\d+$`)

// Submit submits a job and returns its id. A submission that seems to have failed may
// have reached the controller: it is looked for before it is tried again, so that
// nothing is submitted twice. What the user asked for wrongly, such as a partition that
// does not exist, is a *config.Error.
func (c *Client) Submit(ctx context.Context, j Job) (id string, err error) {
	attempt := 0
	return c.again(ctx, func() (string, error) {
		if attempt++; attempt > 1 {
			if id, err := c.named(ctx, j.Name); err != nil || id != "" {
				return id, err
			}
		}
		out, err := c.command(ctx, j.Script, "sbatch", j.args()...)
		if err != nil {
			return "", c.refusal(ctx, j, err)
		}
		id, _, _ := strings.Cut(strings.TrimSpace(out), ";") // ";CLUSTER" may follow
		if !jobID.MatchString(id) {
			return "", fmt.Errorf("sbatch answered %q, expected the number of a job", strings.TrimSpace(out))
		}
		return id, nil
	})
}

func (j Job) args() []string {
	args := []string{"--parsable", "--job-name=" + j.Name, "--output=" + j.Output, "--open-mode=append", "--requeue", "--nodes=1", "--ntasks=1"}
	if j.Tasks > 1 {
		array := fmt.Sprintf("--array=0-%d", j.Tasks-1)
		if j.Running > 0 {
			array += fmt.Sprintf("%%%d", j.Running)
		}
		args = append(args, array)
	}
	if len(j.After) > 0 {
		args = append(args, "--dependency=afterok:"+strings.Join(j.After, ":"), "--kill-on-invalid-dep=yes")
	}
	return append(args, j.Options...)
}

// again tries a command until it succeeds, fails for good, or has been tried often
// enough; the waits between are drawn at random, so that many callers do not come back
// together.
func (c *Client) again(ctx context.Context, try func() (string, error)) (string, error) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval = c.Pause
	out, err := backoff.Retry(ctx, func() (string, error) {
		out, err := try()
		if err == nil || transient(err) {
			return out, err
		}
		return out, backoff.Permanent(err)
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(tries), backoff.WithNotify(func(err error, _ time.Duration) {
		c.logf("%v; tried again", err)
	}))
	var permanent *backoff.PermanentError
	if errors.As(err, &permanent) {
		err = permanent.Err
	}
	return out, err
}

// named returns the id of a job by its name, "" where Slurm knows none.
func (c *Client) named(ctx context.Context, name string) (string, error) {
	all, err := c.Show(ctx, "")
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(all, func(t Task) bool { return t.Name == name })
	if i < 0 {
		return "", nil
	}
	return all[i].Job, nil
}

// refusal words what sbatch said about a job in the terms of who asked for it.
func (c *Client) refusal(ctx context.Context, j Job, err error) error {
	if transient(err) || ctx.Err() != nil {
		return err
	}
	var fault *CommandError
	if !errors.As(err, &fault) {
		return err
	}
	what := strings.TrimPrefix(fault.Message, "Batch job submission failed: ")
	if strings.HasPrefix(what, "Invalid partition name") {
		return c.noPartition(ctx, option(j.Options, "--partition="))
	}
	return config.Errorf("", 0, "sbatch refuses the job: %s; it was asked for %s", what, strings.Join(j.Options, " "))
}

// noPartition names the partitions that there are.
func (c *Client) noPartition(ctx context.Context, name string) error {
	out, err := c.command(ctx, "", "sinfo", "--noheader", "--format=%R")
	if err != nil {
		out = ""
	}
	known := strings.Fields(out)
	slices.Sort(known)
	return config.Errorf("", 0, "slurm.partition: this cluster has no partition %q%s", name, config.DidYouMean(name, slices.Compact(known)))
}

// option returns the value of an option, "" where it is not given.
func option(options []string, name string) string {
	for _, o := range options {
		if value, ok := strings.CutPrefix(o, name); ok {
			return value
		}
	}
	return ""
}
