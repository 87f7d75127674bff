package atomicfile

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jsonl")
	for i, c := range []struct {
		there string // what the file holds, beside what the case before left
		torn  int
		lines string
		add   string
	}{
		{"", 0, "", "one\n"},
		{"", 0, "one\n", "two\nthree\n"},
		{"fo", 2, "one\ntwo\nthree\n", "four\n"},
		{"\n", 0, "one\ntwo\nthree\nfour\n\n", ""},
	} {
		text, _ := os.ReadFile(path)
		if c.there != "" {
			if err := os.WriteFile(path, append(text, c.there...), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		l, lines, torn, err := OpenLines(path)
		if err != nil || torn != c.torn || string(lines) != c.lines {
			t.Fatalf("case %d: %q, %d torn, %v", i, lines, torn, err)
		}
		if err := l.Append([]byte(c.add)); err != nil {
			t.Error(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if text, _ := os.ReadFile(path); string(text) != c.lines+c.add {
			t.Errorf("case %d: the file holds %q", i, text)
		}
	}
}

// TestLinesAfterAFault: what comes after a line that could not be written is not
// written either, so that nothing stands behind a gap.
func TestLinesAfterAFault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jsonl")
	l, _, _, err := OpenLines(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Append([]byte("one\n")); err != nil {
		t.Fatal(err)
	}
	whole := l.file.file
	if l.file.file, err = os.Open(path); err != nil { // which cannot be written to
		t.Fatal(err)
	}
	want := "cannot write " + path + ": bad file descriptor"
	if err := l.Append([]byte("two\n")); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	l.file.file.Close()
	l.file.file = whole
	if err := l.Append([]byte("three\n")); err == nil || err.Error() != want {
		t.Errorf("after it: %v", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "one\n" {
		t.Errorf("the file holds %q", text)
	}
}

func TestOpenGrowingFaults(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "no", "a.jsonl"): "no such file or directory",
		dir:                                 "is a directory",
	} {
		want = "cannot open " + path + ": " + want
		if _, _, _, err := OpenLines(path); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}
