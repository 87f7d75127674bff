package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"hsnas/internal/published"
)

// figures is a repository with one file, and the table that names it.
func figures(t *testing.T) published.Source {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	dir, text := t.TempDir(), []byte("{}\n")
	if err := os.WriteFile(filepath.Join(dir, "a.jsonl"), text, 0o666); err != nil {
		t.Fatal(err)
	}
	git := func(args ...string) string {
		out, err := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.org"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "--quiet")
	git("add", ".")
	git("commit", "--quiet", "-m", "figures")
	sum := sha256.Sum256(text)
	return published.Source{
		Repositories: []published.Repository{{Name: "llmas", URL: "file://" + dir, Commit: git("rev-parse", "HEAD")}},
		Files:        []published.File{{Path: "llmas/a.jsonl", SHA256: hex.EncodeToString(sum[:]), Repository: "llmas", Upstream: "a.jsonl"}},
	}
}

func TestData(t *testing.T) {
	source, dir := figures(t), filepath.Join(t.TempDir(), "figures")
	t.Setenv(published.Variable, dir)
	run := func(args ...string) (string, error) {
		var out bytes.Buffer
		app := &cli.App{Writer: &out, ErrWriter: &bytes.Buffer{}, Commands: []*cli.Command{dataCommandFrom(source)}, ExitErrHandler: func(*cli.Context, error) {}}
		err := app.RunContext(t.Context(), append([]string{"hsnas", "data"}, args...))
		return out.String(), err
	}
	expect := func(gotOut string, gotErr error, out, err string) {
		t.Helper()
		if gotOut != out || (gotErr == nil) != (err == "") || gotErr != nil && gotErr.Error() != err {
			t.Errorf("printed %q, error %v; want %q, %q", gotOut, gotErr, out, err)
		}
	}
	out, err := run("--check")
	expect(out, err, dir+"\n  llmas/a.jsonl  missing\n", dir+`: 1 of 1 files missing, 0 damaged: run "hsnas data"`)
	out, err = run()
	expect(out, err, dir+"\n  llmas/a.jsonl  ok\n", "")
	if err := os.WriteFile(filepath.Join(dir, "llmas", "a.jsonl"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	out, err = run("--check", "--json")
	expect(out, err, `[{"file":"llmas/a.jsonl","state":"damaged"}]`+"\n", dir+`: 0 of 1 files missing, 1 damaged: run "hsnas data"`)
	out, err = run("--json")
	expect(out, err, `[{"file":"llmas/a.jsonl","state":"ok"}]`+"\n", "")
}
