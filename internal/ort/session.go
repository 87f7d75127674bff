package ort

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// Session is an opened model. Runs may come from several goroutines at once;
// Close must not overlap with them.
type Session struct {
	name   string
	device Device
	sig    signature
	mu     sync.Mutex // guards inner against Close
	inner  *onnxruntime.DynamicAdvancedSession
	buffer sync.Pool // of *values
}

// values are the two argument lists of one run.
type values struct{ in, out []onnxruntime.Value }

// LoadBytes opens a serialised model; Options.Name is what errors call it.
func (r *Runtime) LoadBytes(model []byte, o Options) (*Session, error) {
	name := o.Name
	if name == "" {
		name = "in memory"
	}
	return r.load(name, model, o, func(in, out []string, options *onnxruntime.SessionOptions) (*onnxruntime.DynamicAdvancedSession, error) {
		return onnxruntime.NewDynamicAdvancedSessionWithONNXData(model, in, out, options)
	})
}

// LoadFile opens the model at path. Weights in external files are looked for
// beside it.
func (r *Runtime) LoadFile(path string, o Options) (*Session, error) {
	model, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return r.load(path, model, o, func(in, out []string, options *onnxruntime.SessionOptions) (*onnxruntime.DynamicAdvancedSession, error) {
		return onnxruntime.NewDynamicAdvancedSession(path, in, out, options)
	})
}

type opener func(in, out []string, options *onnxruntime.SessionOptions) (*onnxruntime.DynamicAdvancedSession, error)

func (r *Runtime) load(name string, model []byte, o Options, open opener) (*Session, error) {
	sig, err := readSignature(model)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	device, err := ParseDevice(o.Device)
	if err != nil {
		return nil, err
	}
	inner, err := r.open(name, sig, device, o, open)
	if err != nil {
		return nil, err
	}
	if err := r.checkPlacement(inner, name, device, shapeOperators); err != nil {
		inner.Destroy()
		return nil, err
	}
	s := &Session{name: name, device: device, sig: sig, inner: inner}
	s.buffer.New = func() any {
		return &values{
			in:  make([]onnxruntime.Value, len(sig.inputs)),
			out: make([]onnxruntime.Value, len(sig.outputs)),
		}
	}
	return s, nil
}

// open makes the session itself. One that a strict device refused is opened once
// more, to say which operators it was about.
func (r *Runtime) open(name string, sig signature, device Device, o Options, open opener) (*onnxruntime.DynamicAdvancedSession, error) {
	options, err := r.sessionOptions(o)
	if err != nil {
		return nil, err
	}
	defer options.Destroy()
	inner, err := open(names(sig.inputs), names(sig.outputs), options)
	switch {
	case err == nil:
		return inner, nil
	case o.StrictDevice && strings.Contains(err.Error(), "fallback to CPU EP"):
		o.StrictDevice = false
		loose, err := r.open(name, sig, device, o, open)
		if err != nil {
			return nil, err
		}
		defer loose.Destroy()
		if fault := r.checkPlacement(loose, name, device, nil); fault != nil {
			return nil, fault
		}
	}
	return nil, fmt.Errorf("model %s: %s", name, oneLine(err))
}

func names(infos []Info) []string {
	out := make([]string, len(infos))
	for i, info := range infos {
		out[i] = info.Name
	}
	return out
}

// Name returns the model's name in errors: the path of a file.
func (s *Session) Name() string { return s.name }

// Inputs describes the model's inputs, in the order in which Run takes them.
func (s *Session) Inputs() []Info { return s.sig.inputs }

// Outputs describes the model's outputs, in the order in which Run takes them.
func (s *Session) Outputs() []Info { return s.sig.outputs }

// Metadata returns the model's metadata_props.
func (s *Session) Metadata() map[string]string { return s.sig.metadata }

// Run runs the model on in, one tensor for each of Inputs in that order, and
// writes out, one for each of Outputs; nil entries of out are replaced by new
// tensors of the shapes that came out. It looks at ctx before it starts; a run
// that has begun is not interrupted.
func (s *Session) Run(ctx context.Context, in, out []*Tensor) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(in) != len(s.sig.inputs) || len(out) != len(s.sig.outputs) {
		return fmt.Errorf("model %s: run with %d inputs and %d outputs, it has %d and %d",
			s.label(), len(in), len(out), len(s.sig.inputs), len(s.sig.outputs))
	}
	s.mu.Lock()
	inner := s.inner
	s.mu.Unlock()
	if inner == nil {
		return fmt.Errorf("model %s: run after close", s.label())
	}
	v := s.buffer.Get().(*values)
	defer s.recycle(v)
	if err := s.fill(v, in, out); err != nil {
		return err
	}
	err := inner.Run(v.in, v.out)
	runtime.KeepAlive(in)
	runtime.KeepAlive(out)
	if err != nil {
		return s.runFault(err)
	}
	for i, t := range out {
		if t == nil {
			if out[i], err = adopt(v.out[i]); err != nil {
				return fmt.Errorf("model %s: output %q: %w", s.label(), s.sig.outputs[i].Name, err)
			}
		}
	}
	return nil
}

// runFault names the device too where it is one that can go away.
func (s *Session) runFault(err error) error {
	if s.device.CPU() {
		return fmt.Errorf("model %s: %s", s.label(), oneLine(err))
	}
	return fmt.Errorf("model %s on device %q: %s", s.label(), s.device, oneLine(err))
}

func (s *Session) recycle(v *values) {
	clear(v.in)
	clear(v.out)
	s.buffer.Put(v)
}

// fill checks the tensors of a run and takes their values.
func (s *Session) fill(v *values, in, out []*Tensor) error {
	for i, t := range in {
		info := s.sig.inputs[i]
		if t == nil {
			return fmt.Errorf("model %s: input %q is missing", s.label(), info.Name)
		}
		if err := info.check(t); err != nil {
			return fmt.Errorf("model %s: input %q: %w", s.label(), info.Name, err)
		}
		v.in[i] = t.handle.value
	}
	for i, t := range out {
		if t == nil {
			continue
		}
		info := s.sig.outputs[i]
		if err := info.check(t); err != nil {
			return fmt.Errorf("model %s: output %q: %w", s.label(), info.Name, err)
		}
		v.out[i] = t.handle.value
	}
	return nil
}

func (i Info) check(t *Tensor) error {
	if t.handle == nil {
		return fmt.Errorf("the tensor was destroyed")
	}
	if i.Type != 0 && t.kind != i.Type {
		return fmt.Errorf("element type %s, expected %s", t.kind, i.Type)
	}
	if i.Shape == nil {
		return nil
	}
	fits := len(t.shape) == len(i.Shape)
	for d := 0; fits && d < len(i.Shape); d++ {
		fits = i.Shape[d] < 0 || i.Shape[d] == t.shape[d]
	}
	if !fits {
		return fmt.Errorf("shape %s, expected %s", shapeText(t.shape), i.shape())
	}
	return nil
}

func shapeText(shape []int64) string {
	return strings.ReplaceAll(fmt.Sprint(shape), " ", ", ")
}

// RunNamed runs the model on the inputs named in in and returns all outputs by
// name, newly allocated. An unknown or missing name is an error.
func (s *Session) RunNamed(ctx context.Context, in map[string]*Tensor) (map[string]*Tensor, error) {
	ordered := make([]*Tensor, len(s.sig.inputs))
	for i, info := range s.sig.inputs {
		ordered[i] = in[info.Name]
	}
	for name := range in {
		if !slices.ContainsFunc(s.sig.inputs, func(i Info) bool { return i.Name == name }) {
			return nil, fmt.Errorf("model %s: no input %q; it has %s", s.label(), name, strings.Join(names(s.sig.inputs), ", "))
		}
	}
	out := make([]*Tensor, len(s.sig.outputs))
	if err := s.Run(ctx, ordered, out); err != nil {
		return nil, err
	}
	named := make(map[string]*Tensor, len(out))
	for i, info := range s.sig.outputs {
		named[info.Name] = out[i]
	}
	return named, nil
}

// Close gives the session back. It may be called twice.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inner == nil {
		return nil
	}
	inner := s.inner
	s.inner = nil
	if err := inner.Destroy(); err != nil {
		return fmt.Errorf("model %s: close: %s", s.label(), oneLine(err))
	}
	return nil
}

// label is the name in messages, without the folders.
func (s *Session) label() string { return filepath.Base(s.name) }
