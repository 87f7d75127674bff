package latency

import (
	"bytes"
	"fmt"
	"os"

	"hsnas/internal/seal"
)

// CheckRounds says which line of a file of timings is damaged, "" for none. A last line
// that a crash tore is no damage: it is cut off when the file is opened.
func CheckRounds(path string) (fault string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	number := 0
	for line := range bytes.Lines(text[:bytes.LastIndexByte(text, '\n')+1]) {
		number++
		if _, err := seal.Required(line); err != nil {
			return fmt.Sprintf("line %d: %v", number, err), nil
		}
	}
	return "", nil
}
