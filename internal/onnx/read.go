package onnx

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"google.golang.org/protobuf/proto"
)

// Read parses and checks a model: its versions are the ones that hsnas writes, every name
// is defined once and before its use, and every constant fills its shape. External data is
// not opened. Damaged bytes give an error, never a panic.
func Read(data []byte) (*ModelProto, error) {
	m := &ModelProto{}
	if err := proto.Unmarshal(data, m); err != nil {
		return nil, errors.New("not an ONNX model: damaged protobuf message")
	}
	if m.GetGraph() == nil {
		return nil, errors.New("not an ONNX model: it has no graph")
	}
	if err := m.checkVersions(); err != nil {
		return nil, err
	}
	if err := m.GetGraph().check(); err != nil {
		return nil, fmt.Errorf("onnx graph %q: %w", m.GetGraph().GetName(), err)
	}
	return m, nil
}

// Meta is the value of a key of metadata_props, "" where it is absent.
func (m *ModelProto) Meta(key string) string {
	for _, kv := range m.GetMetadataProps() {
		if kv.GetKey() == key {
			return kv.GetValue()
		}
	}
	return ""
}

func (m *ModelProto) checkVersions() error {
	if v := m.GetIrVersion(); v < 3 || v > IRVersion {
		return fmt.Errorf("ONNX IR version %d; hsnas reads 3 to %d", v, IRVersion)
	}
	core := false
	for _, o := range m.GetOpsetImport() {
		switch d, v := o.GetDomain(), o.GetVersion(); d {
		case "", "ai.onnx":
			if v != Opset {
				return fmt.Errorf("ONNX opset %d; hsnas reads opset %d", v, Opset)
			}
			core = true
		default:
			known := domainVersion(d)
			if known == 0 {
				return fmt.Errorf("operators of domain %q; hsnas reads ONNX's own, %s and %s", d, MicrosoftDomain, MLDomain)
			}
			if v != known {
				return fmt.Errorf("operators of %s version %d; hsnas reads version %d", d, v, known)
			}
		}
	}
	if !core {
		return fmt.Errorf("no ONNX opset is named; hsnas reads opset %d", Opset)
	}
	return nil
}

// check is one pass over the graph in the order of definition.
func (g *GraphProto) check() error {
	defined := map[string]bool{}
	define := func(name string) error {
		if name == "" || defined[name] {
			return fmt.Errorf("the name %q is empty or defined twice", name)
		}
		defined[name] = true
		return nil
	}
	for _, t := range g.GetInitializer() {
		if err := errors.Join(define(t.GetName()), t.check()); err != nil {
			return err
		}
	}
	for _, v := range g.GetInput() {
		if err := define(v.GetName()); err != nil {
			return err
		}
	}
	for i, n := range g.GetNode() {
		if err := n.check(defined, define); err != nil {
			return fmt.Errorf("node %d (%s): %w", i, n.GetOpType(), err)
		}
	}
	if len(g.GetOutput()) == 0 {
		return errors.New("no outputs")
	}
	for _, v := range g.GetOutput() {
		if !defined[v.GetName()] {
			return fmt.Errorf("output %q is never computed", v.GetName())
		}
	}
	return nil
}

func (n *NodeProto) check(defined map[string]bool, define func(string) error) error {
	if n.GetOpType() == "" {
		return errors.New("no operator")
	}
	if d := n.GetDomain(); d != "" && d != "ai.onnx" && domainVersion(d) == 0 {
		return fmt.Errorf("operator of domain %q", d)
	}
	for _, in := range n.GetInput() {
		if in != "" && !defined[in] {
			return fmt.Errorf("input %q is not defined before it", in)
		}
	}
	for _, out := range n.GetOutput() {
		if out == "" {
			continue // an optional output that nobody reads
		}
		if err := define(out); err != nil {
			return err
		}
	}
	return nil
}

func (t *TensorProto) check() error {
	d := DataType(t.GetDataType())
	n, err := Elements(t.GetDims())
	if err != nil {
		return fmt.Errorf("constant %q: %w", t.GetName(), err)
	}
	if d.Size() == 0 {
		return fmt.Errorf("constant %q: %v is not supported", t.GetName(), d)
	}
	if n > (1<<62)/d.Size() {
		return fmt.Errorf("constant %q: shape %v has too many elements", t.GetName(), t.GetDims())
	}
	size := int64(len(t.GetRawData()))
	if t.GetDataLocation() == TensorProto_EXTERNAL {
		x, err := t.External()
		if err != nil {
			return fmt.Errorf("constant %q: %w", t.GetName(), err)
		}
		size = x.Length
	}
	if want := n * d.Size(); size != want {
		return fmt.Errorf("constant %q: shape %v of %v needs %d bytes, found %d", t.GetName(), t.GetDims(), d, want, size)
	}
	return nil
}

// Extent is where an external tensor lies: Length bytes from Offset in a file beside the
// model.
type Extent struct {
	File           string
	Offset, Length int64
}

// External is where the tensor's bytes lie; an error where it names a file outside the
// model's folder or nonsense.
func (t *TensorProto) External() (Extent, error) {
	x := Extent{Length: -1}
	var err error
	for _, kv := range t.GetExternalData() {
		switch kv.GetKey() {
		case "location":
			x.File = kv.GetValue()
		case "offset":
			x.Offset, err = strconv.ParseInt(kv.GetValue(), 10, 64)
		case "length":
			x.Length, err = strconv.ParseInt(kv.GetValue(), 10, 64)
		}
		if err != nil {
			return Extent{}, fmt.Errorf("external data: %s %q is not a number", kv.GetKey(), kv.GetValue())
		}
	}
	if !filepath.IsLocal(x.File) {
		return Extent{}, fmt.Errorf("external data: %q is not a file of the model's folder", x.File)
	}
	if x.Offset < 0 || x.Length < 0 || x.Offset > (1<<62)-x.Length {
		return Extent{}, fmt.Errorf("external data: offset %d and length %d make no sense", x.Offset, x.Length)
	}
	return x, nil
}
