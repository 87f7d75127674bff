package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
	"hsnas/internal/ort"
	"hsnas/internal/predictor"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/pipeline"
)

// predictCommand asks an exported predictor of a run.
func predictCommand() *cli.Command {
	return &cli.Command{
		Name:      "predict",
		Usage:     "predictions of a run's exported predictor for architectures",
		ArgsUsage: "[FILE|-]",
		Description: "Reads one architecture as JSON from each line and writes it back with the key\n" +
			"prediction added, in the unit that the predictor was trained on.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "run", Usage: "`RUN` whose predictors are asked", Required: true},
			&cli.StringFlag{Name: "predictor", Usage: "`NAME` of one of its exported predictors", Required: true},
			&cli.StringFlag{Name: "device", Usage: "`DEVICE`: cpu, webgpu, cuda or cuda:N; predictors of trees run on the CPU alone", Value: "cpu"},
		},
		Action: func(c *cli.Context) error {
			run, name, device := c.String("run"), c.String("predictor"), c.String("device")
			file, t, err := findPredictor(run, name, device)
			if err != nil {
				return err
			}
			if os.Getenv(probeVariable) == "" {
				if err := probeBy(c.Context, file, "predict", "--run", run, "--predictor", name, "--device", device); err != nil {
					return err
				}
			}
			p, err := openPredictor(file, device, t)
			if err != nil {
				return err
			}
			defer p.Close()
			if os.Getenv(probeVariable) != "" {
				return nil // it has been opened: that is all
			}
			input, err := openInput(c)
			if err != nil {
				return err
			}
			defer input.Close()
			out, err := predictLines(c.Context, p, t.Space, input)
			if err != nil {
				return err
			}
			_, err = c.App.Writer.Write(out) // nothing is printed unless every line is right
			return err
		},
	}
}

// predictBatch bounds the architectures of one model run, and with them memory.
const predictBatch = 4096

// predictLines returns the lines of input, each with its prediction.
func predictLines(ctx context.Context, p predictor.Predictor, s *space.Space, in *input) ([]byte, error) {
	var objects [][]byte
	var archs []space.Architecture
	err := in.each(func(text []byte) error {
		a, err := s.ParseArchitecture(text)
		if err != nil {
			return err
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, text); err != nil {
			return err
		}
		archs, objects = append(archs, a), append(objects, compact.Bytes())
		return nil
	})
	if err != nil {
		return nil, err
	}
	predictions := make([]float64, len(archs))
	for start := 0; start < len(archs); start += predictBatch {
		end := min(start+predictBatch, len(archs))
		if err := p.Predict(ctx, archs[start:end], predictions[start:end]); err != nil {
			return nil, err
		}
	}
	var out []byte
	for i, o := range objects {
		out = append(out, bytes.TrimSuffix(o, []byte("}"))...)
		out = append(out, `,"prediction":`...)
		out = strconv.AppendFloat(out, predictions[i], 'g', -1, 32) // models answer in float32
		out = append(out, "}\n"...)
	}
	return out, nil
}

// findPredictor finds export/<name>.onnx of a run, and the run's task.
func findPredictor(run, name, device string) (file string, t *task.Task, err error) {
	if _, err := ort.ParseDevice(device); err != nil {
		return "", nil, err
	}
	dir, err := findRun(run)
	if err != nil {
		return "", nil, err
	}
	of, err := pipeline.Open(dir)
	if err != nil {
		return "", nil, err
	}
	if t, err = taskOfRun(of); err != nil {
		return "", nil, err
	}
	var known []string
	for _, file := range of.Artifacts(exportFolder + "*.onnx") {
		known = append(known, strings.TrimSuffix(path.Base(file), ".onnx"))
	}
	if len(known) == 0 {
		return "", nil, config.Errorf("", 0, "run %q has no exported predictors; the stage export writes them", run)
	}
	if !slices.Contains(known, name) {
		return "", nil, config.Errorf("", 0, "run %q has no predictor %q%s", run, name, config.DidYouMean(name, known))
	}
	file, err = artifact(of, exportFolder+name+".onnx")
	return file, t, err
}

// openPredictor opens an exported predictor on a device.
func openPredictor(file, device string, t *task.Task) (*predictor.ONNX, error) {
	rt, err := ort.Open()
	if err != nil {
		return nil, err
	}
	return predictor.LoadOn(rt, device, file, t)
}

// findRun returns the folder of a run that is there.
func findRun(name string) (string, error) {
	parent := runsFolder()
	known := listNames(parent, func(e os.DirEntry) (string, bool) { return e.Name(), e.IsDir() })
	if !slices.Contains(known, name) {
		return "", config.Errorf("", 0, "there is no run %q in %s%s", name, parent, config.DidYouMean(name, known))
	}
	return filepath.Join(parent, name), nil
}

// taskOfRun loads the task that a run's configuration names.
func taskOfRun(of *pipeline.Finished) (*task.Task, error) {
	file := pipeline.ExperimentFile(of.Dir)
	text, err := runExperiment(of)
	if err != nil {
		return nil, err
	}
	root, err := config.Parse(file, text)
	if err != nil {
		return nil, err
	}
	var experiment struct {
		Task string `yaml:"task"`
	}
	if err := root.Decode(&experiment); err != nil || experiment.Task == "" {
		return nil, config.Errorf(file, root.Line, "expected the key task with the name or path of a task")
	}
	return task.Load(experiment.Task)
}

// listNames returns what name makes of the entries of a folder, none where it
// cannot be read.
func listNames(dir string, name func(os.DirEntry) (string, bool)) []string {
	entries, _ := os.ReadDir(dir)
	var out []string
	for _, e := range entries {
		if n, ok := name(e); ok {
			out = append(out, n)
		}
	}
	return out
}
