package latency

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/progress"
	"hsnas/internal/published"
	"hsnas/internal/task"
)

// campaign is one of 30 architectures in blocks of 10, in 2 rounds.
func campaign(t *testing.T, on *task.Task, m Machine, file string) *Campaign {
	t.Helper()
	p := small(30, 2)
	c := &Campaign{
		Params: p, Task: on, Machine: m, File: file, N: 30,
		Protocol: Protocol{Task: on.Name, Family: on.Family, Device: m.Name(), Threads: 1, Clock: ThreadClock, SourceTokens: 15, Steps: 15, Beam: 1, Seed: p.Seed},
	}
	archs, err := c.sample()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range append(archs[:10:10], on.Space.Largest()) {
		need, err := footprint(on, a)
		if err != nil {
			t.Fatal(err)
		}
		c.Memory += need
	}
	return c
}

// A campaign that is killed in its second block goes on there: rounds that were
// finished are not measured again, and the file is that of an undisturbed one.
func TestCampaignGoesOn(t *testing.T) {
	on := microTask(t)
	whole := campaign(t, on, newMadeUp(t, on), filepath.Join(t.TempDir(), "whole.csv"))
	if _, err := whole.Run(t.Context(), progress.Discard); err != nil {
		t.Fatal(err)
	}
	want := read(t, whole.File)
	all := whole.Machine.(*madeUp).times
	for _, last := range []int{1, all / 5, all / 2, all - 1} {
		machine := newMadeUp(t, on)
		ctx, cancel := context.WithCancel(t.Context())
		machine.stop, machine.last = cancel, last
		c := campaign(t, on, machine, filepath.Join(t.TempDir(), "l.csv"))
		if _, err := c.Run(ctx, progress.Discard); !errors.Is(err, context.Canceled) {
			t.Fatalf("killed at %d of %d: %v", last, all, err)
		}
		kept := 0 // times, in finished sittings: a visit is a warm-up and two repetitions
		for line := range bytes.Lines(read(t, c.state())) {
			var one round
			if err := json.Unmarshal(line, &one); err != nil {
				t.Fatal(err)
			}
			kept += 3 * (len(one.EncoderMS) + len(one.ControlEncoderMS))
		}
		machine.times, machine.last = 0, 0
		s, err := campaign(t, on, machine, c.File).Run(t.Context(), progress.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if machine.times != all-kept || kept < last-3*15 {
			t.Errorf("killed at %d of %d: %d times were kept, %d more were taken", last, all, kept, machine.times)
		}
		if got := read(t, c.File); !bytes.Equal(got, want) {
			t.Errorf("killed at %d of %d: another file", last, all)
		}
		if left, _ := filepath.Glob(c.File + ".rounds*"); len(left) != 0 || s.N != 30 || s.Kept != 0 || machine.open != 0 {
			t.Errorf("%+v; %q are left, %d models are open", s, left, machine.open)
		}
	}
}

// More architectures are added to those that are there, which stay as they are; a
// torn line is cut off.
func TestCampaignGrows(t *testing.T) {
	on := microTask(t)
	machine := newMadeUp(t, on)
	c := campaign(t, on, machine, filepath.Join(t.TempDir(), "l.csv"))
	c.N = 12
	if _, err := c.Run(t.Context(), progress.Discard); err != nil {
		t.Fatal(err)
	}
	before := read(t, c.File)
	if err := os.WriteFile(c.File, append(before, "32,3,1"...), 0o666); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	s, err := campaign(t, on, machine, c.File).Run(t.Context(), progress.New(&log))
	if err != nil || s.Kept != 12 || !strings.Contains(log.String(), ": the last line is torn (6 bytes); cut off\n") {
		t.Errorf("%+v, %v\n%s", s, err, log.String())
	}
	rows, err := published.ReadLatency(c.File)
	if err != nil || len(rows) != 30 || !bytes.HasPrefix(read(t, c.File), before) {
		t.Error(len(rows), err)
	}
}

func TestCampaignFaults(t *testing.T) {
	on := microTask(t)
	machine := newMadeUp(t, on)
	file := filepath.Join(t.TempDir(), "l.csv")
	first := campaign(t, on, machine, file)
	first.N = 10
	if _, err := first.Run(t.Context(), progress.Discard); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Campaign){
		file + " was measured with steps 15, not 7; give the same, or another --out":           func(c *Campaign) { c.Protocol.Steps = 7 },
		file + " was measured with device made up, not other; give the same, or another --out": func(c *Campaign) { c.Protocol.Device = "other" },
		file + " has 10 architectures already; raise --n for more":                             func(c *Campaign) { c.N = 10 },
	} {
		c := campaign(t, on, machine, file)
		change(c)
		_, err := c.Run(t.Context(), progress.Discard)
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	if err := os.WriteFile(ProtocolFile(file), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadProtocol(file); err == nil || err.Error() != file+".json: not the protocol of a latency dataset; remove it, and the dataset counts as one of unknown origin" {
		t.Error(err)
	}
}
