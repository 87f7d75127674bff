package cost_test

import (
	"testing"

	"hsnas/internal/cost"
)

// Four architectures of the PyTorch reference, with what it counted: parameters,
// those of them that are no embeddings, and FLOPs of 16 tokens on either side. It
// leaves the two final LayerNorms out of the second figure and of the first.
func TestMicro(t *testing.T) {
	for _, c := range []struct {
		arch                     string
		norms                    int64 // parameters of the final LayerNorms, 2E + 2D
		params, noEmbedding, ops int64
	}{
		{`{"encoder_embed_dim":96,"encoder_ffn_dim":[64,64,64],"encoder_self_attn_heads":[2,2,4],"decoder_embed_dim":64,"decoder_ffn_dim":[256],
			"decoder_self_attn_heads":[2],"decoder_cross_attn_heads":[2],"decoder_cross_attn_span":[1]}`, 320, 249664, 183936, 7122944},
		{`{"encoder_embed_dim":64,"encoder_ffn_dim":[64,128,64],"encoder_self_attn_heads":[2,4,4],"decoder_embed_dim":32,"decoder_ffn_dim":[64,128],
			"decoder_self_attn_heads":[4,2],"decoder_cross_attn_heads":[4,2],"decoder_cross_attn_span":[2,1]}`, 192, 177152, 138688, 5625856},
		{`{"encoder_embed_dim":96,"encoder_ffn_dim":[128,256,256],"encoder_self_attn_heads":[4,2,2],"decoder_embed_dim":96,"decoder_ffn_dim":[128,256,128],
			"decoder_self_attn_heads":[4,2,2],"decoder_cross_attn_heads":[2,2,2],"decoder_cross_attn_span":[3,2,3]}`, 384, 531360, 449568, 18581504},
		{`{"encoder_embed_dim":32,"encoder_ffn_dim":[64,256,128],"encoder_self_attn_heads":[2,2,4],"decoder_embed_dim":96,"decoder_ffn_dim":[256,256,256],
			"decoder_self_attn_heads":[2,2,4],"decoder_cross_attn_heads":[4,2,2],"decoder_cross_attn_span":[2,2,1]}`, 256, 389088, 329696, 12879872},
	} {
		on := load(t, "micro.en-de")
		model := *on.Model
		model.SourceTokens, model.TargetTokens = 16, 16
		on.Model = &model
		a := parse(t, on, c.arch)
		got, err := cost.Of(on, a)
		lastLayer := 2 * 16 * int64(a.Int("decoder_embed_dim")) * 502
		want := cost.Cost{Params: c.noEmbedding + c.norms, EmbeddingParams: c.params - c.noEmbedding, FLOPs: c.ops, FLOPsWithoutLastLayer: c.ops - lastLayer}
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", a, got, err, want)
		}
		if macs := cost.MACs(on, a); 2*macs != want.FLOPsWithoutLastLayer {
			t.Errorf("%s: %d MACs, want half of %d", a, macs, want.FLOPsWithoutLastLayer)
		}
	}
}
