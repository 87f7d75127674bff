package supernet

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/micro"
	"hsnas/internal/progress"
	"hsnas/internal/seal"
	"hsnas/internal/space"
)

// perShard is how many architectures a shard scores: some tens of milliseconds each.
const perShard = 500

// The shards: the training, and after it the scores of some architectures each.
const (
	trainShard  = "train"
	scoresShard = "scores-"
)

// Shards names the shards in two waves.
func Shards(p Params, in Inputs) ([][]string, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	known, err := readKnown(in)
	if err != nil {
		return nil, err
	}
	var scores []string
	for first := 0; first < len(known.archs); first += perShard {
		scores = append(scores, scoresShard+strconv.Itoa(first))
	}
	return [][]string{{trainShard}, scores}, nil
}

// RunShard trains the supernet up to its last checkpoint, or scores architectures with
// the weights there. It returns the file that it left; Run goes on from these files.
func RunShard(ctx context.Context, p Params, in Inputs, out Outputs, shard string, rep progress.Reporter) (file string, err error) {
	s, err := prepare(p, in, out, rep)
	if err != nil {
		return "", err
	}
	net, err := s.Train(ctx)
	if err != nil || shard == trainShard {
		return out.Checkpoint, err
	}
	known, err := readKnown(in)
	if err != nil {
		return "", err
	}
	first, err := strconv.Atoi(strings.TrimPrefix(shard, scoresShard))
	if err != nil || first < 0 || first >= len(known.archs) {
		return "", config.Errorf("", 0, "supernet has no shard %q", shard)
	}
	archs := known.archs[first:min(first+perShard, len(known.archs))]
	losses, seconds, err := score(ctx, s, net, archs)
	if err != nil {
		return "", fmt.Errorf("supernet: %w", err)
	}
	return scoresFile(out.State, first), keepScores(out.State, first, scored{net.Origin.Recipe, p.Rule, p.Seed, ids(archs), losses, seconds})
}

// scored is the state of a shard of scores.
type scored struct {
	Training string    `json:"training"` // what the weights depend on, with rule and seed
	Rule     string    `json:"rule"`
	Seed     int64     `json:"seed"`
	IDs      []string  `json:"ids"`
	Losses   []float64 `json:"losses"`
	Seconds  float64   `json:"seconds"`
}

func ids(archs []space.Architecture) []string {
	out := make([]string, len(archs))
	for i, a := range archs {
		out[i] = a.ID()
	}
	return out
}

func scoresFile(state string, first int) string {
	return filepath.Join(state, scoresShard+strconv.Itoa(first)+".json")
}

func keepScores(state string, first int, s scored) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := atomicfile.MkdirAll(state); err != nil {
		return err
	}
	return atomicfile.Write(scoresFile(state, first), seal.JSON(text))
}

// readScores returns the scores of a shard, false where there are none of this supernet.
// Damaged ones are moved aside.
func readScores(state string, first int, want scored, rep progress.Reporter) (s scored, ok bool) {
	if state == "" {
		return s, false
	}
	path := scoresFile(state, first)
	text, err := os.ReadFile(path)
	if err != nil {
		return s, false
	}
	object, err := seal.Required(text)
	if err == nil {
		err = json.Unmarshal(object, &s)
	}
	if err != nil {
		if to, lost := atomicfile.Aside(path); lost == nil {
			rep.Logf("%s is damaged: %v: moved to %s, these architectures are scored again", path, err, filepath.Base(to))
		}
		return s, false
	}
	return s, s.Training == want.Training && s.Rule == want.Rule && s.Seed == want.Seed && slices.Equal(s.IDs, want.IDs) && len(s.Losses) == len(s.IDs)
}

// scoreAll scores architectures, but for those that shards have scored, and returns the
// seconds that it took, theirs too.
func scoreAll(ctx context.Context, p Params, s *micro.SupernetTraining, net *micro.Supernet, archs []space.Architecture, state string) (losses []float64, seconds float64, err error) {
	for first := 0; first < len(archs); first += perShard {
		some := archs[first:min(first+perShard, len(archs))]
		kept, ok := readScores(state, first, scored{Training: net.Origin.Recipe, Rule: p.Rule, Seed: p.Seed, IDs: ids(some)}, s.Progress)
		if !ok {
			if kept.Losses, kept.Seconds, err = score(ctx, s, net, some); err != nil {
				return nil, 0, err
			}
		}
		losses, seconds = append(losses, kept.Losses...), seconds+kept.Seconds
	}
	return losses, seconds, nil
}
