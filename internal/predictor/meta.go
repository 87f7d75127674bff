package predictor

import (
	"strings"

	"hsnas/internal/onnx"
)

// Meta is what an exported predictor says about itself in its metadata.
type Meta struct {
	Task      string   // task name
	Target    string   // what it predicts: the metric's name, or latency_ms
	TrainedOn string   // in words, for people
	Features  string   // name of the feature set
	Columns   []string // of the feature set, the columns of the input
}

// MetaOf returns a Meta of features.
func MetaOf(f Features, task, target, trainedOn string) Meta {
	return Meta{Task: task, Target: target, TrainedOn: trainedOn, Features: f.Name, Columns: f.Columns}
}

// The metadata keys of an exported predictor.
const (
	KindKey      = "hsnas.kind" // always KindValue
	FeaturesKey  = "hsnas.features"
	ColumnsKey   = "hsnas.columns" // separated by commas
	TaskKey      = "hsnas.task"
	TargetKey    = "hsnas.target"
	TrainedOnKey = "hsnas.trained_on"
	KindValue    = "predictor"
)

// The names of the input and output of an exported predictor: float32 [n, k]
// and [n, 1].
const (
	InputName  = "features"
	OutputName = "prediction"
)

// write puts m into a graph's metadata.
func (m Meta) write(g *onnx.Graph) {
	g.Metadata(KindKey, KindValue)
	g.Metadata(FeaturesKey, m.Features)
	g.Metadata(ColumnsKey, strings.Join(m.Columns, ","))
	g.Metadata(TaskKey, m.Task)
	g.Metadata(TargetKey, m.Target)
	g.Metadata(TrainedOnKey, m.TrainedOn)
}
