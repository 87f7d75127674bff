package report

import (
	"fmt"
	"io/fs"
	"math"

	"hsnas/data"
	"hsnas/internal/config"
)

// figures are the known values that ours are held against: data/paper.
type figures struct {
	Predictors predictorFigures
	Search     searchFigures
}

type predictorFigures struct {
	Tables []figureTable `yaml:"tables"`
}

// figureTable is a table of known figures: one source, one precision.
type figureTable struct {
	Title         string      `yaml:"title"`
	Source        string      `yaml:"source"`
	Published     bool        `yaml:"published"` // by others; otherwise computed beforehand
	Split         string      `yaml:"split"`     // the rows of the scoreboard that it speaks of
	Decimals      int         `yaml:"decimals"`
	NotComparable string      `yaml:"not_comparable"` // why the figures are shown only; "" where they are held against ours
	Rows          []figureRow `yaml:"rows"`
}

type figureRow struct {
	Predictor string            `yaml:"predictor"`
	Label     string            `yaml:"label"`
	Cells     map[string]figure `yaml:"cells"` // by task
}

// figure is what is known of one predictor on one task; nil: nothing.
type figure struct {
	MAE *float64 `yaml:"mae"`
	Tau *float64 `yaml:"tau"`
}

type searchFigures struct {
	Device     string                   `yaml:"device"`
	Source     string                   `yaml:"source"`
	Tasks      map[string][]foundFigure `yaml:"tasks"`
	SavedHours string                   `yaml:"saved_hours"`
}

// foundFigure is a published winner of a search: measured latency, BLEU of the
// architecture trained from scratch on the test set, GFLOPs, 10^6 parameters.
type foundFigure struct {
	LatencyMS float64 `yaml:"latency_ms"`
	BLEU      float64 `yaml:"bleu"`
	GFLOPs    float64 `yaml:"gflops"`
	ParamsM   float64 `yaml:"params_m"`
}

func loadFigures() (*figures, error) {
	f := new(figures)
	for name, into := range map[string]any{"predictors": &f.Predictors, "search": &f.Search} {
		file := "paper/" + name + ".yaml"
		text, err := fs.ReadFile(data.FS(), file)
		if err != nil {
			return nil, fmt.Errorf("reading the published figures: %w", err)
		}
		if err := config.Decode("data/"+file, text, into); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// verdictColumn is the heading of a column of verdicts.
const verdictColumn = "verdict"

// What a verdict says, or begins with.
const (
	reproduced = "reproduced"
	differs    = "differs by "
)

// verdict compares ours with a published value that is known to so many
// decimals.
func verdict(ours float64, published *float64, decimals int) string {
	switch {
	case published == nil:
		return absent
	case math.IsNaN(ours):
		return "not comparable: none here"
	}
	difference := ours - *published
	// Half a unit of the last published decimal, and room for binary fractions.
	if math.Abs(difference) <= 0.5*math.Pow10(-decimals)+1e-9 {
		return reproduced
	}
	return fmt.Sprintf("%s%+.*f", differs, decimals+1, difference)
}
