package llm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Journal is an append-only file of answers, one Entry a line. Append returns
// only after the line has reached the disk, so what the journal counts survives
// a crash. A last line that a crash tore is cut off when the journal is opened;
// damaged lines before it are reported and skipped, and of several answers to
// one request the first counts.
type Journal struct {
	// Damage names the lines that were skipped or cut off, one message each.
	Damage []string
	// Duplicates counts the lines whose request had been answered before.
	Duplicates int

	mu      sync.Mutex
	file    *os.File
	path    string
	entries map[string]Entry
}

// OpenJournal opens the journal at path, or creates it. The caller closes it.
func OpenJournal(path string) (*Journal, error) {
	_, statErr := os.Stat(path)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	j := &Journal{file: f, path: path, entries: map[string]Entry{}}
	if err := errors.Join(j.load(), syncFolder(path, errors.Is(statErr, os.ErrNotExist))); err != nil {
		f.Close()
		return nil, fmt.Errorf("open the journal %s: %w", path, err)
	}
	return j, nil
}

func syncFolder(path string, created bool) error {
	if !created {
		return nil
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (j *Journal) load() error {
	text, err := io.ReadAll(j.file)
	if err != nil {
		return err
	}
	whole := 0 // end of the last line that ends
	for number := 1; whole < len(text); number++ {
		end := bytes.IndexByte(text[whole:], '\n')
		if end < 0 {
			return j.repair(text[whole:], int64(whole), number)
		}
		j.add(text[whole:whole+end], number)
		whole += end + 1
	}
	return nil
}

// repair deals with a last line without its newline: an entry that is whole
// gets it, anything else is cut off.
func (j *Journal) repair(line []byte, offset int64, number int) error {
	if _, err := parseEntry(line); err == nil {
		j.add(line, number)
		_, err := j.file.Write([]byte("\n"))
		return errors.Join(err, j.file.Sync())
	}
	j.Damage = append(j.Damage, fmt.Sprintf("%s:%d: the last line is torn (%d bytes); cut off, its answer will be asked for again", j.path, number, len(line)))
	return errors.Join(j.file.Truncate(offset), j.file.Sync())
}

func (j *Journal) add(line []byte, number int) {
	e, err := parseEntry(line)
	if err != nil {
		j.Damage = append(j.Damage, fmt.Sprintf("%s:%d: %s; skipped", j.path, number, err))
		return
	}
	if _, ok := j.entries[e.Request]; ok {
		j.Duplicates++
		return
	}
	j.entries[e.Request] = e
}

// Lookup returns the answer to the request with this key.
func (j *Journal) Lookup(key string) (Entry, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e, ok := j.entries[key]
	return e, ok
}

// Len returns the number of answers.
func (j *Journal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.entries)
}

// Tokens returns the tokens that all answers of the journal were charged for.
func (j *Journal) Tokens() (prompt, completion int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.entries {
		prompt, completion = prompt+orZero(e.PromptTokens), completion+orZero(e.CompletionTokens)
	}
	return prompt, completion
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// Append writes the entry and flushes it to the disk; only then does Lookup
// find it. An entry whose request is already answered is not written again.
func (j *Journal) Append(e Entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, ok := j.entries[e.Request]; ok {
		return nil
	}
	if _, err := j.file.Write(e.Line()); err != nil {
		return fmt.Errorf("append to the journal: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("flush the journal: %w", err)
	}
	j.entries[e.Request] = e
	return nil
}

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }

// Journaled answers from the journal what the journal holds, asks the client
// for the rest, and journals every answer before it returns it, those that
// cannot be used included: they were paid for too.
type Journaled struct {
	client  Client
	journal *Journal
	now     func() time.Time

	mu       sync.Mutex
	inFlight map[string]chan struct{} // closed when the request of that key is done
}

// NewJournaled puts the journal in front of the client. now dates the entries;
// nil means time.Now.
func NewJournaled(c Client, j *Journal, now func() time.Time) *Journaled {
	if now == nil {
		now = time.Now
	}
	return &Journaled{client: c, journal: j, now: now, inFlight: map[string]chan struct{}{}}
}

// Do implements Client. Of several calls with the same key at the same time one
// asks and the others wait for its answer.
func (c *Journaled) Do(ctx context.Context, r Request) (Response, error) {
	key := r.Key()
	done, err := c.enter(ctx, key)
	if err != nil {
		return Response{}, &Error{Kind: Fatal, CustomID: r.CustomID, Msg: err.Error(), cause: err}
	}
	defer done()
	if e, ok := c.journal.Lookup(key); ok {
		return e.response().check(r.CustomID)
	}
	a, err := c.client.Do(ctx, r)
	var unusable *AnswerError
	if err != nil && !errors.As(err, &unusable) {
		return a, err
	}
	if jerr := c.journal.Append(newEntry(r, a, c.now().UTC().Format(time.RFC3339))); jerr != nil {
		return a, &Error{Kind: Fatal, CustomID: r.CustomID, Msg: jerr.Error()}
	}
	return a, err
}

// enter waits until nobody else asks for key.
func (c *Journaled) enter(ctx context.Context, key string) (done func(), err error) {
	for {
		c.mu.Lock()
		busy, ok := c.inFlight[key]
		if !ok {
			mine := make(chan struct{})
			c.inFlight[key] = mine
			c.mu.Unlock()
			return func() {
				c.mu.Lock()
				delete(c.inFlight, key)
				c.mu.Unlock()
				close(mine)
			}, nil
		}
		c.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
