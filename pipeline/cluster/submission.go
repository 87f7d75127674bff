package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/seal"
	"hsnas/pipeline"
)

// Submission is a job or an array that was submitted, or was about to be. Its file is on
// the disk before Slurm hears of it, so that a driver that is killed in between finds it
// by its name.
type Submission struct {
	Name    string     `json:"name"` // of the job
	Stage   string     `json:"stage"`
	Key     string     `json:"key"`
	Program string     `json:"program"` // SHA-256 of the program that jobs run
	Wave    int        `json:"wave"`
	Tasks   [][]string `json:"tasks"` // shards of each task of the array
}

// The files of a submission, beside the pieces: itself, Slurm's number of it, and how it
// was left, each written once.
const (
	submissionEnding = ".submission"
	idEnding         = ".id"
	endedEnding      = ".ended"
	jobsFolder       = "jobs"
)

// jobs is the folder of the submissions of a stage.
func jobs(dir, stage, key string) string {
	return filepath.Join(dir, filepath.FromSlash(pipeline.ShardFolder(stage, key)), jobsFolder)
}

// ReadSubmission reads a submission of a stage by its name.
func ReadSubmission(dir, stage, name string) (*Submission, error) {
	found := submissions(dir, path.Join("shards", stage, "*"), name)
	if len(found) != 1 {
		return nil, config.Errorf("", 0, "--submission: stage %s has no submission %q in %s", stage, name, dir)
	}
	return read(found[0])
}

// submissions are the files of submissions below folders of shards, a pattern, in order.
func submissions(dir, folder, name string) []string {
	// By an fs.FS, as the run directory may have characters of patterns in its name.
	found, _ := fs.Glob(os.DirFS(dir), path.Join(folder, jobsFolder, name+submissionEnding))
	for i, f := range found {
		found[i] = filepath.Join(dir, filepath.FromSlash(f))
	}
	slices.Sort(found)
	return found
}

func read(file string) (*Submission, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var s Submission
	object, err := seal.Required(text)
	if err == nil {
		err = json.Unmarshal(object, &s)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; end its job with scancel and remove it", file, err)
	}
	return &s, nil
}

// array is a submission as a driver sees it.
type array struct {
	Submission
	folder  string
	id      string // "" while Slurm's number is not known
	settled []bool // by task: nothing is expected of it any more
	lost    bool   // a task came to nothing: no job that waits for the array will start
	missing []int  // by task: looks in a row in which Slurm did not mention it
}

func (a *array) file(ending string) string { return filepath.Join(a.folder, a.Name+ending) }

// write makes the submission known, before it is submitted.
func (a *array) write() error {
	text, err := json.MarshalIndent(a.Submission, "", "  ")
	if err != nil {
		return err
	}
	if err := atomicfile.MkdirAll(a.folder); err != nil {
		return err
	}
	return atomicfile.Write(a.file(submissionEnding), append(seal.JSON(text), '\n'))
}

// submitted writes down Slurm's number.
func (a *array) submitted(id string) error {
	a.id = id
	return atomicfile.Write(a.file(idEnding), []byte(id+"\n"))
}

// end writes down that nothing is expected of it any more, and why. The first to say so
// counts.
func (a *array) end(why string) error {
	if _, err := os.Stat(a.file(endedEnding)); err == nil {
		return nil
	}
	return atomicfile.Write(a.file(endedEnding), []byte(why+"\n"))
}

// ended returns how it was left, "" while it was not.
func (a *array) ended() string {
	text, _ := os.ReadFile(a.file(endedEnding))
	return strings.TrimSpace(string(text))
}

// cancelled is how `hsnas cancel` leaves a submission.
const cancelled = "cancelled"

// arrays reads the submissions of a run that were not left yet, of one stage and key or,
// with "*", of all.
func arrays(dir, stage, key string) ([]*array, error) {
	var out []*array
	for _, file := range submissions(dir, pipeline.ShardFolder(stage, key), "*") {
		if _, err := os.Stat(strings.TrimSuffix(file, submissionEnding) + endedEnding); err == nil {
			continue
		}
		s, err := read(file)
		if err != nil {
			return nil, err
		}
		a := &array{Submission: *s, folder: filepath.Dir(file), settled: make([]bool, len(s.Tasks)), missing: make([]int, len(s.Tasks))}
		text, err := os.ReadFile(a.file(idEnding))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		a.id = strings.TrimSpace(string(text))
		out = append(out, a)
	}
	return out, nil
}

// Busy says whether jobs of a run may be at work.
func Busy(dir string) (bool, error) {
	left, err := arrays(dir, "*", "*")
	return len(left) > 0, err
}
