package main

import (
	_ "embed"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"
)

// The scripts ask completeCommand and hand its answers to their shell. Those of the
// command-line library know neither the values of flags nor a command of a command.
var (
	//go:embed completion/hsnas.bash
	bashScript string
	//go:embed completion/_hsnas
	zshScript string
	//go:embed completion/hsnas.fish
	fishScript string
)

// completionCommand prints the script that a shell completes hsnas with.
func completionCommand() *cli.Command {
	shell := func(name, script, where string) *cli.Command {
		return &cli.Command{
			Name: name, Usage: "the script for " + name, Description: where,
			Action: func(c *cli.Context) error {
				_, err := io.WriteString(c.App.Writer, script)
				return err
			},
		}
	}
	return &cli.Command{
		Name:  "completion",
		Usage: "print the script that a shell completes commands, flags and their values with",
		Subcommands: []*cli.Command{
			shell("bash", bashScript, "In ~/.bashrc: source <(hsnas completion bash)"),
			shell("zsh", zshScript, "In ~/.zshrc, behind compinit: source <(hsnas completion zsh)"),
			shell("fish", fishScript, "Once: hsnas completion fish > ~/.config/fish/completions/hsnas.fish"),
		},
	}
}

// The last line of an answer says whether names of files complete the word, too.
const (
	withFiles    = ":files"
	withoutFiles = ":nothing"
)

// completeCommand is what the scripts call with the words behind hsnas up to the
// cursor: it prints what completes the last one, a tab and what that stands for.
func completeCommand() *cli.Command {
	return &cli.Command{
		Name: "__complete", Hidden: true, SkipFlagParsing: true, HideHelp: true,
		Action: func(c *cli.Context) error {
			found, files := complete(c.App, c.Args().Slice())
			for _, f := range found {
				if _, err := fmt.Fprintf(c.App.Writer, "%s\t%s\n", f.text, f.note); err != nil {
					return err
				}
			}
			last := withoutFiles
			if files {
				last = withFiles
			}
			_, err := fmt.Fprintln(c.App.Writer, last)
			return err
		},
	}
}
