// Package slurm speaks to a Slurm cluster through its own commands, sbatch, squeue,
// scontrol, sinfo and scancel: they are on every node that may submit, whatever the
// version of the cluster. It knows jobs, and nothing of what they are for.
//
// What Slurm says about a job is a hint. A reply that lacks a job does not mean that
// it failed; callers decide by what jobs leave behind.
package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"hsnas/internal/config"
)

// Client runs Slurm's commands, found on PATH.
type Client struct {
	// Pause is about how long a command that failed for a reason that may pass waits
	// until it is tried again, the next time twice as long.
	Pause time.Duration
	// Logf is told of what is tried again; it may be nil.
	Logf func(format string, args ...any)
}

// answers is how long a command may take: a controller that is busy answers late, one
// that hangs must not hang its callers.
const answers = 2 * time.Minute

// Open looks for Slurm's commands. Where one is absent the error is a *config.Error.
func Open() (*Client, error) {
	for _, name := range []string{"sbatch", "squeue", "scontrol", "sinfo", "scancel"} {
		if _, err := exec.LookPath(name); err != nil {
			return nil, config.Errorf("", 0, "%s of Slurm is not on PATH; run hsnas on a node of the cluster that may submit jobs", name)
		}
	}
	return &Client{Pause: 2 * time.Second}, nil
}

// CommandError is a command of Slurm's that failed.
type CommandError struct {
	Command string // sbatch
	Message string // its last line on stderr, without its own prefix
	err     error
}

func (e *CommandError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("%s: %v", e.Command, e.err)
	}
	return e.Command + ": " + e.Message
}

func (e *CommandError) Unwrap() error { return e.err }

// command runs one and returns what it printed. The variables that change squeue's
// answers are kept from it, and those of the array task that this process may be.
func (c *Client) command(ctx context.Context, stdin, name string, args ...string) (string, error) {
	limited, cancel := context.WithTimeout(ctx, answers)
	defer cancel()
	run := exec.CommandContext(limited, name, args...)
	var out, fault bytes.Buffer
	run.Stdin, run.Stdout, run.Stderr = strings.NewReader(stdin), &out, &fault
	run.WaitDelay = time.Second // a child of the command may hold its output open
	run.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "SQUEUE_") || strings.HasPrefix(v, "SLURM_ARRAY_") || strings.HasPrefix(v, "SLURM_TIME_FORMAT=")
	})
	err := run.Run()
	switch {
	case err == nil:
		return out.String(), nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case limited.Err() != nil:
		err = fmt.Errorf("no answer within %v", answers)
	}
	return "", &CommandError{name, lastLine(name, fault.String()), err}
}

// lastLine is the last line of a command's complaints: what comes before are its
// reasons for it.
func lastLine(name, text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "Try ") }) // its --help
	if len(lines) == 0 {
		return ""
	}
	line := strings.TrimSpace(lines[len(lines)-1])
	line = strings.TrimPrefix(line, name+": ")
	return strings.TrimPrefix(line, "error: ")
}

// mayPass are parts of messages of commands that may succeed when they are tried
// again: the controller is busy, restarts, or is not reached.
var mayPass = []string{
	"socket timed out", "unable to contact", "connection refused", "connection reset", "connection timed out", "temporarily",
	"transport endpoint", "zero bytes were transmitted", "communication connection", "communications connection", "communication shutdown",
	"controller not responding", "authentication credential", "authentication error", "try again", "no answer within", "broken pipe", "database is busy",
}

// transient says whether an error may pass.
func transient(err error) bool {
	var fault *CommandError
	if !errors.As(err, &fault) {
		return false
	}
	text := strings.ToLower(fault.Error() + " " + fmt.Sprint(fault.err))
	return slices.ContainsFunc(mayPass, func(part string) bool { return strings.Contains(text, part) })
}

func (c *Client) logf(format string, args ...any) {
	if c.Logf != nil {
		c.Logf(format, args...)
	}
}
