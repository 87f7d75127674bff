package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"hsnas/internal/config"
)

// remade stands for the checksum of an artifact that will be made again before
// it is read: what it will be is not known yet.
const remade = "remade"

// disk is what the outputs in a run directory hold now.
type disk struct{ sums map[string]checksum }

// hashOutputs hashes every output that the manifest knows.
func hashOutputs(ctx context.Context, dir string, m *Manifest) (*disk, error) {
	d := &disk{sums: map[string]checksum{}}
	var files []string
	for _, r := range m.Stages {
		for _, a := range r.Outputs {
			files = append(files, a.Path)
		}
	}
	return d, d.add(ctx, dir, files)
}

// add hashes files of the run directory, again where they were hashed before.
func (d *disk) add(ctx context.Context, dir string, files []string) error {
	places := make([]string, len(files))
	for i, f := range files {
		places[i] = local(dir, f)
	}
	sums, err := checksums(ctx, places)
	if err != nil {
		return err
	}
	for i, f := range files {
		d.sums[f] = sums[places[i]]
	}
	return nil
}

// sum returns the checksum of an artifact; that of a folder is over its files.
func (d *disk) sum(dir, artifact string) (string, error) {
	if !isFolder(artifact) {
		s, known := d.sums[artifact]
		if !known || s.Err != nil {
			return "", fs.ErrNotExist
		}
		return s.SHA256, nil
	}
	var files []string
	for f := range d.sums {
		if strings.HasPrefix(f, artifact) {
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		return "", fs.ErrNotExist
	}
	slices.Sort(files)
	return sumList(files, func(f string) (string, error) { return d.sums[f].SHA256, d.sums[f].Err })
}

// ingredients gathers what the outputs of s depend on. again names the artifacts
// that will be made again first, in a plan.
func ingredients(dir string, s Stage, d *disk, again map[string]bool) (Ingredients, error) {
	params, err := canonical(s.Params)
	if err != nil {
		return Ingredients{}, fmt.Errorf("stage %s: its parameters: %w", s.Name, err)
	}
	in := Ingredients{Version: s.Version, Params: params, Inputs: map[string]string{}}
	for _, artifact := range s.Inputs {
		sum, err := d.sum(dir, artifact)
		switch {
		case again[artifact]:
			sum = remade
		case err != nil:
			return Ingredients{}, config.Errorf("", 0, "stage %s needs %s, which is not there; run the stage %s first",
				s.Name, artifact, path.Dir(strings.TrimSuffix(artifact, "/")+"/x"))
		}
		in.Inputs[artifact] = sum
	}
	for _, file := range s.External {
		sum, err := sumExternal(file)
		if err != nil {
			return Ingredients{}, fmt.Errorf("stage %s: %w", s.Name, err)
		}
		in.External = append(in.External, External{Path: file, SHA256: sum})
	}
	return in, nil
}

// reasons says why a stage has to run; none means that it is up to date.
func reasons(s Stage, in Ingredients, m *Manifest, d *disk) []string {
	was := m.Record(s.Name)
	switch {
	case was == nil:
		return []string{"it has not run yet"}
	case was.State == Running:
		return []string{"it was killed before it ended"}
	case was.State == Interrupted:
		return []string{"it was interrupted"}
	case was.State == Failed:
		return []string{"it failed"}
	}
	if in.key(s.Name) != was.Key {
		if changes := in.changes(s.Name, was.Ingredients); len(changes) > 0 {
			return changes
		}
		return []string{"its key changed"}
	}
	var out []string
	for _, a := range was.Outputs {
		switch now := d.sums[a.Path]; {
		case errors.Is(now.Err, fs.ErrNotExist):
			out = append(out, "output missing: "+a.Path)
		case now.Err != nil || now.SHA256 != a.SHA256:
			out = append(out, "output damaged: "+a.Path)
		}
	}
	return out
}

// choose marks the stages that From, To and Only leave.
func choose(stages []Stage, o Options) ([]bool, error) {
	names := make([]string, len(stages))
	for i, s := range stages {
		names[i] = s.Name
	}
	first, last := 0, len(stages)-1
	for _, bound := range []struct {
		flag, name string
		set        func(i int)
	}{
		{"--from", o.From, func(i int) { first = i }},
		{"--to", o.To, func(i int) { last = i }},
		{"--only", o.Only, func(i int) { first, last = i, i }},
	} {
		if bound.name == "" {
			continue
		}
		i := slices.Index(names, bound.name)
		if i < 0 {
			return nil, config.Errorf("", 0, "%s: unknown stage %q%s", bound.flag, bound.name, config.DidYouMean(bound.name, names))
		}
		bound.set(i)
	}
	if first > last {
		return nil, config.Errorf("", 0, "--from %s comes after --to %s", o.From, o.To)
	}
	chosen := make([]bool, len(stages))
	for i := range chosen {
		chosen[i] = first <= i && i <= last
	}
	return chosen, nil
}

// Status is what would happen to a stage, and what did.
type Status struct {
	Stage   string  `json:"stage"`
	State   string  `json:"state"`  // done, stale, running, failed, interrupted, or pending where it never ran
	Reason  string  `json:"reason"` // why it would run; "" where it is up to date
	Seconds float64 `json:"seconds"`
}

// Inspect tells the state of every stage of the run directory dir, without
// changing anything.
func Inspect(ctx context.Context, dir string, stages []Stage) ([]Status, error) {
	stages, err := ordered(stages)
	if err != nil {
		return nil, err
	}
	m, err := readOrNew(dir)
	if err != nil {
		return nil, err
	}
	d, err := hashOutputs(ctx, dir, m)
	if err != nil {
		return nil, err
	}
	again := map[string]bool{}
	var out []Status
	for _, s := range stages {
		in, err := ingredients(dir, s, d, again)
		if err != nil {
			return nil, err
		}
		out = append(out, status(s, reasons(s, in, m, d), m, again))
	}
	return out, nil
}

// status describes a stage, and marks its outputs as made again if it will run.
func status(s Stage, why []string, m *Manifest, again map[string]bool) Status {
	st := Status{Stage: s.Name, State: "pending", Reason: strings.Join(why, "; ")}
	if r := m.Record(s.Name); r != nil {
		st.State, st.Seconds = string(r.State), r.Seconds
		if r.State == Done && len(why) > 0 {
			st.State = "stale"
		}
	}
	if len(why) > 0 {
		for _, o := range s.Outputs {
			again[o] = true
		}
	}
	return st
}

// dryRun reports what Run would do.
func dryRun(ctx context.Context, dir string, stages []Stage, chosen []bool, o Options) error {
	states, err := Inspect(ctx, dir, stages)
	if err != nil {
		return err
	}
	for i, st := range states {
		switch {
		case !chosen[i]:
		case st.Reason != "":
			o.Report.Logf("%-10s would run: %s", st.Stage, st.Reason)
		case o.Force:
			o.Report.Logf("%-10s would run: forced", st.Stage)
		default:
			o.Report.Logf("%-10s up to date", st.Stage)
		}
	}
	return nil
}
