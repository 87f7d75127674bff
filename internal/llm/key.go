package llm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// chatPath is the endpoint as batch files name it.
const chatPath = "/v1/chat/completions"

// chatBody fixes the order of the keys in the canonical body.
type chatBody struct {
	Model               string    `json:"model,omitempty"`
	Messages            []Message `json:"messages"`
	Temperature         *float64  `json:"temperature,omitempty"`
	MaxTokens           int       `json:"max_tokens,omitempty"`
	MaxCompletionTokens int       `json:"max_completion_tokens,omitempty"`
}

// Body returns the canonical body of the request, which is also, byte for byte,
// what a live client sends: compact JSON with the keys model, messages,
// temperature, max_tokens, max_completion_tokens in this order, those that are
// not set left out, and no escapes beyond those that JSON needs.
func (r Request) Body() []byte {
	if r.body != nil {
		return r.body
	}
	return bytes.TrimSuffix(encode(chatBody{r.Model, r.Messages, r.Temperature, r.MaxTokens, r.MaxCompletionTokens}), []byte("\n"))
}

// encode returns v as a line of compact JSON. The types of this package cannot
// fail to encode but for numbers that are not finite, which no caller passes.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("llm: " + err.Error())
	}
	return b.Bytes()
}

// Key identifies the request in a journal: 64 hex digits, the SHA-256 of
//
//	<endpoint> "\n" <sample> "\n" <canonical body>
//
// with " ask <n>" after the sample from the second ask on. Whatever changes
// what the model sees or how it samples changes the key.
func (r Request) Key() string {
	h := sha256.New()
	endpoint := r.Endpoint
	if endpoint == "" {
		endpoint = chatPath
	}
	h.Write([]byte(endpoint + "\n" + strconv.Itoa(max(r.Sample, 1))))
	if r.Ask > 1 {
		h.Write([]byte(" ask " + strconv.Itoa(r.Ask)))
	}
	h.Write([]byte("\n"))
	h.Write(r.Body())
	return hex.EncodeToString(h.Sum(nil))
}

// PromptKey identifies the prompt and the sample alone: the key of the same
// request without an endpoint, a model and sampling parameters. Recorded
// answers are keyed by it, as their request files hold nothing but messages.
func (r Request) PromptKey() string {
	return Request{Messages: r.Messages, Sample: r.Sample, Ask: r.Ask}.Key()
}

// BatchLine returns the request as one line of an OpenAI Batch input file,
// newline included, written as Python's json.dumps would: ", " and ": " as
// separators, ASCII only.
func (r Request) BatchLine() []byte {
	return pythonic(encode(struct {
		CustomID string          `json:"custom_id"`
		Method   string          `json:"method"`
		URL      string          `json:"url"`
		Body     json.RawMessage `json:"body"`
	}{r.CustomID, "POST", chatPath, r.Body()}))
}

// pythonic rewrites compact JSON with spaces behind separators and every
// character outside ASCII's printable range escaped.
func pythonic(compact []byte) []byte {
	out := make([]byte, 0, len(compact)+len(compact)/8)
	inString := false
	for i := 0; i < len(compact); {
		c, size := utf8.DecodeRune(compact[i:])
		switch {
		case inString && c == '\\': // keep the escaped character with its backslash
			size = 2
			out = append(out, compact[i:i+size]...)
		case c == '"':
			inString = !inString
			out = append(out, '"')
		case inString && c >= 0x7f:
			out = appendEscaped(out, c)
		case !inString && (c == ',' || c == ':'):
			out = append(out, byte(c), ' ')
		default:
			out = append(out, compact[i:i+size]...)
		}
		i += size
	}
	return out
}

func appendEscaped(out []byte, c rune) []byte {
	units := []rune{c}
	if hi, lo := utf16.EncodeRune(c); hi != utf8.RuneError {
		units = []rune{hi, lo}
	}
	for _, u := range units {
		hex4 := strconv.FormatInt(0x10000|int64(u), 16)
		out = append(append(out, '\\', 'u'), hex4[1:]...)
	}
	return out
}
