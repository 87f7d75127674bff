// Package seal makes changes to text files of hsnas visible: a sealed JSON object or
// YAML document carries the SHA-256 of all of it that comes before. Whoever reads one
// checks the seal before a parser sees a byte. A seal tells of damage; it is no
// signature and stops nobody who computes a new one.
package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
)

// State is what a seal says of a text.
type State int

const (
	None   State = iota // there is no seal
	Broken              // the text was changed after it had been sealed
	Whole               // the text is as it was sealed
)

// ErrBroken is what readers say of a text whose seal is Broken.
var ErrBroken = errors.New("it was changed: its seal does not hold")

// ErrNone is what readers say that take nothing without a seal.
var ErrNone = errors.New("it has no seal")

// tailSize bounds the end of a text in which a seal is looked for.
const tailSize = 256

var (
	jsonTail = regexp.MustCompile(`,?\s*"seal":\s*"([0-9a-f]{64})"\s*\}\s*$`)
	yamlTail = regexp.MustCompile(`(?:^|\n)# seal: ([0-9a-f]{64})\n$`)
)

// JSON returns a JSON object with a last member more, "seal": the SHA-256 of the bytes
// before it, from the opening brace to the end of the member before. An object on
// several lines gets it on a line of its own; the end of the text stays as it is.
func JSON(object []byte) []byte {
	end := bytes.LastIndexByte(object, '}')
	head := bytes.TrimRight(object[:end], " \t\r\n")
	before, after := `,"seal":"`, `"}`
	if bytes.IndexByte(head, '\n') >= 0 {
		before, after = ",\n  \"seal\": \"", "\"\n}"
	}
	if len(head) == 1 { // the opening brace
		before = before[1:]
	}
	out := append([]byte(nil), head...)
	out = append(out, before...)
	out = append(out, sum(head)...)
	out = append(out, after...)
	return append(out, object[end+1:]...)
}

// OpenJSON returns a JSON object without its seal, and what the seal says. Without a
// seal the object is returned as it is.
func OpenJSON(text []byte) ([]byte, State) {
	from := max(0, len(text)-tailSize)
	at := jsonTail.FindSubmatchIndex(text[from:])
	if at == nil {
		return text, None
	}
	head := text[:from+at[0]]
	if sum(head) != string(text[from+at[2]:from+at[3]]) {
		return nil, Broken
	}
	return append(bytes.Clone(head), '}'), Whole
}

// YAML returns a YAML document with a last line more, a comment that is the SHA-256 of
// the lines above.
func YAML(document []byte) []byte {
	head := bytes.Clone(document)
	if n := len(head); n > 0 && head[n-1] != '\n' {
		head = append(head, '\n')
	}
	return append(append(head, "# seal: "+sum(head)...), '\n')
}

// CheckYAML says what the seal of a YAML document says.
func CheckYAML(text []byte) State {
	from := max(0, len(text)-tailSize)
	at := yamlTail.FindSubmatchIndex(text[from:])
	if at == nil {
		return None
	}
	line := bytes.LastIndexByte(text[:len(text)-1], '\n') + 1
	if sum(text[:line]) != string(text[from+at[2]:from+at[3]]) {
		return Broken
	}
	return Whole
}

// Required opens a JSON object that must be sealed.
func Required(text []byte) ([]byte, error) {
	object, state := OpenJSON(text)
	switch state {
	case Broken:
		return nil, ErrBroken
	case None:
		return nil, ErrNone
	}
	return object, nil
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}
