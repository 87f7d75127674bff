package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
)

// sqlProgram answers hsnas sql. It holds DuckDB, 60 MB of it, and is built apart so that
// who does not ask in SQL need not fetch and link that.
const sqlProgram = "hsnas-sql"

const sqlArguments = "--run RUN [--run RUN] [--json|--csv|--jsonl] [STATEMENT]"

// sqlCommand hands over to hsnas-sql.
func sqlCommand() *cli.Command {
	return &cli.Command{
		Name:      "sql",
		Usage:     "ask the artifacts of runs in SQL; needs hsnas-sql, which `just build-sql` builds",
		UsageText: "hsnas sql " + sqlArguments,
		ArgsUsage: sqlArguments,
		Description: "Each artifact is a view, named after its path: label/labels.parquet is label_labels, or\n" +
			"label.labels; the manifest is manifest.stages, artifacts, inputs and params. Statements that\n" +
			"are no argument are read from standard input. docs/inspect.md has examples.",
		// Its flags are hsnas-sql's.
		SkipFlagParsing: true,
		Action: func(c *cli.Context) error {
			program, err := findProgram(sqlProgram)
			if err != nil && slices.Contains([]string{"--help", "-h"}, c.Args().First()) {
				cli.HelpPrinter(c.App.Writer, cli.CommandHelpTemplate, c.Command)
				return nil
			}
			if err != nil {
				return err
			}
			return handOver(c, program)
		},
	}
}

// findProgram finds a program beside this one, else on PATH.
func findProgram(name string) (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	program, err := exec.LookPath(name)
	if err != nil {
		return "", config.Errorf("", 0, "sql needs the program %s, which is neither beside hsnas nor on PATH; build it with: npx --yes rust-just build-sql", name)
	}
	return program, nil
}

// handOver runs a program in the command's place, with its arguments and streams.
func handOver(c *cli.Context, program string) error {
	command := exec.CommandContext(c.Context, program, c.Args().Slice()...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.Stdin, command.Stdout, command.Stderr = c.App.Reader, c.App.Writer, c.App.ErrWriter
	err := command.Run()
	if c.Context.Err() != nil {
		return c.Context.Err()
	}
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		if by, ok := ended.Sys().(syscall.WaitStatus); ok && by.Signaled() {
			return exitStatus(128 + int(by.Signal())) // as shells say it: 141 where a reader such as head has gone
		}
		return exitStatus(ended.ExitCode())
	}
	return err
}
