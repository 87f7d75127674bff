package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
	"hsnas/internal/tabular"
	"hsnas/pipeline"
)

// diffCommand says how two runs differ, and why.
func diffCommand() *cli.Command {
	return &cli.Command{
		Name:      "diff",
		Usage:     "how two runs differ, and why",
		ArgsUsage: "RUN RUN",
		Description: "Compares what the manifests say, the tables row by row and the scoreboards. RUN is a\n" +
			"name, or the path of a run directory. What was measured, seconds above all, differs from\n" +
			"run to run and is told apart. Ends with 0 where nothing else differs and with 3 where\n" +
			"something does; 1 and 2 are failures and misuse, as with every command.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "print one JSON object"},
		},
		Action: func(c *cli.Context) error {
			args, err := gather(c)
			if err != nil {
				return err
			}
			if len(args) != 2 {
				return config.Errorf("", 0, "diff takes two runs, found %d: %q", len(args), args)
			}
			d, err := diffRuns(args[0], args[1])
			if err != nil {
				return err
			}
			if c.Bool("json") {
				e := json.NewEncoder(c.App.Writer)
				e.SetIndent("", "  ")
				err = e.Encode(d)
			} else {
				err = d.print(c.App.Writer, tabular.Width(c.App.Writer))
			}
			if err == nil && !d.Same {
				err = errDifferent
			}
			return err
		},
	}
}

// runsDiff is everything that differs between two runs.
type runsDiff struct {
	A    string `json:"a"`
	B    string `json:"b"`
	Same bool   `json:"same"` // in all but what was measured
	*pipeline.Difference
	Artifacts  []artifactDiff `json:"artifacts"` // that are not the same bytes
	Scoreboard []scoreDiff    `json:"scoreboard"`
}

// artifactDiff is how an artifact differs.
type artifactDiff struct {
	Path   string     `json:"path"`
	How    string     `json:"how"`             // "only in a", "only in b", rows, measured, metadata, bytes or restates
	Table  *tableDiff `json:"table,omitempty"` // of a table that both have
	Reason string     `json:"reason,omitempty"`
}

// How an artifact that both runs have differs, from much to little.
const (
	inBytes    = "bytes"    // a file that is no table
	inRows     = "rows"     // a table
	inMeasured = "measured" // a table, in what was measured alone
	inMetadata = "metadata" // a table whose rows are the same: the key of its stage is another
	restates   = "restates" // a page about the others
)

func diffRuns(a, b string) (*runsDiff, error) {
	dirA, ma, err := openManifest(a)
	if err != nil {
		return nil, err
	}
	dirB, mb, err := openManifest(b)
	if err != nil {
		return nil, err
	}
	d := &runsDiff{A: a, B: b, Difference: pipeline.Compare(ma, mb), Artifacts: []artifactDiff{}, Scoreboard: []scoreDiff{}}
	for _, o := range d.Outputs {
		if o.Same() {
			continue
		}
		x, err := diffArtifact(o, inRun(ma, dirA, o.Path), inRun(mb, dirB, o.Path))
		if err != nil {
			return nil, err
		}
		d.Artifacts = append(d.Artifacts, x)
		if o.Path == scoreboardFile && x.How == inRows {
			if d.Scoreboard, err = diffScoreboards(inRun(ma, dirA, o.Path).place, inRun(mb, dirB, o.Path).place); err != nil {
				return nil, err
			}
		}
	}
	d.Same = d.same()
	return d, nil
}

// openManifest finds a run by name, or by the path of its directory.
func openManifest(run string) (dir string, m *pipeline.Manifest, err error) {
	dir = run
	if !strings.ContainsAny(run, `/\`) {
		if dir, err = findRun(run); err != nil {
			return "", nil, err
		}
	}
	m, err = pipeline.ReadManifest(dir)
	if err != nil {
		return "", nil, config.Errorf("", 0, "%v", err)
	}
	return dir, m, nil
}

// same says whether nothing but what was measured differs. What a page restates and the
// keys in metadata follow from differences that count by themselves; another host or
// library that changes no result is told, but is none.
func (d *runsDiff) same() bool {
	for _, a := range d.Artifacts {
		switch a.How {
		case inMeasured, inMetadata, restates:
		default:
			return false
		}
	}
	return len(d.Stages)+len(d.Params)+len(d.Files) == 0
}

// diffArtifact compares a file whose checksums differ.
func diffArtifact(o pipeline.Output, a, b *found) (artifactDiff, error) {
	out := artifactDiff{Path: o.Path, How: inBytes}
	switch {
	case o.B == "":
		out.How = "only in a"
		return out, nil
	case o.A == "":
		out.How = "only in b"
		return out, nil
	case o.Stage == "report":
		out.How = restates
		return out, nil
	case filepath.Ext(o.Path) != ".parquet":
		return out, nil
	}
	for _, f := range []*found{a, b} {
		if err := f.verify(); err != nil {
			return out, err
		}
	}
	t, err := diffTables(a.place, b.place)
	if err != nil {
		return out, err
	}
	out.Table = t
	switch {
	case t.OtherSchema != "" || t.Added+t.Removed > 0 || t.counts():
		out.How = inRows
	case t.Changed > 0:
		out.How = inMeasured
	default:
		out.How = inMetadata
	}
	return out, nil
}

func (d *runsDiff) print(w io.Writer, width int) error {
	fmt.Fprintf(w, "a: %s\nb: %s\n", d.A, d.B)
	for _, part := range []struct {
		title string
		list  []pipeline.Change
	}{
		{"stages", d.Stages},
		{"parameters", d.Params},
		{"files outside the runs, by SHA-256", d.Files},
		{"libraries", d.Libraries},
		{"host", d.Host},
	} {
		if err := printChanges(w, part.title, part.list, width); err != nil {
			return err
		}
	}
	if err := d.printArtifacts(w, width); err != nil {
		return err
	}
	if err := printScoreDiffs(w, d.Scoreboard, width); err != nil {
		return err
	}
	if err := d.printSeconds(w, width); err != nil {
		return err
	}
	verdict := "the runs differ"
	if d.Same {
		verdict = "the runs are the same in all but what was measured"
		if len(d.Artifacts) == 0 {
			verdict = "the runs have the same artifacts, byte for byte"
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", verdict)
	return err
}

func printChanges(w io.Writer, title string, list []pipeline.Change, width int) error {
	if len(list) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\n%s\n", title)
	out := tabular.New(w, tabular.Text, []string{"what", "a", "b", "stages"}, width)
	for _, c := range list {
		a, b := c.A, c.B
		if len(a) == 64 || len(b) == 64 { // checksums
			a, b = fmt.Sprintf("%.12s", a), fmt.Sprintf("%.12s", b)
		}
		for _, v := range []*string{&a, &b} {
			if *v == "" {
				*v = "-"
			}
		}
		if err := out.Row([]any{c.What, a, b, strings.Join(c.Stages, ", ")}); err != nil {
			return err
		}
	}
	return out.Close()
}

func (d *runsDiff) printArtifacts(w io.Writer, width int) error {
	fmt.Fprintf(w, "\nartifacts: %d the same, %d not\n", len(d.Outputs)-len(d.Artifacts), len(d.Artifacts))
	if len(d.Artifacts) == 0 {
		return nil
	}
	out := tabular.New(w, tabular.Text, []string{"artifact", "difference"}, width)
	for _, a := range d.Artifacts {
		if err := out.Row([]any{a.Path, a.words()}); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	return d.printColumns(w, width)
}

// words say how an artifact differs.
func (a artifactDiff) words() string {
	switch a.How {
	case inBytes:
		return "other bytes"
	case restates:
		return "a page about the others"
	case inMetadata:
		return "the same rows; the key in its metadata is another"
	case inMeasured:
		return "measured values alone: " + a.Table.words()
	case inRows:
		return a.Table.words()
	}
	return a.How
}

func (d *runsDiff) printSeconds(w io.Writer, width int) error {
	if len(d.Seconds) == 0 {
		return nil
	}
	fmt.Fprint(w, "\nseconds, measured\n")
	out := tabular.New(w, tabular.Text, []string{"stage", "a", "b"}, width)
	for _, s := range d.Seconds {
		if err := out.Row([]any{s.Stage, round(s.A, 1), round(s.B, 1)}); err != nil {
			return err
		}
	}
	return out.Close()
}
