package report

import (
	"fmt"
	"math"
	"slices"

	"hsnas/internal/metric"
	"hsnas/schemas"
)

// curve writes what more labels are worth: the students' errors by the number of
// labels, against labels that they did not see and against the truth.
func (w *writer) curve() {
	points := w.art.curve
	if len(points) == 0 {
		return
	}
	var sizes []int32
	var names []string // student and split
	for _, p := range points {
		if !slices.Contains(sizes, p.Labels) && p.Subset != schemas.SubsetFold {
			sizes = append(sizes, p.Labels)
		}
		if name := p.Student + ", " + p.Split; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(sizes)
	header := []string{"student, split"}
	for _, n := range sizes {
		header = append(header, fmt.Sprintf(">%d", n))
	}
	var rows [][]string
	for _, name := range names {
		row := []string{name}
		for _, n := range sizes {
			row = append(row, w.curvePoint(name, n))
		}
		last := points[slices.IndexFunc(points, func(p schemas.CurvePoint) bool { return p.Student+", "+p.Split == name })]
		rows = append(rows, append(row, number(last.TeacherMAE, 3), number(last.DirectMAE, 3)))
	}
	w.heading(3, "Learning curve")
	w.paragraph("MAE by the number of labels, mean over random subsets: against held-out labels, then against the truth about the test architectures; beside it the LLM's own error "+
		"and that of the same regressor fitted to the demonstrations, without an LLM. In %s.", w.task.Metric.Name)
	w.table(append(header, ">LLM-PP", ">direct"), rows)
}

// curvePoint words the mean of a student's fits on so many labels.
func (w *writer) curvePoint(name string, labels int32) string {
	var held, truth []float64
	for _, p := range w.art.curve {
		if p.Student+", "+p.Split != name || p.Labels != labels {
			continue
		}
		if truth = append(truth, p.TestMAE); !math.IsNaN(p.LabelMAE) {
			held = append(held, p.LabelMAE)
		}
	}
	if len(truth) == 0 {
		return absent
	}
	if len(held) == 0 {
		return number(metric.Mean(truth), 3)
	}
	return number(metric.Mean(held), 3) + " / " + number(metric.Mean(truth), 3)
}
