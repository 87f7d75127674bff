package predictor

import (
	"fmt"
	"math"
	"strings"

	"hsnas/internal/config"
	"hsnas/internal/cost"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// Features turns an architecture into a row of numbers.
type Features struct {
	Name    string
	Columns []string
	// Scales is what each raw value is divided by; a dataset that gives raw means
	// is brought to the scale of Fill with it.
	Scales []float64
	// Fill writes the row of a, len(Columns) long, to dst.
	Fill func(a space.Architecture, dst []float64) error
}

// Rows fills a row for each architecture.
func (f Features) Rows(archs []space.Architecture) ([][]float64, error) {
	out := make([][]float64, len(archs))
	for i, a := range archs {
		out[i] = make([]float64, len(f.Columns))
		if err := f.Fill(a, out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// The feature sets.
const (
	HATMeans     = "hat-means"      // HAT's ten features
	HATDepth     = "hat-depth"      // these, and what depth does to quality
	HATMeansCost = "hat-means-cost" // the ten as HAT's files write them, and total GFLOPs
	HATWork      = "hat-work"       // what each part of the model does for one sentence
	HATSize      = "hat-size"       // depth, FLOPs and parameters alone
)

// FeatureSets returns the names that FeatureSet knows.
func FeatureSets() []string { return []string{HATMeans, HATDepth, HATMeansCost, HATWork, HATSize} }

// FeatureSet returns a feature set on a task's space.
//
// "hat-means" has one column for each hyperparameter in the order of
// definition: the value, or the mean over the layers, divided by its largest
// choice. In a HAT space these are HAT's ten features (arXiv 2005.14187). A
// hyperparameter with text choices has one column for each choice: the share of
// its layers that have it.
//
// "hat-depth" adds, for each depth that varies, with M layers: log M and 1/M,
// and for each of its numeric lists the sum over the layers, divided by the
// largest. Quality grows with depth in a curve that means cannot follow.
//
// "hat-means-cost" adds the total GFLOPs of the task's cost model, and takes the
// mean of the attention span over HAT's own codes, -1, 1 and 2 for spans of 1, 2
// and 3: what the ridge control was published with.
//
// "hat-work" has no means: its columns are sums over the layers of numbers and
// products that the work of a model family's Transformer is linear in, each
// divided by the largest architecture's. It is for latencies.
//
// "hat-size" has three kinds of columns, few enough for ten demonstrations: the
// logarithm of each depth that varies, GFLOPs without the last layer, and the
// logarithm of the parameters.
func FeatureSet(t *task.Task, name string) (Features, error) {
	terms := meanTerms(t.Space)
	switch name {
	case HATMeans:
	case HATDepth:
		terms = append(terms, depthTerms(t.Space)...)
	case HATMeansCost:
		if !t.HasCostModel() {
			return Features{}, config.Errorf("", 0, "feature set %s: task %s has no cost model", name, t.Name)
		}
		recode(terms, t.Space)
		terms = append(terms, term{"gflops", 1, func(a space.Architecture) (float64, error) {
			c, err := cost.Of(t, a)
			return c.GFLOPs(), err
		}})
	case HATSize:
		if !t.HasCostModel() {
			return Features{}, config.Errorf("", 0, "feature set %s: task %s has no cost model", name, t.Name)
		}
		terms = sizeTerms(t)
	case HATWork:
		if t.Family == "" {
			return Features{}, config.Errorf("", 0, "feature set %s: task %s names no model family", name, t.Name)
		}
		terms = workTerms(t.Space)
	default:
		return Features{}, config.Errorf("", 0, "unknown feature set %q%s", name, config.DidYouMean(name, FeatureSets()))
	}
	return features(name, t.Space, terms), nil
}

// term is one column: a raw value and what it is divided by.
type term struct {
	column string
	scale  float64
	value  func(space.Architecture) (float64, error)
}

func features(name string, s *space.Space, terms []term) Features {
	f := Features{Name: name}
	for _, t := range terms {
		f.Columns = append(f.Columns, t.column)
		f.Scales = append(f.Scales, t.scale)
	}
	f.Fill = func(a space.Architecture, dst []float64) error {
		if a.Space() != s {
			return fmt.Errorf("features %s: the architecture is not of the space %s", name, s.Name)
		}
		for i, t := range terms {
			v, err := t.value(a)
			if err != nil {
				return fmt.Errorf("feature %s: %w", t.column, err)
			}
			dst[i] = v / t.scale
		}
		return nil
	}
	return f
}

func meanTerms(s *space.Space) []term {
	var out []term
	for i, h := range s.Hyperparameters {
		if isText(h) {
			out = append(out, shareTerms(i, h)...)
			continue
		}
		out = append(out, term{h.Name, largest(h), func(a space.Architecture) (float64, error) {
			values := a.Numbers(i)
			return sum(values) / float64(len(values)), nil
		}})
	}
	return out
}

// shareTerms are one column for each choice of a hyperparameter of texts.
func shareTerms(i int, h space.Hyperparameter) []term {
	var out []term
	for _, c := range h.Choices {
		out = append(out, term{h.Name + "=" + c.String(), 1, func(a space.Architecture) (float64, error) {
			n, values := 0, a.Literals(i)
			for _, v := range values {
				if v == c.String() {
					n++
				}
			}
			return float64(n) / float64(len(values)), nil
		}})
	}
	return out
}

// spanCodes are HAT's codes of attention spans 1, 2 and 3.
var spanCodes = map[float64]float64{1: -1, 2: 1, 3: 2}

// recode makes the column of the attention span a mean of HAT's codes.
func recode(terms []term, s *space.Space) {
	const span = "decoder_cross_attn_span"
	i, ok := s.Index(span)
	if !ok {
		return
	}
	for k := range terms {
		if terms[k].column != span {
			continue
		}
		terms[k].value = func(a space.Architecture) (float64, error) {
			total, values := 0.0, a.Numbers(i)
			for _, v := range values {
				total += spanCodes[v]
			}
			return total / float64(len(values)), nil
		}
	}
}

func sizeTerms(t *task.Task) []term {
	var out []term
	for _, term := range depthTerms(t.Space) {
		if strings.HasPrefix(term.column, "log_") {
			out = append(out, term)
		}
	}
	return append(out,
		term{"gflops_without_last_layer", 1, func(a space.Architecture) (float64, error) {
			c, err := cost.Of(t, a)
			return float64(c.FLOPsWithoutLastLayer) / 1e9, err
		}},
		term{"log_params", 1, func(a space.Architecture) (float64, error) {
			c, err := cost.Of(t, a)
			return math.Log(float64(c.Params)), err
		}})
}

func depthTerms(s *space.Space) []term {
	var out []term
	for d, depth := range s.Hyperparameters {
		if !depth.IsDepth() || len(depth.Choices) < 2 {
			continue
		}
		layers := func(a space.Architecture) float64 { return a.Numbers(d)[0] }
		out = append(out,
			term{"log_" + depth.Name, 1, func(a space.Architecture) (float64, error) { return math.Log(layers(a)), nil }},
			term{"inverse_" + depth.Name, 1, func(a space.Architecture) (float64, error) { return 1 / layers(a), nil }})
		for i, h := range s.Hyperparameters {
			if h.Layers != depth.Name || isText(h) {
				continue
			}
			out = append(out, term{"sum_" + h.Name, largest(h) * largest(depth), func(a space.Architecture) (float64, error) {
				return sum(a.Numbers(i)), nil
			}})
		}
	}
	return out
}

// isText says whether any choice is no number.
func isText(h space.Hyperparameter) bool {
	for _, c := range h.Choices {
		if _, ok := c.Number(); !ok {
			return true
		}
	}
	return false
}

// largest returns the largest choice in size, 1 where all are 0.
func largest(h space.Hyperparameter) float64 {
	most := 0.0
	for _, c := range h.Choices {
		x, _ := c.Number()
		most = max(most, math.Abs(x))
	}
	if most == 0 {
		return 1
	}
	return most
}

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}
