package measured_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"hsnas/internal/measured"
	"hsnas/internal/task"
)

var runs = []measured.Run{
	{ID: "a", Seed: 1, Score: 51.25, TestScore: 1.0 / 3, ValidLoss: 0.9, CPUSeconds: 12.5, WallSeconds: 13, Losses: []float64{6.5, 2.25}},
	{ID: "b", Seed: 18446744073709551615, Score: 0, TestScore: 100, ValidLoss: 2, CPUSeconds: 0, WallSeconds: 0.1, Losses: []float64{}},
}

func TestRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.runs.csv")
	if err := measured.WriteRuns(path, runs); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := measured.ParseRuns(path, text); err != nil || !reflect.DeepEqual(got, runs) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, runs)
	}
	for change, want := range map[string]string{
		"id,seed\n": `x.csv:1: header ["id" "seed"], expected ["id" "seed" "score" "test_score" "valid_loss" "cpu_seconds" "wall_seconds" "losses"]`,
		strings.Replace(string(text), "51.25", "much", 1): `x.csv:2: strconv.ParseFloat: parsing "much": invalid syntax`,
		string(text) + "c,1\n":                            "x.csv:4: malformed CSV: wrong number of fields, expected 8 columns as in the header",
		string(text) + "c\"d,1\n":                         "x.csv:4: malformed CSV: bare \" in non-quoted-field, expected 8 columns as in the header",
	} {
		if _, err := measured.ParseRuns("x.csv", []byte(change)); err == nil || err.Error() != want {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
}

// TestWrite: a table that is written is read again as it was.
func TestWrite(t *testing.T) {
	on, err := task.Load("micro.en-de")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "t.csv")
	rows := []measured.Row{
		{Arch: on.Space.Smallest(), Score: 1.0 / 3, TestScore: 2, Set: measured.Demonstration},
		{Arch: on.Space.Largest(), Score: 60, TestScore: 59.5, Set: measured.Extra},
	}
	if err := measured.Write(path, on.Space, rows); err != nil {
		t.Fatal(err)
	}
	on.Data.Table = path
	got, err := measured.Read(on)
	if err != nil || len(got.Rows) != 2 || len(got.Costs) != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	for i, r := range got.Rows {
		if !r.Arch.Equal(rows[i].Arch) || r.Score != rows[i].Score || r.TestScore != rows[i].TestScore || r.Set != rows[i].Set {
			t.Errorf("row %d: %+v, want %+v", i, r, rows[i])
		}
	}
}

func FuzzParseRuns(f *testing.F) {
	f.Add([]byte("id,seed,score,test_score,valid_loss,cpu_seconds,wall_seconds,losses\na,1,2,3,4,5,6,\"[1,2]\"\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if got, err := measured.ParseRuns("x.csv", text); err == nil {
			for _, r := range got {
				if len(r.ID) > len(text) {
					t.Errorf("an identifier longer than the text: %+v", r)
				}
			}
		}
	})
}
