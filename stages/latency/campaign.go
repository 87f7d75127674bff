package latency

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/progress"
	"hsnas/internal/published"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// Campaign measures architectures sampled from a task's space into a CSV file
// with the columns of HAT's datasets, by a [Measurement]. A finished sitting is kept
// in a state file and not measured again after a kill; the CSV file gets its rows at
// the end, when all sittings can be held against one another.
type Campaign struct {
	Params   Params // Rounds, Warmup, Repetitions, Seed
	Task     *task.Task
	Machine  Machine
	Protocol Protocol
	File     string
	N        int   // architectures in all
	Memory   int64 // bytes that open models may take; 0 means 2 GiB
}

// Summary is what a campaign did.
type Summary struct {
	File     string   `json:"file"`
	N        int      `json:"n"`        // rows of the file
	Kept     int      `json:"kept"`     // of these, rows that were there already
	Device   string   `json:"device"`   // that was measured
	Protocol Protocol `json:"protocol"` // that they were measured by
	// ControlCV is the coefficient of variation of the control over all its visits, a
	// fraction; 0 where nothing was measured or there was but one visit.
	ControlCV float64 `json:"control_cv"`
}

// Run measures what the file lacks.
func (c *Campaign) Run(ctx context.Context, rep progress.Reporter) (Summary, error) {
	done, err := c.resume(rep)
	if err != nil {
		return Summary{}, err
	}
	s := Summary{File: c.File, N: c.N, Kept: done, Device: c.Machine.Name(), Protocol: c.Protocol}
	archs, err := c.sample()
	if err != nil {
		return s, err
	}
	control, err := c.measure(ctx, archs[done:], rep)
	if err != nil {
		return s, err
	}
	if !math.IsNaN(control.CV) {
		s.ControlCV = control.CV
	}
	if err := os.Remove(c.state()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	return s, nil
}

func (c *Campaign) state() string { return c.File + ".rounds.jsonl" }

// resume returns how many rows the file has, after it has cut off a torn one, and
// writes header and protocol where there are none.
func (c *Campaign) resume(rep progress.Reporter) (rows int, err error) {
	text, err := os.ReadFile(c.File)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.ContainsRune(text, '\n') {
		if err := c.Protocol.write(c.File); err != nil {
			return 0, config.Errorf("", 0, "cannot write --out: %v", err)
		}
		return 0, c.begin()
	}
	if err != nil {
		return 0, config.Errorf("", 0, "cannot read --out: %v", err)
	}
	was, ok, err := ReadProtocol(c.File)
	if err == nil && ok {
		err = was.same(c.File, c.Protocol)
	}
	if err != nil {
		return 0, err
	}
	file, _, torn, err := atomicfile.OpenLines(c.File)
	if err != nil {
		return 0, err
	}
	if torn > 0 {
		rep.Logf("%s: the last line is torn (%d bytes); cut off", c.File, torn)
	}
	if err := file.Close(); err != nil {
		return 0, err
	}
	kept, err := published.ReadLatency(c.File)
	if err == nil && len(kept) >= c.N {
		err = config.Errorf("", 0, "%s has %d architectures already; raise --n for more", c.File, len(kept))
	}
	return len(kept), err
}

// sample draws N different architectures; fewer are the first of more.
func (c *Campaign) sample() ([]space.Architecture, error) {
	if half := new(big.Int).Rsh(c.Task.Space.Size(), 1); half.Cmp(big.NewInt(int64(c.N))) < 0 {
		return nil, config.Errorf("", 0, "--n is %d, expected at most %s, half of the architectures of the space %s", c.N, half, c.Task.Space.Name)
	}
	r := rand.New(rand.NewPCG(c.Params.Seed, 0))
	seen := map[string]bool{}
	var out []space.Architecture
	for len(out) < c.N {
		if a := c.Task.Space.Sample(r); !seen[a.Key()] {
			seen[a.Key()] = true
			out = append(out, a)
		}
	}
	return out, nil
}

func (c *Campaign) memory() int64 { return cmp.Or(c.Memory, 2<<30) }

// measure times what the file lacks and appends its rows, all at once.
func (c *Campaign) measure(ctx context.Context, archs []space.Architecture, rep progress.Reporter) (Control, error) {
	m := &Measurement{
		Params: c.Params, Task: c.Task, Archs: archs, Machine: c.Machine, Protocol: fmt.Sprintf("%+v", c.Protocol),
		State: c.state(), Memory: c.memory(),
	}
	timings, control, err := m.Run(ctx, rep)
	if err != nil {
		return control, err
	}
	rep.Logf("%s", control)
	var records [][]string
	for i, t := range timings {
		means, err := meansOf(c.Task, archs[i])
		if err != nil {
			return control, err
		}
		spread := []float64{t.EncoderStdMS, t.DecoderStdMS}
		if c.Params.Rounds == 1 { // the columns know no missing value
			spread = []float64{0, 0}
		}
		records = append(records, record(slices.Concat(means[:], []float64{t.EncoderMS, t.DecoderMS}, spread)))
	}
	return control, c.append(records)
}

func record(values []float64) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strconv.FormatFloat(v, 'g', -1, 64)
	}
	return out
}

// begin writes the file's header.
func (c *Campaign) begin() error {
	text, err := csvLines([][]string{published.LatencyHeader()})
	if err != nil {
		return err
	}
	if err := atomicfile.Write(c.File, text); err != nil {
		return config.Errorf("", 0, "cannot write --out: %v", err)
	}
	return nil
}

// append adds records to the file, all or none of them.
func (c *Campaign) append(records [][]string) error {
	text, err := csvLines(records)
	if err != nil {
		return err
	}
	file, _, _, err := atomicfile.OpenLines(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Append(text)
}

func csvLines(records [][]string) ([]byte, error) {
	var text bytes.Buffer
	err := csv.NewWriter(&text).WriteAll(records)
	return text.Bytes(), err
}

// NewCampaign returns a campaign on the machine that the program runs on; how
// says how models of the family hat are timed.
func NewCampaign(t *task.Task, p Params, how HAT, file string, n int, memory int64) (*Campaign, error) {
	c := &Campaign{Params: p, Task: t, File: file, N: n, Memory: memory}
	var err error
	clock := how.Clock()
	if t.Family == task.Micro {
		how.Beam = 1
		c.Machine, err = ThisMachine(t, p.Seed)
	} else {
		c.Machine, err = HATMachine(t, how)
	}
	if err != nil {
		return nil, err
	}
	c.Protocol = Protocol{
		Task: t.Name, Family: t.Family, Device: c.Machine.Name(), Kind: how.Device, Threads: how.Threads, Clock: clock,
		SourceTokens: t.Model.SourceTokens, Steps: how.Steps, Beam: how.Beam, Seed: p.Seed,
		Rounds: p.Rounds, Warmup: p.Warmup, Repetitions: p.Repetitions,
	}
	return c, nil
}
