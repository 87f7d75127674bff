package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// TestManualPage: it has every command with every flag, the tables, and no line that
// roff takes for a request without being one.
func TestManualPage(t *testing.T) {
	page, err := runMicro(t, "", "man")
	if err != nil {
		t.Fatal(err)
	}
	var every func(before string, commands []*cli.Command)
	every = func(before string, commands []*cli.Command) {
		for _, c := range commands {
			if c.Hidden {
				continue
			}
			name := before + " " + c.Name
			if len(c.Subcommands) == 0 && !strings.Contains(page, ".SS \""+escape(name)) {
				t.Errorf("no section of %s", name)
			}
			for _, f := range c.Flags {
				if n := f.Names()[0]; !strings.Contains(page, bold(strings.Repeat("-", min(2, len(n)))+n)) {
					t.Errorf("%s: no flag --%s", name, f.Names()[0])
				}
			}
			every(name, c.Subcommands)
		}
	}
	every("hsnas", newApp(nil, nil, nil).Commands)
	for _, part := range []string{".SH \"ENVIRONMENT\"", ".SH \"FILES\"", ".SH \"EXIT STATUS\"", ".SH \"EXAMPLES\"", `\fBOPENAI_API_KEY\fR`, `\fB130\fR`} {
		if !strings.Contains(page, part) {
			t.Errorf("no %s", part)
		}
	}
	for _, line := range regexp.MustCompile(`(?m)^[.'].*`).FindAllString(page, -1) {
		if !regexp.MustCompile(`^\.(TH|SH|SS|PP|TP|nf|fi)\b`).MatchString(line) {
			t.Errorf("a line that is no request: %s", line)
		}
	}
}

func TestEscape(t *testing.T) {
	for text, want := range map[string]string{
		"a-b":           `a\-b`,
		`c:\d`:          `c:\ed`,
		".PP\n.SH it's": `\&.PP` + "\n" + `\&.SH it\(aqs`,
	} {
		if got := escape(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := marked("see `hsnas run` first"); got != `see \fBhsnas run\fR first` {
		t.Error(got)
	}
}
