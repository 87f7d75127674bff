package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"hsnas/internal/doctor"
	"hsnas/internal/ort"
	"hsnas/stages/label"
)

// doctorCommand says what of the machine hsnas can use.
func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "what this machine has of what hsnas needs, and what to do about the rest",
		Description: "A line for each check: ok, warning or missing, what was found, and what to do. Nothing is\n" +
			"changed, no network is used without --network, and nothing is said of the key but whether it\n" +
			"is set. Ends with 1 when something is missing that every run needs; with --run, that this run\n" +
			"needs.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "run", Usage: "`RUN` whose needs count"},
			&cli.BoolFlag{Name: "network", Usage: "ask the service of the LLM whether it is there, without the key"},
			&cli.BoolFlag{Name: "json", Usage: "the checks as a JSON array"},
		},
		Action: func(c *cli.Context) error {
			if device := os.Getenv(probeVariable); device != "" {
				return json.NewEncoder(c.App.Writer).Encode(doctor.Examine(c.Context, device))
			}
			q, err := question(c.String("run"))
			if err != nil {
				return err
			}
			q.Network = c.Bool("network")
			checks := doctor.Look(c.Context, thisMachine(), q)
			if err := c.Context.Err(); err != nil {
				return err
			}
			if err := printChecks(c.App.Writer, checks, c.Bool("json")); err != nil {
				return err
			}
			if lacking := doctor.Lacking(checks); len(lacking) > 0 {
				return fmt.Errorf("missing, and needed: %s", strings.Join(lacking, ", "))
			}
			return nil
		},
	}
}

// question is what a run needs; "" asks about any run.
func question(run string) (doctor.Question, error) {
	q := doctor.Question{Runs: absolute(runsFolder()), Known: knownVariables()}
	if cache, err := os.UserCacheDir(); err == nil {
		q.Cache = filepath.Join(cache, "hsnas")
	}
	if dir, err := dataDir(); err == nil {
		q.Data = dir
	}
	if run == "" {
		return q, nil
	}
	dir, e, err := openRun(run)
	if err != nil {
		return q, err
	}
	params, err := e.labelParams()
	if err != nil {
		return q, err
	}
	q.Runs = absolute(dir)
	for _, p := range params {
		q.Key = q.Key || p.Source == label.Live || p.Source == label.BatchAPI
	}
	if e.task.Data.LLMAS != "" {
		q.Published = append(q.Published, "sample")
	}
	if len(e.Latency.Datasets) > 0 {
		q.Published = append(q.Published, "latency")
	}
	for _, text := range []string{e.Benchmark.Device, e.Search.Device} {
		if d, err := ort.ParseDevice(text); err == nil && !d.CPU() {
			q.Devices = append(q.Devices, d.String())
		}
	}
	return q, nil
}

// thisMachine is the machine that the program runs on.
func thisMachine() doctor.Host {
	return doctor.Host{
		Root: os.DirFS("/"), Getenv: os.Getenv, Environ: os.Environ(),
		Command: output, Probe: probeDevice, Fetch: fetchCommand(),
	}
}

// output runs a program and returns what it printed, or the first line of what it
// complained of.
func output(ctx context.Context, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.WaitDelay = time.Second
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", errors.New("it does not end")
	case errors.Is(err, exec.ErrNotFound):
		return "", doctor.ErrNotInstalled
	case errors.As(err, &exit):
		if line, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n"); line != "" {
			return "", errors.New(line)
		}
	}
	return string(out), err
}

// probePatience is how long a device may take to answer: loading CUDA takes seconds.
const probePatience = time.Minute

// probeDevice examines a device in a process of its own, which a driver may end or hang.
func probeDevice(ctx context.Context, device string) (doctor.Answer, error) {
	var a doctor.Answer
	self, err := os.Executable()
	if err != nil {
		return a, err
	}
	limited, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	c := exec.CommandContext(limited, self, "doctor")
	c.Env, c.WaitDelay = append(os.Environ(), probeVariable+"="+device), time.Second
	text, err := c.Output()
	switch {
	case limited.Err() != nil:
		return a, fmt.Errorf("a process that used device %q did not end within %s", device, probePatience)
	case err != nil:
		return a, fmt.Errorf("a process that used device %q did not survive it (%w)", device, err)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return a, fmt.Errorf("a process that used device %q answered nothing: %w", device, err)
	}
	return a, nil
}

// setupScript fetches ONNX Runtime; it is in a release and in the repository.
const setupScript = "setup-onnxruntime.sh"

// fetchCommand is the command line that fetches ONNX Runtime, with the script where it
// is from here: beside the program in a release, beside its folder in the repository.
func fetchCommand() string {
	if self, err := os.Executable(); err == nil {
		for _, folder := range []string{"scripts", "../scripts"} {
			script := filepath.Join(filepath.Dir(self), folder, setupScript)
			if _, err := os.Stat(script); err == nil {
				return "sh " + script
			}
		}
	}
	return "sh scripts/" + setupScript + " of the release or the repository"
}

func printChecks(w io.Writer, checks []doctor.Check, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(checks)
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, c := range checks {
		text := c.Found
		if c.Advice != "" {
			text += "; " + c.Advice
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", c.Name, c.State, text)
	}
	return table.Flush()
}
