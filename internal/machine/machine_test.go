package machine

import (
	"math"
	"runtime"
	"testing"
)

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		fields []string
		unit   float64
		want   float64
	}{{[]string{"45000"}, 1000, 45}, {[]string{"0.52", "1"}, 1, 0.52}, {nil, 1, math.NaN()}, {[]string{"hot"}, 1, math.NaN()}} {
		if got := number(c.fields, c.unit); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%q: %g, want %g", c.fields, got, c.want)
		}
	}
}

// TestPeakMemory: what the process touches is in its peak.
func TestPeakMemory(t *testing.T) {
	before := PeakMemory()
	if before == 0 {
		t.Skip("this system does not tell the peak memory of a process")
	}
	const size = 64 << 20
	x := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		x[i] = 1
	}
	if grown := PeakMemory(); grown < size {
		t.Errorf("peak of %d bytes with %d touched", grown, size)
	}
	runtime.KeepAlive(x)
}

func TestPinIsUndone(t *testing.T) {
	for range 3 { // a release that did not work would leave the next no choice
		release, ok := Pin()
		if !ok && runtime.GOOS == "linux" {
			t.Error("not pinned")
		}
		release()
	}
}
