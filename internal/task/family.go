package task

import "hsnas/internal/config"

// The model families that hsnas knows: encoder-decoder Transformers with the
// hyperparameters of HAT's spaces.
const (
	HAT   = "hat"   // HAT's (arXiv 2005.14187): post-LN; what is published of it was trained by others
	Micro = "micro" // small and pre-LN, trained here from scratch
)

// hatQKV is HAT's width of queries, keys and values.
const hatQKV = 512

// QKVWidth returns the width that queries, keys and values project to, whatever
// the embedding dimension and the number of heads.
func (m *Transformer) QKVWidth() int {
	if m.QKV == 0 {
		return hatQKV
	}
	return m.QKV
}

// HasCostModel says whether FLOPs and parameters of an architecture can be
// computed, which needs a model family and a vocabulary.
func (t *Task) HasCostModel() bool { return t.Family != "" && t.Model.Vocabulary > 0 }

// familyNames are the hyperparameters that a space of a model family must have.
var familyNames = []string{
	"encoder_embed_dim", "encoder_layers", "encoder_ffn_dim", "encoder_self_attn_heads", "decoder_embed_dim",
	"decoder_layers", "decoder_ffn_dim", "decoder_self_attn_heads", "decoder_cross_attn_heads", "decoder_cross_attn_span",
}

func (t *Task) checkFamily(file string) error {
	if t.Family == "" {
		return nil
	}
	for _, name := range familyNames {
		i, ok := t.Space.Index(name)
		if !ok {
			return config.Errorf(file, 0, "family %s needs the hyperparameter %s, which the space %s does not have", t.Family, name, t.Space.Name)
		}
		for _, c := range t.Space.Hyperparameters[i].Choices {
			if n, whole := c.Int(); !whole || n < 1 {
				return config.Errorf(file, 0, "family %s needs whole numbers for %s; the space %s has %s", t.Family, name, t.Space.Name, c)
			}
		}
	}
	return nil
}
