package space

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"

	"hsnas/internal/config"
)

// ParseArchitecture reads an architecture of the space from JSON, strictly:
// every hyperparameter once, values among the choices, lists of one depth of
// one length. A depth may be given; it must then be the length of its lists.
func (s *Space) ParseArchitecture(text []byte) (Architecture, error) {
	fields, err := members(text)
	if err != nil {
		return Architecture{}, fmt.Errorf("architecture: %w", err)
	}
	a, err := s.assemble(fields)
	if err != nil {
		return Architecture{}, fmt.Errorf("architecture: %w", err)
	}
	return a, nil
}

// member is a key of a JSON object with its undecoded value.
type member struct {
	key   string
	value json.RawMessage
}

// members splits a JSON object, which encoding/json would do without noticing a
// key that comes twice.
func members(text []byte) ([]member, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	open, err := dec.Token()
	if err != nil {
		return nil, malformed(err)
	}
	if open != json.Delim('{') {
		return nil, fmt.Errorf("expected a JSON object such as {\"encoder_embed_dim\":512,...}, found %v", open)
	}
	var out []member
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, malformed(err)
		}
		m := member{key: token.(string)} // the decoder refuses other keys
		if err := dec.Decode(&m.value); err != nil {
			return nil, malformed(err)
		}
		if slices.ContainsFunc(out, func(o member) bool { return o.key == m.key }) {
			return nil, fmt.Errorf("%q is given twice", m.key)
		}
		out = append(out, m)
	}
	if _, err := dec.Token(); err != nil {
		return nil, malformed(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("malformed JSON: text after the object")
	}
	return out, nil
}

func malformed(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("malformed JSON: it ends too early")
	}
	return fmt.Errorf("malformed JSON: %w", err)
}

// assemble finds the depths, then the genes.
func (s *Space) assemble(fields []member) (Architecture, error) {
	values := make(map[int][]json.RawMessage)
	for _, f := range fields {
		i, ok := s.index[f.key]
		if !ok {
			return Architecture{}, fmt.Errorf("unknown hyperparameter %q%s", f.key, config.DidYouMean(f.key, s.Names()))
		}
		list, err := s.items(i, f.value)
		if err != nil {
			return Architecture{}, err
		}
		values[i] = list
	}
	if err := s.depths(values); err != nil {
		return Architecture{}, err
	}
	a := Architecture{space: s, genome: make([]byte, s.genes)}
	for i := range s.Hyperparameters {
		h := &s.Hyperparameters[i]
		if values[i] == nil {
			return Architecture{}, fmt.Errorf("%s is missing", h.Name)
		}
		for layer, text := range values[i] {
			gene, err := h.find(text)
			if err != nil {
				return Architecture{}, err
			}
			a.genome[h.offset+layer] = gene
		}
	}
	return a, nil
}

// items returns the values of the i-th hyperparameter, one or one a layer.
func (s *Space) items(i int, value json.RawMessage) ([]json.RawMessage, error) {
	h := &s.Hyperparameters[i]
	if !h.PerLayer() {
		return []json.RawMessage{value}, nil
	}
	list := []json.RawMessage{}
	if err := json.Unmarshal(value, &list); err != nil || list == nil {
		return nil, fmt.Errorf("%s: expected a list with one value for each of %s, found %s", h.Name, h.Layers, shorten(value))
	}
	return list, nil
}

// depths checks that the lists of each depth agree, and puts the depth itself
// into values where it is not given.
func (s *Space) depths(values map[int][]json.RawMessage) error {
	for i := range s.Hyperparameters {
		h := &s.Hyperparameters[i]
		list, given := values[i]
		if !given || !h.PerLayer() {
			continue
		}
		depth := &s.Hyperparameters[h.depth]
		length := strconv.Itoa(len(list))
		have, ok := values[h.depth]
		if !ok {
			if _, err := depth.find(json.RawMessage(length)); err != nil {
				return fmt.Errorf("%s has %s values; %s", h.Name, length, err)
			}
			values[h.depth] = []json.RawMessage{json.RawMessage(length)}
		} else if string(have[0]) != length {
			return fmt.Errorf("list lengths disagree: %s has %s values, but %s is %s", h.Name, length, depth.Name, shorten(have[0]))
		}
	}
	return nil
}

// find returns the gene of a value written in JSON.
func (h *Hyperparameter) find(text json.RawMessage) (byte, error) {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return 0, fmt.Errorf("%s: %w", h.Name, malformed(err))
	}
	for i, c := range h.Choices {
		switch v := value.(type) {
		case float64:
			if !c.text && v == c.number {
				return byte(i), nil
			}
		case string:
			if c.text && v == c.literal {
				return byte(i), nil
			}
		}
	}
	return 0, fmt.Errorf("%s: %s is outside the space; choices: %v", h.Name, shorten(text), h.Choices)
}

// shorten keeps a message on one line whatever the input held.
func shorten(text []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		b.Write(text)
	}
	if b.Len() > 60 {
		return b.String()[:57] + "..."
	}
	return b.String()
}
