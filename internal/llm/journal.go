package llm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"

	"hsnas/internal/atomicfile"
)

// Journal is an append-only file of answers, one Entry a line. Append returns
// only after the line has reached the disk, so what the journal counts survives
// a crash. A last line that a crash tore is cut off when the journal is opened;
// lines before it that are damaged, or that answer a request again, are named
// and skipped: of several answers to one request the first counts.
type Journal struct {
	// Damage names the lines that were skipped or cut off, one message each.
	Damage []string

	file *atomicfile.Growing
	path string
	disk disk       // file, but for tests of a disk that fails
	turn sync.Mutex // held while lines are written and flushed

	mu      sync.Mutex
	entries map[string]Entry
	waiting map[string]*flush // by request, until its line is on the disk
	next    *flush            // takes entries until its turn comes; nil for none
	fault   error             // of a write or a flush; nothing is written after it
}

// OpenJournal opens the journal at path, or creates it. The caller closes it.
func OpenJournal(path string) (*Journal, error) {
	f, err := atomicfile.OpenGrowing(path)
	if err != nil {
		return nil, fmt.Errorf("the journal: %w", err)
	}
	j := &Journal{file: f, path: path, disk: f, entries: map[string]Entry{}, waiting: map[string]*flush{}}
	if err := j.load(); err != nil {
		f.Close()
		return nil, fmt.Errorf("open the journal %s: %w", path, err)
	}
	return j, nil
}

// load reads the journal line by line: it may be larger than a run should take
// of the memory.
func (j *Journal) load() error {
	lines := bufio.NewReaderSize(j.file, 1<<16)
	first := map[string]int{} // line of the answer that counts
	var whole int64           // end of the last line that ends
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil
		case errors.Is(err, io.EOF):
			return j.repair(line, whole, number, first)
		case err != nil:
			return err
		}
		whole += int64(len(line))
		j.add(line[:len(line)-1], number, first)
	}
}

// repair deals with a last line without its newline: an entry that is whole
// gets it, anything else is cut off.
func (j *Journal) repair(line []byte, offset int64, number int, first map[string]int) error {
	if _, err := parseEntry(line); err == nil {
		j.add(line, number, first)
		_, err := j.file.Write([]byte("\n"))
		return errors.Join(err, j.file.Sync())
	}
	j.damaged(number, "the last line is torn (%d bytes); cut off, its answer will be asked for again", len(line))
	return j.file.Truncate(offset)
}

func (j *Journal) add(line []byte, number int, first map[string]int) {
	e, err := parseEntry(line)
	if err != nil {
		j.damaged(number, "%s; skipped", err)
		return
	}
	if n, ok := first[e.Request]; ok {
		j.damaged(number, "answers %s again, as line %d does; skipped, the first counts", e.CustomID, n)
		return
	}
	first[e.Request] = number
	j.entries[e.Request] = e
}

func (j *Journal) damaged(number int, format string, args ...any) {
	j.Damage = append(j.Damage, fmt.Sprintf("%s:%d: ", j.path, number)+fmt.Sprintf(format, args...))
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

// all returns the answers, ordered by key: sums of them come out the same each time.
func (j *Journal) all() []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]Entry, 0, len(j.entries))
	for _, key := range slices.Sorted(maps.Keys(j.entries)) {
		out = append(out, j.entries[key])
	}
	return out
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

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }

// CheckJournal says which lines of the journal at path are damaged, "" for none, and
// changes nothing. A last line that a crash tore is no damage: opening the journal
// mends it.
func CheckJournal(path string) (fault string, err error) {
	return checkLines(path, func(line []byte) error {
		_, err := parseEntry(line)
		return err
	})
}

// CheckBatches does the same with the notes on batches.
func CheckBatches(path string) (fault string, err error) {
	return checkLines(path, func(line []byte) error {
		_, err := parseNote(line)
		return err
	})
}

// checkLines describes the lines that end and that parse refuses.
func checkLines(path string, parse func(line []byte) error) (fault string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	lines := bufio.NewReaderSize(f, 1<<16)
	faults := 0
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		switch {
		case errors.Is(err, io.EOF) && faults > 1:
			return fmt.Sprintf("%s, and %d lines more", fault, faults-1), nil
		case errors.Is(err, io.EOF):
			return fault, nil
		case err != nil:
			return "", err
		}
		if err := parse(line[:len(line)-1]); err != nil {
			if faults++; faults == 1 {
				fault = fmt.Sprintf("line %d: %v", number, err)
			}
		}
	}
}
