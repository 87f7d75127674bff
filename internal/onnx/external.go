package onnx

import (
	"crypto/sha256"
	"fmt"
	"io"
)

// Tensors of at least externalThreshold bytes go to the external file, each at a multiple
// of externalAlignment, so that a runtime can map them from the page cache.
const (
	externalThreshold = 4096
	externalAlignment = 4096
)

// Weights is an external data file that several graphs of one folder may share: equal
// tensors are stored once.
type Weights struct {
	location string
	w        io.Writer
	at       int64
	offsets  map[[sha256.Size]byte]int64
}

// NewWeights writes tensors to w; location is the file's name as the models refer to it,
// relative to their own folder.
func NewWeights(location string, w io.Writer) *Weights {
	return &Weights{location: location, w: w, offsets: map[[sha256.Size]byte]int64{}}
}

// Size is the number of bytes written.
func (x *Weights) Size() int64 { return x.at }

func (x *Weights) add(data []byte) (int64, error) {
	key := sha256.Sum256(data)
	if at, ok := x.offsets[key]; ok {
		return at, nil
	}
	at := (x.at + externalAlignment - 1) / externalAlignment * externalAlignment
	if _, err := x.w.Write(make([]byte, at-x.at)); err != nil {
		return 0, fmt.Errorf("write %s: %w", x.location, err)
	}
	if _, err := x.w.Write(data); err != nil {
		return 0, fmt.Errorf("write %s: %w", x.location, err)
	}
	x.at = at + int64(len(data))
	x.offsets[key] = at
	return at, nil
}

// External sends the large constants that are added from now on to w.
func (g *Graph) External(w *Weights) { g.external = w }
