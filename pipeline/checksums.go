package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"

	"hsnas/internal/atomicfile"
)

// checksum is what a file on disk holds; Err is fs.ErrNotExist and the like.
type checksum struct {
	SHA256 string
	Bytes  int64
	Err    error
}

// checksums hashes the files of a run directory, several at once.
func checksums(ctx context.Context, paths []string) (map[string]checksum, error) {
	var mu sync.Mutex
	sums := map[string]checksum{}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, p := range slices.Compact(slices.Sorted(slices.Values(paths))) {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			sum, size, err := atomicfile.Sum(p)
			if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) { // says nothing about the file
				return fmt.Errorf("cannot read %s: %w", p, cause(err))
			}
			mu.Lock()
			defer mu.Unlock()
			sums[p] = checksum{sum, size, err}
			return nil
		})
	}
	return sums, g.Wait()
}

// listOutputs returns the files that a stage left, relative to dir, sorted. A
// declared file that is not there is an error.
func listOutputs(dir string, outputs []string) ([]string, error) {
	var files []string
	for _, out := range outputs {
		if !isFolder(out) {
			if info, err := os.Stat(local(dir, out)); err != nil || !info.Mode().IsRegular() {
				return nil, fmt.Errorf("it did not write %s", out)
			}
			files = append(files, out)
			continue
		}
		found, err := filesIn(local(dir, out))
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			files = append(files, path.Join(out, f))
		}
	}
	slices.Sort(files)
	return files, nil
}

// filesIn returns the files below a folder, relative to it, with slashes.
func filesIn(folder string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(folder, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(folder, p)
		files = append(files, filepath.ToSlash(rel))
		return err
	})
	return files, err
}

// sumExternal returns the checksum of a file, or of a folder's names and contents.
func sumExternal(p string) (string, error) {
	info, err := os.Stat(p)
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", p, cause(err))
	}
	if !info.IsDir() {
		sum, err := atomicfile.SHA256(p)
		if err != nil {
			return "", fmt.Errorf("cannot read %s: %w", p, cause(err))
		}
		return sum, nil
	}
	files, err := filesIn(p)
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", p, cause(err))
	}
	return sumList(files, func(f string) (string, error) { return sumExternal(local(p, f)) })
}

// sumList hashes names and checksums of files.
func sumList(files []string, sum func(string) (string, error)) (string, error) {
	h := sha256.New()
	for _, f := range files {
		s, err := sum(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s  %s\n", s, f)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// local returns the place of a slash-separated path below dir.
func local(dir, p string) string { return filepath.Join(dir, filepath.FromSlash(p)) }

// cause strips the operation and the path off an *os.PathError; the message
// around it names the path.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
