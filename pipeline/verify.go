package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hsnas/internal/atomicfile"
	"hsnas/internal/progress"
)

// Condition is what a file of a run directory is found to be.
type Condition string

// Conditions. Foreign is a file that no stage that is done wrote: the user's, or of a
// stage that has not ended. It is left alone.
const (
	OK      Condition = "ok"
	Damaged Condition = "damaged"
	Missing Condition = "missing"
	Foreign Condition = "foreign"
)

// Finding is what Verify found out about a file.
type Finding struct {
	Path  string    `json:"artifact"` // relative to the run directory
	Stage string    `json:"stage"`    // that wrote it; "" for files of the run itself
	State Condition `json:"state"`
	Moved string    `json:"moved_to,omitempty"` // where a damaged file lies now, relative to the run directory
	Note  string    `json:"note,omitempty"`
}

// Fault reports whether something is wrong with the file.
func (f Finding) Fault() bool { return f.State == Damaged || f.State == Missing }

// StateFile is a file that a stage keeps for a second attempt. It is in no manifest,
// but its own seal can be checked.
type StateFile struct {
	Pattern string // of path, relative to the run directory
	// Check says whether a file is damaged, and how: "" where it is whole.
	Check func(path string) (fault string, err error)
	// Stays leaves a damaged file where it is, with a note that says why.
	Stays string
}

// VerifyOptions say what Verify looks at, and whether it moves anything.
type VerifyOptions struct {
	Keep   bool // leave damaged files where they are
	States []StateFile
	Report progress.Reporter
}

// Verify checks every file of the run directory dir against its checksum, none of
// which is parsed before. Damaged files are moved into the folder damaged, so that
// the next run makes them again; the run is locked while that happens.
func Verify(ctx context.Context, dir string, o VerifyOptions) ([]Finding, error) {
	if o.Report == nil {
		o.Report = progress.Discard
	}
	found, err := look(ctx, dir, o.States)
	if err != nil || o.Keep || !slices.ContainsFunc(found.list, func(f Finding) bool { return f.State == Damaged }) {
		return found.list, err
	}
	unlock, err := lock(ctx, dir, false, o.Report)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if found, err = look(ctx, dir, o.States); err != nil { // another process may have been at work
		return nil, err
	}
	return found.list, found.moveDamaged()
}

// findings are what is found in a run directory.
type findings struct {
	dir   string
	list  []Finding
	sums  map[string]checksum // of damaged files
	known map[string]bool
}

func look(ctx context.Context, dir string, states []StateFile) (*findings, error) {
	f := &findings{dir: dir, sums: map[string]checksum{}, known: map[string]bool{}}
	m, err := ReadManifest(dir)
	var fault *manifestError
	switch {
	case errors.As(err, &fault):
		f.add(Finding{Path: manifestName, State: Damaged, Note: "the checksums of all other files are lost with it"}, sumOf(dir, manifestName))
		return f, f.states(states)
	case err != nil:
		return f, err
	}
	f.add(Finding{Path: manifestName, State: OK}, checksum{})
	f.experiment(m)
	if err := f.artifacts(ctx, m); err != nil {
		return f, err
	}
	if err := f.states(states); err != nil {
		return f, err
	}
	return f, f.foreign()
}

func (f *findings) add(one Finding, sum checksum) {
	f.list = append(f.list, one)
	f.known[one.Path] = true
	if one.State == Damaged {
		f.sums[one.Path] = sum
	}
}

func sumOf(dir, file string) checksum {
	sum, size, err := atomicfile.Sum(local(dir, file))
	return checksum{sum, size, err}
}

// experiment checks the resolved configuration; a run that was started without one
// has none.
func (f *findings) experiment(m *Manifest) {
	text, err := os.ReadFile(ExperimentFile(f.dir))
	one := Finding{Path: experimentName, State: OK}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return
	case err != nil || !experimentWhole(text, m):
		one.State = Damaged
	}
	f.add(one, sumOf(f.dir, experimentName))
}

func (f *findings) artifacts(ctx context.Context, m *Manifest) error {
	st := &state{dir: f.dir, manifest: m, sums: map[string]checksum{}}
	var files []string
	for _, r := range m.Stages {
		for _, a := range r.Outputs {
			files = append(files, a.Path)
		}
	}
	if err := st.hash(ctx, files); err != nil {
		return err
	}
	for _, r := range m.Stages {
		if r.State != Done {
			continue
		}
		for _, a := range r.Outputs {
			one := Finding{Path: a.Path, Stage: r.Stage, State: OK}
			if fault := st.fault(a); fault != "" {
				one.State = Condition(fault)
			}
			f.add(one, st.sums[a.Path])
		}
	}
	return nil
}

// states checks what stages keep for a second attempt.
func (f *findings) states(states []StateFile) error {
	for _, s := range states {
		names, err := fs.Glob(os.DirFS(f.dir), s.Pattern)
		if err != nil {
			return err
		}
		for _, name := range names {
			if f.known[name] {
				continue
			}
			one := Finding{Path: name, Stage: strings.Split(strings.TrimPrefix(name, shardsFolder+"/"), "/")[0], State: OK}
			fault, err := s.Check(local(f.dir, name))
			if errors.Is(err, fs.ErrNotExist) { // a stage that runs now has removed it
				continue
			}
			if err != nil {
				fault = cause(err).Error()
			}
			if fault != "" {
				one.State, one.Note = Damaged, fault
			}
			if fault != "" && s.Stays != "" {
				one.Note += "; " + s.Stays
			}
			f.add(one, sumOf(f.dir, name))
			if s.Stays != "" {
				delete(f.sums, name)
			}
		}
	}
	return nil
}

// foreign lists the rest, but for logs, the lock, what was moved aside, what jobs on a
// cluster leave beside their results, and files that somebody is writing now.
func (f *findings) foreign() error {
	files, err := filesIn(f.dir)
	if err != nil {
		return err
	}
	for _, name := range files {
		top, _, _ := strings.Cut(name, "/")
		if f.known[name] || name == lockName || top == "logs" || top == damagedFolder || top == shardsFolder || atomicfile.IsTemporary(name) {
			continue
		}
		f.add(Finding{Path: name, State: Foreign}, checksum{})
	}
	return nil
}

// moveDamaged moves damaged files aside.
func (f *findings) moveDamaged() error {
	for i, one := range f.list {
		sum, movable := f.sums[one.Path]
		if one.State != Damaged || !movable {
			continue
		}
		move := setAside
		if one.Path == manifestName {
			move = replaceManifest
		}
		to, err := move(f.dir, one.Path, sum)
		if err != nil {
			return err
		}
		f.list[i].Moved = to
	}
	return nil
}

// replaceManifest keeps a copy of a damaged manifest and puts an empty one in its
// place. There is a manifest at any time: by it the directory is known as a run's.
func replaceManifest(dir, name string, now checksum) (string, error) {
	text, err := os.ReadFile(local(dir, name))
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", local(dir, name), cause(err))
	}
	to := asideName(dir, name, now)
	if err := atomicfile.MkdirAll(filepath.Dir(local(dir, to))); err != nil {
		return "", fmt.Errorf("cannot make %s: %w", filepath.Dir(local(dir, to)), cause(err))
	}
	if err := atomicfile.Write(local(dir, to), text); err != nil {
		return "", err
	}
	return to, (&Manifest{Stages: []*Record{}}).write(dir)
}
