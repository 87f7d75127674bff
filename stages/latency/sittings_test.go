package latency

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"hsnas/internal/progress"
)

// What sittings are slower by is taken out, though no two have the same
// architectures, and a time that a disturbance spoilt does not count.
func TestSteady(t *testing.T) {
	const archs, rounds = 40, 4
	r := rand.New(rand.NewPCG(1, 2))
	truth := make([]float64, archs)
	for i := range truth {
		truth[i] = math.Log(20 + 30*r.Float64())
	}
	var seen []observation
	var slower []float64
	for round := range rounds {
		for block, members := range slices.Collect(slices.Chunk(r.Perm(archs-1), 13)) {
			s, by := sitting{round, block}, 0.1*r.NormFloat64()
			slower = append(slower, by)
			for _, i := range append([]int{-1}, members...) { // 0 is the control
				seen = append(seen, observation{s, i + 1, truth[i+1] + by})
			}
		}
	}
	for k := range seen { // a disturbance of one sitting that is shorter than it
		if seen[k].sitting == (sitting{1, 1}) && k%2 == 0 {
			seen[k].log += 0.3
		}
	}
	mean := 0.0
	for _, by := range slower {
		mean += by / float64(len(slower))
	}
	got := steady(seen, archs, false)
	for i := range truth {
		if want := math.Exp(truth[i] + mean); math.Abs(best(got[i], false)-want) > 1e-4*want {
			t.Errorf("architecture %d: %v, want %v", i, got[i], want)
		}
	}
	for i, times := range steady(seen, archs, true) {
		if i > 0 && best(times, true) != slices.Min(times) || len(times) < rounds {
			t.Errorf("architecture %d: %v, want the fastest of %v", i, best(times, true), times)
		}
	}
}

// Every round times every architecture once, in sittings that fit into memory and
// differ from round to round.
func TestPlan(t *testing.T) {
	on := microTask(t)
	m := measure(t, on, newMadeUp(t, on), filepath.Join(t.TempDir(), "rounds.jsonl"))
	m.Memory = 40 << 20
	plan, err := m.plan()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int][]int{}
	first := map[int][]int{}
	for _, s := range plan {
		seen[s.round] = append(seen[s.round], s.block...)
		if s.sitting.block == 0 {
			first[s.round] = s.block
		}
		memory := int64(0)
		for _, a := range m.withControl(s.block) {
			need, err := footprint(on, a)
			if err != nil {
				t.Fatal(err)
			}
			memory += need
		}
		if memory > m.Memory {
			t.Errorf("%v takes %d bytes", s.sitting, memory)
		}
	}
	for round, archs := range seen {
		slices.Sort(archs)
		if len(archs) != 25 || len(slices.Compact(archs)) != 25 || round > 0 && slices.Equal(first[round], first[0]) {
			t.Errorf("round %d: %v, first sitting %v", round, archs, first[round])
		}
	}
	if len(plan) < 8 || len(seen) != 4 {
		t.Errorf("%d sittings in %d rounds", len(plan), len(seen))
	}
}

// A machine that slows down by a third half-way changes no order and no ratio.
func TestDrift(t *testing.T) {
	on := microTask(t)
	even := newMadeUp(t, on)
	m := measure(t, on, even, filepath.Join(t.TempDir(), "a.jsonl"))
	m.Memory = 40 << 20
	want, _, err := m.Run(t.Context(), progress.Discard)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := m.plan()
	if err != nil {
		t.Fatal(err)
	}
	drifting := newMadeUp(t, on)
	drifting.slower = func() float64 { return 1 + float64(drifting.opened/30%3)/3 }
	m.Machine, m.State = drifting, filepath.Join(t.TempDir(), "b.jsonl")
	got, _, err := m.Run(t.Context(), progress.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ratio := got[0].EncoderMS / want[0].EncoderMS
	for i := range want {
		if r := got[i].EncoderMS / want[i].EncoderMS; math.Abs(r/ratio-1) > 0.01 || ratio < 1.1 {
			t.Errorf("architecture %d of %d sittings: %v times, the first %v", i, len(plan), r, ratio)
		}
	}
}
