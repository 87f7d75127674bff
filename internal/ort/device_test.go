package ort_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/config"
	"hsnas/internal/onnx"
	"hsnas/internal/ort"
	"hsnas/internal/ort/orttest"
)

func TestParseDevice(t *testing.T) {
	for text, want := range map[string][2]string{
		"": {"cpu", "CPU"}, "cpu": {"cpu", "CPU"}, "webgpu": {"webgpu", "WebGPU"},
		"cuda": {"cuda", "CUDA"}, "cuda:0": {"cuda", "CUDA"}, "cuda:3": {"cuda:3", "CUDA"},
	} {
		d, err := ort.ParseDevice(text)
		if err != nil || d.String() != want[0] || d.Provider() != want[1] || d.CPU() != (want[1] == "CPU") {
			t.Errorf("%q: %v by %s, %v; want %v", text, d, d.Provider(), err, want)
		}
	}
	for _, text := range []string{"cpu:1", "webgpu:0", "cuda:", "cuda:x", "cuda:99999999", "CUDA", ":", "gpu"} {
		var fault *config.Error
		if _, err := ort.ParseDevice(text); !errors.As(err, &fault) {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

func TestHardwareOfCPU(t *testing.T) {
	h, err := ort.HardwareOf("cpu")
	if err != nil || h.Name != ort.Processor() || h.Driver != "" || h.MemoryBytes < 1<<28 {
		t.Errorf("%+v, %v", h, err)
	}
}

// TestMissingCUDA: the library that just setup fetches has no CUDA, and asking for it
// says what to do instead of computing on the CPU.
func TestMissingCUDA(t *testing.T) {
	rt := orttest.Open(t)
	if path, _ := ort.LibraryPath(); path != rt.Path() || !strings.Contains(path, "/hsnas/onnxruntime-") {
		t.Skip("HSNAS_ORT_LIB names a library that may have the CUDA provider")
	}
	_, err := rt.LoadBytes(affine(t), ort.Options{Device: "cuda:1"})
	want := `device "cuda:1": the onnx runtime library ` + rt.Path() + ` has no CUDA provider: set HSNAS_ORT_LIB to the libonnxruntime.so of a CUDA build of version 1.27`
	var fault *config.Error
	if !errors.As(err, &fault) || err.Error() != want {
		t.Errorf("error %v\nexpected %s", err, want)
	}
}

// TestMissingVulkan: the same where there is no GPU with a Vulkan driver.
func TestMissingVulkan(t *testing.T) {
	rt := orttest.Open(t)
	_, missing := ort.HardwareOf("webgpu")
	if missing == nil {
		t.Skip("this machine has a Vulkan device: there is none to miss")
	}
	_, err := rt.LoadBytes(affine(t), ort.Options{Device: "webgpu"})
	var fault *config.Error
	if !errors.As(err, &fault) || err.Error() != missing.Error() || !strings.HasPrefix(err.Error(), `device "webgpu": no `) ||
		!strings.HasSuffix(err.Error(), ": install libvulkan1 and the GPU's Vulkan driver (on Debian mesa-vulkan-drivers for AMD and Intel, nvidia-vulkan-icd for NVIDIA)") {
		t.Errorf("error %v", err)
	}
}

// TestDeviceIsNamed: what a measurement records of the device.
func TestDeviceIsNamed(t *testing.T) {
	_, device := orttest.Device(t)
	h, err := ort.HardwareOf(device)
	if err != nil || h.Name == "" || h.Driver == "" || h.MemoryBytes == 0 {
		t.Errorf("%+v, %v", h, err)
	}
	t.Logf("%+v", h)
}

// TestDeviceRunsAll: a session is on the device or is refused, and the error names
// what the device lacks.
func TestDeviceRunsAll(t *testing.T) {
	rt, device := orttest.Device(t)
	shape := []onnx.Dim{onnx.Sym("n"), onnx.Fixed(3)}
	unary := func(op string) []byte {
		g := onnx.NewGraph("unary")
		x := g.Input("x", onnx.Float32, shape...)
		g.Output("y", g.Op("Relu", shape, []*onnx.Value{g.Op(op, shape, []*onnx.Value{x})}))
		model, err := g.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return model
	}
	for _, strict := range []bool{false, true} {
		o := ort.Options{Name: "unary", Device: device, StrictDevice: strict}
		s, err := rt.LoadBytes(unary("Sqrt"), o)
		if err != nil {
			t.Fatal(err)
		}
		y := floats(t, []int64{1, 3}, 0, 0, 0)
		if err := s.Run(t.Context(), []*ort.Tensor{floats(t, []int64{1, 3}, 4, 9, 16)}, []*ort.Tensor{y}); err != nil {
			t.Fatal(err)
		}
		orttest.Near(t, "roots", y.Floats(), []float32{2, 3, 4}, 1e-3)
		s.Close()
		_, err = rt.LoadBytes(unary("Det"), o)
		var fault *ort.PlacementError
		if !errors.As(err, &fault) || !slices.Equal(fault.Operators, []string{"Det"}) {
			t.Errorf("an operator that only the CPU has: error %v", err)
		}
	}
	// What computes shapes may be on the CPU, unless everything has to be on the device.
	if _, err := rt.LoadBytes(affine(t), ort.Options{Name: "affine", Device: device}); err != nil {
		t.Error(err)
	}
	_, err := rt.LoadBytes(affine(t), ort.Options{Name: "affine", Device: device, StrictDevice: true})
	want := `model affine cannot run on device "` + device + `": it has no Identity, and falling back to the CPU is not what was asked for; use device cpu`
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nexpected %s", err, want)
	}
}

// TestDeviceFaultIsNamed: a run that fails says on which device.
func TestDeviceFaultIsNamed(t *testing.T) {
	rt, device := orttest.Device(t)
	g := onnx.NewGraph("reshape")
	x := g.Input("x", onnx.Float32, onnx.Sym("n"))
	to := g.Input("to", onnx.Int64, onnx.Fixed(1))
	g.Output("y", g.Op("Reshape", []onnx.Dim{onnx.Sym("m")}, []*onnx.Value{x, to}))
	model, err := g.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	s, err := rt.LoadBytes(model, ort.Options{Name: "reshape", Device: device})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Run(t.Context(), []*ort.Tensor{floats(t, []int64{3}, 1, 2, 3), ints(t, []int64{1}, 4)}, make([]*ort.Tensor, 1))
	if err == nil || !strings.HasPrefix(err.Error(), `model reshape on device "`+device+`": `) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
}
