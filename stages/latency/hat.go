package latency

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"hsnas/internal/micro"
	"hsnas/internal/nn"
	"hsnas/internal/ort"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// HAT says how models of the family hat are timed: by HAT's protocol (see
// nn.Protocol), its decode in full or cut short.
type HAT struct {
	Device  string // ort's name
	Threads int    // of an operator on the CPU
	Steps   int    // of the decoder
	Beam    int    // hypotheses
	Seed    uint64 // of the tokens
}

// The clocks that models are timed by.
const (
	ThreadClock = "processor time of the computing thread"
	WallClock   = "wall clock"
)

// Clock is what the times are read from. On one thread of the CPU it is the
// processor time of the thread that computes: on an idle machine that is what the
// wall clock says, on a busy one it leaves out what others computed meanwhile.
func (h HAT) Clock() string {
	if h.Device == "cpu" && h.Threads == 1 && haveThreadTime {
		return ThreadClock
	}
	return WallClock
}

// hatMachine times models of the family hat.
type hatMachine struct {
	HAT
	runtime *ort.Runtime
	task    *task.Task
	name    string
	now     func() time.Duration
}

// HATMachine returns the machine that the program runs on, for models of the
// family hat with weights that mean nothing.
func HATMachine(t *task.Task, h HAT) (Machine, error) {
	hardware, err := ort.HardwareOf(h.Device)
	if err != nil {
		return nil, err
	}
	m := &hatMachine{HAT: h, task: t, name: hardware.String(), now: threadTime}
	if h.Clock() == WallClock {
		start := time.Now()
		m.now = func() time.Duration { return time.Since(start) }
	}
	m.runtime, err = ort.Open()
	return m, err
}

func (m *hatMachine) Name() string { return m.name }

// Open exports the architecture to a folder that is gone when it returns: the
// sessions hold the weights.
func (m *hatMachine) Open(a space.Architecture) (Watch, error) {
	folder, err := os.MkdirTemp("", "hsnas-latency-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	model, err := nn.Export(filepath.Join(folder, "model"), m.task, a, repeatedWeights)
	if err != nil {
		return nil, err
	}
	t, err := nn.Load(m.runtime, model, ort.Options{Device: m.Device, Threads: m.Threads})
	if err != nil {
		return nil, err
	}
	return &hatWatch{machine: m, translator: t}, nil
}

// hatWatch is an open model.
type hatWatch struct {
	machine    *hatMachine
	translator *nn.Translator
}

// Once runs one repetition of the protocol, as nn.Stopwatch does, but reads the
// machine's clock. ONNX Runtime computes in the thread that calls it.
func (w *hatWatch) Once(ctx context.Context) (micro.Times, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	m := w.machine
	r := rand.New(rand.NewPCG(m.Seed, 0x686174))
	start := m.now()
	encoded, err := w.translator.Encode(ctx, [][]int64{w.words(r, m.task.Model.SourceTokens)})
	if err != nil {
		return micro.Times{}, err
	}
	defer encoded.Destroy()
	times := micro.Times{Encoder: m.now() - start}
	start = m.now()
	d, err := w.translator.Start(ctx, encoded, m.Beam)
	if err != nil {
		return micro.Times{}, err
	}
	defer d.Close()
	for range m.Steps {
		if _, err := d.Step(ctx, w.words(r, m.Beam), rotated(m.Beam)); err != nil {
			return micro.Times{}, err
		}
	}
	times.Decoder = m.now() - start
	return times, nil
}

// words draws n words, no special symbol where the vocabulary has others.
func (w *hatWatch) words(r *rand.Rand, n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = nn.EOS
		if rest := w.translator.Model().Vocabulary - nn.EOS - 1; rest > 0 {
			out[i] = nn.EOS + 1 + r.Int64N(int64(rest))
		}
	}
	return out
}

// rotated are parents of a beam: the hypotheses change places in every step, as
// they do in a real search.
func rotated(beam int) []int64 {
	out := make([]int64, beam)
	for i := range out {
		out[i] = int64((i + 1) % beam)
	}
	return out
}

func (w *hatWatch) Close() { _ = w.translator.Close() }

// repeated are weights of one block over and over, which takes a tenth of the time
// of drawing all of them; what is timed does not depend on values.
type repeated []float32

// repeatedWeights are small and of both signs: no sum overflows, none is denormal.
var repeatedWeights = func() repeated {
	out := make(repeated, 1<<12)
	r := rand.New(rand.NewPCG(1, 0x77))
	for i := range out {
		out[i] = 0.08*r.Float32() - 0.04
	}
	return out
}()

// Label implements nn.Weights.
func (w repeated) Label() string { return "repeated" }

// Part implements nn.Weights.
func (w repeated) Part(_ string, p nn.Part) ([]float32, error) {
	out := make([]float32, p.Rows*p.Cols)
	for at := 0; at < len(out); {
		at += copy(out[at:], w)
	}
	return out, nil
}
