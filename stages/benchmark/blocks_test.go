package benchmark

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"hsnas/internal/nn"
)

// script is a contestant whose times are written down.
type script struct {
	name   string
	times  func(n int) time.Duration // of its n-th repetition, from 0
	n      int
	opened int
	fails  int // the repetition that fails, 0 for none
	log    *[]string
}

func (s *script) Name() string { return s.name }

func (s *script) Open(context.Context) (stopwatch, func() error, error) {
	s.opened++
	*s.log = append(*s.log, s.name)
	return s, func() error { s.opened--; return nil }, nil
}

func (s *script) Once(context.Context) (nn.Times, error) {
	s.n++
	if s.n == s.fails {
		return nn.Times{}, errors.New("the device is gone")
	}
	return nn.Times{Parts: nn.Parts{Decoder: s.times(s.n - 1)}}, nil
}

func constant(n int) time.Duration { return 100 }

func contest(p Params, log *[]string, control func(n int) time.Duration) (*protocol, []*script) {
	all := []*script{{name: "control", times: control, log: log}, {name: "a", times: constant, log: log}, {name: "b", times: constant, log: log}}
	x := &protocol{p: p, done: func() {}, random: rand.New(rand.NewPCG(p.Seed, 1))}
	for _, s := range all {
		x.all = append(x.all, s)
	}
	return x, all
}

func TestBlocks(t *testing.T) {
	p := Defaults()
	p.Warmup, p.Repetitions, p.Rounds, p.Retries, p.Drift = 0, 10, 3, 2, 0.1
	// Before and after each of three models the control runs three times, so that a block
	// has 12 of its times, and its own repetitions besides.
	for _, c := range []struct {
		name                 string
		control              func(n int) time.Duration
		discarded, disturbed int
	}{
		{"steady", constant, 0, 0},
		{"slow for a while", func(n int) time.Duration {
			if n >= 6 && n < 14 {
				return 150
			}
			return 100
		}, 1, 0},
		{"a single spike is the median's business", func(n int) time.Duration {
			if n == 1 {
				return 900
			}
			return 100
		}, 0, 0},
		{"never steady", func(n int) time.Duration { return time.Duration(100 + 50*(n/3%2)) }, 6, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log []string
			x, scripts := contest(p, &log, c.control)
			got, err := x.run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range got {
				if len(r.times) != 10 || len(r.blocks) != 10 || r.blocks[9] != 2 || r.discarded != c.discarded || r.disturbed != c.disturbed {
					t.Errorf("%s: %d times in blocks %v, %d discarded, %d disturbed", scripts[i].name, len(r.times), r.blocks, r.discarded, r.disturbed)
				}
				if scripts[i].opened != 0 {
					t.Errorf("%s was not closed", scripts[i].name)
				}
			}
		})
	}
}

// TestOrderIsDrawn: another order in each block, the same for the same seed.
func TestOrderIsDrawn(t *testing.T) {
	p := Defaults()
	p.Warmup, p.Repetitions, p.Rounds = 0, 8, 8
	var logs [2][]string
	for i := range logs {
		x, _ := contest(p, &logs[i], constant)
		if _, err := x.run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(logs[0]) != fmt.Sprint(logs[1]) {
		t.Error("the same seed gave another order")
	}
	orders := map[string]bool{}
	for i := 1; i < len(logs[0]); i += 3 {
		orders[fmt.Sprint(logs[0][i:i+3])] = true
	}
	if len(orders) < 3 {
		t.Errorf("8 blocks in %d orders", len(orders))
	}
}

// TestFailureNamesItsModel: nothing goes on, and everything is closed.
func TestFailureNamesItsModel(t *testing.T) {
	p := Defaults()
	p.Warmup = 0
	for _, c := range []struct {
		fails int // which contestant
		want  string
	}{{1, "a: the device is gone"}, {0, "control, the control: the device is gone"}} {
		var log []string
		x, scripts := contest(p, &log, constant)
		scripts[c.fails].fails = 2
		if _, err := x.run(t.Context()); fmt.Sprint(err) != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
		for _, s := range scripts {
			if s.opened != 0 {
				t.Errorf("%s was not closed", s.name)
			}
		}
	}
}

func TestWarm(t *testing.T) {
	for _, c := range []struct {
		name  string
		times func(n int) time.Duration
		want  int
	}{
		{"steady from the start", constant, 3},
		{"settles", func(n int) time.Duration { return []time.Duration{900, 500, 300, 200, 101, 100, 99}[min(n, 6)] }, 7},
		{"never", func(n int) time.Duration { return time.Duration(100 * (n%2 + 1)) }, 4*3 + 3},
	} {
		var log []string
		s := &script{name: c.name, times: c.times, log: &log}
		if err := warm(t.Context(), s, 3); err != nil || s.n != c.want {
			t.Errorf("%s: %d repetitions, want %d; %v", c.name, s.n, c.want, err)
		}
	}
}
