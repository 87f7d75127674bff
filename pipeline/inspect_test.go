package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"hsnas/internal/progress"
)

// TestInspectCountsAndNamesTheHolder: sizes are of what is on the disk, and a stage that
// runs now says who runs it.
func TestInspectCountsAndNamesTheHolder(t *testing.T) {
	dir, external := finished(t)
	states, err := Inspect(t.Context(), dir, chain(external, 1))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "draw", "out.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if s := states[0]; s.Files != 1 || s.Bytes != info.Size() || s.Runs || s.Holder != "" {
		t.Errorf("got %+v", s)
	}
	m, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	m.Stages[1].State = Running
	if err := m.write(dir); err != nil {
		t.Fatal(err)
	}
	unlock, err := lock(t.Context(), dir, false, progress.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if states, err = Inspect(t.Context(), dir, chain(external, 1)); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("process %d on %s", os.Getpid(), thisHost().Name); states[1].State != "running" || states[1].Holder != want || states[1].Runs {
		t.Errorf("got %+v, want it held by %s", states[1], want)
	}
	unlock()
	if states, err = Inspect(t.Context(), dir, chain(external, 1)); err != nil {
		t.Fatal(err)
	}
	if states[1].State != "interrupted" || states[1].Holder != "" || !states[1].Runs {
		t.Errorf("got %+v", states[1])
	}
}
