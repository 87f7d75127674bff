package main

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
	"hsnas/internal/nn"
	"hsnas/internal/ort"
	"hsnas/internal/predictor"
	"hsnas/internal/progress"
	"hsnas/internal/published"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
	"hsnas/stages/benchmark"
	"hsnas/stages/latency"
)

func measureCommand(taskFlag cli.Flag) *cli.Command {
	return &cli.Command{
		Name:  "measure",
		Usage: "time architectures sampled from the task's space",
		Description: "Appends a row for each architecture to a CSV file with the columns of HAT's latency\n" +
			"datasets. Architectures that the file has already are not measured again, so a command\n" +
			"that was ended goes on where it was. Those of the family hat are measured one after the\n" +
			"other, those of the family micro in turns, on one thread of the CPU.",
		Flags: []cli.Flag{
			taskFlag,
			&cli.StringFlag{Name: "out", Usage: "`FILE` to append to", Required: true},
			&cli.IntFlag{Name: "n", Usage: "`N` architectures in all", Value: 200},
			&cli.IntFlag{Name: "repetitions", Usage: "`N` timed repetitions of each; of the family micro in all rounds, where not given those of the stage latency", Value: 20},
			&cli.StringFlag{Name: "device", Usage: "`DEVICE`: cpu, webgpu, cuda or cuda:N", Value: "cpu"},
			&cli.IntFlag{Name: "threads", Usage: "`N` threads on the CPU", Value: 1},
			&cli.Uint64Flag{Name: "seed", Usage: "`N` that the architectures are drawn with", Value: 1},
		},
		Action: func(c *cli.Context) error {
			t, err := task.Load(c.String("task"))
			if err != nil {
				return err
			}
			m, err := newMeasurement(c, t)
			if err != nil {
				return err
			}
			return m.run(c)
		},
	}
}

// measurement is one call of latency measure.
type measurement struct {
	task    *task.Task
	runtime *ort.Runtime
	params  benchmark.Params
	archs   []space.Architecture // those that the file does not have yet, in order
	file    string
	fresh   bool // the file needs its header
}

func newMeasurement(c *cli.Context, t *task.Task) (*measurement, error) {
	switch {
	case t.Family == "":
		return nil, config.Errorf("", 0, "latency measure times models of the families %s and %s alone, and the task %s names neither", task.HAT, task.Micro, t.Name)
	case t.Family == task.Micro && (c.String("device") != "cpu" || c.Int("threads") != 1):
		return nil, config.Errorf("", 0, "latency measure times models of the family %s on one thread of the CPU alone; leave out --device and --threads", task.Micro)
	}
	m := &measurement{task: t, params: benchmark.Defaults(), file: c.String("out")}
	m.params.Device, m.params.Threads, m.params.Repetitions, m.params.Rounds = c.String("device"), c.Int("threads"), c.Int("repetitions"), 1
	if _, err := ort.Provider(m.params.Device); err != nil {
		return nil, err
	}
	if err := m.params.Validate(); err != nil {
		return nil, config.Errorf("", 0, "--%v", err)
	}
	done := 0
	if info, err := os.Stat(m.file); err == nil && info.Size() > 0 {
		rows, err := published.ReadLatency(m.file)
		if err != nil {
			return nil, err
		}
		done = len(rows)
	} else {
		m.fresh = true
	}
	if done >= c.Int("n") {
		return nil, config.Errorf("", 0, "%s has %d architectures already; raise --n for more", m.file, done)
	}
	r := rand.New(rand.NewPCG(c.Uint64("seed"), 0))
	for i := range c.Int("n") {
		if a := t.Space.Sample(r); i >= done {
			m.archs = append(m.archs, a)
		}
	}
	var err error
	m.runtime, err = ort.Open()
	return m, err
}

// run measures the architectures; each row that is written is on the disk before
// the next begins.
func (m *measurement) run(c *cli.Context) error {
	report := progress.New(c.App.ErrWriter)
	features, err := predictor.FeatureSet(m.task, predictor.HATMeans)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(m.file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return config.Errorf("", 0, "cannot write --out: %v", err)
	}
	defer out.Close()
	w := csv.NewWriter(out)
	if m.fresh {
		if err := w.Write(published.LatencyHeader()); err != nil {
			return err
		}
	}
	write := func(a space.Architecture, ms [4]float64) error {
		row, err := latencyRow(features, a, ms)
		if err != nil {
			return err
		}
		if err := w.Write(row); err != nil {
			return err
		}
		if w.Flush(); w.Error() != nil {
			return fmt.Errorf("writing %s: %w", m.file, w.Error())
		}
		if err := out.Sync(); err != nil {
			return fmt.Errorf("writing %s: %w", m.file, err)
		}
		return nil
	}
	if m.task.Family == task.Micro {
		return m.inTurns(c, report, write)
	}
	return m.oneByOne(c, report, write)
}

// latencyRow is a row of HAT's datasets: raw features, then the times of encoder
// and decoder and their standard deviations in milliseconds.
func latencyRow(f predictor.Features, a space.Architecture, ms [4]float64) ([]string, error) {
	values, err := f.Rows([]space.Architecture{a})
	if err != nil {
		return nil, err
	}
	var out []string
	for j, v := range values[0] {
		out = append(out, strconv.FormatFloat(v*f.Scales[j], 'g', -1, 64))
	}
	for _, v := range ms {
		out = append(out, strconv.FormatFloat(v, 'g', -1, 64))
	}
	return out, nil
}

// inTurns measures models of the family micro as the stage latency does, and
// writes them in the end.
func (m *measurement) inTurns(c *cli.Context, report progress.Reporter, write func(space.Architecture, [4]float64) error) error {
	p := latency.Defaults()
	p.Seed = c.Uint64("seed")
	if c.IsSet("repetitions") {
		p.Repetitions = c.Int("repetitions")
		p.Rounds = min(p.Rounds, p.Repetitions)
	}
	machine, err := latency.ThisMachine(m.task, p.Seed)
	if err != nil {
		return err
	}
	measured := latency.Measurement{Params: p, Task: m.task, Archs: m.archs, Machine: machine, State: m.file + ".rounds.jsonl"}
	timings, control, err := measured.Run(c.Context, report)
	if err != nil {
		return err
	}
	report.Logf("%s", control)
	for i, t := range timings {
		ms := [4]float64{t.EncoderMS, t.DecoderMS, t.EncoderStdMS, t.DecoderStdMS}
		if p.Rounds == 1 { // the columns know no missing value
			ms[2], ms[3] = 0, 0
		}
		if err := write(m.archs[i], ms); err != nil {
			return err
		}
	}
	return os.Remove(measured.State)
}

// oneByOne measures models of the family hat.
func (m *measurement) oneByOne(c *cli.Context, report progress.Reporter, write func(space.Architecture, [4]float64) error) error {
	report.Start("measuring", len(m.archs))
	defer report.Done()
	for _, a := range m.archs {
		ms, err := m.one(c, a)
		if err != nil {
			return err
		}
		if err := write(a, ms); err != nil {
			return err
		}
		report.Add(1)
	}
	return nil
}

// one exports an architecture with random weights and times it.
func (m *measurement) one(c *cli.Context, a space.Architecture) (ms [4]float64, err error) {
	folder, err := os.MkdirTemp("", "hsnas-latency-")
	if err != nil {
		return ms, err
	}
	defer os.RemoveAll(folder)
	model, err := nn.Export(folder+"/model", m.task, a, nn.Random(1))
	if err != nil {
		return ms, err
	}
	rows, err := benchmark.Model(c.Context, m.runtime, model, m.task, m.params)
	if err != nil {
		return ms, err
	}
	times := map[string]schemas.Benchmark{}
	for _, r := range rows {
		times[r.Part] = r
	}
	encoder, decoder := times[schemas.PartEncoder], times[schemas.PartDecoder]
	return [4]float64{encoder.TrimmedMeanMS, decoder.TrimmedMeanMS, encoder.StdMS, decoder.StdMS}, nil
}
