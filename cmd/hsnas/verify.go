package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"hsnas/internal/llm"
	"hsnas/internal/micro"
	"hsnas/internal/progress"
	"hsnas/internal/seal"
	"hsnas/pipeline"
	"hsnas/stages/latency"
)

// verifyCommand checks the files of a run.
func verifyCommand() *cli.Command {
	return &cli.Command{
		Name:  "verify",
		Usage: "check every file of a run against its checksum",
		Description: "Prints what each file is: ok, damaged, missing, or foreign where no finished stage wrote it.\n" +
			"Damaged ones are moved to the folder damaged of the run, so that hsnas run makes them again;\n" +
			"foreign ones are left alone. Ends with exit code 1 if anything is damaged or missing.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "run", Usage: "`RUN` to check", Required: true},
			&cli.BoolFlag{Name: "keep", Usage: "only look: leave damaged files where they are"},
			&cli.BoolFlag{Name: "json", Usage: "the table as a JSON array"},
		},
		Action: func(c *cli.Context) error {
			dir, err := findRun(c.String("run"))
			if err != nil {
				return err
			}
			found, err := pipeline.Verify(c.Context, dir, pipeline.VerifyOptions{
				Keep: c.Bool("keep"), States: stateFiles(), Report: progress.New(c.App.ErrWriter),
			})
			if err != nil {
				return err
			}
			if err := printFindings(c.App.Writer, found, c.Bool("json")); err != nil {
				return err
			}
			return faults(found, dir)
		},
	}
}

// stateFiles are what stages keep for a second attempt, and what checks them.
func stateFiles() []pipeline.StateFile {
	const skipped = "the next run skips what is damaged"
	return []pipeline.StateFile{
		{Pattern: journalFile, Check: llm.CheckJournal, Stays: skipped},
		{Pattern: "label/batches.jsonl", Check: llm.CheckBatches, Stays: "take the line out, and look for its batch at the service"},
		{Pattern: latencyRounds, Check: latency.CheckRounds, Stays: skipped},
		{Pattern: latencyState + "/*.jsonl", Check: latency.CheckRounds, Stays: skipped},
		{Pattern: finalistsRounds, Check: latency.CheckRounds, Stays: skipped},
		{Pattern: searchState + "/*.json", Check: seal.CheckFile},
		{Pattern: tfsState + "/*.json", Check: micro.CheckResult},
		{Pattern: winnersState + "/*.json", Check: micro.CheckResult},
		{Pattern: tfsState + "/*.safetensors", Check: micro.CheckCheckpoint},
		{Pattern: winnersState + "/*.safetensors", Check: micro.CheckCheckpoint},
		{Pattern: supernetProgress, Check: micro.CheckCheckpoint},
		{Pattern: supernetState + "/*.json", Check: seal.CheckFile},
		{Pattern: "shards/*/*/*.json", Check: seal.CheckFile},
		{Pattern: "shards/*/*/jobs/*.submission", Check: seal.CheckFile, Stays: "end its job with scancel, and remove the file"},
	}
}

func printFindings(w io.Writer, found []pipeline.Finding, asJSON bool) error {
	if asJSON {
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		return out.Encode(found)
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "artifact\tstate\tmoved to\tnote")
	for _, f := range found {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", f.Path, f.State, f.Moved, f.Note)
	}
	return table.Flush()
}

// faults is an error when a file is not as it was written.
func faults(found []pipeline.Finding, dir string) error {
	damaged, missing := 0, 0
	for _, f := range found {
		switch f.State {
		case pipeline.Damaged:
			damaged++
		case pipeline.Missing:
			missing++
		}
	}
	if damaged+missing == 0 {
		return nil
	}
	return fmt.Errorf("%s: of %d files %d damaged, %d missing; make them again with: %s", dir, len(found), damaged, missing, remake(dir, found))
}

// remake is the command that makes again what is damaged or missing in a run. Without
// the run's configuration only the user knows the experiment.
func remake(dir string, found []pipeline.Finding) string {
	experiment := shellWord(pipeline.ExperimentFile(dir))
	if slices.ContainsFunc(found, func(f pipeline.Finding) bool { return f.Path == "experiment.yaml" && f.Fault() }) {
		experiment = "EXPERIMENT"
	}
	return fmt.Sprintf("hsnas run -x %s --name %s", experiment, filepath.Base(dir))
}

// artifact returns the path of an artifact of a run, its checksum verified before
// anybody parses it.
func artifact(f *pipeline.Finished, name string) (string, error) {
	place, err := f.Path(name)
	var fault *pipeline.ArtifactError
	if errors.As(err, &fault) {
		return "", fmt.Errorf("%w; make it again with: %s", err, remake(f.Dir, nil))
	}
	return place, err
}

// runExperiment returns the configuration of a run, its seal verified.
func runExperiment(f *pipeline.Finished) ([]byte, error) {
	text, err := f.Experiment()
	if err != nil {
		return nil, fmt.Errorf("%w; make it again with: hsnas run -x EXPERIMENT --name %s", err, filepath.Base(f.Dir))
	}
	return text, nil
}
