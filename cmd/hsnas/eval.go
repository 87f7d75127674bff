package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"hsnas/pipeline"
	"hsnas/schemas"
)

// evalCommand prints the scoreboard of a run.
func evalCommand() *cli.Command {
	return &cli.Command{
		Name:  "eval",
		Usage: "the scoreboard of a run: every predictor and control against the truth",
		Description: "MAE and Kendall tau-b on the test architectures of every split and their mean,\n" +
			"with 95 % bootstrap intervals; p-values of the paired bootstrap against llm-pp; coverage of\n" +
			"the predictor's own 90 % intervals. Of a run with a matrix of prompts, its table.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "run", Usage: "`RUN` whose scoreboard is printed", Required: true},
			&cli.BoolFlag{Name: "json", Usage: "the table as a JSON array"},
		},
		Action: func(c *cli.Context) error {
			dir, err := findRun(c.String("run"))
			if err != nil {
				return err
			}
			of, err := pipeline.Open(dir)
			if err != nil {
				return err
			}
			if of.Has(ablationsFile) {
				matrix, err := artifact(of, ablationsFile)
				if err != nil {
					return err
				}
				return printAblations(c.App.Writer, matrix, c.Bool("json"))
			}
			board, err := artifact(of, distillFolder+"scoreboard.parquet")
			if err != nil {
				return err
			}
			scores, err := schemas.ReadScoreboard(board)
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return printScoresJSON(c.App.Writer, scores)
			}
			return printScores(c.App.Writer, scores)
		},
	}
}

// scoreRow is a row of --json; what is undefined is null.
type scoreRow struct {
	Task      string   `json:"task"`
	Predictor string   `json:"predictor"`
	Split     string   `json:"split"`
	MAE       *float64 `json:"mae"`
	Tau       *float64 `json:"tau"`
	MAEStd    *float64 `json:"mae_std"`
	TauStd    *float64 `json:"tau_std"`
	MAELo     *float64 `json:"mae_lo"`
	MAEHi     *float64 `json:"mae_hi"`
	TauLo     *float64 `json:"tau_lo"`
	TauHi     *float64 `json:"tau_hi"`
	N         int32    `json:"n"`
	PMAE      *float64 `json:"p_mae_vs_llm_pp"`
	PTau      *float64 `json:"p_tau_vs_llm_pp"`
	PMAEComb  *float64 `json:"p_mae_vs_combined"`
	PTauComb  *float64 `json:"p_tau_vs_combined"`
	Coverage  *float64 `json:"coverage"`
	Width     *float64 `json:"width"`
}

func printScoresJSON(w io.Writer, scores []schemas.Score) error {
	rows := make([]scoreRow, len(scores))
	for i, s := range scores {
		rows[i] = scoreRow{
			s.Task, s.Predictor, s.Split, orNull(s.MAE), orNull(s.Tau), orNull(s.MAEStd), orNull(s.TauStd),
			orNull(s.MAELo), orNull(s.MAEHi), orNull(s.TauLo), orNull(s.TauHi), s.N,
			orNull(s.PMAEvsLLMPP), orNull(s.PTauVsLLMPP), orNull(s.PMAEvsCombined), orNull(s.PTauVsCombined), orNull(s.Coverage), orNull(s.Width),
		}
	}
	return json.NewEncoder(w).Encode(rows)
}

// orNull is nil for what JSON has no number for.
func orNull(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

func printScores(w io.Writer, scores []schemas.Score) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "predictor\tsplit\tMAE\t95 %\tstd\ttau\t95 %\tstd\tn\tp (MAE)\tp (tau)\tcoverage\tnote")
	for _, s := range scores {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", s.Predictor, s.Split,
			decimals(s.MAE), span(s.MAELo, s.MAEHi), decimals(s.MAEStd), decimals(s.Tau), span(s.TauLo, s.TauHi), decimals(s.TauStd),
			s.N, decimals(s.PMAEvsLLMPP), decimals(s.PTauVsLLMPP), decimals(s.Coverage), s.Note)
	}
	return table.Flush()
}

func span(lo, hi float64) string {
	if math.IsNaN(lo) {
		return "-"
	}
	return decimals(lo) + " to " + decimals(hi)
}

func decimals(x float64) string {
	if math.IsNaN(x) {
		return "-"
	}
	return fmt.Sprintf("%.3f", x)
}
