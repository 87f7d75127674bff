package ort

import (
	"fmt"
	"strings"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"hsnas/internal/config"
)

// Optimization is how far ONNX Runtime rewrites a graph when it opens it.
type Optimization int

// The levels of graph optimisation. The zero value is OptimizeAll.
const (
	OptimizeAll      Optimization = iota // layout changes and fused kernels too
	OptimizeNone                         // opens fastest; a training step is no slower for it
	OptimizeBasic                        // constants folded, redundant nodes removed
	OptimizeExtended                     // fused kernels too
)

// Options says how a session runs. The zero value is one thread on the CPU with
// all optimisations.
type Options struct {
	// Name is what errors call a model that comes from no file.
	Name string
	// Threads is how many threads one operator may use; 0 means 1. Operators
	// run one after the other whatever it is.
	Threads int
	// Device is where the model runs: "" or "cpu", "webgpu" (any GPU, through
	// Vulkan), "cuda" or "cuda:1" (needs a CUDA build of the library).
	Device string
	// StrictDevice makes it an error when any node of the model would fall back
	// to the CPU; without it operators that compute shapes may, and no others. It
	// has no effect on the CPU.
	StrictDevice bool
	// Optimization is how far the graph is rewritten.
	Optimization Optimization
	// Spin lets idle threads wait busily for work. That is faster on a machine
	// of one's own and ruinous on a shared one (two spinning sessions on two
	// cores: 50 ms for a 16 ms step), hence off.
	Spin bool
	// NoMemoryPattern allocates each intermediate value as it comes instead of
	// in one planned block: less memory, and right for graphs whose sizes
	// change from run to run.
	NoMemoryPattern bool
	// Deterministic runs every operator on one thread whatever Threads says, so
	// that each sum has one order on every machine of a kind.
	Deterministic bool
}

// sessionOptions translates o; the caller destroys the result.
func (r *Runtime) sessionOptions(o Options) (*onnxruntime.SessionOptions, error) {
	device, err := ParseDevice(o.Device)
	if err != nil {
		return nil, err
	}
	if o.Threads < 0 {
		return nil, config.Errorf("", 0, "threads must not be negative, found %d", o.Threads)
	}
	options, err := onnxruntime.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("session options: %s", oneLine(err))
	}
	if err := setOptions(options, o, device); err != nil {
		options.Destroy()
		return nil, fmt.Errorf("session options: %s", oneLine(err))
	}
	if err := r.appendProvider(options, device); err != nil {
		options.Destroy()
		return nil, err
	}
	return options, nil
}

func setOptions(options *onnxruntime.SessionOptions, o Options, device Device) error {
	threads := max(o.Threads, 1)
	if o.Deterministic {
		threads = 1
	}
	level := map[Optimization]onnxruntime.GraphOptimizationLevel{
		OptimizeNone:     onnxruntime.GraphOptimizationLevelDisableAll,
		OptimizeBasic:    onnxruntime.GraphOptimizationLevelEnableBasic,
		OptimizeExtended: onnxruntime.GraphOptimizationLevelEnableExtended,
		OptimizeAll:      onnxruntime.GraphOptimizationLevelEnableAll,
	}[o.Optimization]
	entries := map[string]string{
		"session.intra_op.allow_spinning": flag(o.Spin),
		"session.inter_op.allow_spinning": "0",
	}
	var severity onnxruntime.LoggingLevel = onnxruntime.LoggingLevelError
	if !device.CPU() {
		entries[recordPlacement] = "1"
		if o.StrictDevice {
			entries["session.disable_cpu_ep_fallback"] = "1"
			severity = onnxruntime.LoggingLevelFatal // it would print what the error says
		}
	}
	for key, value := range entries {
		if err := options.AddSessionConfigEntry(key, value); err != nil {
			return err
		}
	}
	for _, set := range []func() error{
		func() error { return options.SetIntraOpNumThreads(threads) },
		func() error { return options.SetInterOpNumThreads(1) },
		func() error { return options.SetExecutionMode(onnxruntime.ExecutionModeSequential) },
		func() error { return options.SetGraphOptimizationLevel(level) },
		func() error { return options.SetMemPattern(!o.NoMemoryPattern) },
		func() error { return options.SetLogSeverityLevel(severity) },
	} {
		if err := set(); err != nil {
			return err
		}
	}
	return nil
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

// oneLine makes a message of the library fit for an error of ours.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
