package latency

import (
	"context"
	"fmt"
	"runtime"

	"hsnas/internal/config"
	"hsnas/internal/ort"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// Again is how to time architectures as those of a dataset were, for times that may
// be held against its predictor.
type Again struct {
	Dataset string
	Machine Machine // nil where it is not the one that the dataset is of
	Why     string  // why there is no Machine
	Params  Params  // Rounds, Warmup, Repetitions, Seed
	How     string  // for Measurement.Protocol
}

// Time times architectures and says how steady the machine was. Finished rounds are
// kept in the file state.
func (a Again) Time(ctx context.Context, t *task.Task, archs []space.Architecture, state string, rep progress.Reporter) ([]Timing, Control, error) {
	m := Measurement{Params: a.Params, Task: t, Archs: archs, Machine: a.Machine, Protocol: "again " + a.How, State: state}
	return m.Run(ctx, rep)
}

// MayTimeAgain says whether the dataset that a search keeps to, the first, can be of
// the machine that the program runs on: published ones are of HAT's.
func (p Params) MayTimeAgain() bool {
	return len(p.Datasets) == 0 && p.Measure > 0 || len(p.Datasets) > 0 && IsFile(p.Datasets[0])
}

// AsBefore is Again for the dataset that a search keeps to; device is the one that the
// stage latency says it is of. A dataset of another machine is no error.
func AsBefore(p Params, t *task.Task, device string) (Again, error) {
	if len(p.Datasets) == 0 {
		return measuredHere(p, t, device)
	}
	file := p.Datasets[0]
	a := Again{Dataset: datasetName(file), Params: p}
	how, known, err := ReadProtocol(file)
	if err != nil {
		return a, err
	}
	if !known {
		a.Why = fmt.Sprintf("%s does not say which device it is of: there is no %s", file, ProtocolFile(file))
		return a, nil
	}
	a.Params.Rounds, a.Params.Warmup, a.Params.Repetitions, a.Params.Seed = how.Rounds, how.Warmup, how.Repetitions, how.Seed
	if err := a.Params.Validate(); err != nil {
		return a, config.Errorf(ProtocolFile(file), 0, "%v", err)
	}
	a.How = fmt.Sprintf("%+v", how)
	a.Machine, a.Why, err = how.machine(t)
	return a, err
}

// measuredHere is AsBefore for what the stage latency timed itself: it may have done so
// on another node, or the run directory come from another machine.
func measuredHere(p Params, t *task.Task, device string) (Again, error) {
	a := Again{Dataset: Measured, Params: p}
	m, err := ThisMachine(t, p.Seed)
	switch {
	case err != nil:
		return a, err
	case m.Name() != device:
		a.Why = fmt.Sprintf("the dataset is of %s, and this is %s", device, m.Name())
	default:
		a.Machine = m
	}
	return a, nil
}

// machine returns the machine that a dataset was measured on, or why it is not here.
func (p Protocol) machine(t *task.Task) (Machine, string, error) {
	here, err := ort.HardwareOf(p.Kind)
	switch {
	case err != nil:
		return nil, fmt.Sprintf("the dataset is of %s: %v", p.Device, err), nil
	case here.String() != p.Device:
		return nil, fmt.Sprintf("the dataset is of %s, and this is %s", p.Device, here), nil
	case p.Threads > runtime.NumCPU():
		return nil, fmt.Sprintf("the dataset was measured with %d threads, and this machine has %d cores", p.Threads, runtime.NumCPU()), nil
	}
	var m Machine
	if t.Family == task.Micro {
		m, err = ThisMachine(t, p.Seed)
	} else {
		m, err = HATMachine(t, HAT{Device: p.Kind, Threads: p.Threads, Steps: p.Steps, Beam: p.Beam, Seed: p.Seed})
	}
	return m, "", err
}
