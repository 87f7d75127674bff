package ort

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// DataType is the type of a tensor's elements, numbered as in the ONNX schema.
type DataType int32

// The element types that tensors of this package can have.
const (
	Float32 DataType = 1
	Int32   DataType = 6
	Int64   DataType = 7
	Bool    DataType = 9
)

// String returns the ONNX name, "float" for example.
func (t DataType) String() string {
	switch t {
	case Float32:
		return "float32"
	case Int32:
		return "int32"
	case Int64:
		return "int64"
	case Bool:
		return "bool"
	}
	return fmt.Sprintf("type %d", int32(t))
}

// Info describes one input or output of a model.
type Info struct {
	Name string
	Type DataType
	// Shape has one entry for each dimension: its size, or -1 where it may be
	// any. It is nil where the model does not say.
	Shape []int64
	// Symbols are the names of the dimensions that may be any ("" elsewhere).
	Symbols []string
}

// shape renders a shape for messages: [n, 10].
func (i Info) shape() string {
	parts := make([]string, len(i.Shape))
	for d, size := range i.Shape {
		switch {
		case size >= 0:
			parts[d] = fmt.Sprint(size)
		case i.Symbols[d] != "":
			parts[d] = i.Symbols[d]
		default:
			parts[d] = "?"
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// signature is what a session has to know of a model beforehand.
type signature struct {
	inputs, outputs []Info
	metadata        map[string]string
}

// errModel is all that is said about bytes that are no model; where the damage
// is does not help anyone.
var errModel = errors.New("not an ONNX model, or a damaged one")

// readSignature reads the inputs, outputs and metadata_props of a serialised
// ModelProto, without copying weights. Field numbers are those of the public
// schema.
func readSignature(model []byte) (signature, error) {
	s := signature{metadata: map[string]string{}}
	initialised := map[string]bool{}
	err := fields(model, func(number protowire.Number, value []byte) error {
		switch number {
		case 7: // graph
			return fields(value, func(number protowire.Number, value []byte) error {
				return s.graphField(number, value, initialised)
			})
		case 14: // metadata_props
			key, text, err := entry(value)
			s.metadata[key] = text
			return err
		}
		return nil
	})
	if err == nil && len(s.outputs) == 0 {
		err = errModel
	}
	// Before IR 4 every initializer was listed as an input as well.
	var inputs []Info
	for _, input := range s.inputs {
		if !initialised[input.Name] {
			inputs = append(inputs, input)
		}
	}
	s.inputs = inputs
	return s, err
}

func (s *signature) graphField(number protowire.Number, value []byte, initialised map[string]bool) error {
	var info Info
	var err error
	switch number {
	case 5: // initializer
		return fields(value, func(number protowire.Number, value []byte) error {
			if number == 8 {
				initialised[string(value)] = true
			}
			return nil
		})
	case 11: // input
		info, err = valueInfo(value)
		s.inputs = append(s.inputs, info)
	case 12: // output
		info, err = valueInfo(value)
		s.outputs = append(s.outputs, info)
	}
	return err
}

func valueInfo(message []byte) (Info, error) {
	var info Info
	err := fields(message, func(number protowire.Number, value []byte) error {
		switch number {
		case 1:
			info.Name = string(value)
		case 2: // type
			return fields(value, func(number protowire.Number, value []byte) error {
				if number != 1 { // no tensor
					return nil
				}
				return info.tensorType(value)
			})
		}
		return nil
	})
	return info, err
}

func (i *Info) tensorType(message []byte) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errModel
		}
		message = message[n:]
		switch {
		case number == 1 && kind == protowire.VarintType: // elem_type
			value, n := protowire.ConsumeVarint(message)
			if n < 0 {
				return errModel
			}
			i.Type, message = DataType(value), message[n:]
		case number == 2 && kind == protowire.BytesType: // shape
			value, n := protowire.ConsumeBytes(message)
			if n < 0 {
				return errModel
			}
			i.Shape, i.Symbols = []int64{}, []string{}
			if err := fields(value, i.dimension); err != nil {
				return err
			}
			message = message[n:]
		default:
			n := protowire.ConsumeFieldValue(number, kind, message)
			if n < 0 {
				return errModel
			}
			message = message[n:]
		}
	}
	return nil
}

func (i *Info) dimension(number protowire.Number, message []byte) error {
	if number != 1 {
		return nil
	}
	size, symbol := int64(-1), ""
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errModel
		}
		message = message[n:]
		switch {
		case number == 1 && kind == protowire.VarintType:
			value, _ := protowire.ConsumeVarint(message)
			size = int64(value)
		case number == 2 && kind == protowire.BytesType:
			value, _ := protowire.ConsumeBytes(message)
			symbol = string(value)
		}
		if n = protowire.ConsumeFieldValue(number, kind, message); n < 0 {
			return errModel
		}
		message = message[n:]
	}
	i.Shape, i.Symbols = append(i.Shape, max(size, -1)), append(i.Symbols, symbol)
	return nil
}

// entry reads a StringStringEntryProto.
func entry(message []byte) (key, value string, err error) {
	err = fields(message, func(number protowire.Number, text []byte) error {
		switch number {
		case 1:
			key = string(text)
		case 2:
			value = string(text)
		}
		return nil
	})
	return key, value, err
}

// fields calls each for every length-delimited field of a message and passes
// over the others.
func fields(message []byte, each func(number protowire.Number, value []byte) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errModel
		}
		message = message[n:]
		if n = protowire.ConsumeFieldValue(number, kind, message); n < 0 {
			return errModel
		}
		if kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(message)
			if err := each(number, value); err != nil {
				return err
			}
		}
		message = message[n:]
	}
	return nil
}
