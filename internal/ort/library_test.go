package ort

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// library returns the real library's bytes, or skips.
func library(t *testing.T) []byte {
	t.Helper()
	path, err := LibraryPath()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Skip(err)
	}
	return text
}

func write(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "libonnxruntime.so")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLibraryPath(t *testing.T) {
	t.Setenv(LibraryVariable, "/opt/ort/lib.so")
	if path, err := LibraryPath(); err != nil || path != "/opt/ort/lib.so" {
		t.Errorf("with the variable: %q, %v", path, err)
	}
	t.Setenv(LibraryVariable, "")
	t.Setenv("XDG_CACHE_HOME", "/cache")
	want := "/cache/hsnas/onnxruntime-1.27.0/linux-" + packageArch() + "/libonnxruntime.so.1"
	if path, err := LibraryPath(); err != nil || path != want {
		t.Errorf("without it: %q, %v, expected %q", path, err, want)
	}
}

func TestCheckLibraryRefuses(t *testing.T) {
	good := library(t)
	foreign := append([]byte(nil), good...)
	foreign[18], foreign[19] = 0xf3, 0 // e_machine: RISC-V
	executable := append([]byte(nil), good...)
	executable[16] = 2 // e_type: ET_EXEC
	older := []byte(strings.ReplaceAll(string(good), "VERS_1.27.0\x00", "VERS_1.20.0\x00"))
	renamed := []byte(strings.ReplaceAll(string(good), "OrtGetApiBase\x00", "OrtGetApiBasf\x00"))

	const advice = `: run "just setup", or set HSNAS_ORT_LIB to a libonnxruntime.so of version 1.27`
	missing := filepath.Join(t.TempDir(), "none.so")
	folder := t.TempDir()
	for _, test := range []struct {
		name, path, want string
	}{
		{"missing", missing, "onnx runtime library not found in PATH" + advice},
		{"folder", folder, "onnx runtime library PATH cannot be used (not a file)" + advice},
		{"text", write(t, []byte("#!/bin/sh\necho no\n")), "onnx runtime library PATH cannot be used (not an ELF shared library)" + advice},
		{"empty", write(t, nil), "onnx runtime library PATH cannot be used (not an ELF shared library)" + advice},
		{"machine", write(t, foreign), "onnx runtime library PATH cannot be used (built for EM_RISCV, this machine is " + machine().String() + ")" + advice},
		{"executable", write(t, executable), "onnx runtime library PATH cannot be used (an ELF file, but not a shared library)" + advice},
		{"version", write(t, older), "onnx runtime library PATH is version 1.20.0, expected 1.27" + advice},
		{"symbol", write(t, renamed), "onnx runtime library PATH cannot be used (not an onnx runtime library, it has no OrtGetApiBase)" + advice},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := checkLibrary(test.path)
			want := strings.ReplaceAll(test.want, "PATH", test.path)
			if err == nil || err.Error() != want {
				t.Errorf("error    %v\nexpected %s", err, want)
			}
		})
	}
	for _, keep := range []int{100, 1 << 20, len(good) / 2, len(good) - 100_000} {
		if err := checkLibrary(write(t, good[:keep])); err == nil || !strings.HasSuffix(err.Error(), advice) {
			t.Errorf("truncated to %d bytes: error %v", keep, err)
		}
	}
	if err := checkLibrary(write(t, good)); err != nil {
		t.Errorf("the library itself: %v", err)
	}
}

// FuzzReadSignature: no bytes make the reader of model signatures panic.
func FuzzReadSignature(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0x3a, 0x06, 0x62, 0x04, 0x0a, 0x02, 'y', '1'})
	f.Add([]byte{0x72, 0x04, 0x0a, 0x01, 'k', 0x12})
	f.Fuzz(func(_ *testing.T, model []byte) {
		s, err := readSignature(model)
		if err == nil {
			for _, info := range s.outputs {
				_ = info.shape()
			}
		}
	})
}
