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
	place := local(dir, a.Path)
	sum, err := atomicfile.SHA256(place)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s is missing, which stage %s wrote; hsnas run makes it again", place, stage)
	case err != nil:
		return fmt.Errorf("cannot read %s: %w", place, cause(err))
	case sum != a.SHA256:
		return fmt.Errorf("%w; hsnas run makes it again", &atomicfile.ChecksumError{Path: place, Want: a.SHA256, Got: sum})
	}
	return nil
}
