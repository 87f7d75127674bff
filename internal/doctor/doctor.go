// Package doctor looks at a machine for those who ask why hsnas does not run on it,
// or not as fast as it could. It changes nothing, needs no ONNX Runtime, and prints
// no secret. What may crash or hang, a GPU's driver above all, runs in a process of
// its own.
package doctor

import (
	"context"
	"errors"
	"io/fs"
	"slices"
)

// State is the outcome of a check.
type State string

// Something missing may be something that nobody needs here; see Check.Needed.
const (
	OK      State = "ok"
	Warning State = "warning"
	Missing State = "missing"
)

// Check is one thing that was looked at.
type Check struct {
	Name  string `json:"check"`
	State State  `json:"state"`
	// Needed says that nothing runs without it, or that the run in question does not.
	Needed  bool   `json:"needed"`
	Found   string `json:"found"`
	Advice  string `json:"advice"`            // what to do, "" where nothing is to be done
	Details any    `json:"details,omitempty"` // for programs
}

// Host is how the doctor sees the machine. Tests put another in.
type Host struct {
	Root    fs.FS               // the file system from its root, for /proc and /sys
	Getenv  func(string) string // as os.Getenv
	Environ []string            // as os.Environ()
	// Command runs a program to its end and returns what it printed. One that is not
	// there is ErrNotInstalled.
	Command func(ctx context.Context, name string, args ...string) (string, error)
	// Probe calls Examine in a process of its own.
	Probe func(ctx context.Context, device string) (Answer, error)
	// Fetch is the command line that fetches ONNX Runtime.
	Fetch string
}

// ErrNotInstalled says that there is no program of the name.
var ErrNotInstalled = errors.New("not installed")

// Question is what a run needs beyond what every run does, and where it lies.
type Question struct {
	Runs      string   // folder that runs lie in
	Cache     string   // folder of ONNX Runtime and the published figures
	Data      string   // folder of the published figures
	Published []string // what of the run reads published figures, "" where nothing does
	Key       bool     // answers are bought
	Devices   []string // besides the CPU
	Network   bool     // ask the service whether it is there
	Known     []string // environment variables that hsnas reads
}

// Look makes every check.
func Look(ctx context.Context, h Host, q Question) []Check {
	library := h.library(ctx)
	checks := []Check{library, h.processor(), h.load(), h.memory(), h.pages(), openFiles()}
	for _, device := range devices(q.Devices) {
		checks = append(checks, h.device(ctx, device, slices.Contains(q.Devices, device), library.State != Missing))
	}
	return append(checks,
		disk("runs", q.Runs, true), disk("cache", q.Cache, false),
		published(q.Data, len(q.Published) > 0), h.key(q.Key), h.service(ctx, q.Network),
		h.slurm(ctx), h.environment(q.Known), python())
}

// devices are those that everyone is told about, and those that a run needs.
func devices(needed []string) []string {
	out := []string{"webgpu", "cuda"}
	for _, d := range needed {
		if !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}

// Lacking are the names of the checks without which nothing runs.
func Lacking(checks []Check) []string {
	var out []string
	for _, c := range checks {
		if c.Needed && c.State == Missing {
			out = append(out, c.Name)
		}
	}
	return out
}

// python says what people ask.
func python() Check {
	return Check{Name: "python", State: OK, Found: "not needed: Go and ONNX Runtime train, search and measure"}
}
