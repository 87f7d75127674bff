package evolve

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// InfeasibleError says that no architecture within the limits was found.
type InfeasibleError struct {
	Constraints []Constraint
	// Closest are the costs, in the order of the constraints, of the sample
	// that missed the limits by least: the smallest largest relative excess.
	Closest []float64
	Samples int // architectures drawn
}

// Error is one line: the limit, how close the best came, what to do.
func (e *InfeasibleError) Error() string {
	samples := grouped(e.Samples)
	if len(e.Constraints) == 1 {
		c := e.Constraints[0]
		return fmt.Sprintf("no architecture within %s in %s samples: the %s came to %s; raise the limit to at least that or widen the space",
			amount(strconv.FormatFloat(c.Max, 'g', -1, 64), c.Unit), samples, superlative(c), amount(upwards(e.Closest[0]), c.Unit))
	}
	var limits, closest []string
	for i, c := range e.Constraints {
		limits = append(limits, c.Name+" "+amount(strconv.FormatFloat(c.Max, 'g', -1, 64), c.Unit))
		closest = append(closest, c.Name+" "+amount(upwards(e.Closest[i]), c.Unit))
	}
	return fmt.Sprintf("no architecture within %s in %s samples: the closest came to %s; raise the limits to at least that or widen the space",
		strings.Join(limits, " and "), samples, strings.Join(closest, " and "))
}

func within(constraints []Constraint, costs []float64) bool {
	for i, c := range constraints {
		if costs[i] > c.Max {
			return false
		}
	}
	return true
}

// excess is by how much costs break the worst of the limits, relative to it; a
// limit of 0 has no relative, and counts in its own unit.
func excess(constraints []Constraint, costs []float64) float64 {
	worst := math.Inf(-1)
	for i, c := range constraints {
		scale := math.Abs(c.Max)
		if scale == 0 {
			scale = 1
		}
		worst = max(worst, (costs[i]-c.Max)/scale)
	}
	return worst
}

func superlative(c Constraint) string {
	if c.Unit == "ms" || c.Unit == "s" {
		return "fastest"
	}
	return "lowest " + c.Name
}

func amount(number, unit string) string {
	if unit == "" {
		return number
	}
	return number + " " + unit
}

// upwards writes x with four significant digits, rounded up: an architecture of
// that cost must be within the limit that the message speaks of.
func upwards(x float64) string {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64)
	if rounded < x {
		step := math.Pow(10, math.Floor(math.Log10(math.Abs(x)))-3)
		rounded, _ = strconv.ParseFloat(strconv.FormatFloat(rounded+step, 'g', 4, 64), 64)
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// grouped writes n with commas between the thousands.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
