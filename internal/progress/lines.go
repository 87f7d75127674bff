package progress

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Lines is a Reporter for files and pipes. A part that ends before Every has
// passed prints nothing; a longer one prints how far it is, at most once in
// every such span, and how long it took.
type Lines struct {
	W     io.Writer
	Every time.Duration    // between two lines about the same part
	Now   func() time.Time // the clock

	mu            sync.Mutex
	what          string
	done, total   int
	started, last time.Time
	printed       bool
}

// Start begins a part.
func (l *Lines) Start(what string, total int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end()
	now := l.Now()
	l.what, l.total, l.done = what, total, 0
	l.started, l.last, l.printed = now, now, false
}

// Add counts n steps and prints a line when one is due.
func (l *Lines) Add(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.what == "" {
		return
	}
	l.done += n
	if now := l.Now(); now.Sub(l.last) >= l.Every {
		l.last, l.printed = now, true
		l.print(now, l.count())
	}
}

// Done ends the part.
func (l *Lines) Done() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end()
}

// Logf prints one line.
func (l *Lines) Logf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.W, format+"\n", args...)
}

func (l *Lines) end() {
	if l.what != "" && l.printed {
		l.print(l.Now(), l.count()+", ended")
	}
	l.what = ""
}

func (l *Lines) count() string {
	if l.total <= 0 {
		return fmt.Sprint(l.done)
	}
	return fmt.Sprintf("%d of %d (%d %%)", l.done, l.total, 100*l.done/l.total)
}

func (l *Lines) print(now time.Time, count string) {
	fmt.Fprintf(l.W, "%s: %s after %s\n", l.what, count, now.Sub(l.started).Round(time.Second))
}
