package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"hsnas/internal/fault"
)

// Growing is a file that is appended to, such as a journal. Nothing of it is on
// the disk for certain until Sync has returned.
type Growing struct{ file *os.File }

// OpenGrowing opens the file at path for reading from its start and appending, or
// creates it. What a process that was killed had written may be read though it
// never reached the disk, so it is flushed first: who reads it may rely on it.
func OpenGrowing(path string) (*Growing, error) {
	_, missing := os.Stat(path)
	if err := fault.Op("open", path); err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", path, cause(err))
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", path, cause(err))
	}
	g := &Growing{f}
	err = g.Sync()
	if err == nil && errors.Is(missing, fs.ErrNotExist) {
		err = SyncFolder(filepath.Dir(path))
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return g, nil
}

// Read reads on from where the last Read ended.
func (g *Growing) Read(p []byte) (int, error) { return g.file.Read(p) }

// Write appends p.
func (g *Growing) Write(p []byte) (int, error) {
	n, err := fault.Write(g.file, g.file.Name(), p)
	if err != nil {
		return n, fmt.Errorf("cannot write %s: %w", g.file.Name(), cause(err))
	}
	return n, nil
}

// Sync flushes what was written to the disk.
func (g *Growing) Sync() error {
	if err := syncFile(g.file, g.file.Name()); err != nil {
		return fmt.Errorf("cannot flush %s: %w", g.file.Name(), cause(err))
	}
	fault.Point("flushed", g.file.Name())
	return nil
}

// Truncate cuts the file off after so many bytes and flushes it.
func (g *Growing) Truncate(size int64) error {
	err := fault.Op("truncate", g.file.Name())
	if err == nil {
		err = g.file.Truncate(size)
	}
	if err != nil {
		return fmt.Errorf("cannot cut off %s: %w", g.file.Name(), cause(err))
	}
	return g.Sync()
}

// Close closes the file.
func (g *Growing) Close() error { return g.file.Close() }

// Lines is a file of lines that grows by whole ones: each counts once Append has
// returned, and is on the disk then.
type Lines struct {
	file  *Growing
	size  int64 // of the lines that count
	fault error // of an Append; nothing is written after it
}

// OpenLines opens the file at path, or creates it, and returns its lines. A last
// one without its end, which a crash tore, is cut off; torn is how many bytes it had.
func OpenLines(path string) (l *Lines, text []byte, torn int, err error) {
	file, err := OpenGrowing(path)
	if err != nil {
		return nil, nil, 0, err
	}
	l = &Lines{file: file}
	if text, err = io.ReadAll(file); err != nil {
		err = fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	l.size, torn = int64(whole), len(text)-whole
	if err == nil && torn > 0 {
		err = file.Truncate(l.size)
	}
	if err != nil {
		_ = file.Close()
		return nil, nil, 0, err
	}
	return l, text[:whole], torn, nil
}

// Append adds lines, each with its end, all or none of them. After a fault of the
// disk nothing more is added.
func (l *Lines) Append(lines []byte) error {
	if l.fault != nil {
		return l.fault
	}
	_, err := l.file.Write(lines)
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		l.fault = err
		_ = l.file.Truncate(l.size) // else OpenLines does so, where the last line is torn
		return err
	}
	l.size += int64(len(lines))
	return nil
}

// Close closes the file.
func (l *Lines) Close() error { return l.file.Close() }
