package doctor

import (
	"context"
	"errors"
	"fmt"

	"hsnas/internal/onnx"
	"hsnas/internal/ort"
)

// Answer is what a probing process found, and prints as JSON.
type Answer struct {
	Library string `json:"library"` // ONNX Runtime's version, "" where it could not be opened
	Name    string `json:"name"`    // of the device
	Driver  string `json:"driver"`
	Memory  int64  `json:"memory_bytes"`
	Fault   string `json:"fault"` // why the device cannot be used, "" where it can
}

func (a Answer) err() error {
	if a.Fault == "" {
		return nil
	}
	return errors.New(a.Fault)
}

// Examine asks the system about a device and computes something small on it, if
// there is an ONNX Runtime to do so.
func Examine(ctx context.Context, device string) Answer {
	var a Answer
	hardware, err := ort.HardwareOf(device)
	if err != nil {
		a.Fault = err.Error()
		return a
	}
	a.Name, a.Driver, a.Memory = hardware.Name, hardware.Driver, hardware.MemoryBytes
	rt, err := ort.Open()
	if err == nil {
		a.Library = rt.Version()
		err = multiply(ctx, rt, device)
	}
	if err != nil {
		a.Fault = err.Error()
	}
	return a
}

// order is that of the matrices that are multiplied.
const order = 64

// multiply computes a product whose every element is known.
func multiply(ctx context.Context, rt *ort.Runtime, device string) error {
	g := onnx.NewGraph("probe")
	shape := []int64{order, order}
	ones := make([]float32, order*order)
	for i := range ones {
		ones[i] = 1
	}
	x := g.Input("x", onnx.Float32, onnx.Dims(shape...)...)
	g.OutputAs("y", g.Op("MatMul", onnx.Dims(shape...), []*onnx.Value{x, g.Floats(shape, ones)}), onnx.Float32, onnx.Dims(shape...)...)
	model, err := g.Marshal()
	if err != nil {
		return err
	}
	s, err := rt.LoadBytes(model, ort.Options{Name: "probe", Device: device})
	if err != nil {
		return err
	}
	defer s.Close()
	in, err := ort.NewFloats(shape, ones)
	if err != nil {
		return err
	}
	defer in.Destroy()
	out := make([]*ort.Tensor, 1)
	if err := s.Run(ctx, []*ort.Tensor{in}, out); err != nil {
		return err
	}
	defer out[0].Destroy()
	for _, v := range out[0].Floats() {
		if v != order {
			return fmt.Errorf("device %q computes wrongly: an element of a product is %v, expected %d", device, v, order)
		}
	}
	return nil
}
