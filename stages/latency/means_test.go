package latency

import (
	"math"
	"math/rand/v2"
	"testing"

	"hsnas/internal/cost"
	"hsnas/internal/predictor"
	"hsnas/internal/published"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// What follows from the means of an architecture is what the architecture itself
// gives: features and FLOPs.
func TestMeansAreEnough(t *testing.T) {
	for _, name := range []string{"wmt14.en-de", "iwslt14.de-en", "micro.en-de"} {
		on, err := task.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		work, err := predictor.FeatureSet(on, predictor.HATWork)
		if err != nil {
			t.Fatal(err)
		}
		flops, err := flopsOf(on, work)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(7, 7))
		for range 50 {
			a := on.Space.Sample(r)
			means, err := meansOf(on, a)
			if err != nil {
				t.Fatal(err)
			}
			got, err := inputs([]published.LatencyRow{{Features: means}}, work)
			if err != nil {
				t.Fatal(err)
			}
			want, err := work.Rows([]space.Architecture{a})
			if err != nil {
				t.Fatal(err)
			}
			for j := range want[0] {
				if math.Abs(got[0][j]-want[0][j]) > 1e-12 {
					t.Errorf("%s, %s: %v, expected %v", name, work.Columns[j], got[0][j], want[0][j])
				}
			}
			c, err := cost.Of(on, a)
			if err != nil {
				t.Fatal(err)
			}
			if n := float64(c.FLOPsWithoutLastLayer); math.Abs(flops(got[0])-n) > 1e-6*n {
				t.Errorf("%s: %v FLOPs, expected %v", name, flops(got[0]), n)
			}
		}
	}
}

func TestFeaturesThatDoNotFollow(t *testing.T) {
	f, err := predictor.FeatureSet(microTask(t), predictor.HATMeansCost)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inputs(make([]published.LatencyRow, 1), f); err == nil || err.Error() != "the features hat-means-cost do not follow from the means of a latency dataset" {
		t.Error(err)
	}
}
