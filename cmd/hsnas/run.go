package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
	"hsnas/internal/progress"
	"hsnas/pipeline"
)

// runCommand runs an experiment.
func runCommand() *cli.Command {
	return &cli.Command{
		Name:  "run",
		Usage: "run an experiment, or bring it up to date",
		Description: "Runs the stages of an experiment in runs/NAME (HSNAS_RUNS names another parent folder).\n" +
			"A stage whose parameters and inputs have not changed, and whose outputs are whole, is skipped.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "experiment", Aliases: []string{"x"}, Usage: "`EXPERIMENT` that ships, or the path of a file", Required: true},
			&cli.StringFlag{Name: "name", Usage: "`NAME` of the run; the experiment's where left out"},
			&cli.StringFlag{Name: "from", Usage: "first `STAGE` to consider"},
			&cli.StringFlag{Name: "to", Usage: "last `STAGE` to consider"},
			&cli.StringFlag{Name: "only", Usage: "the one `STAGE` to consider"},
			&cli.BoolFlag{Name: "force", Usage: "run the stages though they are up to date"},
			&cli.BoolFlag{Name: "no-wait", Usage: "fail at once where another process works in the run"},
			&cli.BoolFlag{Name: "yes", Usage: "buy the LLM's answers that are not in the journal yet, within the budget"},
			executorFlag(),
			&cli.BoolFlag{Name: "dry-run", Usage: "say what would run, and why"},
			&cli.StringSliceFlag{Name: "set", Usage: "override a parameter: `KEY=VALUE`, search.iterations=10 for example"},
		},
		Action: func(c *cli.Context) error {
			e, err := loadExperiment(c.String("experiment"), c.StringSlice("set"))
			if err != nil {
				return err
			}
			if err := e.checkPrices(); err != nil {
				return err
			}
			e.confirmed = c.Bool("yes")
			dir, err := runDir(c.String("name"), e.Name)
			if err != nil {
				return err
			}
			stages, err := e.Stages()
			if err != nil {
				return err
			}
			resolved, err := e.Resolved()
			if err != nil {
				return err
			}
			o := pipeline.Options{
				From: c.String("from"), To: c.String("to"), Only: c.String("only"),
				Force: c.Bool("force"), DryRun: c.Bool("dry-run"), NoWait: c.Bool("no-wait"),
				Experiment: resolved, Libraries: libraries(), Resume: resumeCommand(c),
				Report: progress.New(c.App.ErrWriter),
			}
			if err := setExecutor(c, e, dir, &o); err != nil {
				return err
			}
			err = pipeline.Run(c.Context, dir, stages, o)
			if err == nil && !c.Bool("dry-run") {
				fmt.Fprintln(c.App.Writer, dir)
			}
			return err
		},
	}
}

// runsFolder is where runs live.
func runsFolder() string {
	if parent := os.Getenv(runsVariable); parent != "" {
		return parent
	}
	return "runs"
}

var runName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// runDir returns the directory of the first name that is given.
func runDir(names ...string) (string, error) {
	for _, name := range names {
		if name == "" {
			continue
		}
		if !runName.MatchString(name) {
			return "", config.Errorf("", 0, "%q is no name for a run: letters, digits, dots, dashes and underscores, a letter or digit first", name)
		}
		return filepath.Join(runsFolder(), name), nil
	}
	return "", config.Errorf("", 0, "a run needs a name")
}

// resumeCommand is the command line that takes the run up again.
func resumeCommand(c *cli.Context) string {
	words := []string{"hsnas", "run", "-x", c.String("experiment")}
	if c.String("name") != "" {
		words = append(words, "--name", c.String("name"))
	}
	for _, s := range c.StringSlice("set") {
		words = append(words, "--set", s)
	}
	if c.String("executor") == executorSlurm {
		words = append(words, "--executor", executorSlurm)
	}
	if c.Bool("yes") {
		words = append(words, "--yes")
	}
	for i, w := range words {
		words[i] = shellWord(w)
	}
	return strings.Join(words, " ")
}

// shellWord is a word as a shell reads it.
func shellWord(word string) string {
	if strings.ContainsAny(word, " '\"$[]{}*?&;|<>()") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}

// libraries are the versions that results depend on.
func libraries() map[string]string {
	out := map[string]string{"hsnas": version, "go": runtime.Version()}
	if b := thisBuild(); b.Commit != "" {
		out["commit"] = b.commit()
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return out
	}
	for _, m := range info.Deps {
		switch m.Path {
		case "github.com/yalue/onnxruntime_go", "github.com/apache/arrow/go/v15", "gonum.org/v1/gonum", "github.com/sashabaranov/go-openai":
			out[m.Path] = m.Version
		}
	}
	return out
}
