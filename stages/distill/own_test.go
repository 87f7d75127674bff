package distill_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/measured"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
	"hsnas/stages/distill"
)

// own makes a space of the user's own with a table, and answers near the truth.
// One answer about the test set is missing.
func own(t *testing.T, dir string) distill.Inputs {
	t.Helper()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("space.yaml", "name: own\nhyperparameters:\n"+
		"  - {name: layers, definition: depth, choices: [1, 2, 3]}\n"+
		"  - {name: width, definition: width, layers: layers, choices: [8, 16, 32, 64]}\n"+
		"  - {name: kind, definition: kind, choices: [relu, tanh]}\n")
	write("task.yaml", "name: own\nspace: space.yaml\nmetric: {name: accuracy, direction: maximize, min: 0, max: 1, decimals: 3}\ndata: {table: scores.csv}\n")
	write("scores.csv", "width,kind,score,latency_ms,energy_mj\n[8],relu,0.5,1,2\n")
	on, err := task.Load(filepath.Join(dir, "task.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text, seen := "width,kind,score,latency_ms,energy_mj\n", map[string]bool{}
	r := rand.New(rand.NewPCG(1, 2))
	for len(seen) < 40 {
		a := on.Space.Sample(r)
		if seen[a.Key()] {
			continue
		}
		seen[a.Key()] = true
		m := a.Numbers(0)[0]
		text += fmt.Sprintf("\"[%s]\",%s,%.4f,%.3f,%.3f\n", strings.Join(a.Literals(1), ", "), a.Literals(2)[0], quality(m)+0.01*r.Float64(), 2*m, 1+m)
	}
	write("scores.csv", text)
	table, err := measured.Read(on)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{}
	for _, row := range table.Rows {
		f.measure(row.Arch, row.Score, nil)
		for i, c := range table.Costs {
			f.costs = append(f.costs, schemas.MeasuredCost{ID: row.Arch.ID(), Cost: c.Name, Unit: c.Unit, Value: row.Costs[i]})
		}
	}
	say := func(a space.Architecture, set, split string) {
		f.labels = append(f.labels, schemas.Label{ID: a.ID(), Set: set, Split: split, Prediction: quality(a.Numbers(0)[0]) + 0.02*r.Float64()})
	}
	for k, split := range []string{"123", "456", "789"} {
		for i := range 30 {
			a := table.Rows[(i+7*k)%40].Arch
			if i < 10 {
				f.add(a, schemas.SetDemonstration, split, i)
				continue
			}
			f.add(a, schemas.SetTest, split, i-10)
			say(a, schemas.SetTest, split)
			if split == "456" && i == 13 {
				f.labels[len(f.labels)-1].Prediction, f.labels[len(f.labels)-1].Gap = math.NaN(), "no JSON"
			}
		}
	}
	f.add(table.Rows[0].Arch, schemas.SetExtra, "", 0) // of no split
	for i := range 60 {
		a := on.Space.Sample(r)
		f.add(a, schemas.SetUnlabelled, "", i)
		say(a, schemas.SetUnlabelled, "123")
	}
	return f.write(t, dir, on)
}

// quality is the accuracy at a depth.
func quality(layers float64) float64 { return 0.5 + 0.2*math.Log(layers) }

func TestOwnSpace(t *testing.T) {
	dir := t.TempDir()
	in := own(t, dir)
	p := distill.Defaults()
	p.Students, p.Draws = []string{distill.StudentRidgeDepth, distill.StudentRidge}, 100
	scores := run(t, p, in, dir)
	for _, name := range []string{"llm-pp", "control:constant", "control:log-layers", "control:latency_ms", "control:energy_mj", "control:ridge", "combined"} {
		if s, ok := scores[name+" mean"]; !ok || s.MAE <= 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if s := scores["llm-pp 456"]; s.N != 19 || s.Note != "1 of the test architectures have no answer and are left out" {
		t.Errorf("split with a gap: %+v", s)
	}
	if s := scores["control:ridge mean"]; s.N != 60 || math.IsNaN(s.PMAEvsLLMPP) {
		t.Errorf("control:ridge: %+v", s)
	}
	if _, ok := scores["distill 456"]; ok {
		t.Error("the student of split 123 is scored on split 456")
	}
	if s := scores["surrogate 123"]; s.Note != "fitted to measured accuracy of 10 demonstrations of split 123" {
		t.Errorf("surrogate: %+v", s)
	}
	for _, name := range []string{
		"student-ridge", "student-ridge-depth", "surrogate", "control-log-layers", "control-ridge", "cost-latency_ms", "cost-energy_mj",
	} {
		if _, err := os.Stat(filepath.Join(dir, name+".onnx")); err != nil {
			t.Error(err)
		}
	}
	students, err := schemas.ReadStudents(filepath.Join(dir, "students.parquet"))
	if err != nil || len(students) != 2 {
		t.Fatalf("%d students, %v", len(students), err)
	}
	best := students[0]
	for _, s := range students {
		if s.CVMAE < best.CVMAE {
			best = s
		}
	}
	for _, s := range students {
		if s.Chosen != (s.Student == best.Student) || s.Labels == 0 || s.Split != "123" || s.File != "distill/student-"+s.Student+".onnx" {
			t.Errorf("student %+v, the best is %s", s, best.Student)
		}
	}
}

// trained adds the scores of a supernet that the run trained: minus a loss that
// falls with the accuracy, for all architectures of the table.
func trained(t *testing.T, in distill.Inputs, dir string) (distill.Inputs, []schemas.SupernetScore) {
	t.Helper()
	truth, err := schemas.ReadTFS(in.TFS)
	if err != nil {
		t.Fatal(err)
	}
	var rows []schemas.SupernetScore
	for _, r := range truth {
		rows = append(rows, schemas.SupernetScore{ID: r.ID, Supernet: "trained", Score: -3 + 2*r.Score})
	}
	in.Trained = filepath.Join(dir, "trained.parquet")
	if err := schemas.WriteSupernetScores(in.Trained, rows, prov); err != nil {
		t.Fatal(err)
	}
	return in, rows
}

// With answers about held-out demonstrations the opinions are weighed: a supernet
// whose line is right about every one of them gets all the weight.
func TestCombinedByHeldOutDemonstrations(t *testing.T) {
	dir := t.TempDir()
	in, _ := trained(t, own(t, dir), dir)
	labels, err := schemas.ReadLabels(in.Labels)
	if err != nil {
		t.Fatal(err)
	}
	archs, err := schemas.ReadArchitectures(in.Architectures)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range archs {
		if a.Set == schemas.SetDemonstration {
			labels = append(labels, schemas.Label{ID: a.ID, Set: a.Set, Split: a.Split, Sample: 1, Prediction: 0.5})
		}
	}
	if err := schemas.WriteLabels(in.Labels, labels, prov); err != nil {
		t.Fatal(err)
	}
	p := distill.Defaults()
	p.Students, p.Draws = []string{distill.StudentRidge}, 100
	scores := run(t, p, in, dir)
	s := scores["combined mean"]
	if s.MAE > 1e-5 || s.Coverage < 0.9 || s.Width > 1e-4 || !strings.HasSuffix(s.Note, "weighed by held-out demonstrations; intervals at 90 %") {
		t.Errorf("combined: %+v", s)
	}
	if s := scores["combined:no-supernet mean"]; s.Note != "mean of llm-pp, control:ridge, weighed by held-out demonstrations; intervals at 90 %" || s.Width < 0.01 {
		t.Errorf("combined without the supernet: %+v", s)
	}
	if s := scores["combined:no-llm mean"]; s.MAE > 1e-5 || s.PMAEvsCombined < 0 || math.IsNaN(s.PMAEvsCombined) {
		t.Errorf("combined without the LLM: %+v", s)
	}
}

// A supernet of the run's own gives an order; its line gives accuracies, and is
// what the LLM is combined with.
func TestTrainedSupernet(t *testing.T) {
	dir := t.TempDir()
	in, _ := trained(t, own(t, dir), dir)
	p := distill.Defaults()
	p.Students, p.Draws = []string{distill.StudentRidge}, 100
	scores := run(t, p, in, dir)
	for _, split := range []string{"123", schemas.SplitMean} {
		s := scores["supernet "+split]
		if !(s.Tau > 0.99) || math.IsNaN(s.TauLo) || math.IsNaN(s.PTauVsLLMPP) || s.Note != "trained here, inherited weights; minus validation loss" {
			t.Errorf("supernet: %+v", s)
		}
		for _, x := range []float64{s.MAE, s.MAEStd, s.MAELo, s.MAEHi, s.PMAEvsLLMPP} {
			if !math.IsNaN(x) {
				t.Errorf("supernet has an error: %+v", s)
			}
		}
	}
	if s := scores["control:supernet-line mean"]; !(s.MAE < 1e-9) || math.IsNaN(s.PMAEvsLLMPP) || s.Note != "fitted to the 10 demonstrations" {
		t.Errorf("control:supernet-line: %+v", s)
	}
	const note = "mean of llm-pp, control:ridge, control:supernet-line; label.folds: 5 would give weights and intervals"
	if s := scores["combined mean"]; s.Note != note || !math.IsNaN(s.Coverage) {
		t.Errorf("combined: %+v", s)
	}
	predictions, err := schemas.ReadPredictions(filepath.Join(dir, "predictions.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, r := range predictions {
		if r.Predictor == distill.Supernet {
			n++
			if math.Abs(r.Prediction-(-3+2*r.Truth)) > 1e-12 {
				t.Errorf("prediction %+v, want what the supernet says", r)
			}
		}
	}
	if n != 60 {
		t.Errorf("%d predictions of the supernet, want 60", n)
	}
}

// The chosen student depends on labels alone: another truth about the test
// architectures must not change it.
func TestChoiceDoesNotSeeTheTruth(t *testing.T) {
	dir := t.TempDir()
	in := own(t, dir)
	p := distill.Defaults()
	p.Students, p.Draws = []string{distill.StudentRidge, distill.StudentRidgeDepth}, 10
	run(t, p, in, dir)
	before, err := os.ReadFile(filepath.Join(dir, "students.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := schemas.ReadTFS(in.TFS)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		rows[i].Score = 1 - rows[i].Score
	}
	if err := schemas.WriteTFS(in.TFS, rows, prov); err != nil {
		t.Fatal(err)
	}
	run(t, p, in, dir)
	after, err := os.ReadFile(filepath.Join(dir, "students.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Error("the students changed with the truth")
	}
}

func TestFaults(t *testing.T) {
	dir := t.TempDir()
	in := own(t, dir)
	labels, err := schemas.ReadLabels(in.Labels)
	if err != nil {
		t.Fatal(err)
	}
	few := labels[:0:0]
	for _, l := range labels {
		if l.Set != schemas.SetUnlabelled || len(few) < 65 {
			few = append(few, l)
		}
	}
	if err := schemas.WriteLabels(in.Labels, few, prov); err != nil {
		t.Fatal(err)
	}
	out := distill.Outputs{Students: filepath.Join(dir, "x"), Predictions: filepath.Join(dir, "y"), Scoreboard: filepath.Join(dir, "z"), Dir: dir}
	err = distill.Run(t.Context(), distill.Defaults(), in, out, prov, progress.Discard)
	if want := "distill: split 123 has 5 labels, expected at least 20, or none for a run without students"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	in, rows := trained(t, in, dir)
	for i, r := range rows {
		if r.ID == labels[0].ID {
			rows = append(rows[:i], rows[i+1:]...)
			break
		}
	}
	if err := schemas.WriteSupernetScores(in.Trained, rows, prov); err != nil {
		t.Fatal(err)
	}
	err = distill.Run(t.Context(), distill.Defaults(), in, out, prov, progress.Discard)
	if want := fmt.Sprintf("distill: architecture %s of split 123 has no score in %s: run supernet again", labels[0].ID, in.Trained); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	for name, c := range map[string]struct {
		change func(*distill.Params)
		want   string
	}{
		"student": {func(p *distill.Params) { p.Students = []string{"tree"} }, `students: unknown student "tree"; did you mean "trees"?`},
		"members": {func(p *distill.Params) { p.Students = []string{"trees", "ensemble"} }, "students: ensemble without ridge-depth, expected all of [ridge-depth trees mlp] with it"},
		"leaf":    {func(p *distill.Params) { p.Trees.MinLeaf = 0 }, "min_leaf: 0, expected at least 1"},
		"share":   {func(p *distill.Params) { p.Trees.Subsample = 1.5 }, "subsample: 1.5, expected a number above 0 and at most 1"},
		"sizes":   {func(p *distill.Params) { p.Curve.Sizes = []int{50, 50} }, "sizes: [50 50], expected numbers of labels from 2 on that rise"},
		"draws":   {func(p *distill.Params) { p.Curve.MLPDraws = -1 }, "mlp_draws: -1, expected 0 or more"},
		"none":    {func(p *distill.Params) { p.Students = nil }, "students: expected at least one of [ridge ridge-depth trees mlp ensemble]"},
		"folds":   {func(p *distill.Params) { p.Folds = 1 }, "folds: 1, expected at least 2"},
		"net":     {func(p *distill.Params) { p.Supernet = "hats" }, `supernet: unknown supernet "hats"; did you mean "hat"?`},
		"steps":   {func(p *distill.Params) { p.MLP.Steps = 0 }, "steps: 0, expected at least 1"},
	} {
		t.Run(name, func(t *testing.T) {
			p := distill.Defaults()
			c.change(&p)
			if err := p.Validate(); err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}
