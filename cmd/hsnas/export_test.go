package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
	"hsnas/internal/ort"
)

// tinyTask is a task of the family hat whose models take some hundred kilobytes.
const tinyTask = `
name: tiny
space: ./space.yaml
family: hat
metric: {name: BLEU, direction: maximize, min: 0, max: 100, decimals: 2}
model: {vocabulary: 20, source_tokens: 4, target_tokens: 3, shared_embeddings: true}
prompt: {template: ./prompt.yaml}
`

const tinyPrompt = "role: r\ninstructions: [i]\nanswer_key: BLEU\n"

const tinySpace = `
name: tiny
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

const tinyArch = `{"encoder_embed_dim":8,"encoder_ffn_dim":[8,16],"encoder_self_attn_heads":[4,8],"decoder_embed_dim":12,` +
	`"decoder_ffn_dim":[16],"decoder_self_attn_heads":[8],"decoder_cross_attn_heads":[4],"decoder_cross_attn_span":[2]}`

// tinyFolder is a folder with a task, its space, an architecture and bad input.
func tinyFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"task.yaml": tinyTask, "space.yaml": tinySpace, "prompt.yaml": tinyPrompt, "arch.json": tinyArch,
		"outside.json": strings.Replace(tinyArch, "12", "10", 1), "cut.safetensors": "\x40\x00\x00\x00\x00\x00\x00\x00{}",
		"none.safetensors": "\x02\x00\x00\x00\x00\x00\x00\x00{}",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// runModels runs export or benchmark; paths in messages become DIR.
func runModels(t *testing.T, dir string, args ...string) (string, string, error) {
	t.Helper()
	var out bytes.Buffer
	app := &cli.App{
		Writer: &out, ErrWriter: &bytes.Buffer{}, ExitErrHandler: func(*cli.Context, error) {},
		Commands: []*cli.Command{exportCommand(), benchmarkCommand()},
	}
	for i, a := range args {
		args[i] = strings.ReplaceAll(a, "DIR", dir)
	}
	err := app.RunContext(t.Context(), append([]string{"hsnas"}, args...))
	message := ""
	if err != nil {
		message = strings.ReplaceAll(err.Error(), dir, "DIR")
	}
	return out.String(), message, err
}

func TestExportAndBenchmark(t *testing.T) {
	dir := tinyFolder(t)
	out, _, err := runModels(t, dir, "export", "--arch", "DIR/arch.json", "--task", "DIR/task.yaml", "--out", "DIR/model")
	if err != nil || strings.Count(out, "\n") != 5 {
		t.Fatal(out, err)
	}
	again, _, err := runModels(t, dir, "export", "--arch", "DIR/arch.json", "--task", "DIR/task.yaml", "--out", "DIR/model", "--seed", "1")
	if err != nil || again != out {
		t.Errorf("exported again: %v\n%s\n%s", err, again, out)
	}
	// model.json knows the task by name alone.
	if _, message, _ := runModels(t, dir, "benchmark", "--model", "DIR/model"); !strings.HasPrefix(message, `DIR/model/model.json: its task: unknown task "tiny"`) {
		t.Error(message)
	}
}

func TestBenchmarkJSON(t *testing.T) {
	if _, err := ort.Open(); err != nil {
		t.Skip(err)
	}
	dir := tinyFolder(t)
	if _, _, err := runModels(t, dir, "export", "--arch", "DIR/arch.json", "--task", "DIR/task.yaml", "--out", "DIR/model"); err != nil {
		t.Fatal(err)
	}
	out, message, _ := runModels(t, dir, "benchmark", "--model", "DIR/model", "--task", "DIR/task.yaml", "--repetitions", "3", "--warmup", "0", "--json")
	var rows []map[string]any
	if err := json.Unmarshal([]byte(out), &rows); err != nil || len(rows) != 4 {
		t.Fatal(message, err, out)
	}
	if r := rows[2]; r["part"] != "total" || r["repetitions"] != 3.0 || r["device"] != "cpu" || r["weights"] != "random:1" {
		t.Errorf("%v", r)
	}
}

func TestExportAndBenchmarkRefuse(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"export --arch DIR/outside.json --task DIR/task.yaml --out DIR/m", 2, "DIR/outside.json: architecture: decoder_embed_dim: 10 is outside the space; choices: [8 12]"},
		{"export --arch DIR/no.json --task DIR/task.yaml --out DIR/m", 2, "open DIR/no.json: no such file or directory"},
		{"export --arch DIR/arch.json --task DIR/task.yaml --out DIR", 2, "cannot write a model to DIR: the folder has other files and no model.json; choose another"},
		{"export --arch DIR/arch.json --task DIR/task.yaml --out DIR/m --weights DIR/cut.safetensors", 2, "DIR/cut.safetensors: damaged safetensors file: header of 64 bytes, the file ends after 2"},
		{"export --arch DIR/arch.json --task DIR/task.yaml --out DIR/m --weights DIR/none.safetensors", 2, `DIR/none.safetensors: tensor "decoder.embed_tokens.weight" is missing; expected shape [20 12]`},
		{"export --arch DIR/arch.json --task DIR/task.yaml --out DIR/m --weights DIR/none.safetensors --seed 2", 2, "give either --weights or --seed, not both"},
		{"benchmark --model DIR", 1, "DIR is not an exported model: it has no readable model.json; write one with hsnas export"},
		{"benchmark --model DIR --device tpu", 2, `unknown device "tpu"; known: cpu, webgpu, cuda, cuda:N`},
		{"benchmark --model DIR --repetitions 0", 2, "--repetitions: expected 1 or more, found 0"},
	} {
		t.Run(c.args, func(t *testing.T) {
			dir := tinyFolder(t)
			_, message, err := runModels(t, dir, strings.Fields(c.args)...)
			if message != c.want {
				t.Errorf("got  %s\nwant %s", message, c.want)
			}
			var usage *config.Error
			if errors.As(err, &usage) != (c.code == 2) {
				t.Errorf("%T, expected exit code %d", err, c.code)
			}
			if _, err := os.Stat(filepath.Join(dir, "m")); err == nil {
				t.Error("a folder was left behind")
			}
		})
	}
}
