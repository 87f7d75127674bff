// Package docs embeds the page on the files of a run, so that the program says of a
// file what the page says.
package docs

import (
	_ "embed"
	"path"
	"regexp"
	"strings"
)

//go:embed formats.md
var formats string

var (
	link     = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	sentence = regexp.MustCompile(`\.(\s+[A-Z]|\s*$)`)
	code     = regexp.MustCompile("`([^`]+)`")
	blank    = regexp.MustCompile(`<[a-z]+>`)
)

// About returns what the page says first about a file, by its path in the run
// directory; "" where it says nothing.
func About(file string) string {
	if about := section(file); about != "" {
		return about
	}
	parts := strings.Split(file, "/")
	if len(parts) == 3 { // a cell of a matrix of prompts: label/<cell>/labels.parquet
		if about := section(parts[0] + "/" + parts[2]); about != "" {
			return about
		}
	}
	return row(file)
}

// section returns the first sentence below the heading that names the file.
func section(file string) string {
	_, text, found := strings.Cut(formats, "\n### `"+file+"`\n\n")
	if !found {
		return ""
	}
	paragraph, _, _ := strings.Cut(text, "\n\n")
	if strings.HasPrefix(paragraph, "|") {
		return ""
	}
	return first(strings.ReplaceAll(paragraph, "\n", " "))
}

// row returns the last cell of the row of the page's first table whose first cell names
// the file, or a pattern that it matches.
func row(file string) string {
	for line := range strings.Lines(formats) {
		if strings.HasPrefix(line, "### ") {
			return ""
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 {
			continue
		}
		for _, pattern := range code.FindAllStringSubmatch(cells[0], -1) {
			if matches(blank.ReplaceAllString(pattern[1], "*"), file) {
				return first(strings.TrimSpace(cells[2]))
			}
		}
	}
	return ""
}

func matches(pattern, file string) bool {
	if strings.HasSuffix(pattern, "/") {
		return strings.HasPrefix(file, pattern)
	}
	ok, err := path.Match(pattern, file)
	return ok && err == nil
}

// first returns the first sentence of a text without its links' targets.
func first(text string) string {
	text = link.ReplaceAllString(text, "$1")
	if at := sentence.FindStringIndex(text); at != nil {
		text = text[:at[0]]
	}
	return strings.ReplaceAll(text, "`", "")
}
