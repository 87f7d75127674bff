package benchmark

import (
	"slices"

	"hsnas/internal/config"
	"hsnas/internal/nn"
	"hsnas/internal/ort"
)

// variant is a way to run an architecture's model.
type variant struct {
	name      string
	precision nn.Precision
	level     ort.Optimization
}

// variants are all of them; the first is what the others are compared with.
var variants = []variant{
	{"fp32", nn.Float32, ort.OptimizeAll},
	{"fp32-off", nn.Float32, ort.OptimizeNone},
	{"fp32-basic", nn.Float32, ort.OptimizeBasic},
	{"fp32-extended", nn.Float32, ort.OptimizeExtended},
	{"int8", nn.Int8, ort.OptimizeAll},
	{"fp16", nn.Float16, ort.OptimizeAll},
}

func variantOf(name string) (variant, error) {
	i := slices.IndexFunc(variants, func(v variant) bool { return v.name == name })
	if i < 0 {
		return variant{}, config.Errorf("", 0, "unknown variant %q; known: fp32, fp32-off, fp32-basic, fp32-extended, int8, fp16", name)
	}
	return variants[i], nil
}

// variantIn is that of a model that was written in a precision.
func variantIn(p nn.Precision) variant {
	return variants[slices.IndexFunc(variants, func(v variant) bool { return v.precision == p })]
}
