package chart

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// span returns the least and the greatest value, 0 and 1 for none.
func span(values []float64) (lo, hi float64) {
	if len(values) == 0 {
		return 0, 1
	}
	lo, hi = values[0], values[0]
	for _, v := range values {
		lo, hi = min(lo, v), max(hi, v)
	}
	return lo, hi
}

// room is what an axis leaves beside the outermost values, as a part of their span.
const room = 0.06

// linearRange is the range of an axis that shows lo to hi. A range that touches
// zero from above begins there.
func linearRange(lo, hi float64, zero bool) (float64, float64) {
	if zero {
		lo, hi = min(lo, 0), max(hi, 0)
	}
	width := hi - lo
	if width == 0 {
		width = max(math.Abs(hi), 1)
		if !zero {
			lo -= width * room
		}
	} else if !zero || lo < 0 {
		lo -= width * room
	}
	return lo, hi + width*room
}

func logRange(lo, hi float64) (float64, float64) {
	factor := math.Pow(hi/lo, room)
	if hi == lo {
		factor = 1.5
	}
	return lo / factor, hi * factor
}

// linearTicks are three to six round numbers between lo and hi.
func linearTicks(lo, hi float64) plot.ConstantTicks {
	rough := (hi - lo) / 5.5
	power := math.Pow10(int(math.Floor(math.Log10(rough))))
	step := 10 * power
	for _, s := range []float64{1, 2, 5} {
		if s*power >= rough {
			step = s * power
			break
		}
	}
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	var ticks plot.ConstantTicks
	for i := math.Ceil(lo/step - 1e-9); i*step <= hi+1e-9*step; i++ {
		v := i * step
		ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v+0, 'f', decimals, 64)})
	}
	return ticks
}

// logTicks are powers of ten, with their doubles and halves where there are few.
func logTicks(lo, hi float64) plot.ConstantTicks {
	factors := []float64{1, 2, 5}
	if hi/lo > 1000 {
		factors = []float64{1}
	}
	var ticks plot.ConstantTicks
	for e := math.Floor(math.Log10(lo)); e <= math.Ceil(math.Log10(hi)); e++ {
		for _, f := range factors {
			if v := f * math.Pow(10, e); v >= lo && v <= hi {
				ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 3, 64)})
			}
		}
	}
	if len(ticks) < 2 { // less than a factor of two or so
		return linearTicks(lo, hi)
	}
	return ticks
}
