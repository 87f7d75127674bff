package atomicfile

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMkdirAll(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b", "c")
	for range 2 { // the second time it is there
		if err := MkdirAll(deep + string(filepath.Separator)); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(deep); err != nil || !info.IsDir() {
		t.Errorf("%v, %v", info, err)
	}
	t.Chdir(dir)
	if err := MkdirAll(filepath.Join("relative", "x")); err != nil {
		t.Error(err)
	}
	file := filepath.Join(deep, "file")
	if err := Write(file, nil); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "below")} {
		if err := MkdirAll(path); err == nil {
			t.Errorf("%s was made, where a file is", path)
		}
	}
}

// TestCleanRemovesTemporaryFolders: a killed export leaves a folder.
func TestCleanRemovesTemporaryFolders(t *testing.T) {
	dir := t.TempDir()
	left, kept := filepath.Join(dir, "stage", ".models.123.hsnas-tmp", "m"), filepath.Join(dir, "stage", "models", "m")
	for _, d := range []string{left, kept} {
		if err := MkdirAll(d); err != nil {
			t.Fatal(err)
		}
		if err := Write(filepath.Join(d, "weights.bin"), []byte("w")); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := Clean(dir); n != 1 || err != nil {
		t.Errorf("Clean = %d, %v", n, err)
	}
	if _, err := os.Stat(filepath.Dir(left)); !os.IsNotExist(err) {
		t.Errorf("the temporary folder is still there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(kept, "weights.bin")); err != nil {
		t.Error(err)
	}
}
