package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"hsnas/internal/progress"
)

// lockName is the lock's name in the run directory. The file says who holds it.
const lockName = ".lock"

// lockPoll is how often a process that waits for the lock looks again.
const lockPoll = 200 * time.Millisecond

// lock takes the run directory for this process, and waits while another has
// it, unless noWait says that it should not. The lock is the kernel's: it ends
// with the process, however that ends.
func lock(ctx context.Context, dir string, noWait bool, report progress.Reporter) (unlock func(), err error) {
	file := filepath.Join(dir, lockName)
	l := flock.New(file)
	taken, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("cannot lock the run directory %s: %w", dir, cause(err))
	}
	if !taken && noWait {
		return nil, fmt.Errorf("%s is in use by %s; leave out --no-wait to wait for it", dir, holder(file))
	}
	if !taken {
		report.Logf("%s is in use by %s; waiting for it", dir, holder(file))
		_, err := l.TryLockContext(ctx, lockPoll)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, fmt.Errorf("%w while waiting for another process in %s", ErrInterrupted, dir)
		case err != nil:
			return nil, fmt.Errorf("cannot lock the run directory %s: %w", dir, cause(err))
		}
	}
	// For people only: nothing is read from it to decide anything.
	_ = os.WriteFile(file, fmt.Appendf(nil, "process %d on %s\n", os.Getpid(), thisHost().Name), 0o666)
	return func() { _ = l.Unlock() }, nil
}

// holder names the process that wrote its name into the lock.
func holder(file string) string {
	text, _ := os.ReadFile(file)
	if name, _, _ := strings.Cut(string(text), "\n"); name != "" {
		return name
	}
	return "another process"
}

// User names the process that works in the run directory now, "" where none does.
func User(dir string) string {
	if !locked(dir) {
		return ""
	}
	return holder(filepath.Join(dir, lockName))
}

// locked reports whether a process works in the run directory now. Looking
// takes a lock that others can share, for an instant: a process that starts in
// that instant waits for one lockPoll.
func locked(dir string) bool {
	file := filepath.Join(dir, lockName)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return false
	}
	l := flock.New(file)
	free, err := l.TryRLock()
	if free {
		_ = l.Unlock()
	}
	return err == nil && !free
}
