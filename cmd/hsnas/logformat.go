package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
)

// logFormatFlag says how to write what goes to stderr.
const logFormatFlag = "log-format"

// The values of logFormatFlag.
const (
	logText = "text"
	logJSON = "json"
)

func globalFlags() []cli.Flag {
	return []cli.Flag{&cli.StringFlag{
		Name: logFormatFlag, Value: logText,
		Usage: "`FORMAT` of what goes to stderr: text, or json for one JSON object a line; before the command",
	}}
}

// checkLogFormat refuses other formats.
func checkLogFormat(c *cli.Context) error {
	known := []string{logText, logJSON}
	if f := c.String(logFormatFlag); !slices.Contains(known, f) {
		return config.Errorf("", 0, "--%s is %q%s", logFormatFlag, f, config.DidYouMean(f, known))
	}
	return nil
}

// logsJSON says whether the flags before the command ask for JSON. It is known before
// the command line is read, so that what is wrong with that is told in JSON too.
func logsJSON(args []string) bool {
	format := ""
	for i := 1; i < len(args) && strings.HasPrefix(args[i], "-"); i++ {
		name, value, inline := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if name != logFormatFlag {
			continue
		}
		if !inline && i+1 < len(args) {
			i++
			value = args[i]
		}
		format = value
	}
	return format == logJSON
}
