package benchmark

import (
	"path/filepath"
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
