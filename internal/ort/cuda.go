package ort

/*
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

enum { CU_NO_DRIVER = -1 };

// cu_describe asks the NVIDIA driver for device n's name and memory; the result is
// CUDA's own error code. CUDA numbers devices itself, which is why the files of
// /proc, in the order of the bus, cannot tell.
static int cu_describe(int n, char *name, int size, size_t *memory) {
	void *lib = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!lib) return CU_NO_DRIVER;
	int (*init)(unsigned) = dlsym(lib, "cuInit");
	int (*get)(int *, int) = dlsym(lib, "cuDeviceGet");
	int (*name_of)(char *, int, int) = dlsym(lib, "cuDeviceGetName");
	int (*memory_of)(size_t *, int) = dlsym(lib, "cuDeviceTotalMem_v2");
	if (!init || !get || !name_of || !memory_of) return CU_NO_DRIVER;
	int device = 0, code = init(0);
	if (!code) code = get(&device, n);
	if (!code) code = name_of(name, size, device);
	if (!code) code = memory_of(memory, device);
	return code;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"regexp"
)

// cudaDevice describes an NVIDIA GPU by CUDA's number.
func cudaDevice(index int) (Hardware, error) {
	var name [256]C.char
	var memory C.size_t
	switch code := C.cu_describe(C.int(index), &name[0], C.int(len(name)), &memory); code {
	case 0:
		return Hardware{Name: C.GoString(&name[0]), Driver: nvidiaDriver(), MemoryBytes: int64(memory)}, nil
	case C.CU_NO_DRIVER:
		return Hardware{}, errors.New("no NVIDIA driver, libcuda.so.1, on this machine: install it (on Debian nvidia-driver)")
	case 100, 101: // no device at all, no device of this number
		return Hardware{}, fmt.Errorf("the NVIDIA driver knows no GPU %d: nvidia-smi lists them", index)
	default:
		return Hardware{}, fmt.Errorf("the NVIDIA driver fails with error %d: see what nvidia-smi says", code)
	}
}

var nvidiaVersion = regexp.MustCompile(`Kernel Module.*?\s(\d+\.[\d.]+)\s`)

// nvidiaDriver is the kernel module's version, "NVIDIA 550.54.14".
func nvidiaDriver() string {
	text, err := os.ReadFile("/proc/driver/nvidia/version")
	if err != nil {
		return "NVIDIA"
	}
	return nvidiaDriverOf(string(text))
}

func nvidiaDriverOf(text string) string {
	if m := nvidiaVersion.FindStringSubmatch(text); m != nil {
		return "NVIDIA " + m[1]
	}
	return "NVIDIA"
}
