// Package predictor holds the regressors that stand in for training: from an
// architecture to its predicted quality or latency. They are small, deterministic
// and leave the process as ONNX; what needs an LLM, a supernet or a device to
// predict lies with the stages.
package predictor

import (
	"context"
	"fmt"

	"hsnas/internal/space"
)

// Predictor predicts a figure of architectures, in the unit of what it was
// fitted to: BLEU, milliseconds.
type Predictor interface {
	// Name is what scoreboards and reports call it: "student:ridge".
	Name() string
	// Predict writes one prediction for each architecture to out, which is as
	// long as archs.
	Predict(ctx context.Context, archs []space.Architecture, out []float64) error
}

// Regressor maps a row of raw features to a prediction.
type Regressor interface {
	// Regress returns the prediction for a row, which has the length that the
	// regressor was fitted with.
	Regress(row []float64) float64
}

// Regression is a Predictor made of features and a regressor.
type Regression struct {
	Label     string // what Name returns
	Features  Features
	Regressor Regressor
}

// Name returns the label.
func (p *Regression) Name() string { return p.Label }

// Predict fills the features of every architecture and regresses.
func (p *Regression) Predict(_ context.Context, archs []space.Architecture, out []float64) error {
	row := make([]float64, len(p.Features.Columns))
	for i, a := range archs {
		if err := p.Features.Fill(a, row); err != nil {
			return fmt.Errorf("predicting with %s: %w", p.Label, err)
		}
		out[i] = p.Regressor.Regress(row)
	}
	return nil
}
