package pipeline

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Ingredients is everything that a stage's outputs depend on. Two runs of a
// stage with equal ingredients are taken to give the same outputs.
type Ingredients struct {
	Version  int               `json:"version"`
	Params   json.RawMessage   `json:"params"`   // canonical: keys sorted, as the experiment file names them
	Inputs   map[string]string `json:"inputs"`   // SHA-256 of each artifact that the stage reads
	External []External        `json:"external"` // in the order of Stage.External
}

// External is a file or folder outside the run directory.
type External struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// key returns the hash of the ingredients. Where external files lie does not
// count, only their names.
func (in Ingredients) key(stage string) string {
	type named struct{ Name, SHA256 string }
	content := struct {
		Stage    string
		Version  int
		Params   json.RawMessage
		Inputs   map[string]string
		External []named
	}{stage, in.Version, in.Params, in.Inputs, nil}
	for _, e := range in.External {
		content.External = append(content.External, named{filepath.Base(e.Path), e.SHA256})
	}
	text, err := json.Marshal(content)
	if err != nil {
		panic(err) // Params come from canonical, or from a manifest that was parsed
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// canonical returns parameters as JSON with sorted keys. YAML in between gives
// the keys the names that the experiment file uses.
func canonical(params any) (json.RawMessage, error) {
	text, err := yaml.Marshal(params)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	return json.Marshal(finite(tree))
}

// finite replaces the numbers that JSON has no form for by text.
func finite(tree any) any {
	switch v := tree.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return strconv.FormatFloat(v, 'g', -1, 64)
		}
	case []any:
		for i := range v {
			v[i] = finite(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = finite(v[k])
		}
	case map[any]any:
		out := map[string]any{}
		for k := range v {
			out[fmt.Sprint(k)] = finite(v[k])
		}
		return out
	}
	return tree
}

// changes says, one line each, how the ingredients of a stage differ from what
// they were.
func (in Ingredients) changes(stage string, was Ingredients) []string {
	var out []string
	if in.Version != was.Version {
		out = append(out, fmt.Sprintf("stage version %d -> %d", was.Version, in.Version))
	}
	out = append(out, paramChanges(stage, was.Params, in.Params)...)
	for _, path := range slices.Sorted(maps.Keys(in.Inputs)) {
		switch old, had := was.Inputs[path]; {
		case !had:
			out = append(out, "input "+path+" is new")
		case in.Inputs[path] == remade:
			out = append(out, "input "+path+" will be made again")
		case old != in.Inputs[path]:
			out = append(out, "input "+path+" changed")
		}
	}
	for _, path := range slices.Sorted(maps.Keys(was.Inputs)) {
		if _, has := in.Inputs[path]; !has {
			out = append(out, "input "+path+" is no longer read")
		}
	}
	return append(out, externalChanges(was.External, in.External)...)
}

// externalChanges pairs files by their name and order, as the key does.
func externalChanges(was, is []External) []string {
	var out []string
	left := slices.Clone(was)
	for _, e := range is {
		i := slices.IndexFunc(left, func(l External) bool { return filepath.Base(l.Path) == filepath.Base(e.Path) })
		switch {
		case i < 0:
			out = append(out, "file "+e.Path+" is new")
			continue
		case left[i].SHA256 != e.SHA256:
			out = append(out, "file "+e.Path+" changed")
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, l := range left {
		out = append(out, "file "+l.Path+" is no longer read")
	}
	return out
}

// paramChanges compares two canonical parameter sets value by value.
func paramChanges(stage string, was, is json.RawMessage) []string {
	var same bytes.Buffer
	if json.Compact(&same, was) == nil && bytes.Equal(same.Bytes(), is) { // mostly
		return nil
	}
	before, after := map[string]string{}, map[string]string{}
	flatten(stage, was, before)
	flatten(stage, is, after)
	all := maps.Clone(before)
	maps.Copy(all, after)
	const unset = "(unset)"
	var out []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b, had := before[name]
		a, has := after[name]
		if !had {
			b = unset
		}
		if !has {
			a = unset
		}
		if a != b {
			out = append(out, fmt.Sprintf("params: %s %s -> %s", name, shorten(b), shorten(a)))
		}
	}
	return out
}

// flatten lists the values of a JSON document by dotted name. Lists are values.
// Spaces do not count: the manifest is indented.
func flatten(name string, text json.RawMessage, into map[string]string) {
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil || object == nil {
		var value bytes.Buffer
		if json.Compact(&value, text) == nil && value.Len() > 0 && value.String() != "null" {
			into[name] = value.String()
		}
		return
	}
	for key, value := range object {
		flatten(name+"."+key, value, into)
	}
}

func shorten(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:57]) + "..."
	}
	return text
}
