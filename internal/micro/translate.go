package micro

import (
	"cmp"
	"context"
	"slices"

	"hsnas/internal/corpus"
	"hsnas/internal/metric"
)

// extraSteps is how much longer than its source a translation may be.
const extraSteps = 8

// translateBatch is how many sentences are translated side by side.
const translateBatch = 100

// Translate decodes every source greedily: the tokens up to EOS, or as many as
// the source has, EOS counted, and eight more.
func (n *Network) Translate(ctx context.Context, sources [][]int64) ([][]int64, error) {
	order := make([]int, len(sources))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(len(sources[i]), len(sources[j])) })
	out := make([][]int64, len(sources))
	for part := range slices.Chunk(order, translateBatch) {
		batch := make([][]int64, len(part))
		for i, at := range part {
			batch[i] = sources[at]
		}
		translated, err := n.translate(ctx, batch)
		if err != nil {
			return nil, err
		}
		for i, at := range part {
			out[at] = translated[i]
		}
	}
	return out, nil
}

func (n *Network) translate(ctx context.Context, sources [][]int64) ([][]int64, error) {
	e, err := n.Encode(ctx, sources)
	if err != nil {
		return nil, err
	}
	defer e.Destroy()
	d := n.Start(e)
	defer d.Close()
	last, done := slices.Repeat([]int64{corpus.BOS}, len(sources)), make([]bool, len(sources))
	out := make([][]int64, len(sources))
	for left := len(sources); left > 0; {
		next, err := d.Step(ctx, last)
		if err != nil {
			return nil, err
		}
		for i, id := range next {
			if done[i] {
				next[i] = corpus.PAD
				continue
			}
			if id != corpus.EOS {
				out[i] = append(out[i], id)
			}
			if id == corpus.EOS || len(out[i]) == len(sources[i])+extraSteps {
				done[i] = true
				left--
			}
		}
		last = next
	}
	return out, nil
}

// BLEU translates the sources of pairs and holds the result against their
// targets, 0 to 100.
func (n *Network) BLEU(ctx context.Context, c *corpus.Corpus, pairs []corpus.Pair) (float64, error) {
	examples := c.Encode(pairs)
	sources, references := make([][]int64, len(pairs)), make([][]string, len(pairs))
	for i, e := range examples {
		sources[i], references[i] = e.Source, pairs[i].Target
	}
	translated, err := n.Translate(ctx, sources)
	if err != nil {
		return 0, err
	}
	hypotheses := make([][]string, len(translated))
	for i, ids := range translated {
		hypotheses[i] = c.Target.Decode(ids)
	}
	return metric.BLEU(hypotheses, references), nil
}
