package slurm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Task is a job, or a task of an array, as Slurm knows it.
type Task struct {
	Job    string // id, of an array that of the whole
	Index  int    // in the array, 0 without one
	Name   string
	State  string // RUNNING
	Reason string // why it is pending, for example
}

// String is Slurm's own name of a task of an array, "12_3".
func (t Task) String() string { return fmt.Sprintf("%s_%d", t.Job, t.Index) }

// ended are the states in which nothing will run any more. A state that is not known
// here is one of a job that lives.
var ended = []string{
	"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "LAUNCH_FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT",
}

// Ended says whether Slurm is done with the task. One whose dependency can never be
// fulfilled is as good as ended, where the cluster leaves it in its queue.
func (t Task) Ended() bool {
	return slices.Contains(ended, t.State) || t.Reason == "DependencyNeverSatisfied"
}

// Queue returns what is pending or running of this user's, all of it by one call: a
// controller has many to answer. A job that has ended is in it no more, and one that
// lives may be missing from a reply.
func (c *Client) Queue(ctx context.Context) ([]Task, error) {
	out, err := c.command(ctx, "", "squeue", "--noheader", "--array", "--user="+strconv.Itoa(os.Getuid()), "--format=%F|%K|%T|%r|%j")
	if err != nil {
		return nil, err
	}
	return parseQueue(out), nil
}

// parseQueue reads the lines of squeue; one that is no job's is passed over.
func parseQueue(text string) []Task {
	var tasks []Task
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.TrimRight(line, "\n"), "|", 5)
		if len(f) < 5 || !jobID.MatchString(f[0]) {
			continue
		}
		for _, i := range indices(f[1]) {
			tasks = append(tasks, Task{Job: f[0], Index: i, State: f[2], Reason: f[3], Name: strings.TrimSpace(f[4])})
		}
	}
	return tasks
}

// Show returns what the controller remembers of a job, or of all where id is "": it
// forgets those that ended some minutes ago, and then there is none.
func (c *Client) Show(ctx context.Context, id string) ([]Task, error) {
	args := []string{"show", "job", "--oneliner"}
	if id != "" {
		args = append(args, id)
	}
	out, err := c.command(ctx, "", "scontrol", args...)
	var fault *CommandError
	if errors.As(err, &fault) && strings.Contains(strings.ToLower(fault.Message), "invalid job id") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseJobs(out), nil
}

// parseJobs reads `scontrol show job --oneliner`.
func parseJobs(text string) []Task {
	var tasks []Task
	for line := range strings.Lines(text) {
		values := map[string]string{}
		for _, field := range strings.Fields(line) {
			name, value, ok := strings.Cut(field, "=")
			if _, known := values[name]; ok && !known { // a later one may be part of a comment
				values[name] = value
			}
		}
		id := values["ArrayJobId"]
		if id == "" {
			id = values["JobId"]
		}
		if !jobID.MatchString(id) || values["JobState"] == "" {
			continue
		}
		for _, i := range indices(values["ArrayTaskId"]) {
			tasks = append(tasks, Task{Job: id, Index: i, Name: values["JobName"], State: values["JobState"], Reason: values["Reason"]})
		}
	}
	return tasks
}

// mostTasks is how many tasks an array has at most here, though a cluster may admit
// more.
const mostTasks = 100_000

// indices reads "3", "0-4,7%2" and, for what is no array, "" or "N/A".
func indices(text string) []int {
	list, _, _ := strings.Cut(text, "%")
	var out []int
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		last, step, _ := strings.Cut(last, ":")
		from, err := strconv.Atoi(first)
		if err != nil || from < 0 {
			continue
		}
		to, by := from, 1
		if isRange {
			if to, err = strconv.Atoi(last); err != nil {
				continue
			}
		}
		if n, err := strconv.Atoi(step); err == nil && n > 0 {
			by = n
		}
		for i := from; i <= to && len(out) < mostTasks; i += by {
			out = append(out, i)
		}
	}
	if len(out) == 0 {
		return []int{0}
	}
	return out
}

// MaxArraySize returns how many tasks an array may have on this cluster.
func (c *Client) MaxArraySize(ctx context.Context) (int, error) {
	out, err := c.again(ctx, func() (string, error) { return c.command(ctx, "", "scontrol", "show", "config") })
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(line, "=")
		if strings.TrimSpace(name) != "MaxArraySize" {
			continue
		}
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil {
			break
		}
		return min(max(1, n), mostTasks), nil // 0 where a cluster has no arrays
	}
	return 0, errors.New("scontrol show config tells no MaxArraySize")
}

// Cancel ends jobs; those that have ended already are no fault.
func (c *Client) Cancel(ctx context.Context, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := c.again(ctx, func() (string, error) { return c.command(ctx, "", "scancel", append([]string{"--quiet"}, ids...)...) })
	return err
}
