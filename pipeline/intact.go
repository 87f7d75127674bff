package pipeline

import (
	"errors"
	"fmt"
	"io/fs"

	"hsnas/internal/atomicfile"
)

// Intact holds the file in the run directory dir against the manifest's checksum: nil
// if it is as the stage wrote it.
func (a Artifact) Intact(dir, stage string) error {
	err := a.check(dir, stage)
	var fault *ArtifactError
	if errors.As(err, &fault) {
		return fmt.Errorf("%w; hsnas run makes it again", err)
	}
	return err
}

// check does the same; what is wrong with the file is an *ArtifactError.
func (a Artifact) check(dir, stage string) error {
	place := local(dir, a.Path)
	sum, err := atomicfile.SHA256(place)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &ArtifactError{place, Missing, stage}
	case err != nil:
		return fmt.Errorf("cannot read %s: %w", place, cause(err))
	case sum != a.SHA256:
		return &ArtifactError{place, Damaged, stage}
	}
	return nil
}
