package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"hsnas/internal/ort"
)

// libraryDetails are for programs.
type libraryDetails struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	SHA256  string `json:"sha256"`
	Known   bool   `json:"known"` // the bytes are those that hsnas was tested with
}

// library looks at ONNX Runtime: the file first, then whether a process can load it
// and compute with it.
func (h Host) library(ctx context.Context) Check {
	c := Check{Name: "onnx-runtime", State: Missing, Needed: true, Advice: "run: " + h.Fetch}
	file, err := ort.Identify()
	if err != nil {
		c.Found = err.Error()
		if errors.Is(err, fs.ErrNotExist) {
			c.Found = "no library in " + file.Path
		}
		return c
	}
	d := libraryDetails{Path: file.Path, SHA256: file.SHA256, Known: file.Known}
	c.Details = &d
	answer, err := h.Probe(ctx, "cpu")
	if err == nil {
		d.Version, err = answer.Library, answer.err()
	}
	if err != nil {
		c.Found = fmt.Sprintf("%s does not work: %v", file.Path, err)
		return c
	}
	c.State, c.Advice = OK, ""
	c.Found = fmt.Sprintf("%s in %s, SHA-256 %.12s as published", d.Version, d.Path, d.SHA256)
	if !d.Known {
		c.State = Warning
		c.Found = fmt.Sprintf("%s in %s, SHA-256 %.12s, a build that hsnas was not tested with", d.Version, d.Path, d.SHA256)
		c.Advice = "results may differ in their last digits; the tested one: " + h.Fetch
	}
	return c
}
