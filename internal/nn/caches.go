package nn

import "hsnas/internal/ort"

// caches are the keys and values of the tokens so far, for each decoder layer's
// self-attention. A step reads one set of buffers and writes the other, whole, so that
// nothing is copied between steps, and none is allocated once the buffers are as long as
// the longest translation so far. Outputs that ONNX Runtime would allocate itself are
// copied into Go's memory by its Go package, and its IoBinding copies them too: buffers
// of our own are what avoids both.
type caches struct {
	sets  [2][][]float32 // of the steps with an even and an odd number
	heads []int64        // of each buffer
	width []int64        // of a head
}

// firstTokens is how many tokens a buffer is made for at first.
const firstTokens = 32

func newCaches(t *Translator) *caches {
	c := &caches{}
	for i, l := range t.model.Layers {
		for j := range 2 {
			c.heads = append(c.heads, int64(l.SelfHeads))
			c.width = append(c.width, t.step.Inputs()[3+2*i+j].Shape[3])
		}
	}
	for i := range c.sets {
		c.sets[i] = make([][]float32, len(c.heads))
	}
	return c
}

// tensor is buffer i of a step's set as [rows, heads, tokens, width].
func (c *caches) tensor(i int, step, rows, tokens int64) (*ort.Tensor, error) {
	set, token := c.sets[step%2], rows*c.heads[i]*c.width[i]
	n := int(token * tokens)
	if len(set[i]) < n {
		set[i] = make([]float32, max(2*n, int(token)*firstTokens))
	}
	return ort.NewFloats([]int64{rows, c.heads[i], tokens, c.width[i]}, set[i][:n])
}
