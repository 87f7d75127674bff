package micro

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"hsnas/internal/corpus"
)

// Batch is some sentence pairs, filled up with PAD to the longest on each side.
// All arrays are [sentences, length], row by row.
type Batch struct {
	Sentences, SourceLength, TargetLength int

	Source []int64
	Input  []int64 // of the decoder: BOS and the target without its last token
	Output []int64 // what the decoder should say
	Tokens int     // tokens of Output that are not PAD
}

// NewBatch arranges examples.
func NewBatch(examples []corpus.Example) *Batch {
	b := &Batch{Sentences: len(examples)}
	for _, e := range examples {
		b.SourceLength, b.TargetLength = max(b.SourceLength, len(e.Source)), max(b.TargetLength, len(e.Target))
		b.Tokens += len(e.Target)
	}
	b.Source = make([]int64, len(examples)*b.SourceLength)
	b.Input = make([]int64, len(examples)*b.TargetLength)
	b.Output = make([]int64, len(examples)*b.TargetLength)
	for i, e := range examples {
		copy(b.Source[i*b.SourceLength:], e.Source)
		copy(b.Output[i*b.TargetLength:], e.Target)
		b.Input[i*b.TargetLength] = corpus.BOS
		copy(b.Input[i*b.TargetLength+1:], e.Target[:len(e.Target)-1])
	}
	return b
}

// hidden is added to the score of what attention must not see.
const hidden = -1e9

func (b *Batch) sourceMask() []float32 { return maskOf(b.Source) }

func maskOf(tokens []int64) []float32 {
	mask := make([]float32, len(tokens))
	for i, id := range tokens {
		if id == corpus.PAD {
			mask[i] = hidden
		}
	}
	return mask
}

func (b *Batch) causalMask() []float32 {
	n := b.TargetLength
	mask := make([]float32, n*n)
	for i := range n {
		for j := i + 1; j < n; j++ {
			mask[i*n+j] = hidden
		}
	}
	return mask
}

// weights make a sum over rows the mean over tokens.
func (b *Batch) weights() []float32 {
	weights := make([]float32, len(b.Output))
	for i, id := range b.Output {
		if id != corpus.PAD {
			weights[i] = 1 / float32(b.Tokens)
		}
	}
	return weights
}

// pool is how many batches are cut from one sorted stretch: long enough that
// sentences of a batch are of about one length, short enough that their mix is
// random.
const pool = 20

// Batches deals a training set out for ever: in each epoch every example at most
// once, in batches of examples of about equal length, the batches in a random
// order. Batch number i is the same whenever it is asked for.
type Batches struct {
	examples []corpus.Example
	size     int
	seed     uint64
	epoch    int
	order    [][]int // of the epoch
}

// NewBatches deals examples out in batches of size, by seed.
func NewBatches(examples []corpus.Example, size int, seed uint64) *Batches {
	b := &Batches{examples: examples, size: size, seed: seed}
	b.shuffle(0)
	return b
}

// At is batch number i, from 0.
func (b *Batches) At(i int) *Batch {
	if epoch := i / len(b.order); epoch != b.epoch {
		b.shuffle(epoch)
	}
	chosen := b.order[i%len(b.order)]
	examples := make([]corpus.Example, len(chosen))
	for j, at := range chosen {
		examples[j] = b.examples[at]
	}
	return NewBatch(examples)
}

func (b *Batches) shuffle(epoch int) {
	r := rand.New(rand.NewPCG(b.seed, uint64(epoch)))
	order := r.Perm(len(b.examples))
	b.epoch, b.order = epoch, nil
	for start := 0; start+b.size <= len(order); start += b.size * pool {
		stretch := order[start:min(start+b.size*pool, len(order))]
		slices.SortStableFunc(stretch, func(i, j int) int {
			x, y := b.examples[i], b.examples[j]
			return cmp.Or(cmp.Compare(len(x.Target), len(y.Target)), cmp.Compare(len(x.Source), len(y.Source)))
		})
		for at := 0; at+b.size <= len(stretch); at += b.size {
			b.order = append(b.order, stretch[at:at+b.size])
		}
	}
	r.Shuffle(len(b.order), func(i, j int) { b.order[i], b.order[j] = b.order[j], b.order[i] })
}

// inBatches divides examples by target length for scoring, n to a batch.
func inBatches(examples []corpus.Example, n int) []*Batch {
	sorted := slices.Clone(examples)
	slices.SortStableFunc(sorted, func(a, b corpus.Example) int { return cmp.Compare(len(a.Target), len(b.Target)) })
	var out []*Batch
	for part := range slices.Chunk(sorted, n) {
		out = append(out, NewBatch(part))
	}
	return out
}

// positions are the sines and cosines of p / 1000^(2 i / ladder) in turns, for
// the positions p from first on, [n, dim]: the first columns of one ladder, whatever the
// dimension, so that sub-networks of a supernet agree.
func positions(first, n, dim, ladder int) []float32 {
	out := make([]float32, n*dim)
	for p := range n {
		for i := range dim / 2 {
			angle := float64(first+p) / math.Pow(1000, 2*float64(i)/float64(ladder))
			out[p*dim+2*i] = float32(math.Sin(angle))
			out[p*dim+2*i+1] = float32(math.Cos(angle))
		}
	}
	return out
}

func sqrt(n int) float32 { return float32(math.Sqrt(float64(n))) }
