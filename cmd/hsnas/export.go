package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/nn"
	"hsnas/internal/safetensors"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// exportCommand writes the model of an architecture as ONNX graphs.
func exportCommand() *cli.Command {
	return &cli.Command{
		Name:  "export",
		Usage: "an architecture as ONNX graphs",
		Description: "Writes encoder.onnx, decoder_init.onnx (cross-attention keys and values, once for a\n" +
			"sentence), decoder_step.onnx, scorer.onnx (teacher-forced logits), model.json and the\n" +
			"weights that they share. The folder must be new, empty or hold a model already.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "arch", Usage: "`FILE` with the architecture as JSON, - for standard input", Required: true},
			&cli.StringFlag{Name: "task", Usage: "`TASK` that ships, or the path of a task file", Required: true},
			&cli.StringFlag{Name: "out", Usage: "`DIR` to write", Required: true},
			&cli.StringFlag{Name: "weights", Usage: "safetensors `FILE` with the supernet, or with this sub-network alone"},
			&cli.StringFlag{Name: "precision", Usage: "`PRECISION`: fp32, fp16 for weights and activations of half precision, or int8 for weights and products of 8 bits", Value: string(nn.Float32)},
			&cli.Uint64Flag{Name: "seed", Usage: "`N` that random weights are drawn with, without --weights", Value: 1},
		},
		Action: func(c *cli.Context) error {
			if c.IsSet("weights") && c.IsSet("seed") {
				return config.Errorf("", 0, "give either --weights or --seed, not both")
			}
			t, err := task.Load(c.String("task"))
			if err != nil {
				return err
			}
			a, err := readArchitecture(c, t.Space)
			if err != nil {
				return err
			}
			w, release, err := openWeights(c)
			if err != nil {
				return err
			}
			defer release()
			m, err := nn.ExportAs(c.String("out"), t, a, w, nn.Precision(c.String("precision")))
			if err != nil {
				return err
			}
			for _, f := range m.Files {
				fmt.Fprintf(c.App.Writer, "%s  %s\n", f.SHA256, m.File(f.Name))
			}
			return nil
		},
	}
}

// readArchitecture reads the file of --arch, which holds one architecture.
func readArchitecture(c *cli.Context, s *space.Space) (space.Architecture, error) {
	in, err := openInputFile(c, c.String("arch"))
	if err != nil {
		return space.Architecture{}, err
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, maxLine+1))
	if err != nil {
		return space.Architecture{}, fmt.Errorf("reading %s: %w", in.name, err)
	}
	if len(text) > maxLine {
		return space.Architecture{}, config.Errorf(in.name, 0, "larger than %d bytes; expected one architecture", maxLine)
	}
	a, err := s.ParseArchitecture(bytes.TrimSpace(text))
	if err != nil {
		return space.Architecture{}, config.Errorf(in.name, 0, "%v", err)
	}
	return a, nil
}

// openWeights opens the file of --weights, or takes random ones.
func openWeights(c *cli.Context) (w nn.Weights, release func(), err error) {
	path := c.String("weights")
	if path == "" {
		return nn.Random(c.Uint64("seed")), func() {}, nil
	}
	if _, err := os.Stat(path); err != nil {
		return nil, nil, config.Errorf("", 0, "%v", err)
	}
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, nil, err
	}
	sum, err := atomicfile.SHA256(path)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return nn.Safetensors(f, sum), func() { f.Close() }, nil
}
