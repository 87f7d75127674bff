package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"hsnas/internal/config"
	"hsnas/pipeline"
)

// found is a file to look at, and what the manifest of its run says about it.
type found struct {
	name     string // within the run directory, with slashes; as given for others
	place    string
	dir      string             // run directory, "" outside a run
	artifact *pipeline.Artifact // nil for a file that the manifest does not list
	record   *pipeline.Record   // of the stage that wrote it
}

// findArtifact finds a file by its name in a run, or by its path where run is "". Such
// a path may lie in a run directory: then the file is known.
func findArtifact(run, name string) (*found, error) {
	if run == "" {
		return findPath(name)
	}
	dir, err := findRun(run)
	if err != nil {
		return nil, err
	}
	m, err := pipeline.ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	full, err := artifactPath(m, dir, run, name)
	if err != nil {
		return nil, err
	}
	return inRun(m, dir, full), nil
}

func inRun(m *pipeline.Manifest, dir, name string) *found {
	f := &found{name: name, place: filepath.Join(dir, filepath.FromSlash(name)), dir: dir}
	f.artifact, f.record = m.Artifact(name)
	return f
}

// artifactPath completes the name of an artifact: its path in the run, or as much of
// that as names no other: labels, labels.parquet, label/labels.
func artifactPath(m *pipeline.Manifest, dir, run, name string) (string, error) {
	var known, fitting []string
	for _, r := range m.Stages {
		for _, o := range r.Outputs {
			known = append(known, o.Path)
			if fits(o.Path, name) {
				fitting = append(fitting, o.Path)
			}
		}
	}
	clean := path.Clean(filepath.ToSlash(name))
	switch {
	case slices.Contains(known, clean):
		return clean, nil
	case len(fitting) == 1:
		return fitting[0], nil
	case len(fitting) > 1:
		return "", config.Errorf("", 0, "%q names several artifacts of run %q: %s; give the whole path", name, run, strings.Join(fitting, ", "))
	}
	if filepath.IsLocal(clean) { // what is no artifact: the manifest, a log, a journal
		if info, err := os.Stat(filepath.Join(dir, clean)); err == nil && info.Mode().IsRegular() {
			return clean, nil
		}
	}
	return "", config.Errorf("", 0, "run %q has no artifact %q%s", run, name, meant(name, known))
}

// fits says whether name is the end of an artifact's path, whole segments, the last
// with its extension or without.
func fits(artifact, name string) bool {
	for _, full := range []string{artifact, strings.TrimSuffix(artifact, path.Ext(artifact))} {
		if full == name || strings.HasSuffix(full, "/"+name) {
			return true
		}
	}
	return false
}

// meant ends a message about an unknown artifact: the one whose path or last part is
// most like the name.
func meant(name string, known []string) string {
	var names []string
	for _, k := range known {
		names = append(names, k, strings.TrimSuffix(path.Base(k), path.Ext(k)))
	}
	if n := config.Nearest(name, names); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return "; hsnas show --run RUN lists them"
}

// findPath finds a file by its path and the run directory above it.
func findPath(name string) (*found, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(name, `/\`) {
		return nil, config.Errorf("", 0, "there is no file %q; an artifact is named with its run: hsnas show --run RUN %s", name, name)
	}
	if err != nil {
		return nil, config.Errorf("", 0, "%v", err)
	}
	if !info.Mode().IsRegular() {
		return nil, config.Errorf("", 0, "%s is no file; the artifacts of a run: hsnas show --run RUN", name)
	}
	for dir := filepath.Dir(absolute(name)); ; dir = filepath.Dir(dir) {
		if m, err := pipeline.ReadManifest(dir); err == nil {
			rel, err := filepath.Rel(dir, absolute(name))
			if err != nil {
				return nil, err
			}
			return inRun(m, dir, filepath.ToSlash(rel)), nil
		}
		if dir == filepath.Dir(dir) {
			return &found{name: name, place: name}, nil
		}
	}
}

// verify holds the file against its checksum in the manifest; a file that has none
// there passes. Nothing is parsed before.
func (f *found) verify() error {
	if f.artifact == nil {
		return nil
	}
	return f.artifact.Intact(f.dir, f.record.Stage)
}
