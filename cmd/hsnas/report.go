package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/progress"
	"hsnas/pipeline"
	"hsnas/stages/report"
)

// reportCommand brings the report of a run up to date and says where it is.
func reportCommand() *cli.Command {
	return &cli.Command{
		Name:  "report",
		Usage: "the report of a run as one page of HTML: prints its path, writing it anew where it is out of date",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "run", Usage: "`RUN` whose report is wanted", Required: true},
			&cli.BoolFlag{Name: "open", Usage: "open the page in a browser"},
			&cli.StringFlag{Name: "out", Usage: "copy the page to `FILE` and print that path instead"},
		},
		Action: func(c *cli.Context) error {
			page, err := freshReport(c, c.String("run"))
			if err != nil {
				return err
			}
			if out := c.String("out"); out != "" {
				if err := copyPage(page, out); err != nil {
					return err
				}
				page = out
			}
			fmt.Fprintln(c.App.Writer, page)
			if !c.Bool("open") {
				return nil
			}
			return openPage(page)
		},
	}
}

// freshReport returns the page of a run whose other stages have ended, after its
// last stage has run if it has to. Stages before it that are out of date are left so,
// and named.
func freshReport(c *cli.Context, name string) (string, error) {
	dir, e, err := openRun(name)
	if err != nil {
		return "", err
	}
	stages, err := e.Stages()
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(stages, func(s pipeline.Stage) bool { return s.Name == report.Name }) {
		return "", config.Errorf("", 0, "run %q tries out prompts and has no report; hsnas eval --run %s prints its table", name, name)
	}
	states, err := pipeline.Inspect(c.Context, dir, stages)
	if err != nil {
		return "", err
	}
	for _, s := range states {
		if s.Stage != report.Name && s.State != string(pipeline.Done) && s.State != "stale" {
			return "", config.Errorf("", 0, "run %q has no report yet: stage %s is %s; go on with: hsnas run -x %s --name %s",
				name, s.Stage, s.State, filepath.Join(dir, "experiment.yaml"), name)
		}
	}
	err = pipeline.Run(c.Context, dir, stages, pipeline.Options{
		Only: report.Name, Libraries: libraries(), Resume: "hsnas report --run " + name, Report: progress.New(c.App.ErrWriter),
	})
	return filepath.Join(dir, filepath.FromSlash(reportPage)), err
}

// copyPage writes the page once more, whole or not at all.
func copyPage(page, to string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	if info, err := os.Stat(filepath.Dir(to)); err != nil || !info.IsDir() {
		return config.Errorf("", 0, "--out %s: there is no folder %s", to, filepath.Dir(to))
	}
	return atomicfile.Write(to, text)
}

// patience is how long an opener is watched: some end at once, others stay as long
// as the browser does.
const patience = 3 * time.Second

// opener is the system's program that opens files.
func opener() string {
	if runtime.GOOS == "darwin" {
		return "open"
	}
	return "xdg-open"
}

// openPage opens a page with the system's program for that.
func openPage(page string) error {
	opener := opener()
	program, err := exec.LookPath(opener)
	if err != nil {
		return config.Errorf("", 0, "cannot open the page: %s is not installed; open %s in a browser", opener, page)
	}
	command := exec.Command(program, absolute(page))
	if err := command.Start(); err != nil {
		return fmt.Errorf("cannot open the page: %w; open %s in a browser", err, page)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return fmt.Errorf("%s could not open the page (exit status %d); open %s in a browser", opener, exit.ExitCode(), page)
		}
		return err
	case <-time.After(patience):
		return nil
	}
}
