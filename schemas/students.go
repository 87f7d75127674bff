package schemas

// Student is a row of distill/students.parquet: one regressor fitted on the
// labels of one split.
type Student struct {
	Student    string
	Split      string
	Features   string
	Labels     int32
	CVMAE      float64 // NaN where it was not cross-validated
	CVTau      float64
	TeacherMAE float64
	Chosen     bool
	File       string
	LossCurve  []float64
}

var students = table[Student]{name: "students", version: 1, columns: []column[Student]{
	text("student", "name of the regressor", func(r *Student) *string { return &r.Student }),
	text("split", "split whose labels it was fitted on", func(r *Student) *string { return &r.Split }),
	text("features", "name of the feature set", func(r *Student) *string { return &r.Features }),
	small("labels", "architectures", "labels that it was fitted on", func(r *Student) *int32 { return &r.Labels }),
	maybeNumber("cv_mae", "metric", "mean absolute error on held-out labels; null where not cross-validated", func(r *Student) *float64 { return &r.CVMAE }),
	maybeNumber("cv_tau", "", "Kendall tau-b on held-out labels; null where undefined", func(r *Student) *float64 { return &r.CVTau }),
	maybeNumber("teacher_mae", "metric", "mean absolute error on the labels it was fitted on", func(r *Student) *float64 { return &r.TeacherMAE }),
	flag("chosen", "whether it is the student of its split, chosen without looking at the truth", func(r *Student) *bool { return &r.Chosen }),
	text("file", "the exported regressor, relative to the run directory; empty where there is none", func(r *Student) *string { return &r.File }),
	numbers("loss_curve", "", "training loss by epoch; empty for all but the perceptron", func(r *Student) *[]float64 { return &r.LossCurve }),
}}

// WriteStudents writes distill/students.parquet.
func WriteStudents(path string, rows []Student, p Provenance) error {
	return students.write(path, rows, p)
}

// ReadStudents reads what WriteStudents wrote.
func ReadStudents(path string) ([]Student, error) { return students.read(path) }
