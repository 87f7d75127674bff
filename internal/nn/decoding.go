package nn

import (
	"context"
	"fmt"

	"hsnas/internal/ort"
)

// Decoding is the state between decoder steps: the caches and the arguments of the next
// step. Go touches none of the caches' numbers: a step reads them in the order that its
// beam_index gives.
type Decoding struct {
	t      *Translator
	in     []*ort.Tensor // of decoder_step.onnx, in its order
	out    []*ort.Tensor
	owned  []*ort.Tensor // keys, values and masks of the cross-attention
	caches *caches
	time   []int64    // the position input's memory
	rows   []stepRows // by number of rows
	vocab  int
	layers int
}

// stepRows are the arguments of a step of a number of rows.
type stepRows struct {
	token, beam, logits *ort.Tensor
}

// Start computes what all steps share and returns a Decoding before its first token, with
// at most the given number of hypotheses at once.
func (t *Translator) Start(ctx context.Context, e Encoded, hypotheses int) (*Decoding, error) {
	n := len(t.model.Layers)
	d := &Decoding{
		t: t, in: make([]*ort.Tensor, len(t.step.Inputs())), out: make([]*ort.Tensor, len(t.step.Outputs())),
		owned: make([]*ort.Tensor, len(t.init.Outputs())), time: []int64{0}, rows: make([]stepRows, hypotheses+1),
		vocab: t.model.Vocabulary, layers: n, caches: t.takeCaches(),
	}
	if err := t.init.Run(ctx, e, d.owned); err != nil {
		d.Close()
		return nil, err
	}
	copy(d.in[3+2*n:], d.owned)
	if err := d.empty(hypotheses); err != nil {
		d.Close()
		return nil, fmt.Errorf("decode: %w", err)
	}
	return d, nil
}

// empty makes the position and caches of no tokens.
func (d *Decoding) empty(hypotheses int) (err error) {
	if d.in[1], err = ort.NewInts([]int64{1}, d.time); err != nil {
		return err
	}
	for i := range 2 * d.layers {
		if d.in[3+i], err = d.caches.tensor(i, 1, int64(hypotheses), 0); err != nil {
			return err
		}
	}
	return nil
}

// Step feeds one token to every hypothesis: row i continues row parents[i] of the step before
// (before the first step every row is empty). It returns the logits, a row of the vocabulary
// for each token, which the next step of as many rows overwrites.
func (d *Decoding) Step(ctx context.Context, tokens, parents []int64) ([]float32, error) {
	n := len(tokens)
	if n == 0 || n >= len(d.rows) || len(parents) != n {
		return nil, fmt.Errorf("decode: %d tokens with %d parents, expected 1 to %d of each", n, len(parents), len(d.rows)-1)
	}
	if err := d.t.checkTokens(tokens); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	past := d.in[3].Shape()[0]
	for _, p := range parents {
		if p < 0 || p >= past {
			return nil, fmt.Errorf("decode: parent %d of %d hypotheses", p, past)
		}
	}
	r, err := d.arguments(n)
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	copy(r.token.Ints(), tokens)
	copy(r.beam.Ints(), parents)
	d.in[0], d.in[2], d.out[0] = r.token, r.beam, r.logits
	for i := range 2 * d.layers {
		if d.out[1+i], err = d.caches.tensor(i, d.time[0], int64(n), d.time[0]+1); err != nil {
			return nil, fmt.Errorf("decode: %w", err)
		}
	}
	if err := d.t.step.Run(ctx, d.in, d.out); err != nil {
		return nil, err
	}
	for i := range 2 * d.layers {
		d.in[3+i].Destroy()
		d.in[3+i], d.out[1+i] = d.out[1+i], nil
	}
	d.time[0]++
	return r.logits.Floats(), nil
}

// arguments are allocated once for each number of rows.
func (d *Decoding) arguments(n int) (stepRows, error) {
	r := &d.rows[n]
	if r.logits != nil {
		return *r, nil
	}
	var err error
	if r.token, err = ort.NewInts([]int64{int64(n), 1}, make([]int64, n)); err != nil {
		return *r, err
	}
	if r.beam, err = ort.NewInts([]int64{int64(n)}, make([]int64, n)); err != nil {
		return *r, err
	}
	r.logits, err = ort.NewFloats([]int64{int64(n), int64(d.vocab)}, make([]float32, n*d.vocab))
	return *r, err
}

// Close gives all tensors back.
func (d *Decoding) Close() {
	destroy(d.owned)
	destroy(d.in[1:2])
	destroy(d.in[3 : 3+2*d.layers])
	destroy(d.out[1:])
	if d.caches != nil {
		d.t.spare, d.caches = append(d.t.spare, d.caches), nil
	}
	for _, r := range d.rows {
		destroy([]*ort.Tensor{r.token, r.beam, r.logits})
	}
}
