package ort

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestIdentify: the library that setup fetched is known, a copy with other bytes is
// not, and what is no library has the error of Open.
func TestIdentify(t *testing.T) {
	text := library(t)
	t.Setenv(LibraryVariable, filepath.Join(t.TempDir(), "none.so"))
	if l, err := Identify(); !errors.Is(err, fs.ErrNotExist) || l.Path != os.Getenv(LibraryVariable) {
		t.Errorf("%+v, %v", l, err)
	}
	t.Setenv(LibraryVariable, write(t, append(text, 0)))
	if l, err := Identify(); err != nil || l.Known || len(l.SHA256) != 64 {
		t.Errorf("%+v, %v", l, err)
	}
	t.Setenv(LibraryVariable, write(t, []byte("text")))
	if _, err := Identify(); err == nil || !strings.Contains(err.Error(), "not an ELF shared library") {
		t.Error(err)
	}
}

// TestTestedSHA256: the program and the script that fetches the library agree.
func TestTestedSHA256(t *testing.T) {
	script, err := os.ReadFile("../../scripts/setup-onnxruntime.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"\nx64_sha256=" + testedSHA256 + "\n", "\nversion=" + Version + "\n"} {
		if !strings.Contains(string(script), part) {
			t.Errorf("setup-onnxruntime.sh has no %s", strings.TrimSpace(part))
		}
	}
}
