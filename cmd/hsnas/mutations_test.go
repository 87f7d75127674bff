package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"hsnas/internal/corpus"
	"hsnas/internal/mutationtest"
	"hsnas/internal/nn"
	"hsnas/internal/onnx"
	"hsnas/internal/ort"
	"hsnas/internal/safetensors"
	"hsnas/internal/seal"
	"hsnas/pipeline"
	"hsnas/schemas"
)

// mutationsRun is a run whose artifacts are damaged; a small one is made where none is given.
var mutationsRun = flag.String("mutations-run", "", "run `FOLDER` whose artifacts are damaged, which is copied")

// asProgram makes the test's binary the program.
const asProgram = "TEST_BINARY_IS_THE_PROGRAM"

// runToDamage is a run named "damaged" to damage files in.
func runToDamage(t *testing.T) *pipeline.Finished {
	t.Helper()
	dir := ""
	if *mutationsRun != "" {
		runs := t.TempDir()
		t.Setenv("HSNAS_RUNS", runs)
		dir = filepath.Join(runs, "damaged")
		if err := os.CopyFS(dir, os.DirFS(*mutationsRun)); err != nil {
			t.Fatal(err)
		}
	} else {
		parquet := digitsRun(t)
		dir, _, _ = runWithPredictor(t)
		for _, name := range []string{"sample/architectures.parquet", "tfs/tfs.parquet", "tfs/costs.parquet"} {
			copyFile(t, filepath.Join(parquet, name), filepath.Join(dir, name))
		}
		for _, name := range []string{"run.json", ".lock", "logs", "experiment.yaml"} {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		sealed(t, dir, "name: r\ntask: wmt14.en-de\n")
	}
	run, err := pipeline.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func sumOf(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestMutatedArtifacts damages what the manifest seals: it is always noticed before it
// is parsed. What the parsers behind would make of it must be an error, too, no death.
func TestMutatedArtifacts(t *testing.T) {
	run := runToDamage(t)
	for _, k := range []struct {
		name, ending, way string
		parse             func(path string, damaged []byte) (taken bool)
	}{
		{"Parquet", ".parquet", "manifest, then `schemas.Open` all the same", func(path string, _ []byte) bool {
			_, err := schemas.Open(path)
			return err == nil
		}},
		{"ONNX of a run", ".onnx", "manifest, then `onnx.Read` all the same", func(_ string, damaged []byte) bool {
			_, _ = onnx.Read(damaged) // a weight that changed is a model like another: only the manifest knows
			return false
		}},
		{"safetensors of a run", ".safetensors", "manifest, then the file's own seal", func(path string, _ []byte) bool {
			f, err := safetensors.Open(path)
			if err != nil {
				return false
			}
			defer f.Close()
			state, err := f.Seal()
			return err == nil && state == seal.Whole
		}},
		{"requests, reports", ".[jm][sd]*", "manifest", func(string, []byte) bool { return false }},
	} {
		files := map[string][]byte{}
		for _, pattern := range []string{"*" + k.ending, "*/*" + k.ending, "*/*/*" + k.ending} {
			for _, name := range run.Artifacts(pattern) {
				path, err := run.Path(name)
				if err != nil {
					t.Fatal(err)
				}
				if files[name], err = os.ReadFile(path); err != nil {
					t.Fatal(err)
				}
			}
		}
		if len(files) == 0 {
			continue // the small run has not all
		}
		t.Run(k.name, func(t *testing.T) {
			kind := mutationtest.Kind{Name: k.name, Way: k.way, Files: files}
			mutationtest.Run(t, kind, func(t *testing.T, file string, damaged []byte) (mutationtest.Outcome, string) {
				path := filepath.Join(run.Dir, filepath.FromSlash(file))
				if err := os.WriteFile(path, damaged, 0o666); err != nil {
					t.Fatal(err)
				}
				defer os.WriteFile(path, files[file], 0o666)
				taken := k.parse(path, damaged)
				_, err := artifact(run, file)
				switch {
				case err == nil:
					return mutationtest.Wrong, "the manifest takes it"
				case taken:
					return mutationtest.Wrong, "the parser takes it"
				}
				return mutationtest.Detected, err.Error()
			})
		})
	}
}

// TestMutatedRunFiles damages the files of the run itself and has commands read it.
func TestMutatedRunFiles(t *testing.T) {
	of := runToDamage(t)
	name := filepath.Base(of.Dir)
	whole, err := pipeline.ReadManifest(of.Dir)
	if err != nil {
		t.Fatal(err)
	}
	configuration, err := of.Experiment()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"run.json", "experiment.yaml"} {
		path := filepath.Join(of.Dir, file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		kind := mutationtest.Kind{
			Name: map[string]string{"run.json": "manifest", "experiment.yaml": "YAML of a run"}[file], Way: "`hsnas verify`, `hsnas predict`", Files: map[string][]byte{file: text},
		}
		mutationtest.Run(t, kind, func(t *testing.T, _ string, damaged []byte) (mutationtest.Outcome, string) {
			if err := os.WriteFile(path, damaged, 0o666); err != nil {
				t.Fatal(err)
			}
			defer os.WriteFile(path, text, 0o666)
			code, out, _ := hsnas(t, "", "verify", "--run", name, "--keep")
			read, _, report := hsnas(t, "", "predict", "--run", name, "--predictor", "none")
			if code == 0 {
				m, err := pipeline.ReadManifest(of.Dir)
				if err != nil || !reflect.DeepEqual(m, whole) {
					return mutationtest.Wrong, fmt.Sprintf("another manifest, %v", err)
				}
				found, err := pipeline.Open(of.Dir)
				if err != nil {
					return mutationtest.Wrong, err.Error()
				}
				if got, err := found.Experiment(); err != nil || !bytes.Equal(got, configuration) {
					return mutationtest.Wrong, fmt.Sprintf("another configuration, %v", err)
				}
				return mutationtest.Harmless, ""
			}
			if code == 1 && strings.Contains(out, "damaged") && read == 1 && strings.Contains(report, "damaged") {
				return mutationtest.Detected, report
			}
			if code == 1 && strings.Contains(out+report, "this program reads up to") { // a version that does not exist
				return mutationtest.Detected, report
			}
			return mutationtest.Wrong, fmt.Sprintf("verify ends with %d, predict with %d: %s", code, read, report)
		})
	}
}

// TestMutatedModels damages models from outside a run. A damaged file is noticed by
// model.json; then model.json is made to fit, as if somebody had made the model so: ONNX
// Runtime sees it in a process of its own first, and the command ends with an error of
// one line or with the times of another model.
func TestMutatedModels(t *testing.T) {
	if _, err := ort.Open(); err != nil {
		t.Skip(err)
	}
	dir := tinyFolder(t)
	if code, _, report := hsnas(t, "", "export", "--arch", filepath.Join(dir, "arch.json"), "--task", filepath.Join(dir, "task.yaml"), "--out", filepath.Join(dir, "model")); code != 0 {
		t.Fatal(report)
	}
	model, err := nn.Open(filepath.Join(dir, "model"))
	if err != nil {
		t.Fatal(err)
	}
	all, graphs := map[string][]byte{}, map[string][]byte{}
	for _, name := range []string{nn.ModelFile, nn.EncoderFile, nn.InitFile, nn.StepFile, nn.ScorerFile, nn.WeightsFile} {
		if all[name], err = os.ReadFile(model.File(name)); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".onnx") {
			graphs[name] = all[name]
		}
	}
	kind := mutationtest.Kind{Name: "exported models", Way: "`nn.Open`, as `hsnas benchmark --model`", Files: all}
	mutationtest.Run(t, kind, func(t *testing.T, file string, damaged []byte) (mutationtest.Outcome, string) {
		if err := os.WriteFile(model.File(file), damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		defer os.WriteFile(model.File(file), all[file], 0o666)
		got, err := nn.Open(model.Dir)
		switch {
		case err != nil:
			return mutationtest.Detected, err.Error()
		case file == nn.ModelFile && reflect.DeepEqual(got, model):
			return mutationtest.Harmless, ""
		}
		return mutationtest.Wrong, "another model"
	})
	kind = mutationtest.Kind{Name: "ONNX from outside, its checksum right", Way: "`hsnas benchmark --model`, a process", Files: graphs, Divisor: 5}
	mutationtest.Run(t, kind, func(t *testing.T, file string, damaged []byte) (mutationtest.Outcome, string) {
		if err := os.WriteFile(model.File(file), damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		defer os.WriteFile(model.File(file), all[file], 0o666)
		fitting := bytes.ReplaceAll(all[nn.ModelFile], []byte(sumOf(all[file])), []byte(sumOf(damaged)))
		object := append([]byte("{"), fitting[bytes.IndexByte(fitting, ',')+1:]...) // the seal comes first
		if err := os.WriteFile(model.File(nn.ModelFile), seal.JSON(object), 0o666); err != nil {
			t.Fatal(err)
		}
		defer os.WriteFile(model.File(nn.ModelFile), all[nn.ModelFile], 0o666)
		var stderr strings.Builder
		command := exec.CommandContext(t.Context(), os.Args[0], "benchmark", "--model", model.Dir, "--task", filepath.Join(dir, "task.yaml"), "--warmup", "0", "--repetitions", "1")
		command.Env, command.Stderr = append(os.Environ(), asProgram+"=1"), &stderr
		err := command.Run()
		said := strings.TrimSpace(stderr.String())
		switch exit := command.ProcessState; {
		case err == nil:
			return mutationtest.Legal, ""
		case exit.Exited() && strings.HasPrefix(said, "hsnas: ") && exit.ExitCode() <= exitUsage && !strings.Contains(said, "\n"):
			return mutationtest.Detected, said
		}
		return mutationtest.Wrong, fmt.Sprintf("%v: %.200q", err, said)
	})
}

// TestMutatedUserFiles damages what users write, which has no checksum: it is taken for
// what it says now, or refused in one line; a fault of the program it never is.
func TestMutatedUserFiles(t *testing.T) {
	example := filepath.Join("..", "..", "examples", "digits")
	dir := t.TempDir()
	files := map[string][]byte{}
	for _, name := range []string{"experiment.yaml", "task.yaml", "space.yaml", "scores.csv"} {
		text, err := os.ReadFile(filepath.Join(example, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = text
	}
	prompt, err := os.ReadFile(filepath.Join("..", "..", "data", "prompts", "generic.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	files["prompt.yaml"] = prompt
	files["task.yaml"] = append(bytes.TrimSpace(files["task.yaml"]), "\nprompt: {template: ./prompt.yaml}\n"...)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	// One run, whose stages run again where a file says something else.
	t.Setenv("HSNAS_RUNS", t.TempDir())
	digits := func(t *testing.T, file string, damaged []byte) (mutationtest.Outcome, string) {
		if err := os.WriteFile(filepath.Join(dir, file), damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		defer os.WriteFile(filepath.Join(dir, file), files[file], 0o666)
		code, _, report := hsnas(t, "", "run", "-x", filepath.Join(dir, "experiment.yaml"), "--name", "digits", "--to", "tfs")
		return ofUser(code, report)
	}
	yaml := map[string][]byte{}
	for name, text := range files {
		if strings.HasSuffix(name, ".yaml") {
			yaml[name] = text
		}
	}
	mutationtest.Run(t, mutationtest.Kind{Name: "YAML of users: experiment, task, space, prompt", Way: "`hsnas run -x FILE --to tfs`", Files: yaml}, digits)
	mutationtest.Run(t, mutationtest.Kind{Name: "table of a task (CSV)", Way: "`hsnas run -x FILE --to tfs`", Files: map[string][]byte{"scores.csv": files["scores.csv"]}}, digits)

	lines := strings.Repeat(microArch+"\n", 5)
	mutationtest.Run(t, mutationtest.Kind{Name: "architectures (JSON Lines)", Way: "`hsnas cost FILE`", Files: map[string][]byte{"architectures.jsonl": []byte(lines)}},
		func(t *testing.T, file string, damaged []byte) (mutationtest.Outcome, string) {
			path := filepath.Join(dir, file)
			if err := os.WriteFile(path, damaged, 0o666); err != nil {
				t.Fatal(err)
			}
			code, _, report := hsnas(t, "", "cost", "--task", "micro.en-de", path)
			return ofUser(code, report)
		})
	demos := strings.Repeat(demoLine(microArch, 51.72), 3)
	mutationtest.Run(t, mutationtest.Kind{Name: "demonstrations (JSON Lines)", Way: "`hsnas prompt --demos FILE`", Files: map[string][]byte{"demos.jsonl": []byte(demos)}},
		func(t *testing.T, file string, damaged []byte) (mutationtest.Outcome, string) {
			path := filepath.Join(dir, file)
			if err := os.WriteFile(path, damaged, 0o666); err != nil {
				t.Fatal(err)
			}
			code, _, report := hsnas(t, microArch, "prompt", "--task", "micro.en-de", "--demos", path, "--queries", "-")
			return ofUser(code, report)
		})
	text := strings.Repeat("ein kleiner Satz\ta small sentence\nnoch einer\tone more\n", 8)
	mutationtest.Run(t, mutationtest.Kind{Name: "parallel text", Way: "`corpus.Read`, as stage corpus", Files: map[string][]byte{"train.tsv": []byte(text)}},
		func(t *testing.T, file string, damaged []byte) (mutationtest.Outcome, string) {
			path := filepath.Join(dir, file)
			if err := os.WriteFile(path, damaged, 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := corpus.Read(path, 20); err != nil {
				return mutationtest.Detected, err.Error()
			}
			return mutationtest.Legal, ""
		})
	mutatedWeights(t)
}

// mutatedWeights damages the user's weights for an export.
func mutatedWeights(t *testing.T) {
	dir := tinyFolder(t)
	weights, err := os.ReadFile(filepath.Join("..", "..", "internal", "nn", "testdata", "shared.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	mutationtest.Run(t, mutationtest.Kind{Name: "safetensors of users", Way: "`hsnas export --weights FILE`", Files: map[string][]byte{"w.safetensors": weights}},
		func(t *testing.T, file string, damaged []byte) (mutationtest.Outcome, string) {
			path := filepath.Join(dir, file)
			if err := os.WriteFile(path, damaged, 0o666); err != nil {
				t.Fatal(err)
			}
			code, _, report := hsnas(t, "", "export", "--arch", filepath.Join(dir, "arch.json"), "--task", filepath.Join(dir, "task.yaml"), "--out", filepath.Join(dir, "model"), "--weights", path)
			return ofUser(code, report)
		})
}

// ofUser judges how a command took a file without a checksum: by its last line.
func ofUser(code int, report string) (mutationtest.Outcome, string) {
	lines := strings.Split(strings.TrimSuffix(report, "\n"), "\n")
	last := lines[len(lines)-1]
	switch {
	case strings.Contains(report, "a fault of the program"):
		return mutationtest.Wrong, last
	case code == exitOK:
		return mutationtest.Legal, ""
	case code <= exitUsage && strings.HasPrefix(last, "hsnas: ") && strings.Count(report, "hsnas: ") >= 1:
		return mutationtest.Detected, last
	}
	return mutationtest.Wrong, fmt.Sprintf("exit code %d: %s", code, last)
}
