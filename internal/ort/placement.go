package ort

/*
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

// The functions of ONNX Runtime's C interface that onnxruntime_go does not wrap, by
// their places in its table, which only ever grows at its end.
enum { ERROR_MESSAGE = 2, RELEASE_STATUS = 93, ASSIGNMENT = 407, EP_NAME = 408, EP_NODES = 409, NODE_NAME = 410, NODE_TYPE = 412, API_VERSION = 24 };



static void **ort_table(const char *path) {
	void *lib = dlopen(path, RTLD_NOW | RTLD_NOLOAD); // it is loaded already
	const struct { void **(*api)(uint32_t); } *(*base)(void) = lib ? dlsym(lib, "OrtGetApiBase") : NULL;
	return base ? base()->api(API_VERSION) : NULL;
}

// ort_list calls a function that returns an array, and ort_text one that returns a
// string; NULL is success.
static const char *failure(void **api, void *status) {
	return status ? ((const char *(*)(void *))api[ERROR_MESSAGE])(status) : NULL;
}
static const char *ort_list(void **api, int what, const void *of, void ***out, size_t *n) {
	return failure(api, ((void *(*)(const void *, void ***, size_t *))api[what])(of, out, n));
}
static const char *ort_text(void **api, int what, const void *of, const char **out) {
	return failure(api, ((void *(*)(const void *, const char **))api[what])(of, out));
}
*/
import "C"

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"hsnas/internal/config"
)

// recordPlacement is the session entry that makes the library remember where each
// node was put.
const recordPlacement = "session.record_ep_graph_assignment_info"

// shapeOperators are those that a device may leave to the CPU: they compute sizes
// and indices, a handful of integers that the CPU needs anyway to say what the
// device shall do next. ONNX Runtime puts them there by itself.
var shapeOperators = []string{
	"Cast", "Concat", "ConstantOfShape", "Equal", "Expand", "Gather", "Identity", "Range", "Shape", "Size", "Slice", "Squeeze", "Unsqueeze",
}

// checkPlacement refuses a session that would compute on the CPU what was meant
// for a device, operators that are allowed to aside: ONNX Runtime falls back
// without a word, and the times would be another device's.
func (r *Runtime) checkPlacement(s *onnxruntime.DynamicAdvancedSession, name string, d Device, allowed []string) error {
	if d.CPU() {
		return nil
	}
	operators, err := r.operatorsOnCPU(s)
	if err != nil {
		return fmt.Errorf("model %s on device %q: which nodes run on the CPU: %w", name, d, err)
	}
	operators = slices.DeleteFunc(operators, func(op string) bool { return slices.Contains(allowed, op) })
	if len(operators) == 0 {
		return nil
	}
	return &PlacementError{Model: name, Device: d, Operators: operators}
}

// PlacementError says that a device lacks operators of a model. It is the user's
// choice that was wrong: it matches *config.Error.
type PlacementError struct {
	Model     string
	Device    Device
	Operators []string // sorted
}

func (e *PlacementError) Error() string {
	return fmt.Sprintf("model %s cannot run on device %q: it has no %s, and falling back to the CPU is not what was asked for; use device cpu",
		e.Model, e.Device, strings.Join(e.Operators, ", "))
}

// Unwrap makes it a fault of the user's.
func (e *PlacementError) Unwrap() error { return &config.Error{Msg: e.Error()} }

// operatorsOnCPU are the types of the nodes of a session that the CPU computes,
// sorted. The session has to have been opened with recordPlacement.
func (r *Runtime) operatorsOnCPU(s *onnxruntime.DynamicAdvancedSession) ([]string, error) {
	session, err := pointerOf(s)
	if err != nil {
		return nil, err
	}
	path := append([]byte(r.path), 0)
	api := C.ort_table((*C.char)(unsafe.Pointer(&path[0])))
	if api == nil {
		return nil, errors.New("the library does not tell")
	}
	graphs, err := list(api, C.ASSIGNMENT, session)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, graph := range graphs {
		provider, err := text(api, C.EP_NAME, graph)
		if err != nil {
			return nil, err
		}
		if provider != "CPUExecutionProvider" {
			continue
		}
		if err := nodeTypes(api, graph, found); err != nil {
			return nil, err
		}
	}
	var out []string
	for op := range found {
		out = append(out, op)
	}
	slices.Sort(out)
	return out, nil
}

func nodeTypes(api *unsafe.Pointer, graph unsafe.Pointer, into map[string]bool) error {
	nodes, err := list(api, C.EP_NODES, graph)
	for _, n := range nodes {
		op, err := text(api, C.NODE_TYPE, n)
		if err != nil {
			return err
		}
		into[op] = true
	}
	return err
}

func list(api *unsafe.Pointer, what C.int, of unsafe.Pointer) ([]unsafe.Pointer, error) {
	var out *unsafe.Pointer
	var n C.size_t
	if message := C.ort_list(api, what, of, &out, &n); message != nil {
		return nil, errors.New(C.GoString(message)) // the status leaks: it ends the session's opening
	}
	return unsafe.Slice(out, int(n)), nil
}

func text(api *unsafe.Pointer, what C.int, of unsafe.Pointer) (string, error) {
	var out *C.char
	if message := C.ort_text(api, what, of, &out); message != nil {
		return "", errors.New(C.GoString(message))
	}
	return C.GoString(out), nil
}

// pointerOf is the library's session, which onnxruntime_go keeps to itself.
func pointerOf(s *onnxruntime.DynamicAdvancedSession) (unsafe.Pointer, error) {
	inner := reflect.ValueOf(s).Elem().FieldByName("s")
	if inner.Kind() != reflect.Pointer || inner.IsNil() {
		return nil, errors.New("this version of onnxruntime_go does not tell")
	}
	session := inner.Elem().FieldByName("ortSession")
	if session.Kind() != reflect.Pointer || session.IsNil() {
		return nil, errors.New("this version of onnxruntime_go does not tell")
	}
	return session.UnsafePointer(), nil
}
