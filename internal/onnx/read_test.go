package onnx

import (
	"testing"

	"google.golang.org/protobuf/proto"
)

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(m *ModelProto)
		want   string
	}{
		{"opset", func(m *ModelProto) { m.OpsetImport[0].Version = 21 }, "ONNX opset 21; hsnas reads opset 17"},
		{"no opset", func(m *ModelProto) { m.OpsetImport = nil }, "no ONNX opset is named; hsnas reads opset 17"},
		{"domain", func(m *ModelProto) { m.OpsetImport[0].Domain = proto.String("ai.onnx.training") }, `operators of domain "ai.onnx.training"; hsnas reads ONNX's own, com.microsoft and ai.onnx.ml`},
		{"domain version", func(m *ModelProto) { m.OpsetImport[0].Domain = proto.String("ai.onnx.ml") }, "operators of ai.onnx.ml version 17; hsnas reads version 3"},
		{"ir", func(m *ModelProto) { m.IrVersion = 12 }, "ONNX IR version 12; hsnas reads 3 to 8"},
		{"graph", func(m *ModelProto) { m.Graph = nil }, "not an ONNX model: it has no graph"},
		{"undefined", func(m *ModelProto) { m.Graph.Node[0].Input[0] = "z" }, `onnx graph "linear": node 0 (MatMul): input "z" is not defined before it`},
		{"twice", func(m *ModelProto) { m.Graph.Node[1].Output[0] = "x" }, `onnx graph "linear": node 1 (Add): the name "x" is empty or defined twice`},
		{"operator", func(m *ModelProto) { m.Graph.Node[1].OpType = "" }, `onnx graph "linear": node 1 (): no operator`},
		{"output", func(m *ModelProto) { m.Graph.Output[0].Name = "q" }, `onnx graph "linear": output "q" is never computed`},
		{"short", func(m *ModelProto) { m.Graph.Initializer[0].RawData = []byte{1} }, `onnx graph "linear": constant "w": shape [2 3] of float32 needs 24 bytes, found 1`},
		{"huge", func(m *ModelProto) { m.Graph.Initializer[0].Dims = []int64{1 << 40, 1 << 40} }, `onnx graph "linear": constant "w": shape [1099511627776 1099511627776] has too many elements`},
		{"escape", func(m *ModelProto) { external(m, "../secret", "0", "24") }, `onnx graph "linear": constant "w": external data: "../secret" is not a file of the model's folder`},
		{"number", func(m *ModelProto) { external(m, "w.bin", "0", "x") }, `onnx graph "linear": constant "w": external data: length "x" is not a number`},
		{"offset", func(m *ModelProto) { external(m, "w.bin", "-4", "24") }, `onnx graph "linear": constant "w": external data: offset -4 and length 24 make no sense`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := linear(false).Model()
			c.damage(m)
			b, err := proto.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Read(b); err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func external(m *ModelProto, file, offset, length string) {
	t := m.Graph.Initializer[0]
	t.RawData, t.DataLocation = nil, TensorProto_EXTERNAL
	t.ExternalData = []*StringStringEntryProto{{Key: "location", Value: file}, {Key: "offset", Value: offset}, {Key: "length", Value: length}}
}

// A cut between two of the message's last fields leaves a whole model without metadata; any
// other cut must be noticed.
func TestReadTruncated(t *testing.T) {
	b := marshal(t, linear(false))
	for n := range b {
		if m, err := Read(b[:n]); err == nil && m.Meta("hsnas.kind") != "" {
			t.Fatalf("the first %d of %d bytes were taken for the whole model", n, len(b))
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte{})
	f.Add(marshal(f, linear(false)))
	f.Add(marshal(f, linear(true)))
	m := linear(false).Model()
	external(m, "w.bin", "64", "24")
	b, err := proto.Marshal(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Read(data)
		if err != nil {
			return
		}
		for _, x := range m.GetGraph().GetInitializer() {
			_, _ = x.Float32s()
			_, _ = x.Int64s()
		}
	})
}
