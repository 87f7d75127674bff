package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"hsnas/docs"
	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/tabular"
	"hsnas/pipeline"
)

// showCommand prints an artifact.
func showCommand() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "an artifact of a run: what it is, where it comes from, its schema and its first rows",
		ArgsUsage: "[ARTIFACT|PATH]",
		Description: "ARTIFACT is a path in the run directory, or as much of its end as names one alone:\n" +
			"label/labels.parquet, labels. Without it the artifacts of the run are listed. A file is\n" +
			"held against its checksum in the manifest before it is read. Tables are shortened to fit\n" +
			"the terminal; --csv, --jsonl and --json give values whole.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "run", Usage: "`RUN` that wrote it; not needed for a path"},
			&cli.IntFlag{Name: "rows", Usage: "print `N` rows of a table, or lines of a text", Value: defaultRows},
			&cli.BoolFlag{Name: "all", Usage: "print every row or line"},
			&cli.StringFlag{Name: "columns", Usage: "print the columns `A,B,...` alone, in this order"},
			&cli.BoolFlag{Name: "schema", Usage: "print no rows"},
			&cli.BoolFlag{Name: "json", Usage: "print one JSON object with all of this"},
			&cli.BoolFlag{Name: "csv", Usage: "print the rows alone, all where --rows is not given, as CSV"},
			&cli.BoolFlag{Name: "jsonl", Usage: "the same, a JSON object a line"},
		},
		Action: func(c *cli.Context) error {
			args, err := gather(c)
			if err != nil {
				return err
			}
			o, err := readShowOptions(c)
			if err != nil {
				return err
			}
			switch {
			case len(args) > 1:
				return config.Errorf("", 0, "show takes one artifact, found %d: %q", len(args), args)
			case len(args) == 1:
				f, err := findArtifact(c.String("run"), args[0])
				if err != nil {
					return err
				}
				return show(c.App.Writer, f, o)
			case c.String("run") == "":
				return config.Errorf("", 0, "show needs --run RUN, or the path of a file; see hsnas show --help")
			}
			return listArtifacts(c.App.Writer, c.String("run"), o)
		},
	}
}

const (
	defaultRows  = 10 // of a table
	defaultLines = 40 // of a text
)

// showOptions say how much of an artifact is printed, and as what.
type showOptions struct {
	rows    int64 // -1 for all
	lines   int64
	columns []string
	format  tabular.Format
	width   int // of the terminal, 0 where there is none
}

func readShowOptions(c *cli.Context) (showOptions, error) {
	o := showOptions{rows: int64(c.Int("rows")), lines: defaultLines, format: tabular.Text, width: tabular.Width(c.App.Writer)}
	if o.rows < 0 {
		return o, config.Errorf("", 0, "--rows: expected 0 or more, found %d; --all prints every row", o.rows)
	}
	given := 0
	for flag, format := range map[string]tabular.Format{"json": tabular.JSON, "csv": tabular.CSV, "jsonl": tabular.Lines} {
		if c.Bool(flag) {
			o.format = format
			given++
		}
	}
	if given > 1 {
		return o, config.Errorf("", 0, "give one of --json, --csv and --jsonl")
	}
	if c.IsSet("rows") {
		o.lines = o.rows
	}
	switch alone := o.format == tabular.CSV || o.format == tabular.Lines; {
	case c.Bool("schema"):
		o.rows, o.lines = 0, 0
	case c.Bool("all"), alone && !c.IsSet("rows"):
		o.rows, o.lines = -1, -1
	}
	if list := c.String("columns"); list != "" {
		o.columns = strings.Split(list, ",")
	}
	return o, nil
}

// content is what a file holds, by its kind.
type content interface {
	// print writes it for people.
	print(w io.Writer, o showOptions) error
	// fields are the keys that it adds to the object of --json.
	fields(o showOptions) (map[string]any, error)
	close()
}

// show prints a file.
func show(w io.Writer, f *found, o showOptions) error {
	if err := f.verify(); err != nil {
		return err
	}
	c, err := look(f.place)
	if err != nil {
		return err
	}
	defer c.close()
	t, isTable := c.(*tableContent)
	if isTable {
		if _, err := t.chosen(o.columns); err != nil {
			return err
		}
	}
	switch o.format {
	case tabular.JSON:
		return showJSON(w, f, c, o)
	case tabular.CSV, tabular.Lines:
		if !isTable {
			return config.Errorf("", 0, "%s is no table; --csv and --jsonl are for Parquet files", f.name)
		}
		return t.rows(w, o)
	}
	if err := f.head(w, o.width); err != nil {
		return err
	}
	return c.print(w, o)
}

// look opens a file by its extension.
func look(place string) (content, error) {
	switch path.Ext(filepath.ToSlash(place)) {
	case ".parquet":
		return openTable(place)
	case ".onnx":
		return openModel(place)
	case ".safetensors":
		return openTensors(place)
	}
	return openText(place)
}

// head says what a file is and where it comes from.
func (f *found) head(w io.Writer, width int) error {
	about := docs.About(f.name)
	if f.dir == "" {
		fmt.Fprintf(w, "%s\n\nIt lies in no run: nothing is known about where it comes from.\n", f.name)
		return nil
	}
	fmt.Fprintf(w, "%s of run %s\n", f.name, filepath.Base(f.dir))
	if about != "" {
		fmt.Fprintf(w, "%s.\n", strings.ToUpper(about[:1])+about[1:])
	}
	if f.record == nil {
		_, err := fmt.Fprintf(w, "\nIt is no artifact of a stage that is done: the manifest has no checksum of it.\n")
		return err
	}
	r := f.record
	fmt.Fprintf(w, "\nwritten by  stage %s, version %d, on %s, in %.1f s\n", r.Stage, r.Ingredients.Version, r.Ended.UTC().Format("2006-01-02 15:04:05 UTC"), r.Seconds)
	fmt.Fprintf(w, "on          %s, %s/%s, %d cores\n", tabular.Printable(r.Host.Name), r.Host.OS, r.Host.Arch, r.Host.CPUs)
	label := "with"
	for _, library := range sortedKeys(r.Libraries) {
		fmt.Fprintf(w, "%-10s  %s %s\n", label, library, r.Libraries[library])
		label = ""
	}
	fmt.Fprintf(w, "key         %s\n", r.Key)
	fmt.Fprintf(w, "SHA-256     %s, as the manifest says; %s\n", f.artifact.SHA256, tabular.Bytes(f.artifact.Bytes))
	label = "made of"
	line := func(name, sum string) {
		fmt.Fprintf(w, "%-10s  %s  %.12s\n", label, tabular.Printable(name), sum)
		label = ""
	}
	for _, in := range sortedKeys(r.Ingredients.Inputs) {
		line(in, r.Ingredients.Inputs[in])
	}
	for _, e := range r.Ingredients.External {
		line(e.Path, e.SHA256)
	}
	return nil
}

// shown is the object of --json; the content adds its own keys.
func showJSON(w io.Writer, f *found, c content, o showOptions) error {
	sum, size, err := atomicfile.Sum(f.place)
	if err != nil {
		return err
	}
	out, err := c.fields(o)
	if err != nil {
		return err
	}
	out["artifact"], out["about"], out["bytes"], out["sha256"] = f.name, docs.About(f.name), size, sum
	out["run"], out["provenance"] = nil, nil
	if f.dir != "" {
		out["run"] = filepath.Base(f.dir)
	}
	if f.record != nil {
		record := *f.record
		record.Outputs = nil
		out["provenance"] = record
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

// listArtifacts prints what a run has.
func listArtifacts(w io.Writer, run string, o showOptions) error {
	dir, err := findRun(run)
	if err != nil {
		return err
	}
	m, err := pipeline.ReadManifest(dir)
	if err != nil {
		return err
	}
	out := tabular.New(w, o.format, []string{"artifact", "stage", "bytes", "what"}, o.width)
	for _, r := range m.Stages {
		for _, a := range r.Outputs {
			if err := out.Row([]any{a.Path, r.Stage, a.Bytes, docs.About(a.Path)}); err != nil {
				return err
			}
		}
	}
	return out.Close()
}
