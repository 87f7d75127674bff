package published

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/progress"
)

// upstream makes a git repository of the files and returns its URL and commit.
func upstream(t *testing.T, files map[string][]byte) Repository {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	dir := t.TempDir()
	for path, text := range files {
		name := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	git := func(args ...string) string {
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.org"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "--quiet")
	git("config", "uploadpack.allowFilter", "true")
	git("config", "uploadpack.allowAnySHA1InWant", "true")
	git("add", ".")
	git("commit", "--quiet", "-m", "figures")
	return Repository{"llmas", "file://" + dir, git("rev-parse", "HEAD")}
}

func sum(text []byte) string {
	s := sha256.Sum256(text)
	return hex.EncodeToString(s[:])
}

func TestFetch(t *testing.T) {
	a, b := []byte("one\n"), []byte("two\r\nlines\n")
	repo := upstream(t, map[string][]byte{"data/a.jsonl": a, "deep/b.csv": b, "code.py": []byte("x = 1\n")})
	source := Source{[]Repository{repo}, []File{
		{"llmas/a.jsonl", sum(a), "llmas", "data/a.jsonl"},
		{"llmas/b.csv", sum(b), "llmas", "deep/b.csv"},
	}}
	root := filepath.Join(t.TempDir(), "data")
	fetch := func() []Checked {
		t.Helper()
		state, err := Fetch(t.Context(), source, root, progress.Discard)
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	for _, c := range fetch() {
		if c.State != OK {
			t.Errorf("%s is %s", c.Path, c.State)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "code.py")); err == nil {
		t.Error("a file that the table does not name was copied")
	}
	damaged := filepath.Join(root, "llmas", "b.csv")
	if err := os.WriteFile(damaged, []byte("two"), 0o666); err != nil {
		t.Fatal(err)
	}
	if state, err := check(root, source.Files); err != nil || state[0].State != OK || state[1].State != Damaged {
		t.Fatalf("state %v, %v; want the second file damaged", state, err)
	}
	if state := fetch(); state[1].State != OK {
		t.Errorf("after a second fetch the damaged file is %s", state[1].State)
	}
	// All is there: the repository is not asked again.
	source.Repositories[0].URL = "file:///nowhere"
	fetch()
}

func TestFetchRefusesOtherContent(t *testing.T) {
	repo := upstream(t, map[string][]byte{"a": []byte("changed")})
	source := Source{[]Repository{repo}, []File{{"llmas/a", strings.Repeat("0", 64), "llmas", "a"}}}
	root := t.TempDir()
	_, err := Fetch(t.Context(), source, root, progress.Discard)
	wantError(t, err, repo.URL+": llmas/a: SHA-256 is "+sum([]byte("changed"))+", expected "+strings.Repeat("0", 64)+`: run "hsnas data" again`)
	if entries, _ := os.ReadDir(root); len(entries) != 0 {
		t.Errorf("something was written: %v", entries)
	}
}

func TestFetchNamesTheRepositoryThatFailed(t *testing.T) {
	source := Source{[]Repository{{"llmas", "file:///nowhere", strings.Repeat("a", 40)}}, []File{{"llmas/a", strings.Repeat("0", 64), "llmas", "a"}}}
	_, err := Fetch(t.Context(), source, t.TempDir(), progress.Discard)
	if err == nil || !strings.HasPrefix(err.Error(), "git fetch of file:///nowhere: exit status 128: ") {
		t.Errorf("error %v", err)
	}
}

// The table of models is compiled of a README and 44 configurations: laid out
// as upstream lays them out, the published ones must give the same bytes.
func TestCompileSubTransformers(t *testing.T) {
	want, err := read(dataRoot(t), subTransformersPath)
	if err != nil {
		t.Skipf("published figures: %v", err)
	}
	records, err := csv.NewReader(strings.NewReader(string(want))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"README.md": []byte(readmeOf(records[1:]))}
	for _, r := range records[1:] {
		path, err := configPath(r[0])
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		for i, key := range settingKeys {
			fmt.Fprintf(&text, "%s: %s\n# a comment\n\n", key, r[firstSetting+i])
		}
		files[path] = []byte(text.String())
	}
	repo := upstream(t, files)
	source := Source{[]Repository{repo}, []File{{subTransformersPath, sum(want), "llmas", ""}}}
	state, err := Fetch(t.Context(), source, t.TempDir(), progress.Discard)
	if err != nil || state[0].State != OK {
		t.Errorf("%v, %v", state, err)
	}
}

// readmeOf lays models out in HAT's table: one row for each task and device.
func readmeOf(records [][]string) string {
	out := "# HAT\n\n| Task | Hardware | Latency | Params | FLOPs | BLEU | Sacre | model_name | Link |\n|:-:|:-:|:-:|:-:|:-:|:-:|:-:|:-:|:-:|\n"
	for len(records) > 0 {
		n := 1
		for n < len(records) && records[n][1] == records[0][1] && records[n][2] == records[0][2] {
			n++
		}
		cell := func(column int, format string) string {
			var items []string
			for _, r := range records[:n] {
				items = append(items, fmt.Sprintf(format, strings.ReplaceAll(r[column], "@", "@<!-- -->")))
			}
			return strings.Join(items, " <br> ")
		}
		out += fmt.Sprintf("| %s | %s | %s | %s | %s <br> | %s | %s | %s | %s |\n", records[0][1], records[0][2],
			cell(3, "%s"), cell(4, "%s0"), cell(5, "%s"), cell(6, "%s"), cell(7, "%s"), cell(0, "%s"), cell(0, "[link](%s)"))
		records = records[n:]
	}
	return out
}

func TestCompileFaults(t *testing.T) {
	row := "| WMT | Xeon | 1s <br> 2s | 1 | 1 | 1 | 1 | HAT_wmt14ende_a | l |\n"
	for name, c := range map[string]struct{ readme, want string }{
		"no table": {"# HAT\n", "README.md: no table of models, expected rows of nine cells with HAT_... names"},
		"uneven":   {row, "README.md:1: column 4 has 1 values, expected 2 as in the latency column"},
		"number":   {"| W | X | 1s | x | 1 | 1 | 1 | HAT_wmt14ende_a | l |\n", `README.md: HAT_wmt14ende_a: "x", expected a number`},
		"task":     {"| W | X | 1s | 1 | 1 | 1 | 1 | HAT_other_a | l |\n", `README.md: model "HAT_other_a" is of no known task, expected HAT_wmt14ende_... and its like`},
		"setting":  {"| W | X | 1s | 1 | 1 | 1 | 1 | HAT_wmt14ende_a | l |\n", `configs/wmt14.en-de/subtransformer/HAT_wmt14ende_a.yml: encoder-embed-dim-subtransformer is missing`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := compileSubTransformers(func(path string) ([]byte, error) {
				if path == "README.md" {
					return []byte(c.readme), nil
				}
				return []byte("a: 1\n"), nil
			})
			wantError(t, err, c.want)
		})
	}
}
