package latency

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"hsnas/internal/metric"
	"hsnas/internal/micro"
	"hsnas/internal/ort"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// Measurement times architectures in turns: in each round all of them, in another
// order, and after every twenty the control, the largest of the space. Where they do
// not fit into memory together a round has several sittings, each of a block that is
// open together, and is divided otherwise than the round before. What a sitting is
// slower by than others, because the machine was, is estimated and taken out.
type Measurement struct {
	Params   Params // Rounds, Warmup, Repetitions, Seed
	Task     *task.Task
	Archs    []space.Architecture
	Machine  Machine
	Protocol string   // what else the timings depend on, for the state file
	State    string   // file of finished rounds, which are not measured again
	Also     []string // further such files, which are only read
	Only     []int    // the rounds to measure; nil for all
	Memory   int64    // bytes that open models may take; 0 means 1 GiB
}

// Timing is what was measured of an architecture, in milliseconds, encoder and decoder
// apart: the fastest of all repetitions or, where a round has several sittings, the
// lower quartile of the sittings' fastest, at the machine's average pace. What
// disturbs a machine for a moment only ever slows it (Chen and Revels, arXiv
// 1608.04295): on a busy one two halves of a measurement agree to 2 or 3 % so, but to
// 12 % in medians over the rounds of HAT's mean of the middle 80 %. What makes it
// slower for minutes, the fastest of a sitting cannot avoid; see [pace].
type Timing struct {
	EncoderMS, DecoderMS float64
	// Standard deviations between the rounds' fastest, of encoder, decoder and both;
	// NaN for one round.
	EncoderStdMS, DecoderStdMS, StdMS float64
	// HiMS is the upper end of the 95 % interval of MS, see upper; NaN for one round.
	HiMS float64
}

// MS is the time of one sentence.
func (t Timing) MS() float64 { return t.EncoderMS + t.DecoderMS }

// Control is how steady the machine was.
type Control struct {
	Visits int
	MS     float64 // fastest
	CV     float64 // coefficient of variation over all visits; NaN for one
	Drift  float64 // change of the median from the first round to the last, a fraction; NaN for one round
}

// String is a line for people.
func (c Control) String() string {
	text := fmt.Sprintf("control (the largest architecture): timings %d", c.Visits)
	if !math.IsNaN(c.CV) {
		text += fmt.Sprintf(", coefficient of variation %.1f %%", 100*c.CV)
	}
	if !math.IsNaN(c.Drift) {
		text += fmt.Sprintf(", last round %+.1f %% against the first", 100*c.Drift)
	}
	return text
}

// controlEvery is how many architectures are timed between two visits to the
// control.
const controlEvery = 20

// Run measures the rounds that the state file does not have.
func (m *Measurement) Run(ctx context.Context, rep progress.Reporter) ([]Timing, Control, error) {
	done, err := m.finish(ctx, rep)
	if err != nil {
		return nil, Control{}, err
	}
	timings, err := m.timings(done)
	return timings, m.control(done), err
}

// finish returns the sittings, after it has measured what the state lacks.
func (m *Measurement) finish(ctx context.Context, rep progress.Reporter) (map[sitting]round, error) {
	key, err := m.key()
	if err != nil {
		return nil, err
	}
	kept, err := openRounds(m.State, key, rep)
	if err != nil {
		return nil, err
	}
	defer kept.close()
	for _, file := range m.Also {
		if err := kept.read(file, key, rep); err != nil {
			return nil, err
		}
	}
	return kept.done, m.rest(ctx, key, kept, rep)
}

// key is the hash of all that the timings are of.
func (m *Measurement) key() (string, error) {
	ids := make([]string, len(m.Archs))
	for i, a := range m.Archs {
		ids[i] = a.String()
	}
	text, err := json.Marshal([]any{
		Version, ort.Version, m.Machine.Name(), m.Task.Model, ids, m.Task.Space.Largest().String(),
		m.Params.Rounds, m.Params.Warmup, m.Params.Repetitions, m.Params.Seed, m.Protocol, m.memory(),
	})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// rest measures what kept does not have.
func (m *Measurement) rest(ctx context.Context, key string, kept *rounds, rep progress.Reporter) error {
	plan, err := m.plan()
	if err != nil {
		return err
	}
	var missing []sitting
	turns, known := 0, 0
	for _, s := range plan {
		if one, ok := kept.done[s.sitting]; ok && len(one.EncoderMS) == len(s.block) {
			known++
			continue
		}
		if m.Only != nil && !slices.Contains(m.Only, s.round) {
			continue
		}
		missing, turns = append(missing, s.sitting), turns+len(s.block)
	}
	if known > 0 {
		rep.Logf("%d of %d sittings of timings are kept from an earlier attempt", known, len(plan))
	}
	b := &bench{}
	defer func() { b.close() }()
	done := 0
	for _, s := range plan {
		if !slices.Contains(missing, s.sitting) {
			continue
		}
		if !slices.Equal(b.block, s.block) {
			b.close()
			if b, err = m.open(ctx, s.block, rep); err != nil {
				return err
			}
		}
		rep.Start("timing architectures", turns)
		rep.Add(done)
		one, err := m.sit(ctx, b, s.round, rep)
		rep.Done()
		if err != nil {
			return err
		}
		one.Key, one.Number, one.Block = key, s.round, s.sitting.block
		if err := kept.add(one); err != nil {
			return err
		}
		done += len(s.block)
	}
	return nil
}

// planned is a sitting and the architectures that it times, by their places.
type planned struct {
	sitting
	block []int
}

// plan is all sittings in their order. Where everything fits into memory all rounds
// have one block in the same order, and it stays open.
func (m *Measurement) plan() ([]planned, error) {
	var out []planned
	for number := range m.Params.Rounds {
		blocks, err := m.blocks(number)
		if err != nil {
			return nil, err
		}
		if len(blocks) == 1 {
			slices.Sort(blocks[0])
		}
		for k, block := range blocks {
			out = append(out, planned{sitting{number, k}, block})
		}
	}
	return out, nil
}

// turnRepetitions is how many repetitions of an architecture follow one another,
// about: more are taken in several turns of a sitting.
const turnRepetitions = 6

// sit times the architectures of an open bench in one or more turns; the control is
// the first of the bench.
func (m *Measurement) sit(ctx context.Context, b *bench, number int, rep progress.Reporter) (round, error) {
	p := m.Params
	n := p.Repetitions*(number+1)/p.Rounds - p.Repetitions*number/p.Rounds
	turns := max(1, n/turnRepetitions)
	out := round{EncoderMS: endless(len(b.block)), DecoderMS: endless(len(b.block))}
	for turn := range turns {
		repetitions := n*(turn+1)/turns - n*turn/turns
		for place, i := range m.order(number, 0x726f756e64+uint64(turn)<<16, len(b.block)) {
			if place%controlEvery == 0 {
				times, err := b.visit(ctx, 0, p.Warmup, repetitions)
				if err != nil {
					return round{}, err
				}
				out.ControlEncoderMS = append(out.ControlEncoderMS, milliseconds(times.Encoder))
				out.ControlDecoderMS = append(out.ControlDecoderMS, milliseconds(times.Decoder))
			}
			times, err := b.visit(ctx, i+1, p.Warmup, repetitions)
			if err != nil {
				return round{}, err
			}
			out.EncoderMS[i] = min(out.EncoderMS[i], milliseconds(times.Encoder))
			out.DecoderMS[i] = min(out.DecoderMS[i], milliseconds(times.Decoder))
			if turn == 0 {
				rep.Add(1)
			}
		}
	}
	return out, nil
}

// endless is a minimum of nothing, for each of n.
func endless(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.MaxFloat64
	}
	return out
}

// visit runs architecture i of the bench and returns its fastest encoder and
// decoder of n repetitions after the warm-up.
func (b *bench) visit(ctx context.Context, i, warmup, n int) (micro.Times, error) {
	fastest := micro.Times{Encoder: math.MaxInt64, Decoder: math.MaxInt64}
	for k := range warmup + n {
		times, err := b.open[i].Once(ctx)
		if err != nil {
			return micro.Times{}, fmt.Errorf("timing architecture %s on %s: %w", b.archs[i].ID(), b.device, err)
		}
		if k >= warmup {
			fastest.Encoder, fastest.Decoder = min(fastest.Encoder, times.Encoder), min(fastest.Decoder, times.Decoder)
		}
	}
	return fastest, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// timings sums the sittings up.
func (m *Measurement) timings(done map[sitting]round) ([]Timing, error) {
	plan, err := m.plan()
	if err != nil {
		return nil, err
	}
	complete := len(plan) == m.Params.Rounds
	of := func(time func(encoder, decoder float64) float64) [][]float64 {
		var seen []observation
		for _, s := range plan {
			r := done[s.sitting]
			for k := range r.ControlEncoderMS {
				seen = append(seen, observation{s.sitting, 0, math.Log(time(r.ControlEncoderMS[k], r.ControlDecoderMS[k]))})
			}
			for k, i := range s.block {
				seen = append(seen, observation{s.sitting, i + 1, math.Log(time(r.EncoderMS[k], r.DecoderMS[k]))})
			}
		}
		return steady(seen, len(m.Archs)+1, complete)
	}
	encoder := of(func(e, _ float64) float64 { return e })
	decoder := of(func(_, d float64) float64 { return d })
	both := of(func(e, d float64) float64 { return e + d })
	out := make([]Timing, len(m.Archs))
	for i := range out {
		e, d := encoder[i+1], decoder[i+1]
		out[i] = Timing{best(e, complete), best(d, complete), metric.Std(e), metric.Std(d), metric.Std(both[i+1]), upper(e, d, m.Params.Seed, complete)}
	}
	return out, nil
}

// halves is how many halves of the rounds an interval is made of.
const halves = 1000

// upper is the upper end of the 95 % interval of a time, given those of each round:
// what 95 of 100 random halves of the rounds do not exceed. Subsampling holds for
// minima, of which the bootstrap is wrong (Politis and Romano, Annals of Statistics 22,
// 1994), and half of the rounds err on the safe side. The lower end is the time itself:
// what disturbs a machine only adds.
func upper(encoder, decoder []float64, seed uint64, complete bool) float64 {
	if len(encoder) < 2 {
		return math.NaN()
	}
	r := rand.New(rand.NewPCG(seed, 0x68616c66))
	times := make([]float64, halves)
	for i := range times {
		half := r.Perm(len(encoder))[:len(encoder)/2]
		times[i] = best(metric.Pick(encoder, half), complete) + best(metric.Pick(decoder, half), complete)
	}
	return metric.Quantile(times, 0.95)
}

// control sums up what the control says about the machine.
func (m *Measurement) control(done map[sitting]round) Control {
	byRound := make([][]float64, m.Params.Rounds)
	for s, r := range done {
		for k := range r.ControlEncoderMS {
			byRound[s.round] = append(byRound[s.round], r.ControlEncoderMS[k]+r.ControlDecoderMS[k])
		}
	}
	all := slices.Concat(byRound...)
	slices.Sort(all) // sums of a map's values must not depend on its order
	c := Control{Visits: len(all), MS: slices.Min(all), CV: metric.Std(all) / metric.Mean(all), Drift: math.NaN()}
	if m.Params.Rounds > 1 {
		c.Drift = metric.Quantile(byRound[m.Params.Rounds-1], 0.5)/metric.Quantile(byRound[0], 0.5) - 1
	}
	return c
}

// sample draws p.Measure different architectures.
func sample(p Params, s *space.Space) []space.Architecture {
	r := rand.New(rand.NewPCG(p.Seed, 0x736d706c))
	out := make([]space.Architecture, 0, p.Measure)
	for len(out) < p.Measure {
		a := s.Sample(r)
		if !slices.ContainsFunc(out, a.Equal) {
			out = append(out, a)
		}
	}
	return out
}
