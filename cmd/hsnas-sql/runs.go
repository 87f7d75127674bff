package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"hsnas/internal/config"
	"hsnas/pipeline"
)

// runDir is a run that is asked about.
type runDir struct {
	name, dir string
	*pipeline.Manifest
}

// openRuns finds runs by name, or by the path of a run directory.
func openRuns(names []string) ([]runDir, error) {
	var out []runDir
	seen := map[string]bool{}
	for _, name := range names {
		parent := cmp.Or(os.Getenv("HSNAS_RUNS"), "runs")
		r := runDir{name: name, dir: filepath.Join(parent, name)}
		if strings.ContainsAny(name, `/\`) {
			r.name, r.dir = filepath.Base(name), name
		}
		m, err := pipeline.ReadManifest(r.dir)
		switch {
		case errors.Is(err, fs.ErrNotExist) && r.dir == name:
			return nil, config.Errorf("", 0, "%v", err)
		case errors.Is(err, fs.ErrNotExist):
			return nil, config.Errorf("", 0, "there is no run %q in %s%s", name, parent, config.DidYouMean(name, runNames(parent)))
		case err != nil:
			return nil, err
		}
		if seen[r.name] {
			return nil, config.Errorf("", 0, "--run %s is given twice", r.name)
		}
		seen[r.name] = true
		r.Manifest = m
		out = append(out, r)
	}
	return out, nil
}

func runNames(parent string) []string {
	found, _ := filepath.Glob(filepath.Join(parent, "*", "run.json"))
	var names []string
	for _, f := range found {
		names = append(names, filepath.Base(filepath.Dir(f)))
	}
	return names
}
