package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/ort"
)

// TestMain lets the test's own binary be the program, and the process that probes a model.
func TestMain(m *testing.M) {
	if os.Getenv(probeVariable) != "" || os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// TestProbed: a probe that was killed is told from one that said what is wrong.
func TestProbed(t *testing.T) {
	for _, c := range []struct{ script, want string }{
		{"exit 0", "<nil>"},
		{"echo 'hsnas: model x: not an ONNX model, or a damaged one' >&2; exit 1", "model x: not an ONNX model, or a damaged one"},
		{"kill -SEGV $$", "the model in DIR ends ONNX Runtime (signal: segmentation fault): it is damaged; export it again"},
		{"printf 'SIGABRT: abort\\n\\ngoroutine 1' >&2; exit 2", "the model in DIR ends ONNX Runtime (exit status 2): it is damaged; export it again"},
	} {
		var stderr strings.Builder
		run := exec.Command("sh", "-c", c.script)
		run.Stderr = &stderr
		err := run.Run()
		if got := fmt.Sprint(probed("DIR", err, stderr.String())); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s:\ngot  %s\nwant %s", c.script, got, c.want)
		}
	}
}

// TestBenchmarkRefuses holds the messages for models and settings that are not right.
func TestBenchmarkRefuses(t *testing.T) {
	if _, err := ort.Open(); err != nil {
		t.Skip(err)
	}
	dir := tinyFolder(t)
	model := filepath.Join(dir, "model")
	hsnas := func(args ...string) string {
		var out, stderr strings.Builder
		run(t.Context(), append([]string{"hsnas"}, args...), strings.NewReader(""), &out, &stderr)
		return strings.ReplaceAll(strings.TrimSpace(stderr.String()), dir, "DIR")
	}
	task := filepath.Join(dir, "task.yaml")
	if got := hsnas("export", "--arch", filepath.Join(dir, "arch.json"), "--task", task, "--out", model); got != "" {
		t.Fatal(got)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--device", "gpu"}, `hsnas: unknown device "gpu"; known: cpu, webgpu, cuda, cuda:N`},
		{[]string{"--threads", "5000"}, "hsnas: --threads: 5000 threads on a machine of "},
		{[]string{"--variant", "int4"}, `hsnas: --variants: unknown variant "int4"; known: fp32, fp32-off, fp32-basic, fp32-extended, int8, fp16`},
		{[]string{"--variant", "int8"}, `hsnas: variant "int8" needs a model of precision int8, the one in DIR/model is of fp32; export it with --precision int8`},
	} {
		got := hsnas(append([]string{"benchmark", "--model", model, "--task", task}, c.args...)...)
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%q:\ngot  %s\nwant %s", c.args, got, c.want)
		}
	}
	if got := hsnas("benchmark"); got != "hsnas: benchmark needs --model DIR; see hsnas benchmark --help" {
		t.Error(got)
	}
	if err := os.Truncate(filepath.Join(model, "encoder.onnx"), 100); err != nil {
		t.Fatal(err)
	}
	if got := hsnas("benchmark", "--model", model, "--task", task); !strings.HasPrefix(got, "hsnas: DIR/model/encoder.onnx: SHA-256 ") || strings.Contains(got, "\n") {
		t.Error(got)
	}
}
