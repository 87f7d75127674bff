package main

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// TestUnknownPriceIsToldFirst: before a stage has run for an hour.
func TestUnknownPriceIsToldFirst(t *testing.T) {
	t.Setenv("HSNAS_RUNS", t.TempDir())
	var out, log bytes.Buffer
	code := run(t.Context(), []string{
		"hsnas", "run", "-x", "micro", "--set", "label.source=live", "--set", "label.model=gpt-4o-mni", "--set", "label.budget_dollars=2",
	}, nil, &out, &log)
	const want = `hsnas: label.budget_dollars is 2, but no price is known for label.model "gpt-4o-mni"; did you mean "gpt-4o-mini"?; ` +
		"give label.prompt_price and label.completion_price, dollars for a million tokens, or a table as label.prices\n"
	if code != exitUsage || log.String() != want {
		t.Errorf("code %d\n got %swant %s", code, log.String(), want)
	}
	if entries, _ := os.ReadDir(os.Getenv("HSNAS_RUNS")); len(entries) != 0 {
		t.Error("a run was begun")
	}
}

// TestResumeCommand repeats what the user agreed to.
func TestResumeCommand(t *testing.T) {
	for args, want := range map[string]string{
		"--experiment micro":                             "hsnas run -x micro",
		"--experiment micro --yes":                       "hsnas run -x micro --yes",
		"--experiment m.yaml --yes --name n --set a=[b]": "hsnas run -x m.yaml --name n --set 'a=[b]' --yes",
	} {
		command := runCommand()
		flags := flag.NewFlagSet("run", flag.ContinueOnError)
		for _, f := range command.Flags {
			if err := f.Apply(flags); err != nil {
				t.Fatal(err)
			}
		}
		if err := flags.Parse(strings.Fields(args)); err != nil {
			t.Fatal(err)
		}
		c := cli.NewContext(cli.NewApp(), flags, nil)
		c.Command = command
		if got := resumeCommand(c); got != want {
			t.Errorf("%s:\n got %s\nwant %s", args, got, want)
		}
	}
}
