package micro

import (
	"errors"
	"os"
)

// CheckResult says whether the result of a training, a file of Scratch.Dir, is damaged,
// "" where it is not.
func CheckResult(path string) (fault string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if _, err := parseRecord(text); err != nil {
		return err.Error(), nil
	}
	return "", nil
}

// CheckCheckpoint does the same with a checkpoint.
func CheckCheckpoint(path string) (fault string, err error) {
	f, err := openWhole(path, false)
	var damaged *DamagedError
	if errors.As(err, &damaged) {
		return damaged.Cause.Error(), nil
	}
	if err != nil {
		return "", err
	}
	return "", f.Close()
}
