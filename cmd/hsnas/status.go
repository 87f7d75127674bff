package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
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
			table := tabwriter.NewWriter(c.App.Writer, 0, 8, 2, ' ', 0)
			fmt.Fprintln(table, "stage\tstate\tseconds\treason")
			for _, s := range states {
				fmt.Fprintf(table, "%s\t%s\t%.1f\t%s\n", s.Stage, s.State, s.Seconds, s.Reason)
			}
			return table.Flush()
		},
	}
}

// openRun finds a run and reads the experiment it was started with.
func openRun(name string) (dir string, e *Experiment, err error) {
	if dir, err = runDir(name); err != nil {
		return "", nil, err
	}
	file := filepath.Join(dir, "experiment.yaml")
	if _, err := os.Stat(file); err != nil {
		return "", nil, config.Errorf("", 0, "there is no run %q in %s%s", name, runsFolder(), config.DidYouMean(name, runNames()))
	}
	e, err = loadExperiment(absolute(file), nil)
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
