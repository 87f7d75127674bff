// Package layering holds the test that keeps imports pointing one way.
package layering

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "hsnas"

// layer is a folder of packages with the folders that it may import. A folder
// ending in "/*" is every package below it, each a layer of its own: it imports
// no other package of the same pattern unless the pattern is among its imports.
type layer struct {
	folder  string
	imports []string
}

// layers is the whole picture, from the command line down. A package that is in
// none of them is a fault: a new top-level folder belongs here.
var layers = []layer{
	{"cmd/hsnas", []string{"pipeline/*", "stages/*", "schemas", "data", "docs", "internal/*"}},
	{"cmd/hsnas-sql/*", []string{"cmd/hsnas-sql/*", "pipeline", "internal/*"}},
	{"benchmarks/*", []string{"pipeline", "stages/*", "schemas", "data", "internal/*"}},
	{"checks/torture", []string{"pipeline", "schemas", "internal/*"}},
	{"pipeline/cluster", []string{"pipeline", "internal/*"}},
	{"pipeline", []string{"internal/*"}},
	{"stages/*", []string{"schemas", "data", "internal/*"}},
	{"schemas", []string{"internal/*"}},
	{"internal/*", []string{"data", "internal/*"}},
	{"data", nil},
	{"docs", nil},
}

// reserved names the packages that a dependency stays behind, so that replacing
// it is a change to one package.
var reserved = map[string][]string{
	"github.com/apache/arrow":           {"schemas"},
	"github.com/yalue/onnxruntime_go":   {"internal/ort"},
	"github.com/sashabaranov/go-openai": {"internal/llm"},
	"github.com/urfave/cli":             {"cmd/hsnas"},
	"github.com/duckdb/duckdb-go":       {"cmd/hsnas-sql"},
	"gonum.org/v1/plot":                 {"internal/chart"},
}

// TestImports reads the imports of every Go file, tests and files behind build
// tags included, and holds them against layers and reserved.
func TestImports(t *testing.T) {
	root := moduleRoot(t)
	files := 0
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() {
			if name != root && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "node_modules" || base == "runs") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") {
			return nil
		}
		files++
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		return checkFile(t, name, filepath.ToSlash(rel))
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 10 {
		t.Errorf("read %d Go files below %s; the walk has gone wrong", files, root)
	}
}

// moduleRoot returns the folder of go.mod, above this one.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func checkFile(t *testing.T, name, rel string) error {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, nil, parser.ImportsOnly)
	if err != nil {
		return err
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		if strings.HasSuffix(rel, "_test.go") && strings.HasPrefix(rel, "stages/") && strings.HasPrefix(imported, module+"/stages/") {
			continue // a stage's test may make its inputs with the stages before it
		}
		if fault := check(path.Dir(rel), imported); fault != "" {
			t.Errorf("%s:%d: %s", rel, fset.Position(spec.Pos()).Line, fault)
		}
	}
	return nil
}

// check says what is wrong with a package importing another, "" where nothing is.
func check(pkg, imported string) string {
	l, ok := layerOf(pkg)
	if !ok {
		return fmt.Sprintf("package %s is in no layer; add it to the table in internal/layering", pkg)
	}
	if below, ours := strings.CutPrefix(imported, module+"/"); ours {
		if below == pkg || slices.ContainsFunc(l.imports, func(p string) bool { return matches(p, below) }) {
			return ""
		}
		return fmt.Sprintf("%s imports %s; it may import: %s", pkg, below, list(l.imports))
	}
	for dependency, holders := range reserved {
		if imported == dependency || strings.HasPrefix(imported, dependency+"/") {
			if !slices.Contains(holders, pkg) {
				return fmt.Sprintf("%s imports %s, which only %s may", pkg, imported, list(holders))
			}
		}
	}
	return ""
}

func layerOf(pkg string) (layer, bool) {
	i := slices.IndexFunc(layers, func(l layer) bool { return matches(l.folder, pkg) })
	if i < 0 {
		return layer{}, false
	}
	return layers[i], true
}

// matches says whether pkg is the folder, or below it where the pattern ends in "/*".
func matches(pattern, pkg string) bool {
	folder, below := strings.CutSuffix(pattern, "/*")
	return pkg == folder || below && strings.HasPrefix(pkg, folder+"/")
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing of this module"
	}
	return strings.Join(names, ", ")
}

func TestCheck(t *testing.T) {
	for _, test := range []struct{ pkg, imported, want string }{
		{"cmd/hsnas", "hsnas/stages/search", ""},
		{"stages/search", "hsnas/internal/evolve", ""},
		{"stages/search", "hsnas/stages/label", "stages/search imports stages/label; it may import: schemas, data, internal/*"},
		{"stages/search", "hsnas/pipeline", "stages/search imports pipeline; it may import: schemas, data, internal/*"},
		{"pipeline", "hsnas/schemas", "pipeline imports schemas; it may import: internal/*"},
		{"internal/evolve", "hsnas/internal/space", ""},
		{"internal/evolve", "hsnas/schemas", "internal/evolve imports schemas; it may import: data, internal/*"},
		{"data", "hsnas/internal/config", "data imports internal/config; it may import: nothing of this module"},
		{"data", "embed", ""},
		{"misc", "fmt", "package misc is in no layer; add it to the table in internal/layering"},
		{"schemas", "github.com/apache/arrow/go/v15/arrow", ""},
		{"pipeline", "github.com/apache/arrow/go/v15/arrow", "pipeline imports github.com/apache/arrow/go/v15/arrow, which only schemas may"},
		{"internal/predictor", "github.com/yalue/onnxruntime_go", "internal/predictor imports github.com/yalue/onnxruntime_go, which only internal/ort may"},
		{"stages/label", "github.com/sashabaranov/go-openai", "stages/label imports github.com/sashabaranov/go-openai, which only internal/llm may"},
	} {
		if got := check(test.pkg, test.imported); got != test.want {
			t.Errorf("check(%q, %q) = %q, want %q", test.pkg, test.imported, got, test.want)
		}
	}
}
