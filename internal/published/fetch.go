package published

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"hsnas/internal/atomicfile"
	"hsnas/internal/progress"
)

// State is what a check found of one file.
type State string

// The states of a file in the data folder.
const (
	OK      State = "ok"
	Missing State = "missing"
	Damaged State = "damaged"
)

// Checked is one file of the data folder and its state.
type Checked struct {
	File
	State State
}

// Check looks at every file of the table in root.
func Check(root string) ([]Checked, error) {
	return check(root, files)
}

func check(root string, files []File) ([]Checked, error) {
	out := make([]Checked, len(files))
	for i, f := range files {
		sum, err := atomicfile.SHA256(filepath.Join(root, filepath.FromSlash(f.Path)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			out[i] = Checked{f, Missing}
		case err != nil:
			return nil, fmt.Errorf("checking published figures: %w", err)
		case sum != f.SHA256:
			out[i] = Checked{f, Damaged}
		default:
			out[i] = Checked{f, OK}
		}
	}
	return out, nil
}

// Source says what to fetch and from where. The zero value is the published
// files at the pinned commits; tests put in a repository of their own.
type Source struct {
	Repositories []Repository
	Files        []File
}

func (s Source) orPublished() Source {
	if s.Repositories == nil {
		s.Repositories = Repositories()
	}
	if s.Files == nil {
		s.Files = Files()
	}
	return s
}

// Check looks at every file of s in root.
func (s Source) Check(root string) ([]Checked, error) { return check(root, s.orPublished().Files) }

// Fetch brings what is missing or damaged in root from the repositories with
// git, and returns the state of all files afterwards. A repository is fetched
// at its commit alone, without history and with the needed files' contents
// alone, into a temporary folder that is removed again. A file takes its place
// in root atomically and only with the right SHA-256.
func Fetch(ctx context.Context, s Source, root string, rep progress.Reporter) ([]Checked, error) {
	s = s.orPublished()
	state, err := check(root, s.Files)
	if err != nil {
		return nil, err
	}
	for _, repo := range s.Repositories {
		var wanted []File
		for _, c := range state {
			if c.Repository == repo.Name && c.State != OK {
				wanted = append(wanted, c.File)
			}
		}
		if len(wanted) == 0 {
			continue
		}
		rep.Logf("fetching %d files of %s at %.12s", len(wanted), repo.URL, repo.Commit)
		if err := fetchRepository(ctx, repo, wanted, root); err != nil {
			return nil, err
		}
	}
	return check(root, s.Files)
}

func fetchRepository(ctx context.Context, repo Repository, wanted []File, root string) error {
	dir, err := os.MkdirTemp("", "hsnas-data-")
	if err != nil {
		return fmt.Errorf("fetching %s: %w", repo.URL, err)
	}
	defer os.RemoveAll(dir)
	c := clone{dir, repo}
	if err := c.fetch(ctx, wanted); err != nil {
		return err
	}
	for _, f := range wanted {
		text, err := c.content(ctx, f)
		if err != nil {
			return err
		}
		if err := verify(repo.URL+": "+f.Path, text, f.SHA256); err != nil {
			return err
		}
		name := filepath.Join(root, filepath.FromSlash(f.Path))
		if err := atomicfile.MkdirAll(filepath.Dir(name)); err != nil {
			return fmt.Errorf("storing %s: %w", f.Path, err)
		}
		if err := atomicfile.Write(name, text); err != nil {
			return fmt.Errorf("storing %s: %w", f.Path, err)
		}
	}
	return nil
}

// clone is a shallow, partial clone of one commit without a work tree.
type clone struct {
	dir  string
	repo Repository
}

// fetch brings the commit and its folders over, and the wanted files' contents
// in one go.
func (c clone) fetch(ctx context.Context, wanted []File) error {
	for _, args := range [][]string{
		{"init", "--quiet", "--bare"},
		{"remote", "add", "origin", c.repo.URL},
		{"config", "remote.origin.promisor", "true"},
		{"config", "remote.origin.partialclonefilter", "blob:none"},
		{"fetch", "--quiet", "--depth=1", "--filter=blob:none", "--no-tags", "origin", c.repo.Commit},
	} {
		if _, err := c.git(ctx, args...); err != nil {
			return err
		}
	}
	tree, err := c.git(ctx, "ls-tree", "-r", c.repo.Commit)
	if err != nil {
		return err
	}
	args := []string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--filter=blob:none", "origin"}
	// Where a server will not hand out contents by name, blob still asks for them one by one.
	_, _ = c.git(ctx, append(args, wantedBlobs(string(tree), wanted)...)...)
	return nil
}

// wantedBlobs picks the object names of the files out of the listing of a tree,
// lines like "100644 blob ID\tPATH".
func wantedBlobs(tree string, wanted []File) []string {
	paths := map[string]bool{}
	for _, f := range wanted {
		paths[f.Upstream] = true
	}
	var out []string
	for line := range strings.Lines(tree) {
		meta, path, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		compiled := paths[""] && (path == "README.md" || strings.Contains(path, "/subtransformer/"))
		if id := strings.Fields(meta); len(id) == 3 && (paths[path] || compiled) {
			out = append(out, id[2])
		}
	}
	return out
}

// content returns a file of the table, compiling the one that the repository
// does not hold as such.
func (c clone) content(ctx context.Context, f File) ([]byte, error) {
	blob := func(path string) ([]byte, error) { return c.git(ctx, "cat-file", "blob", c.repo.Commit+":"+path) }
	if f.Upstream != "" {
		return blob(f.Upstream)
	}
	return compileSubTransformers(blob)
}

// git runs git in the clone; its error carries the last line that git printed.
func (c clone) git(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_DIR="+c.dir, "LC_ALL=C")
	var out, report bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &report
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return nil, errors.New("fetching published figures: git is not installed: install it, or copy the files and set " + Variable)
	}
	if err != nil {
		lines := strings.Split(strings.TrimSpace(report.String()), "\n")
		return nil, fmt.Errorf("git %s of %s: %w: %s", args[0], c.repo.URL, err, lines[len(lines)-1])
	}
	return out.Bytes(), nil
}
