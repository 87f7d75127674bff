package space

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Architecture is a point of a space. The zero value belongs to no space; make
// one by Sample, Mutate, Crossover, Smallest, Largest or ParseArchitecture.
//
// Inside, it is a genome of fixed layout, one byte a gene: the index of the
// choice. Genes of layers that are not there are 0, so that equal architectures
// have equal genomes.
type Architecture struct {
	space  *Space
	genome []byte
}

// Space returns the space that the architecture belongs to.
func (a Architecture) Space() *Space { return a.space }

// Key returns a compact identity, unique within the space: a map key.
func (a Architecture) Key() string { return string(a.genome) }

// ID returns the canonical identity that artifacts carry: the first 16
// hexadecimal digits of the SHA-256 of the canonical JSON.
func (a Architecture) ID() string {
	sum := sha256.Sum256(a.appendJSON(nil))
	return hex.EncodeToString(sum[:8])
}

// MarshalJSON implements json.Marshaler: the hyperparameters in the order of
// definition, without spaces; depths are the lengths of their lists.
func (a Architecture) MarshalJSON() ([]byte, error) {
	if a.space == nil {
		return nil, fmt.Errorf("space: an architecture without a space has no JSON form")
	}
	return a.appendJSON(nil), nil
}

// String returns the canonical JSON.
func (a Architecture) String() string {
	if a.space == nil {
		return "{}"
	}
	return string(a.appendJSON(nil))
}

func (a Architecture) appendJSON(b []byte) []byte {
	b = append(b, '{')
	for i := range a.space.Hyperparameters {
		h := &a.space.Hyperparameters[i]
		if h.dependent {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		name, _ := json.Marshal(h.Name)
		b = append(append(b, name...), ':')
		b = a.appendValue(b, i)
	}
	return append(b, '}')
}

func (a Architecture) appendValue(b []byte, i int) []byte {
	h := &a.space.Hyperparameters[i]
	if !h.PerLayer() {
		text, _ := a.choice(i, 0).MarshalJSON()
		return append(b, text...)
	}
	b = append(b, '[')
	for layer := range a.lengthOf(i) {
		if layer > 0 {
			b = append(b, ',')
		}
		text, _ := a.choice(i, layer).MarshalJSON()
		b = append(b, text...)
	}
	return append(b, ']')
}

// gene and choice are those of the i-th hyperparameter at a layer.
func (a Architecture) gene(i, layer int) byte {
	return a.genome[a.space.Hyperparameters[i].offset+layer]
}

func (a Architecture) choice(i, layer int) Choice {
	return a.space.Hyperparameters[i].Choices[a.gene(i, layer)]
}

// lengthOf returns how many values the i-th hyperparameter has.
func (a Architecture) lengthOf(i int) int {
	h := &a.space.Hyperparameters[i]
	if !h.PerLayer() {
		return 1
	}
	n, _ := a.choice(h.depth, 0).Int()
	return n
}

// Literals returns the values of the i-th hyperparameter as prompts write them.
func (a Architecture) Literals(i int) []string {
	out := make([]string, a.lengthOf(i))
	for layer := range out {
		out[layer] = a.choice(i, layer).literal
	}
	return out
}

// Numbers returns the values of the i-th hyperparameter; a text counts as the
// index of its choice.
func (a Architecture) Numbers(i int) []float64 { return a.AppendNumbers(nil, i) }

// AppendNumbers appends what Numbers returns to dst.
func (a Architecture) AppendNumbers(dst []float64, i int) []float64 {
	for layer := range a.lengthOf(i) {
		dst = append(dst, a.choice(i, layer).order(int(a.gene(i, layer))))
	}
	return dst
}

// Ints returns the values of a hyperparameter of whole numbers. An unknown name
// and a choice that is no whole number are faults of the caller, and panic.
func (a Architecture) Ints(name string) []int {
	i, ok := a.space.index[name]
	if !ok {
		panic("space: no hyperparameter " + name + " in " + a.space.Name)
	}
	out := make([]int, a.lengthOf(i))
	for layer := range out {
		n, ok := a.choice(i, layer).Int()
		if !ok {
			panic("space: " + name + " is not of whole numbers")
		}
		out[layer] = n
	}
	return out
}

// Int returns the value of a single hyperparameter of whole numbers; see Ints.
func (a Architecture) Int(name string) int { return a.Ints(name)[0] }

// Depth is Int: the number of layers of a depth hyperparameter.
func (a Architecture) Depth(name string) int { return a.Int(name) }

// Equal says whether a and b are the same point of the same space.
func (a Architecture) Equal(b Architecture) bool {
	return a.space == b.space && bytes.Equal(a.genome, b.genome)
}
