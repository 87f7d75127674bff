package ort

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"hsnas/internal/atomicfile"
)

// testedSHA256 is the checksum of the library for amd64 that hsnas was tested with.
// scripts/setup-onnxruntime.sh has it too.
const testedSHA256 = "d8aff4aa8abee8fb2abb2f2f2459ffc94461e781e41b9f7c072829dd0d470221"

// Library is the ONNX Runtime library as a file.
type Library struct {
	Path   string
	SHA256 string // 64 hexadecimal digits
	Known  bool   // the bytes are those that hsnas was tested with
}

// Identify finds the library and looks at it without loading it. The error is that
// of Open, of which errors.Is(err, fs.ErrNotExist) tells that there is no file; the
// path is known all the same.
func Identify() (Library, error) {
	path, err := LibraryPath()
	if err != nil {
		return Library{}, err
	}
	l := Library{Path: path}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return l, fmt.Errorf("onnx runtime library: %w", err)
	}
	if err := checkLibrary(path); err != nil {
		return l, err
	}
	if l.SHA256, err = atomicfile.SHA256(path); err != nil {
		return l, fmt.Errorf("onnx runtime library: %w", err)
	}
	l.Known = l.SHA256 == testedSHA256 || l.SHA256 == recordedSHA256(path)
	return l, nil
}

// recordedSHA256 is what setup-onnxruntime.sh wrote beside a library that came from
// the package whose checksum it knows.
func recordedSHA256(path string) string {
	text, err := os.ReadFile(path + ".sha256")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
