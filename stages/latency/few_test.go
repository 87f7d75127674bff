package latency

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/config"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/predictor"
	"hsnas/internal/published"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

func load(t *testing.T, name string) *task.Task {
	t.Helper()
	on, err := task.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return on
}

// writeMadeUp writes a dataset of n architectures whose latency is a line in what
// the model does: fast or slow as a whole, with a taste for some columns.
func writeMadeUp(t *testing.T, on *task.Task, file string, n int, seed uint64, latency func(work []float64) float64) string {
	t.Helper()
	f, err := predictor.FeatureSet(on, predictor.HATWork)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 1))
	records := [][]string{published.LatencyHeader()}
	for i := range n {
		a := on.Space.Sample(r)
		if i == 0 {
			a = on.Space.Largest()
		}
		means, err := meansOf(on, a)
		if err != nil {
			t.Fatal(err)
		}
		x, err := f.Rows([]space.Architecture{a})
		if err != nil {
			t.Fatal(err)
		}
		ms := latency(x[0])
		records = append(records, record(append(means[:], ms/4, 3*ms/4, 0, 0)))
	}
	var text bytes.Buffer
	if err := csv.NewWriter(&text).WriteAll(records); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), file)
	if err := os.WriteFile(path, text.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func elsewhere(x []float64) float64 { return 20 + 10*x[3] + 40*x[4] + 60*x[9] + 15*x[6] }

// here is three times as fast, but for the output layer.
func here(x []float64) float64 { return 5 + elsewhere(x)/3 + 10*x[6] }

func TestAdapt(t *testing.T) {
	rt, on := orttest.Open(t), load(t, "wmt14.en-de")
	source := writeMadeUp(t, on, "elsewhere.csv", 300, 1, elsewhere)
	dataset := writeMadeUp(t, on, "here.csv", 60, 2, here)
	fit, err := Adapt(on, dataset, source, 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	if fit.Source != "elsewhere" || fit.Few != 10 || fit.NTest != 12 || fit.MAPE > 0.03 || fit.Tau < 0.95 || fit.Slope < 0.2 || fit.Slope > 0.5 {
		t.Errorf("%+v", fit)
	}
	file := filepath.Join(t.TempDir(), "m.onnx")
	if err := os.WriteFile(file, fit.Model, 0o666); err != nil {
		t.Fatal(err)
	}
	model, err := predictor.Load(rt, file, on)
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	out := make([]float64, 1)
	if err := model.Predict(t.Context(), []space.Architecture{on.Space.Largest()}, out); err != nil {
		t.Fatal(err)
	}
	if want := here([]float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}); math.Abs(out[0]-want) > 0.1*want {
		t.Errorf("the largest is predicted at %v ms, expected about %v", out[0], want)
	}
}

// A wider sample of the same devices: with ten measurements the adapted predictor
// is better than one from nothing, and both than a line in FLOPs.
func TestEvaluate(t *testing.T) {
	orttest.Open(t)
	on := load(t, "wmt14.en-de")
	source := writeMadeUp(t, on, "elsewhere.csv", 300, 1, elsewhere)
	dataset := writeMadeUp(t, on, "here.csv", 60, 2, here)
	again := writeMadeUp(t, on, "again.csv", 20, 2, func(x []float64) float64 { return 1.01 * here(x) })
	p := small(0, 1)
	e, err := Evaluate(t.Context(), p, Question{Task: on, Dataset: dataset, Repeat: again, From: source, Few: []int{10, 40}, Draws: 5})
	if err != nil {
		t.Fatal(err)
	}
	if e.N != 60 || e.NTrain != 48 || e.NTest != 12 || len(e.Predictors) != 6 || e.Device != "here" || e.Protocol != nil || len(e.Few) != 6 {
		t.Fatalf("%+v", e)
	}
	chosen := 0
	for _, j := range e.Predictors {
		if j.Chosen {
			chosen++
			if j.MAPE > 0.005 || j.Tau < 0.99 || j.MAPEIn[1] < j.MAPE || j.TauIn[0] > float64(j.Tau)+1e-9 {
				t.Errorf("%+v", j)
			}
		}
	}
	few := e.Few
	if chosen != 1 || few[0].Method != MethodAdapted || few[1].Method != MethodNothing || few[2].Method != MethodLine ||
		!(few[0].MAPE < few[1].MAPE && few[1].MAPE < few[2].MAPE) || few[0].Sources["elsewhere"] != 5 || few[3].Few != 40 {
		t.Errorf("%d chosen, %+v", chosen, few)
	}
	if r := e.Repeat; r.N != 20 || math.Abs(r.MedianChange-0.01) > 1e-9 || math.Abs(r.MedianShift-0.01) > 1e-9 || r.Tau != 1 {
		t.Errorf("%+v", r)
	}
	same, err := Evaluate(t.Context(), p, Question{Task: on, Dataset: dataset, Repeat: again, From: source, Few: []int{10, 40}, Draws: 5})
	if err != nil || fmt.Sprintf("%+v", same.Few) != fmt.Sprintf("%+v", e.Few) {
		t.Errorf("twice the same question, %v: %+v", err, same.Few)
	}
}

func TestDatasetFaults(t *testing.T) {
	on := load(t, "wmt14.en-de")
	good := writeMadeUp(t, on, "good.csv", 20, 2, here)
	source := writeMadeUp(t, on, "source.csv", 300, 3, elsewhere)
	text := strings.Split(strings.TrimSuffix(string(read(t, good)), "\n"), "\n")
	broken := func(line int, change func(string) string) string {
		lines := append([]string(nil), text...)
		lines[line-1] = change(lines[line-1])
		file := filepath.Join(t.TempDir(), "l.csv")
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		return file
	}
	column := func(place int, value string) func(string) string {
		return func(line string) string {
			fields := strings.Split(line, ",")
			fields[place] = value
			return strings.Join(fields, ",")
		}
	}
	micro := writeMadeUp(t, load(t, "micro.en-de"), "micro.csv", 20, 2, here)
	other := writeMadeUp(t, on, "other.csv", 20, 2, here)
	if err := (Protocol{Task: "wmt19.en-de"}).write(other); err != nil {
		t.Fatal(err)
	}
	known := strings.Join(published.LatencyDatasets(), ", ")
	for _, c := range []struct {
		dataset, from string
		few           int
		want          string
	}{
		{good, "wmt14ende_cpu_xeno", 10, `unknown source device "wmt14ende_cpu_xeno"; did you mean "wmt14ende_cpu_xeon"?, any for all of these, or a CSV file`},
		{good, "phone", 10, `unknown source device "phone"; known: ` + known + `, any for all of these, or a CSV file`},
		{"wmt14ende_cpu_xeno", source, 10, `unknown latency dataset "wmt14ende_cpu_xeno"; did you mean "wmt14ende_cpu_xeon"?; a CSV file ends with .csv`},
		{good, source, 4, "--few 4: adapting needs at least 5 measurements"},
		{good, source, 17, "--few 17: good has 20 measured architectures, of which 4 are held out; expected at most 16"},
		{good, micro, 10, "the source micro does not cover the space wmt14.en-de: its encoder_embed_dim go from 32 to 96, the space has 512"},
		{micro, source, 10, micro + ":2: encoder_embed_dim is 96, which the space wmt14.en-de does not have (512 to 640): a dataset of another space?"},
		{other, source, 10, other + ": was measured for the task wmt19.en-de, not wmt14.en-de"},
		{broken(5, column(10, "0")), source, 10, `:5: latency_mean_encoder is "0", expected milliseconds above 0`},
		{broken(6, column(11, "-3")), source, 10, `:6: latency_mean_decoder is "-3", expected a number of at least 0`},
		{broken(7, column(11, "fast")), source, 10, `:7: latency_mean_decoder is "fast", expected a number of at least 0`},
		{broken(8, func(s string) string { return s[:20] }), source, 10, ":8: malformed CSV: wrong number of fields, expected 14 columns"},
		{broken(1, func(s string) string { return "a,b" }), source, 10, ":1: unexpected header, expected " + strings.Join(published.LatencyHeader(), ",")},
	} {
		_, err := Adapt(on, c.dataset, c.from, c.few, 1)
		want := c.want
		if strings.HasPrefix(want, ":") {
			want = c.dataset + want
		}
		if fmt.Sprint(err) != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		if _, fault := err.(*config.Error); !fault {
			t.Errorf("%v is no *config.Error", err)
		}
	}
}

// The published datasets cover the spaces of all HAT tasks and none of the family
// micro.
func TestPublishedSourcesCover(t *testing.T) {
	if _, err := published.Root(); err != nil {
		t.Skip("needs the published figures: ", err)
	}
	for name, want := range map[string]int{"wmt14.en-de": 8, "wmt19.en-de": 8, "iwslt14.de-en": 8, "micro.en-de": 0} {
		got, err := Question{Task: load(t, name), From: AnySource}.sources(&Dataset{})
		if err != nil || len(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// Each of HAT's devices from the other seven: with ten measurements adapting is
// better than fitting from nothing on all, with twenty on most.
func TestAdaptingPublishedDevices(t *testing.T) {
	if _, err := published.Root(); err != nil {
		t.Skip("needs the published figures: ", err)
	}
	better := map[int]int{}
	for _, name := range published.LatencyDatasets() {
		on := load(t, "wmt14.en-de")
		d, err := Open(on, name)
		if err != nil {
			t.Fatal(err)
		}
		names, err := Question{Task: on, From: AnySource}.sources(d)
		if err != nil || len(names) != 7 {
			t.Fatal(names, err)
		}
		f, err := newFew(on, d, 1)
		if err == nil {
			err = f.open(on, names)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{10, 20} {
			rows, err := f.judge(n, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rows {
				t.Logf("%-26s %d, %-14s MAPE %.2f (%.2f) %%, tau %.3f", name, n, r.Method, 100*r.MAPE, 100*r.MAPEStd, r.Tau)
			}
			if rows[0].MAPE < rows[1].MAPE {
				better[n]++
			}
		}
	}
	if better[10] != 8 || better[20] < 6 {
		t.Errorf("adapting is better on %v of 8 devices", better)
	}
}

// What is not defined is null in JSON: tau of predictions that are all the same.
func TestFigure(t *testing.T) {
	text, err := json.Marshal([]Figure{0.5, Figure(math.NaN()), Figure(math.Inf(1))})
	if err != nil || string(text) != "[0.5,null,null]" {
		t.Errorf("%s, %v", text, err)
	}
}
