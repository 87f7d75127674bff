package distill_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"hsnas/internal/ort"
	"hsnas/internal/progress"
	"hsnas/internal/prompt"
	"hsnas/internal/published"
	"hsnas/internal/task"
	"hsnas/schemas"
	"hsnas/stages/distill"
	"hsnas/stages/sample"
	"hsnas/stages/tfs"
)

// recordedDir is where the recorded answers ship.
const recordedDir = "../../data/recorded"

// labelled runs sample and tfs for a published task in dir and writes the
// recorded answers as labels; without figures or answers the test is skipped.
func labelled(t *testing.T, dir, name string) distill.Inputs {
	t.Helper()
	if _, err := published.Root(); err != nil {
		t.Skipf("published figures: %v", err)
	}
	on, err := task.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	prov := schemas.Provenance{Stage: "test", StageVersion: 1, Key: "k", Task: name}
	in := distill.Inputs{
		Task: on, Architectures: filepath.Join(dir, "a.parquet"), TFS: filepath.Join(dir, "t.parquet"),
		Supernet: filepath.Join(dir, "s.parquet"), Costs: filepath.Join(dir, "c.parquet"), Labels: filepath.Join(dir, "l.parquet"),
	}
	if err := sample.Run(t.Context(), sample.Defaults(), sample.Inputs{Task: on}, sample.Outputs{Architectures: in.Architectures}, prov, progress.Discard); err != nil {
		t.Fatal(err)
	}
	err = tfs.Run(t.Context(), tfs.Defaults(), tfs.Inputs{Task: on, Architectures: in.Architectures},
		tfs.Outputs{TFS: in.TFS, Supernet: in.Supernet, Costs: in.Costs}, prov, progress.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := schemas.WriteLabels(in.Labels, recorded(t, on, in.Architectures), prov); err != nil {
		t.Fatal(err)
	}
	return in
}

var customID = regexp.MustCompile(`-demos(\d+)-(test|unlabelled)\d*-(\d+)$`)

// recorded joins the recorded answers with the architectures: a test prompt
// holds a whole test set, the k-th unlabelled one 25 architectures.
func recorded(t *testing.T, on *task.Task, architectures string) []schemas.Label {
	t.Helper()
	archs, err := schemas.ReadArchitectures(architectures)
	if err != nil {
		t.Fatal(err)
	}
	sets := map[string][]string{}
	for _, a := range archs {
		key := a.Set + a.Split
		sets[key] = append(sets[key], a.ID)
	}
	f, err := os.Open(filepath.Join(recordedDir, on.Data.LLMAS+".responses.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("no recorded answers: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []schemas.Label
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r struct {
			CustomID string `json:"custom_id"`
			Response struct {
				Body struct {
					Choices []struct {
						Message struct{ Content string }
					}
				}
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		m := customID.FindStringSubmatch(r.CustomID)
		if m == nil {
			t.Fatalf("custom_id %q", r.CustomID)
		}
		k, _ := strconv.Atoi(m[3])
		ids := sets["test"+m[1]]
		if m[2] == "unlabelled" {
			ids = sets["unlabelled"][25*k : 25*k+25]
		}
		values, err := prompt.Parse(on, r.Response.Body.Choices[0].Message.Content, len(ids))
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
		p.Students = []string{distill.StudentRidge, distill.StudentRidgeDepth}
	}
	p.MLP.Hidden, p.MLP.Steps, p.Draws = []int{32, 32}, 100, 200 // to be quick; the perceptron is not chosen
	tau := 0.0
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
	if tau < 0.78 {
		t.Errorf("the students' mean tau is %.3f, want at least 0.78", tau)
	}
}

// run runs the stage and returns the scoreboard by predictor and split.
func run(t *testing.T, p distill.Params, in distill.Inputs, dir string) map[string]schemas.Score {
	t.Helper()
	out := distill.Outputs{
		Students: filepath.Join(dir, "students.parquet"), Predictions: filepath.Join(dir, "predictions.parquet"),
		Scoreboard: filepath.Join(dir, "scoreboard.parquet"), Dir: dir,
	}
	prov := schemas.Provenance{Stage: "test", StageVersion: 1, Key: "k", Task: in.Task.Name}
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
