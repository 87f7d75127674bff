package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/schemas"
)

func TestEval(t *testing.T) {
	runs := t.TempDir()
	t.Setenv("HSNAS_RUNS", runs)
	dir := filepath.Join(runs, "r", "distill")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	err := schemas.WriteScoreboard(filepath.Join(dir, "scoreboard.parquet"), []schemas.Score{
		{Task: "t", Predictor: "llm-pp", Split: "mean", MAE: 0.155, Tau: 0.728, MAEStd: 0.01, TauStd: 0.02, MAELo: 0.1, MAEHi: 0.2, TauLo: 0.5, TauHi: 0.9, N: 60, PMAEvsLLMPP: nan, PTauVsLLMPP: nan},
		{Task: "t", Predictor: "control:constant", Split: "123", MAE: 0.5, Tau: nan, MAEStd: nan, TauStd: nan, MAELo: 0.4, MAEHi: 0.6, TauLo: nan, TauHi: nan, N: 20, PMAEvsLLMPP: 0.02, PTauVsLLMPP: nan},
	}, schemas.Provenance{Stage: "distill", StageVersion: 1, Key: "k", Task: "t"})
	if err != nil {
		t.Fatal(err)
	}
	var out, report bytes.Buffer
	if code := run(t.Context(), []string{"hsnas", "eval", "--run", "r", "--json"}, strings.NewReader(""), &out, &report); code != 0 {
		t.Fatalf("exit code %d: %s", code, report.String())
	}
	want := `[{"task":"t","predictor":"llm-pp","split":"mean","mae":0.155,"tau":0.728,"mae_std":0.01,"tau_std":0.02,"mae_lo":0.1,"mae_hi":0.2,"tau_lo":0.5,"tau_hi":0.9,"n":60},` +
		`{"task":"t","predictor":"control:constant","split":"123","mae":0.5,"tau":null,"mae_std":null,"tau_std":null,"mae_lo":0.4,"mae_hi":0.6,"tau_lo":null,"tau_hi":null,"n":20}]` + "\n"
	if out.String() != want {
		t.Errorf("printed %s\nwant    %s", out.String(), want)
	}
	out.Reset()
	if code := run(t.Context(), []string{"hsnas", "eval", "--run", "r"}, strings.NewReader(""), &out, &report); code != 0 {
		t.Fatalf("exit code %d: %s", code, report.String())
	}
	want = "predictor         split  MAE    95 %            std    tau    95 %            std    n   p (MAE)  p (tau)  note\n" +
		"llm-pp            mean   0.155  0.100 to 0.200  0.010  0.728  0.500 to 0.900  0.020  60  -        -        \n" +
		"control:constant  123    0.500  0.400 to 0.600  -      -      -               -      20  0.020    -        \n"
	if out.String() != want {
		t.Errorf("printed\n%swant\n%s", out.String(), want)
	}
	if code := run(t.Context(), []string{"hsnas", "eval", "--run", "other"}, strings.NewReader(""), &out, &report); code != 2 {
		t.Errorf("exit code %d for a run that is not there, want 2", code)
	}
}
