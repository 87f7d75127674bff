package published

import (
	"fmt"
	"strconv"
	"strings"
)

// field ties a hyperparameter of the HAT spaces to its key in HAT's
// configuration files, which the arch_info strings of llmas repeat.
type field struct {
	name, key string
	list      bool
}

// archFields is in the order of the canonical JSON of an architecture.
var archFields = []field{
	{"encoder_embed_dim", "encoder-embed-dim-subtransformer", false},
	{"encoder_ffn_dim", "encoder-ffn-embed-dim-all-subtransformer", true},
	{"encoder_self_attn_heads", "encoder-self-attention-heads-all-subtransformer", true},
	{"decoder_embed_dim", "decoder-embed-dim-subtransformer", false},
	{"decoder_ffn_dim", "decoder-ffn-embed-dim-all-subtransformer", true},
	{"decoder_self_attn_heads", "decoder-self-attention-heads-all-subtransformer", true},
	{"decoder_cross_attn_heads", "decoder-ende-attention-heads-all-subtransformer", true},
	{spanField, "decoder-arbitrary-ende-attn-all-subtransformer", true},
}

const (
	spanField        = "decoder_cross_attn_span"
	encoderLayersKey = "encoder-layer-num-subtransformer"
	decoderLayersKey = "decoder-layer-num-subtransformer"
)

// spans translates HAT's arbitrary encoder-decoder attention to the number of
// last encoder layers attended to: -1 is the last one, 1 the last two, 2 the
// last three.
var spans = map[int]int{-1: 1, 1: 2, 2: 3}

// parseArchInfo turns "key: value" settings into the canonical JSON of an
// architecture. Every key is needed once, lists must be as long as the number
// of layers says; the error names the key and what was expected.
func parseArchInfo(settings []string) (string, error) {
	values := make(map[string]string, len(settings))
	for _, s := range settings {
		key, value, ok := strings.Cut(s, ":")
		key = strings.TrimSpace(key)
		if !ok || !knownKey(key) {
			return "", fmt.Errorf("unexpected setting %q, expected %q and its like", s, encoderLayersKey+": 6")
		}
		if _, twice := values[key]; twice {
			return "", fmt.Errorf("%s is there twice", key)
		}
		values[key] = strings.TrimSpace(value)
	}
	return archJSON(values)
}

func knownKey(key string) bool {
	for _, f := range archFields {
		if f.key == key {
			return true
		}
	}
	return key == encoderLayersKey || key == decoderLayersKey
}

func archJSON(values map[string]string) (string, error) {
	layers := map[string]int{}
	for _, key := range []string{encoderLayersKey, decoderLayersKey} {
		n, err := wholeNumber(key, values[key])
		if err != nil {
			return "", err
		}
		layers[key[:len("encoder")]] = n
	}
	out := []byte{'{'}
	for i, f := range archFields {
		numbers, err := f.parse(values[f.key], layers[f.name[:len("encoder")]])
		if err != nil {
			return "", err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(strconv.AppendQuote(out, f.name), ':')
		out = f.append(out, numbers)
	}
	return string(append(out, '}')), nil
}

// parse reads the value of f; layers is how long a list must be.
func (f field) parse(value string, layers int) ([]int, error) {
	if !f.list {
		n, err := wholeNumber(f.key, value)
		return []int{n}, err
	}
	inner, ok := strings.CutPrefix(value, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !ok || !closed {
		return nil, fmt.Errorf("%s is %q, expected a list like [4, 8]", f.key, value)
	}
	items := strings.Split(inner, ",")
	if len(items) != layers {
		return nil, fmt.Errorf("%s has %d values, expected %d, one for each layer", f.key, len(items), layers)
	}
	out := make([]int, len(items))
	for i, item := range items {
		n, err := wholeNumber(f.key, strings.TrimSpace(item))
		if err != nil {
			return nil, err
		}
		if f.name == spanField {
			span, ok := spans[n]
			if !ok {
				return nil, fmt.Errorf("%s has the value %d, expected -1, 1 or 2", f.key, n)
			}
			n = span
		}
		out[i] = n
	}
	return out, nil
}

func (f field) append(out []byte, numbers []int) []byte {
	if !f.list {
		return strconv.AppendInt(out, int64(numbers[0]), 10)
	}
	out = append(out, '[')
	for i, n := range numbers {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendInt(out, int64(n), 10)
	}
	return append(out, ']')
}

func wholeNumber(key, value string) (int, error) {
	if value == "" {
		return 0, fmt.Errorf("%s is missing, expected a whole number", key)
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0, fmt.Errorf("%s is %q, expected a whole number", key, value)
	}
	return n, nil
}
