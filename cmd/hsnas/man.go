package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// manCommand prints the manual page. That of the command-line library leaves out
// what commands describe, and goes by way of Markdown.
func manCommand() *cli.Command {
	return &cli.Command{
		Name:        "man",
		Usage:       "print the manual page",
		Description: "hsnas man | man -l - shows it; hsnas man > hsnas.1 keeps it.",
		Action: func(c *cli.Context) error {
			_, err := io.WriteString(c.App.Writer, manualPage(c.App))
			return err
		},
	}
}

// manualPage is made of the commands themselves. Its date is the commit's, so that a
// release is the same whenever it is built.
func manualPage(app *cli.App) string {
	var r roff
	r.macro("TH", "HSNAS", "1", thisBuild().Date, "hsnas "+version, "User commands")
	r.macro("SH", "NAME")
	r.line(`hsnas \- ` + escape(app.Usage))
	r.macro("SH", "SYNOPSIS")
	r.line(bold("hsnas") + " [" + italic("global options") + "] " + italic("command") + " [" + italic("options") + "]")
	r.macro("SH", "DESCRIPTION")
	r.line(marked("hsnas searches Transformer architectures for hardware with a large language model as the performance predictor. " +
		"`hsnas run` takes an experiment through its stages in a folder of its own; the other commands look at runs, or do one thing alone."))
	r.paragraph("Data goes to standard output, what is told of the progress to standard error.")
	r.macro("SH", "GLOBAL OPTIONS")
	manFlags(&r, app.Flags)
	r.macro("SH", "COMMANDS")
	manCommands(&r, "hsnas", app.Commands)
	manTables(&r)
	return r.text.String()
}

func manCommands(r *roff, before string, commands []*cli.Command) {
	for _, c := range commands {
		if c.Hidden || c.Name == "help" {
			continue
		}
		name := before + " " + c.Name
		if slices.ContainsFunc(c.Subcommands, func(s *cli.Command) bool { return s.Name != "help" }) {
			manCommands(r, name, c.Subcommands)
			continue
		}
		r.macro("SS", strings.TrimSpace(name+" "+c.ArgsUsage))
		r.line(marked(sentence(c.Usage)))
		if c.Description != "" {
			r.paragraph(c.Description)
		}
		manFlags(r, c.Flags)
	}
}

// sentence makes a usage one.
func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }

func manFlags(r *roff, flags []cli.Flag) {
	for _, f := range flags {
		d, ok := f.(cli.DocGenerationFlag)
		if !ok || f.Names()[0] == "help" {
			continue
		}
		var names []string
		for _, n := range f.Names() {
			dashes := "--"
			if len(n) == 1 {
				dashes = "-"
			}
			names = append(names, bold(dashes+n))
		}
		term := strings.Join(names, ", ")
		if d.TakesValue() {
			kind := kindOf(f)
			if kind == "" {
				kind = "VALUE"
			}
			term += " " + italic(kind)
		}
		text := plain(d.GetUsage())
		if v := d.GetDefaultText(); d.TakesValue() && v != "" && v != "0" && v != `""` {
			text += " (default " + v + ")"
		}
		r.item(term, text)
	}
}

// exitCodes are what the program ends with.
var exitCodes = []struct {
	code    int
	meaning string
}{
	{exitOK, "done"},
	{exitFailure, "it failed"},
	{exitUsage, "the command line, a configuration file or an input is wrong"},
	{exitDifferent, "`hsnas diff`: the runs differ in more than what was measured"},
	{exitInterrupted, "interrupted; the same command goes on"},
}

func manTables(r *roff) {
	r.macro("SH", "ENVIRONMENT")
	for _, v := range environment {
		r.item(bold(v.name), v.meaning)
	}
	r.macro("SH", "FILES")
	for _, f := range [][2]string{
		{"runs/RUN/", "a run: its configuration, `experiment.yaml`, its manifest, `run.json`, and a folder for each stage"},
		{"runs/RUN/logs/STAGE.log", "what a stage did, JSON Lines"},
		{"~/.cache/hsnas/", "ONNX Runtime and the published figures"},
	} {
		r.item(italic(f[0]), f[1])
	}
	r.paragraph("docs/formats.md has every file.")
	r.macro("SH", "EXIT STATUS")
	for _, e := range exitCodes {
		r.item(bold(fmt.Sprint(e.code)), e.meaning)
	}
	r.macro("SH", "EXAMPLES")
	for _, e := range [][2]string{
		{"What this machine lacks:", "hsnas doctor"},
		{"The embedded task, searched by more iterations than it ships with:", "hsnas run -x micro --name longer --set search.iterations=20"},
		{"What would run again, and why; then the scoreboard:", "hsnas status --run longer\nhsnas eval --run longer"},
		{"Events for a program, one JSON object a line:", "hsnas --log-format json run -x micro 2>events.jsonl"},
	} {
		r.paragraph(e[0])
		r.example(e[1])
	}
}
