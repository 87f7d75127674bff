package pipeline

import (
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"

	"hsnas/internal/config"
)

// Override lays KEY=VALUE settings, search.iterations=10 for example, over a
// configuration before it is decoded, so that an unknown key is refused like one
// in the file. The value is YAML: a number, a text, a list such as [1, 2]. Errors about
// what was set so carry its number, below zero, for a line: Blame words them.
func Override(root *yaml.Node, sets []string) error {
	for i, set := range sets {
		key, value, ok := strings.Cut(set, "=")
		if !ok || key == "" {
			return config.Errorf("", 0, "--set %s: expected KEY=VALUE, search.iterations=10 for example", set)
		}
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(value), &doc); err != nil || len(doc.Content) != 1 {
			return config.Errorf("", 0, "--set %s: the value is no YAML", set)
		}
		mark(doc.Content[0], -(i + 1))
		if err := put(root, strings.Split(key, "."), doc.Content[0], set); err != nil {
			return err
		}
	}
	return nil
}

// Blame makes an error that comes of one of the settings name it, instead of a line of a
// file that is not at fault.
func Blame(err error, sets []string) error {
	var e *config.Error
	if !errors.As(err, &e) || e.Line >= 0 || -e.Line > len(sets) {
		return err
	}
	set := sets[-e.Line-1]
	key, _, _ := strings.Cut(set, "=")
	msg := strings.TrimPrefix(e.Msg, key+": ")
	msg = strings.TrimPrefix(msg, key[strings.LastIndex(key, ".")+1:]+": ")
	return config.Errorf("", 0, "--set %s: %s", set, msg)
}

// mark gives a value and all that is in it a line.
func mark(node *yaml.Node, line int) {
	node.Line = line
	for _, inner := range node.Content {
		mark(inner, line)
	}
}

// put sets a value at a dotted key, making the mappings on the way.
func put(node *yaml.Node, key []string, value *yaml.Node, set string) error {
	if node.Kind != yaml.MappingNode {
		return config.Errorf("", 0, "--set %s: %s is below a value that is no mapping", set, key[0])
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value != key[0] {
			continue
		}
		if len(key) == 1 {
			node.Content[i+1] = value
			return nil
		}
		return put(node.Content[i+1], key[1:], value, set)
	}
	name := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key[0], Line: value.Line}
	if len(key) > 1 {
		inner := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: value.Line}
		node.Content = append(node.Content, name, inner)
		return put(inner, key[1:], value, set)
	}
	node.Content = append(node.Content, name, value)
	return nil
}
