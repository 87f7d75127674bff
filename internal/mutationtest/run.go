package mutationtest

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// Outcome is how a reader took a damaged file.
type Outcome int

// Outcomes. Wrong is none that is allowed: the reader said nothing, and what it gave is
// neither what the whole file gives nor what the damaged one legitimately says.
const (
	Wrong    Outcome = iota
	Detected         // an error of one line, or a report, and nothing of the damage was used
	Harmless         // what the whole file gives
	Legal            // what a file without a checksum says now: another number in a user's table
)

var (
	count  = flag.Int("mutations", 50, "`N` damaged files of each kind")
	report = flag.String("mutations-report", "", "append a row for each kind to `FILE`")
)

// deadline is when a reader counts as hanging; all of them take milliseconds.
const deadline = 2 * time.Minute

// Kind is a kind of file, with those of it that are damaged in turns.
type Kind struct {
	Name  string // in the report
	Way   string // what reads it, in the report
	Files map[string][]byte
	// Divisor makes a test of few mutations faster where each takes long: the number is
	// divided by it up to 100. 0 is 1.
	Divisor int
}

// Run damages the files of a kind and has try read each: a death of the process, a hang
// and a Wrong outcome fail the test. try must not end the test for what a damaged file
// may do.
func Run(t *testing.T, k Kind, try func(t *testing.T, file string, damaged []byte) (Outcome, string)) {
	t.Helper()
	names := slices.Sorted(maps.Keys(k.Files))
	if len(names) == 0 {
		t.Fatalf("%s: no files", k.Name)
	}
	n := *count
	if n <= 100 {
		n = max(1, n/cmp.Or(k.Divisor, 1))
	}
	var tally [4]int
	for seed := range n {
		name := names[seed%len(names)]
		damaged, what := Mutate(k.Files[name], uint64(seed))
		watch := time.AfterFunc(deadline, func() {
			panic(fmt.Sprintf("%s, %s, seed %d (%s): hangs", k.Name, name, seed, what))
		})
		outcome, said := try(t, name, damaged)
		watch.Stop()
		if strings.Contains(strings.TrimSuffix(said, "\n"), "\n") {
			t.Errorf("%s, %s, seed %d (%s): more than a line:\n%s", k.Name, name, seed, what, said)
		}
		if outcome == Wrong {
			t.Errorf("%s, %s, seed %d (%s): not noticed, and wrong: %s", k.Name, name, seed, what, said)
		}
		tally[outcome]++
	}
	t.Logf("%s: %d mutations of %d files: %d detected, %d harmless, %d legal", k.Name, n, len(names), tally[Detected], tally[Harmless], tally[Legal])
	if *report != "" && !t.Failed() {
		k.write(t, n, tally)
	}
}

// write appends a row of the report.
func (k Kind) write(t *testing.T, n int, tally [4]int) {
	size := 0
	for _, text := range k.Files {
		size += len(text)
	}
	f, err := os.OpenFile(*report, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "| %s | %s | %d | %.1f | %d | %d | %d | %d | 0 | 0 |\n", k.Name, k.Way, len(k.Files), float64(size)/1000, n,
		tally[Detected], tally[Harmless], tally[Legal]); err != nil {
		t.Fatal(err)
	}
}
