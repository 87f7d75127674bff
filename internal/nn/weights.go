package nn

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"hsnas/internal/config"
	"hsnas/internal/safetensors"
)

// Weights are the source of a model's weights, by the names of HAT's checkpoints.
type Weights interface {
	// Label says where the weights come from: "random:1", "safetensors:SHA-256".
	Label() string
	// Part returns a part of a tensor, row-major; the slice is the caller's.
	Part(name string, p Part) ([]float32, error)
}

// Part is the part of a supernet's tensor that an architecture inherits: the first columns
// of some rows. A vector is a matrix of one column and has Whole and Sub of length 1.
type Part struct {
	Whole []int64 // shape in the supernet
	Sub   []int64 // shape where a file holds the sub-network alone
	First int64   // first row
	Rows  int64
	Cols  int64
}

// String is the shapes that a file may have.
func (p Part) String() string {
	if slices.Equal(p.Whole, p.Sub) {
		return fmt.Sprintf("shape %v", p.Whole)
	}
	return fmt.Sprintf("shape %v (supernet) or %v (sub-network)", p.Whole, p.Sub)
}

// random draws weights from a seed. Each row of a supernet's tensor has a random sequence of
// its own, so that architectures share what they would share in the supernet, and an
// architecture's weights depend on nothing that it does not use.
type random struct{ seed uint64 }

// Random are weights drawn from a seed: matrices of variance 1/columns, LayerNorm gains
// around 1 and biases around 0.
func Random(seed uint64) Weights { return random{seed} }

func (w random) Label() string { return fmt.Sprintf("random:%d", w.seed) }

func (w random) Part(name string, p Part) ([]float32, error) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	stream := h.Sum64() ^ w.seed*0x9e3779b97f4a7c15
	out := make([]float32, 0, p.Rows*p.Cols)
	scale, shift := float32(0.1), float32(0)
	switch {
	case len(p.Whole) == 2:
		scale = float32(math.Sqrt(3 / float64(p.Whole[1])))
	case strings.HasSuffix(name, "layer_norm.weight"):
		shift = 1
	}
	for row := p.First; row < p.First+p.Rows; row++ {
		pcg := rand.NewPCG(stream, uint64(row))
		for range p.Cols {
			// 24 random bits fill a float32's mantissa: uniform in [-1, 1).
			u := float32(pcg.Uint64()>>40)*(1.0/(1<<23)) - 1
			out = append(out, u*scale+shift)
		}
	}
	return out, nil
}

// fileWeights read a safetensors file that holds the supernet or the sub-network alone.
type fileWeights struct {
	file  *safetensors.File
	label string
}

// Safetensors are the weights of a file, a whole supernet or one sub-network; sum is the
// file's SHA-256. The caller closes the file.
func Safetensors(f *safetensors.File, sum string) Weights {
	return fileWeights{f, "safetensors:" + sum}
}

func (w fileWeights) Label() string { return w.label }

func (w fileWeights) Part(name string, p Part) ([]float32, error) {
	info, ok := w.file.Tensor(name)
	if !ok {
		return nil, config.Errorf(w.file.Name(), 0, "tensor %q is missing; expected %s", name, p)
	}
	if !slices.Equal(info.Shape, p.Whole) && !slices.Equal(info.Shape, p.Sub) {
		return nil, config.Errorf(w.file.Name(), 0, "tensor %q has shape %v, expected %s", name, info.Shape, p)
	}
	x, err := w.file.Rows(name, p.First, p.Rows, p.Cols)
	if err != nil {
		return nil, err
	}
	for _, v := range x {
		if v != v || math.IsInf(float64(v), 0) {
			return nil, config.Errorf(w.file.Name(), 0, "tensor %q holds a number that is not finite", name)
		}
	}
	return x, nil
}

// either is the tensor under the first of two names that the weights have.
func either(w Weights, name, other string, p Part) ([]float32, error) {
	if f, ok := w.(fileWeights); ok {
		if _, ok := f.file.Tensor(name); !ok {
			if x, err := w.Part(other, p); err == nil || !isMissing(f, other) {
				return x, err
			}
		}
	}
	return w.Part(name, p)
}

func isMissing(f fileWeights, name string) bool {
	_, ok := f.file.Tensor(name)
	return !ok
}

// errNoWeights is the answer to an Export without weights.
var errNoWeights = errors.New("no weights: use Random or Safetensors")
