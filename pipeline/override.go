package pipeline

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"hsnas/internal/config"
)

// Override lays KEY=VALUE settings, search.iterations=10 for example, over a
// configuration before it is decoded, so that an unknown key is refused like one
// in the file. The value is YAML: a number, a text, a list such as [1, 2].
func Override(root *yaml.Node, sets []string) error {
	for _, set := range sets {
		key, value, ok := strings.Cut(set, "=")
		if !ok || key == "" {
			return config.Errorf("", 0, "--set %s: expected KEY=VALUE, search.iterations=10 for example", set)
		}
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(value), &doc); err != nil || len(doc.Content) != 1 {
			return config.Errorf("", 0, "--set %s: the value is no YAML", set)
		}
		if err := put(root, strings.Split(key, "."), doc.Content[0], set); err != nil {
			return err
		}
	}
	return nil
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
	name := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key[0], Line: node.Line}
	if len(key) > 1 {
		inner := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: node.Line}
		node.Content = append(node.Content, name, inner)
		return put(inner, key[1:], value, set)
	}
	node.Content = append(node.Content, name, value)
	return nil
}
