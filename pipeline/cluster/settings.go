// Package cluster is the executor of pipeline for clusters that Slurm runs: it submits
// the shards of a stage as job arrays, the stage itself as a job that depends on them,
// and watches until it is done.
//
// What is done is what has an intact piece (pipeline.Piece) in the run directory, which
// all nodes share. Slurm is asked for one thing alone: whether a job may still be at
// work on a shard that has none. A job that Slurm does not mention is unknown, not
// failed. Nothing is decided by the times of files or the clock.
package cluster

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"hsnas/internal/config"
)

// Settings are the section "slurm" of an experiment. They say where and how jobs run,
// nothing about what they compute: no stage's key depends on them. The zero value leaves
// everything to the cluster's defaults.
type Settings struct {
	Partition string `yaml:"partition,omitempty"`
	Account   string `yaml:"account,omitempty"`
	// Time is the limit of a job in Slurm's form, 90 for minutes or 1-12:00:00. A training
	// that reaches it leaves a checkpoint, and its shard goes on from there.
	Time string `yaml:"time,omitempty"`
	// Memory of a job in Slurm's form, 4G.
	Memory string `yaml:"memory,omitempty"`
	// CPUs of a job, 0 for one. A job with several does as many shards side by side.
	CPUs int `yaml:"cpus,omitempty"`
	// Constraint is on nodes' features, in Slurm's form.
	Constraint string `yaml:"constraint,omitempty"`
	// Options are further options of sbatch, --qos=long for example.
	Options []string `yaml:"options,omitempty"`
	// ShardsPerTask is how many shards a task does, 0 for one: short ones are not worth a
	// task each, which costs Slurm a good part of a second.
	ShardsPerTask int `yaml:"shards_per_task,omitempty"`
	// TasksPerArray is how many tasks an array has at most, 0 for as many as the cluster
	// admits.
	TasksPerArray int `yaml:"tasks_per_array,omitempty"`
	// Running is how many tasks of an array may run at once, 0 for as many as there is room for.
	Running int `yaml:"running,omitempty"`
	// Attempts is how often a shard is tried, 0 for three times.
	Attempts int `yaml:"attempts,omitempty"`
	// PollSeconds is the time between two looks at the jobs, 0 for a minute.
	PollSeconds float64 `yaml:"poll_seconds,omitempty"`
}

var (
	timeLimit = regexp.MustCompile(`^(\d+-)?\d+(:\d+){0,2}$`)
	memory    = regexp.MustCompile(`^\d+[KMGT]?$`)
)

// ours are the options of sbatch that the executor gives itself.
var ours = []string{
	"--array", "-a", "--dependency", "-d", "--job-name", "-J", "--output", "-o", "--error", "-e", "--parsable", "--wait", "-W", "--wrap",
	"--open-mode", "--kill-on-invalid-dep", "--test-only", "--export", "--no-requeue", "--ntasks", "-n", "--nodes", "-N", "--clusters", "-M",
}

// Validate implements config.Validator.
func (s Settings) Validate() error {
	switch {
	case s.Time != "" && !timeLimit.MatchString(s.Time):
		return config.Fieldf("time", "%q, expected minutes or [DAYS-]HOURS:MINUTES:SECONDS", s.Time)
	case s.Memory != "" && !memory.MatchString(s.Memory):
		return config.Fieldf("memory", "%q, expected a number with K, M, G or T, such as 4G", s.Memory)
	case !(s.PollSeconds >= 0 && s.PollSeconds < math.MaxInt32):
		return config.Fieldf("poll_seconds", "%v, expected seconds, or 0 for a minute", s.PollSeconds)
	}
	for _, f := range []struct {
		name  string
		value int
	}{
		{"cpus", s.CPUs},
		{"shards_per_task", s.ShardsPerTask},
		{"tasks_per_array", s.TasksPerArray},
		{"running", s.Running},
		{"attempts", s.Attempts},
	} {
		if f.value < 0 {
			return config.Fieldf(f.name, "%d, expected 0 or more", f.value)
		}
	}
	for _, o := range s.Options {
		name, _, _ := strings.Cut(o, "=")
		if !strings.HasPrefix(o, "-") {
			return config.Fieldf("options", "%q, expected options of sbatch, each one text such as --qos=long", o)
		}
		if slices.Contains(ours, name) {
			return config.Fieldf("options", "%s is given by hsnas itself", name)
		}
	}
	return nil
}

// sbatch are the settings as options of sbatch.
func (s Settings) sbatch() []string {
	out := []string{"--cpus-per-task=" + strconv.Itoa(s.cpus())}
	for _, o := range []struct{ name, value string }{
		{"--partition=", s.Partition},
		{"--account=", s.Account},
		{"--time=", s.Time},
		{"--mem=", s.Memory},
		{"--constraint=", s.Constraint},
	} {
		if o.value != "" {
			out = append(out, o.name+o.value)
		}
	}
	return append(out, s.Options...)
}

func (s Settings) cpus() int { return max(1, s.CPUs) }

func (s Settings) attempts() int {
	if s.Attempts == 0 {
		return 3
	}
	return s.Attempts
}

func (s Settings) poll() time.Duration {
	if s.PollSeconds == 0 {
		return time.Minute
	}
	return time.Duration(s.PollSeconds * float64(time.Second))
}
