package progress

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock advances by hand.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestLinesAreRateLimited(t *testing.T) {
	var out bytes.Buffer
	c := &clock{}
	l := &Lines{W: &out, Every: 10 * time.Second, Now: c.now}
	l.Start("labelling", 200)
	for range 100 {
		c.t = c.t.Add(250 * time.Millisecond)
		l.Add(1)
	}
	l.Logf("%d requests refused", 2)
	l.Done()
	l.Start("quick", 3)
	l.Add(3)
	l.Done()
	l.Add(5) // outside any part: ignored
	l.Start("reading", 0)
	c.t = c.t.Add(11 * time.Second)
	l.Add(7)
	l.Start("next", 1) // ends the open part
	want := strings.Join([]string{
		"labelling: 40 of 200 (20 %) after 10s",
		"labelling: 80 of 200 (40 %) after 20s",
		"2 requests refused",
		"labelling: 100 of 200 (50 %), ended after 25s",
		"reading: 7 after 11s",
		"reading: 7, ended after 11s",
		"",
	}, "\n")
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestNewWritesLinesToWhatIsNoTerminal(t *testing.T) {
	if _, ok := New(&bytes.Buffer{}).(*Lines); !ok {
		t.Error("a buffer got a bar")
	}
}

func TestReportersTakeConcurrentCalls(t *testing.T) {
	var out bytes.Buffer
	for _, r := range []Reporter{Discard, New(&out), &bars{w: &out}, NewEvents(&out)} {
		r.Start("work", 40)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 12 { // 48 steps, more than announced
					r.Add(1)
					r.Logf("step")
				}
			})
		}
		wg.Wait()
		r.Done()
		r.Done()
	}
	if n := strings.Count(out.String(), "step\n") + strings.Count(out.String(), `"msg":"step"}`); n != 144 {
		t.Errorf("%d log lines, want 144", n)
	}
}

// TestEvents: every line is one JSON object, whether reported, written or an error.
func TestEvents(t *testing.T) {
	var out bytes.Buffer
	c := &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	e := NewEvents(&out)
	e.now = c.now
	r := New(e)
	LogStage(r, "label", "runs: %d %s", 2, "reasons")
	s := ForStage(r, "label")
	s.Start("labelling", 200)
	for range 5 {
		c.t = c.t.Add(400 * time.Millisecond)
		s.Add(10)
	}
	s.Start("quick", 3) // ends the open part
	s.Add(3)
	s.Done()
	s.Start("reading", 0)
	c.t = c.t.Add(2 * time.Second)
	s.Add(7)
	s.Done()
	io.WriteString(e, "half a \"line\"")
	io.WriteString(e, ", whole\n\n  two\nthree")
	e.Flush()
	e.Flush()
	e.Error("broken\nfor good", 2)
	const want = `{"time":"2026-01-02T03:04:05Z","level":"INFO","msg":"runs: 2 reasons","stage":"label"}
{"time":"2026-01-02T03:04:06.2Z","level":"INFO","msg":"labelling","stage":"label","event":"progress","done":30,"total":200,"seconds":1.2,"ended":false}
{"time":"2026-01-02T03:04:07Z","level":"INFO","msg":"labelling","stage":"label","event":"progress","done":50,"total":200,"seconds":2,"ended":true}
{"time":"2026-01-02T03:04:09Z","level":"INFO","msg":"reading","stage":"label","event":"progress","done":7,"seconds":2,"ended":false}
{"time":"2026-01-02T03:04:09Z","level":"INFO","msg":"reading","stage":"label","event":"progress","done":7,"seconds":2,"ended":true}
{"time":"2026-01-02T03:04:09Z","level":"INFO","msg":"half a \"line\", whole"}
{"time":"2026-01-02T03:04:09Z","level":"INFO","msg":"two"}
{"time":"2026-01-02T03:04:09Z","level":"INFO","msg":"three"}
{"time":"2026-01-02T03:04:09Z","level":"ERROR","msg":"broken\nfor good","exit_code":2}
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// TestLogStage: people read the stage before the text.
func TestLogStage(t *testing.T) {
	var out bytes.Buffer
	LogStage(New(&out), "tfs", "done in %.1f s", 2.25)
	if want := "tfs        done in 2.2 s\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
