package atomicfile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// ChecksumError says that a file does not hold the bytes it should.
type ChecksumError struct {
	Path      string
	Want, Got string // SHA-256, hex
}

// Error names the file and both checksums, shortened.
func (e *ChecksumError) Error() string {
	return fmt.Sprintf("%s is damaged: its SHA-256 is %.12s..., expected %.12s...", e.Path, e.Got, e.Want)
}

// SHA256 returns the checksum of the file at path, as 64 lower-case hex digits.
func SHA256(path string) (string, error) {
	sum, _, err := Sum(path)
	return sum, err
}

// Sum returns the SHA-256 and the size of the file at path.
func Sum(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	// A buffer of its own: io.Copy's 32 KiB make a system call each.
	size, err = io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, make([]byte, 1<<18))
	if err != nil {
		return "", 0, fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// ReadVerified returns the bytes of the file at path if their SHA-256 is want,
// else a *ChecksumError. What is checked is what is returned: the file cannot
// change in between.
func ReadVerified(path, want string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != want {
		return nil, &ChecksumError{Path: path, Want: want, Got: got}
	}
	return data, nil
}
