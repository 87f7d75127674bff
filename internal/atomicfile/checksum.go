package atomicfile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"sync"
)

// SHA256 returns the checksum of the file at path, as 64 lower-case hex digits.
func SHA256(path string) (string, error) {
	sum, _, err := Sum(path)
	return sum, err
}

// buffers are larger than io.Copy's 32 KiB, which make a system call each, and used
// again: a run may have thousands of small files.
var buffers = sync.Pool{New: func() any { return new([1 << 18]byte) }}

// Sum returns the SHA-256 and the size of the file at path.
func Sum(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	buffer := buffers.Get().(*[1 << 18]byte)
	defer buffers.Put(buffer)
	size, err = io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, buffer[:])
	if err != nil {
		return "", 0, fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}
