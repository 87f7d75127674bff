package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// What is wrong with a list of architectures is said before anything is trained.
func TestTFSFaults(t *testing.T) {
	line := `{"set":"test","architecture":` + microArch + `}`
	for args, want := range map[string]string{
		"--workers -1":      "--workers -1: expected 0 for one on each core, or more",
		"--seed 3 --seed 3": "--seed 3 is given twice",
	} {
		words := append([]string{"tfs", "--task", "micro.en-de", "--out", "x.csv", "--work", "w"}, strings.Fields(args)...)
		if _, err := runMicro(t, line, words...); fmt.Sprint(err) != want {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
	for _, test := range []struct{ task, out, input, want string }{
		{"micro.en-de", "x.txt", line, "--out x.txt: expected a name that ends in .csv"},
		{"micro.en-de", "x.csv", "", "standard input: no architectures"},
		{"micro.en-de", "x.csv", microArch, `standard input:1: expected {"set":"test","architecture":{...}}`},
		{"micro.en-de", "x.csv", strings.Replace(line, `"test"`, `"trial"`, 1), `standard input:1: set "trial", expected demonstration, test or extra`},
		{"micro.en-de", "x.csv", line + "\n" + line, "standard input:2: architecture 481062a392916de2 again, expected each once"},
		{"micro.en-de", "x.csv", strings.Replace(line, "[64,64,64]", "[64,64,65]", 1), "standard input:1: "},
		{"wmt14.en-de", "x.csv", line, "standard input:1: "},
	} {
		_, err := runMicro(t, test.input, "tfs", "--task", test.task, "--out", test.out, "--work", filepath.Join(t.TempDir(), "work"))
		if got := fmt.Sprint(err); got != test.want && !(strings.HasSuffix(test.want, ": ") && strings.HasPrefix(got, test.want)) {
			t.Errorf("error %v\nwant  %s", err, test.want)
		}
	}
}
