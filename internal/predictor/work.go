package predictor

import "hsnas/internal/space"

// workColumns are the columns of the feature set "hat-work": what the parts of a
// Transformer do for one sentence, up to constants of the task. Matrix products
// take time in proportion to these sums of products, kernels to their number.
var workColumns = []struct {
	name  string
	value func(a space.Architecture) int
}{
	{"encoder_layers", func(a space.Architecture) int { return depthOf(a, "encoder") }},
	{"encoder_width", func(a space.Architecture) int { return depthOf(a, "encoder") * a.Int("encoder_embed_dim") }},
	{"encoder_heads", func(a space.Architecture) int { return totalOf(a, "encoder_self_attn_heads") }},
	{"encoder_ffn", func(a space.Architecture) int { return a.Int("encoder_embed_dim") * totalOf(a, "encoder_ffn_dim") }},
	{"decoder_layers", func(a space.Architecture) int { return depthOf(a, "decoder") }},
	{"decoder_width", func(a space.Architecture) int { return depthOf(a, "decoder") * a.Int("decoder_embed_dim") }},
	{"decoder_output", func(a space.Architecture) int { return a.Int("decoder_embed_dim") }},
	{"decoder_self_heads", func(a space.Architecture) int { return totalOf(a, "decoder_self_attn_heads") }},
	{"decoder_cross_heads", func(a space.Architecture) int { return totalOf(a, "decoder_cross_attn_heads") }},
	{"decoder_ffn", func(a space.Architecture) int { return a.Int("decoder_embed_dim") * totalOf(a, "decoder_ffn_dim") }},
	{"memory_layers", func(a space.Architecture) int { return totalOf(a, "decoder_cross_attn_span") }},
	{"memory_width", func(a space.Architecture) int {
		return a.Int("encoder_embed_dim") * totalOf(a, "decoder_cross_attn_span")
	}},
}

// workTerms scales each column by the largest architecture's, which has the most
// of everything.
func workTerms(s *space.Space) []term {
	largest := s.Largest()
	out := make([]term, len(workColumns))
	for i, c := range workColumns {
		out[i] = term{c.name, float64(c.value(largest)), func(a space.Architecture) (float64, error) {
			return float64(c.value(a)), nil
		}}
	}
	return out
}

func depthOf(a space.Architecture, side string) int { return len(a.Ints(side + "_ffn_dim")) }

func totalOf(a space.Architecture, name string) int {
	sum := 0
	for _, n := range a.Ints(name) {
		sum += n
	}
	return sum
}
