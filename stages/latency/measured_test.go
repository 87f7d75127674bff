package latency

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hsnas/internal/micro"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/internal/seal"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

func microTask(t *testing.T) *task.Task {
	t.Helper()
	on, err := task.Load("micro.en-de")
	if err != nil {
		t.Fatal(err)
	}
	return on
}

// madeUp is a machine whose times are computed, not measured: linear in what the
// model does, the encoder's and the decoder's.
type madeUp struct {
	features      predictor.Features
	mu            sync.Mutex // models are opened side by side
	opened, times int
	open          int
	stop          func() // called at time number last
	last          int
	slower        func() float64 // nil for 1
}

func newMadeUp(t *testing.T, on *task.Task) *madeUp {
	t.Helper()
	f, err := predictor.FeatureSet(on, predictor.HATWork)
	if err != nil {
		t.Fatal(err)
	}
	return &madeUp{features: f}
}

func (m *madeUp) Name() string { return "made up" }

func (m *madeUp) Open(a space.Architecture) (Watch, error) {
	rows, err := m.features.Rows([]space.Architecture{a})
	if err != nil {
		return nil, err
	}
	w := &madeUpWatch{machine: m, encoder: 0.2, decoder: 0.5}
	for j, x := range rows[0] {
		if j < 4 {
			w.encoder += x * float64(j+1) / 20
		} else {
			w.decoder += x * float64(j) / 10
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.opened++
	m.open++
	return w, nil
}

type madeUpWatch struct {
	machine          *madeUp
	encoder, decoder float64 // ms
	n                int
}

// Once is slow in every other repetition, in turns in encoder and decoder.
func (w *madeUpWatch) Once(ctx context.Context) (micro.Times, error) {
	w.n++
	if w.machine.times++; w.machine.times == w.machine.last {
		w.machine.stop()
	}
	slow := []float64{1, 2}
	pace := 1.0
	if w.machine.slower != nil {
		pace = w.machine.slower()
	}
	ms := func(x float64) time.Duration { return time.Duration(x * pace * float64(time.Millisecond)) }
	return micro.Times{Encoder: ms(w.encoder * slow[w.n%2]), Decoder: ms(w.decoder * slow[(w.n+1)%2])}, ctx.Err()
}

func (w *madeUpWatch) Close() { w.machine.open-- }

func outputs(dir string) Outputs {
	return Outputs{
		Dir: dir, Dataset: filepath.Join(dir, "dataset.parquet"), Latency: filepath.Join(dir, "latency.parquet"),
		Rounds: filepath.Join(dir, "rounds.jsonl"),
	}
}

// small are parameters for n architectures and a perceptron that takes no time.
func small(n, rounds int) Params {
	p := Defaults()
	p.Measure, p.Rounds, p.Repetitions, p.Hidden, p.Steps = n, rounds, 2*rounds, []int{8}, 40
	return p
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestRunMeasures times real models; what the times are is not looked at.
func TestRunMeasures(t *testing.T) {
	rt, on := orttest.Open(t), microTask(t)
	p, out := small(12, 1), outputs(t.TempDir())
	if err := Run(t.Context(), p, Inputs{Task: on}, out, schemas.Provenance{Stage: Name, Task: on.Name}, progress.Discard); err != nil {
		t.Fatal(err)
	}
	scores, err := schemas.ReadLatencyScores(out.Latency)
	if err != nil || len(scores) != len(regressors()) {
		t.Fatal(scores, err)
	}
	chosen := -1
	for i, s := range scores {
		if s.Chosen {
			chosen = i
		}
		if s.Dataset != Measured || s.Source != "measured" || s.Device == "" || s.NTrain+s.NValid != 10 || s.NTest != 2 || !(s.CVMAPE > 0) || s.Chosen != (s.File == "latency/measured.onnx") {
			t.Errorf("%+v", s)
		}
	}
	rows, err := schemas.ReadLatencyDataset(out.Dataset)
	if err != nil || len(rows) != 12 {
		t.Fatal(len(rows), err)
	}
	model, err := predictor.Load(rt, filepath.Join(out.Dir, "measured.onnx"), on)
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	if m := model.Meta(); m.Target != Target || m.TrainedOn != Measured || m.Features != scores[chosen].Features {
		t.Errorf("%+v", m)
	}
	for i, r := range rows {
		a, err := on.Space.ParseArchitecture([]byte(r.Architecture))
		if err != nil || r.ID != a.ID() {
			t.Fatal(r.Architecture, err)
		}
		predicted := make([]float64, 1)
		if err := model.Predict(t.Context(), []space.Architecture{a}, predicted); err != nil {
			t.Fatal(err)
		}
		if int(r.Row) != i || !(r.EncoderMS > 0) || !(r.DecoderMS > 0) || r.LatencyMS != r.EncoderMS+r.DecoderMS || !math.IsNaN(r.StdMS) ||
			math.Abs(predicted[0]-r.PredictedMS) > 1e-4*r.PredictedMS {
			t.Errorf("row %d, predicted %v: %+v", i, predicted, r)
		}
	}
}

// The times of madeUp are linear in the columns of hat-work alone: these must be
// chosen, twice the same.
func TestChoice(t *testing.T) {
	orttest.Open(t)
	on := microTask(t)
	p := small(60, 2)
	var before map[string][]byte
	for range 2 {
		out := outputs(t.TempDir())
		if err := Run(t.Context(), p, Inputs{on, newMadeUp(t, on)}, out, schemas.Provenance{Stage: Name, Task: on.Name}, progress.Discard); err != nil {
			t.Fatal(err)
		}
		scores, err := schemas.ReadLatencyScores(out.Latency)
		if err != nil {
			t.Fatal(err)
		}
		chosen := 0
		for _, s := range scores {
			if s.Chosen {
				chosen++
			}
			if s.Chosen && (s.Features != predictor.HATWork || s.MAPE > 0.001 || s.Tau < 0.99 || s.CVMAPE > 0.001 || s.CVTau < 0.99) ||
				s.NTrain+s.NValid != 48 || s.NTest != 12 || s.ControlCV != 0 || s.ControlDrift != 0 || s.Device != "made up" {
				t.Errorf("%+v", s)
			}
		}
		if chosen != 1 {
			t.Errorf("%d regressors were chosen", chosen)
		}
		files := map[string][]byte{}
		for _, f := range []string{out.Latency, out.Dataset, filepath.Join(out.Dir, "measured.onnx"), out.Rounds} {
			files[filepath.Base(f)] = read(t, f)
			if before != nil && !bytes.Equal(files[filepath.Base(f)], before[filepath.Base(f)]) {
				t.Errorf("%s differs between two runs", filepath.Base(f))
			}
		}
		before = files
	}
}

// measure is a measurement of 25 architectures in 4 rounds.
func measure(t *testing.T, on *task.Task, m Machine, state string) *Measurement {
	t.Helper()
	p := small(25, 4)
	return &Measurement{Params: p, Task: on, Archs: sample(p, on.Space), Machine: m, State: state}
}

// visits of one round: the architectures and the control before the first and the
// 21st; and repetitions of one visit.
const visits, repetitions = 25 + 2, 1 + 2

func TestResume(t *testing.T) {
	on := microTask(t)
	machine := newMadeUp(t, on)
	state := filepath.Join(t.TempDir(), "rounds.jsonl")
	m := measure(t, on, machine, state)
	whole, control, err := m.Run(t.Context(), progress.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if machine.times != 4*visits*repetitions || machine.opened != 26 || machine.open != 0 || control.Visits != 8 {
		t.Errorf("%+v, %+v", machine, control)
	}
	lines := bytes.SplitAfter(read(t, state), []byte("\n"))
	damaged := bytes.Replace(lines[1], []byte(`"encoder_ms":[`), []byte(`"encoder_ms":[0,`), 1)
	others := bytes.ReplaceAll(bytes.Join(lines, nil), []byte(`"key":"`), []byte(`"key":"0`))
	for name, c := range map[string]struct {
		text   []byte
		rounds int // to be measured again
		logged string
	}{
		"all of it":       {bytes.Join(lines, nil), 0, "4 of 4 sittings of timings are kept from an earlier attempt\n"},
		"a torn line":     {bytes.Join(lines, nil)[:len(lines[0])+len(lines[1])+9], 2, ": the last line is torn (9 bytes); cut off, its sitting is measured again\n"},
		"no newline":      {bytes.TrimSuffix(bytes.Join(lines, nil), []byte("\n")), 1, "cut off, its sitting is measured again\n"},
		"a damaged line":  {bytes.Join([][]byte{lines[0], damaged, lines[2], lines[3]}, nil), 1, ":2: not a sitting of timings as it was written: it was changed: its seal does not hold; passed over, its sitting is measured again\n"},
		"too many times":  {bytes.Join([][]byte{lines[0], resealed(damaged), lines[2], lines[3]}, nil), 1, ":2: 26 times of encoders and 25 of decoders, 2 and 2 of the control, expected as many of both; passed over, its sitting is measured again\n"},
		"a foreign line":  {append([]byte("{}\nhello\n"), lines[3]...), 3, ":2: not a sitting of timings as it was written: it has no seal; passed over"},
		"another machine": {resealed(others), 4, ""},
	} {
		if err := os.WriteFile(state, c.text, 0o666); err != nil {
			t.Fatal(err)
		}
		machine.times = 0
		var log strings.Builder
		again, _, err := m.Run(t.Context(), progress.New(&log))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if machine.times != c.rounds*visits*repetitions || !strings.Contains(log.String(), c.logged) {
			t.Errorf("%s: %d times, want %d rounds\n%s", name, machine.times, c.rounds, log.String())
		}
		for i := range whole {
			if again[i] != whole[i] {
				t.Errorf("%s: architecture %d: %+v, before %+v", name, i, again[i], whole[i])
			}
		}
	}
}

// resealed are lines with seals for what they say now.
func resealed(lines []byte) []byte {
	var out []byte
	for line := range bytes.Lines(lines) {
		object := append([]byte("{"), line[bytes.IndexByte(line, ',')+1:]...) // the seal comes first
		out = append(out, seal.JSON(object)...)
	}
	return out
}

func TestInterrupted(t *testing.T) {
	on := microTask(t)
	machine := newMadeUp(t, on)
	ctx, cancel := context.WithCancel(t.Context())
	machine.stop, machine.last = cancel, 2*visits*repetitions+10 // in the third round
	state := filepath.Join(t.TempDir(), "rounds.jsonl")
	m := measure(t, on, machine, state)
	if _, _, err := m.Run(ctx, progress.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if n := bytes.Count(read(t, state), []byte("\n")); n != 2 || machine.open != 0 {
		t.Errorf("%d rounds are kept, expected 2; %d architectures are open", n, machine.open)
	}
	machine.times, machine.last = 0, 0
	if _, _, err := m.Run(t.Context(), progress.Discard); err != nil || machine.times != 2*visits*repetitions {
		t.Errorf("%d times, %v", machine.times, err)
	}
}

func TestLittleMemory(t *testing.T) {
	on := microTask(t)
	machine := newMadeUp(t, on)
	m := measure(t, on, machine, filepath.Join(t.TempDir(), "rounds.jsonl"))
	m.Memory = 1
	if _, _, err := m.Run(t.Context(), progress.Discard); err != nil {
		t.Fatal(err)
	}
	if machine.opened != 4*25*2 || machine.open != 0 {
		t.Errorf("%d architectures were opened, expected each of 25 and the control in each of 4 rounds; %d are open", machine.opened, machine.open)
	}
}

func TestCheck(t *testing.T) {
	hat, err := task.Load("wmt14.en-de")
	if err != nil {
		t.Fatal(err)
	}
	few, err := space.Parse("few.yaml", []byte("name: few\nhyperparameters:\n- {name: width, definition: d, choices: [1, 2, 3]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		on      *task.Task
		measure int
		want    string
	}{
		{hat, 0, ""},
		{microTask(t), 200, ""},
		{hat, 200, "latency.measure times models of the family micro alone, which the task wmt14.en-de does not name; expected 0, and what was measured under latency.datasets"},
		{&task.Task{Family: task.Micro, Space: few}, 10, "latency.measure is 10, expected at most 1, half of the architectures of the space few"},
	} {
		p := Defaults()
		p.Measure = c.measure
		got := ""
		if err := p.Check(c.on); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// FuzzParseRound: no line makes the reader panic, and a sitting that it accepts has
// two positive times for every architecture.
func FuzzParseRound(f *testing.F) {
	f.Add([]byte(`{"key":"k","number":0,"block":1,"encoder_ms":[1,2],"decoder_ms":[1,2],"control_encoder_ms":[3],"control_decoder_ms":[4]}`))
	f.Add([]byte(`{"key":"k","number":0,"encoder_ms":[1],"decoder_ms":null}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.HasPrefix(line, []byte("{")) { // else it has no seal to get behind
			line = seal.JSON(line)
		}
		r, err := parseRound(line, "k")
		if err == nil && r != nil && (len(r.EncoderMS) != len(r.DecoderMS) || len(r.ControlEncoderMS) == 0 || slices.Min(append(r.EncoderMS, r.DecoderMS...)) <= 0) {
			t.Errorf("%+v", r)
		}
	})
}

// FuzzProtocol: no file beside a dataset makes the reader panic.
func FuzzProtocol(f *testing.F) {
	f.Add([]byte(`{"task":"t","device":"d","threads":1,"rounds":2}`))
	f.Add(seal.JSON([]byte(`{"task":"t","seed":18446744073709551615}`)))
	f.Fuzz(func(t *testing.T, text []byte) {
		dataset := filepath.Join(t.TempDir(), "own.csv")
		if err := os.WriteFile(ProtocolFile(dataset), text, 0o666); err != nil {
			t.Fatal(err)
		}
		if p, ok, err := ReadProtocol(dataset); ok && (err != nil || p.Task == "") {
			t.Errorf("%+v, %v", p, err)
		}
	})
}
