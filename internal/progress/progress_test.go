package progress

import (
	"bytes"
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
	for _, r := range []Reporter{Discard, New(&out), &bars{w: &out}} {
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
	if n := strings.Count(out.String(), "step\n"); n != 96 {
		t.Errorf("%d log lines, want 96", n)
	}
}
