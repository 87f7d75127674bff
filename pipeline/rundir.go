package pipeline

import (
	"fmt"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"runtime"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/progress"
)

// makeRunDir creates the run directory. One that is there must be empty or hold
// a run: anything else is a name that the user did not mean.
func makeRunDir(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return config.Errorf("", 0, "the run directory %s is a file; choose another --name", dir)
	}
	if err == nil {
		if foreign := foreignFile(dir); foreign != "" {
			return config.Errorf("", 0, "%s is no run directory: it has %s but no %s; choose another --name", dir, foreign, manifestName)
		}
	}
	if err := atomicfile.MkdirAll(dir); err != nil {
		return fmt.Errorf("cannot make the run directory %s: %w", dir, cause(err))
	}
	return nil
}

// foreignFile returns an entry of a directory without a manifest that no run
// that just began has, "" if there is none.
func foreignFile(dir string) string {
	if _, err := os.Lstat(filepath.Join(dir, manifestName)); err == nil {
		return ""
	}
	entries, _ := os.ReadDir(dir) // one that cannot be read is reported by what comes next
	for _, e := range entries {
		if e.Name() != lockName && !atomicfile.IsTemporary(e.Name()) {
			return e.Name()
		}
	}
	return ""
}

// prepareOutputs makes the folders of a stage's outputs and removes what an
// earlier attempt left: its files, and all there is in an output folder.
func prepareOutputs(dir string, s Stage) error {
	for _, out := range s.Outputs {
		place := local(dir, out)
		if err := os.RemoveAll(place); err != nil {
			return fmt.Errorf("cannot remove %s: %w", place, cause(err))
		}
	}
	return makeFolders(dir, s)
}

// makeFolders makes the folders of a stage's outputs.
func makeFolders(dir string, s Stage) error {
	for _, out := range s.Outputs {
		folder := local(dir, path.Dir(out))
		if isFolder(out) {
			folder = local(dir, out)
		}
		if err := atomicfile.MkdirAll(folder); err != nil {
			return fmt.Errorf("cannot make %s: %w", folder, cause(err))
		}
	}
	return nil
}

// openLog appends to the stage's log, one JSON object a line.
func openLog(dir, stage string) (*slog.Logger, func(), error) {
	folder := filepath.Join(dir, "logs")
	if err := atomicfile.MkdirAll(folder); err != nil {
		return nil, nil, fmt.Errorf("cannot make %s: %w", folder, cause(err))
	}
	file := filepath.Join(folder, stage+".log")
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot write %s: %w", file, cause(err))
	}
	return slog.New(slog.NewJSONHandler(f, nil)), func() { _ = f.Close() }, nil
}

// logged writes what a stage reports to its log as well.
type logged struct {
	progress.Reporter
	log *slog.Logger
}

func (l logged) Logf(format string, args ...any) {
	l.log.Info(fmt.Sprintf(format, args...))
	l.Reporter.Logf(format, args...)
}

func thisHost() Host {
	name, _ := os.Hostname()
	return Host{Name: name, OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU()}
}
