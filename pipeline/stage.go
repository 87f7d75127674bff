// Package pipeline runs stages in a run directory and remembers what they did.
//
// A stage is skipped when nothing that it depends on has changed: the key of a
// stage is the hash of its version, its parameters and the contents of the files
// it reads. Files are told apart by their content, never by their time, so a
// stage that gives the same output as before leaves the stages after it alone.
//
// The run directory can be trusted after a crash. A stage's outputs are written
// whole or not at all, and count only once the manifest, run.json, says that the
// stage is done; see [Run].
package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strings"

	"hsnas/internal/progress"
)

// Stage is one step of a pipeline.
type Stage struct {
	Name    string
	Version int // raised when the same parameters and inputs give other outputs
	// Params is what the outputs depend on besides files. It is compared by its
	// YAML form, and may be nil.
	Params any
	// Inputs are artifacts of earlier stages, relative to the run directory, with
	// slashes. One that ends in a slash is an output folder.
	Inputs []string
	// External are files and folders outside the run directory. Their contents
	// count, their places do not.
	External []string
	// Outputs are the files that the stage writes, relative to the run directory.
	// One that ends in a slash is a folder that belongs to the stage alone: it is
	// emptied before the stage runs, and whatever the stage leaves in it counts.
	Outputs []string
	// Run does the work. It ends soon after ctx does. It writes every output
	// through a temporary file, and nothing else but state of its own that makes
	// a second attempt cheaper, such as a journal.
	Run func(ctx context.Context, call Call) (Result, error)
	// Split says how the work can be done in shards; nil where it cannot.
	Split *Split
}

// Call is what a stage needs to know about the run.
type Call struct {
	Dir    string // the run directory; the folders of the outputs exist
	Key    string // the stage's key, 64 hex digits
	Log    *slog.Logger
	Report progress.Reporter
}

// Path returns the place of an artifact on disk.
func (c Call) Path(artifact string) string { return local(c.Dir, artifact) }

// Result is what a stage tells about its outputs.
type Result struct {
	Rows map[string]int64 // number of rows of outputs that have rows
}

// isFolder reports whether an artifact is an output folder.
func isFolder(artifact string) bool { return strings.HasSuffix(artifact, "/") }

// ordered returns the stages so that each comes after those whose outputs it
// reads, otherwise in the given order. Errors are faults of the program.
func ordered(stages []Stage) ([]Stage, error) {
	producer, err := producers(stages)
	if err != nil {
		return nil, err
	}
	var out []Stage
	placed := map[string]bool{}
	for len(out) < len(stages) {
		i := slices.IndexFunc(stages, func(s Stage) bool {
			return !placed[s.Name] && !slices.ContainsFunc(s.Inputs, func(in string) bool { return !placed[producer[in]] })
		})
		if i < 0 {
			return nil, fmt.Errorf("the stages depend on each other in a circle")
		}
		placed[stages[i].Name] = true
		out = append(out, stages[i])
	}
	return out, nil
}

// producers maps each output to the name of the stage that writes it.
func producers(stages []Stage) (map[string]string, error) {
	producer, names := map[string]string{}, map[string]bool{}
	for _, s := range stages {
		if names[s.Name] || s.Name == "" {
			return nil, fmt.Errorf("there are two stages named %q", s.Name)
		}
		names[s.Name] = true
		for _, out := range s.Outputs {
			if other, taken := producer[out]; taken {
				return nil, fmt.Errorf("the stages %s and %s both write %s", other, s.Name, out)
			}
			if clean := path.Clean(out); path.IsAbs(clean) || clean == "." || strings.HasPrefix(clean, "..") {
				return nil, fmt.Errorf("stage %s writes %q, outside the run directory", s.Name, out)
			}
			producer[out] = s.Name
		}
	}
	for _, s := range stages {
		for _, in := range s.Inputs {
			if producer[in] == "" {
				return nil, fmt.Errorf("stage %s reads %s, which no stage writes", s.Name, in)
			}
		}
	}
	return producer, nil
}
