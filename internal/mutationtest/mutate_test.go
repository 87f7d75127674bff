package mutationtest

import (
	"bytes"
	"strings"
	"testing"
)

// TestMutate: a seed gives the same damage each time, no seed gives none, and every kind
// of damage comes up.
func TestMutate(t *testing.T) {
	text := []byte("a text of some length, long enough for blocks that can be swapped")
	for size := range len(text) + 1 {
		for seed := range uint64(300) {
			was := bytes.Clone(text[:size])
			out, what := Mutate(was, seed)
			again, _ := Mutate(was, seed)
			if bytes.Equal(out, was) || !bytes.Equal(out, again) || what == "" {
				t.Fatalf("size %d, seed %d: %q, again %q, %q", size, seed, out, again, what)
			}
			if !bytes.Equal(was, text[:size]) {
				t.Fatalf("size %d, seed %d: the original changed", size, seed)
			}
		}
	}
	seen := map[string]bool{}
	for seed := range uint64(300) {
		_, what := Mutate(text, seed)
		seen[strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return -1
			}
			return r
		}, what)] = true
	}
	if len(seen) < len(damages) {
		t.Errorf("kinds of damage: %v", seen)
	}
}
