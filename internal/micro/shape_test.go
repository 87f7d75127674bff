package micro_test

import (
	"slices"
	"testing"

	"hsnas/internal/micro"
	"hsnas/internal/space"
)

func TestRecipe(t *testing.T) {
	for want, change := range map[string]func(r *micro.Recipe){
		"steps: 0, expected at least 1":                       func(r *micro.Recipe) { r.Steps = 0 },
		"batch: 0, expected at least 1":                       func(r *micro.Recipe) { r.Batch = 0 },
		"peak: 0, expected a learning rate above 0":           func(r *micro.Recipe) { r.Peak = 0 },
		"clip: 0, expected a norm above 0":                    func(r *micro.Recipe) { r.Clip = 0 },
		"dropout: 1, expected 0 or more and less than 1":      func(r *micro.Recipe) { r.Dropout = 1 },
		"adam_beta1: 1, expected more than 0 and less than 1": func(r *micro.Recipe) { r.Beta1 = 1 },
		"adam_epsilon: 0, expected more than 0":               func(r *micro.Recipe) { r.Epsilon = 0 },
		"learning_rate_floor: 2, expected 0 to 1":             func(r *micro.Recipe) { r.Floor = 2 },
	} {
		r := micro.SettingA()
		change(&r)
		if err := r.Validate(); err == nil || err.Error() != want {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
}

// TestDimsFaults: what the graphs have no room for is refused before anything is
// trained.
func TestDimsFaults(t *testing.T) {
	on := loadTask(t)
	on.Model.QKV = 0 // stands for HAT's
	if d, err := micro.DimsOf(on); err != nil || d.QKV != 512 {
		t.Errorf("without qkv: %+v, %v; want a width of 512", d, err)
	}
	i, _ := on.Space.Index("encoder_layers")
	h := on.Space.Hyperparameters
	on.Space.Hyperparameters = slices.Clone(h)
	on.Space.Hyperparameters[i].Choices = append([]space.Choice(nil), h[1+i].Choices[:2]...)
	want := "space micro.en-de: encoder_layers has 2 choices; models that are trained here have one depth of the encoder"
	if _, err := micro.DimsOf(on); err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}
