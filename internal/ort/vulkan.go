package ort

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// The few structures of Vulkan 1.1 that naming devices takes, after its public
// specification; the headers are not on every machine that has the loader.
typedef struct { uint32_t sType; const void *pNext; const char *app; uint32_t appVersion; const char *engine; uint32_t engineVersion, apiVersion; } vk_app;
typedef struct { uint32_t sType; const void *pNext; uint32_t flags; const vk_app *app; uint32_t layers; const void *layerNames; uint32_t extensions; const void *extensionNames; } vk_instance_info;
typedef struct { uint32_t apiVersion, driverVersion, vendorID, deviceID, deviceType; char deviceName[256]; uint8_t rest[1024]; } vk_properties;
typedef struct { uint32_t sType; void *pNext; union { vk_properties properties; uint64_t align; }; } vk_properties2;
typedef struct { uint32_t sType; void *pNext; uint32_t driverID; char name[256], info[256]; uint32_t conformance; } vk_driver;
typedef struct { uint32_t types; uint32_t type[32][2]; uint32_t heaps; struct { uint64_t size; uint32_t flags, pad; } heap[16]; } vk_memory;

typedef struct { uint32_t type, version; uint64_t memory; char name[256], driver[256], info[256]; } vk_found;

enum { VK_OK = 0, VK_NO_LOADER = -10001, VK_BAD_LOADER = -10002 };

static void describe(void *device, void (*properties)(void *, vk_properties2 *), void (*memory)(void *, vk_memory *), vk_found *f) {
	vk_driver driver = { .sType = 1000196000 };
	vk_properties2 p = { .sType = 1000059001, .pNext = &driver };
	vk_memory m = { 0 };
	properties(device, &p);
	memory(device, &m);
	f->type = p.properties.deviceType;
	f->version = p.properties.driverVersion;
	memcpy(f->name, p.properties.deviceName, sizeof f->name);
	memcpy(f->driver, driver.name, sizeof f->driver);
	memcpy(f->info, driver.info, sizeof f->info);
	for (uint32_t i = 0; i < m.heaps && i < 16; i++)
		if ((m.heap[i].flags & 1) && m.heap[i].size > f->memory) // device-local
			f->memory = m.heap[i].size;
}

// vk_list writes up to max devices and returns how many, or a negative number.
static int vk_list(vk_found *found, uint32_t max) {
	void *lib = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!lib) return VK_NO_LOADER;
	void *(*proc)(void *, const char *) = dlsym(lib, "vkGetInstanceProcAddr");
	int32_t (*create)(const vk_instance_info *, const void *, void **) = dlsym(lib, "vkCreateInstance");
	if (!proc || !create) return VK_BAD_LOADER;
	vk_app app = { .apiVersion = (1u << 22) | (1u << 12) };
	vk_instance_info info = { .sType = 1, .app = &app };
	void *instance = NULL, *devices[16];
	if (create(&info, NULL, &instance) != VK_OK) return 0; // no driver
	int32_t (*enumerate)(void *, uint32_t *, void **) = proc(instance, "vkEnumeratePhysicalDevices");
	void (*properties)(void *, vk_properties2 *) = proc(instance, "vkGetPhysicalDeviceProperties2");
	void (*memory)(void *, vk_memory *) = proc(instance, "vkGetPhysicalDeviceMemoryProperties");
	void (*destroy)(void *, const void *) = proc(instance, "vkDestroyInstance");
	uint32_t n = max < 16 ? max : 16;
	if (!enumerate || !properties || !memory || !destroy || enumerate(instance, &n, devices) < 0) n = 0;
	for (uint32_t i = 0; i < n; i++) describe(devices[i], properties, memory, &found[i]);
	if (destroy) destroy(instance, NULL);
	return (int)n;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxGPUs bounds the devices that are looked at.
const maxGPUs = 16

// vulkanDevices returns the Vulkan devices of the best type there is: discrete,
// integrated, virtual, software. There is at least one without an error.
func vulkanDevices() ([]Hardware, error) {
	var found [maxGPUs]C.vk_found
	n := int(C.vk_list(&found[0], maxGPUs))
	switch {
	case n == C.VK_NO_LOADER:
		return nil, errors.New("no Vulkan loader, libvulkan.so.1, on this machine")
	case n < 0:
		return nil, errors.New("libvulkan.so.1 is no Vulkan loader")
	case n == 0:
		return nil, errors.New("no GPU with a Vulkan driver on this machine")
	}
	rank := func(f C.vk_found) int { return slices.Index([]C.uint32_t{4, 3, 1, 2}, f._type) } // Vulkan's numbers, best last
	best := -1
	for _, f := range found[:n] {
		best = max(best, rank(f))
	}
	var gpus []Hardware
	for _, f := range found[:n] {
		if rank(f) == best {
			gpus = append(gpus, Hardware{Name: C.GoString(&f.name[0]), Driver: vulkanDriver(f), MemoryBytes: int64(f.memory)})
		}
	}
	return gpus, nil
}

// vulkanDriver is the driver's name and what it says of its version, else the number
// that it has in Vulkan's usual notation.
func vulkanDriver(f C.vk_found) string {
	info := C.GoString(&f.info[0])
	if info == "" {
		v := uint32(f.version)
		info = fmt.Sprintf("%d.%d.%d", v>>22, v>>12&0x3ff, v&0xfff)
	}
	return strings.TrimSpace(C.GoString(&f.driver[0]) + " " + info)
}
