package pipeline

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"hsnas/internal/progress"
)

// lockPoll is how often a process that waits for the lock looks again.
const lockPoll = 200 * time.Millisecond

// lock takes the run directory for this process, and waits while another has
// it. The lock is the kernel's: it ends with the process, however that ends.
func lock(ctx context.Context, dir string, report progress.Reporter) (unlock func(), err error) {
	l := flock.New(filepath.Join(dir, ".lock"))
	taken, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("cannot lock the run directory %s: %w", dir, cause(err))
	}
	if !taken {
		report.Logf("another process works in %s; waiting for it", dir)
		if _, err := l.TryLockContext(ctx, lockPoll); err != nil {
			return nil, fmt.Errorf("%w while waiting for another process in %s", ErrInterrupted, dir)
		}
	}
	return func() { _ = l.Unlock() }, nil
}
