// Package orttest gives tests the ONNX Runtime library.
package orttest

import (
	"math"
	"os"
	"testing"

	"hsnas/internal/ort"
)

// Open returns the runtime. Where the library is not set up the test is
// skipped, with the reason; under continuous integration (CI is set) it fails.
func Open(tb testing.TB) *ort.Runtime {
	tb.Helper()
	rt, err := ort.Open()
	if err == nil {
		return rt
	}
	if os.Getenv("CI") != "" {
		tb.Fatal(err)
	}
	tb.Skip(err)
	return nil
}

// DeviceVariable is the environment variable that names the device that tests of
// devices hold against the CPU.
const DeviceVariable = "HSNAS_TEST_DEVICE"

// Device returns the runtime and the device under test. Without DeviceVariable the
// test is skipped; with it, a device that does not open fails it.
func Device(tb testing.TB) (rt *ort.Runtime, device string) {
	tb.Helper()
	device = os.Getenv(DeviceVariable)
	if device == "" {
		tb.Skipf("%s names no device; checks/gpu.sh runs this on a software GPU", DeviceVariable)
	}
	if _, err := ort.HardwareOf(device); err != nil {
		tb.Fatal(err)
	}
	return Open(tb), device
}

// Near fails the test where two results differ by more than tolerance, relative to
// the largest value, and logs by how much they do.
func Near(tb testing.TB, what string, got, want []float32, tolerance float64) {
	tb.Helper()
	if len(got) != len(want) || len(got) == 0 {
		tb.Fatalf("%s: %d numbers, on the CPU %d", what, len(got), len(want))
	}
	worst, scale := 0.0, 0.0
	for i := range got {
		d := math.Abs(float64(got[i]) - float64(want[i]))
		if math.IsNaN(d) {
			tb.Fatalf("%s: number %d is %v, on the CPU %v", what, i, got[i], want[i])
		}
		worst, scale = max(worst, d), max(scale, math.Abs(float64(want[i])))
	}
	tb.Logf("%s: largest difference from the CPU %.1e of %.3g", what, worst, scale)
	if worst > tolerance*max(scale, 1) {
		tb.Errorf("%s: largest difference from the CPU %g of %g", what, worst, scale)
	}
}
