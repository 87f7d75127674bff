package predictor

import (
	"math"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/cost"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

func TestFeatureSets(t *testing.T) {
	on := loadTask(t, "wmt14.en-de")
	a, err := on.Space.ParseArchitecture([]byte(`{"encoder_embed_dim":512,"encoder_ffn_dim":[1024,1024,2048,2048,2048,1024],` +
		`"encoder_self_attn_heads":[4,4,4,8,4,4],"decoder_embed_dim":640,"decoder_ffn_dim":[3072,1024],"decoder_self_attn_heads":[8,4],` +
		`"decoder_cross_attn_heads":[4,4],"decoder_cross_attn_span":[3,1]}`))
	if err != nil {
		t.Fatal(err)
	}
	means := []float64{512. / 640, 1, 1536. / 3072, (28. / 6) / 8, 1, 2. / 6, 2048. / 3072, 6. / 8, 4. / 8, 2. / 3}
	depth := []float64{math.Log(2), 0.5, 4096. / (6 * 3072), 12. / (6 * 8), 8. / (6 * 8), 4. / (6 * 3)}
	coded := slices.Clone(means)
	coded[9] = (2. - 1) / 2 / 3
	for name, want := range map[string][]float64{HATMeans: means, HATDepth: append(slices.Clone(means), depth...), HATMeansCost: coded} {
		f, err := FeatureSet(on, name)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float64, len(f.Columns))
		if err := f.Fill(a, got); err != nil {
			t.Fatal(err)
		}
		if name == HATMeansCost {
			if c, err := cost.Of(on, a); err != nil || got[10] != c.GFLOPs() {
				t.Errorf("%v GFLOPs, want %v, %v", got[10], c.GFLOPs(), err)
			}
			got = got[:10]
		}
		if !slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) {
			t.Errorf("%s: %v\nwant %v", name, got, want)
		}
	}
	_, err = FeatureSet(on, "hat-mean")
	if want := `unknown feature set "hat-mean"; did you mean "hat-means"?`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

const mixed = `name: mixed
hyperparameters:
  - {name: layers, definition: depth, choices: [1, 2, 4]}
  - {name: width, definition: width, layers: layers, choices: [32, 64]}
  - {name: kind, definition: kind, layers: layers, choices: [conv, pool]}
  - {name: shift, definition: shift, choices: [-2, 0]}
`

func mixedTask(t *testing.T) *task.Task {
	t.Helper()
	s, err := space.Parse("mixed.yaml", []byte(mixed))
	if err != nil {
		t.Fatal(err)
	}
	return &task.Task{Name: "mixed", Space: s}
}

func TestFeaturesOfOtherSpaces(t *testing.T) {
	on := mixedTask(t)
	f, err := FeatureSet(on, HATDepth)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(f.Columns, " "), "layers width kind=conv kind=pool shift log_layers inverse_layers sum_width"; got != want {
		t.Errorf("columns %s, want %s", got, want)
	}
	a, err := on.Space.ParseArchitecture([]byte(`{"width":[32,64],"kind":["conv","conv"],"shift":-2}`))
	if err != nil {
		t.Fatal(err)
	}
	row := make([]float64, len(f.Columns))
	if err := f.Fill(a, row); err != nil {
		t.Fatal(err)
	}
	if want := []float64{0.5, 0.75, 1, 0, -1, math.Log(2), 0.5, 96. / 256}; !slices.Equal(row, want) {
		t.Errorf("row %v, want %v", row, want)
	}
	other := loadTask(t, "wmt14.en-de").Space.Smallest()
	err = f.Fill(other, row)
	if want := "features hat-depth: the architecture is not of the space mixed"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	_, err = FeatureSet(on, HATMeansCost)
	if want := "feature set hat-means-cost: task mixed has no cost model"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestControlsOfOtherSpaces(t *testing.T) {
	on := mixedTask(t)
	var d Demonstrations
	for _, text := range []string{
		`{"width":[32],"kind":["conv"],"shift":0}`, `{"width":[32,64],"kind":["conv","pool"],"shift":0}`, `{"width":[32,32,64,32],"kind":["pool","conv","conv","conv"],"shift":-2}`,
	} {
		a, err := on.Space.ParseArchitecture([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		d.Archs, d.Truth = append(d.Archs, a), append(d.Truth, 3+2*math.Log(a.Numbers(0)[0]))
	}
	ms := Column{"latency_ms", func(a space.Architecture) (float64, error) { return 7, nil }}
	controls, err := Controls(on, d, []Column{ms}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var names, linear []string
	for _, c := range controls {
		names = append(names, c.Name())
		if r, ok := c.(*Regression); ok {
			linear = append(linear, r.Label+" on "+r.Features.Name)
		}
		out := make([]float64, 3)
		if err := c.Predict(t.Context(), d.Archs, out); err != nil {
			t.Fatal(err)
		}
		switch mean := sum(d.Truth) / 3; c.Name() {
		case "control:log-layers": // the truth is that line
			if math.Abs(out[2]-d.Truth[2]) > 1e-12 {
				t.Errorf("%s predicts %v, want %v", c.Name(), out, d.Truth)
			}
		case "control:constant", "control:latency_ms": // the cost is constant: a level line
			if out[0] != out[2] || math.Abs(out[0]-mean) > 1e-12 {
				t.Errorf("%s predicts %v, want the mean %v", c.Name(), out, mean)
			}
		}
	}
	if got, want := strings.Join(names, " "), "control:constant control:log-layers control:latency_ms control:ridge"; got != want {
		t.Errorf("controls %s, want %s", got, want)
	}
	if got, want := strings.Join(linear, ", "), "control:log-layers on hat-depth, control:ridge on hat-means"; got != want {
		t.Errorf("linear in a feature set: %s, want %s", got, want)
	}
}
