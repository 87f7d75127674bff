package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"hsnas/internal/config"
)

// remade stands for the checksum of an artifact that will be made again before
// it is read: what it will be is not known yet.
const remade = "remade"

// state is what a run directory holds now, beside what its manifest says.
type state struct {
	dir      string
	manifest *Manifest
	producer map[string]string   // stage that writes an artifact
	sums     map[string]checksum // of every output that the manifest knows
	external map[string]string   // checksums of files outside, as long as no stage runs
	spent    time.Duration       // on manifest and checksums
}

// readState reads the manifest and hashes every output that it knows. A run
// that has no manifest yet has an empty one.
func readState(ctx context.Context, dir string, stages []Stage) (*state, error) {
	producer, err := producers(stages)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	m, err := ReadManifest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		m, err = &Manifest{Format: manifestFormat}, nil
	}
	if err != nil {
		return nil, err
	}
	st := &state{dir: dir, manifest: m, producer: producer, sums: map[string]checksum{}}
	st.took(start)
	var files []string
	for _, r := range m.Stages {
		for _, a := range r.Outputs {
			files = append(files, a.Path)
		}
	}
	return st, st.hash(ctx, files)
}

// hash hashes artifacts, again where they were hashed before.
func (st *state) hash(ctx context.Context, files []string) error {
	defer st.took(time.Now())
	places := make([]string, len(files))
	for i, f := range files {
		places[i] = local(st.dir, f)
	}
	sums, err := checksums(ctx, places)
	if err != nil {
		return err
	}
	for i, f := range files {
		st.sums[f] = sums[places[i]]
	}
	return nil
}

// fault says what is wrong with a file that a stage wrote, "" if nothing is.
func (st *state) fault(a Artifact) string {
	switch now := st.sums[a.Path]; {
	case errors.Is(now.Err, fs.ErrNotExist):
		return "missing"
	case now.Err != nil || now.SHA256 != a.SHA256:
		return "damaged"
	}
	return ""
}

// input returns the checksum of an artifact that the stage s reads; that of a
// folder is over its files. Only what a stage that is done wrote, and nobody
// changed since, is good enough.
func (st *state) input(s Stage, artifact string) (string, error) {
	name := st.producer[artifact]
	refuse := func(why string, args ...any) error {
		return config.Errorf("", 0, "stage %s needs %s, but %s; run that stage first: --only %s",
			s.Name, artifact, fmt.Sprintf(why, args...), name)
	}
	r := st.manifest.Record(name)
	switch {
	case r == nil:
		return "", refuse("stage %s has not run yet", name)
	case r.State != Done:
		return "", refuse("stage %s did not end well: %s", name, r.ended())
	}
	files := r.files(artifact)
	if len(files) == 0 && !isFolder(artifact) {
		return "", refuse("stage %s did not write it when it ran", name)
	}
	for _, a := range files {
		if fault := st.fault(a); fault != "" {
			return "", refuse("%s is %s", a.Path, fault)
		}
	}
	if !isFolder(artifact) {
		return files[0].SHA256, nil
	}
	var names []string
	for _, a := range files {
		names = append(names, a.Path)
	}
	return sumList(names, func(f string) (string, error) { return st.sums[f].SHA256, nil })
}

// files returns the outputs that an artifact, a file or a folder, stands for,
// sorted by path.
func (r *Record) files(artifact string) []Artifact {
	var out []Artifact
	for _, a := range r.Outputs {
		if a.Path == artifact || isFolder(artifact) && strings.HasPrefix(a.Path, artifact) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b Artifact) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// ended says how a stage that is not done ended.
func (r *Record) ended() string {
	switch r.State {
	case Running:
		return "it was killed before it ended"
	case Failed:
		return "it failed: " + r.Error
	}
	return "it was " + string(r.State)
}

// ingredients gathers what the outputs of s depend on. again names the stages
// that will run before it, in a plan: what they write is not known yet.
func (st *state) ingredients(s Stage, again map[string]bool) (Ingredients, error) {
	defer st.took(time.Now())
	params, err := canonical(s.Params)
	if err != nil {
		return Ingredients{}, fmt.Errorf("stage %s: its parameters: %w", s.Name, err)
	}
	in := Ingredients{Version: s.Version, Params: params, Inputs: map[string]string{}}
	for _, artifact := range s.Inputs {
		if again[st.producer[artifact]] {
			in.Inputs[artifact] = remade
		} else if in.Inputs[artifact], err = st.input(s, artifact); err != nil {
			return Ingredients{}, err
		}
	}
	for _, file := range s.External {
		sum, err := st.sumOutside(file)
		if err != nil {
			return Ingredients{}, config.Errorf("", 0, "stage %s: %s", s.Name, err)
		}
		in.External = append(in.External, External{Path: file, SHA256: sum})
	}
	return in, nil
}

// reasons says why a stage has to run; none means that it is up to date.
func (st *state) reasons(s Stage, in Ingredients) []string {
	was := st.manifest.Record(s.Name)
	if was == nil {
		return []string{"it has not run yet"}
	}
	if was.State != Done {
		return append([]string{was.ended()}, in.changes(s.Name, was.Ingredients)...)
	}
	out := in.changes(s.Name, was.Ingredients)
	if len(out) == 0 && in.key(s.Name) != was.Key {
		out = append(out, "its key changed")
	}
	for _, declared := range s.Outputs {
		if !isFolder(declared) && len(was.files(declared)) == 0 {
			out = append(out, "output "+declared+" is new")
		}
	}
	for _, a := range was.Outputs {
		if fault := st.fault(a); fault != "" {
			out = append(out, "output "+fault+": "+a.Path)
		}
	}
	return out
}
