package main

import (
	"os"
	"path/filepath"
	"testing"

	"hsnas/internal/task"
)

// FuzzExperiment reads a user's experiment with a --set over it, up to its stages.
func FuzzExperiment(f *testing.F) {
	shipped, err := filepath.Glob(filepath.Join("..", "..", "data", "experiments", "*.yaml"))
	if err != nil || len(shipped) == 0 {
		f.Fatal("no experiments: ", err)
	}
	for _, file := range shipped {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "search.iterations=3")
	}
	f.Add([]byte("name: x\ntask: micro.en-de\nablations: {cells: [{name: a, group: b, label: {samples: 2}}]}"), "label.source=live")
	f.Add([]byte("name: x\ntask: micro.en-de"), "a.b.c=[1, {d: *e}]")
	f.Fuzz(func(t *testing.T, text []byte, set string) {
		e, err := readExperiment(text, "x.yaml", t.TempDir(), []string{set})
		if err != nil {
			return
		}
		if _, err := e.Stages(); err == nil {
			if _, err := e.Resolved(); err != nil {
				t.Error(err)
			}
		}
	})
}

// FuzzParseDemonstration reads demonstrations of users.
func FuzzParseDemonstration(f *testing.F) {
	on, err := task.Load("micro.en-de")
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(demoLine(microArch, 51.72)))
	f.Add([]byte(`{"architecture":null,"score":1e400}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if d, err := parseDemonstration(on, text); err == nil && !(d.Score >= on.Metric.Min && d.Score <= on.Metric.Max) {
			t.Errorf("score %v", d.Score)
		}
	})
}
