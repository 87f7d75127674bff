package safetensors

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
)

// Tensor is a float32 tensor to be written.
type Tensor struct {
	Name  string
	Shape []int64
	Data  []float32
}

// Write writes tensors in the given order as F32, with metadata (nil for none). The bytes
// depend on nothing else.
func Write(w io.Writer, metadata map[string]string, tensors []Tensor) error {
	header, err := headerOf(metadata, tensors)
	if err != nil {
		return err
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(len(header))); err != nil {
		return err
	}
	if _, err := io.WriteString(w, header); err != nil {
		return err
	}
	for _, t := range tensors {
		if _, err := w.Write(t.bytes()); err != nil {
			return err
		}
	}
	return nil
}

// bytes are the elements as the file has them.
func (t Tensor) bytes() []byte {
	b := make([]byte, 4*len(t.Data))
	for i, x := range t.Data {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(x))
	}
	return b
}

// headerOf is the JSON header, padded with spaces so that the data starts at a multiple of 8.
func headerOf(metadata map[string]string, tensors []Tensor) (string, error) {
	var parts []string
	if len(metadata) > 0 {
		text, err := json.Marshal(metadata)
		if err != nil {
			return "", err
		}
		parts = append(parts, `"__metadata__":`+string(text))
	}
	at := int64(0)
	seen := map[string]bool{"__metadata__": true}
	for _, t := range tensors {
		n, err := elements(t.Shape)
		if err != nil || n != int64(len(t.Data)) || seen[t.Name] {
			return "", fmt.Errorf("tensor %q of shape %v with %d elements cannot be written", t.Name, t.Shape, len(t.Data))
		}
		seen[t.Name] = true
		name, _ := json.Marshal(t.Name)
		shape, _ := json.Marshal(append([]int64{}, t.Shape...))
		parts = append(parts, fmt.Sprintf(`%s:{"dtype":"F32","shape":%s,"data_offsets":[%d,%d]}`, name, shape, at, at+4*n))
		at += 4 * n
	}
	header := "{" + strings.Join(parts, ",") + "}"
	return header + strings.Repeat(" ", (8-len(header)%8)%8), nil
}
