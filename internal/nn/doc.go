// Package nn writes HAT's Transformer (Wang et al., ACL 2020, arXiv 2005.14187) as ONNX
// graphs and runs them: an architecture of the space with its share of the supernet's
// weights. Post-LN, ReLU, sinusoidal positions, token embeddings times the square root of
// their dimension; queries, keys and values project to 512 whatever the embedding dimension.
//
// Export writes a folder of five files and the weights that they share:
//
//	encoder.onnx       src_tokens int64 [sentences, src]
//	                   -> memory_0 .. memory_n float32 [sentences, src, E], the outputs of the last encoder
//	                      layer, the last but one, ...; padding_mask bool [sentences, src], true at pads
//	decoder_init.onnx  memory_*, padding_mask
//	                   -> cross_key_i [sentences, heads, 512/heads, keys], cross_value_i [sentences, heads,
//	                      keys, 512/heads] for each decoder layer i; cross_mask_s [sentences, 1, 1, s*src] for
//	                      each span s in use: 0, or the lowest float32 at a pad
//	decoder_step.onnx  prev_token int64 [batch, 1], position int64 [1] (0 for the first token),
//	                   beam_index int64 [batch], past_key_i and past_value_i float32 [past_batch, heads, past,
//	                   512/heads] for each decoder layer, cross_*
//	                   -> logits float32 [batch, V], present_key_i and present_value_i [batch, heads, past+1, ...]
//	scorer.onnx        src_tokens [batch, src], prev_tokens [batch, tgt] -> logits float32 [batch, tgt, V]
//	model.json         the architecture, the task, the cost and the SHA-256 of every other file
//	weights.bin        large constants
//
// The step's past caches are empty (past = 0) before the first token. Row i of a step
// continues row beam_index[i] of the caches, which is how a beam search reorders its
// hypotheses. The batch is a multiple of the sentences: the hypotheses of one sentence stand
// together and share its cross-attention keys and values, which are computed once.
//
// A pad is masked with the lowest finite float32 where HAT has minus infinity: equal
// wherever a key is left, and no NaN where none is.
package nn

// Token ids with a meaning of their own, as in HAT's dictionaries.
const (
	PAD = 1 // pads a batch; has no position and no weight in attention
	EOS = 2 // ends a sentence; the decoder's input begins with it
)

// epsilon is LayerNorm's.
const epsilon = 1e-5
