package micro

import (
	"context"
	"fmt"
	"math"

	"hsnas/internal/corpus"
	"hsnas/internal/ort"
)

// Scorer computes the loss of architectures on fixed examples, with parameters
// of their own or inherited from a supernet: the cross entropy in nats a token.
// It is not for several goroutines at once.
type Scorer struct {
	dims    Dims
	rt      *ort.Runtime
	device  ort.Device
	layout  *Layout
	sampled bool
	state   *state
	batches []*Batch
	tables  *tables
	loss    *ort.Tensor
	graphs  map[int]*stepGraph // by decoder layers
}

// scoreBatch is how many sentence pairs are scored at once.
const scoreBatch = 100

// NewScorer prepares the scoring of a layout's parameters on examples. With
// inherited, the layout is a supernet's and every smaller architecture can be
// scored; else the layout's own alone.
func NewScorer(rt *ort.Runtime, d Dims, l *Layout, parameters []float32, inherited bool, examples []corpus.Example) (*Scorer, error) {
	return newScorer(rt, ort.Device{}, d, l, parameters, inherited, examples)
}

func newScorer(rt *ort.Runtime, device ort.Device, d Dims, l *Layout, parameters []float32, inherited bool, examples []corpus.Example) (*Scorer, error) {
	if len(parameters) != l.Size() {
		return nil, fmt.Errorf("micro: %d parameters, the layout has %d", len(parameters), l.Size())
	}
	s := &Scorer{
		dims: d, rt: rt, device: device, layout: l, sampled: inherited, state: newState(l.Size()), tables: newTables(d.Ladder),
		batches: inBatches(examples, scoreBatch), graphs: map[int]*stepGraph{},
	}
	copy(s.state.flat[0], parameters)
	var err error
	s.loss, err = ort.NewFloats([]int64{1}, make([]float32, 1))
	return s, err
}

// Loss is the mean over all tokens of the examples.
func (s *Scorer) Loss(ctx context.Context, shape Shape) (float64, error) {
	g, err := s.graph(shape)
	if err != nil {
		return 0, err
	}
	of, err := s.state.of(g.layout)
	if err != nil {
		return 0, err
	}
	var sum float64
	tokens := 0
	for _, b := range s.batches {
		fed, release, err := tensors(g.feeds, &call{shape: shape, batch: b, tables: s.tables})
		if err != nil {
			return 0, err
		}
		in := append(append([]*ort.Tensor(nil), of.views...), fed...)
		err = g.session.Run(ctx, in, []*ort.Tensor{s.loss})
		release()
		if err != nil {
			return 0, err
		}
		sum += float64(s.loss.Floats()[0]) * float64(b.Tokens)
		tokens += b.Tokens
	}
	if loss := sum / float64(tokens); !math.IsNaN(loss) && !math.IsInf(loss, 0) {
		return loss, nil
	}
	return 0, fmt.Errorf("the loss is %v: the parameters are damaged", sum/float64(tokens))
}

// graph is the forward pass for as many decoder layers as shape has.
func (s *Scorer) graph(shape Shape) (*stepGraph, error) {
	depth := shape.Decoder.Layers()
	if g, ok := s.graphs[depth]; ok {
		return g, nil
	}
	b := newBuilder("micro_loss", s.dims, shape)
	b.sampled, b.plain = s.sampled, !s.device.CPU()
	l := s.layout.upTo(depth)
	b.bind(l)
	b.g.Output("loss", b.loss(0))
	session, err := openOn(s.rt, b, ort.Options{Name: "loss", Device: s.device.String()})
	if err != nil {
		return nil, err
	}
	s.graphs[depth] = &stepGraph{layout: l, feeds: b.feeds, session: session}
	return s.graphs[depth], nil
}

// Close gives the sessions back.
func (s *Scorer) Close() {
	for _, g := range s.graphs {
		g.session.Close()
	}
	s.state.release()
	s.loss.Destroy()
}
