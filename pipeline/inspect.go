package pipeline

import (
	"context"
	"strings"

	"hsnas/internal/progress"
)

// Status is what would happen to a stage, and what did.
type Status struct {
	Stage   string  `json:"stage"`
	State   string  `json:"state"`  // done, stale, running, failed, interrupted, or pending where it never ran
	Reason  string  `json:"reason"` // why it would run; "" where it is up to date
	Seconds float64 `json:"seconds"`
	// Shards are those of a stage that is under way on a cluster; nil of others.
	Shards *ShardCount `json:"shards,omitempty"`

	Reasons []string `json:"reasons,omitempty"` // Reason, one by one
	Files   int      `json:"files"`             // outputs of its last good end
	Bytes   int64    `json:"bytes"`             // of these together
	Runs    bool     `json:"runs"`              // whether the next run would run it
	Holder  string   `json:"holder,omitempty"`  // the process that works on it now
}

// Inspect tells the state of every stage of the run directory dir, without
// changing anything.
func Inspect(ctx context.Context, dir string, stages []Stage) ([]Status, error) {
	stages, err := ordered(stages)
	if err != nil {
		return nil, err
	}
	st, err := readState(ctx, dir, stages)
	if err != nil {
		return nil, err
	}
	user := User(dir)
	again := map[string]bool{}
	var out []Status
	for _, s := range stages {
		var why []string
		in, err := st.ingredients(s, again)
		if err == nil {
			why = st.reasons(s, in)
		} else {
			why = []string{err.Error()}
		}
		again[s.Name] = len(why) > 0
		one := describe(s.Name, st.manifest.Record(s.Name), why, user)
		one.Shards = countShards(ctx, dir, s, st.manifest.Record(s.Name))
		out = append(out, one)
	}
	return out, nil
}

// describe makes the status of a stage that would run for the reasons why. A
// stage runs now only while a process, user, is in the run directory.
func describe(stage string, r *Record, why []string, user string) Status {
	out := Status{Stage: stage, State: "pending", Reasons: why, Runs: len(why) > 0}
	if r != nil {
		out.State, out.Seconds, out.Files = string(r.State), r.Seconds, len(r.Outputs)
		for _, a := range r.Outputs {
			out.Bytes += a.Bytes
		}
		switch {
		case r.State == Done && len(why) > 0:
			out.State = "stale"
		case r.State == Running && user != "":
			out.Reasons, out.Runs, out.Holder = nil, false, user
		case r.State == Running:
			out.State = string(Interrupted)
		}
	}
	out.Reason = strings.Join(out.Reasons, "; ")
	return out
}

// dryRun reports what Run would do.
func dryRun(ctx context.Context, dir string, stages []Stage, chosen []bool, o Options) error {
	st, err := readState(ctx, dir, stages)
	if err != nil {
		return err
	}
	again := map[string]bool{}
	for i, s := range stages {
		if !chosen[i] {
			continue
		}
		in, err := st.ingredients(s, again)
		if err != nil {
			return err
		}
		why := st.reasons(s, in)
		if len(why) == 0 && o.Force {
			why = []string{forced}
		}
		if len(why) == 0 {
			progress.LogStage(o.Report, s.Name, "up to date")
		}
		for _, reason := range why {
			progress.LogStage(o.Report, s.Name, "would run: %s", reason)
		}
		again[s.Name] = len(why) > 0
	}
	return nil
}
