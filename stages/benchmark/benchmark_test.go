package benchmark

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/ort"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// smallSpace keeps models to some hundred kilobytes.
const smallSpace = `
name: small
hyperparameters:
  - {name: encoder_embed_dim, definition: d, choices: [8, 12]}
  - {name: encoder_layers, definition: d, choices: [2]}
  - {name: encoder_ffn_dim, definition: d, layers: encoder_layers, choices: [8, 16]}
  - {name: encoder_self_attn_heads, definition: d, layers: encoder_layers, choices: [4, 8]}
  - {name: decoder_embed_dim, definition: d, choices: [8, 12]}
  - {name: decoder_layers, definition: d, choices: [1, 2]}
  - {name: decoder_ffn_dim, definition: d, layers: decoder_layers, choices: [8, 16]}
  - {name: decoder_self_attn_heads, definition: d, layers: decoder_layers, choices: [4, 8]}
  - {name: decoder_cross_attn_heads, definition: d, layers: decoder_layers, choices: [4, 8]}
  - {name: decoder_cross_attn_span, definition: d, layers: decoder_layers, choices: [1, 2]}
`

func small(t *testing.T) *task.Task {
	t.Helper()
	s, err := space.Parse("small.yaml", []byte(smallSpace))
	if err != nil {
		t.Fatal(err)
	}
	return &task.Task{
		Name: "small", Family: "hat", Space: s, Metric: task.Metric{Name: "BLEU", Direction: "maximize", Max: 100},
		Model: &task.Transformer{Vocabulary: 20, SourceTokens: 4, TargetTokens: 3, SharedEmbeddings: true},
	}
}

func winner(search string, limit, score float64, a space.Architecture) schemas.Winner {
	return schemas.Winner{Search: search, Limit: limit, Unit: "ms", Constraint: "latency_ms", Rank: 1, ID: a.ID(), Architecture: a.String(), Score: score, Scorer: "s", Cost: 1}
}

const middle = `{"encoder_embed_dim":8,"encoder_ffn_dim":[8,16],"encoder_self_attn_heads":[4,8],"decoder_embed_dim":12,` +
	`"decoder_ffn_dim":[16],"decoder_self_attn_heads":[8],"decoder_cross_attn_heads":[4],"decoder_cross_attn_span":[2]}`

func parse(t *testing.T, x *task.Task, text string) space.Architecture {
	t.Helper()
	a, err := x.Space.ParseArchitecture([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestChoose(t *testing.T) {
	x := small(t)
	a, low, high := parse(t, x, middle), x.Space.Smallest(), x.Space.Largest()
	front := []schemas.Winner{
		winner("random", 100, 99, high), winner("hs-nas", 100, 20, low), winner("hs-nas", 100, 25, a),
		winner("hs-nas", 200, 30, a), winner("hs-nas", 200, 31, high), winner("hs-nas", math.NaN(), 31, high),
	}
	for _, c := range []struct {
		name      string
		p         Params
		direction string
		want      string
	}{
		{"best of each limit", Params{Searches: []string{"hs-nas"}, Top: 1}, "maximize", "hs-nas 100 ms=25 hs-nas 200 ms=31"},
		{"two", Params{Searches: []string{"hs-nas"}, Top: 2}, "maximize", "hs-nas 100 ms=25 hs-nas 100 ms #2=20 hs-nas 200 ms=31"},
		{"minimise", Params{Searches: []string{"hs-nas"}, Top: 1}, "minimize", "hs-nas 100 ms=20 hs-nas 200 ms=25 hs-nas=31"},
		{"extremes come first and last", Params{IncludeExtremes: true, Searches: []string{"hs-nas"}, Top: 1}, "maximize", "smallest=20 hs-nas 100 ms=25 hs-nas 200 ms=31"},
		{"extremes alone", Params{IncludeExtremes: true}, "maximize", "smallest=20 largest=31"},
	} {
		t.Run(c.name, func(t *testing.T) {
			y := *x
			y.Metric.Direction = c.direction
			got, err := choose(c.p, &y, front)
			if err != nil {
				t.Fatal(err)
			}
			var parts []string
			for _, g := range got {
				score := map[string]int{low.ID(): 20, a.ID(): 25, high.ID(): 31}[g.arch.ID()]
				parts = append(parts, fmt.Sprintf("%s=%d", g.name, score))
			}
			if s := strings.Join(parts, " "); s != c.want {
				t.Errorf("got  %s\nwant %s", s, c.want)
			}
		})
	}
	if _, err := choose(Params{Searches: []string{"x"}, Top: 1}, x, front); err == nil || err.Error() != `benchmark: nothing to time: the front has no winners of the searches ["x"]` {
		t.Error(err)
	}
}

func TestValidate(t *testing.T) {
	if err := Defaults().Validate(); err != nil {
		t.Error(err)
	}
	for want, spoil := range map[string]func(*Params){
		`device: unknown device "tpu"; known: cpu, webgpu, cuda, cuda:N`:                                                       func(p *Params) { p.Device = "tpu" },
		`variants: unknown variant "int4"; known: fp32, fp32-off, fp32-basic, fp32-extended, int8, fp16`:                       func(p *Params) { p.Variants = []string{"fp32", "int4"} },
		"batches: expected 1 or more, found 0":                                                                                 func(p *Params) { p.Batches = []int{1, 0} },
		"lengths: expected 0 or more, found -1":                                                                                func(p *Params) { p.Lengths = []int{-1} },
		"drift: expected a share above 0, found 0":                                                                             func(p *Params) { p.Drift = 0 },
		fmt.Sprintf("threads: 5000 threads on a machine of %d cores would time the waiting for one another", runtime.NumCPU()): func(p *Params) { p.Threads = 5000 },
		"threads: expected 1 or more, found 0":                                                                                 func(p *Params) { p.Threads = 0 },
		"beam: expected 1 or more, found -5":                                                                                   func(p *Params) { p.Beam = -5 },
		"rounds: 30 rounds need as many repetitions, found 20":                                                                 func(p *Params) { p.Rounds = 30 },
	} {
		p := Defaults()
		spoil(&p)
		if err := p.Validate(); fmt.Sprint(err) != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// TestRun times real models of a small space, twice: all but the times is the same.
func TestRun(t *testing.T) {
	if _, err := ort.Open(); err != nil {
		t.Skip(err)
	}
	x, dir := small(t), t.TempDir()
	front := filepath.Join(dir, "front.parquet")
	prov := schemas.Provenance{Stage: Name, StageVersion: Version, Key: "k", Task: x.Name}
	a := parse(t, x, middle)
	if err := schemas.WriteFront(front, []schemas.Winner{winner("hs-nas", 100, 25, a)}, prov); err != nil {
		t.Fatal(err)
	}
	p := Defaults()
	p.Repetitions, p.Rounds, p.Warmup, p.Search, p.Retries, p.LargePages = 5, 2, 1, true, 0, false
	p.Variants, p.Batches, p.Lengths = []string{"fp32", "fp32-off", "int8", "fp16"}, []int{1, 2}, []int{0, 3}
	var sums []string
	for i, keep := range []bool{false, true} {
		p.KeepModels = keep
		stage := filepath.Join(dir, fmt.Sprint(i))
		if err := os.Mkdir(stage, 0o777); err != nil {
			t.Fatal(err)
		}
		out := Outputs{filepath.Join(stage, "benchmark.parquet"), filepath.Join(stage, "samples.parquet"), filepath.Join(stage, "models.parquet"), filepath.Join(stage, "roofline.parquet")}
		if err := Run(t.Context(), p, Inputs{Task: x, Front: front}, out, prov, progress.Discard); err != nil {
			t.Fatal(err)
		}
		sums = append(sums, checkOutputs(t, out, a))
		want := []string{"benchmark.parquet", "models.parquet", "roofline.parquet", "samples.parquet"}
		if keep {
			want = []string{"benchmark.parquet", "models", "models.parquet", "roofline.parquet", "samples.parquet"}
		}
		if got := listing(t, stage); !slices.Equal(got, want) {
			t.Errorf("left %v, expected %v", got, want)
		}
	}
	if sums[0] != sums[1] {
		t.Errorf("two runs made different models:\n%s\n%s", sums[0], sums[1])
	}
}

func listing(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// checkOutputs returns the models' checksums.
func checkOutputs(t *testing.T, out Outputs, a space.Architecture) string {
	t.Helper()
	rows, err := schemas.ReadBenchmarks(out.Benchmark)
	if err != nil {
		t.Fatal(err)
	}
	times, err := schemas.ReadBenchmarkSamples(out.Samples)
	if err != nil {
		t.Fatal(err)
	}
	models, err := schemas.ReadBenchmarkModels(out.Models)
	if err != nil {
		t.Fatal(err)
	}
	roofs, err := schemas.ReadRooflines(out.Roofline)
	if err != nil {
		t.Fatal(err)
	}
	timed := slices.DeleteFunc(slices.Clone(rows), func(r schemas.Benchmark) bool { return r.Variant == "fp16" })
	checkRefused(t, rows[len(timed):])
	rows = timed
	// 3 architectures, 3 variants in 2 precisions, 2 batches, 2 lengths, 5 parts.
	if n := 3 * 3 * 4 * 5; len(rows) != n || len(times) != n*5 || len(models) != 3*2*5 || len(roofs) != n {
		t.Fatalf("%d rows, %d samples, %d models, %d of the roofline", len(rows), len(times), len(models), len(roofs))
	}
	checkRoofline(t, rows, roofs)
	rows = slices.DeleteFunc(rows, func(r schemas.Benchmark) bool {
		return r.Variant != "fp32" || r.Sentences != 1 || r.SourceTokens != 4 || r.ID != a.ID()
	})
	if len(rows) != 5 {
		t.Fatalf("%d rows of one model", len(rows))
	}
	r := rows[2]
	if r.Name != "hs-nas 100 ms" || r.ID != a.ID() || r.Part != schemas.PartTotal || r.Repetitions != 5 || r.Weights != "random:1" ||
		!(r.P50MS > 0) || !(r.GFLOPs > 0) || !math.IsNaN(r.PredictedMS) || !strings.HasPrefix(r.Provider, "CPU, ") {
		t.Errorf("%+v", r)
	}
	if got := rows[0].GFLOPs + rows[1].GFLOPs; math.Abs(got-r.GFLOPs) > 1e-12 {
		t.Errorf("parts of %g GFLOPs, total %g", got, r.GFLOPs)
	}
	var sums strings.Builder
	for _, m := range models {
		fmt.Fprintln(&sums, m.Name, m.File, m.SHA256, m.Bytes)
	}
	return sums.String()
}

// checkRefused: half precision is not timed on the CPU, and each point says why.
func checkRefused(t *testing.T, rows []schemas.Benchmark) {
	t.Helper()
	if len(rows) != 3*4 {
		t.Fatalf("%d points are not timed, want 3 architectures in 2 batches and 2 lengths", len(rows))
	}
	for _, r := range rows {
		const want = "ONNX Runtime's CPU has few kernels of half precision and casts to float32 and back for the rest, which tells nothing of half precision; give --device webgpu or cuda"
		if r.Note != want || !math.IsNaN(r.MeanMS) || !math.IsNaN(r.P99HiMS) || r.Variant != "fp16" || r.Part != schemas.PartTotal || r.Provider == "" {
			t.Errorf("%+v", r)
		}
	}
}

// checkRoofline: a share is of the row's own median, variants differ from fp32 by what they
// should, and intervals hold what they are of.
func checkRoofline(t *testing.T, rows []schemas.Benchmark, roofs []schemas.Roofline) {
	t.Helper()
	for i, r := range rows {
		f := roofs[i]
		if f.Part != r.Part || f.P50MS != r.P50MS || math.Abs(f.Share*f.P50MS-f.BoundMS) > 1e-12 || math.Abs(f.GFLOPs-r.GFLOPs) > 1e-12 {
			t.Errorf("row %d: %+v\n%+v", i, f, r)
		}
		if math.IsNaN(f.ComputeMS) != (r.Variant == "int8") || f.BoundMS != max(f.MemoryMS, known(f.ComputeMS)) {
			t.Errorf("row %d: %+v", i, f)
		}
		d := r.LogitDifference
		if want := r.Variant != "fp32"; math.IsNaN(d) == want || r.Variant == "int8" && !(d > 1e-4 && d < 1) || r.Variant == "fp32-off" && !(d < 1e-4) {
			t.Errorf("row %d: %s differs by %g", i, r.Variant, d)
		}
		if r.MeanLoMS > r.MeanMS || r.MeanMS > r.MeanHiMS || r.P50LoMS > r.P50MS || r.P99MS > r.P99HiMS {
			t.Errorf("row %d: %+v", i, r)
		}
	}
}

func known(x float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return x
}
