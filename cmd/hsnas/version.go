package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"hsnas/internal/ort"
)

// Set by the build of a release: -ldflags "-X main.version=1.2.0 -X main.commit=... -X main.date=2026-12-01".
var (
	version = "dev"
	commit  = ""
	date    = ""
)

// build is what the program was made of.
type build struct {
	Version     string `json:"version"`
	Commit      string `json:"commit"`   // "" where it is not known
	Date        string `json:"date"`     // of the commit
	Modified    bool   `json:"modified"` // the working tree was not that of the commit
	Go          string `json:"go"`
	Platform    string `json:"platform"`
	ONNXRuntime string `json:"onnx_runtime"` // that it is built for
}

// thisBuild reads what the linker was told, else what Go wrote of the repository.
func thisBuild() build {
	b := build{Version: version, Commit: commit, Date: date, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, ONNXRuntime: ort.Version}
	info, ok := debug.ReadBuildInfo()
	if !ok || commit != "" {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Date, _, _ = strings.Cut(s.Value, "T")
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// String is the version on one line, behind the program's name.
func (b build) String() string {
	return fmt.Sprintf("%s (commit %s, %s, %s, ONNX Runtime %s)", b.Version, b.commit(), b.Go, b.Platform, b.ONNXRuntime)
}

// commit is the commit for people.
func (b build) commit() string {
	const short = 12
	switch {
	case b.Commit == "":
		return "unknown"
	case b.Modified:
		return b.Commit[:min(short, len(b.Commit))] + " with changes"
	}
	return b.Commit[:min(short, len(b.Commit))]
}

// versionCommand prints what the program was made of.
func versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "version, commit, Go and ONNX Runtime of this program",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print JSON"}},
		Action: func(c *cli.Context) error {
			b := thisBuild()
			if c.Bool("json") {
				return json.NewEncoder(c.App.Writer).Encode(b)
			}
			table := tabwriter.NewWriter(c.App.Writer, 0, 8, 2, ' ', 0)
			fmt.Fprintf(table, "hsnas\t%s\ncommit\t%s\ngo\t%s\nplatform\t%s\nonnx runtime\t%s\n", b.Version, b.commit(), b.Go, b.Platform, b.ONNXRuntime)
			return table.Flush()
		},
	}
}
