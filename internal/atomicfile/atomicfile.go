// Package atomicfile writes files whole or not at all. A file is written under
// a temporary name in the folder that it belongs to, flushed to the disk and
// renamed; then the folder is flushed. A reader, and a process that starts
// after a crash, sees the old file or the new one, never a part.
package atomicfile

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"hsnas/internal/fault"
)

// Temporary names are ".NAME.RANDOM" + suffix: hidden, next to their target,
// and told from everything else by the suffix alone.
const suffix = ".hsnas-tmp"

// File is a file being written. Nothing is at its path until Commit.
type File struct {
	path string
	temp *os.File
	sum  hash.Hash
	size int64
	done bool
}

// Create starts writing the file at path. Its folder must exist. The caller
// ends with Commit, and defers Close, which discards what was not committed.
func Create(path string) (*File, error) {
	if err := fault.Op("create", path); err != nil {
		return nil, fmt.Errorf("cannot write %s: %w", path, cause(err))
	}
	for {
		name := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()[:10]+suffix)
		temp, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("cannot write %s: %w", path, cause(err))
		}
		return &File{path: path, temp: temp, sum: sha256.New()}, nil
	}
}

// Write appends p to the temporary file.
func (f *File) Write(p []byte) (int, error) {
	n, err := fault.Write(f.temp, f.path, p)
	f.sum.Write(p[:n])
	f.size += int64(n)
	if err != nil {
		return n, fmt.Errorf("cannot write %s: %w", f.path, cause(err))
	}
	return n, nil
}

// Commit flushes what was written to the disk and gives it its name. After an
// error nothing has changed at the path, unless it was the folder that could not
// be flushed: then the new file is there, whole, and may be gone again after a loss
// of power.
func (f *File) Commit() error {
	if f.done {
		return fmt.Errorf("cannot write %s: it is already closed", f.path)
	}
	err := syncFile(f.temp, f.path)
	if e := f.temp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = Rename(f.temp.Name(), f.path)
	}
	f.done = true
	if err != nil {
		_ = os.Remove(f.temp.Name())
		return fmt.Errorf("cannot write %s: %w", f.path, cause(err))
	}
	if err := SyncFolder(filepath.Dir(f.path)); err != nil {
		return err
	}
	fault.Point("committed", f.path)
	return nil
}

// syncFile flushes a file, the content of path, to the disk.
func syncFile(f *os.File, path string) error {
	if err := fault.Op("sync", path); err != nil {
		return err
	}
	return f.Sync()
}

// Close discards the file if it was not committed; after Commit it does nothing.
func (f *File) Close() error {
	if f.done {
		return nil
	}
	f.done = true
	_ = f.temp.Close()
	return os.Remove(f.temp.Name())
}

// SHA256 returns the checksum of what was written, as 64 lower-case hex digits.
func (f *File) SHA256() string { return hex.EncodeToString(f.sum.Sum(nil)) }

// Size returns the number of bytes written.
func (f *File) Size() int64 { return f.size }

// Write replaces the file at path by data.
func Write(path string, data []byte) error {
	return WriteFunc(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteFunc replaces the file at path by what write writes; when write fails,
// the file stays as it was.
func WriteFunc(path string, write func(io.Writer) error) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := write(f); err != nil {
		return err
	}
	return f.Commit()
}

// IsTemporary reports whether a file name is one that Create gives to a file
// that is not committed yet.
func IsTemporary(name string) bool {
	base := filepath.Base(name)
	return strings.HasPrefix(base, ".") && strings.HasSuffix(base, suffix)
}

// Clean removes the temporary files and folders that killed processes left in dir
// and the folders below it, and returns how many there were. The caller sees to it
// that nobody is writing there, by a lock for example. A folder that does not exist
// is clean.
func Clean(dir string) (int, error) {
	removed := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || !IsTemporary(d.Name()):
			return err
		case d.IsDir():
			removed++
			if err := os.RemoveAll(path); err != nil {
				return err
			}
			return fs.SkipDir
		case d.Type().IsRegular():
			removed++
			return os.Remove(path)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return removed, err
}

// cause strips the operation and the temporary name off an *os.PathError or
// *os.LinkError; the message names the target instead.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return err
}
