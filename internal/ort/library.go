package ort

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Version is the release of ONNX Runtime that hsnas is built for; a library of
// another patch release of the same minor version is accepted too.
const Version = "1.27.0"

// minorVersion is the part of Version that a library has to share: the C
// interface is numbered by it.
const minorVersion = "1.27"

// LibraryVariable is the environment variable that names another library, a
// CUDA build for example.
const LibraryVariable = "HSNAS_ORT_LIB"

const libraryName = "libonnxruntime.so.1"

// LibraryPath returns where Open looks for the library: the file that
// HSNAS_ORT_LIB names, else the one that scripts/setup-onnxruntime.sh keeps in
// the user's cache folder. The file need not exist.
func LibraryPath() (string, error) {
	if path := os.Getenv(LibraryVariable); path != "" {
		return filepath.Abs(path)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder to look for the onnx runtime library in: %w; set %s to a libonnxruntime.so of version %s",
			err, LibraryVariable, minorVersion)
	}
	return filepath.Join(cache, "hsnas", "onnxruntime-"+Version, "linux-"+packageArch(), libraryName), nil
}

// packageArch is this machine's name in the package that the library comes in.
func packageArch() string {
	if runtime.GOARCH == "amd64" {
		return "x64"
	}
	return runtime.GOARCH
}

// checkLibrary refuses whatever the dynamic loader would answer with a crash or
// an unreadable message: dlopen maps a truncated file without looking, and dies
// on the first page that is missing.
func checkLibrary(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("onnx runtime library not found in %s: run \"just setup\", or set %s to a libonnxruntime.so of version %s",
			path, LibraryVariable, minorVersion)
	case err != nil:
		return fmt.Errorf("onnx runtime library: %w", err)
	case !info.Mode().IsRegular():
		return unusable(path, "not a file")
	}
	file, err := elf.Open(path)
	if err != nil {
		return unusable(path, "not an ELF shared library")
	}
	defer file.Close()
	if file.Type != elf.ET_DYN {
		return unusable(path, "an ELF file, but not a shared library")
	}
	if want := machine(); file.Machine != want {
		return unusable(path, fmt.Sprintf("built for %s, this machine is %s", file.Machine, want))
	}
	for _, segment := range file.Progs {
		if end := segment.Off + segment.Filesz; end < segment.Off || end > uint64(info.Size()) {
			return unusable(path, fmt.Sprintf("truncated: %d bytes, its segments need %d", info.Size(), end))
		}
	}
	return checkSymbols(path, file)
}

// checkSymbols looks for the library's entry point. Its symbol version is that
// of the library ("VERS_1.27.0"), which tells another release without running
// any of it.
func checkSymbols(path string, file *elf.File) error {
	symbols, err := file.DynamicSymbols()
	if err != nil {
		return unusable(path, "no readable symbol table")
	}
	for _, symbol := range symbols {
		if symbol.Name != "OrtGetApiBase" || symbol.Section == elf.SHN_UNDEF {
			continue
		}
		if version, ok := strings.CutPrefix(symbol.Version, "VERS_"); ok {
			return checkVersion(path, version)
		}
		return nil
	}
	return unusable(path, "not an onnx runtime library, it has no OrtGetApiBase")
}

func checkVersion(path, version string) error {
	if version == minorVersion || strings.HasPrefix(version, minorVersion+".") {
		return nil
	}
	return fmt.Errorf("onnx runtime library %s is version %s, expected %s: run \"just setup\", or set %s to a libonnxruntime.so of version %s",
		path, version, minorVersion, LibraryVariable, minorVersion)
}

func machine() elf.Machine {
	if runtime.GOARCH == "arm64" {
		return elf.EM_AARCH64
	}
	return elf.EM_X86_64
}

func unusable(path, reason string) error {
	return fmt.Errorf("onnx runtime library %s cannot be used (%s): run \"just setup\", or set %s to a libonnxruntime.so of version %s",
		path, reason, LibraryVariable, minorVersion)
}
