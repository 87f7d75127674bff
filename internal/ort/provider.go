package ort

import (
	"fmt"
	"strconv"
	"strings"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"hsnas/internal/config"
)

// vulkanAdvice says how to get a Vulkan device.
const vulkanAdvice = "install libvulkan1 and the GPU's Vulkan driver (on Debian mesa-vulkan-drivers for AMD and Intel, nvidia-vulkan-icd for NVIDIA)"

// appendProvider puts the device's execution provider before the CPU's. A device
// that cannot be had is a *config.Error that says how to get it.
func (r *Runtime) appendProvider(options *onnxruntime.SessionOptions, d Device) error {
	switch d.kind {
	case kindWebGPU:
		// Looked at first because the library writes lines of its own to stderr
		// where there is no Vulkan.
		gpus, err := r.gpus()
		if err != nil {
			return unavailable(d, err)
		}
		if err := options.AppendExecutionProvider("WebGPU", nil); err != nil {
			return r.webGPUFault(d, gpus, err)
		}
	case kindCUDA:
		if err := appendCUDA(options, d.index); err != nil {
			return r.cudaFault(d, err)
		}
	}
	return nil
}

// CheckDevice says what opening a model on a device would say of the device, for
// those who have much to do before they open one.
func (r *Runtime) CheckDevice(device string) error {
	options, err := r.sessionOptions(Options{Device: device})
	if err != nil {
		return err
	}
	return options.Destroy()
}

// unavailable is what the system says of a device that it does not have.
func unavailable(d Device, reason error) error {
	if d.kind == kindWebGPU {
		reason = fmt.Errorf("%w: %s", reason, vulkanAdvice)
	}
	return config.Errorf("", 0, "device %q: %v", d, reason)
}

func (r *Runtime) webGPUFault(d Device, gpus []Hardware, err error) error {
	reason := reasonOf(err)
	switch {
	case isMissingProvider(reason):
		return config.Errorf("", 0, "device %q: the onnx runtime library %s has no WebGPU provider: run \"just setup\" and unset %s, or set it to a libonnxruntime.so of version %s that has one",
			d, r.path, LibraryVariable, minorVersion)
	case strings.Contains(reason, "adapter") || strings.Contains(reason, "WebGPU device"):
		names := make([]string, len(gpus))
		for i, g := range gpus {
			names[i] = g.Name
		}
		return config.Errorf("", 0, "device %q: onnx runtime can use none of the Vulkan devices here, %s (%s): %s",
			d, strings.Join(names, ", "), reason, vulkanAdvice)
	}
	return config.Errorf("", 0, "device %q: %s", d, reason)
}

func (r *Runtime) cudaFault(d Device, err error) error {
	reason := reasonOf(err)
	switch _, missing := cudaDevice(d.index); {
	case isMissingProvider(reason):
		return config.Errorf("", 0, "device %q: the onnx runtime library %s has no CUDA provider: set %s to the libonnxruntime.so of a CUDA build of version %s",
			d, r.path, LibraryVariable, minorVersion)
	case missing != nil:
		return unavailable(d, missing)
	}
	return config.Errorf("", 0, "device %q: %s", d, reason)
}

func appendCUDA(options *onnxruntime.SessionOptions, index int) error {
	cuda, err := onnxruntime.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer cuda.Destroy()
	if err := cuda.Update(map[string]string{"device_id": strconv.Itoa(index)}); err != nil {
		return err
	}
	return options.AppendExecutionProviderCUDA(cuda)
}

// isMissingProvider tells a library that was built without a provider, or that
// the provider's own library does not lie beside.
func isMissingProvider(reason string) bool {
	for _, sign := range []string{"not supported in this build", "not enabled in this build", "libonnxruntime_providers_"} {
		if strings.Contains(reason, sign) {
			return true
		}
	}
	return false
}

// reasonOf is a message of the library without the place in its source that it
// begins with.
func reasonOf(err error) string {
	text := oneLine(err)
	if _, reason, ok := strings.Cut(text, " was false. "); ok {
		return reason
	}
	return text
}
