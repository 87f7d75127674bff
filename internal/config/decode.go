package config

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// DecodeNode reads node into the structure that into points to, like Decode.
func DecodeNode(file string, node *yaml.Node, into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		panic("config: DecodeNode needs a pointer")
	}
	d := decoder{file: file}
	return d.value("", node, v.Elem())
}

type decoder struct{ file string }

var nodeType = reflect.TypeFor[yaml.Node]()

// value decodes node into v. path is the dotted key for messages, "" at the root.
func (d decoder) value(path string, node *yaml.Node, v reflect.Value) error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if v.Type() == nodeType {
		v.Set(reflect.ValueOf(*node))
		return nil
	}
	if u, ok := v.Addr().Interface().(yaml.Unmarshaler); ok {
		if err := u.UnmarshalYAML(node); err != nil {
			return Errorf(d.file, node.Line, "%s%s", prefix(path), err.Error())
		}
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return d.value(path, node, v.Elem())
	case reflect.Struct:
		return d.structure(path, node, v)
	case reflect.Slice:
		return d.list(path, node, v)
	case reflect.Map:
		return d.mapping(path, node, v)
	}
	return d.scalar(path, node, v)
}

func (d decoder) structure(path string, node *yaml.Node, v reflect.Value) error {
	if node.Kind != yaml.MappingNode {
		return d.mismatch(path, node, "a mapping of keys to values")
	}
	fields := fieldsOf(v.Type())
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		index, ok := fields[key.Value]
		if !ok {
			return Errorf(d.file, key.Line, "unknown key %q%s%s", key.Value, in(path), DidYouMean(key.Value, keys(fields)))
		}
		if seen[key.Value] {
			return Errorf(d.file, key.Line, "key %q is given twice%s", key.Value, in(path))
		}
		seen[key.Value] = true
		if err := d.value(join(path, key.Value), node.Content[i+1], v.FieldByIndex(index)); err != nil {
			return err
		}
	}
	if val, ok := v.Addr().Interface().(Validator); ok {
		if err := val.Validate(); err != nil {
			return located(d.file, node, err)
		}
	}
	return nil
}

func (d decoder) list(path string, node *yaml.Node, v reflect.Value) error {
	if node.Kind != yaml.SequenceNode {
		return d.mismatch(path, node, "a list")
	}
	list := reflect.MakeSlice(v.Type(), len(node.Content), len(node.Content))
	for i, item := range node.Content {
		if err := d.value(fmt.Sprintf("%s[%d]", path, i), item, list.Index(i)); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

func (d decoder) mapping(path string, node *yaml.Node, v reflect.Value) error {
	if node.Kind != yaml.MappingNode {
		return d.mismatch(path, node, "a mapping of names to values")
	}
	m := reflect.MakeMap(v.Type())
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, item := node.Content[i], reflect.New(v.Type().Elem()).Elem()
		if m.MapIndex(reflect.ValueOf(key.Value)).IsValid() {
			return Errorf(d.file, key.Line, "key %q is given twice%s", key.Value, in(path))
		}
		if err := d.value(join(path, key.Value), node.Content[i+1], item); err != nil {
			return err
		}
		m.SetMapIndex(reflect.ValueOf(key.Value), item)
	}
	v.Set(m)
	return nil
}

var expectations = map[reflect.Kind]string{
	reflect.String: "a text", reflect.Bool: "true or false",
	reflect.Int: "a whole number", reflect.Int64: "a whole number", reflect.Uint64: "a whole number, 0 or more",
	reflect.Float64: "a number",
}

func (d decoder) scalar(path string, node *yaml.Node, v reflect.Value) error {
	want, ok := expectations[v.Kind()]
	if !ok {
		panic("config: no decoding into " + v.Type().String())
	}
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" {
		return d.mismatch(path, node, want)
	}
	if v.Kind() == reflect.String {
		v.SetString(node.Value) // 5 is a fine name: YAML's guess of a type does not matter here
		return nil
	}
	whole := want == expectations[reflect.Int] || want == expectations[reflect.Uint64]
	if whole && node.ShortTag() != "!!int" { // the library would cut 2.5 to 2
		return d.mismatch(path, node, want)
	}
	if err := node.Decode(v.Addr().Interface()); err != nil {
		return d.mismatch(path, node, want)
	}
	return nil
}

func (d decoder) mismatch(path string, node *yaml.Node, want string) error {
	return Errorf(d.file, node.Line, "%sexpected %s, found %s", prefix(path), want, describe(node))
}

// describe names what stands at a node, as a user would.
func describe(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.MappingNode:
		return "a mapping"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	case node.Tag == "!!null":
		return "nothing"
	}
	return fmt.Sprintf("%q", node.Value)
}

// fieldsOf maps YAML keys to field indices; embedded structures tagged
// ",inline" are flattened.
func fieldsOf(t reflect.Type) map[string][]int {
	fields := map[string][]int{}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if f.IsExported() && name != "" && name != "-" && !strings.Contains(options, "inline") {
			fields[name] = f.Index
		}
	}
	return fields
}

func keys(fields map[string][]int) []string {
	var names []string
	for name := range fields {
		names = append(names, name)
	}
	return names
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func in(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

func prefix(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}
