package pipeline

import (
	"fmt"
	"path/filepath"
)

// Finished is a run directory to be read: what its stages have finished, each file
// checked against its checksum before anybody parses it.
type Finished struct {
	Dir      string
	manifest *Manifest
}

// Open opens a run directory to be read. It takes no lock: a stage that runs now has
// finished nothing.
func Open(dir string) (*Finished, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	return &Finished{dir, m}, nil
}

// Experiment returns the resolved configuration of the run. Damage is an
// *ArtifactError.
func (f *Finished) Experiment() ([]byte, error) { return readExperiment(f.Dir, f.manifest) }

// Has says whether a stage that is done wrote an artifact.
func (f *Finished) Has(artifact string) bool {
	a, _ := f.manifest.Artifact(artifact)
	return a != nil
}

// Artifacts returns the paths of the artifacts, relative to the run directory, that
// match a pattern of path/filepath.
func (f *Finished) Artifacts(pattern string) []string {
	var out []string
	for _, r := range f.manifest.Stages {
		for _, a := range r.Outputs {
			if ok, _ := filepath.Match(pattern, a.Path); ok && r.State == Done {
				out = append(out, a.Path)
			}
		}
	}
	return out
}

// Path returns the place of an artifact whose bytes are those that its stage wrote.
// One that is missing or damaged is an *ArtifactError, one that no stage has written
// an error that says so.
func (f *Finished) Path(artifact string) (string, error) {
	a, r := f.manifest.Artifact(artifact)
	if a == nil {
		return "", fmt.Errorf("no stage of the run in %s has finished %s", f.Dir, artifact)
	}
	if err := a.check(f.Dir, r.Stage); err != nil {
		return "", err
	}
	return local(f.Dir, artifact), nil
}
