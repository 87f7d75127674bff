package pipeline

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hsnas/internal/progress"
)

// TestClocksDecideNothing has the clock jump, forth and back, between two runs: the
// times of files and of the manifest are for people.
func TestClocksDecideNothing(t *testing.T) {
	for _, now := range []time.Time{time.Unix(0, 0), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)} {
		dir, external := finished(t)
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Chtimes(path, now, now)
		})
		if err != nil {
			t.Fatal(err)
		}
		m, err := ReadManifest(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range m.Stages { // ended before they began
			r.Started, r.Ended, r.Seconds = now, now.Add(-time.Hour), -3600
		}
		killed := m.Record("parity")
		killed.State, killed.Outputs = Running, nil
		if err := m.write(dir); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"parity: it was killed before it ended", ""} {
			heard := &told{Reporter: progress.Discard}
			if err := Run(t.Context(), dir, chain(external, 1), Options{Report: heard}); err != nil {
				t.Fatal(err)
			}
			if got := heard.runs(); got != want {
				t.Errorf("at %s: %q ran, want %q: %s", now, got, want, strings.Join(heard.lines, "; "))
			}
		}
	}
}
