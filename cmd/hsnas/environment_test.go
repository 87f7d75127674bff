package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documentedVariables are the names in the table of docs/operating.md, and its rows.
func documentedVariables(t *testing.T) (names []string, page string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## Environment variables")
	table, _, _ = strings.Cut(table, "\n## ")
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*) \\|").FindAllStringSubmatch(table, -1) {
		for _, name := range regexp.MustCompile("`([A-Z_]+)`").FindAllStringSubmatch(row[1], -1) {
			names = append(names, name[1])
		}
	}
	return names, table
}

// TestVariablesAreDocumented: every variable of ours that any file reads is in the
// table, and so is every other that Go code asks the environment for by name.
func TestVariablesAreDocumented(t *testing.T) {
	documented, _ := documentedVariables(t)
	ours := regexp.MustCompile(`\bHSNAS_[A-Z][A-Z_]*[A-Z]\b`)
	asked := regexp.MustCompile(`(?:Getenv|LookupEnv)\("([A-Z_]+)"\)`)
	named := regexp.MustCompile(`\w+Variable\s*=\s*"([A-Z_]+)"`)
	read := map[string]string{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != "../.." && strings.HasPrefix(name, ".") && name != ".ci" || slices.Contains([]string{"runs", "node_modules", "bin", "dist"}, name) {
				return filepath.SkipDir
			}
			return nil
		}
		if !slices.Contains([]string{".go", ".sh", ".py", ""}, filepath.Ext(name)) || strings.HasPrefix(name, "environment") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range ours.FindAllString(string(text), -1) {
			read[m] = path
		}
		if filepath.Ext(name) == ".go" {
			for _, m := range append(asked.FindAllStringSubmatch(string(text), -1), named.FindAllStringSubmatch(string(text), -1)...) {
				read[m[1]] = path
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read["HSNAS_RUNS"] == "" || read["OPENAI_API_KEY"] == "" || read["CI"] == "" {
		t.Errorf("the walk has gone wrong: %v", read)
	}
	for name, path := range read {
		if !slices.Contains(documented, name) {
			t.Errorf("%s reads %s, which docs/operating.md does not list", path, name)
		}
	}
	for _, name := range documented {
		if strings.HasPrefix(name, "HSNAS_") && read[name] == "" {
			t.Errorf("docs/operating.md lists %s, which nothing reads", name)
		}
	}
}

// TestEnvironmentIsThatOfThePage: the man page and the doctor know what the page does.
func TestEnvironmentIsThatOfThePage(t *testing.T) {
	documented, page := documentedVariables(t)
	for _, v := range environment {
		if !strings.Contains(page, "| `"+v.name+"` | hsnas") || !strings.Contains(page, "| "+v.meaning+" |") {
			t.Errorf("docs/operating.md has no row of %s: %s", v.name, v.meaning)
		}
	}
	for _, name := range scriptVariables {
		if !slices.Contains(documented, name) {
			t.Errorf("docs/operating.md does not list %s", name)
		}
	}
}
