package distill_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"hsnas/internal/ort/orttest"
	"hsnas/schemas"
	"hsnas/stages/distill"
)

// quick are all students, the perceptron a small one, on the 40 labels of own.
func quick() distill.Params {
	p := distill.Defaults()
	p.MLP.Hidden, p.MLP.Steps, p.Draws = []int{8}, 30, 50
	p.Trees.Trees = 20
	p.Curve = distill.Curve{Sizes: []int{10, 20, 32, 40, 100}, Draws: 3, MLPDraws: 1}
	return p
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 || math.IsNaN(a) && math.IsNaN(b) }

// The curve has the points that it is asked for, and agrees with the tables that
// are made otherwise: the folds with the cross-validation of a student, its last
// point, the LLM and the direct fit with the scoreboard.
func TestLearningCurve(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	scores := run(t, quick(), own(t, dir), dir)
	points, err := schemas.ReadLearningCurve(filepath.Join(dir, "learning_curve.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	students, err := schemas.ReadStudents(filepath.Join(dir, "students.parquet"))
	if err != nil || len(students) != 5 {
		t.Fatalf("%d students, %v", len(students), err)
	}
	for _, s := range students {
		var shape []string
		folds := 0.0
		for _, c := range points {
			if c.Student != s.Student {
				continue
			}
			shape = append(shape, fmt.Sprintf("%s%d+%d/%d", c.Subset[:1], c.Labels, c.Held, c.Draw))
			if c.Subset == schemas.SubsetFold {
				folds += c.LabelMAE * float64(c.Held) / 40
			}
			student, teacher, direct := scores["student:"+s.Student+" 123"], scores["llm-pp 123"], scores["direct:"+s.Student+" 123"]
			if c.Subset == schemas.SubsetAll && !(near(c.TestMAE, student.MAE) && near(c.TestTau, student.Tau) && math.IsNaN(c.LabelMAE)) {
				t.Errorf("%s, all labels: %+v, the scoreboard has %+v", s.Student, c, student)
			}
			if !near(c.TeacherMAE, teacher.MAE) || !near(c.TeacherTau, teacher.Tau) || !near(c.DirectMAE, direct.MAE) || !near(c.DirectTau, direct.Tau) {
				t.Errorf("%s: %+v, the scoreboard has %+v and %+v", s.Student, c, teacher, direct)
			}
		}
		want := "d10+30/1 d10+30/2 d10+30/3 d20+20/1 d20+20/2 d20+20/3 f32+8/1 f32+8/2 f32+8/3 f32+8/4 f32+8/5 a40+0/0"
		if s.Student == distill.StudentMLP || s.Student == distill.StudentEnsemble {
			want = "d10+30/1 d20+20/1 f32+8/1 f32+8/2 f32+8/3 f32+8/4 f32+8/5 a40+0/0"
		}
		if got := strings.Join(shape, " "); got != want {
			t.Errorf("%s: points %s\nwant %s", s.Student, got, want)
		}
		if !near(folds, s.CVMAE) {
			t.Errorf("%s: error %v on the folds, %v by cross-validation", s.Student, folds, s.CVMAE)
		}
	}
}

// The ensemble is the mean of its members, whether fitted to labels or to the
// demonstrations.
func TestEnsembleIsTheMean(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	run(t, quick(), own(t, dir), dir)
	rows, err := schemas.ReadPredictions(filepath.Join(dir, "predictions.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]float64{}
	for _, r := range rows {
		said[r.Predictor+" "+r.Split+" "+r.ID] = r.Prediction
	}
	n := 0
	for _, r := range rows {
		kind, name, _ := strings.Cut(r.Predictor, ":")
		if name != distill.StudentEnsemble {
			continue
		}
		n++
		mean := 0.0
		for _, member := range []string{"ridge-depth", "trees", "mlp"} {
			mean += said[kind+":"+member+" "+r.Split+" "+r.ID] / 3
		}
		if !near(r.Prediction, mean) {
			t.Errorf("%s of %s is %v, the mean of its members %v", r.Predictor, r.ID, r.Prediction, mean)
		}
	}
	if n != 80 { // the students on one split, the direct fits on three
		t.Errorf("%d predictions of ensembles, want 80", n)
	}
}

// Fits that are made side by side give the same tables as those made in turn.
func TestProcessorsDoNotMatter(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	in := own(t, dir)
	tables := []string{"students", "predictions", "scoreboard", "learning_curve"}
	var first [][]byte
	for _, processors := range []int{1, 4} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		run(t, quick(), in, dir)
		for i, name := range tables {
			text, err := os.ReadFile(filepath.Join(dir, name+".parquet"))
			if err != nil {
				t.Fatal(err)
			}
			if processors == 1 {
				first = append(first, text)
			} else if !bytes.Equal(first[i], text) {
				t.Errorf("%s differs with %d processors", name, processors)
			}
		}
	}
}
