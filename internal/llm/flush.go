package llm

import (
	"fmt"
	"io"
)

// disk is what Append needs of a file.
type disk interface {
	io.Writer
	Sync() error
}

// flush is a group of entries that reach the disk with one fsync, which costs
// the same for one line and for hundreds.
type flush struct {
	entries []Entry
	lines   []byte
	done    chan struct{} // closed when err is known
	err     error
}

// Append writes the entry and flushes it to the disk; only then does Lookup
// find it. Entries that come while others are flushed go together in the next
// flush. An entry whose request is already answered is not written again. After
// a fault of the disk nothing more is written: a line that was torn stays the
// last one, where opening the journal mends it.
func (j *Journal) Append(e Entry) error {
	f, first := j.enlist(e, e.Line())
	if first {
		j.write(f)
	}
	<-f.done
	return f.err
}

// enlist adds the entry to the next flush. first says that the caller has to
// write it; a flush that is done already needs nobody.
func (j *Journal) enlist(e Entry, line []byte) (f *flush, first bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, ok := j.entries[e.Request]; ok {
		return written(nil), false
	}
	if j.fault != nil {
		return written(j.fault), false
	}
	if f, ok := j.waiting[e.Request]; ok {
		return f, false
	}
	if j.next == nil {
		j.next, first = &flush{done: make(chan struct{})}, true
	}
	f = j.next
	f.entries, f.lines = append(f.entries, e), append(f.lines, line...)
	j.waiting[e.Request] = f
	return f, first
}

func written(err error) *flush {
	f := &flush{done: make(chan struct{}), err: err}
	close(f.done)
	return f
}

// write waits for the flush before, then writes what has gathered by then.
func (j *Journal) write(f *flush) {
	j.turn.Lock()
	defer j.turn.Unlock()
	j.mu.Lock()
	j.next, f.err = nil, j.fault
	j.mu.Unlock()
	if f.err == nil {
		f.err = j.reach(f.lines)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.fault = f.err
	for _, e := range f.entries {
		delete(j.waiting, e.Request)
		if f.err == nil {
			j.entries[e.Request] = e
		}
	}
	close(f.done)
}

// reach brings lines to the disk.
func (j *Journal) reach(lines []byte) error {
	if _, err := j.disk.Write(lines); err != nil {
		return fmt.Errorf("append to the journal: %w", err)
	}
	if err := j.disk.Sync(); err != nil {
		return fmt.Errorf("flush the journal: %w", err)
	}
	return nil
}
