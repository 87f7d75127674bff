package distill_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	hsnasdata "hsnas/data"
	"hsnas/internal/ort"
	"hsnas/internal/progress"
	"hsnas/internal/prompt"
	"hsnas/internal/published"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
	"hsnas/stages/distill"
)

// labelled writes the published sample and truth of a task with the recorded
// answers as labels to dir; without figures or answers the test is skipped.
func labelled(t *testing.T, dir, name string) distill.Inputs {
	t.Helper()
	root, err := published.Root()
	if err != nil {
		t.Skipf("published figures: %v", err)
	}
	on, err := task.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	parse := func(text string) space.Architecture {
		a, err := on.Space.ParseArchitecture([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	f := &fixture{}
	sets := map[published.Part]string{published.Demonstrations: schemas.SetDemonstration, published.Test: schemas.SetTest}
	for _, split := range published.Splits() {
		for _, part := range []published.Part{published.Demonstrations, published.Test} {
			seeds, err := published.Seeds(root, on.Data.LLMAS, split, part)
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range seeds {
				a, scores := parse(s.Architecture), map[string]float64{}
				for net, b := range s.Supernets {
					scores[net] = b.Valid
				}
				f.add(a, sets[part], split, i)
				f.measure(a, s.Valid, scores)
			}
		}
	}
	unlabelled, err := published.Unlabelled(root, "111")
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range unlabelled[:250] {
		f.add(parse(text), schemas.SetUnlabelled, "", i)
	}
	f.labels = recorded(t, on, f.architectures)
	return f.write(t, dir, on)
}

var customID = regexp.MustCompile(`-demos(\d+)-(test|unlabelled|demonstration)\d*-(\d+)$`)

// folds is how many parts the demonstrations were asked about in.
const folds = 5

// recorded joins the recorded answers with the architectures: a test prompt
// holds a whole test set, the k-th unlabelled one 25 architectures, the k-th fold
// every fifth demonstration. Answers to variants of the prompt are left out.
func recorded(t *testing.T, on *task.Task, archs []schemas.Architecture) []schemas.Label {
	t.Helper()
	sets := map[string][]string{}
	for _, a := range archs {
		key := a.Set + a.Split
		sets[key] = append(sets[key], a.ID)
	}
	f, err := hsnasdata.FS().Open("recorded/" + on.Name + ".jsonl")
	if err != nil {
		t.Skipf("no recorded answers: %v", err)
	}
	defer f.Close()
	var out []schemas.Label
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r struct {
			CustomID string `json:"custom_id"`
			Sample   int    `json:"sample"`
			Answer   string `json:"answer"`
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if r.Sample != 1 {
			continue
		}
		m := customID.FindStringSubmatch(r.CustomID)
		if m == nil {
			continue
		}
		k, _ := strconv.Atoi(m[3])
		ids := sets["test"+m[1]]
		switch m[2] {
		case "unlabelled":
			ids = sets["unlabelled"][25*k : 25*k+25]
		case "demonstration":
			ids = nil
			for i := k; i < len(sets["demonstration"+m[1]]); i += folds {
				ids = append(ids, sets["demonstration"+m[1]][i])
			}
		}
		values, err := prompt.Parse(on, prompt.Style{}, r.Answer, len(ids))
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range ids {
			out = append(out, schemas.Label{ID: id, Set: m[2], Split: m[1], Prediction: values[i], CustomID: r.CustomID})
		}
	}
	return out
}

// The published protocol with the recorded answers must give the figures that
// were computed from them independently.
func TestRecordedAnswersReproduceTheScoreboard(t *testing.T) {
	teacher := map[string]string{"wmt14.en-de": "0.155/0.728", "wmt14.en-fr": "0.135/0.836", "wmt19.en-de": "0.192/0.752"}
	p := distill.Defaults()
	if _, err := ort.Open(); err != nil {
		t.Logf("without the perceptron: %v", err)
		p.Students = []string{distill.StudentRidge, distill.StudentRidgeDepth, distill.StudentTrees}
	}
	p.MLP.Hidden, p.MLP.Steps, p.Draws = []int{32, 32}, 100, 200 // to be quick
	p.Curve.Draws = 0
	tau, combined := 0.0, map[string][4]float64{} // MAE, tau, coverage and width, mean over the tasks
	for name, want := range teacher {
		dir := t.TempDir()
		scores := run(t, p, labelled(t, dir, name), dir)
		llm := scores["llm-pp mean"]
		if got := fmt.Sprintf("%.3f/%.3f", llm.MAE, llm.Tau); got != want {
			t.Errorf("%s llm-pp: %s, want %s", name, got, want)
		}
		student := scores["distill 123"]
		if student.MAE > scores["llm-pp 123"].MAE+0.03 {
			t.Errorf("%s: the student's MAE %.3f is more than 0.03 above its teacher's %.3f", name, student.MAE, scores["llm-pp 123"].MAE)
		}
		tau += student.Tau / 3
		for _, c := range []string{distill.Combined, distill.CombinedNoSupernet} {
			s, sum := scores[c+" mean"], combined[c]
			for i, x := range []float64{s.MAE, s.Tau, s.Coverage, s.Width} {
				sum[i] += x / 3
			}
			combined[c] = sum
		}
		t.Logf("%s: teacher %.3f/%.3f, student %.3f/%.3f (%s)", name, scores["llm-pp 123"].MAE, scores["llm-pp 123"].Tau, student.MAE, student.Tau, student.Note)
		for key, s := range scores {
			if !(s.MAELo <= s.MAE && s.MAE <= s.MAEHi) {
				t.Errorf("%s %s: MAE %v outside its interval %v to %v", name, key, s.MAE, s.MAELo, s.MAEHi)
			}
		}
		if c := scores["control:constant mean"]; !math.IsNaN(c.Tau) || !math.IsNaN(c.TauLo) {
			t.Errorf("%s: tau of a constant is %v", name, c.Tau)
		}
		if s, l := scores["student:ridge 123"], scores["llm-pp mean"]; math.IsNaN(s.PMAEvsLLMPP) || !math.IsNaN(l.PMAEvsLLMPP) {
			t.Errorf("%s: p-values %v of a student, %v of llm-pp against itself", name, s.PMAEvsLLMPP, l.PMAEvsLLMPP)
		}
	}
	// Computed from the same answers with NumPy.
	for c, want := range map[string]string{distill.Combined: "0.140/0.812 0.928 0.80", distill.CombinedNoSupernet: "0.164/0.779 0.944 0.96"} {
		if got := fmt.Sprintf("%.3f/%.3f %.3f %.2f", combined[c][0], combined[c][1], combined[c][2], combined[c][3]); got != want {
			t.Errorf("%s over the tasks: %s, want %s", c, got, want)
		}
	}
	if tau < 0.78 {
		t.Errorf("the students' mean tau is %.3f, want at least 0.78", tau)
	}
}

// run runs the stage and returns the scoreboard by predictor and split.
func run(t *testing.T, p distill.Params, in distill.Inputs, dir string) map[string]schemas.Score {
	t.Helper()
	out := distill.Outputs{
		Students: filepath.Join(dir, "students.parquet"), Predictions: filepath.Join(dir, "predictions.parquet"),
		Scoreboard: filepath.Join(dir, "scoreboard.parquet"), Curve: filepath.Join(dir, "learning_curve.parquet"), Dir: dir,
	}
	if err := distill.Run(t.Context(), p, in, out, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	rows, err := schemas.ReadScoreboard(out.Scoreboard)
	if err != nil {
		t.Fatal(err)
	}
	scores := map[string]schemas.Score{}
	for _, s := range rows {
		scores[s.Predictor+" "+s.Split] = s
	}
	return scores
}
