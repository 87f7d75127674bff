package pipeline

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// fields are the names of a type's JSON fields, in the notation of docs/formats.md.
func fields(t reflect.Type, before string) []string {
	var out []string
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		name = before + name
		in := f.Type
		if in.Kind() == reflect.Slice && in.Elem().Kind() != reflect.Uint8 {
			in, name = in.Elem(), name+"[]"
		}
		if in.Kind() == reflect.Pointer {
			in = in.Elem()
		}
		if in.Kind() == reflect.Struct && in != reflect.TypeFor[time.Time]() {
			out = append(out, fields(in, name+".")...)
			continue
		}
		out = append(out, name)
	}
	return out
}

// TestManifestIsDocumented: a field of run.json that readers cannot look up is none
// that they can rely on.
func TestManifestIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	found := fields(reflect.TypeFor[Manifest](), "")
	if len(found) < 20 {
		t.Errorf("only %d fields: %v", len(found), found)
	}
	for _, name := range found {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/formats.md does not say what %s of run.json is", name)
		}
	}
}
