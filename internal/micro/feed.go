package micro

import (
	"fmt"
	"math/rand/v2"

	"hsnas/internal/onnx"
	"hsnas/internal/ort"
)

// feed is an input of a graph that is neither a parameter nor the optimizer's:
// the batch, masks, positions, and in a sampled graph the widths.
type feed struct {
	name   string
	dims   []onnx.Dim
	ints   func(*call) []int64
	floats func(*call) []float32 // one of the two
}

// intInput declares an int64 input and how it is filled. A name that is declared
// already is that input.
func (b *builder) intInput(name string, dims []onnx.Dim, fill func(*call) []int64) value {
	return b.once("input "+name, func() value {
		b.feeds = append(b.feeds, feed{name: name, dims: dims, ints: fill})
		return b.g.Input(name, onnx.Int64, dims...)
	})
}

// floatInput is intInput for float32.
func (b *builder) floatInput(name string, dims []onnx.Dim, fill func(*call) []float32) value {
	return b.once("input "+name, func() value {
		b.feeds = append(b.feeds, feed{name: name, dims: dims, floats: fill})
		return b.g.Input(name, onnx.Float32, dims...)
	})
}

// call is one run of a graph: what feeds are made of.
type call struct {
	shape   Shape
	batch   *Batch
	tables  *tables
	dropout float64
	random  *rand.Rand // of the dropout masks
}

// tables keeps positions by length and dimension. It is not for several
// goroutines at once.
type tables struct {
	ladder    int
	positions map[[2]int][]float32
}

func newTables(ladder int) *tables { return &tables{ladder, map[[2]int][]float32{}} }

func (c *call) positions(length, dim int) []float32 {
	key := [2]int{length, dim}
	p, ok := c.tables.positions[key]
	if !ok {
		p = positions(0, length, dim, c.tables.ladder)
		c.tables.positions[key] = p
	}
	return p
}

// mask is a dropout mask for the rows of one side: 0 with the probability of
// dropout, else one over what is kept.
func (c *call) mask(side string) []float32 {
	rows := c.batch.Sentences * c.batch.SourceLength
	if side == "decoder" {
		rows = c.batch.Sentences * c.batch.TargetLength
	}
	mask := make([]float32, rows*c.shape.side(side).Dim)
	kept := float32(1 / (1 - c.dropout))
	for i := range mask {
		if c.random.Float64() >= c.dropout {
			mask[i] = kept
		}
	}
	return mask
}

// sizeOf is what a dimension is in this call.
func (c *call) sizeOf(d onnx.Dim) (int64, error) {
	if n, ok := d.Value(); ok {
		return n, nil
	}
	b, n := c.batch, 0
	switch d.Symbol() {
	case "batch":
		n = b.Sentences
	case "src":
		n = b.SourceLength
	case "tgt":
		n = b.TargetLength
	case "encoder_rows":
		n = b.Sentences * b.SourceLength
	case "decoder_rows":
		n = b.Sentences * b.TargetLength
	case "encoder.dim":
		n = c.shape.Encoder.Dim
	case "decoder.dim":
		n = c.shape.Decoder.Dim
	default:
		return 0, fmt.Errorf("nothing says how large %q is", d.Symbol())
	}
	return int64(n), nil
}

// tensor is the input's value in a call.
func (f feed) tensor(c *call) (*ort.Tensor, error) {
	shape := make([]int64, len(f.dims))
	for i, d := range f.dims {
		n, err := c.sizeOf(d)
		if err != nil {
			return nil, fmt.Errorf("input %s: %w", f.name, err)
		}
		shape[i] = n
	}
	var t *ort.Tensor
	var err error
	if f.ints != nil {
		t, err = ort.NewInts(shape, f.ints(c))
	} else {
		t, err = ort.NewFloats(shape, f.floats(c))
	}
	if err != nil {
		return nil, fmt.Errorf("input %s: %w", f.name, err)
	}
	return t, nil
}

// tensors are the values of all feeds; release gives them back.
func tensors(feeds []feed, c *call) (in []*ort.Tensor, release func(), err error) {
	release = func() {
		for _, t := range in {
			t.Destroy()
		}
	}
	for _, f := range feeds {
		t, err := f.tensor(c)
		if err != nil {
			release()
			return nil, nil, err
		}
		in = append(in, t)
	}
	return in, release, nil
}
