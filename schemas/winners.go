package schemas

import "fmt"

// WinnerTrained is a row of winners/winners.parquet: what became of the winner of
// one search when it was trained from scratch, beside what the predictors said.
type WinnerTrained struct {
	Search        string
	Limit         float64 // NaN without a constraint
	Unit          string
	Seed          int64 // of the search
	ID            string
	Architecture  string
	Evaluations   int64   // by the baseline predictor, in this search
	SearchSeconds float64 // measured, of the whole search
	Cost          float64
	StudentScore  float64
	BaselineScore float64
	Score         float64 // mean over the trainings
	ScoreStd      float64 // over the trainings, NaN for one
	TestScore     float64
	TestScoreStd  float64
	Trainings     int32
}

var winnersTrained = table[WinnerTrained]{name: "winners", version: 1, columns: []column[WinnerTrained]{
	text("search", "name of the search", func(r *WinnerTrained) *string { return &r.Search }),
	maybeNumber("limit", "as in column unit", "largest cost admitted; null without a limit", func(r *WinnerTrained) *float64 { return &r.Limit }),
	text("unit", "unit of limit and cost", func(r *WinnerTrained) *string { return &r.Unit }),
	integer("seed", "", "seed of the search", func(r *WinnerTrained) *int64 { return &r.Seed }),
	text("id", "identifier of the winner", func(r *WinnerTrained) *string { return &r.ID }),
	text("architecture", "canonical JSON", func(r *WinnerTrained) *string { return &r.Architecture }),
	integer("baseline_evaluations", "architectures", "architectures that the baseline predictor scored in this search", func(r *WinnerTrained) *int64 { return &r.Evaluations }),
	number("search_seconds", "s", "time that all scorers of this search take, a supernet at its mean time for an evaluation, as if searches shared nothing", func(r *WinnerTrained) *float64 { return &r.SearchSeconds }),
	maybeNumber("cost", "as in column unit", "predicted cost; null without a limit", func(r *WinnerTrained) *float64 { return &r.Cost }),
	maybeNumber("student_score", "metric", "quality predicted by LLM-Distill-PP; null where it was not asked", func(r *WinnerTrained) *float64 { return &r.StudentScore }),
	maybeNumber("baseline_score", "", "what the baseline predictor said: of a supernet minus the validation loss with inherited weights", func(r *WinnerTrained) *float64 { return &r.BaselineScore }),
	maybeNumber("score", "metric", "quality on the validation set after training from scratch, mean over the trainings; null where all diverged", func(r *WinnerTrained) *float64 { return &r.Score }),
	maybeNumber("score_std", "metric", "standard deviation of score over the trainings; null for one", func(r *WinnerTrained) *float64 { return &r.ScoreStd }),
	maybeNumber("test_score", "metric", "quality on the test set, mean over the trainings", func(r *WinnerTrained) *float64 { return &r.TestScore }),
	maybeNumber("test_score_std", "metric", "standard deviation of test_score over the trainings; null for one", func(r *WinnerTrained) *float64 { return &r.TestScoreStd }),
	small("trainings", "", "trainings from scratch, one for each seed", func(r *WinnerTrained) *int32 { return &r.Trainings }),
}}

// WriteWinnersTrained writes winners/winners.parquet.
func WriteWinnersTrained(path string, rows []WinnerTrained, p Provenance) error {
	return winnersTrained.write(path, rows, p)
}

// ReadWinnersTrained reads what WriteWinnersTrained wrote.
func ReadWinnersTrained(path string) ([]WinnerTrained, error) { return winnersTrained.read(path) }

// orDamaged is err, or that a table of one row has n.
func orDamaged(path string, err error, n int) error {
	if err != nil {
		return err
	}
	return &Error{path, fmt.Sprintf("it has %d rows, expected one; run the stage that writes it again", n)}
}
