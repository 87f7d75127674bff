package autodiff

import (
	"math"

	"hsnas/internal/onnx"
)

// Adam is the optimizer of Kingma and Ba (2015), with the decoupled weight decay
// of Loshchilov and Hutter (2019). A zero field means the default that it names.
type Adam struct {
	Beta1       float64 // decay of the first moment; 0 means 0.9
	Beta2       float64 // decay of the second moment; 0 means 0.999
	Epsilon     float64 // added to the root of the second moment; 0 means 1e-8
	WeightDecay float64 // fraction of each parameter, times the learning rate, taken off every step
}

// State is what Adam carries from step to step: one value for each parameter in
// all three, float32 [n].
type State struct{ Parameters, First, Second *onnx.Value }

// RateInputs are the inputs of a graph that change with the step and are the
// same for all parameters, each float32 [1]; Rates computes their values.
type RateInputs struct{ Step, Correction, Shrink *onnx.Value }

// Inputs declares the rates "adam.step", "adam.correction" and, where there is
// weight decay, "adam.shrink".
func (a Adam) Inputs(g *onnx.Graph) RateInputs {
	in := RateInputs{
		Step:       g.Input("adam.step", onnx.Float32, onnx.Fixed(1)),
		Correction: g.Input("adam.correction", onnx.Float32, onnx.Fixed(1)),
	}
	if a.WeightDecay != 0 {
		in.Shrink = g.Input("adam.shrink", onnx.Float32, onnx.Fixed(1))
	}
	return in
}

// Rates returns the values of the rate inputs at a step counted from 1: the
// step size over the first moment's bias correction, one over the root of the
// second moment's, and what weight decay leaves of a parameter. The corrections
// are computed here in float64, outside the graph.
func (a Adam) Rates(step int, learningRate float64) (size, correction, shrink float32) {
	a = a.defaults()
	t := float64(step)
	size = float32(learningRate / (1 - math.Pow(a.Beta1, t)))
	correction = float32(1 / math.Sqrt(1-math.Pow(a.Beta2, t)))
	return size, correction, float32(1 - learningRate*a.WeightDecay)
}

// Update appends one step of Adam over the flat gradient, float32 [n], and
// returns the new state.
func (a Adam) Update(g *onnx.Graph, s State, gradient *onnx.Value, rates RateInputs) State {
	a = a.defaults()
	op := func(name string, x, y *onnx.Value) *onnx.Value {
		return g.Op(name, gradient.Shape(), []*onnx.Value{x, y})
	}
	scalar := func(x float64) *onnx.Value { return g.Scalar(float32(x)) }

	first := op("Add", op("Mul", s.First, scalar(a.Beta1)), op("Mul", gradient, scalar(1-a.Beta1)))
	square := op("Mul", op("Mul", gradient, gradient), scalar(1-a.Beta2))
	second := op("Add", op("Mul", s.Second, scalar(a.Beta2)), square)
	root := g.Op("Sqrt", gradient.Shape(), []*onnx.Value{second})
	scale := op("Add", op("Mul", root, rates.Correction), scalar(a.Epsilon))
	update := op("Div", op("Mul", first, rates.Step), scale)
	kept := s.Parameters
	if rates.Shrink != nil {
		kept = op("Mul", kept, rates.Shrink)
	}
	return State{Parameters: op("Sub", kept, update), First: first, Second: second}
}

func (a Adam) defaults() Adam {
	set := func(field *float64, value float64) {
		if *field == 0 {
			*field = value
		}
	}
	set(&a.Beta1, 0.9)
	set(&a.Beta2, 0.999)
	set(&a.Epsilon, 1e-8)
	return a
}
