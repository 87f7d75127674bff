package space_test

import (
	"os"
	"path/filepath"
	"testing"

	"hsnas/internal/space"
)

// FuzzParse: a space that is accepted has a smallest and a largest architecture that it
// reads again.
func FuzzParse(f *testing.F) {
	shipped, err := filepath.Glob(filepath.Join("..", "..", "data", "spaces", "*.yaml"))
	if err != nil || len(shipped) == 0 {
		f.Fatal("no spaces: ", err)
	}
	for _, file := range shipped {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("name: x\nhyperparameters:\n- {name: a, definition: d, choices: [1, x], layers: b}\n- {name: b, definition: d, choices: [1, 2]}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := space.Parse("s.yaml", text)
		if err != nil {
			return
		}
		for _, a := range []space.Architecture{s.Smallest(), s.Largest()} {
			if b, err := s.ParseArchitecture([]byte(a.String())); err != nil || !b.Equal(a) {
				t.Fatalf("%s does not come back: %v", a, err)
			}
		}
	})
}
