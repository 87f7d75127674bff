package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// SHA-256 of "abc", FIPS 180-2 appendix B.1.
const sumABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

func TestWriteReplacesWholeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.txt")
	for _, text := range []string{"something longer", "abc"} {
		if err := Write(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); string(got) != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
	if got, err := SHA256(path); err != nil || got != sumABC {
		t.Errorf("SHA256 = %s, %v", got, err)
	}
	onlyFile(t, path)
}

func TestCreateCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.txt")
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, "ab")
	io.WriteString(f, "c")
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("before Commit: %v", err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	if f.SHA256() != sumABC || f.Size() != 3 {
		t.Errorf("SHA256 %s, size %d", f.SHA256(), f.Size())
	}
	if err := f.Close(); err != nil {
		t.Errorf("Close after Commit: %v", err)
	}
	if err := f.Commit(); err == nil {
		t.Error("a second Commit went through")
	}
	onlyFile(t, path)
}

func TestCloseDiscards(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.txt")
	if err := Write(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := WriteFunc(path, func(w io.Writer) error {
		io.WriteString(w, "half")
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("the old file became %q", got)
	}
	onlyFile(t, path)
}

func TestCleanRemovesOnlyTemporaryFiles(t *testing.T) {
	dir := t.TempDir()
	sub := filepath.Join(dir, "stage")
	if err := os.Mkdir(sub, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"stage/keep.txt", ".hidden", "x.hsnas-tmp"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // two writers that died
		if _, err := Create(filepath.Join(sub, "rows.parquet")); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := Clean(dir); n != 2 || err != nil {
		t.Errorf("Clean = %d, %v", n, err)
	}
	if n, err := Clean(dir); n != 0 || err != nil {
		t.Errorf("second Clean = %d, %v", n, err)
	}
	if n, err := Clean(filepath.Join(dir, "nowhere")); n != 0 || err != nil {
		t.Errorf("Clean of no folder = %d, %v", n, err)
	}
	onlyFile(t, filepath.Join(sub, "keep.txt"))
}

func TestErrorsNameTheTarget(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "none", "a.txt")
	want := "cannot write " + path + ": no such file or directory"
	if err := Write(path, nil); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	target := filepath.Join(dir, "folder")
	if err := os.MkdirAll(filepath.Join(target, "x"), 0o777); err != nil {
		t.Fatal(err)
	}
	want = "cannot write " + target + ": file exists"
	if err := Write(target, nil); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("the folder holds %v", entries)
	}
}
