// Package ort runs ONNX models on ONNX Runtime: it finds and checks the shared
// library, opens models as sessions and runs them on tensors that share Go's
// memory. It is a thin layer over onnxruntime_go that adds what that package
// leaves to its callers: the library is looked at before the dynamic loader can
// crash on it, inputs are checked by name, type and shape before a run, and
// errors say which model and which input they are about.
//
// The library keeps one environment for each process; that is the only global
// state of hsnas.
package ort

import (
	"fmt"
	"sync"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// Runtime is the loaded ONNX Runtime library. It is safe for concurrent use.
type Runtime struct {
	path    string
	version string
	gpus    func() ([]Hardware, error) // Vulkan's, looked for once
}

var environment struct {
	sync.Mutex
	runtime *Runtime
}

// Open loads the library that LibraryPath names. The first call that succeeds
// decides for the whole process, later calls return the same Runtime. The error
// is one line that says what to do.
func Open() (*Runtime, error) {
	environment.Lock()
	defer environment.Unlock()
	if environment.runtime != nil {
		return environment.runtime, nil
	}
	path, err := LibraryPath()
	if err != nil {
		return nil, err
	}
	if err := checkLibrary(path); err != nil {
		return nil, err
	}
	onnxruntime.SetSharedLibraryPath(path)
	if err := onnxruntime.InitializeEnvironment(onnxruntime.WithLogLevelError()); err != nil {
		return nil, unusable(path, oneLine(err))
	}
	version := onnxruntime.GetVersion()
	if err := checkVersion(path, version); err != nil {
		if closing := onnxruntime.DestroyEnvironment(); closing != nil {
			return nil, fmt.Errorf("%w (and it could not be unloaded: %s)", err, oneLine(closing))
		}
		return nil, err
	}
	environment.runtime = &Runtime{path: path, version: version, gpus: sync.OnceValues(vulkanDevices)}
	return environment.runtime, nil
}

// Path returns the library's file.
func (r *Runtime) Path() string { return r.path }

// Version returns the library's own version, "1.27.0" for example.
func (r *Runtime) Version() string { return r.version }
