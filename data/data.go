// Package data is what ships inside the binary: search spaces, tasks, experiments,
// prompt templates, recorded LLM answers and tables of measured scores. Everything
// that a user may want to change is a file here, and a path to a file of their own
// goes wherever a name from here does.
package data

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed spaces/*.yaml tasks/*.yaml prompts/*.yaml experiments/*.yaml prices.yaml all:recorded all:paper all:tfs
var files embed.FS

// Kinds of YAML files that ship.
const (
	Spaces      = "spaces"
	Tasks       = "tasks"
	Prompts     = "prompts"
	Experiments = "experiments"
)

// Read returns a YAML file of a kind by its name, and the name for messages.
func Read(kind, name string) (text []byte, file string, err error) {
	file = path.Join(kind, name+".yaml")
	text, err = files.ReadFile(file)
	if err != nil {
		return nil, "", fmt.Errorf("no %s named %q ships with hsnas", strings.TrimSuffix(kind, "s"), name)
	}
	return text, "data/" + file, nil
}

// Names returns the names of a kind in alphabetical order.
func Names(kind string) []string {
	entries, err := files.ReadDir(kind)
	if err != nil {
		panic("data: " + err.Error()) // the folder is embedded
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".yaml"); ok {
			names = append(names, name)
		}
	}
	return names
}

// Recorded returns the names of the recorded answers.
func Recorded() []string { return named(files, "recorded", ".jsonl") }

// Table returns a table of measured scores by its name, and the file for messages.
func Table(name string) (text []byte, file string, err error) { return table(files, name) }

// Tables returns the names of the tables of measured scores.
func Tables() []string { return tables(files) }

func table(from fs.FS, name string) (text []byte, file string, err error) {
	file = path.Join("tfs", name+".csv")
	if text, err = fs.ReadFile(from, file); err != nil {
		return nil, "", fmt.Errorf("no table named %q ships with hsnas", name)
	}
	return text, "data/" + file, nil
}

// tables leaves out the files of single training runs, which lie beside a table.
func tables(from fs.FS) []string {
	return slices.DeleteFunc(named(from, "tfs", ".csv"), func(name string) bool { return strings.HasSuffix(name, ".runs") })
}

// named returns the names of the files in a folder that have an ending, without it.
func named(from fs.FS, folder, ending string) []string {
	found, _ := fs.Glob(from, folder+"/*"+ending)
	for i, f := range found {
		found[i] = strings.TrimSuffix(path.Base(f), ending)
	}
	return found
}

// Prices returns the table of what models cost, and the file for messages.
func Prices() (text []byte, file string) {
	text, err := files.ReadFile("prices.yaml")
	if err != nil {
		panic("data: " + err.Error()) // the file is embedded
	}
	return text, "data/prices.yaml"
}

// FS returns all that ships, as a file system rooted at this folder.
func FS() fs.FS { return files }
