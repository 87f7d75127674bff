package micro

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/safetensors"
	"hsnas/internal/seal"
)

// Origin says whose parameters a file holds. Two of one Origin come from the same
// training, up to the number of steps.
type Origin struct {
	Task         string
	Architecture string // canonical JSON; "supernet" for a supernet
	Seed         uint64
	Recipe       string // what else the training depends on: a hash of recipe and corpus
}

// The arrays of a checkpoint, in the order of the state.
var stateNames = [3]string{"parameters", "first", "second"}

// Save writes the parameters, the optimizer's state and the number of steps, all
// that a Trainer needs to go on bit for bit, with what the caller keeps beside it.
func (t *Trainer) Save(path string, o Origin, beside any) error {
	text, err := json.Marshal(beside)
	if err != nil {
		return fmt.Errorf("checkpoint %s: %w", path, err)
	}
	metadata := o.metadata("checkpoint")
	metadata["step"], metadata["beside"] = strconv.Itoa(t.step), string(text)
	var arrays []safetensors.Tensor
	for i, name := range stateNames {
		data := t.states[0].flat[i]
		arrays = append(arrays, safetensors.Tensor{Name: name, Shape: []int64{int64(len(data))}, Data: data})
	}
	return atomicfile.WriteFunc(path, func(w io.Writer) error { return safetensors.WriteSealed(w, metadata, arrays) })
}

func (o Origin) metadata(kind string) map[string]string {
	return map[string]string{
		"hsnas.kind": kind, "task": o.Task, "architecture": o.Architecture,
		"seed": strconv.FormatUint(o.Seed, 10), "recipe": o.Recipe,
	}
}

// DamagedError says that a checkpoint is not what Save wrote.
type DamagedError struct {
	Path  string
	Cause error
}

func (e *DamagedError) Error() string { return fmt.Sprintf("%s is damaged: %v", e.Path, e.Cause) }

func (e *DamagedError) Unwrap() error { return e.Cause }

// openWhole opens a file that WriteSealed wrote; one that was changed since is a
// *DamagedError, and one without a seal unless it need not have one.
func openWhole(path string, unsealed bool) (*safetensors.File, error) {
	f, err := safetensors.Open(path)
	var fault *config.Error
	if errors.As(err, &fault) {
		return nil, &DamagedError{path, errors.New(fault.Msg)}
	}
	if err != nil {
		return nil, err
	}
	state, err := f.Seal()
	switch {
	case err == nil && state == seal.None && !unsealed:
		err = &DamagedError{path, seal.ErrNone}
	case err == nil && state == seal.Broken:
		err = &DamagedError{path, seal.ErrBroken}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// takeUp restores a checkpoint where there is one. A damaged one is moved aside and
// reported to warn, and the training begins anew.
func (t *Trainer) takeUp(path string, o Origin, beside any, warn func(format string, args ...any)) (ok bool, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	ok, err = t.Restore(path, o, beside)
	var damaged *DamagedError
	if !errors.As(err, &damaged) {
		return ok, err
	}
	to, err := atomicfile.Aside(path)
	if err == nil && warn != nil {
		warn("%v: moved to %s, the training begins anew", damaged, filepath.Base(to))
	}
	return false, err
}

// Restore takes up what Save wrote. A checkpoint that was changed since is a
// *DamagedError, one of another task, architecture or seed a *config.Error; one of
// another recipe or corpus is left alone, and ok is false.
func (t *Trainer) Restore(path string, o Origin, beside any) (ok bool, err error) {
	f, err := openWhole(path, false)
	if err != nil {
		return false, err
	}
	defer f.Close()
	found := f.Metadata()
	if err := o.check(path, found, "checkpoint"); err != nil {
		return false, err
	}
	if found["recipe"] != o.Recipe {
		return false, nil
	}
	step, err := strconv.Atoi(found["step"])
	if err != nil || step < 0 {
		return false, config.Errorf(path, 0, "step %q, expected a whole number; delete the file to begin anew", found["step"])
	}
	if err := json.Unmarshal([]byte(found["beside"]), beside); err != nil {
		return false, config.Errorf(path, 0, "what is kept beside the parameters cannot be read; delete the file to begin anew: %v", err)
	}
	for i, name := range stateNames {
		data, err := readVector(f, name, t.layout.Size())
		if err != nil {
			return false, err
		}
		copy(t.states[0].flat[i], data)
	}
	t.step = step
	return true, nil
}

// sameTraining says whether a file is of the same rule and seed.
func (o Origin) sameTraining(path string) (bool, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	found, want := f.Metadata(), o.metadata("checkpoint")
	return found["architecture"] == want["architecture"] && found["seed"] == want["seed"], nil
}

// check refuses a file of something else.
func (o Origin) check(path string, found map[string]string, kind string) error {
	want := o.metadata(kind)
	for _, name := range []string{"hsnas.kind", "task", "architecture", "seed"} {
		if found[name] != want[name] {
			return config.Errorf(path, 0, "a file of %s %q, expected %q; move it away to begin anew", name, found[name], want[name])
		}
	}
	return nil
}

// readVector reads a tensor of n finite numbers.
func readVector(f *safetensors.File, name string, n int) ([]float32, error) {
	info, ok := f.Tensor(name)
	if !ok || len(info.Shape) != 1 || info.Shape[0] != int64(n) {
		return nil, config.Errorf(f.Name(), 0, "tensor %q of shape %v, expected [%d]; move the file away to begin anew", name, info.Shape, n)
	}
	data, err := f.Rows(name, 0, int64(n), 1)
	if err != nil {
		return nil, err
	}
	for i, x := range data {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return nil, config.Errorf(f.Name(), 0, "element %d of tensor %q is %v; move the file away to begin anew", i, name, x)
		}
	}
	return data, nil
}

// WriteWeights writes parameters by name, in the layout's order.
func WriteWeights(path string, l *Layout, parameters []float32, o Origin) error {
	var tensors []safetensors.Tensor
	for i := range l.Len() {
		tensors = append(tensors, safetensors.Tensor{Name: l.Name(i), Shape: l.Shape(i), Data: l.View(parameters, i)})
	}
	return atomicfile.WriteFunc(path, func(w io.Writer) error { return safetensors.WriteSealed(w, o.metadata("weights"), tensors) })
}

// ReadWeights reads what WriteWeights wrote, of the same layout. A file that was changed
// since is a *DamagedError; earlier versions wrote them without a seal.
func ReadWeights(path string, l *Layout) ([]float32, error) {
	f, err := openWhole(path, true)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	flat := make([]float32, l.Size())
	for i := range l.Len() {
		name, shape := l.Name(i), l.Shape(i)
		info, ok := f.Tensor(name)
		if !ok || fmt.Sprint(info.Shape) != fmt.Sprint(shape) {
			return nil, config.Errorf(path, 0, "tensor %q of shape %v, expected %v: weights of another task or space", name, info.Shape, shape)
		}
		cols := int64(1)
		if len(shape) == 2 {
			cols = shape[1]
		}
		data, err := f.Rows(name, 0, shape[0], cols)
		if err != nil {
			return nil, err
		}
		copy(l.View(flat, i), data)
	}
	return flat, nil
}
