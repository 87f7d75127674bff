package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"hsnas/internal/config"
	"hsnas/internal/task"
	"hsnas/stages/sample"
	"hsnas/stages/tfs"
)

const microArch = `{"encoder_embed_dim":96,"encoder_ffn_dim":[64,64,64],"encoder_self_attn_heads":[2,2,4],"decoder_embed_dim":64,` +
	`"decoder_ffn_dim":[256],"decoder_self_attn_heads":[2],"decoder_cross_attn_heads":[2],"decoder_cross_attn_span":[1]}`

// runMicro runs a command on the embedded task with input as standard input.
func runMicro(t *testing.T, input string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	app := newApp(strings.NewReader(input), nil, nil)
	app.Writer, app.ErrWriter = &out, &bytes.Buffer{}
	err := app.RunContext(context.Background(), append([]string{"hsnas"}, args...))
	return out.String(), err
}

func TestMicroCost(t *testing.T) {
	out, err := runMicro(t, microArch, "cost", "--task", "micro.en-de")
	// 6,658,560 FLOPs: 15 tokens on either side, where internal/cost's test has 16.
	const want = `{"params":184256,"embedding_params":65728,"flops":6658560,"flops_without_last_layer":5694720}` + "\n"
	if err != nil || out != want {
		t.Errorf("%v: %s", err, out)
	}
}

func TestMicroPrompt(t *testing.T) {
	demos := filepath.Join(t.TempDir(), "demos.jsonl")
	if err := os.WriteFile(demos, []byte(demoLine(microArch, 51.72)), 0o666); err != nil {
		t.Fatal(err)
	}
	out, err := runMicro(t, microArch, "prompt", "--task", "micro.en-de", "--demos", demos, "--queries", "-")
	if err != nil || strings.Count(out, "\n") != 1 || strings.Count(out, `\nMFLOPs: 6.66\n`) != 2 || strings.Contains(out, "GFLOPs") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestMicroRefuses(t *testing.T) {
	for want, args := range map[string]string{
		"task micro.en-de has the model family micro; only tasks of the family hat can be built as models":                        "export --arch - --out DIR/m",
		"latency measure times models of the family micro on one thread of the CPU alone; leave out --device and --threads":       "latency measure --threads 2 --out DIR/l.csv",
		"the dataset is of HAT's models, those of the task micro.en-de are of the family micro; give a CSV file measured on them": "latency fit --dataset wmt14ende_gpu_titanxp",
	} {
		words := append(strings.Fields(strings.ReplaceAll(args, "DIR", t.TempDir())), "--task", "micro.en-de")
		if _, err := runMicro(t, microArch, words...); fmt.Sprint(err) != want {
			t.Errorf("%s:\ngot  %v\nwant %s", args, err, want)
		}
	}
}

// What ships of a task's truth is in the keys of the stages that read it; where
// nothing does, the keys are what they were.
func TestTableInKeys(t *testing.T) {
	p := sample.Defaults()
	text := func(params any) string {
		out, err := yaml.Marshal(params)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	if got := text(withTable[sample.Params]{p, "5a"}); got != text(p)+"table_sha256: 5a\n" {
		t.Errorf("with a table:\n%s", got)
	}
	if got := text(withTable[sample.Params]{p, ""}); got != text(p) {
		t.Errorf("without one:\n%s", got)
	}
	if got := text(withTable[tfs.Params]{}); got != text(tfs.Params{}) {
		t.Errorf("without parameters and table: %s", got)
	}
	on, err := task.Load("micro.en-de")
	if err != nil {
		t.Fatal(err)
	}
	on.Data.Table = "none"
	_, err = (&Experiment{task: on}).Stages()
	if _, fault := err.(*config.Error); !fault || !strings.HasPrefix(err.Error(), `unknown table "none"`) {
		t.Errorf("error %v", err)
	}
	on.Data.Table = "none.csv" // a path: the stages are told what it holds when they are run
	stages, err := (&Experiment{task: on}).Stages()
	if err != nil || text(stages[1].Params) != text(sample.Params{}) || stages[1].External[0] != "none.csv" {
		t.Errorf("%+v, %v", stages, err)
	}
	for _, s := range stages {
		if s.Name == "benchmark" {
			t.Error("models that cannot be built are benchmarked")
		}
	}
}
