// Command hsnas searches neural architectures for hardware with an LLM as the
// performance predictor. See README.md; `hsnas help` lists the commands.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
	"hsnas/internal/progress"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program: it returns the exit code and reports an error as one line
// on stderr, or as an event where --log-format json asks for that.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if logsJSON(args) {
		events := progress.NewEvents(stderr)
		err := newApp(stdin, stdout, events).RunContext(ctx, args)
		events.Flush()
		if err != nil {
			events.Error(strings.TrimSpace(err.Error()), exitCode(err))
		}
		return exitCode(err)
	}
	err := newApp(stdin, stdout, stderr).RunContext(ctx, args)
	if !reported(err) {
		fmt.Fprintln(stderr, "hsnas:", strings.TrimSpace(err.Error()))
	}
	return exitCode(err)
}

// newApp wires the commands.
func newApp(stdin io.Reader, stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:                   "hsnas",
		Usage:                  "neural architecture search with an LLM as performance predictor",
		Version:                thisBuild().String(),
		Flags:                  globalFlags(),
		Before:                 checkLogFormat,
		Reader:                 stdin,
		Writer:                 stdout,
		ErrWriter:              stderr,
		HideHelpCommand:        true,
		UseShortOptionHandling: true,
		// A comma in --set search.searches=[hs-nas,random] is part of the value.
		DisableSliceFlagSeparator: true,
		ExitErrHandler:            func(*cli.Context, error) {}, // run reports it
		Commands: []*cli.Command{
			runCommand(),
			runShardCommand(),
			cancelCommand(),
			statusCommand(),
			showCommand(),
			diffCommand(),
			sqlCommand(),
			verifyCommand(),
			evalCommand(),
			reportCommand(),
			costCommand(),
			predictCommand(),
			promptCommand(),
			exportCommand(),
			benchmarkCommand(),
			latencyCommand(),
			tfsCommand(),
			dataCommand(),
			doctorCommand(),
			versionCommand(),
			completionCommand(),
			completeCommand(),
			manCommand(),
		},
	}
	known := names(app.Commands)
	app.Action = func(c *cli.Context) error {
		name := c.Args().First()
		if name == "help" { // that of the library knows no likeness of names
			if name = c.Args().Get(1); slices.Contains(known, name) {
				return cli.ShowCommandHelp(c, name)
			}
		}
		if name != "" {
			return config.Errorf("", 0, "unknown command %q%s", name, config.DidYouMean(name, known))
		}
		return cli.ShowAppHelp(c)
	}
	for _, c := range app.Commands {
		usageErrors(c)
	}
	app.OnUsageError = onUsageError
	return app
}

// usageErrors makes a wrong or missing flag one line, where the library would
// print the whole help.
func usageErrors(c *cli.Command) {
	c.OnUsageError = onUsageError
	checkRequired(c)
	checkArguments(c)
	for _, sub := range c.Subcommands {
		usageErrors(sub)
	}
	if len(c.Subcommands) > 0 && c.Action == nil {
		known := names(c.Subcommands)
		c.HideHelpCommand = true
		c.Action = func(ctx *cli.Context) error {
			if name := ctx.Args().First(); name != "" && name != "help" {
				return config.Errorf("", 0, "unknown command %q of %s%s", name, c.Name, config.DidYouMean(name, known))
			}
			return cli.ShowSubcommandHelp(ctx)
		}
	}
}

// checkRequired takes the check of required flags over from the library.
func checkRequired(c *cli.Command) {
	var required []string
	for _, f := range c.Flags {
		if s, ok := f.(*cli.StringFlag); ok && s.Required {
			s.Required = false
			s.Usage += " (required)"
			required = append(required, s.Name)
		}
	}
	if len(required) == 0 {
		return
	}
	before := c.Before
	c.Before = func(ctx *cli.Context) error {
		for _, name := range required {
			if ctx.String(name) == "" {
				return config.Errorf("", 0, "%s needs --%s; see hsnas %s --help", called(c), name, called(c))
			}
		}
		if before != nil {
			return before(ctx)
		}
		return nil
	}
}

// checkArguments refuses arguments of a command that has none.
func checkArguments(c *cli.Command) {
	if c.ArgsUsage != "" || c.SkipFlagParsing || len(c.Subcommands) > 0 {
		return
	}
	hint := ""
	for _, f := range c.Flags {
		switch f.Names()[0] {
		case "run":
			hint = "; a run goes behind --run"
		case "experiment":
			hint = "; an experiment goes behind -x"
		}
	}
	before := c.Before
	c.Before = func(ctx *cli.Context) error {
		if ctx.NArg() > 0 {
			return config.Errorf("", 0, "%s takes no argument, found %q%s", called(c), ctx.Args().First(), hint)
		}
		if before != nil {
			return before(ctx)
		}
		return nil
	}
}

// called is what a user calls a command: latency measure.
func called(c *cli.Command) string { return strings.TrimPrefix(c.HelpName, "hsnas ") }

func onUsageError(c *cli.Context, err error, _ bool) error {
	msg := err.Error()
	if name, ok := strings.CutPrefix(msg, "flag provided but not defined: -"); ok {
		name = strings.TrimLeft(name, "-")
		if name == logFormatFlag {
			return config.Errorf("", 0, "--%s goes before the command: hsnas --%s FORMAT %s", name, name, called(c.Command))
		}
		var known []string
		for _, f := range c.Command.Flags {
			known = append(known, f.Names()...)
		}
		return config.Errorf("", 0, "unknown flag --%s of %s%s", name, called(c.Command), config.DidYouMean(name, known))
	}
	return config.Errorf("", 0, "%s: %s", called(c.Command), strings.ReplaceAll(msg, "\n", " "))
}

func names(commands []*cli.Command) []string {
	var out []string
	for _, c := range commands {
		if !c.Hidden {
			out = append(out, c.Name)
		}
	}
	return out
}
