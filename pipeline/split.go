package pipeline

import (
	"context"
	"fmt"
	"os"
	"path"
	"regexp"

	"hsnas/internal/fault"
)

// Split says how the work of a stage falls into shards, which can be done apart, on
// other machines for example.
//
// A shard's result is state of the stage's own, as an attempt that was killed leaves it:
// the stage's Run takes it up instead of doing the work again. So there is one way to
// the outputs, wherever the work was done.
type Split struct {
	// Shards names the shards, wave by wave: those of a wave need what the waves before
	// left. The names are the same for the same ingredients, and good as file names. Nil
	// is for a stage that cannot be divided, but is much work; no shards, for one that
	// has nothing to divide this time.
	Shards func(ctx context.Context, call Call) ([][]string, error)
	// Do does one shard and returns the files that it left, relative to the run directory
	// with slashes. It may be called for a shard that is done, or that another process is
	// at, and for several at once.
	Do func(ctx context.Context, call Call, shard string) (files []string, err error)
	// Timed marks shards that measure times: they have a processor to themselves, and are
	// of one kind of processor.
	Timed bool
}

// Whole is the shard that is the stage's own Run, which comes after all others.
const Whole = "whole"

var shardName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)

// Waves returns the shards of a stage wave by wave, the last being Whole; none where
// there is nothing worth doing elsewhere. Errors that are no *config.Error are faults of
// the program.
func (s Stage) Waves(ctx context.Context, c Call) ([][]string, error) {
	if s.Split == nil {
		return nil, nil
	}
	if s.Split.Shards == nil {
		return [][]string{{Whole}}, nil
	}
	waves, err := s.Split.Shards(ctx, c)
	if err != nil {
		return nil, err
	}
	var out [][]string
	seen := map[string]bool{Whole: true}
	for _, wave := range waves {
		for _, name := range wave {
			if seen[name] || !shardName.MatchString(name) {
				return nil, fmt.Errorf("stage %s names a shard %q, which is taken or no name", s.Name, name)
			}
			seen[name] = true
		}
		if len(wave) > 0 {
			out = append(out, wave)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return append(out, []string{Whole}), nil
}

// shardsFolder is where pieces lie in the run directory.
const shardsFolder = "shards"

// ShardFolder is where the pieces of a stage lie, relative to the run directory: each
// key has its own.
func ShardFolder(stage, key string) string {
	return path.Join(shardsFolder, stage, key[:min(16, len(key))])
}

// Executor runs stages that split elsewhere.
type Executor interface {
	// Execute has a stage's shards done, and the stage itself after them. It returns false
	// where there is nothing worth it: then the stage runs here.
	Execute(ctx context.Context, s Stage, c Call) (Result, bool, error)
}

// perform runs a stage here, or where the executor does.
func (r *run) perform(ctx context.Context, s Stage, c Call) (Result, error) {
	if r.options.Executor != nil && s.Split != nil {
		if r.options.Force { // its shards are state, which --force leaves alone
			_ = os.Remove(pieceFile(r.dir, s.Name, c.Key, Whole))
		}
		if result, done, err := r.options.Executor.Execute(ctx, s, c); done || err != nil {
			return result, err
		}
	}
	if err := prepareOutputs(r.dir, s); err != nil {
		return Result{}, err
	}
	fault.Point("begun", "")
	return call(ctx, s, c)
}
