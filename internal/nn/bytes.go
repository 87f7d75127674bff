package nn

// Traffic is the bytes that one repetition of a Stopwatch has to move between memory and
// cores at least, where the weights are larger than the caches of the processor: every
// weight of a product once for each run of its graph, the caches of the decoder read and
// written by each step, and the logits. Activations stay in the processor's caches.
type Traffic struct{ Encoder, Decoder int64 }

// TrafficOf counts them for sentences of source tokens and then steps decoder steps of beam
// hypotheses of each; a weight takes weight bytes, everything else is float32.
func TrafficOf(s Shape, sentences, source, steps, beam int, weight int64) Traffic {
	const float = 4
	q, e, d, v := int64(s.QKV), int64(s.Encoder.Dim), int64(s.Decoder.Dim), int64(s.Vocabulary)
	n, t, rows := int64(sentences), int64(steps), int64(sentences)*int64(beam)
	var x Traffic
	for _, f := range s.Encoder.FFN {
		x.Encoder += weight * (4*e*q + 2*e*int64(f))
	}
	step := weight*d*v + float*rows*v // the output layer and the logits
	for i, f := range s.Decoder.FFN {
		keys := n * int64(s.Spans[i]) * int64(source)
		x.Decoder += weight*2*e*q + float*2*keys*q // once: the cross-attention's keys and values
		step += weight*(6*d*q+2*d*int64(f)) + float*2*keys*q
		// A step with p tokens before it reads p of each row, and writes p+1.
		x.Decoder += float * 2 * rows * q * (t*(t-1)/2 + t*(t+1)/2)
	}
	x.Decoder += t * step
	return x
}
