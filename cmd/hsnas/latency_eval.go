package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
	"hsnas/internal/task"
	"hsnas/stages/latency"
)

func latencyEvalCommand(taskFlag cli.Flag) *cli.Command {
	return &cli.Command{
		Name:  "eval",
		Usage: "hold predicted against measured latencies, and a measurement against its repetition",
		Description: "A fifth of the dataset is held out. Predictors fitted to the rest are judged on it, then\n" +
			"those that --few measurements make: of another device's predictor, from nothing, and by\n" +
			"FLOPs alone.",
		Flags: []cli.Flag{
			taskFlag,
			&cli.StringFlag{Name: "dataset", Usage: "`DATASET`: a CSV file that latency measure wrote, or a published one", Required: true},
			&cli.StringFlag{Name: "repeat", Usage: "`FILE` of a second measurement of the same architectures"},
			&cli.StringFlag{Name: "from", Usage: "`DEVICES` to adapt: a published dataset, a CSV file, several with commas, or any that covers the space"},
			&cli.IntSliceFlag{Name: "few", Usage: "`N,...` numbers of measurements", Value: cli.NewIntSlice(10, 20, 50)},
			&cli.IntFlag{Name: "draws", Usage: "`N` draws of these measurements", Value: 10},
			&cli.Uint64Flag{Name: "seed", Usage: "`N` that rows are held out with", Value: 1},
			&cli.BoolFlag{Name: "markdown", Usage: "print Markdown"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
		},
		Action: func(c *cli.Context) error {
			t, err := task.Load(c.String("task"))
			if err != nil {
				return err
			}
			if c.Int("draws") < 1 {
				return config.Errorf("", 0, "--draws: expected 1 or more, found %d", c.Int("draws"))
			}
			p := latency.Defaults()
			p.Seed = c.Uint64("seed")
			e, err := latency.Evaluate(c.Context, p, latency.Question{
				Task: t, Dataset: c.String("dataset"), Repeat: c.String("repeat"), From: c.String("from"), Few: c.IntSlice("few"), Draws: c.Int("draws"),
			})
			switch {
			case err != nil:
				return err
			case c.Bool("json"):
				return json.NewEncoder(c.App.Writer).Encode(e)
			}
			printEvaluation(c.App.Writer, e, c.Bool("markdown"), c.Int("draws"))
			return nil
		},
	}
}

// printEvaluation prints the tables for people, in Markdown or aligned.
func printEvaluation(w io.Writer, e *latency.Evaluation, markdown bool, draws int) {
	fmt.Fprintf(w, "%s on %s: %d architectures of %s, %.1f to %.1f ms, median %.1f; %d held out.\n",
		e.Dataset, e.Device, e.N, e.Task, e.LatencyMS[0], e.LatencyMS[2], e.LatencyMS[1], e.NTest)
	if p := e.Protocol; p != nil {
		fmt.Fprintf(w, "Protocol: %d source tokens, %d decoder steps, beam %d, threads %d; %d rounds, %d repetitions; %s.\n",
			p.SourceTokens, p.Steps, p.Beam, p.Threads, p.Rounds, p.Repetitions, p.Clock)
	}
	rows := [][]string{{"predictor", "features", "cv MAPE, %", "MAPE, %", "tau"}}
	for _, j := range e.Predictors {
		name, cv := j.Predictor, "-"
		if j.Chosen {
			name += ", chosen"
		}
		if j.CVMAPE != nil {
			cv = fmt.Sprintf("%.2f", 100**j.CVMAPE)
		}
		rows = append(rows, []string{name, j.Features, cv, between("%.2f", 100, j.MAPE, j.MAPEIn), between("%.3f", 1, float64(j.Tau), j.TauIn)})
	}
	fmt.Fprintln(w)
	printTable(w, rows, markdown)
	if len(e.Few) > 0 {
		printFew(w, e, markdown, draws)
	}
	if a := e.Repeat; a != nil {
		fmt.Fprintf(w, "\nMeasured again (%d architectures): median relative difference %.2f %%, shift %+.2f %%, largest %.1f %%; tau of the two measurements %s.\n",
			a.N, 100*a.MedianChange, 100*a.MedianShift, 100*a.LargestChange, between("%.3f", 1, float64(a.Tau), a.TauIn))
	}
}

func printFew(w io.Writer, e *latency.Evaluation, markdown bool, draws int) {
	rows := [][]string{{"measurements", "method", "MAPE, %", "tau", "least tau", "sources chosen"}}
	for _, f := range e.Few {
		rows = append(rows, []string{
			fmt.Sprint(f.Few), f.Method, fmt.Sprintf("%.2f (%.2f)", 100*f.MAPE, 100*f.MAPEStd), fmt.Sprintf("%.3f (%.3f)", f.Tau, f.TauStd),
			fmt.Sprintf("%.3f", f.TauLeast), counts(f.Sources),
		})
	}
	fmt.Fprintf(w, "\nFew measurements: mean over %d draws, in brackets the standard deviation. Sources: %s.\n\n", draws, strings.Join(e.Sources, ", "))
	printTable(w, rows, markdown)
}

// between is a figure, scaled, with its interval where it has one.
func between(format string, scale, x float64, in *[2]float64) string {
	if in == nil {
		return fmt.Sprintf(format, scale*x)
	}
	return fmt.Sprintf(format+" ("+format+" to "+format+")", scale*x, scale*in[0], scale*in[1])
}

// counts lists names with their numbers, the most frequent first.
func counts(of map[string]int) string {
	var names []string
	for name := range of {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if of[a] != of[b] {
			return of[b] - of[a]
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		if name == "" {
			name = "none"
		}
		names[i] = fmt.Sprintf("%s %d", name, of[names[i]])
	}
	return strings.Join(names, ", ")
}

// printTable prints rows under a header.
func printTable(w io.Writer, rows [][]string, markdown bool) {
	if markdown {
		for i, row := range rows {
			fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | "))
			if i == 0 {
				fmt.Fprintf(w, "|%s\n", strings.Repeat("---|", len(row)))
			}
		}
		return
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	t.Flush()
}
