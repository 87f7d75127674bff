package evolve

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Objective is one of what a search for a front trades off: a cost, lower is better,
// or, without Cost, the quality, higher is better.
type Objective struct {
	Name string
	Cost Scorer
}

// Point is an architecture on or behind a front.
type Point struct {
	Candidate
	Values   []float64 // of the objectives, in their order
	Rank     int       // 0 is the front: what nothing dominates
	Crowding float64   // distance to its neighbours on its front; +Inf at the ends
}

// vector returns what key is worth in every objective, lower being better.
func (s *search) vector(scorer *memory, key string) []float64 {
	out := make([]float64, len(s.problem.Objectives))
	for i, o := range s.problem.Objectives {
		if o.Cost == nil {
			out[i] = -scorer.value[key]
		} else {
			out[i] = s.cost(o.Name).value[key]
		}
	}
	return out
}

// minimised turns values of the objectives so that lower is better, and back.
func (s *search) minimised(values []float64) []float64 {
	out := slices.Clone(values)
	for i, o := range s.problem.Objectives {
		if o.Cost == nil {
			out[i] = -out[i]
		}
	}
	return out
}

// sorted are members in the order of NSGA-II: by front, on it the most lonely
// first, equals in the order in which they came.
type sorted struct {
	members  []member
	vectors  [][]float64
	rank     []int
	crowding []float64
}

func (s *search) sort(members []member, scorer *memory) sorted {
	vectors := make([][]float64, len(members))
	for i, m := range members {
		vectors[i] = s.vector(scorer, m.key)
	}
	rank, crowding := Fronts(vectors)
	order := make([]int, len(members))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if rank[a] != rank[b] {
			return rank[a] - rank[b]
		}
		return rising(crowding[b], crowding[a])
	})
	var out sorted
	for _, i := range order {
		out.members, out.vectors = append(out.members, members[i]), append(out.vectors, vectors[i])
		out.rank, out.crowding = append(out.rank, rank[i]), append(out.crowding, crowding[i])
	}
	return out
}

// survivors are the best of a generation, as many as a population. Where the scorer
// changes they are as many as Params.Parents: the new one has to score each.
func (s *search) survivors(last []member, judge, scorer *memory) []member {
	n := s.p.Population
	if judge != scorer {
		n = s.p.Parents
	}
	members := s.sort(last, judge).members
	return members[:min(n, len(members))]
}

// judge has the baseline score the front of a search that ends with another scorer
// in charge: fronts are compared by the baseline.
func (s *search) judge(ctx context.Context) error {
	if len(s.problem.Objectives) == 0 {
		return nil
	}
	baseline := s.memory(s.problem.Baseline)
	if s.scorer == baseline {
		return nil
	}
	members := slices.Clone(s.sort(s.leading(s.scorer, 1), s.scorer).members)
	for i := range members {
		members[i].origin = OriginFront
	}
	if err := s.evaluate(ctx, members, len(s.members), baseline); err != nil {
		return fmt.Errorf("the front of the search: %w", err)
	}
	return nil
}

// leading are what is on the first fronts of everything that the scorer has seen, as
// many whole fronts as hold n, in the order in which it was seen. It spares the sort
// of all the others: a point can be dominated only by one that comes before it in
// the order of the first coordinate, then the second.
func (s *search) leading(scorer *memory, n int) []member {
	type point struct {
		at     int
		vector []float64
	}
	rest := make([]point, len(scorer.order))
	for i, m := range scorer.order {
		rest[i] = point{i, s.vector(scorer, m.key)}
	}
	slices.SortStableFunc(rest, func(a, b point) int { return slices.CompareFunc(a.vector, b.vector, rising) })
	var places []int
	for len(places) < n && len(rest) > 0 {
		var front, behind []point
		for _, p := range rest {
			if slices.ContainsFunc(front, func(q point) bool { return dominates(q.vector, p.vector) }) {
				behind = append(behind, p)
			} else {
				front = append(front, p)
				places = append(places, p.at)
			}
		}
		rest = behind
	}
	slices.Sort(places)
	out := make([]member, len(places))
	for i, at := range places {
		out[i] = scorer.order[at]
	}
	return out
}

// points are the first front of everything that the scorer has seen, and of the
// further ones as much as fills a population.
func (s *search) points(scorer *memory) []Point {
	all := s.sort(s.leading(scorer, s.p.Population), scorer)
	var out []Point
	for i, m := range all.members {
		if all.rank[i] > 0 && i >= s.p.Population {
			break
		}
		out = append(out, Point{
			Candidate: Candidate{m.arch, scorer.value[m.key], s.costsOf(m.key)},
			Values:    s.minimised(all.vectors[i]), Rank: all.rank[i], Crowding: all.crowding[i],
		})
	}
	return out
}

// Fronts sorts points, lower being better in every coordinate, into fronts and
// measures how lonely each is on its own, by the fast non-dominated sort and the
// crowding distance of NSGA-II (K. Deb, A. Pratap, S. Agarwal, T. Meyarivan, "A fast
// and elitist multiobjective genetic algorithm: NSGA-II", IEEE Transactions on
// Evolutionary Computation 6(2), 2002, sections III-A and III-B). Rank 0 is what
// nothing dominates. A crowding distance is +Inf at both ends of a coordinate, else
// the sum over the coordinates of the gap between the neighbours, as a share of
// the front's range.
func Fronts(points [][]float64) (rank []int, crowding []float64) {
	rank, crowding = make([]int, len(points)), make([]float64, len(points))
	beats := make([][]int, len(points)) // whom each dominates
	beaten := make([]int, len(points))  // by how many each is dominated
	for i := range points {
		for j := range points[:i] {
			switch {
			case dominates(points[i], points[j]):
				beats[i], beaten[j] = append(beats[i], j), beaten[j]+1
			case dominates(points[j], points[i]):
				beats[j], beaten[i] = append(beats[j], i), beaten[i]+1
			}
		}
	}
	var current []int
	for i, n := range beaten {
		if n == 0 {
			current = append(current, i)
		}
	}
	for r := 0; len(current) > 0; r++ {
		crowd(points, current, crowding)
		var next []int
		for _, i := range current {
			rank[i] = r
			for _, j := range beats[i] {
				if beaten[j]--; beaten[j] == 0 {
					next = append(next, j)
				}
			}
		}
		slices.Sort(next)
		current = next
	}
	return rank, crowding
}

// dominates says whether a is as good as b in everything and better in something.
func dominates(a, b []float64) bool {
	better := false
	for i, x := range a {
		if x > b[i] {
			return false
		}
		better = better || x < b[i]
	}
	return better
}

// crowd writes the crowding distances of a front.
func crowd(points [][]float64, front []int, out []float64) {
	for c := range points[front[0]] {
		order := slices.Clone(front)
		slices.SortStableFunc(order, func(a, b int) int { return rising(points[a][c], points[b][c]) })
		first, last := order[0], order[len(order)-1]
		out[first], out[last] = math.Inf(1), math.Inf(1)
		span := points[last][c] - points[first][c]
		for i := 1; i+1 < len(order) && span > 0; i++ {
			out[order[i]] += (points[order[i+1]][c] - points[order[i-1]][c]) / span
		}
	}
}

func rising(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
