package benchmarks

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/evolve"
	"hsnas/internal/space"
)

var (
	searchReport = flag.String("search-report", "", "the file to write the race of searches to, an absolute path")
	searchPython = flag.String("search-python", "", "a Python that has benchmarks/peers/search/requirements.txt")
	searchRounds = flag.Int("search-rounds", 5, "how often each runs, in turns")
)

// TestSearchReport races searches by predictors alone and writes a table: hsnas's,
// the same with one prediction at a time as the reference implementation makes
// them, and pymoo's NSGA-II on the same predictors. `just bench-search` runs it.
func TestSearchReport(t *testing.T) {
	if *searchReport == "" {
		t.Skip("measures for half a minute: run by just bench-search")
	}
	dir := t.TempDir()
	p := problem(t, dir)
	single := p
	single.Student, single.Baseline = oneByOne(p.Student), oneByOne(p.Baseline)
	single.Constraints = slices.Clone(p.Constraints)
	single.Constraints[0].Cost = oneByOne(p.Constraints[0].Cost)
	front := frontOf(p)
	alone := evolve.Defaults()
	alone.StudentIterations = 0
	writeProblem(t, dir, front, alone)
	rows := []struct {
		name string
		run  func(seed uint64) outcome
		all  []outcome
	}{
		{name: "hsnas, HS-NAS within 150 ms", run: func(seed uint64) outcome { return searched(t, p, evolve.Defaults(), seed) }},
		{name: "the same, one prediction at a time", run: func(seed uint64) outcome { return searched(t, single, evolve.Defaults(), seed) }},
		{name: "hsnas, NSGA-II of quality and latency", run: func(seed uint64) outcome { return searched(t, front, alone, seed) }},
		{name: "pymoo, NSGA-II of quality and latency", run: func(seed uint64) outcome { return pymoo(t, dir, seed) }},
	}
	for round := range *searchRounds {
		for i := range rows {
			rows[i].all = append(rows[i].all, rows[i].run(uint64(round+1)))
		}
	}
	var table strings.Builder
	for _, r := range rows {
		of := func(f func(outcome) float64) float64 { return middle(r.all, f) }
		volume := "-"
		if v := of(func(o outcome) float64 { return o.hypervolume }); v > 0 {
			volume = fmt.Sprintf("%.1f", v)
		}
		fmt.Fprintf(&table, "| %s | %.0f | %.0f | %.0f | %s |\n", r.name, of(func(o outcome) float64 { return float64(o.predictions) }),
			1e3*of(func(o outcome) float64 { return o.processor }), 1e3*of(func(o outcome) float64 { return o.seconds }), volume)
	}
	text := fmt.Sprintf(searchPage, *searchRounds, runtime.NumCPU(), table.String())
	if err := os.WriteFile(*searchReport, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	fmt.Print(text)
}

const searchPage = `# A search by predictors alone

30 generations, 125 candidates in the first, 100 new ones in each further, on WMT'14 English-German's space; every predictor a network of four layers of 400 as
ONNX, on one thread. Medians of %d rounds in turns, each with its own seed, on a machine of %d cores that is shared with others: the milliseconds of the processor are those to
compare, the clock's hold what else ran. NSGA-II scores 3,025 architectures on both sides, each by two predictors; hypervolumes, BLEU x ms, are of the front of all that was scored, up
to 0 BLEU and 400 ms. Loading the predictors is not counted, nor Python's imports. Made by ` + "`just bench-search`" + `.

| search | predictions | processor, ms | clock, ms | hypervolume |
|---|---|---|---|---|
%s`

// oneByOne asks a scorer about one architecture at a time.
func oneByOne(s evolve.Scorer) evolve.Scorer {
	return evolve.Func(s.Name(), func(ctx context.Context, archs []space.Architecture, out []float64) error {
		for i := range archs {
			if err := s.Score(ctx, archs[i:i+1], out[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	})
}

// middle is the median of something of outcomes.
func middle(all []outcome, f func(outcome) float64) float64 {
	var values []float64
	for _, o := range all {
		values = append(values, f(o))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// writeProblem writes what race.py reads beside the predictors.
func writeProblem(t *testing.T, dir string, p evolve.Problem, params evolve.Params) {
	t.Helper()
	var checks []map[string]any
	r := rand.New(rand.NewPCG(3, 0))
	for range 20 {
		a := p.Space.Sample(r)
		quality, latency := []float64{0}, []float64{0}
		if err := p.Baseline.Score(context.Background(), []space.Architecture{a}, quality); err != nil {
			t.Fatal(err)
		}
		if err := p.Objectives[1].Cost.Score(context.Background(), []space.Architecture{a}, latency); err != nil {
			t.Fatal(err)
		}
		checks = append(checks, map[string]any{"architecture": a, "quality": quality[0], "latency": latency[0]})
	}
	var hyperparameters []map[string]any
	for _, h := range p.Space.Hyperparameters {
		hyperparameters = append(hyperparameters, map[string]any{"name": h.Name, "choices": h.Choices, "layers": h.Layers})
	}
	text, err := json.Marshal(map[string]any{
		"hyperparameters": hyperparameters, "checks": checks, "reference": p.Reference,
		"population": params.Population, "children": params.Mutation + params.Crossover, "generations": params.Iterations,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "problem.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// pymoo runs the peer.
func pymoo(t *testing.T, dir string, seed uint64) outcome {
	t.Helper()
	cmd := exec.Command(*searchPython, filepath.Join("peers", "search", "race.py"), dir, fmt.Sprint(seed))
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1")
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	var got struct {
		Seconds, Processor, Hypervolume float64
		Evaluations                     int64
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%s: %v in %s", cmd, err, text)
	}
	return outcome{2 * got.Evaluations, got.Seconds, got.Processor, got.Hypervolume}
}
