package schemas

// CurvePoint is a row of distill/learning_curve.parquet: one student fitted to
// one subset of a split's labels.
type CurvePoint struct {
	Student string
	Split   string
	Labels  int32
	Subset  string // SubsetAll, SubsetFold or SubsetDrawn
	Draw    int32
	Held    int32

	LabelMAE, LabelTau     float64 // NaN where nothing is held out
	TestMAE, TestTau       float64
	TeacherMAE, TeacherTau float64 // NaN where the LLM was not asked
	DirectMAE, DirectTau   float64
}

// The kinds of subsets.
const (
	SubsetAll   = "all"
	SubsetFold  = "fold"
	SubsetDrawn = "drawn"
)

var learningCurve = table[CurvePoint]{name: "learning_curve", version: 1, columns: []column[CurvePoint]{
	text("student", "name of the regressor", func(r *CurvePoint) *string { return &r.Student }),
	text("split", "split whose labels it was fitted on", func(r *CurvePoint) *string { return &r.Split }),
	small("labels", "architectures", "labels that it was fitted on", func(r *CurvePoint) *int32 { return &r.Labels }),
	text("subset", "which labels: all, all but a fold of the cross-validation, or drawn at random", func(r *CurvePoint) *string { return &r.Subset }),
	small("draw", "", "number of the fold or of the draw, from 1; 0 for all labels", func(r *CurvePoint) *int32 { return &r.Draw }),
	small("held_out", "architectures", "labels left, which it did not see", func(r *CurvePoint) *int32 { return &r.Held }),
	maybeNumber("label_mae", "metric", "mean absolute error on these; null where none is left", func(r *CurvePoint) *float64 { return &r.LabelMAE }),
	maybeNumber("label_tau", "", "Kendall tau-b on these; null where undefined", func(r *CurvePoint) *float64 { return &r.LabelTau }),
	maybeNumber("test_mae", "metric", "mean absolute error against the truth about the test architectures; null where there are none", func(r *CurvePoint) *float64 { return &r.TestMAE }),
	maybeNumber("test_tau", "", "Kendall tau-b with that truth; null where undefined", func(r *CurvePoint) *float64 { return &r.TestTau }),
	maybeNumber("teacher_mae", "metric", "the same error of the LLM's own answers, for comparison; null where it has none", func(r *CurvePoint) *float64 { return &r.TeacherMAE }),
	maybeNumber("teacher_tau", "", "the same tau of the LLM's own answers; null where undefined", func(r *CurvePoint) *float64 { return &r.TeacherTau }),
	maybeNumber("direct_mae", "metric", "the same error of this regressor fitted to the measured demonstrations, for comparison", func(r *CurvePoint) *float64 { return &r.DirectMAE }),
	maybeNumber("direct_tau", "", "the same tau of this regressor fitted to the measured demonstrations; null where undefined", func(r *CurvePoint) *float64 { return &r.DirectTau }),
}}

// WriteLearningCurve writes distill/learning_curve.parquet.
func WriteLearningCurve(path string, rows []CurvePoint, p Provenance) error {
	return learningCurve.write(path, rows, p)
}

// ReadLearningCurve reads what WriteLearningCurve wrote.
func ReadLearningCurve(path string) ([]CurvePoint, error) { return learningCurve.read(path) }
