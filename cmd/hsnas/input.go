package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"hsnas/internal/config"
)

// input is a file of JSON Lines, or standard input.
type input struct {
	name string
	io.ReadCloser
}

// openInput opens the command's only argument; "-" and no argument are
// standard input.
func openInput(c *cli.Context) (*input, error) {
	if c.NArg() > 1 {
		return nil, config.Errorf("", 0, "expected one FILE, found %d: %q", c.NArg(), c.Args().Slice())
	}
	return openInputFile(c, c.Args().First())
}

// openInputFile opens a file, or standard input for "-" and "".
func openInputFile(c *cli.Context, name string) (*input, error) {
	if name == "" || name == "-" {
		return &input{"standard input", io.NopCloser(c.App.Reader)}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, config.Errorf("", 0, "%v", err)
	}
	return &input{name, f}, nil
}

// maxLine bounds a line of input; an architecture has some hundred bytes.
const maxLine = 1 << 20

// each calls f with every line that is not blank. An error names the line.
func (in *input) each(f func(text []byte) error) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	number := 0
	for lines.Scan() {
		number++
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		if err := f(text); err != nil {
			return config.Errorf(in.name, number, "%v", err)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return config.Errorf(in.name, number+1, "the line is longer than %d bytes", maxLine)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading %s: %w", in.name, err)
	}
	return nil
}
