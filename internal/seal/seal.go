// Package seal makes changes to text files of hsnas visible: a sealed JSON object or
// YAML document carries the SHA-256 of the rest of it. In JSON the seal comes first: what
// is left of a line that lost its middle still says that it was sealed. Whoever reads one
// checks the seal before a parser sees a byte. A seal tells of damage; it is no
// signature and stops nobody who computes a new one.
package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
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

// tailSize bounds the end of a document in which a seal is looked for.
const tailSize = 256

var (
	jsonHead = regexp.MustCompile(`^\{\s*"seal":\s*"([0-9a-f]{64})",?`)
	yamlTail = regexp.MustCompile(`(?:^|\n)# seal: ([0-9a-f]{64})\n$`)
)

// blank is what does not count at the end of an object.
const blank = " \t\r\n"

// JSON returns a JSON object with a first member more, "seal": the SHA-256 of the bytes
// after it and its comma, to the closing brace. An object on several lines gets it on a
// line of its own.
func JSON(object []byte) []byte {
	rest := object[bytes.IndexByte(object, '{')+1:]
	before, after := `{"seal":"`, `",`
	if bytes.HasPrefix(rest, []byte("\n")) {
		before = "{\n  \"seal\": \""
	}
	if bytes.HasPrefix(bytes.TrimLeft(rest, blank), []byte("}")) {
		after = `"`
	}
	out := append([]byte(before), sum(bytes.TrimRight(rest, blank))...)
	return append(append(out, after...), rest...)
}

// OpenJSON returns a JSON object without its seal, and what the seal says. Without a
// seal the object is returned as it is.
func OpenJSON(text []byte) ([]byte, State) {
	at := jsonHead.FindSubmatchIndex(text)
	if at == nil {
		return text, None
	}
	rest := text[at[1]:]
	if sum(bytes.TrimRight(rest, blank)) != string(text[at[2]:at[3]]) {
		return nil, Broken
	}
	return append([]byte("{"), rest...), Whole
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

// CheckFile says whether a file, a JSON object that must be sealed, is damaged: "" where
// it is not.
func CheckFile(path string) (fault string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if _, err := Required(text); err != nil {
		return err.Error(), nil
	}
	return "", nil
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}
