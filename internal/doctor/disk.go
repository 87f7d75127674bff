package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"hsnas/internal/atomicfile"
)

// enoughSpace is room for ONNX Runtime while it is fetched, or for a run that times
// models of the WMT tasks, in bytes.
const enoughSpace = 2 << 30

// diskDetails are for programs.
type diskDetails struct {
	Folder     string  `json:"folder"`
	Tried      string  `json:"tried"` // the folder, or the nearest one above it that is there
	FreeBytes  int64   `json:"free_bytes"`
	FileSystem string  `json:"file_system"`
	FlushMS    float64 `json:"flush_ms"` // to write a small file, flush and rename it
}

// disk looks at a folder that hsnas writes to, or the nearest one above it that is
// there: whether there is room, and whether files can be flushed, renamed and locked.
func disk(name, folder string, needed bool) Check {
	c := Check{Name: name, State: Missing, Needed: needed}
	if folder == "" {
		c.Found, c.Advice = "no folder: neither XDG_CACHE_HOME nor HOME is set", "set one of them"
		return c
	}
	d := diskDetails{Folder: folder, Tried: existing(folder)}
	c.Details = &d
	var err error
	if d.FlushMS, err = try(d.Tried); err != nil {
		c.Found, c.Advice = fmt.Sprintf("%s: %v", folder, err), "make it writable, or choose another folder"
		if name == "runs" {
			c.Advice = "make it writable, or set HSNAS_RUNS to a folder that is"
		}
		return c
	}
	c.State = OK
	c.Found = fmt.Sprintf("%s, flushes, renames and locks (%.1f ms)", folder, d.FlushMS)
	if d.FreeBytes, d.FileSystem, err = space(d.Tried); err != nil {
		return c
	}
	on := ""
	if d.FileSystem != "" {
		on = " on " + d.FileSystem
	}
	c.Found = fmt.Sprintf("%s, %s free%s, flushes, renames and locks (%.1f ms)", folder, gib(d.FreeBytes), on, d.FlushMS)
	switch {
	case d.FreeBytes < enoughSpace:
		c.State, c.Advice = Warning, "make room: "+gib(enoughSpace)+" are enough for every experiment that ships"
	case d.FileSystem == "tmpfs" && needed:
		c.State, c.Advice = Warning, "a tmpfs is gone after a restart, answers that were paid for too: choose a folder on a disk"
	}
	return c
}

// existing is the folder, or the nearest one above it that is there.
func existing(folder string) string {
	for {
		if _, err := os.Stat(folder); err == nil || !errors.Is(err, os.ErrNotExist) {
			return folder
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return folder
		}
		folder = parent
	}
}

// try does in a folder of its own what runs rely on, and leaves nothing behind.
func try(folder string) (ms float64, err error) {
	dir, err := os.MkdirTemp(folder, ".hsnas-doctor-*")
	if err != nil {
		return 0, cause(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "file")
	start := time.Now()
	for _, text := range []string{"first", "second"} { // the second replaces the first
		if err := atomicfile.Write(file, []byte(text)); err != nil {
			return 0, fmt.Errorf("cannot replace a file: %w", errors.Unwrap(err))
		}
	}
	ms = time.Since(start).Seconds() * 1000 / 2
	if text, err := os.ReadFile(file); err != nil || string(text) != "second" {
		return 0, errors.New("a file that was replaced is read as it was")
	}
	return ms, locks(filepath.Join(dir, "lock"))
}

// locks says what is wrong with locks, by taking one twice.
func locks(file string) error {
	first, second := flock.New(file), flock.New(file)
	taken, err := first.TryLock()
	if err != nil || !taken {
		return fmt.Errorf("cannot lock a file: %w", cause(err))
	}
	defer first.Unlock()
	if again, _ := second.TryLock(); again {
		_ = second.Unlock()
		return errors.New("locks have no effect: two processes could work in one run")
	}
	return nil
}

// cause strips the temporary name off an error.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
