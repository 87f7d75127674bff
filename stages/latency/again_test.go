package latency

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/micro"
	"hsnas/internal/ort"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/progress"
	"hsnas/internal/space"
)

// TestAsBefore: a dataset of another device, or of one that is not known, is timed
// nowhere, and it is said why.
func TestAsBefore(t *testing.T) {
	orttest.Open(t)
	on := microTask(t)
	file := filepath.Join(t.TempDir(), "mine.csv")
	p := Defaults()
	p.Datasets = []string{file}
	here := ort.Processor()
	for _, c := range []struct{ protocol, why, fault string }{
		{"", file + " does not say which device it is of: there is no " + file + ".json", ""},
		{`{"task":"micro.en-de","device":"another CPU","threads":1,"rounds":2,"repetitions":4}`, "the dataset is of another CPU, and this is " + here, ""},
		{`{"task":"micro.en-de","device":"HERE","kind":"cpu","threads":5000,"rounds":2,"repetitions":4}`, "the dataset was measured with 5000 threads, and this machine has ", ""},
		{`{"task":"micro.en-de","device":"a GPU","kind":"tpu","threads":1,"rounds":2,"repetitions":4}`, `the dataset is of a GPU: unknown device "tpu"`, ""},
		{`{"task":"micro.en-de","device":"HERE","threads":1,"rounds":2,"repetitions":1}`, "", file + ".json: repetitions: 1, expected at least one for each of the 2 rounds"},
		{`{"task":"micro.en-de","device":"HERE","threads":1,"rounds":2,"repetitions":4,"seed":7}`, "", ""},
	} {
		if c.protocol != "" {
			if err := os.WriteFile(ProtocolFile(file), []byte(strings.ReplaceAll(c.protocol, "HERE", here)), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		a, err := AsBefore(p, on, "whatever the scores say")
		if fault := ""; err != nil {
			if fault = err.Error(); fault != c.fault {
				t.Errorf("%s: error %v", c.protocol, err)
			}
			continue
		}
		if !strings.HasPrefix(a.Why, c.why) || (a.Why == "") != (c.why == "") || (a.Machine == nil) != (c.why != "") || a.Dataset != "mine" || c.fault != "" {
			t.Errorf("%s: %+v", c.protocol, a)
		}
		if c.why == "" && (a.Params.Rounds != 2 || a.Params.Repetitions != 4 || a.Params.Seed != 7) {
			t.Errorf("%+v", a.Params)
		}
	}
	a, err := AsBefore(small(20, 3), on, "another CPU")
	if want := "the dataset is of another CPU, and this is " + here; err != nil || a.Why != want || a.Machine != nil {
		t.Errorf("%+v, %v", a, err)
	}
	a, err = AsBefore(small(20, 3), on, here)
	if err != nil || a.Dataset != Measured || a.Machine == nil || a.Params.Rounds != 3 {
		t.Errorf("%+v, %v", a, err)
	}
}

// vanishing is a machine that is gone from a repetition on.
type vanishing struct {
	*madeUp
	gone int
}

type vanishingWatch struct {
	Watch
	m *vanishing
}

func (m *vanishing) Open(a space.Architecture) (Watch, error) {
	w, err := m.madeUp.Open(a)
	return vanishingWatch{w, m}, err
}

func (w vanishingWatch) Once(ctx context.Context) (micro.Times, error) {
	times, err := w.Watch.Once(ctx)
	if w.m.gone > 0 && w.m.times >= w.m.gone {
		err = errors.New("device lost")
	}
	return times, err
}

// TestDeviceGone: a device that disappears half-way is one line that names it, and
// finished rounds are not measured again.
func TestDeviceGone(t *testing.T) {
	on := microTask(t)
	m := &vanishing{newMadeUp(t, on), 2*visits*repetitions + 10} // in the third round
	state := filepath.Join(t.TempDir(), "rounds.jsonl")
	p := small(25, 4)
	again := Again{Dataset: Measured, Machine: m, Params: p}
	_, _, err := again.Time(t.Context(), on, sample(p, on.Space), state, progress.Discard)
	if err == nil || !strings.HasPrefix(err.Error(), "timing architecture ") || !strings.HasSuffix(err.Error(), " on made up: device lost") {
		t.Errorf("error %v", err)
	}
	m.gone, m.times = 0, 0
	timings, control, err := again.Time(t.Context(), on, sample(p, on.Space), state, progress.Discard)
	if err != nil || m.times != 2*visits*repetitions || m.open != 0 {
		t.Errorf("%d repetitions, %d models open, %v", m.times, m.open, err)
	}
	if control.MS <= 0 || len(timings) != 25 || timings[0].HiMS != timings[0].MS() {
		t.Errorf("%+v, %+v", control, timings[0])
	}
}

// TestUpper: the upper end of the interval is what 95 of 100 halves of the rounds do
// not exceed, encoder and decoder apart.
func TestUpper(t *testing.T) {
	// Of the 70 halves of eight rounds 35 have the fastest, of the others 20 the second, 10
	// the third, 4 the fourth, and 1 none of these: 93 and 98 % for the third and fourth.
	rounds := []float64{8, 1, 7, 2, 6, 3, 5, 4}
	if got := upper(rounds, make([]float64, 8), 1, true); got != 4 && got != 3 {
		t.Errorf("%v, want the third or fourth of eight", got)
	}
	if got := upper([]float64{3, 3}, []float64{1, 2}, 1, true); got != 5 {
		t.Errorf("%v, want the slower of two rounds", got)
	}
	if got := upper([]float64{3}, []float64{1}, 1, true); !math.IsNaN(got) {
		t.Errorf("%v of one round", got)
	}
}
