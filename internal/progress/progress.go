// Package progress tells a person how far a long computation is: a bar where
// the output is a terminal, else a plain line now and then that reads well in a
// log file. Events tell programs the same.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Reporter is told what a computation does. Every method may be called from
// several goroutines at once.
type Reporter interface {
	// Start begins a part of total steps, or of an unknown number when total is
	// 0 or less. A part that is still open is ended.
	Start(what string, total int)
	// Add says that n more steps of the part are done.
	Add(n int)
	// Done ends the part.
	Done()
	// Logf prints one line, without disturbing a bar.
	Logf(format string, args ...any)
}

// Discard is a Reporter that says nothing.
var Discard Reporter = discard{}

type discard struct{}

func (discard) Start(string, int)   {}
func (discard) Add(int)             {}
func (discard) Done()               {}
func (discard) Logf(string, ...any) {}

// New returns a Reporter that draws bars when w is a terminal, else writes lines;
// Events report by themselves.
func New(w io.Writer) Reporter {
	if e, ok := w.(*Events); ok {
		return e
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &bars{w: w}
	}
	return &Lines{W: w, Every: 10 * time.Second, Now: time.Now}
}

// bars draws the open part as a progress bar.
type bars struct {
	mu  sync.Mutex
	w   io.Writer
	bar *progressbar.ProgressBar
}

func (b *bars) Start(what string, total int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end()
	if total <= 0 {
		total = -1 // the package's sign for an unknown number: a spinner
	}
	b.bar = progressbar.NewOptions(total,
		progressbar.OptionSetWriter(b.w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(30),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetRenderBlankState(true),
		progressbar.OptionClearOnFinish(),
	)
}

func (b *bars) Add(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		_ = b.bar.Add(n) // more steps than announced are no reason to stop
	}
}

func (b *bars) Done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.end()
}

func (b *bars) Logf(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		_ = b.bar.Clear()
	}
	fmt.Fprintf(b.w, format+"\n", args...)
	if b.bar != nil && !b.bar.IsFinished() {
		_ = b.bar.RenderBlank()
	}
}

func (b *bars) end() {
	if b.bar != nil {
		_ = b.bar.Clear()
		_ = b.bar.Exit()
		b.bar = nil
	}
}
