package statements

import (
	"slices"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for text, want := range map[string][]string{
		"SELECT 1":                    {"SELECT 1"},
		"SELECT 1;":                   {"SELECT 1", ""},
		"a; b ;c":                     {"a", " b ", "c"},
		"SELECT ';' ; x":              {"SELECT ';' ", " x"},
		"SELECT 'it''s; so'; x":       {"SELECT 'it''s; so'", " x"},
		`SELECT "a;b"; x`:             {`SELECT "a;b"`, " x"},
		"a -- no; end\n; b":           {"a -- no; end\n", " b"},
		"a /* ; */; b":                {"a /* ; */", " b"},
		"$$;$$; $t$ ; $$ $t$; x":      {"$$;$$", " $t$ ; $$ $t$", " x"},
		"WHERE a = $1; b":             {"WHERE a = $1", " b"},
		"SELECT 'no end; at all":      {"SELECT 'no end; at all"},
		"SELECT 1; -- the end; of it": {"SELECT 1", " -- the end; of it"},
		"a /* no end; ":               {"a /* no end; "},
		"":                            {""},
	} {
		whole, rest := Split(text)
		if got := append(whole, rest); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestBlankAndFirst(t *testing.T) {
	for text, blank := range map[string]bool{"": true, " \n": true, "-- x": true, "/* a */ -- b\n ": true, " x": false, "/**/ 'a'": false, "-": false} {
		if Blank(text) != blank {
			t.Errorf("Blank(%q) = %v", text, !blank)
		}
	}
	for text, want := range map[string]string{"Select 1": "select", " -- a\n/* b */ CREATE VIEW": "create", "(SELECT": "", "from": "from", "": ""} {
		if got := First(text); got != want {
			t.Errorf("First(%q) = %q, want %q", text, got, want)
		}
	}
}

// FuzzSplit: nothing is lost, and a piece is never cut again.
func FuzzSplit(f *testing.F) {
	f.Add("SELECT ';'; $$;$$ -- ;\n; /* ; */ \"a\"")
	f.Add("$a$ ; $b$ ; $a$;")
	f.Fuzz(func(t *testing.T, text string) {
		whole, rest := Split(text)
		if joined := strings.Join(append(slices.Clone(whole), rest), ";"); joined != text {
			t.Errorf("%q came back as %q", text, joined)
		}
		for _, s := range whole {
			if more, _ := Split(s); len(more) > 0 {
				t.Errorf("%q of %q was cut again", s, text)
			}
			Blank(s)
			First(s)
		}
	})
}
