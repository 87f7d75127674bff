package ort

import (
	"strconv"
	"strings"

	"hsnas/internal/config"
)

// Device is where models run. The zero value is the CPU.
type Device struct {
	kind  string // "" and cpu are the same
	index int    // of cuda
}

// The kinds of devices.
const (
	kindCPU    = "cpu"
	kindWebGPU = "webgpu" // any GPU, through Vulkan
	kindCUDA   = "cuda"   // needs a CUDA build of the library
)

// Devices lists what ParseDevice takes.
func Devices() []string { return []string{kindCPU, kindWebGPU, kindCUDA, "cuda:N"} }

// ParseDevice reads cpu (or nothing), webgpu, cuda or cuda:N. Anything else is a
// *config.Error.
func ParseDevice(text string) (Device, error) {
	kind, number, numbered := strings.Cut(text, ":")
	switch {
	case text == "":
		return Device{}, nil
	case !numbered && (kind == kindCPU || kind == kindWebGPU || kind == kindCUDA):
		return Device{kind: kind}, nil
	case kind == kindCUDA:
		if index, err := strconv.ParseUint(number, 10, 15); err == nil {
			return Device{kind: kind, index: int(index)}, nil
		}
	}
	if near := config.Nearest(text, []string{kindCPU, kindWebGPU, kindCUDA}); near != "" {
		return Device{}, config.Errorf("", 0, "unknown device %q; did you mean %q?", text, near)
	}
	return Device{}, config.Errorf("", 0, "unknown device %q; known: %s", text, strings.Join(Devices(), ", "))
}

// String is what ParseDevice reads: cpu, webgpu, cuda or cuda:1.
func (d Device) String() string {
	switch {
	case d.kind == "":
		return kindCPU
	case d.index > 0:
		return d.kind + ":" + strconv.Itoa(d.index)
	}
	return d.kind
}

// CPU says whether it is the CPU.
func (d Device) CPU() bool { return d.kind == "" || d.kind == kindCPU }

// Provider is the name that ONNX Runtime has for the device's execution provider.
func (d Device) Provider() string {
	switch d.kind {
	case kindWebGPU:
		return "WebGPU"
	case kindCUDA:
		return "CUDA"
	}
	return "CPU"
}

// Provider is the execution provider of a device that is given as text.
func Provider(device string) (string, error) {
	d, err := ParseDevice(device)
	if err != nil {
		return "", err
	}
	return d.Provider(), nil
}
