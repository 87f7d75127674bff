package main

import (
	"fmt"
	"io"
	"math"

	"hsnas/internal/tabular"
	"hsnas/schemas"
)

const scoreboardFile = distillFolder + "scoreboard.parquet"

// scoreDiff is a figure of a predictor on the scoreboards of two runs.
type scoreDiff struct {
	Predictor string      `json:"predictor"`
	Split     string      `json:"split"`
	Metric    string      `json:"metric"` // mae or tau
	A         *float64    `json:"a"`
	B         *float64    `json:"b"`
	IntervalA *[2]float64 `json:"interval_a"` // 95 %, of the bootstrap over test architectures
	IntervalB *[2]float64 `json:"interval_b"`
	// Within says whether each figure lies in the other's interval: then the difference
	// is no more than a choice of as many test architectures makes. Null without both.
	Within *bool `json:"within"`
}

// diffScoreboards compares the figures over all splits: those of the row mean, or of the
// only split where a run has one.
func diffScoreboards(a, b string) ([]scoreDiff, error) {
	rowsA, err := readScores(a)
	if err != nil {
		return nil, err
	}
	rowsB, err := readScores(b)
	if err != nil {
		return nil, err
	}
	out := []scoreDiff{}
	for _, p := range rowsA.order {
		x, y := rowsA.by[p], rowsB.by[p]
		if y == nil {
			continue
		}
		mae := scoreDiff{p, x.Split, "mae", orNull(x.MAE), orNull(y.MAE), interval(x.MAELo, x.MAEHi), interval(y.MAELo, y.MAEHi), nil}
		tau := scoreDiff{p, x.Split, "tau", orNull(x.Tau), orNull(y.Tau), interval(x.TauLo, x.TauHi), interval(y.TauLo, y.TauHi), nil}
		for _, d := range []scoreDiff{mae, tau} {
			if !equalFigures(d.A, d.B) {
				d.judge()
				out = append(out, d)
			}
		}
	}
	return out, nil
}

// scores are the rows of a scoreboard that count, by predictor.
type scores struct {
	order []string
	by    map[string]*schemas.Score
}

func readScores(place string) (*scores, error) {
	rows, err := schemas.ReadScoreboard(place)
	if err != nil {
		return nil, err
	}
	out := &scores{by: map[string]*schemas.Score{}}
	for i, r := range rows {
		had := out.by[r.Predictor]
		if had == nil {
			out.order = append(out.order, r.Predictor)
		}
		if had == nil || r.Split == schemas.SplitMean {
			out.by[r.Predictor] = &rows[i]
		}
	}
	return out, nil
}

func interval(lo, hi float64) *[2]float64 {
	if math.IsNaN(lo) || math.IsNaN(hi) {
		return nil
	}
	return &[2]float64{lo, hi}
}

func equalFigures(a, b *float64) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

func (d *scoreDiff) judge() {
	if d.A == nil || d.B == nil || d.IntervalA == nil || d.IntervalB == nil {
		return
	}
	in := func(x float64, i [2]float64) bool { return i[0] <= x && x <= i[1] }
	within := in(*d.A, *d.IntervalB) && in(*d.B, *d.IntervalA)
	d.Within = &within
}

func printScoreDiffs(w io.Writer, list []scoreDiff, width int) error {
	if len(list) == 0 {
		return nil
	}
	fmt.Fprint(w, "\nscoreboard; beyond: outside the other's 95 % interval\n")
	out := tabular.New(w, tabular.Text, []string{"predictor", "figure", "a", "b", "95 % of a", "95 % of b", ""}, width)
	for _, d := range list {
		verdict := "-"
		if d.Within != nil {
			verdict = map[bool]string{true: "within", false: "beyond"}[*d.Within]
		}
		if err := out.Row([]any{d.Predictor, d.Metric, figure(d.A), figure(d.B), bounds(d.IntervalA), bounds(d.IntervalB), verdict}); err != nil {
			return err
		}
	}
	return out.Close()
}

func figure(x *float64) string {
	if x == nil {
		return "-"
	}
	return decimals(*x)
}

func bounds(i *[2]float64) string {
	if i == nil {
		return "-"
	}
	return span(i[0], i[1])
}
