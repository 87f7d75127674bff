package benchmark

import (
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/ort/orttest"
	"hsnas/internal/progress"
	"hsnas/schemas"
)

// TestDeviceIsRecorded: what rows say of a device is what the system says of it. Timing
// on a software GPU would take minutes.
func TestDeviceIsRecorded(t *testing.T) {
	_, device := orttest.Device(t)
	provider, h, err := hardwareOf(device)
	if err != nil || provider == "CPU" || h.Name == "" || h.Driver == "" || !(gibibytes(h.MemoryBytes) > 0) {
		t.Errorf("%s, %+v, %v", provider, h, err)
	}
}

// TestDevicePrecisions: each precision runs on the device or is refused with a reason that
// names what is missing, and neither is a failure.
func TestDevicePrecisions(t *testing.T) {
	rt, device := orttest.Device(t)
	x := small(t)
	p := Defaults()
	p.Device, p.Variants = device, []string{"fp32", "fp16", "int8"}
	all, err := exportAll(t.Context(), p, Inputs{Task: x}, []candidate{{"smallest", x.Space.Smallest()}}, t.TempDir(), progress.Discard)
	if err != nil {
		t.Fatal(err)
	}
	runs, refused, err := sift(t.Context(), rt, p, all)
	if err != nil || len(runs)+len(refused) != 3 || runs[0].variant.name != "fp32" {
		t.Fatalf("%d run, %d are refused, %v", len(runs), len(refused), err)
	}
	for _, c := range refused {
		if !strings.HasPrefix(c.why, "not supported by this device: ") || strings.ContainsAny(c.why, "\n/") {
			t.Errorf("%s: %s", c.Name(), c.why)
		}
		t.Logf("%s: %s", c.Name(), c.why)
	}
	for _, c := range runs {
		t.Logf("%s runs", c.Name())
	}
}

// TestMissingDevice: a device that is not there is said before anything is exported,
// and nothing is left.
func TestMissingDevice(t *testing.T) {
	rt := orttest.Open(t)
	want := rt.CheckDevice("cuda:7")
	if want == nil {
		t.Skip("this machine has eight CUDA devices: there is none to miss")
	}
	dir := t.TempDir()
	p := Defaults()
	p.Device = "cuda:7"
	out := Outputs{filepath.Join(dir, "benchmark.parquet"), filepath.Join(dir, "samples.parquet"), filepath.Join(dir, "models.parquet"), filepath.Join(dir, "roofline.parquet")}
	err := Run(t.Context(), p, Inputs{Task: small(t), Front: filepath.Join(dir, "front.parquet")}, out, schemas.Provenance{}, progress.Discard)
	if err == nil || err.Error() != want.Error() || len(listing(t, dir)) != 0 {
		t.Errorf("error %v, left %v\nexpected %v", err, listing(t, dir), want)
	}
}
