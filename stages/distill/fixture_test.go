package distill_test

import (
	"path/filepath"
	"testing"

	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
	"hsnas/stages/distill"
)

var prov = schemas.Provenance{Stage: "test", StageVersion: 1, Key: "k", Task: "test"}

// fixture collects what the stages before would have written.
type fixture struct {
	architectures []schemas.Architecture
	tfs           []schemas.TFS
	supernets     []schemas.SupernetScore
	costs         []schemas.MeasuredCost
	labels        []schemas.Label
	known         map[string]bool
}

// add appends an architecture of a set; trained is false for unlabelled ones.
func (f *fixture) add(a space.Architecture, set, split string, position int) {
	f.architectures = append(f.architectures, schemas.Architecture{ID: a.ID(), Set: set, Split: split, Position: int32(position), Architecture: a.String()})
}

// measure appends the truth about an architecture once.
func (f *fixture) measure(a space.Architecture, score float64, supernets map[string]float64) {
	if f.known == nil {
		f.known = map[string]bool{}
	}
	if f.known[a.ID()] {
		return
	}
	f.known[a.ID()] = true
	f.tfs = append(f.tfs, schemas.TFS{ID: a.ID(), Score: score, TestScore: score, Metric: "m", Source: schemas.SourceTable})
	for _, name := range []string{"hat", "sandwich", "mos-layer", "mos-neuron"} {
		if v, ok := supernets[name]; ok {
			f.supernets = append(f.supernets, schemas.SupernetScore{ID: a.ID(), Supernet: name, Score: v})
		}
	}
}

// write writes the files of all of it to dir.
func (f *fixture) write(t *testing.T, dir string, on *task.Task) distill.Inputs {
	t.Helper()
	in := distill.Inputs{
		Task: on, Architectures: filepath.Join(dir, "a.parquet"), TFS: filepath.Join(dir, "t.parquet"),
		Supernet: filepath.Join(dir, "s.parquet"), Costs: filepath.Join(dir, "c.parquet"), Labels: filepath.Join(dir, "l.parquet"),
	}
	for _, err := range []error{
		schemas.WriteArchitectures(in.Architectures, f.architectures, prov),
		schemas.WriteTFS(in.TFS, f.tfs, prov),
		schemas.WriteSupernetScores(in.Supernet, f.supernets, prov),
		schemas.WriteMeasuredCosts(in.Costs, f.costs, prov),
		schemas.WriteLabels(in.Labels, f.labels, prov),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return in
}
