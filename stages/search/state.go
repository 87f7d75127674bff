package search

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"hsnas/internal/atomicfile"
	"hsnas/internal/evolve"
	"hsnas/internal/progress"
	"hsnas/internal/seal"
)

// states are the searches of a stage as far as they are, in a file each: what an
// interrupted stage goes on from. A state belongs to the stage's key, that is to
// its version, parameters and inputs; under another key it is as good as none.
type states struct {
	dir, key string
	every    time.Duration // that lies between two writes, at the least
	written  time.Time
	pending  map[string]savedSetting // by file, not written yet
	rep      progress.Reporter       // hears of states that are damaged
}

// stateInterval is how much work may be lost to a kill. An interrupt loses the
// generation that it falls into, and no more; a search by predictors alone, over in
// a fraction of a second, is not slowed down by its states.
const stateInterval = time.Second

// savedSetting is the file of a state.
type savedSetting struct {
	Key    string       `json:"key"`
	Shared int64        `json:"shared"` // hits of the shared scorer
	State  evolve.State `json:"state"`
}

// newStates keeps states in dir; none in "".
func newStates(dir, key string) *states {
	return &states{dir: dir, key: key, every: stateInterval, written: time.Now(), pending: map[string]savedSetting{}, rep: progress.Discard}
}

func (s *states) path(of setting) string {
	return filepath.Join(s.dir, of.search+"_"+shardName(of.limit, of.seed)+".json")
}

// limitName is a limit in the names of files.
func limitName(limit float64) string {
	if math.IsNaN(limit) {
		return "none"
	}
	return strconv.FormatFloat(limit, 'g', -1, 64)
}

// load returns the state of a setting, nil without one of this key. A damaged one is
// moved aside, and the search starts anew.
func (s *states) load(of setting) (state []byte, shared int64, err error) {
	if s.dir == "" {
		return nil, 0, nil
	}
	text, err := os.ReadFile(s.path(of))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	var saved struct {
		Key    string          `json:"key"`
		Shared int64           `json:"shared"`
		State  json.RawMessage `json:"state"`
	}
	object, err := seal.Required(text)
	if err == nil {
		err = json.Unmarshal(object, &saved)
	}
	if err != nil {
		to, lost := atomicfile.Aside(s.path(of))
		if lost == nil {
			s.rep.Logf("%s is damaged (%v): moved to %s; %s is searched from the start", s.path(of), err, filepath.Base(to), of)
		}
		return nil, 0, lost
	}
	if saved.Key != s.key {
		return nil, 0, nil
	}
	return saved.State, saved.Shared, nil
}

// put takes the state of a setting and writes it, with all that wait, if the last
// write is long enough ago.
func (s *states) put(of setting, state evolve.State, shared int64) error {
	if s.dir == "" {
		return nil
	}
	s.pending[s.path(of)] = savedSetting{s.key, shared, state}
	if time.Since(s.written) < s.every {
		return nil
	}
	return s.flush()
}

// flush writes what waits.
func (s *states) flush() error {
	if len(s.pending) == 0 {
		return nil
	}
	if err := atomicfile.MkdirAll(s.dir); err != nil {
		return err
	}
	for path, saved := range s.pending {
		text, err := json.Marshal(saved)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := atomicfile.Write(path, seal.JSON(text)); err != nil {
			return err
		}
		delete(s.pending, path)
	}
	s.written = time.Now()
	return nil
}

// remove ends it: the stage has its outputs.
func (s *states) remove() error {
	if s.dir == "" {
		return nil
	}
	return os.RemoveAll(s.dir)
}
