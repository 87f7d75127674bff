package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"

	"hsnas/internal/atomicfile"
)

var provenance = Provenance{Stage: "a stage", StageVersion: 3, Key: "0123abcd", Task: "micro.en-de"}

// kind is one artifact with its row type put away, so that one loop tests all.
type kind struct {
	artifact Artifact
	write    func(path string, n int) (rows any, err error)
	read     func(path string) (any, error)
}

func kindOf[T any](t *table[T], path string) kind {
	return kind{
		artifact: t.artifact(path),
		write: func(path string, n int) (any, error) {
			rows := make([]T, n)
			r := rand.New(rand.NewPCG(1, uint64(n)))
			for i := range rows {
				fill(reflect.ValueOf(&rows[i]).Elem(), t.columns, &rows[i], r)
			}
			return rows, t.write(path, rows, provenance)
		},
		read: func(path string) (any, error) { return t.read(path) },
	}
}

// fill gives a row random values, nulls where the columns admit them.
func fill[T any](v reflect.Value, columns []column[T], _ *T, r *rand.Rand) {
	for i := range v.NumField() {
		nullable := columns[i].nullable
		switch f := v.Field(i).Addr().Interface().(type) {
		case *string:
			*f = []string{"", "abc", `{"a":[1,2]}`, "Größe\n\"τ\""}[r.IntN(4)]
		case *bool:
			*f = r.IntN(2) == 0
		case *int32:
			*f = int32(r.Uint32())
		case *int64:
			*f = int64(r.Uint64())
		case **int64:
			if r.IntN(3) > 0 {
				*f = new(int64(r.Uint64()))
			}
		case *float64:
			*f = r.NormFloat64()
			if nullable && r.IntN(3) == 0 {
				*f = math.NaN()
			}
		case *[]float64:
			for range r.IntN(4) {
				*f = append(*f, r.NormFloat64())
			}
		default:
			panic("a field of another type")
		}
	}
}

func kinds() []kind {
	return []kind{
		kindOf(&corpusPairs, "corpus/corpus.parquet"),
		kindOf(&vocabulary, "corpus/vocabulary.parquet"),
		kindOf(&architectures, "sample/architectures.parquet"),
		kindOf(&tfs, "tfs/tfs.parquet"),
		kindOf(&supernetScores, "tfs/supernet.parquet"),
		kindOf(&costs, "tfs/costs.parquet"),
		kindOf(&tfsRuns, "tfs/runs.parquet"),
		kindOf(&supernetScores, "supernet/supernet.parquet"),
		kindOf(&supernetTrainings, "supernet/training.parquet"),
		kindOf(&labels, "label/labels.parquet"),
		kindOf(&requests, "label/requests.parquet"),
		kindOf(&students, "distill/students.parquet"),
		kindOf(&predictions, "distill/predictions.parquet"),
		kindOf(&scoreboard, "distill/scoreboard.parquet"),
		kindOf(&learningCurve, "distill/learning_curve.parquet"),
		kindOf(&latencyRows, "latency/dataset.parquet"),
		kindOf(&latencyScores, "latency/latency.parquet"),
		kindOf(&models, "export/models.parquet"),
		kindOf(&candidates, "search/candidates.parquet"),
		kindOf(&front, "search/front.parquet"),
		kindOf(&ledger, "search/ledger.parquet"),
		kindOf(&searchProgress, "search/progress.parquet"),
		kindOf(&pareto, "search/pareto.parquet"),
		kindOf(&finalists, "finalists/finalists.parquet"),
		kindOf(&winnersTrained, "winners/winners.parquet"),
		kindOf(&benchmarks, "benchmark/benchmark.parquet"),
		kindOf(&benchmarkSamples, "benchmark/samples.parquet"),
		kindOf(&benchmarkModels, "benchmark/models.parquet"),
		kindOf(&rooflines, "benchmark/roofline.parquet"),
		kindOf(&ablations, "ablations/ablations.parquet"),
	}
}

func TestAllListsEveryArtifact(t *testing.T) {
	for i, k := range kinds() {
		if got := All()[i]; !reflect.DeepEqual(got, k.artifact) {
			t.Errorf("number %d is %s (%s), want %s", i, got.Path, got.Schema, k.artifact.Path)
		}
	}
	if len(All()) != len(kinds()) {
		t.Errorf("%d artifacts, %d tested", len(All()), len(kinds()))
	}
}

func TestColumnsAreDescribed(t *testing.T) {
	snake := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	for _, a := range All() {
		seen := map[string]bool{}
		for _, c := range a.Columns {
			if !snake.MatchString(c.Name) || seen[c.Name] {
				t.Errorf("%s: column name %q", a.Path, c.Name)
			}
			seen[c.Name] = true
			if c.Description == "" {
				t.Errorf("%s: column %s has no description", a.Path, c.Name)
			}
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, k := range kinds() {
		for _, n := range []int{0, 1, 257} {
			path := filepath.Join(t.TempDir(), "x.parquet")
			want, err := k.write(path, n)
			if err != nil {
				t.Fatalf("%s: %v", k.artifact.Path, err)
			}
			got, err := k.read(path)
			if err != nil {
				t.Fatalf("%s: %v", k.artifact.Path, err)
			}
			if a, b := printed(t, want), printed(t, got); a != b {
				t.Errorf("%s, %d rows: got\n%s\nwant\n%s", k.artifact.Path, n, b, a)
			}
		}
	}
}

// printed makes rows comparable: NaN is unequal to itself and pointers differ.
func printed(t *testing.T, rows any) string {
	t.Helper()
	var out bytes.Buffer
	v := reflect.ValueOf(rows)
	for i := range v.Len() {
		for j := range v.Index(i).NumField() {
			f := v.Index(i).Field(j)
			if f.Kind() == reflect.Float64 && math.IsNaN(f.Float()) {
				out.WriteString("NaN ")
				continue
			}
			text, err := json.Marshal(f.Interface())
			if err != nil {
				t.Fatal(err)
			}
			out.Write(text)
			out.WriteByte(' ')
		}
		out.WriteByte('\n')
	}
	return out.String()
}

func TestBytesAreReproducible(t *testing.T) {
	for _, k := range kinds() {
		var first []byte
		for range 3 {
			path := filepath.Join(t.TempDir(), "x.parquet")
			if _, err := k.write(path, 300); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = data
			} else if !bytes.Equal(first, data) {
				t.Errorf("%s: the same rows gave other bytes", k.artifact.Path)
			}
		}
	}
}

func TestSeveralRowGroups(t *testing.T) {
	rows := make([]LatencyRow, 2*rowGroup+3)
	for i := range rows {
		rows[i] = LatencyRow{Row: int32(i), Features: make([]float64, i%3), LatencyMS: float64(i), EncoderMS: math.NaN()}
	}
	path := filepath.Join(t.TempDir(), "x.parquet")
	if err := WriteLatencyDataset(path, rows, provenance); err != nil {
		t.Fatal(err)
	}
	got, err := ReadLatencyDataset(path)
	if err != nil || len(got) != len(rows) {
		t.Fatalf("%d rows, %v", len(got), err)
	}
	for i, r := range got {
		if r.Row != int32(i) || len(r.Features) != i%3 || r.LatencyMS != float64(i) || !math.IsNaN(r.EncoderMS) {
			t.Fatalf("row %d came back as %+v", i, r)
		}
	}
	view := opened(t, path)
	if view.Rows != int64(len(rows)) {
		t.Errorf("the view has %d rows", view.Rows)
	}
	n := 0
	for values, err := range view.Each("latency_ms", "row", "features") {
		if err != nil {
			t.Fatal(err)
		}
		if values[0] != float64(n) || values[1] != int64(n) || len(values[2].([]any)) != n%3 {
			t.Fatalf("row %d of the view is %v", n, values)
		}
		n++
	}
	if n != len(rows) {
		t.Errorf("the view gave %d rows", n)
	}
}

// opened returns the view of an artifact, which the test closes.
func opened(t *testing.T, path string) *View {
	t.Helper()
	view, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { view.Close() })
	return view
}

// all returns every row of a view.
func all(t *testing.T, v *View, names ...string) [][]any {
	t.Helper()
	out := [][]any{} // none is [] in JSON, not null
	for row, err := range v.Each(names...) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	return out
}

func TestView(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.parquet")
	rows := []Student{
		{Student: "ridge", Split: "123", Labels: 250, CVMAE: 0.25, CVTau: math.NaN(), TeacherMAE: 0.5, Chosen: true, LossCurve: []float64{2, math.NaN()}},
		{Student: "mlp"},
	}
	if err := WriteStudents(path, rows, provenance); err != nil {
		t.Fatal(err)
	}
	view := opened(t, path)
	if view.Schema != "students/1" || view.Provenance != provenance || view.Rows != 2 {
		t.Errorf("got %+v", view)
	}
	if sum, size, err := atomicfile.Sum(path); err != nil || sum != view.SHA256 || size != view.Bytes {
		t.Errorf("SHA-256 %s of %d bytes, want %s of %d", view.SHA256, view.Bytes, sum, size)
	}
	if got := view.Columns[9]; got.Type != "list<float64>" || got.Nullable {
		t.Errorf("got %+v", got)
	}
	want := []any{"ridge", "123", "", int64(250), 0.25, nil, 0.5, true, "", []any{2.0, nil}}
	if got := all(t, view); len(got) != 2 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if got := all(t, view, "loss_curve", "student", "student"); !reflect.DeepEqual(got[0], []any{[]any{2.0, nil}, "ridge", "ridge"}) {
		t.Errorf("chosen columns: %v", got)
	}
	for range view.Each() {
		break // must not yield after it was stopped
	}
	_, err := Open(path + "x")
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	for _, err := range view.Each("labls") {
		if want := path + ` has no column "labls"`; err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

func TestNaNInRequiredColumn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.parquet")
	err := WriteTFS(path, []TFS{{ID: "a"}, {ID: "b", Score: math.NaN()}}, provenance)
	want := "cannot write " + path + ": row 1, column score: NaN where a number is required"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was written: %v", err)
	}
}

// TestIndependentReaders compares what pandas, pyarrow, DuckDB and Polars read
// with what was written. HSNAS_PYTHON names an interpreter that has them.
func TestIndependentReaders(t *testing.T) {
	python := os.Getenv("HSNAS_PYTHON")
	if python == "" {
		t.Skip("HSNAS_PYTHON is not set: no independent reader of Parquet to compare with")
	}
	dir := t.TempDir()
	expected := map[string]any{}
	for _, k := range kinds() {
		path := filepath.Join(dir, k.artifact.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		n := 100
		if k.artifact.Path == "tfs/costs.parquet" {
			n = 0 // an empty artifact must read, too
		}
		if _, err := k.write(path, n); err != nil {
			t.Fatal(err)
		}
		expected[k.artifact.Path] = map[string]any{
			"schema": k.artifact.Schema, "columns": k.artifact.Columns, "rows": all(t, opened(t, path)),
		}
	}
	text, err := json.Marshal(expected)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "expected.json"), text, 0o666); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, "../checks/parquet.py", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
