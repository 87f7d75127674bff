package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"hsnas/internal/onnx"
	"hsnas/internal/safetensors"
	"hsnas/internal/tabular"
)

// modelContent is what an ONNX file says about itself.
type modelContent struct {
	Kind      string            `json:"kind"`
	Graph     string            `json:"graph"`
	Producer  string            `json:"producer"`
	Operators map[string]int64  `json:"operator_sets"` // versions by domain
	Inputs    []tensor          `json:"inputs"`
	Outputs   []tensor          `json:"outputs"`
	Metadata  map[string]string `json:"metadata"`
	Nodes     map[string]int    `json:"nodes"` // how many by operator
	Constants int               `json:"constants"`
	Inside    int64             `json:"constant_bytes"`          // in the file
	Outside   int64             `json:"external_constant_bytes"` // in a file beside it
}

// tensor is an input, an output or a stored tensor.
type tensor struct {
	Name  string   `json:"name"`
	Type  string   `json:"type"`
	Shape []string `json:"shape"` // a number, or the name of what is known at run time
}

func openModel(place string) (content, error) {
	data, err := os.ReadFile(place)
	if err != nil {
		return nil, err
	}
	m, err := onnx.Read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	g := m.GetGraph()
	out := &modelContent{
		Kind: "onnx", Graph: g.GetName(), Producer: strings.TrimSpace(m.GetProducerName() + " " + m.GetProducerVersion()),
		Operators: map[string]int64{}, Metadata: map[string]string{}, Nodes: map[string]int{},
		Inputs: tensorsOf(g.GetInput()), Outputs: tensorsOf(g.GetOutput()), Constants: len(g.GetInitializer()),
	}
	for _, o := range m.GetOpsetImport() {
		domain := o.GetDomain()
		if domain == "" {
			domain = "ai.onnx"
		}
		out.Operators[domain] = o.GetVersion()
	}
	for _, kv := range m.GetMetadataProps() {
		out.Metadata[kv.GetKey()] = kv.GetValue()
	}
	for _, n := range g.GetNode() {
		out.Nodes[n.GetOpType()]++
	}
	for _, c := range g.GetInitializer() {
		if c.GetDataLocation() != onnx.TensorProto_EXTERNAL {
			out.Inside += int64(len(c.GetRawData()))
		} else if extent, err := c.External(); err == nil {
			out.Outside += extent.Length
		}
	}
	return out, nil
}

func tensorsOf(values []*onnx.ValueInfoProto) []tensor {
	out := []tensor{}
	for _, v := range values {
		of := v.GetType().GetTensorType()
		t := tensor{Name: v.GetName(), Type: onnx.DataType(of.GetElemType()).String(), Shape: []string{}}
		for _, d := range of.GetShape().GetDim() {
			size := d.GetDimParam()
			if size == "" {
				size = strconv.FormatInt(d.GetDimValue(), 10)
			}
			t.Shape = append(t.Shape, size)
		}
		out = append(out, t)
	}
	return out
}

func (m *modelContent) close() {}

func (m *modelContent) fields(showOptions) (map[string]any, error) {
	return map[string]any{"kind": m.Kind, "onnx": m}, nil
}

func (m *modelContent) print(w io.Writer, o showOptions) error {
	nodes := 0
	for _, n := range m.Nodes {
		nodes += n
	}
	fmt.Fprintf(w, "\nONNX graph %s by %s, %d nodes, %d constants of %s", tabular.Printable(m.Graph), tabular.Printable(m.Producer), nodes, m.Constants, tabular.Bytes(m.Inside))
	if m.Outside > 0 {
		fmt.Fprintf(w, " and %s in a file beside it", tabular.Bytes(m.Outside))
	}
	fmt.Fprint(w, "\n\n")
	out := tabular.New(w, tabular.Text, []string{"", "name", "value"}, o.width)
	row := func(kind, name, value string) { _ = out.Row([]any{kind, name, value}) } // it keeps rows: errors come with Close
	for _, t := range m.Inputs {
		row("input", t.Name, t.String())
	}
	for _, t := range m.Outputs {
		row("output", t.Name, t.String())
	}
	for _, domain := range sortedKeys(m.Operators) {
		row("opset", domain, strconv.FormatInt(m.Operators[domain], 10))
	}
	for _, key := range sortedKeys(m.Metadata) {
		row("metadata", key, m.Metadata[key])
	}
	for _, operator := range sortedKeys(m.Nodes) {
		row("nodes", operator, strconv.Itoa(m.Nodes[operator]))
	}
	return out.Close()
}

func (t tensor) String() string { return t.Type + " [" + strings.Join(t.Shape, ", ") + "]" }

// tensorsContent is a file of safetensors: the names and shapes of its tensors.
type tensorsContent struct {
	names   []string
	tensors []tensor
	bytes   []int64
	strings map[string]string
}

func openTensors(place string) (content, error) {
	f, err := safetensors.Open(place)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := &tensorsContent{names: f.Names(), strings: f.Metadata()}
	for _, name := range out.names {
		info, _ := f.Tensor(name)
		t := tensor{Name: name, Type: info.DType, Shape: []string{}}
		for _, n := range info.Shape {
			t.Shape = append(t.Shape, strconv.FormatInt(n, 10))
		}
		out.tensors = append(out.tensors, t)
		out.bytes = append(out.bytes, info.Bytes())
	}
	return out, nil
}

func (t *tensorsContent) close() {}

func (t *tensorsContent) fields(showOptions) (map[string]any, error) {
	return map[string]any{"kind": "safetensors", "tensors": t.tensors, "metadata": t.strings}, nil
}

func (t *tensorsContent) print(w io.Writer, o showOptions) error {
	fmt.Fprintf(w, "\nsafetensors, %d tensors\n", len(t.tensors))
	for _, key := range sortedKeys(t.strings) {
		fmt.Fprintf(w, "%s: %s\n", tabular.Printable(key), tabular.Printable(t.strings[key]))
	}
	fmt.Fprintln(w)
	out := tabular.New(w, tabular.Text, []string{"tensor", "type", "shape", "bytes"}, o.width)
	for i, x := range t.tensors {
		if o.rows >= 0 && int64(i) == o.rows {
			break
		}
		if err := out.Row([]any{x.Name, x.Type, "[" + strings.Join(x.Shape, ", ") + "]", t.bytes[i]}); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	if more := int64(len(t.tensors)) - o.rows; o.rows >= 0 && more > 0 {
		_, err := fmt.Fprintf(w, "... %d more tensors; --rows N or --all prints them\n", more)
		return err
	}
	return nil
}
