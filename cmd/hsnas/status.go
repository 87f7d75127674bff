package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
	"hsnas/internal/tabular"
	"hsnas/pipeline"
)

// statusCommand tells how far a run is.
func statusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "the state of each stage of a run, and why it would run again",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "run", Usage: "`RUN` to look at", Required: true},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
		},
		Action: func(c *cli.Context) error {
			dir, e, err := openRun(c.String("run"))
			if err != nil {
				return err
			}
			stages, err := e.Stages()
			if err != nil {
				return err
			}
			states, err := pipeline.Inspect(c.Context, dir, stages)
			if err != nil {
				return err
			}
			if c.Bool("json") {
				out := json.NewEncoder(c.App.Writer)
				out.SetIndent("", "  ")
				return out.Encode(states)
			}
			return printStatus(c.App.Writer, states)
		},
	}
}

// printStatus prints a line for each stage, its reasons below one another, and what the
// next run would do.
func printStatus(w io.Writer, states []pipeline.Status) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "stage\tstate\tseconds\tsize\treason")
	var runs []string
	holder := ""
	for _, s := range states {
		size := "-"
		if s.Files > 0 {
			size = tabular.Bytes(s.Bytes)
		}
		state := s.State
		if s.Shards != nil {
			state += fmt.Sprintf(", %d of %d shards", s.Shards.Done, s.Shards.Total)
		}
		reasons := append(slices.Clone(s.Reasons), "")
		fmt.Fprintf(table, "%s\t%s\t%.1f\t%s\t%s\n", s.Stage, state, s.Seconds, size, reasons[0])
		for i := 1; i < len(s.Reasons); i++ {
			fmt.Fprintf(table, "\t\t\t\t%s\n", s.Reasons[i])
		}
		if s.Runs {
			runs = append(runs, s.Stage)
		}
		if s.Holder != "" {
			holder = s.Holder
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	next := "the next run would do nothing"
	if len(runs) > 0 {
		next = "the next run would run: " + strings.Join(runs, ", ")
	}
	if holder != "" {
		next = "in use by " + holder
	}
	_, err := fmt.Fprintln(w, next)
	return err
}

// openRun finds a run and reads the experiment it was started with.
func openRun(name string) (dir string, e *Experiment, err error) {
	if dir, err = runDir(name); err != nil {
		return "", nil, err
	}
	if _, err := os.Stat(pipeline.ExperimentFile(dir)); err != nil {
		return "", nil, config.Errorf("", 0, "there is no run %q in %s%s", name, runsFolder(), config.DidYouMean(name, runNames()))
	}
	of, err := pipeline.Open(dir)
	if err != nil {
		return "", nil, err
	}
	text, err := runExperiment(of)
	if err != nil {
		return "", nil, err
	}
	file := absolute(pipeline.ExperimentFile(dir))
	e, err = readExperiment(text, file, filepath.Dir(file), nil)
	return dir, e, err
}

// runNames lists the runs that there are.
func runNames() []string {
	found, _ := filepath.Glob(filepath.Join(runsFolder(), "*", "experiment.yaml"))
	var names []string
	for _, f := range found {
		names = append(names, filepath.Base(filepath.Dir(f)))
	}
	return names
}

func absolute(file string) string {
	if abs, err := filepath.Abs(file); err == nil {
		return abs
	}
	return file
}
