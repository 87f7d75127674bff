package nn

import (
	"context"
	"fmt"

	"hsnas/internal/onnx"
	"hsnas/internal/ort"
)

// chooserGraph is the choice of a beam search over logits, which the vectorised operators of
// ONNX Runtime make twenty times faster than a loop over the vocabulary does:
//
//	logits float32 [rows, V], count int64 [1]
//	-> top float32 and token int64 [rows, count], largest first, the lower token first among
//	   equals; norm float32 [rows, 1], log(sum(exp(logits)))
func chooserGraph(vocabulary int) ([]byte, error) {
	b := newBuilder("chooser", Shape{}, nil, nil)
	rows, one := onnx.Sym("rows"), onnx.Fixed(1)
	logits := b.g.Input("logits", onnx.Float32, rows, onnx.Fixed(int64(vocabulary)))
	count := b.g.Input("count", onnx.Int64, one)
	best := b.g.OpN("TopK", []onnx.Out{{Type: onnx.Float32}, {Type: onnx.Int64}}, []value{logits, count}, onnx.Axis(-1))
	highest := b.op("ReduceMax", []value{logits}, onnx.IntsAttr("axes", -1), onnx.Int("keepdims", 1))
	exp := b.op("Exp", []value{b.op("Sub", []value{logits, highest})})
	sum := b.op("ReduceSum", []value{exp, b.g.Ints(-1)}, onnx.Int("keepdims", 1))
	norm := b.op("Add", []value{b.op("Log", []value{sum}), highest})
	b.g.OutputAs("top", best[0], onnx.Float32, rows, onnx.Sym("count"))
	b.g.OutputAs("token", best[1], onnx.Int64, rows, onnx.Sym("count"))
	b.g.OutputAs("norm", norm, onnx.Float32, rows, one)
	return b.finish("chooser", nil)
}

// loadChooser opens the chooser, on the CPU whatever the model runs on: the logits are there.
func (t *Translator) loadChooser(rt *ort.Runtime) error {
	graph, err := chooserGraph(t.model.Vocabulary)
	if err != nil {
		return err
	}
	t.choose, err = rt.LoadBytes(graph, ort.Options{Name: "chooser"})
	return err
}

type continuation struct {
	token int64
	logp  float64
}

// best are the n likeliest continuations of each row of the last step's logits, likeliest
// first. PAD never follows; it is asked for as one more and left out.
func (d *Decoding) best(ctx context.Context, rows, n int) ([][]continuation, error) {
	if rows < 1 || rows >= len(d.rows) || d.rows[rows].logits == nil {
		return nil, fmt.Errorf("decode: no step of %d rows to choose from", rows)
	}
	k := min(n+1, d.vocab)
	count, err := ort.NewInts([]int64{1}, []int64{int64(k)})
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	defer count.Destroy()
	out := make([]*ort.Tensor, 3)
	if err := d.t.choose.Run(ctx, []*ort.Tensor{d.rows[rows].logits, count}, out); err != nil {
		return nil, err
	}
	defer destroy(out)
	top, tokens, norm := out[0].Floats(), out[1].Ints(), out[2].Floats()
	all := make([][]continuation, rows)
	for row := range all {
		for i := row * k; i < (row+1)*k; i++ {
			if tokens[i] != PAD && len(all[row]) < n {
				all[row] = append(all[row], continuation{tokens[i], float64(top[i]) - float64(norm[row])})
			}
		}
	}
	return all, nil
}
