package evolve_test

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"hsnas/internal/evolve"
	"hsnas/internal/space"
)

// pymoo are point sets and what pymoo says of them; testdata/front_golden.py made them.
func pymoo(t *testing.T) (sets []struct {
	Name        string
	Points      [][]float64
	Rank, Front []int
	Crowding    []float64 // of Front, -1 for infinity
	Reference   []float64
	Hypervolume float64
},
) {
	t.Helper()
	text, err := os.ReadFile("testdata/front_golden.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &sets); err != nil {
		t.Fatal(err)
	}
	return sets
}

func TestFrontsAsPymoo(t *testing.T) {
	for _, s := range pymoo(t) {
		rank, crowding := evolve.Fronts(s.Points)
		if !slices.Equal(rank, s.Rank) {
			t.Errorf("%s, %d objectives: ranks %v\nwant %v", s.Name, len(s.Reference), rank, s.Rank)
		}
		for i, at := range s.Front {
			want := s.Crowding[i]
			if want < 0 {
				want = math.Inf(1)
			}
			if got := crowding[at]; got != want && !(math.Abs(got-want) < 1e-12) {
				t.Errorf("%s: point %d has crowding %v, want %v", s.Name, at, got, want)
			}
		}
	}
}

func TestHypervolumeAsPymoo(t *testing.T) {
	for _, s := range pymoo(t) {
		if got := evolve.Hypervolume(s.Points, s.Reference); math.Abs(got-s.Hypervolume) > 1e-12 {
			t.Errorf("%s, %d objectives: %v, want %v", s.Name, len(s.Reference), got, s.Hypervolume)
		}
	}
}

// By hand: two rectangles that overlap, two boxes, and nothing.
func TestHypervolumeByHand(t *testing.T) {
	cases := []struct {
		points    [][]float64
		reference []float64
		want      float64
	}{
		{[][]float64{{1, 2}, {2, 1}}, []float64{3, 3}, 3},
		{[][]float64{{0, 0, 0}, {0, 0, 0}, {1, 1, 1}}, []float64{2, 3, 4}, 24},
		{[][]float64{{0, 1, 0}, {1, 0, 1}}, []float64{2, 2, 2}, 2*1*2 + 1*2*1 - 1},
		{[][]float64{{3, 0}, {0, 4}}, []float64{3, 3}, 0},
		{nil, []float64{1, 1}, 0},
		{[][]float64{{0.25}, {0.5}}, []float64{1}, 0.75},
	}
	for _, c := range cases {
		if got := evolve.Hypervolume(c.points, c.reference); got != c.want {
			t.Errorf("%v up to %v: %v, want %v", c.points, c.reference, got, c.want)
		}
	}
}

// More points never take volume away, and dominated ones add none.
func TestHypervolumeGrows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var points [][]float64
	last := 0.0
	for range 60 {
		points = append(points, []float64{r.Float64(), r.Float64(), r.Float64()})
		reference := []float64{1, 1, 1}
		now := evolve.Hypervolume(points, reference)
		if now < last-1e-12 {
			t.Fatalf("%d points have %v, one less %v", len(points), now, last)
		}
		rank, _ := evolve.Fronts(points)
		var front [][]float64
		for i, p := range points {
			if rank[i] == 0 {
				front = append(front, p)
			}
		}
		if alone := evolve.Hypervolume(front, reference); math.Abs(alone-now) > 1e-12 {
			t.Fatalf("the front of %d points has %v, all have %v", len(points), alone, now)
		}
		last = now
	}
}

// bargain is a problem of a quality that grows with what it costs.
func bargain(t testing.TB, limit float64) (p evolve.Problem, student, baseline *pointwise) {
	p, _, _, _ = problem(t, wide, limit)
	student = scorer("student", func(a space.Architecture) float64 { return deep(a) + 0.3*math.Cos(size(a)) })
	baseline = scorer("baseline", func(a space.Architecture) float64 { return deep(a) })
	p.Student, p.Baseline = student, baseline
	if limit == 0 {
		p.Constraints = nil
	}
	p.Objectives = []evolve.Objective{{Name: "quality"}, {Name: "latency_ms", Cost: scorer("size", size)}, {Name: "units", Cost: scorer("units", units)}}
	p.Reference = []float64{0, 600, 100}
	return p, student, baseline
}

func small() evolve.Params {
	return evolve.Params{Iterations: 8, Population: 24, Parents: 8, Mutation: 8, Crossover: 8, MutationProbability: 0.3, Tries: 500, Probes: 6, Reviews: 1}
}

// Whatever the schedule and the limit, the front is that of everything that the
// baseline has seen, is within the limit, and nothing was scored twice.
func TestFrontIsTheFront(t *testing.T) {
	for _, schedule := range evolve.Schedules() {
		for _, limit := range []float64{0, 120} {
			for _, students := range []int{0, 3, 8} {
				p, student, baseline := bargain(t, limit)
				params := small()
				params.Schedule, params.StudentIterations = evolve.Schedule(schedule), students
				var lines []evolve.Generation
				result, err := evolve.Search(context.Background(), p, params, evolve.Options{Source: seeded(5), Progress: func(g evolve.Generation) { lines = append(lines, g) }})
				if err != nil {
					t.Fatal(err)
				}
				if result.Scorer != "baseline" || len(baseline.seen) == 0 || students == 0 && len(student.seen) > 0 {
					t.Errorf("%s: ranked by %s; baseline %d, student %d", schedule, result.Scorer, len(baseline.seen), len(student.seen))
				}
				for _, s := range []*pointwise{student, baseline} {
					for key, n := range s.seen {
						if n != 1 {
							t.Fatalf("%s: %s asked %d times for %x", schedule, s.name, n, key)
						}
					}
				}
				checkFront(t, result.Front, limit)
				last := lines[len(lines)-1]
				var values [][]float64
				for _, f := range result.Front {
					values = append(values, []float64{-f.Values[0], f.Values[1], f.Values[2]})
				}
				if got := evolve.Hypervolume(values, []float64{0, 600, 100}); math.Abs(got-last.Hypervolume) > 1e-9*got || got <= 0 {
					t.Errorf("%s: the front has a hypervolume of %v, the last line says %v", schedule, got, last.Hypervolume)
				}
				if last.Baseline != int64(len(baseline.seen)) || last.Student != int64(len(student.seen)) || len(lines) != 8 {
					t.Errorf("%s: %+v after %d lines; baseline %d, student %d", schedule, last, len(lines), len(baseline.seen), len(student.seen))
				}
				for i, g := range lines[1:] {
					if g.Hypervolume < lines[i].Hypervolume {
						t.Errorf("%s: the hypervolume falls in %v", schedule, lines)
					}
				}
			}
		}
	}
}

func checkFront(t *testing.T, front []evolve.Point, limit float64) {
	t.Helper()
	var values [][]float64
	for _, p := range front {
		values = append(values, []float64{-p.Values[0], p.Values[1], p.Values[2]})
		if p.Values[0] != p.Score || p.Values[1] != size(p.Architecture) || p.Values[2] != units(p.Architecture) || limit > 0 && p.Values[1] > limit {
			t.Errorf("%+v: want score %v, size %v up to %v, units %v", p, p.Score, size(p.Architecture), limit, units(p.Architecture))
		}
	}
	rank, _ := evolve.Fronts(values)
	for i, p := range front {
		if rank[i] != p.Rank || i > 0 && (front[i-1].Rank > p.Rank || front[i-1].Rank == p.Rank && front[i-1].Crowding < p.Crowding) {
			t.Errorf("place %d has rank %d and crowding %v, want rank %d in order", i, p.Rank, p.Crowding, rank[i])
		}
	}
	if len(front) == 0 || front[0].Rank != 0 {
		t.Error("no front")
	}
}

// NSGA-II finds every corner of a small space whose front is known, and is far better
// than as many samples.
func TestFrontOfATinySpace(t *testing.T) {
	p, _, _, _ := problem(t, tiny, 1e9)
	p.Objectives = []evolve.Objective{{Name: "quality"}, {Name: "size", Cost: scorer("size", size)}}
	params := evolve.Params{Iterations: 20, Population: 40, Parents: 10, Mutation: 15, Crossover: 15, MutationProbability: 0.3, Tries: 1000}
	result, err := evolve.Search(context.Background(), p, params, on(1, nil))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(seeded(9))
	for range 20000 {
		a := p.Space.Sample(r)
		for _, f := range result.Front {
			if f.Rank == 0 && rugged(a) >= f.Values[0] && size(a) <= f.Values[1] && (rugged(a) > f.Values[0] || size(a) < f.Values[1]) {
				t.Fatalf("%s dominates %s of the front", a, f.Architecture)
			}
		}
	}
}

func TestFrontOfSamples(t *testing.T) {
	p, _, baseline := bargain(t, 120)
	result, err := evolve.Search(context.Background(), p, evolve.RandomParams(50, 500), on(1, nil))
	if err != nil || len(baseline.seen) != 50 {
		t.Fatalf("%d scored, %v", len(baseline.seen), err)
	}
	checkFront(t, result.Front, 120)
}
