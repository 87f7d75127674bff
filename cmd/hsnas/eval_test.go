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
		{Task: "t", Predictor: "llm-pp", Split: "mean", MAE: 0.155, Tau: 0.728, MAEStd: 0.01, TauStd: 0.02, MAELo: 0.1, MAEHi: 0.2, TauLo: 0.5, TauHi: 0.9, N: 60, PMAEvsLLMPP: nan, PTauVsLLMPP: nan, PMAEvsCombined: 0.04, PTauVsCombined: 0.5, Coverage: 0.9, Width: 0.8},
		{Task: "t", Predictor: "control:constant", Split: "123", MAE: 0.5, Tau: nan, MAEStd: nan, TauStd: nan, MAELo: 0.4, MAEHi: 0.6, TauLo: nan, TauHi: nan, N: 20, PMAEvsLLMPP: 0.02, PTauVsLLMPP: nan, PMAEvsCombined: nan, PTauVsCombined: nan, Coverage: nan, Width: nan},
	}, schemas.Provenance{Stage: "distill", StageVersion: 1, Key: "k", Task: "t"})
	if err != nil {
		t.Fatal(err)
	}
	sealed(t, filepath.Join(runs, "r"), "")
	var out, report bytes.Buffer
	if code := run(t.Context(), []string{"hsnas", "eval", "--run", "r", "--json"}, strings.NewReader(""), &out, &report); code != 0 {
		t.Fatalf("exit code %d: %s", code, report.String())
	}
	want := `[{"task":"t","predictor":"llm-pp","split":"mean","mae":0.155,"tau":0.728,"mae_std":0.01,"tau_std":0.02,"mae_lo":0.1,"mae_hi":0.2,"tau_lo":0.5,"tau_hi":0.9,"n":60,"p_mae_vs_llm_pp":null,"p_tau_vs_llm_pp":null,"p_mae_vs_combined":0.04,"p_tau_vs_combined":0.5,"coverage":0.9,"width":0.8},` +
		`{"task":"t","predictor":"control:constant","split":"123","mae":0.5,"tau":null,"mae_std":null,"tau_std":null,"mae_lo":0.4,"mae_hi":0.6,"tau_lo":null,"tau_hi":null,"n":20,"p_mae_vs_llm_pp":0.02,"p_tau_vs_llm_pp":null,"p_mae_vs_combined":null,"p_tau_vs_combined":null,"coverage":null,"width":null}]` + "\n"
	if out.String() != want {
		t.Errorf("printed %s\nwant    %s", out.String(), want)
	}
	out.Reset()
	if code := run(t.Context(), []string{"hsnas", "eval", "--run", "r"}, strings.NewReader(""), &out, &report); code != 0 {
		t.Fatalf("exit code %d: %s", code, report.String())
	}
	want = "predictor         split  MAE    95 %            std    tau    95 %            std    n   p (MAE)  p (tau)  coverage  note\n" +
		"llm-pp            mean   0.155  0.100 to 0.200  0.010  0.728  0.500 to 0.900  0.020  60  -        -        0.900     \n" +
		"control:constant  123    0.500  0.400 to 0.600  -      -      -               -      20  0.020    -        -         \n"
	if out.String() != want {
		t.Errorf("printed\n%swant\n%s", out.String(), want)
	}
	if code := run(t.Context(), []string{"hsnas", "eval", "--run", "other"}, strings.NewReader(""), &out, &report); code != 2 {
		t.Errorf("exit code %d for a run that is not there, want 2", code)
	}
}

// TestEvalOfAblations: a run with a matrix of prompts has its table printed.
func TestEvalOfAblations(t *testing.T) {
	runs := t.TempDir()
	t.Setenv("HSNAS_RUNS", runs)
	dir := filepath.Join(runs, "r", "ablations")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	row := schemas.Ablation{
		Task: "t", Metric: "BLEU", Cell: "no-role", Group: "components", Split: "mean", Requests: 3, Answered: 3, Architectures: 60,
		MAE: 0.156, Tau: 0.738, MAEStd: 0.027, TauStd: 0.031, MAELo: nan, MAEHi: nan, TauLo: nan, TauHi: nan, PMAE: 0.989, PTau: 0.595, Spread: nan,
		PromptTokens: 12000, CompletionTokens: 800, TokensEstimated: true, Dollars: 0.41, PriceModel: "gpt-4",
	}
	if err := schemas.WriteAblations(filepath.Join(dir, "ablations.parquet"), []schemas.Ablation{row}, schemas.Provenance{Stage: "ablations"}); err != nil {
		t.Fatal(err)
	}
	sealed(t, filepath.Join(runs, "r"), "")
	for flag, want := range map[string]string{
		"": "| *components* | | | | | | | | |\n| no-role | 0.156 ± 0.027 | 0.738 ± 0.031 | 0.989 | 0.595 | 3 of 3 | ≈ 12.8 | 0.41 |  |\n",
		"--json": `[{"task":"t","cell":"no-role","group":"components","split":"mean","mae":0.156,"tau":0.738,"mae_std":0.027,"tau_std":0.031,"p_mae_vs_reference":0.989,` +
			`"p_tau_vs_reference":0.595,"spread":null,"requests":3,"answered":3,"n":60,"tokens":12800,"tokens_estimated":true,"dollars":0.41,"note":""}]` + "\n",
	} {
		args := []string{"hsnas", "eval", "--run", "r"}
		if flag != "" {
			args = append(args, flag)
		}
		var out, report bytes.Buffer
		if code := run(t.Context(), args, strings.NewReader(""), &out, &report); code != 0 {
			t.Fatalf("exit code %d: %s", code, report.String())
		}
		if !strings.HasSuffix(out.String(), want) {
			t.Errorf("%s printed\n%s\nwant at the end\n%s", flag, out.String(), want)
		}
	}
}
