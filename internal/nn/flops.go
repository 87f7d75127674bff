package nn

// Work is the floating-point operations of one repetition of a Stopwatch, matrix products
// alone; a multiplication with its addition counts as two.
type Work struct{ Encoder, Decoder int64 }

// WorkOf counts what the graphs compute for one sentence of source tokens and then steps
// decoder steps of beam hypotheses. It differs from the cost model's FLOPs of a
// teacher-forced pair on purpose: a beam multiplies the decoder's products except the
// cross-attention's keys and values, which the hypotheses share, and a step attends only to
// the tokens before it.
func WorkOf(s Shape, source, steps, beam int) Work {
	q, n := int64(s.QKV), int64(source)
	var w Work
	e := int64(s.Encoder.Dim)
	for _, f := range s.Encoder.FFN {
		w.Encoder += 2 * (4*n*e*q + 2*n*n*q + 2*n*e*int64(f))
	}
	d, t, rows := int64(s.Decoder.Dim), int64(steps), int64(steps)*int64(beam)
	seen := t * (t + 1) / 2 * int64(beam) // keys that all steps' self-attentions look at
	for i, f := range s.Decoder.FFN {
		keys := int64(s.Spans[i]) * n
		w.Decoder += 2 * (2*keys*e*q + rows*(4*d*q+2*d*q+2*keys*q+2*d*int64(f)) + 2*seen*q)
	}
	w.Decoder += 2 * rows * d * int64(s.Vocabulary)
	return w
}
