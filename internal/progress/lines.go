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

	mu   sync.Mutex
	part part
}

// Start begins a part.
func (l *Lines) Start(what string, total int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end()
	l.part = startPart(what, total, l.Now())
}

// Add counts n steps and prints a line when one is due.
func (l *Lines) Add(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.Now(); l.part.add(n, now, l.Every) {
		l.print(l.part, now, "")
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
	if p, tell := l.part.end(); tell {
		l.print(p, l.Now(), ", ended")
	}
}

func (l *Lines) print(p part, now time.Time, ended string) {
	count := fmt.Sprint(p.done)
	if p.total > 0 {
		count = fmt.Sprintf("%d of %d (%d %%)", p.done, p.total, 100*p.done/p.total)
	}
	fmt.Fprintf(l.W, "%s: %s%s after %s\n", p.what, count, ended, now.Sub(p.started).Round(time.Second))
}
