package doctor

import (
	"fmt"
	"strings"

	figures "hsnas/internal/published"
)

// publishedFile is a row of the details.
type publishedFile struct {
	File   string        `json:"file"`
	State  figures.State `json:"state"`
	SHA256 string        `json:"sha256"` // as published
}

// published looks at the published figures, each file by its checksum.
func published(dir string, needed bool) Check {
	c := Check{Name: "data", State: Missing, Needed: needed, Advice: "run: hsnas data"}
	if !needed {
		c.Advice += " (for the WMT experiments alone)"
	}
	if dir == "" {
		c.Found = "no folder: neither XDG_CACHE_HOME nor HOME is set"
		return c
	}
	files, err := figures.Check(dir)
	if err != nil {
		c.Found = fmt.Sprintf("%s: %v", dir, err)
		return c
	}
	var rows []publishedFile
	faulty := map[figures.State][]string{}
	for _, f := range files {
		rows = append(rows, publishedFile{f.Path, f.State, f.SHA256})
		faulty[f.State] = append(faulty[f.State], f.Path)
	}
	c.Details = rows
	switch ok, missing, damaged := faulty[figures.OK], faulty[figures.Missing], faulty[figures.Damaged]; {
	case len(ok) == len(files):
		c.State, c.Advice = OK, ""
		c.Found = fmt.Sprintf("%s, %d files with the checksums of the publications", dir, len(ok))
	case len(missing) == len(files):
		c.Found = "no published figures in " + dir
	default:
		c.State = Warning
		if needed {
			c.State = Missing
		}
		c.Found = fmt.Sprintf("%s: %d of %d files as published", dir, len(ok), len(files))
		for _, f := range []struct {
			what  string
			files []string
		}{{"missing", missing}, {"damaged", damaged}} {
			if len(f.files) > 0 {
				c.Found += fmt.Sprintf(", %s: %s", f.what, few(f.files))
			}
		}
	}
	return c
}

// few names the first of many.
func few(names []string) string {
	const shown = 2
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}
