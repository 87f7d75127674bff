package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"hsnas/internal/atomicfile"
	"hsnas/internal/seal"
)

// manifestFormat is the version of run.json. It is raised when a program that
// knows only the older one would misread the newer. From 2 on manifests are
// sealed, and so is experiment.yaml.
const manifestFormat = 2

// manifestName is the manifest's name in the run directory.
const manifestName = "run.json"

// State says how far a stage is.
type State string

// A stage that the manifest calls running was killed, unless the run is locked.
const (
	Running     State = "running"
	Done        State = "done"
	Failed      State = "failed"
	Interrupted State = "interrupted"
)

// Manifest is the content of run.json: what each stage did last.
type Manifest struct {
	Format int       `json:"format"`
	Stages []*Record `json:"stages"` // in the order in which they first ran
}

// Record is what the manifest knows about a stage.
type Record struct {
	Stage       string      `json:"stage"`
	State       State       `json:"state"`
	Error       string      `json:"error,omitempty"` // of a stage that failed
	Key         string      `json:"key"`             // SHA-256 of the ingredients
	Ingredients Ingredients `json:"ingredients"`
	Outputs     []Artifact  `json:"outputs,omitempty"` // of a stage that is done
	Started     time.Time   `json:"started"`
	Ended       time.Time   `json:"ended,omitzero"`
	Seconds     float64     `json:"seconds"`
	Host        Host        `json:"host"`
	// Libraries has the version of the program, of Go and of the libraries that
	// results depend on.
	Libraries map[string]string `json:"libraries,omitempty"`
}

// Artifact is a file that a stage wrote.
type Artifact struct {
	Path   string `json:"path"` // relative to the run directory, with slashes
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
	Rows   *int64 `json:"rows,omitempty"`
}

// Host is the machine that a stage ran on.
type Host struct {
	Name string `json:"name"`
	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPUs int    `json:"cpus"`
}

// Record returns the record of a stage, nil if it never ran.
func (m *Manifest) Record(stage string) *Record {
	for _, r := range m.Stages {
		if r.Stage == stage {
			return r
		}
	}
	return nil
}

// Artifact returns what the manifest knows about a file, and the record of the
// stage that wrote it; nil if no stage that is done did.
func (m *Manifest) Artifact(path string) (*Artifact, *Record) {
	for _, r := range m.Stages {
		for i := range r.Outputs {
			if r.State == Done && r.Outputs[i].Path == path {
				return &r.Outputs[i], r
			}
		}
	}
	return nil, nil
}

// put replaces the record of a stage.
func (m *Manifest) put(record *Record) {
	for i, r := range m.Stages {
		if r.Stage == record.Stage {
			m.Stages[i] = record
			return
		}
	}
	m.Stages = append(m.Stages, record)
}

// ReadManifest reads the manifest of the run directory dir. A directory without
// one is an error that satisfies errors.Is(err, fs.ErrNotExist).
func ReadManifest(dir string) (*Manifest, error) {
	path := filepath.Join(dir, manifestName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &noRunError{dir}
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	return parseManifest(path, text)
}

func parseManifest(path string, text []byte) (*Manifest, error) {
	_, sealed := seal.OpenJSON(text)
	if sealed == seal.Broken {
		return nil, damaged(path, text, seal.ErrBroken)
	}
	var version struct{ Format int }
	if err := json.Unmarshal(text, &version); err != nil {
		return nil, damaged(path, text, err)
	}
	if version.Format > manifestFormat {
		return nil, fmt.Errorf("%s has format %d, this program reads up to %d; use a newer hsnas, or another --name", path, version.Format, manifestFormat)
	}
	if version.Format < 1 {
		return nil, damaged(path, text, errors.New("it has no format"))
	}
	if version.Format > 1 && sealed == seal.None {
		return nil, damaged(path, text, seal.ErrNone)
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, damaged(path, text, err)
	}
	for _, r := range m.Stages {
		if r == nil || r.Stage == "" {
			return nil, damaged(path, text, errors.New("a record names no stage"))
		}
		for _, a := range r.Outputs {
			if !filepath.IsLocal(filepath.FromSlash(a.Path)) {
				return nil, damaged(path, text, fmt.Errorf("stage %s has the output %q, outside the run directory", r.Stage, a.Path))
			}
		}
	}
	return &m, nil
}

// damaged describes a manifest that is not what write wrote.
func damaged(path string, text []byte, err error) error {
	where := path
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		end := min(int(syntax.Offset), len(text))
		where = fmt.Sprintf("%s:%d", path, 1+bytes.Count(text[:end], []byte("\n")))
	}
	return &manifestError{fmt.Errorf("%s: the manifest is damaged: %w; restore it, or have hsnas verify move it aside and run every stage again", where, err)}
}

// manifestError is what is wrong with a manifest that cannot be read.
type manifestError struct{ error }

func (e *manifestError) Unwrap() error { return e.error }

// write stores the manifest, sealed, whole or not at all.
func (m *Manifest) write(dir string) error {
	m.Format = manifestFormat
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, manifestName), append(seal.JSON(text), '\n'))
}

// noRunError says that a directory is no run directory.
type noRunError struct{ dir string }

func (e *noRunError) Error() string {
	return fmt.Sprintf("there is no run in %s: it has no %s", e.dir, manifestName)
}

func (e *noRunError) Is(target error) bool { return target == fs.ErrNotExist }
