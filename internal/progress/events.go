package progress

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

// eventsEvery is the time between two events about the same part: often enough for
// whoever draws them, seldom enough for a file.
const eventsEvery = time.Second

// Events is a Reporter for programs: one JSON object a line, with time, level and
// msg as log/slog names them. It is an io.Writer too, which makes such an object
// of every line that is written to it, so that it can stand where stderr did.
type Events struct {
	handler slog.Handler
	now     func() time.Time

	mu   sync.Mutex
	part part
	rest []byte // of a line whose end has not been written yet
}

// NewEvents returns Events that are written to w.
func NewEvents(w io.Writer) *Events {
	return &Events{handler: slog.NewJSONHandler(w, nil), now: time.Now}
}

// ForStage returns Events of which each names the stage.
func (e *Events) ForStage(stage string) Reporter {
	return &Events{handler: e.handler.WithAttrs([]slog.Attr{slog.String("stage", stage)}), now: e.now}
}

// Start begins a part.
func (e *Events) Start(what string, total int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.end()
	e.part = startPart(what, total, e.now())
}

// Add counts n steps and tells of them when that is due.
func (e *Events) Add(n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if now := e.now(); e.part.add(n, now, eventsEvery) {
		e.progress(e.part, now, false)
	}
}

// Done ends the part.
func (e *Events) Done() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.end()
}

// Logf tells one thing.
func (e *Events) Logf(format string, args ...any) {
	e.emit(slog.LevelInfo, fmt.Sprintf(format, args...))
}

// Error tells why the program ends, and with which exit code.
func (e *Events) Error(message string, code int) {
	e.emit(slog.LevelError, message, slog.Int("exit_code", code))
}

// Write tells every line of p that is not blank; a line may come in pieces.
func (e *Events) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rest = append(e.rest, p...)
	for {
		line, rest, whole := bytes.Cut(e.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		e.rest = rest
		if line = bytes.TrimSpace(line); len(line) > 0 {
			e.emit(slog.LevelInfo, string(line))
		}
	}
}

// Flush tells the line that was not ended.
func (e *Events) Flush() { _, _ = e.Write([]byte("\n")) }

func (e *Events) end() {
	if p, tell := e.part.end(); tell {
		e.progress(p, e.now(), true)
	}
}

func (e *Events) progress(p part, now time.Time, ended bool) {
	attrs := []slog.Attr{slog.String("event", "progress"), slog.Int("done", p.done)}
	if p.total > 0 {
		attrs = append(attrs, slog.Int("total", p.total))
	}
	e.emit(slog.LevelInfo, p.what, append(attrs, slog.Float64("seconds", now.Sub(p.started).Seconds()), slog.Bool("ended", ended))...)
}

// emit writes one object. What cannot be written to stderr can be told nowhere.
func (e *Events) emit(level slog.Level, message string, attrs ...slog.Attr) {
	r := slog.NewRecord(e.now().UTC(), level, message, 0)
	r.AddAttrs(attrs...)
	_ = e.handler.Handle(context.Background(), r)
}
