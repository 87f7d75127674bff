package schemas

// SupernetTraining is the row of supernet/training.parquet: how the supernet was
// trained, and how well the order that it gives agrees with the truth.
type SupernetTraining struct {
	Rule        string // micro.Uniform or micro.Sandwich
	Steps       int32
	Parameters  int64
	LossCurve   []float64
	CPUSeconds  float64
	StepMS      float64
	N           int32
	Tau         float64 // of minus the inherited loss with the score
	TauLo       float64
	TauHi       float64
	TestTau     float64 // the same with the test score
	TestTauLo   float64
	TestTauHi   float64
	ScoreMS     float64
	WeightsFile string
}

var supernetTrainings = table[SupernetTraining]{name: "supernet-training", version: 1, columns: []column[SupernetTraining]{
	text("rule", "how the sub-network of each step was chosen: uniform or sandwich", func(r *SupernetTraining) *string { return &r.Rule }),
	small("steps", "", "training steps", func(r *SupernetTraining) *int32 { return &r.Steps }),
	integer("parameters", "parameters", "shared weights, embeddings included", func(r *SupernetTraining) *int64 { return &r.Parameters }),
	numbers("loss_curve", "nats a token", "training loss with smoothing, the mean of each ten steps, of the sub-networks sampled", func(r *SupernetTraining) *[]float64 { return &r.LossCurve }),
	maybeNumber("cpu_seconds", "s", "processor time of the training steps, on one thread; null where not known", func(r *SupernetTraining) *float64 { return &r.CPUSeconds }),
	maybeNumber("step_ms", "ms", "processor time of a training step, mean; null where not known", func(r *SupernetTraining) *float64 { return &r.StepMS }),
	small("n", "architectures", "architectures whose truth is known", func(r *SupernetTraining) *int32 { return &r.N }),
	maybeNumber("tau", "", "Kendall tau-b of minus the inherited loss with the score after training from scratch", func(r *SupernetTraining) *float64 { return &r.Tau }),
	maybeNumber("tau_lo", "", "lower end of its 95 % bootstrap interval", func(r *SupernetTraining) *float64 { return &r.TauLo }),
	maybeNumber("tau_hi", "", "upper end of its 95 % bootstrap interval", func(r *SupernetTraining) *float64 { return &r.TauHi }),
	maybeNumber("test_tau", "", "the same with the test score", func(r *SupernetTraining) *float64 { return &r.TestTau }),
	maybeNumber("test_tau_lo", "", "lower end of its 95 % bootstrap interval", func(r *SupernetTraining) *float64 { return &r.TestTauLo }),
	maybeNumber("test_tau_hi", "", "upper end of its 95 % bootstrap interval", func(r *SupernetTraining) *float64 { return &r.TestTauHi }),
	number("score_ms", "ms", "time to score one architecture, mean over those scored, several side by side", func(r *SupernetTraining) *float64 { return &r.ScoreMS }),
	text("weights_file", "the shared weights, relative to the run directory", func(r *SupernetTraining) *string { return &r.WeightsFile }),
}}

// WriteSupernetTraining writes supernet/training.parquet.
func WriteSupernetTraining(path string, row SupernetTraining, p Provenance) error {
	return supernetTrainings.write(path, []SupernetTraining{row}, p)
}

// ReadSupernetTraining reads what WriteSupernetTraining wrote.
func ReadSupernetTraining(path string) (SupernetTraining, error) {
	rows, err := supernetTrainings.read(path)
	if err != nil || len(rows) != 1 {
		return SupernetTraining{}, orDamaged(path, err, len(rows))
	}
	return rows[0], nil
}
