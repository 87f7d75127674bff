package llm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hsnas/internal/atomicfile"
)

// slowDisk holds every flush up until it is let go, and may fail.
type slowDisk struct {
	*atomicfile.Growing
	let     chan struct{} // one for each flush
	flushes atomic.Int32
	torn    int   // bytes that reach the disk of a write that fails; 0: all do, and it does not fail
	fault   error // of a flush
}

func (d *slowDisk) Write(p []byte) (int, error) {
	if d.torn == 0 {
		return d.Growing.Write(p)
	}
	n, _ := d.Growing.Write(p[:d.torn])
	return n, syscall.ENOSPC
}

func (d *slowDisk) Sync() error {
	<-d.let
	d.flushes.Add(1)
	return d.fault
}

// slowJournal is a journal on a slow disk.
func slowJournal(t *testing.T) (*Journal, *slowDisk) {
	t.Helper()
	j := openJournal(t, filepath.Join(t.TempDir(), "journal.jsonl"))
	d := &slowDisk{Growing: j.file, let: make(chan struct{}, 100)}
	j.disk = d
	return j, d
}

// waits returns when so many entries wait for the disk.
func (j *Journal) waits(n int) {
	for {
		j.mu.Lock()
		waiting := len(j.waiting)
		j.mu.Unlock()
		if waiting == n {
			return
		}
		runtime.Gosched()
	}
}

// TestFlushesAreShared: what comes while one answer is flushed takes one more
// flush, not twenty, and nothing counts before its own.
func TestFlushesAreShared(t *testing.T) {
	j, d := slowJournal(t)
	var all sync.WaitGroup
	add := func(sample int) {
		all.Go(func() {
			if err := j.Append(entry(sample, "x")); err != nil {
				t.Error(err)
			}
		})
	}
	add(1)
	j.waits(1)
	d.flushing(j)
	for sample := 2; sample <= 21; sample++ {
		add(sample)
		add(sample) // twice: it waits, and is written once
	}
	j.waits(21)
	if j.Len() != 0 {
		t.Errorf("%d answers count before they are on the disk", j.Len())
	}
	d.let <- struct{}{}
	d.let <- struct{}{}
	all.Wait()
	if n := d.flushes.Load(); n != 2 || j.Len() != 21 {
		t.Errorf("%d flushes for %d answers, want 2 for 21", n, j.Len())
	}
	if again := openJournal(t, j.path); again.Len() != 21 || len(again.Damage) > 0 {
		t.Errorf("%d answers on the disk, damage %q", again.Len(), again.Damage)
	}
}

// flushing returns when the first flush has taken its lines.
func (d *slowDisk) flushing(j *Journal) {
	for {
		j.mu.Lock()
		taken := j.next == nil
		j.mu.Unlock()
		if taken {
			return
		}
		runtime.Gosched()
	}
}

// TestDiskFaults: everyone who waits for a line that did not reach the disk is
// told, nothing is written behind a torn line, and the journal opens again.
func TestDiskFaults(t *testing.T) {
	whole := len(entry(2, "x").Line())
	tests := []struct {
		name  string
		torn  int
		fault error
		want  string
		kept  int // answers when it is opened again
	}{
		{"full in the first line", 10, nil, "append to the journal: no space left on device", 1},
		{"full in a later line", whole + 5, nil, "append to the journal: no space left on device", 2},
		{"full between lines", whole, nil, "append to the journal: no space left on device", 2},
		{"flush fails", 0, syscall.EIO, "flush the journal: input/output error", 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j, d := slowJournal(t)
			d.let <- struct{}{}
			if err := j.Append(entry(1, "x")); err != nil {
				t.Fatal(err)
			}
			j.turn.Lock() // gather them in one flush
			errs := make(chan error, 3)
			for sample := 2; sample <= 4; sample++ {
				go func() { errs <- j.Append(entry(sample, "x")) }()
				j.waits(sample - 1)
			}
			d.torn, d.fault = tt.torn, tt.fault
			d.let <- struct{}{}
			j.turn.Unlock()
			for range 3 {
				if err := <-errs; err == nil || err.Error() != tt.want {
					t.Errorf("got %v, want %s", err, tt.want)
				}
			}
			d.torn, d.fault = 0, nil // there is room again, but not behind a torn line
			if err := j.Append(entry(5, "x")); err == nil || err.Error() != tt.want {
				t.Errorf("after the fault: got %v, want %s", err, tt.want)
			}
			if err := j.Append(entry(1, "x")); err != nil || j.Len() != 1 {
				t.Errorf("%v, %d answers; the first is on the disk and counts", err, j.Len())
			}
			again := openJournal(t, j.path)
			if again.Len() != tt.kept {
				t.Errorf("%d answers when opened again, want %d", again.Len(), tt.kept)
			}
			if err := again.Append(entry(5, "x")); err != nil {
				t.Fatal(err)
			}
			if last := openJournal(t, j.path); last.Len() != tt.kept+1 || len(last.Damage) > 0 {
				t.Errorf("%d answers at last, damage %q", last.Len(), last.Damage)
			}
		})
	}
}

// TestFullDiskEndsTheRun: an answer that cannot be kept is no answer.
func TestFullDiskEndsTheRun(t *testing.T) {
	s := serve(t, answer("x"))
	j, d := slowJournal(t)
	d.torn = 5
	_, err := NewJournaled(s.live(Options{}, nil), j, nil).Do(context.Background(), request())
	var e *Error
	if !errors.As(err, &e) || e.Kind != Fatal || err.Error() != "request t-demos1-test-0: append to the journal: no space left on device" {
		t.Errorf("got %v", err)
	}
}

// TestSlots: so many requests are in flight and no more, however many ask; an
// answer on its way to the disk does not keep the next request back.
func TestSlots(t *testing.T) {
	var inFlight, most atomic.Int32
	arrived := make(chan struct{}, 100)
	let := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := inFlight.Add(1)
		most.Store(max(most.Load(), n))
		arrived <- struct{}{}
		<-let
		inFlight.Add(-1)
		answer("x")(w, r)
	})
	j, d := slowJournal(t)
	c := NewJournaled(s.live(Options{InFlight: 3}, nil), j, nil)
	var all sync.WaitGroup
	for sample := 1; sample <= 10; sample++ {
		all.Go(func() {
			r := request()
			r.Sample = sample
			if _, err := c.Do(context.Background(), r); err != nil {
				t.Error(err)
			}
		})
	}
	for range 3 {
		<-arrived
	}
	close(let)
	for range 7 { // they come though no answer has reached the disk
		<-arrived
	}
	if n := d.flushes.Load(); n != 0 {
		t.Errorf("%d flushes", n)
	}
	close(d.let)
	all.Wait()
	if most.Load() > 3 {
		t.Errorf("%d requests in flight, want at most 3", most.Load())
	}
}

// TestInterruptBeforeASlot: who waits for a slot is not kept by an interrupt, and
// sends nothing.
func TestInterruptBeforeASlot(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	let := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-let
		answer("paid")(w, r)
	})
	c := s.live(Options{InFlight: 1}, nil)
	first := make(chan error)
	go func() {
		_, err := c.Do(ctx, request())
		first <- err
	}()
	<-ctx.Done()
	if _, err := c.Do(ctx, request()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a cancelled context", err)
	}
	close(let)
	if err := <-first; err != nil || s.count() != 1 {
		t.Errorf("%v, %d requests; want the answer under way and no second one", err, s.count())
	}
}

// TestWaitingReservesNothing: a budget that is enough for what the answers take is
// not used up by reservations of requests that wait for their turn.
func TestWaitingReservesNothing(t *testing.T) {
	s := serve(t, answer("x"))
	r := request()
	r.MaxTokens = 2000
	prompt, completion := r.Estimate()
	c := s.live(Options{InFlight: 1, Budget: &Budget{MaxTokens: 20*120 + prompt + completion}}, nil)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := c.Do(context.Background(), r); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// TestConnectionsAreKept: a second wave of requests shakes no hands.
func TestConnectionsAreKept(t *testing.T) {
	const width = 20
	var gate sync.WaitGroup // lets a wave answer when all of it is there
	var opened sync.Map     // by the client's address
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		opened.Store(r.RemoteAddr, true)
		gate.Done()
		gate.Wait()
		answer("x")(w, r)
	})
	c := s.live(Options{InFlight: width}, nil)
	for wave := range 3 {
		gate.Add(width)
		var all sync.WaitGroup
		for i := range width {
			all.Go(func() {
				r := request()
				r.Sample = wave*width + i + 1
				if _, err := c.Do(context.Background(), r); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	n := 0
	opened.Range(func(any, any) bool { n++; return true })
	if n > width {
		t.Errorf("%d connections for %d requests in flight", n, width)
	}
}

// TestRefusedConnection names what happened, and not where: the user's URL may
// hold what nobody should read.
func TestRefusedConnection(t *testing.T) {
	s := serve(t, answer("x"))
	c := s.live(Options{Tries: 2}, nil)
	address := strings.TrimPrefix(s.URL, "http://")
	s.Close()
	_, err := c.Do(context.Background(), request())
	want := "request t-demos1-test-0: tried 2 times, the last time: dial tcp " + address + ": connect: connection refused"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		header, value string
		want          time.Duration
	}{
		{"Retry-After", "7", 7 * time.Second},
		{"Retry-After", " 1.5 ", 1500 * time.Millisecond},
		{"Retry-After", "Tue, 24 Nov 2026 12:00:30 GMT", 30 * time.Second},
		{"Retry-After", "Tue, 24 Nov 2026 11:00:00 GMT", 0},
		{"Retry-After", "1e300", 24 * time.Hour},
		{"Retry-After", "inf", 24 * time.Hour},
		{"Retry-After", "nan", 0},
		{"Retry-After", "-3", 0},
		{"Retry-After", "soon", 0},
		{"Retry-After", "", 0},
		{"Retry-After-Ms", "250", 250 * time.Millisecond},
		{"Retry-After-Ms", "soon", 0},
	}
	for _, tt := range tests {
		if got := retryAfter(http.Header{tt.header: {tt.value}}, now); got != tt.want {
			t.Errorf("%s %q: %s, want %s", tt.header, tt.value, got, tt.want)
		}
	}
}

// TestRetryAfterIsTheLeast: a pause is never shorter than the service asks for.
func TestRetryAfterIsTheLeast(t *testing.T) {
	var pauses []time.Duration
	wait := status(429, map[string]string{"Retry-After": "3"}, rateBody)
	s := serve(t, wait, status(500, nil, ""), status(500, nil, ""), status(500, nil, ""), answer("x"))
	if _, err := s.live(Options{}, &pauses).Do(context.Background(), request()); err != nil {
		t.Fatal(err)
	}
	if want := []time.Duration{3 * time.Second, time.Second, 2 * time.Second, 4 * time.Second}; !slices.Equal(pauses, want) {
		t.Errorf("pauses %v, want %v", pauses, want)
	}
}

// TestAnotherRequestsFault: where a run ends for the fault of one request, the
// others, which end with it, neither take it for theirs nor hold themselves as
// their own cause, which would send whoever looks for an *Error round in circles.
func TestAnotherRequestsFault(t *testing.T) {
	other := &Error{Kind: Exhausted, CustomID: "other", Tries: 3, Msg: "the service is down"}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(fmt.Errorf("label: %w", other))
	err := new(Live).final(ctx, Request{CustomID: "mine"}, 1, context.Cause(ctx))
	mine, ok := err.(*Error)
	if !ok || mine.CustomID != "mine" || mine.Kind != Fatal {
		t.Fatalf("%v", err)
	}
	if other.CustomID != "other" || other.Tries != 3 {
		t.Errorf("the other request's fault became %+v", other)
	}
	depth := 0
	for e := err; e != nil && depth < 10; e = errors.Unwrap(e) {
		depth++
	}
	if depth == 10 {
		t.Error("the error is its own cause")
	}
}
