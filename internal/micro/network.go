package micro

import (
	"context"
	"fmt"
	"slices"

	"hsnas/internal/onnx"
	"hsnas/internal/ort"
)

// Network is an architecture with its parameters, ready to translate and to be
// scored. The encoder runs once for a batch; the decoder a token at a time, with
// the keys and values of earlier tokens kept in ONNX Runtime. It is not for
// several goroutines at once.
type Network struct {
	dims   Dims
	shape  Shape
	tables *tables

	encoder encoderGraph
	first   *ort.Session // the decoder's first step, which has no earlier tokens
	next    *ort.Session
}

// encoderGraph is a session that takes feeds.
type encoderGraph struct {
	feeds   []feed
	session *ort.Session
}

// NewNetwork builds the graphs of s, whose parameters in the order of its own
// layout are copied.
func NewNetwork(rt *ort.Runtime, d Dims, s Shape, parameters []float32, o ort.Options) (*Network, error) {
	graphs, err := buildGraphs(d, s, parameters)
	if err != nil {
		return nil, err
	}
	n := &Network{dims: d, shape: s, tables: newTables(d.Ladder)}
	n.encoder.feeds = graphs.feeds
	for _, g := range []struct {
		name    string
		model   []byte
		session **ort.Session
	}{{"encoder", graphs.encoder, &n.encoder.session}, {"decoder's first step", graphs.first, &n.first}, {"decoder step", graphs.next, &n.next}} {
		o.Name = g.name
		o.NoMemoryPattern = true
		if *g.session, err = rt.LoadBytes(g.model, o); err != nil {
			n.Close()
			return nil, err
		}
	}
	return n, nil
}

// Close gives the sessions back.
func (n *Network) Close() {
	for _, s := range []*ort.Session{n.encoder.session, n.first, n.next} {
		if s != nil {
			s.Close()
		}
	}
}

// graphs are the models of a network.
type graphs struct {
	encoder, first, next []byte
	feeds                []feed // of the encoder
}

func buildGraphs(d Dims, s Shape, parameters []float32) (graphs, error) {
	l, err := NewLayout(d, s)
	if err != nil {
		return graphs{}, err
	}
	if len(parameters) != l.Size() {
		return graphs{}, fmt.Errorf("micro: %d parameters, the architecture has %d", len(parameters), l.Size())
	}
	build := func(name string) *builder {
		b := newBuilder(name, d, s)
		b.layout, b.flat = l, parameters
		return b
	}
	var out graphs
	b := build("micro_encoder")
	b.keysAndValues()
	out.feeds = b.feeds
	if out.encoder, err = b.g.Marshal(); err != nil {
		return graphs{}, err
	}
	for _, step := range []struct {
		name  string
		first bool
		model *[]byte
	}{{"micro_decoder_first", true, &out.first}, {"micro_decoder_step", false, &out.next}} {
		b := build(step.name)
		b.step(step.first)
		if *step.model, err = b.g.Marshal(); err != nil {
			return graphs{}, err
		}
	}
	return out, nil
}

// keysAndValues is the encoder with what each decoder layer attends to: two
// outputs for each, [1, batch, heads, span * src, width].
func (b *builder) keysAndValues() {
	outputs := b.encode()
	for i := range b.shape.Decoder.Layers() {
		memory, _ := b.memory(outputs, i)
		k, v := b.crossMemory(memory, i)
		b.g.Output(fmt.Sprintf("cross.%d.key", i), k)
		b.g.Output(fmt.Sprintf("cross.%d.value", i), v)
	}
}

// step is one step of the decoder for all sentences of a batch: inputs token
// int64 [batch, 1], position [1, dim], for each layer the cross-attention's
// keys, values and mask and, but for the first step, the self-attention's earlier
// keys and values; outputs next int64 [batch], the likeliest token, and each
// layer's keys and values with the new ones.
func (b *builder) step(first bool) {
	n, one := b.dim("decoder"), onnx.Fixed(1)
	token := b.g.Input("token", onnx.Int64, batchDim, one)
	position := b.g.Input("position", onnx.Float32, one, n.dim)
	x := b.embed(token, position, b.targetTable(), "decoder")
	for i := range b.shape.Decoder.Layers() {
		x = b.cachedSelfAttention(x, token, i, first)
		h, time := b.crossHeads(i), onnx.Sym(fmt.Sprintf("src_%d", b.shape.Spans[i]))
		in := func(name string) value {
			return b.g.Input(fmt.Sprintf("cross.%d.%s", i, name), onnx.Float32, one, batchDim, h.count, time, h.width)
		}
		k, v := in("key"), in("value")
		mask := b.once(fmt.Sprint("cross mask ", b.shape.Spans[i]), func() value {
			return b.g.Input(fmt.Sprintf("cross.mask_%d", b.shape.Spans[i]), onnx.Float32, one, batchDim, one, one, time)
		})
		x = b.crossAttention(x, token, k, v, mask, i)
		x = b.feedForward(x, "decoder", i)
	}
	x = b.norm(x, decoderNorm, n)
	logits := b.g.Op("Gemm", []onnx.Dim{batchDim, onnx.Fixed(int64(b.d.TargetWords))}, []value{x, b.targetTable()}, onnx.Int("transB", 1))
	next := b.g.OpT("ArgMax", onnx.Int64, []onnx.Dim{batchDim}, []value{logits}, onnx.Axis(-1), onnx.Int("keepdims", 0))
	b.g.Output("next", next)
}

// cachedSelfAttention attends to the tokens so far, whose keys and values come in
// and go out again with the new token's.
func (b *builder) cachedSelfAttention(x, token value, i int, first bool) value {
	h, one := b.selfHeads("decoder", i), onnx.Fixed(1)
	qkv := b.byHead(b.selfProjection(x, "decoder", i), token, 3, h)
	join := func(name string, fresh value) value {
		full := fmt.Sprintf("self.%d.%s", i, name)
		if !first {
			past := b.g.Input(full, onnx.Float32, one, batchDim, h.count, onnx.Sym("past"), h.width)
			shape := []onnx.Dim{one, batchDim, h.count, onnx.Sym("present"), h.width}
			fresh = b.g.Op("Concat", shape, []value{past, fresh}, onnx.Axis(3))
		}
		b.g.Output(full+".next", fresh)
		return fresh
	}
	k, v := join("key", qkv[1]), join("value", qkv[2])
	return b.selfOutput(x, b.attend(qkv[0], k, v, nil, h, x.Shape()[0]), "decoder", i)
}

// Encoded is a batch of sources after the encoder.
type Encoded struct {
	batch *Batch
	named map[string]*ort.Tensor // keys, values and masks of the cross-attention
}

// Destroy gives the tensors back.
func (e *Encoded) Destroy() {
	for _, t := range e.named {
		t.Destroy()
	}
}

// Encode runs the encoder over sources, each with EOS at its end.
func (n *Network) Encode(ctx context.Context, sources [][]int64) (*Encoded, error) {
	b := sourceBatch(sources)
	in, release, err := tensors(n.encoder.feeds, &call{shape: n.shape, batch: b, tables: n.tables})
	if err != nil {
		return nil, err
	}
	defer release()
	out := make([]*ort.Tensor, 2*n.shape.Decoder.Layers())
	if err := n.encoder.session.Run(ctx, in, out); err != nil {
		return nil, err
	}
	e := &Encoded{batch: b, named: map[string]*ort.Tensor{}}
	for i, info := range n.encoder.session.Outputs() {
		e.named[info.Name] = out[i]
	}
	for _, span := range n.shape.Spans {
		name := fmt.Sprintf("cross.mask_%d", span)
		if e.named[name] != nil {
			continue
		}
		shape := []int64{1, int64(b.Sentences), 1, 1, int64(span * b.SourceLength)}
		if e.named[name], err = ort.NewFloats(shape, repeatRows(b.sourceMask(), b.SourceLength, span)); err != nil {
			e.Destroy()
			return nil, err
		}
	}
	return e, nil
}

// repeatRows writes every row of n numbers times over.
func repeatRows(x []float32, n, times int) []float32 {
	out := make([]float32, 0, len(x)*times)
	for row := range slices.Chunk(x, n) {
		for range times {
			out = append(out, row...)
		}
	}
	return out
}

func sourceBatch(sources [][]int64) *Batch {
	b := &Batch{Sentences: len(sources)}
	for _, s := range sources {
		b.SourceLength = max(b.SourceLength, len(s))
	}
	b.Source = make([]int64, len(sources)*b.SourceLength)
	for i, s := range sources {
		copy(b.Source[i*b.SourceLength:], s)
	}
	return b
}

// Decoding is a greedy decoding under way.
type Decoding struct {
	network *Network
	encoded *Encoded
	caches  map[string]*ort.Tensor // by the name of the step's input
	steps   int
}

// Start begins a decoding. The Encoded must outlive it.
func (n *Network) Start(e *Encoded) *Decoding {
	return &Decoding{network: n, encoded: e, caches: map[string]*ort.Tensor{}}
}

// Step gives every sentence's last token, BOS first, and returns the likeliest
// next ones.
func (d *Decoding) Step(ctx context.Context, last []int64) ([]int64, error) {
	session := d.network.next
	if d.steps == 0 {
		session = d.network.first
	}
	token, err := ort.NewInts([]int64{int64(len(last)), 1}, last)
	if err != nil {
		return nil, err
	}
	defer token.Destroy()
	dim := d.network.shape.Decoder.Dim
	position, err := ort.NewFloats([]int64{1, int64(dim)}, positions(d.steps, 1, dim, d.network.dims.Ladder))
	if err != nil {
		return nil, err
	}
	defer position.Destroy()
	in := make([]*ort.Tensor, len(session.Inputs()))
	for i, info := range session.Inputs() {
		switch info.Name {
		case "token":
			in[i] = token
		case "position":
			in[i] = position
		default:
			if in[i] = d.encoded.named[info.Name]; in[i] == nil {
				in[i] = d.caches[info.Name]
			}
		}
	}
	out := make([]*ort.Tensor, len(session.Outputs()))
	if err := session.Run(ctx, in, out); err != nil {
		return nil, err
	}
	d.steps++
	return d.keep(session, out), nil
}

// keep takes the outputs of a step over: the caches for the next one, and what it
// said.
func (d *Decoding) keep(session *ort.Session, out []*ort.Tensor) []int64 {
	var next []int64
	for i, info := range session.Outputs() {
		if info.Name == "next" {
			next = slices.Clone(out[i].Ints())
			out[i].Destroy()
			continue
		}
		name := info.Name[:len(info.Name)-len(".next")]
		d.caches[name].Destroy()
		d.caches[name] = out[i]
	}
	return next
}

// Close gives the caches back.
func (d *Decoding) Close() {
	for _, t := range d.caches {
		t.Destroy()
	}
}
