package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"hsnas/internal/fault"
)

// MkdirAll makes the folder dir and those above it that are not there. The name of
// each is on the disk before anything is put into it: a file that was flushed is
// lost all the same where the folder that it lies in is.
func MkdirAll(dir string) error {
	if info, err := os.Stat(dir); err == nil {
		if !info.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
		}
		return nil
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if parent != filepath.Clean(dir) {
		if err := MkdirAll(parent); err != nil {
			return err
		}
	}
	if err := fault.Op("mkdir", dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) { // another process was faster
		return err
	}
	return SyncFolder(parent)
}

// Rename gives the file or folder at from the name to, and replaces a file that has
// it. The caller flushes the folder, or does without.
func Rename(from, to string) error {
	if err := fault.Op("rename", to); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// SyncFolder makes new names in dir last through a loss of power. A file system
// that cannot flush a folder is taken at its word, and so is a folder that may
// be written to but not read.
func SyncFolder(dir string) error {
	err := fault.Op("sync-folder", dir)
	if err == nil {
		err = flushFolder(dir)
	}
	if err == nil || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return fmt.Errorf("cannot flush the folder %s: %w", dir, cause(err))
}

func flushFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
