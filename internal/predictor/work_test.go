package predictor

import (
	"math"
	"slices"
	"testing"

	"hsnas/internal/space"
)

func TestWork(t *testing.T) {
	on := loadTask(t, "micro.en-de")
	f, err := FeatureSet(on, HATWork)
	if err != nil {
		t.Fatal(err)
	}
	a, err := on.Space.ParseArchitecture([]byte(`{"encoder_embed_dim":32,"encoder_ffn_dim":[64,64,256],"encoder_self_attn_heads":[2,4,4],"decoder_embed_dim":64,` +
		`"decoder_ffn_dim":[64,128],"decoder_self_attn_heads":[2,2],"decoder_cross_attn_heads":[4,4],"decoder_cross_attn_span":[1,3]}`))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := f.Rows([]space.Architecture{on.Space.Largest(), a})
	if err != nil {
		t.Fatal(err)
	}
	if ones := slices.Repeat([]float64{1}, 12); !slices.Equal(rows[0], ones) {
		t.Errorf("the largest architecture has %v, expected ones", rows[0])
	}
	want := []float64{
		3. / 3, 3. * 32 / (3 * 96), 10. / 12, 32. * 384 / (96 * 768),
		2. / 3, 2. * 64 / (3 * 96), 64. / 96, 4. / 12, 8. / 12, 64. * 192 / (96 * 768),
		4. / 9, 32. * 4 / (96 * 9),
	}
	if !slices.EqualFunc(rows[1], want, func(a, b float64) bool { return math.Abs(a-b) < 1e-15 }) {
		t.Errorf("row  %v\nwant %v", rows[1], want)
	}
	_, err = FeatureSet(mixedTask(t), HATWork)
	if want := "feature set hat-work: task mixed names no model family"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
