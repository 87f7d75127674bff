package latency

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/progress"
)

// A shard is a round: all architectures once, with the control between them, on one
// machine. What a machine is slower by than others is taken out with what its sittings
// are slower by.

// Shards names the rounds of what the stage times itself; none where it times nothing.
func Shards(p Params, in Inputs) ([]string, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if err := p.Check(in.Task); err != nil || p.Measure == 0 {
		return nil, err
	}
	var names []string
	for number := range p.Rounds {
		names = append(names, roundName(number))
	}
	return names, nil
}

func roundName(number int) string { return "round-" + strconv.Itoa(number) }

func roundFile(state string, number int) string {
	return filepath.Join(state, roundName(number)+".jsonl")
}

// RunShard measures one round and returns its file, in the folder state: Run takes it
// from there, on a processor of the same kind.
func RunShard(ctx context.Context, p Params, in Inputs, state, shard string, rep progress.Reporter) (file string, err error) {
	names, err := Shards(p, in)
	if err != nil {
		return "", err
	}
	number := slices.Index(names, shard)
	if number < 0 {
		return "", config.Errorf("", 0, "latency has no shard %q", shard)
	}
	if err := atomicfile.MkdirAll(state); err != nil {
		return "", err
	}
	m, err := measurement(p, in, roundFile(state, number))
	if err != nil {
		return "", err
	}
	m.Only = []int{number}
	_, err = m.finish(ctx, rep)
	return m.State, err
}
