package micro

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/corpus"
	"hsnas/internal/fault"
	"hsnas/internal/ort"
	"hsnas/internal/seal"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// Scratch trains architectures of a task from scratch and says how good they
// are. Several goroutines may train with one at once, each its own architecture.
type Scratch struct {
	Runtime *ort.Runtime
	Task    string
	Dims    Dims
	Corpus  *corpus.Corpus
	Recipe  Recipe
	// Dir keeps the result of every training and the checkpoints of those that
	// are under way; "" keeps nothing.
	Dir string
	// Every is how many steps lie between two checkpoints; 0 means 100.
	Every int
	// Progress is told how many steps were taken; nil tells nobody.
	Progress func(steps int)
	// Warn is told of damaged files in Dir that were moved aside; nil tells nobody.
	Warn func(format string, args ...any)

	train, valid []corpus.Example
	key          string
}

// NewScratch prepares the training of a task's architectures by a recipe, with
// results and checkpoints in dir, which is made where it is not there.
func NewScratch(t *task.Task, c *corpus.Corpus, r Recipe, dir string) (*Scratch, error) {
	dims, err := DimsOf(t)
	if err != nil {
		return nil, err
	}
	rt, err := ort.Open()
	if err != nil {
		return nil, err
	}
	if err := atomicfile.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("cannot make the folder %s: %w", filepath.Clean(dir), err)
	}
	s := &Scratch{Runtime: rt, Task: t.Name, Dims: dims, Corpus: c, Recipe: r, Dir: dir}
	return s, s.Prepare()
}

// Job is one training.
type Job struct {
	Arch space.Architecture
	Seed uint64 // of the parameters at the start and of the order of the batches
}

// String names the job in messages.
func (j Job) String() string { return fmt.Sprintf("architecture %s, seed %d", j.Arch.ID(), j.Seed) }

// Name tells the job from others of its task, and is good as a file name.
func (j Job) Name() string { return fmt.Sprintf("%s-%d", j.Arch.ID(), j.Seed) }

// Trained is the result of a Job.
type Trained struct {
	Valid, Test float64   // BLEU on the validation and the test set; 0 where it diverged
	ValidLoss   float64   // nats a token, without smoothing
	Losses      []float64 // smoothed training loss: the mean of each ten steps
	Steps       int
	CPUSeconds  float64 // of the training steps; 0 where the system does not tell
	WallSeconds float64 // with the evaluation, of the last attempt alone
	Diverged    string  // why there is no result; "" where there is one
}

// lossesEvery is how many steps one entry of Trained.Losses stands for.
const lossesEvery = 10

// Prepare encodes the corpus; it comes before the first Train of a Scratch that
// NewScratch has not made.
func (s *Scratch) Prepare() error {
	if s.Every == 0 {
		s.Every = 100
	}
	s.train, s.valid = s.Corpus.Encode(s.Corpus.Train), s.Corpus.Encode(s.Corpus.Valid)
	if err := s.Recipe.fits(s.Corpus, s.Dims, s.Task); err != nil {
		return err
	}
	var err error
	s.key, err = hashOf(s.Recipe, s.Dims, s.Corpus)
	return err
}

// fits refuses a corpus that the recipe or the task's model has no room for.
func (r Recipe) fits(c *corpus.Corpus, d Dims, taskName string) error {
	if source, target := c.Source.Len(), c.Target.Len(); source > d.SourceWords || target > d.TargetWords {
		return config.Errorf("", 0, "the corpus has vocabularies of %d and %d entries, more than the %d and %d of the task %s; raise source_vocabulary and vocabulary in its model section",
			source, target, d.SourceWords, d.TargetWords, taskName)
	}
	if n := len(c.Train); n < r.Batch {
		return config.Errorf("", 0, "%d training pairs, fewer than one batch of %d", n, r.Batch)
	}
	return nil
}

// version is raised when the same training gives other parameters.
const version = 1

// hashOf is what results depend on besides the architecture and the seed; a
// supernet depends on its space too.
func hashOf(r Recipe, d Dims, c *corpus.Corpus, also ...any) (string, error) {
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(struct {
		Version int
		Recipe  Recipe
		Dims    Dims
		Also    []any
	}{version, r, d, also}); err != nil {
		return "", err
	}
	for _, set := range [][]corpus.Pair{c.Train, c.Valid, c.Test} {
		fmt.Fprintln(h, len(set))
		for _, p := range set {
			fmt.Fprintf(h, "%s\t%s\n", strings.Join(p.Source, " "), strings.Join(p.Target, " "))
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// record is a result on disk.
type record struct {
	Key string `json:"key"`
	Trained
}

func (s *Scratch) file(j Job, ending string) string {
	return filepath.Join(s.Dir, j.Name()+"."+ending)
}

// Train trains a job, or takes its result from Dir, or goes on from the
// checkpoint there. Where ctx ends, a checkpoint is left. A training that diverges
// is a result that says so, no error.
func (s *Scratch) Train(ctx context.Context, j Job) (Trained, error) {
	if done, ok := s.known(j); ok {
		s.tell(s.Recipe.Steps)
		return done, nil
	}
	if err := ctx.Err(); err != nil {
		return Trained{}, err
	}
	out, err := s.fresh(ctx, j)
	if err != nil {
		return Trained{}, fmt.Errorf("%s: %w", j, err)
	}
	return out, s.remember(j, out)
}

// Known says whether Dir has the result of a job.
func (s *Scratch) Known(j Job) bool { _, ok := s.known(j); return ok }

func (s *Scratch) known(j Job) (Trained, bool) {
	if s.Dir == "" {
		return Trained{}, false
	}
	path := s.file(j, "json")
	text, err := os.ReadFile(path)
	if err != nil {
		return Trained{}, false
	}
	r, err := parseRecord(text)
	if err != nil {
		if to, lost := atomicfile.Aside(path); lost == nil && s.Warn != nil {
			s.Warn("%s is damaged: %v: moved to %s, the training is done again", path, err, filepath.Base(to))
		}
		return Trained{}, false
	}
	return r.Trained, r.Key == s.key
}

// parseRecord reads a result as remember wrote it.
func parseRecord(text []byte) (record, error) {
	object, err := seal.Required(text)
	if err != nil {
		return record{}, err
	}
	var r record
	err = json.Unmarshal(object, &r)
	return r, err
}

// remember writes the result, and then takes the checkpoint away.
func (s *Scratch) remember(j Job, t Trained) error {
	if s.Dir == "" {
		return nil
	}
	text, err := json.Marshal(record{s.key, t})
	if err != nil {
		return err
	}
	if err := atomicfile.Write(s.file(j, "json"), seal.JSON(text)); err != nil {
		return err
	}
	fault.Point("training remembered", "")
	if err := os.Remove(s.file(j, "safetensors")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (s *Scratch) tell(steps int) {
	if s.Progress != nil && steps > 0 {
		s.Progress(steps)
	}
}

// fresh trains on one operating-system thread, whose time it can tell.
func (s *Scratch) fresh(ctx context.Context, j Job) (Trained, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := time.Now()
	shape, err := ShapeOf(s.Dims, j.Arch)
	if err != nil {
		return Trained{}, err
	}
	t, err := NewTrainer(s.Runtime, s.Dims, shape, s.Recipe, j.Seed, TrainerOptions{})
	if err != nil {
		return Trained{}, err
	}
	defer t.Close()
	out, err := s.steps(ctx, j, t, shape)
	var diverged *DivergedError
	switch {
	case errors.As(err, &diverged):
		out.Diverged = diverged.Error()
	case err != nil:
		return Trained{}, err
	default:
		if err := s.evaluate(ctx, t, shape, &out); err != nil {
			return Trained{}, err
		}
	}
	out.WallSeconds = time.Since(start).Seconds()
	return out, nil
}

// steps takes the steps that are left.
func (s *Scratch) steps(ctx context.Context, j Job, t *Trainer, shape Shape) (Trained, error) {
	var out Trained
	origin := Origin{Task: s.Task, Architecture: j.Arch.String(), Seed: j.Seed, Recipe: s.key}
	if err := s.resume(j, t, origin, &out); err != nil {
		return out, err
	}
	s.tell(t.Steps())
	batches := NewBatches(s.train, s.Recipe.Batch, j.Seed)
	began := threadSeconds()
	var sum float64
	whole := context.WithoutCancel(ctx) // an interrupted training ends with a checkpoint, a few steps later
	for t.Steps() < s.Recipe.Steps {
		result, err := t.Step(whole, shape, batches.At(t.Steps()))
		if err != nil {
			out.Steps, out.CPUSeconds = t.Steps(), out.CPUSeconds+threadSeconds()-began
			return out, err
		}
		sum += result.Loss
		if t.Steps()%lossesEvery != 0 {
			continue
		}
		out.Losses = append(out.Losses, sum/lossesEvery)
		sum = 0
		s.tell(lossesEvery)
		if t.Steps()%s.Every == 0 || ctx.Err() != nil {
			kept := out
			kept.CPUSeconds += threadSeconds() - began
			if err := s.save(j, t, origin, kept); err != nil {
				return out, err
			}
		}
		if err := ctx.Err(); err != nil {
			return out, err
		}
	}
	out.Steps = t.Steps()
	out.CPUSeconds += threadSeconds() - began
	return out, nil
}

// save leaves a checkpoint, after the last step too: the evaluation is still to
// come.
func (s *Scratch) save(j Job, t *Trainer, o Origin, kept Trained) error {
	if s.Dir == "" {
		return nil
	}
	return t.Save(s.file(j, "safetensors"), o, kept)
}

// resume takes up a checkpoint where there is one.
func (s *Scratch) resume(j Job, t *Trainer, o Origin, out *Trained) error {
	if s.Dir == "" {
		return nil
	}
	var kept Trained
	ok, err := t.takeUp(s.file(j, "safetensors"), o, &kept, s.Warn)
	if ok {
		*out = kept
	}
	return err
}

func (s *Scratch) evaluate(ctx context.Context, t *Trainer, shape Shape, out *Trained) error {
	n, err := NewNetwork(s.Runtime, s.Dims, shape, t.Parameters(), ort.Options{Optimization: ort.OptimizeBasic})
	if err != nil {
		return err
	}
	defer n.Close()
	if out.Valid, err = n.BLEU(ctx, s.Corpus, s.Corpus.Valid); err != nil {
		return err
	}
	if out.Test, err = n.BLEU(ctx, s.Corpus, s.Corpus.Test); err != nil {
		return err
	}
	scorer, err := NewScorer(s.Runtime, s.Dims, t.Layout(), t.Parameters(), false, s.valid)
	if err != nil {
		return err
	}
	defer scorer.Close()
	out.ValidLoss, err = scorer.Loss(ctx, shape)
	return err
}
