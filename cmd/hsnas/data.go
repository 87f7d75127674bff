package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"hsnas/internal/progress"
	"hsnas/internal/published"
)

// dataCommand fetches and checks the published figures.
func dataCommand() *cli.Command {
	return dataCommandFrom(published.Source{})
}

// dataCommandFrom is dataCommand with another source than the pinned repositories.
func dataCommandFrom(source published.Source) *cli.Command {
	return &cli.Command{
		Name:  "data",
		Usage: "fetch the published figures that experiments compare with",
		Description: "Fetches the data files of the paper's authors (UBC-NLP/llmas) and of HAT\n" +
			"(mit-han-lab/hardware-aware-transformers) at fixed commits with git, a few\n" +
			"megabytes, into the cache folder, and checks the SHA-256 of each. With " + published.Variable + "\n" +
			"set, that folder is filled instead.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "check", Usage: "only say what is there"},
			&cli.BoolFlag{Name: "json", Usage: "the table as a JSON array"},
		},
		Action: func(c *cli.Context) error {
			dir, err := dataDir()
			if err != nil {
				return err
			}
			var files []published.Checked
			if c.Bool("check") {
				files, err = source.Check(dir)
			} else {
				files, err = published.Fetch(c.Context, source, dir, progress.New(c.App.ErrWriter))
			}
			if err != nil {
				return err
			}
			if err := printFiles(c.App.Writer, dir, files, c.Bool("json")); err != nil {
				return err
			}
			return faultyFiles(dir, files)
		},
	}
}

// dataDir is where files go: unlike published.Root it need not exist yet.
func dataDir() (string, error) {
	if dir := os.Getenv(published.Variable); dir != "" {
		return dir, nil
	}
	return published.CacheDir()
}

func printFiles(w io.Writer, dir string, files []published.Checked, asJSON bool) error {
	if asJSON {
		type row struct {
			File  string          `json:"file"`
			State published.State `json:"state"`
		}
		rows := make([]row, len(files))
		for i, f := range files {
			rows[i] = row{f.Path, f.State}
		}
		return json.NewEncoder(w).Encode(rows)
	}
	fmt.Fprintln(w, dir)
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, f := range files {
		fmt.Fprintf(table, "  %s\t%s\n", f.Path, f.State)
	}
	return table.Flush()
}

// faultyFiles is an error when not every file is as published.
func faultyFiles(dir string, files []published.Checked) error {
	missing, damaged := 0, 0
	for _, f := range files {
		switch f.State {
		case published.Missing:
			missing++
		case published.Damaged:
			damaged++
		}
	}
	if missing+damaged == 0 {
		return nil
	}
	return fmt.Errorf("%s: %d of %d files missing, %d damaged: run \"hsnas data\"", dir, missing, len(files), damaged)
}
