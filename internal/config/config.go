// Package config reads the YAML files that users write (spaces, tasks,
// experiments) strictly: an unknown key, a value of the wrong type or a missing
// field is one line that names the file, the line, what was expected and the
// nearest name that would have been right.
package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/xrash/smetrics"
	"go.yaml.in/yaml/v3"
)

// Error is a fault in a file or value that the user wrote. Commands that end
// with it exit with code 2: nothing is wrong with the program, the machine or
// the data.
type Error struct {
	File string // "" where the fault is in no file, a flag or an environment variable for example
	Line int    // counted from 1; 0 or less where the fault belongs to no line
	Msg  string
}

// Error returns "FILE:LINE: MSG", without the parts that are not known.
func (e *Error) Error() string {
	switch {
	case e.File == "":
		return e.Msg
	case e.Line <= 0:
		return e.File + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

// Errorf makes an *Error; file may be "" and line 0.
func Errorf(file string, line int, format string, args ...any) error {
	return &Error{File: file, Line: line, Msg: fmt.Sprintf(format, args...)}
}

// Validator is implemented by structures that have rules beyond the types of
// their fields. An *Error without a file gets the file and line of the
// structure; a FieldError the line of the field.
type Validator interface{ Validate() error }

// FieldError is what Validate returns to blame one field, named by its YAML
// key; Decode turns it into an *Error with the field's line.
type FieldError struct{ Field, Msg string }

func (e *FieldError) Error() string { return e.Field + ": " + e.Msg }

// Fieldf makes a *FieldError.
func Fieldf(field, format string, args ...any) error {
	return &FieldError{Field: field, Msg: fmt.Sprintf(format, args...)}
}

// Parse reads text as one YAML document and returns its root. An empty
// document, several documents and malformed YAML are *Errors.
func Parse(file string, text []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		line, msg := yamlMessage(err)
		return nil, Errorf(file, line, "malformed YAML: %s", msg)
	}
	if len(doc.Content) == 0 {
		return nil, Errorf(file, 0, "the file is empty; expected a YAML mapping")
	}
	return doc.Content[0], nil
}

// Decode reads text into the structure that into points to; values already
// there are the defaults of keys that the text leaves out.
func Decode(file string, text []byte, into any) error {
	root, err := Parse(file, text)
	if err != nil {
		return err
	}
	return DecodeNode(file, root, into)
}

// yamlMessage takes "yaml: line 3: did not find ..." apart.
func yamlMessage(err error) (line int, msg string) {
	msg = strings.TrimPrefix(err.Error(), "yaml: ")
	if n, _ := fmt.Sscanf(msg, "line %d:", &line); n == 1 {
		_, msg, _ = strings.Cut(msg, ": ")
	}
	return line, strings.ReplaceAll(msg, "\n", "; ")
}

// Nearest returns the name of known that is most like name, or "" where none is
// near enough to be what was meant.
func Nearest(name string, known []string) string {
	best, bestScore := "", 0.8
	for _, k := range known {
		if s := smetrics.JaroWinkler(strings.ToLower(name), strings.ToLower(k), 0.7, 4); s > bestScore {
			best, bestScore = k, s
		}
	}
	return best
}

// DidYouMean ends a message about an unknown name: the nearest known one, or
// all of them.
func DidYouMean(name string, known []string) string {
	if n := Nearest(name, known); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	if len(known) == 0 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(known))
	return "; known: " + strings.Join(sorted, ", ")
}

// located gives err, which came from a Validate method, its place.
func located(file string, node *yaml.Node, err error) error {
	var field *FieldError
	if errors.As(err, &field) {
		line := node.Line
		if key := lookup(node, field.Field); key != nil {
			line = key.Line
		}
		return Errorf(file, line, "%s", err.Error())
	}
	var e *Error
	if errors.As(err, &e) && e.File != "" {
		return err
	}
	return Errorf(file, node.Line, "%s", err.Error())
}

// lookup returns the value node of a key of a mapping, nil where it is not there.
func lookup(mapping *yaml.Node, key string) *yaml.Node {
	if mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}
