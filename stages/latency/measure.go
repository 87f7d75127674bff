package latency

import (
	"cmp"
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
// order, and after every twenty the control, the largest of the space. A machine
// that slows down then slows all of them, and the control tells.
type Measurement struct {
	Params   Params // Rounds, Warmup, Repetitions, Seed
	Task     *task.Task
	Archs    []space.Architecture
	Machine  Machine
	Protocol string // what else the timings depend on, for the state file
	State    string // file of finished rounds, which are not measured again
	Memory   int64  // bytes that open models may take; the others are opened for each use. 0 means 1 GiB
}

// Timing is what was measured of an architecture, in milliseconds: the fastest of
// all repetitions, encoder and decoder apart. What disturbs a machine only ever
// slows it (Chen and Revels, arXiv 1608.04295): on a busy one two halves of a
// measurement agree to 2 or 3 % so, but to 12 % in medians over the rounds of HAT's
// mean of the middle 80 %.
type Timing struct {
	EncoderMS, DecoderMS float64
	// Standard deviations between the rounds' fastest, of encoder, decoder and both;
	// NaN for one round.
	EncoderStdMS, DecoderStdMS, StdMS float64
}

// MS is the time of one sentence.
func (t Timing) MS() float64 { return t.EncoderMS + t.DecoderMS }

// Control is how steady the machine was.
type Control struct {
	Visits int
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
	key, err := m.key()
	if err != nil {
		return nil, Control{}, err
	}
	kept, err := openRounds(m.State, key, len(m.Archs), rep)
	if err != nil {
		return nil, Control{}, err
	}
	defer kept.close()
	if err := m.rest(ctx, key, kept, rep); err != nil {
		return nil, Control{}, err
	}
	return m.timings(kept.done), m.control(kept.done), nil
}

// key is the hash of all that the timings are of.
func (m *Measurement) key() (string, error) {
	ids := make([]string, len(m.Archs))
	for i, a := range m.Archs {
		ids[i] = a.String()
	}
	text, err := json.Marshal([]any{
		Version, ort.Version, m.Machine.Name(), m.Task.Model, ids, m.Task.Space.Largest().String(),
		m.Params.Rounds, m.Params.Warmup, m.Params.Repetitions, m.Params.Seed, m.Protocol,
	})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// rest measures what kept does not have.
func (m *Measurement) rest(ctx context.Context, key string, kept *rounds, rep progress.Reporter) error {
	var missing []int
	for number := range m.Params.Rounds {
		if _, ok := kept.done[number]; !ok {
			missing = append(missing, number)
		}
	}
	if n := m.Params.Rounds - len(missing); n > 0 {
		rep.Logf("%d of %d rounds of timings are kept from an earlier attempt", n, m.Params.Rounds)
	}
	if len(missing) == 0 {
		return nil
	}
	archs := append([]space.Architecture{m.Task.Space.Largest()}, m.Archs...)
	b, err := newBench(ctx, m.Machine, m.Task, archs, cmp.Or(m.Memory, 1<<30), rep)
	if err != nil {
		return err
	}
	defer b.close()
	rep.Start("timing architectures", len(missing)*len(m.Archs))
	defer rep.Done()
	for _, number := range missing {
		one, err := m.round(ctx, b, number, rep)
		if err != nil {
			return err
		}
		one.Key = key
		if err := kept.add(one); err != nil {
			return err
		}
	}
	return nil
}

// round visits every architecture; the control is the first of the bench.
func (m *Measurement) round(ctx context.Context, b *bench, number int, rep progress.Reporter) (round, error) {
	p := m.Params
	n := p.Repetitions*(number+1)/p.Rounds - p.Repetitions*number/p.Rounds
	out := round{Number: number, EncoderMS: make([]float64, len(m.Archs)), DecoderMS: make([]float64, len(m.Archs))}
	order := rand.New(rand.NewPCG(p.Seed, 0x726f756e64+uint64(number))).Perm(len(m.Archs))
	for place, i := range order {
		if place%controlEvery == 0 {
			times, err := b.visit(ctx, 0, p.Warmup, n)
			if err != nil {
				return round{}, err
			}
			out.ControlMS = append(out.ControlMS, milliseconds(times.Encoder+times.Decoder))
		}
		times, err := b.visit(ctx, i+1, p.Warmup, n)
		if err != nil {
			return round{}, err
		}
		out.EncoderMS[i], out.DecoderMS[i] = milliseconds(times.Encoder), milliseconds(times.Decoder)
		rep.Add(1)
	}
	return out, nil
}

// visit runs architecture i of the bench and returns its fastest encoder and
// decoder of n repetitions after the warm-up.
func (b *bench) visit(ctx context.Context, i, warmup, n int) (micro.Times, error) {
	w, release, err := b.watch(i)
	if err != nil {
		return micro.Times{}, err
	}
	defer release()
	fastest := micro.Times{Encoder: math.MaxInt64, Decoder: math.MaxInt64}
	for k := range warmup + n {
		times, err := w.Once(ctx)
		if err != nil {
			return micro.Times{}, fmt.Errorf("timing architecture %s: %w", b.archs[i].ID(), err)
		}
		if k >= warmup {
			fastest.Encoder, fastest.Decoder = min(fastest.Encoder, times.Encoder), min(fastest.Decoder, times.Decoder)
		}
	}
	return fastest, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// timings sums the rounds up.
func (m *Measurement) timings(done map[int]round) []Timing {
	out := make([]Timing, len(m.Archs))
	for i := range out {
		var encoder, decoder, both []float64
		for number := range m.Params.Rounds {
			r := done[number]
			encoder, decoder = append(encoder, r.EncoderMS[i]), append(decoder, r.DecoderMS[i])
			both = append(both, r.EncoderMS[i]+r.DecoderMS[i])
		}
		out[i] = Timing{
			slices.Min(encoder), slices.Min(decoder),
			metric.Std(encoder), metric.Std(decoder), metric.Std(both),
		}
	}
	return out
}

func (m *Measurement) control(done map[int]round) Control {
	var all []float64
	for number := range m.Params.Rounds {
		all = append(all, done[number].ControlMS...)
	}
	c := Control{Visits: len(all), CV: metric.Std(all) / metric.Mean(all), Drift: math.NaN()}
	if m.Params.Rounds > 1 {
		first, last := done[0].ControlMS, done[m.Params.Rounds-1].ControlMS
		c.Drift = metric.Quantile(last, 0.5)/metric.Quantile(first, 0.5) - 1
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
