package predictor

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"hsnas/internal/autodiff"
	"hsnas/internal/ort"
)

// TrainMLP fits a regressor to the rows x and their targets y and returns it
// with its loss curve: the mean squared error of each epoch's steps, in units of
// the targets' variance. An epoch is as many steps as there are whole batches in
// the rows. Features and targets are standardised on the training rows. The
// result depends on p, x and y alone, bit for bit. A loss that is not a number
// is an error that names the epoch.
func TrainMLP(ctx context.Context, rt *ort.Runtime, p MLPParams, x [][]float64, y []float64) (*MLP, []float64, error) {
	if err := p.check(x, y); err != nil {
		return nil, nil, fmt.Errorf("mlp training: %w", err)
	}
	p = p.defaults(len(x))
	m := &MLP{target: scaleOf(len(y), func(i int) float64 { return y[i] })}
	for j := range x[0] {
		m.inputs = append(m.inputs, scaleOf(len(x), func(i int) float64 { return x[i][j] }))
	}
	r := rand.New(rand.NewPCG(p.Seed, 0x6d6c70))
	t, err := newTrainer(rt, p, len(x[0]))
	if err != nil {
		return nil, nil, fmt.Errorf("mlp training: %w", err)
	}
	defer t.close()
	t.initialise(r)
	valid, err := newValidation(rt, p, m, t)
	if err != nil {
		return nil, nil, fmt.Errorf("mlp training: %w", err)
	}
	defer valid.close()
	curve, err := fit(ctx, p, t, m.standardise(x, y), valid, r)
	if err != nil {
		return nil, nil, fmt.Errorf("mlp training: %w", err)
	}
	m.layers = t.layers(valid.choice(t.parameters()))
	return m, curve, nil
}

// table is a set of standardised rows.
type table struct {
	x     []float32 // row-major
	y     []float32
	width int
}

func (m *MLP) standardise(x [][]float64, y []float64) table {
	t := table{x: make([]float32, 0, len(x)*len(m.inputs)), y: make([]float32, len(y)), width: len(m.inputs)}
	for i, row := range x {
		for j, v := range row {
			t.x = append(t.x, m.inputs[j].apply(v))
		}
		t.y[i] = m.target.apply(y[i])
	}
	return t
}

// fit takes the steps.
func fit(ctx context.Context, p MLPParams, t *trainer, rows table, valid *validation, r *rand.Rand) ([]float64, error) {
	perEpoch := max(1, len(rows.y)/p.Batch)
	order := shuffler{r: r, n: len(rows.y)}
	var curve []float64
	for step := 0; step < p.Steps; {
		var sum float64
		taken := 0
		for ; taken < perEpoch && step < p.Steps; taken++ {
			order.batch(rows, t.x.Floats(), t.y.Floats())
			rate := p.LearningRate * (1 + math.Cos(math.Pi*float64(step)/float64(p.Steps))) / 2
			step++
			loss, err := t.step(ctx, step, rate)
			if err != nil {
				return nil, err
			}
			if math.IsNaN(loss) || math.IsInf(loss, 0) {
				return nil, fmt.Errorf("the loss is %v in epoch %d (step %d of %d): lower the learning rate, or look for extreme features or targets", loss, len(curve)+1, step, p.Steps)
			}
			sum += loss
		}
		curve = append(curve, sum/float64(taken))
		stop, err := valid.epoch(ctx, t.parameters())
		if err != nil {
			return nil, err
		}
		if stop {
			break
		}
	}
	return curve, nil
}

// shuffler draws rows in a random order, each once before any comes again.
type shuffler struct {
	r     *rand.Rand
	n     int
	order []int
}

// batch fills the buffers x and y with the next rows.
func (s *shuffler) batch(rows table, x, y []float32) {
	for i := range y {
		if len(s.order) == 0 {
			s.order = s.r.Perm(s.n)
		}
		at := s.order[0]
		s.order = s.order[1:]
		copy(x[i*rows.width:(i+1)*rows.width], rows.x[at*rows.width:])
		y[i] = rows.y[at]
	}
}

// initialise draws weights and biases uniformly within one over the root of the
// layer's inputs, as PyTorch's linear layers are.
func (t *trainer) initialise(r *rand.Rand) {
	flat := t.parameters()
	for i := range t.layout.Len() {
		bound := 1 / math.Sqrt(float64(t.widths[i/2]))
		view := t.layout.View(flat, i)
		for j := range view {
			view[j] = float32((2*r.Float64() - 1) * bound)
		}
	}
}

// layers copies the parameters out of the flat vector.
func (t *trainer) layers(flat []float32) []layer {
	var layers []layer
	for i := range len(t.widths) - 1 {
		layers = append(layers, layer{
			in: t.widths[i], out: t.widths[i+1],
			w: append([]float32(nil), t.layout.View(flat, 2*i)...),
			b: append([]float32(nil), t.layout.View(flat, 2*i+1)...),
		})
	}
	return layers
}

// adam is the optimizer that p asks for.
func (p MLPParams) adam() autodiff.Adam { return autodiff.Adam{WeightDecay: p.WeightDecay} }
