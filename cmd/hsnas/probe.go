package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
	"hsnas/internal/nn"
	"hsnas/internal/ort"
)

// probeVariable marks the process that opens a model before this one does.
const probeVariable = "HSNAS_PROBE"

// probe opens the model of a folder, and runs it for one token, in a process of its own: a
// file whose checksum is right can be one that ONNX Runtime does not survive.
func probe(ctx context.Context, dir, device string) error {
	return probeBy(ctx, dir, "benchmark", "--model", dir, "--device", device)
}

// probeBy runs this program on the model at a path, as a command that ends where it is a
// probe.
func probeBy(ctx context.Context, dir string, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("probing the model in %s: %w", dir, err)
	}
	var stderr bytes.Buffer
	c := exec.CommandContext(ctx, self, args...)
	c.Env, c.Stderr = append(os.Environ(), probeVariable+"=1"), &stderr
	return probed(dir, c.Run(), stderr.String())
}

// probed is what a probe's end says: its own error, or that it was killed.
func probed(dir string, err error, stderr string) error {
	var exit *exec.ExitError
	switch message, own := strings.CutPrefix(strings.TrimSpace(stderr), "hsnas: "); {
	case err == nil:
		return nil
	case !errors.As(err, &exit):
		return fmt.Errorf("probing the model in %s: %w", dir, err)
	case own && exit.ExitCode() == exitUsage && !strings.Contains(message, "\n"):
		return config.Errorf("", 0, "%s", message)
	case own && exit.Exited() && !strings.Contains(message, "\n"):
		return errors.New(message)
	}
	return fmt.Errorf("the model in %s ends ONNX Runtime (%v): it is damaged; export it again", dir, err)
}

// runProbe is what the probing process does.
func runProbe(c *cli.Context, m nn.Model) error {
	rt, err := ort.Open()
	if err != nil {
		return err
	}
	t, err := nn.Load(rt, m, ort.Options{Device: c.String("device")})
	if err != nil {
		return err
	}
	defer t.Close()
	w, err := nn.NewStopwatch(t, nn.Protocol{TargetTokens: 1, Beam: 1})
	if err != nil {
		return err
	}
	_, err = w.Once(c.Context)
	return err
}
