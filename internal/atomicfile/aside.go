package atomicfile

import (
	"fmt"
	"os"
)

// Aside gives a damaged file the name PATH.damaged, in place of one that has it, so that
// nothing reads it and a person can look at it. It returns the new name.
func Aside(path string) (string, error) {
	to := path + ".damaged"
	if err := os.Rename(path, to); err != nil {
		return "", fmt.Errorf("cannot move the damaged file %s aside: %w", path, cause(err))
	}
	return to, nil
}
