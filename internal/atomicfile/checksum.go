package atomicfile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

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
