package published

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// Repository is a git repository at a pinned commit.
type Repository struct {
	Name   string // "llmas" or "hat"
	URL    string
	Commit string // 40 hexadecimal digits
}

// Repositories returns where the published files come from.
func Repositories() []Repository {
	return []Repository{
		{"llmas", "https://github.com/UBC-NLP/llmas", "35980b8faf884c51d25fa45a644b47729f152e03"},
		{"hat", "https://github.com/mit-han-lab/hardware-aware-transformers", "70e5a279d080670208249fdd98ed731fa9bcc466"},
	}
}

// File is one published file.
type File struct {
	Path       string // in the data folder, slashes
	SHA256     string // hexadecimal, lower case
	Repository string // Repository.Name
	Upstream   string // path in the repository; "" for one compiled from several files
}

//go:embed files.txt
var filesText string

var files = parseFiles(filesText)

// Files returns the published files in a fixed order.
func Files() []File { return slices.Clone(files) }

// parseFiles reads the embedded table; a fault in it is a fault of this package.
func parseFiles(text string) []File {
	var out []File
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Fields(line)
		if len(f) != 4 || len(f[0]) != 64 {
			panic("published: malformed line in files.txt: " + line)
		}
		out = append(out, File{SHA256: f[0], Path: f[1], Repository: f[2], Upstream: strings.TrimPrefix(f[3], "-")})
	}
	return out
}

func lookup(path string) (File, bool) {
	i := slices.IndexFunc(files, func(f File) bool { return f.Path == path })
	if i < 0 {
		return File{}, false
	}
	return files[i], true
}

// choose returns path where the table has it, and an error that lists the names
// there are between prefix and suffix otherwise.
func choose(what, name, prefix, suffix string) (string, error) {
	path := prefix + name + suffix
	if _, ok := lookup(path); ok {
		return path, nil
	}
	return "", fmt.Errorf("no published %s %q; there are %s", what, name, strings.Join(names(prefix, suffix), ", "))
}

// names returns what stands between prefix and suffix in the files' paths.
func names(prefix, suffix string) []string {
	var out []string
	for _, f := range files {
		if rest, ok := strings.CutPrefix(f.Path, prefix); ok {
			if name, ok := strings.CutSuffix(rest, suffix); ok {
				out = append(out, name)
			}
		}
	}
	return out
}

// LatencyFile returns the path, in the data folder, of one of LatencyDatasets.
func LatencyFile(dataset string) string { return "hat/latency_dataset/" + dataset + "_all.csv" }
