package pipeline

import (
	"fmt"
	"os"
	"path/filepath"

	"hsnas/internal/atomicfile"
	"hsnas/internal/seal"
)

// experimentName is the name of the resolved configuration in the run directory.
const experimentName = "experiment.yaml"

// ExperimentFile returns where a run keeps its resolved configuration.
func ExperimentFile(dir string) string { return filepath.Join(dir, experimentName) }

// writeExperiment stores the resolved configuration, sealed. One that is there
// already is not written again.
func writeExperiment(dir string, text []byte) error {
	sealed := seal.YAML(text)
	if was, err := os.ReadFile(ExperimentFile(dir)); err == nil && string(was) == string(sealed) {
		return nil
	}
	return atomicfile.Write(ExperimentFile(dir), sealed)
}

// readExperiment returns the resolved configuration that a run keeps, its seal
// checked.
func readExperiment(dir string, m *Manifest) ([]byte, error) {
	path := ExperimentFile(dir)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &ArtifactError{Path: path, State: Missing}
	}
	if !experimentWhole(text, m) {
		return nil, &ArtifactError{Path: path, State: Damaged}
	}
	return text, nil
}

// experimentWhole says whether a configuration is as a run wrote it. Runs of manifest
// format 1 did not seal it.
func experimentWhole(text []byte, m *Manifest) bool {
	switch seal.CheckYAML(text) {
	case seal.Whole:
		return true
	case seal.None:
		return m.Format < 2
	}
	return false
}

// ArtifactError says that a file of a run is not there or not what was written.
type ArtifactError struct {
	Path  string // on disk
	State Condition
	Stage string // that writes it; "" for files of the run itself
}

// Error is "PATH is damaged", with the stage that writes it where there is one.
func (e *ArtifactError) Error() string {
	if e.Stage == "" {
		return fmt.Sprintf("%s is %s", e.Path, e.State)
	}
	return fmt.Sprintf("%s, which stage %s wrote, is %s", e.Path, e.Stage, e.State)
}
