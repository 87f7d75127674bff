package ort

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Hardware is what the system tells of a device; what it does not tell is empty.
type Hardware struct {
	Name   string
	Driver string // empty for the CPU
	// MemoryBytes is the device's own memory, of a CPU the machine's.
	MemoryBytes int64
}

// String is what tables call the device: of a GPU its name, driver and memory.
func (h Hardware) String() string {
	out := h.Name
	if h.Driver == "" {
		return out
	}
	if out += ", " + h.Driver; h.MemoryBytes > 0 {
		out += fmt.Sprintf(", %.1f GiB", float64(h.MemoryBytes)/(1<<30))
	}
	return out
}

// HardwareOf asks the system about a device: Linux about the CPU, Vulkan about
// webgpu, the NVIDIA driver about cuda.
func HardwareOf(device string) (Hardware, error) {
	d, err := ParseDevice(device)
	if err != nil {
		return Hardware{}, err
	}
	switch d.kind {
	case kindWebGPU:
		gpus, err := vulkanDevices()
		if err != nil {
			return Hardware{}, unavailable(d, err)
		}
		return likeliest(gpus), nil
	case kindCUDA:
		h, err := cudaDevice(d.index)
		if err != nil {
			return Hardware{}, unavailable(d, err)
		}
		return h, nil
	}
	return Hardware{Name: Processor(), MemoryBytes: memoryTotal()}, nil
}

// likeliest is the Vulkan device that ONNX Runtime runs on. It does not say which
// one it took; it asks for high performance, which is a discrete GPU before an
// integrated one before any other. Where several are of the best type, they are
// all named and the rest is left out.
func likeliest(gpus []Hardware) Hardware {
	if len(gpus) == 1 {
		return gpus[0]
	}
	names := make([]string, len(gpus))
	same := true
	for i, g := range gpus {
		names[i] = g.Name
		same = same && g == gpus[0]
	}
	if same {
		return gpus[0]
	}
	slices.Sort(names)
	return Hardware{Name: "one of " + strings.Join(slices.Compact(names), ", ")}
}

// memoryTotal is the machine's memory, 0 where Linux does not tell.
func memoryTotal() int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kib int64
		if n, _ := fmt.Sscanf(lines.Text(), "MemTotal: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	return 0
}
