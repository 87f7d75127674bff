package torture

import (
	"os"
	"testing"
)

// TestTornTail tears the last line of a journal, and has the process that mends it
// fail and die in its turn.
func TestTornTail(t *testing.T) {
	e := experiments(t, *points|*faults)[0]
	for stage, file := range map[string]string{"label": "journal.jsonl", "latency": "rounds.jsonl"} {
		runs := t.TempDir()
		if err := os.CopyFS(runs, os.DirFS(e.before(stage))); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			plan   string
			killed bool
		}{
			{"kill@" + stage + ":write:" + file + "#2", true},
			{"EIO@" + stage + ":truncate:" + file + "#1", false},
			{"kill@" + stage + ":truncate:" + file + "#1", true},
		} {
			end, err := run(e.command(runs, c.plan, e.args(stage)...), 0)
			if err == nil && !c.killed {
				err = e.failed(runs, stage, end)
			}
			if err != nil || end.killed != c.killed {
				t.Fatalf("%s: %v, code %d, %s", c.plan, err, end.code, end.stderr)
			}
		}
		l, err := e.inspect(runs, stage)
		if err == nil && len(l.grown[stage+"/"+file]) == 0 {
			t.Errorf("%s: the first line is gone", file)
		}
		if err == nil {
			err = e.resume(runs, stage, l)
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
