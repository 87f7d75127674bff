package latency

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"hsnas/internal/cost"
	"hsnas/internal/micro"
	"hsnas/internal/ort"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// Machine is what architectures are timed on.
type Machine interface {
	// Name is what tables call the device.
	Name() string
	// Open readies an architecture to be timed.
	Open(a space.Architecture) (Watch, error)
}

// Watch is an architecture that is ready.
type Watch interface {
	// Once translates one sentence.
	Once(ctx context.Context) (micro.Times, error)
	Close()
}

// thisMachine times models of the family micro on one thread of the CPU.
type thisMachine struct {
	runtime *ort.Runtime
	task    *task.Task
	seed    uint64
}

// ThisMachine returns the machine that the program runs on. The seed draws the
// models' parameters and the sentence.
func ThisMachine(t *task.Task, seed uint64) (Machine, error) {
	rt, err := ort.Open()
	return &thisMachine{rt, t, seed}, err
}

func (m *thisMachine) Name() string { return ort.Processor() }

func (m *thisMachine) Open(a space.Architecture) (Watch, error) {
	w, err := micro.NewStopwatch(m.runtime, m.task, a, m.seed)
	if err != nil {
		return nil, err
	}
	if haveThreadTime {
		w.Now = threadTime
	}
	return threadWatch{w}, nil
}

// threadWatch stays in one thread, whose processor time is read; see HAT.Clock.
type threadWatch struct{ Watch }

// Once implements Watch.
func (w threadWatch) Once(ctx context.Context) (micro.Times, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return w.Watch.Once(ctx)
}

// bench holds architectures ready: opening one takes longer than timing it.
type bench struct {
	device string
	block  []int // places of the architectures in the measurement
	archs  []space.Architecture
	open   []Watch // of the control, then of the architectures
}

// open opens the control and the architectures of a block.
func (m *Measurement) open(ctx context.Context, block []int, rep progress.Reporter) (*bench, error) {
	archs := m.withControl(block)
	b := &bench{m.Machine.Name(), block, archs, make([]Watch, len(archs))}
	rep.Start("opening models", len(archs))
	defer rep.Done()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(openers)
	for i, a := range archs {
		group.Go(func() (err error) {
			if err = ctx.Err(); err == nil {
				b.open[i], err = m.Machine.Open(a)
			}
			rep.Add(1)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		b.close()
		return &bench{}, err
	}
	return b, nil
}

// openers is how many models are opened side by side: most of that is waiting for
// memory.
const openers = 2

// footprint is about what an open architecture takes, in bytes: sessions and
// their arenas, and the parameters. 200 of micro.en-de take 870 MB. A model of the
// family hat keeps its matrices twice, as they were read and as they are
// multiplied.
func footprint(t *task.Task, a space.Architecture) (int64, error) {
	c, err := cost.Of(t, a)
	copies := int64(1)
	if t.Family == task.HAT {
		copies = 2
	}
	return 3<<20 + 4*copies*(c.Params+c.EmbeddingParams), err
}

func (b *bench) close() {
	for _, w := range b.open {
		if w != nil {
			w.Close()
		}
	}
	b.open = nil
}
