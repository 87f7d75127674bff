package report

import (
	"fmt"
	"math"

	"hsnas/schemas"
)

// fronts writes what searches for a front reached, each at its last generation.
func (w *writer) fronts() {
	last := map[string]schemas.SearchProgress{}
	var order []string
	for _, p := range w.art.progress {
		if math.IsNaN(p.Hypervolume) {
			continue
		}
		key := fmt.Sprintf("%s %v %d", p.Search, p.Limit, p.Seed)
		if _, ok := last[key]; !ok {
			order = append(order, key)
		}
		last[key] = p
	}
	if len(order) == 0 {
		return
	}
	var rows [][]string
	for _, key := range order {
		p := last[key]
		rows = append(rows, []string{
			p.Search, number(p.Limit, 2), fmt.Sprint(p.Seed), fmt.Sprint(p.StudentEvaluations), fmt.Sprint(p.BaselineEvaluations), number(p.Hypervolume, 4), fmt.Sprint(w.onFront(p)),
		})
	}
	w.heading(3, "Fronts")
	w.paragraph("Hypervolume that everything dominates which the baseline has scored in the search, up to the reference of pareto.parquet, which holds the fronts themselves.")
	w.table([]string{"search", ">limit", ">seed", ">student evaluations", ">baseline evaluations", ">hypervolume", ">on the front"}, rows)
}

// onFront counts the architectures that nothing dominates.
func (w *writer) onFront(p schemas.SearchProgress) int {
	n := 0
	for _, x := range w.art.pareto {
		same := x.Limit == p.Limit || math.IsNaN(x.Limit) && math.IsNaN(p.Limit)
		if x.Search == p.Search && x.Seed == p.Seed && same && x.Rank == 1 {
			n++
		}
	}
	return n
}
