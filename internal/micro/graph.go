package micro

import (
	"fmt"

	"hsnas/internal/autodiff"
	"hsnas/internal/onnx"
)

type value = *onnx.Value

// builder writes one graph. Activations are matrices of a row for each token;
// only attention looks at them by sentence.
//
// In a sampled graph every width is an input, so that one session runs all
// sub-networks of a supernet at their own cost; only the number of layers is
// fixed. Otherwise all widths are constants.
type builder struct {
	g          *onnx.Graph
	d          Dims
	shape      Shape
	sampled    bool
	plain      bool // operators of ONNX alone, which GPUs have; the CPU is faster with its own
	dropout    float64
	composites autodiff.Composites
	layout     *Layout          // of flat
	flat       []float32        // the parameters where they are constants
	parameters map[string]value // by name, of the layout's size
	cached     map[string]value // what several layers use
	feeds      []feed
}

func newBuilder(name string, d Dims, s Shape) *builder {
	return &builder{g: onnx.NewGraph(name), d: d, shape: s, parameters: map[string]value{}, cached: map[string]value{}}
}

// bind declares every parameter of a layout an input.
func (b *builder) bind(p *autodiff.Parameters) []value {
	in := p.Inputs(b.g)
	for i, v := range in {
		b.parameters[p.Name(i)] = v
	}
	return in
}

// parameter is the input that bind declared, or else a constant.
func (b *builder) parameter(name string) value {
	p, ok := b.parameters[name]
	if !ok {
		i := b.layout.index[name]
		p = b.g.Init(name, b.layout.Shape(i), b.layout.View(b.flat, i))
		b.parameters[name] = p
	}
	return p
}

// once makes a value at its first use and returns it at the later ones.
func (b *builder) once(key string, make func() value) value {
	v, ok := b.cached[key]
	if !ok {
		v = make()
		b.cached[key] = v
	}
	return v
}

// size is a width of the model: a number, or in a sampled graph the value of an
// input, int64 [1].
type size struct {
	dim   onnx.Dim
	value value // nil for a number
}

func number(n int) size { return size{dim: onnx.Fixed(int64(n))} }

// vector is the size as int64 [1].
func (b *builder) vector(s size) value {
	if s.value != nil {
		return s.value
	}
	n, _ := s.dim.Value()
	return b.ints(n)
}

// ints is a constant that is written once.
func (b *builder) ints(n ...int64) value {
	return b.once(fmt.Sprint("ints ", n), func() value { return b.g.Ints(n...) })
}

// width is a size of the shape: what pick says of it.
func (b *builder) width(name string, pick func(Shape) int) size {
	if !b.sampled {
		return number(pick(b.shape))
	}
	v := b.once("width "+name, func() value {
		return b.intInput(name, onnx.Dims(1), func(c *call) []int64 { return []int64{int64(pick(c.shape))} })
	})
	return size{onnx.Sym(name), v}
}

func (b *builder) dim(side string) size {
	return b.width(side+".dim", func(s Shape) int { return s.side(side).Dim })
}

func (b *builder) hidden(side string, i int) size {
	return b.width(layer(side, i)+"ffn", func(s Shape) int { return s.side(side).FFN[i] })
}

func (s Shape) side(name string) Side {
	if name == "encoder" {
		return s.Encoder
	}
	return s.Decoder
}

// matrix is the first rows and columns of a parameter.
func (b *builder) matrix(name string, rows, cols size) value {
	p := b.parameter(name)
	if !b.sampled {
		return p
	}
	ends := b.once("ends "+rows.dim.String()+" "+cols.dim.String(), func() value {
		return b.g.OpT("Concat", onnx.Int64, onnx.Dims(2), []value{b.vector(rows), b.vector(cols)}, onnx.Axis(0))
	})
	return b.g.Op("Slice", []onnx.Dim{rows.dim, cols.dim}, []value{p, b.ints(0, 0), ends})
}

// row is the first entries of a parameter that is a vector.
func (b *builder) row(name string, n size) value {
	p := b.parameter(name)
	if n.value == nil {
		return p
	}
	return b.g.Op("Slice", []onnx.Dim{n.dim}, []value{p, b.ints(0), n.value})
}

// op is an elementwise operation with an output like its first input.
func (b *builder) op(op string, in ...value) value { return b.g.Op(op, in[0].Shape(), in) }

// linear is x W^T + bias, x [rows, in].
func (b *builder) linear(x value, name string, out, in size) value {
	w, bias := b.matrix(name+".weight", out, in), b.row(name+".bias", out)
	return b.g.Op("Gemm", []onnx.Dim{x.Shape()[0], out.dim}, []value{x, w, bias}, onnx.Int("transB", 1))
}

// epsilon of LayerNorm.
const epsilon = 1e-5

func (b *builder) norm(x value, name string, n size) value {
	return b.composites.LayerNorm(b.g, x, b.row(name+".gain", n), b.row(name+".bias", n), epsilon)
}

// residual is x + y, y through dropout where there is one.
func (b *builder) residual(x, y value, side string, name string) value {
	if b.dropout > 0 {
		mask := b.floatInput(name+"dropout", y.Shape(), func(c *call) []float32 { return c.mask(side) })
		y = b.op("Mul", y, mask)
	}
	return b.op("Add", x, y)
}

// feedForward is layer i's position-wise network with its residual connection.
func (b *builder) feedForward(x value, side string, i int) value {
	prefix, n, f := layer(side, i), b.dim(side), b.hidden(side, i)
	h := b.linear(b.norm(x, prefix+"ffn_norm", n), prefix+"ffn.in", f, n)
	y := b.linear(b.op("Relu", h), prefix+"ffn.out", n, f)
	return b.residual(x, y, side, prefix+"ffn.")
}

// embed is the rows of a table, scaled by the root of their dimension, plus
// positions: tokens int64 [batch, time] to [rows, dim].
func (b *builder) embed(tokens, positions, table value, side string) value {
	n := b.dim(side)
	shape := tokens.Shape()
	x := b.g.Op("Gather", []onnx.Dim{shape[0], shape[1], n.dim}, []value{table, tokens}, onnx.Axis(0))
	x = b.op("Mul", x, b.rootOf(side))
	x = b.op("Add", x, positions)
	return b.rows(x, onnx.Sym(side+"_rows"), n)
}

// rootOf is the square root of a side's dimension, [1].
func (b *builder) rootOf(side string) value {
	root := func(s Shape) float32 { return sqrt(s.side(side).Dim) }
	if !b.sampled {
		return b.g.Floats([]int64{1}, []float32{root(b.shape)})
	}
	return b.floatInput(side+".root", onnx.Dims(1), func(c *call) []float32 { return []float32{root(c.shape)} })
}

// rows lays x out as a matrix of n columns.
func (b *builder) rows(x value, rows onnx.Dim, n size) value {
	target := b.once("rows of "+n.dim.String(), func() value {
		if columns, fixed := n.dim.Value(); fixed {
			return b.ints(-1, columns)
		}
		return b.g.OpT("Concat", onnx.Int64, onnx.Dims(2), []value{b.ints(-1), n.value}, onnx.Axis(0))
	})
	return b.g.Op("Reshape", []onnx.Dim{rows, n.dim}, []value{x, target})
}
