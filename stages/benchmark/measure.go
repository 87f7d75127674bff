package benchmark

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"hsnas/internal/config"
	"hsnas/internal/machine"
	"hsnas/internal/nn"
	"hsnas/internal/ort"
	"hsnas/internal/roofline"
	"hsnas/internal/task"
	"hsnas/schemas"
)

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// series are the times of one part, in milliseconds.
type series struct {
	part string
	ms   []float64
	cpu  []float64 // computed by the calling thread
}

// parts are the series of a model's times.
func parts(times []nn.Times, search bool) []series {
	out := []series{{part: schemas.PartEncoder}, {part: schemas.PartDecoder}, {part: schemas.PartTotal}, {part: schemas.PartStep}}
	if search {
		out = append(out, series{part: schemas.PartSearch})
	}
	for _, t := range times {
		wall, cpu := inOrder(t.Parts), inOrder(t.CPU)
		for i := range out {
			out[i].ms, out[i].cpu = append(out[i].ms, wall[i]), append(out[i].cpu, cpu[i])
		}
	}
	return out
}

// inOrder are the milliseconds of parts in the order of the rows.
func inOrder(p nn.Parts) [5]float64 {
	return [5]float64{
		milliseconds(p.Encoder), milliseconds(p.Decoder), milliseconds(p.Encoder + p.Decoder), milliseconds(p.Step), milliseconds(p.Search),
	}
}

// timed is a point of the grid: a candidate's model, how it is run, and what was measured.
type timed struct {
	candidate
	model     nn.Model
	variant   variant
	sentences int
	source    int // tokens
	steps     int
	search    bool
	predicted float64 // milliseconds, NaN without a latency predictor
	dataset   string

	result
	difference float64 // of the logits, NaN for fp32
	peak       int64   // bytes of resident memory
	why        string  // the device does not run it, "" where it does
	conditions conditions

	rt *ort.Runtime
	p  Params
}

// conditions are what the machine was like.
type conditions struct {
	pinned        bool
	governor      string
	before, after float64 // load
	temperature   float64
}

// grid are all points for one model in its variant.
func grid(p Params, c timed) []*timed {
	var out []*timed
	for _, n := range p.Batches {
		for _, length := range p.Lengths {
			x := c
			x.sentences, x.source, x.steps, x.search, x.p = n, c.model.SourceTokens, c.model.TargetTokens, p.Search, p
			if length > 0 {
				x.source, x.steps = length, length
			}
			x.difference = math.NaN()
			out = append(out, &x)
		}
	}
	return out
}

// Name implements contestant: "largest (int8, 2 sentences of 30 tokens) on cpu".
func (c *timed) Name() string {
	return fmt.Sprintf("%s (%s, %d sentences of %d tokens) on %s", c.name, c.variant.name, c.sentences, c.source, c.p.Device)
}

// Open implements contestant.
func (c *timed) Open(ctx context.Context) (stopwatch, func() error, error) {
	machine.ResetPeakMemory()
	w, t, err := c.stopwatch()
	if err != nil {
		return nil, nil, err
	}
	return w, func() error {
		c.peak = max(c.peak, machine.PeakMemory())
		return t.Close()
	}, nil
}

func (c *timed) stopwatch() (*nn.Stopwatch, *nn.Translator, error) {
	t, err := nn.Load(c.rt, c.model, ort.Options{Device: c.p.Device, Threads: c.p.Threads, Optimization: c.variant.level})
	if err != nil {
		return nil, nil, err
	}
	if c.p.LargePages {
		ort.LargePages()
	}
	w, err := nn.NewStopwatch(t, nn.Protocol{
		Sentences: c.sentences, SourceTokens: c.source, TargetTokens: c.steps, Beam: c.p.Beam, Seed: c.p.Seed, Search: c.search,
	})
	if err != nil {
		return nil, nil, joinClose(err, t.Close)
	}
	return w, t, nil
}

func joinClose(err error, shut func() error) error { return errors.Join(err, shut()) }

// measure times all points by the protocol.
func measure(ctx context.Context, rt *ort.Runtime, p Params, all []*timed, done func()) error {
	here := conditions{governor: machine.Governor(), before: machine.Load()}
	if p.Pin && p.Threads == 1 && device(p) == "CPU" {
		release, ok := machine.Pin()
		defer release()
		here.pinned = ok
	}
	x := protocol{p: p, done: done, random: rand.New(rand.NewPCG(p.Seed, 0x626c6f636b))}
	for _, c := range all {
		c.rt, c.p = rt, p
		x.all = append(x.all, c)
	}
	results, err := x.run(ctx)
	if err != nil {
		return fmt.Errorf("benchmark: %w", err)
	}
	here.after, here.temperature = machine.Load(), machine.Temperature()
	for i, c := range all {
		c.result, c.conditions = results[i], here
	}
	return compare(ctx, all)
}

func device(p Params) string {
	name, _ := ort.Provider(p.Device)
	return name
}

// compare holds the logits of every variant against those of fp32 at the same point.
func compare(ctx context.Context, all []*timed) error {
	type point struct {
		id                 string
		sentences, s, step int
	}
	want := map[point][]float32{}
	for _, standard := range []bool{true, false} {
		for _, c := range all {
			at := point{c.arch.ID(), c.sentences, c.source, c.steps}
			if (c.variant.name == variants[0].name) != standard || !standard && want[at] == nil || len(c.p.Variants) == 1 {
				continue
			}
			logits, err := c.logits(ctx)
			if err != nil {
				return fmt.Errorf("benchmark: %s: %w", c.Name(), err)
			}
			if standard {
				want[at] = logits
			} else {
				c.difference = difference(want[at], logits)
			}
		}
	}
	return nil
}

func (c *timed) logits(ctx context.Context) ([]float32, error) {
	w, t, err := c.stopwatch()
	if err != nil {
		return nil, err
	}
	logits, err := w.Logits(ctx)
	return logits, joinClose(err, t.Close)
}

// difference is the largest of two sets of numbers, in standard deviations of the first.
func difference(want, got []float32) float64 {
	var sum, squares, worst float64
	for i, x := range want {
		sum += float64(x)
		squares += float64(x) * float64(x)
		worst = max(worst, math.Abs(float64(x)-float64(got[i])))
	}
	n := float64(len(want))
	return worst / math.Sqrt(squares/n-sum/n*sum/n)
}

// Model times one exported model at p's points, p's repetitions in one round, and
// says how near the times come to what the machine can do.
func Model(ctx context.Context, rt *ort.Runtime, m nn.Model, t *task.Task, p Params) ([]schemas.Benchmark, []schemas.Roofline, error) {
	all, err := timeModel(ctx, rt, m, t, p)
	if err != nil {
		return nil, nil, err
	}
	limits, err := roofline.Measure(ctx, rt, ort.Options{Device: p.Device, Threads: p.Threads})
	if err != nil {
		return nil, nil, err
	}
	rows, err := benchmarkRows(t, p, all)
	if err != nil {
		return nil, nil, err
	}
	roofs, err := rooflineRows(t, p, limits, all)
	return rows, roofs, err
}

func timeModel(ctx context.Context, rt *ort.Runtime, m nn.Model, t *task.Task, p Params) ([]*timed, error) {
	if err := p.Validate(); err != nil {
		return nil, config.Errorf("", 0, "benchmark: %v", err)
	}
	a, err := t.Space.ParseArchitecture(m.Architecture)
	if err != nil {
		return nil, fmt.Errorf("%s: architecture: %w", m.File(nn.ModelFile), err)
	}
	var all []*timed
	for _, name := range p.Variants {
		v, err := variantOf(name)
		if err != nil {
			return nil, err
		}
		if written := m.Written(); v.precision != written {
			if len(p.Variants) > 1 || name != variants[0].name {
				return nil, config.Errorf("", 0, "variant %q needs a model of precision %s, the one in %s is of %s; export it with --precision %s",
					name, v.precision, m.Dir, written, v.precision)
			}
			v = variantIn(written)
		}
		all = append(all, grid(p, timed{candidate: candidate{m.ID, a}, model: m, variant: v, predicted: math.NaN(), why: v.never(p)})...)
	}
	all, refused, err := sift(ctx, rt, p, all)
	if err == nil && len(refused) > 0 {
		err = refuse(refused[0])
	}
	if err != nil {
		return nil, err
	}
	return all, measure(ctx, rt, p, all, func() {})
}
