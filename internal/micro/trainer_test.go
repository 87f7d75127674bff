package micro_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/config"
	"hsnas/internal/corpus"
	"hsnas/internal/cost"
	"hsnas/internal/micro"
	"hsnas/internal/ort/orttest"
	"hsnas/internal/progress"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

const smallArch = `{"encoder_embed_dim":32,"encoder_ffn_dim":[64,64,64],"encoder_self_attn_heads":[2,4,2],"decoder_embed_dim":32,` +
	`"decoder_ffn_dim":[64],"decoder_self_attn_heads":[2],"decoder_cross_attn_heads":[4],"decoder_cross_attn_span":[2]}`

func loadTask(t *testing.T) *task.Task {
	t.Helper()
	on, err := task.Load("micro.en-de")
	if err != nil {
		t.Fatal(err)
	}
	return on
}

func parse(t *testing.T, text string) space.Architecture {
	t.Helper()
	a, err := loadTask(t).Space.ParseArchitecture([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// smallCorpus has one epoch of ten batches of 64.
func smallCorpus() *corpus.Corpus {
	set := corpus.Micro(corpus.Sizes{Train: 640, Valid: 20, Test: 20})
	return corpus.New(set.Train, set.Valid, set.Test)
}

// scratch trains for a few steps.
func scratch(t *testing.T, dir string, steps int) *micro.Scratch {
	t.Helper()
	r := micro.SettingA()
	r.Steps = steps
	s := &micro.Scratch{Runtime: orttest.Open(t), Task: "micro.en-de", Dims: dims, Corpus: smallCorpus(), Recipe: r, Dir: dir, Every: 10}
	if err := s.Prepare(); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestThreads: two threads compute what one does, bit for bit.
func TestThreads(t *testing.T) {
	rt, c := orttest.Open(t), smallCorpus()
	shape := shapes()["13"]
	var results [2][]float32
	for i := range results {
		r := micro.SettingA()
		r.Dropout = 0.1
		trainer, err := micro.NewTrainer(rt, dims, shape, r, 7, micro.TrainerOptions{Threads: i + 1})
		if err != nil {
			t.Fatal(err)
		}
		defer trainer.Close()
		batches := micro.NewBatches(c.Encode(c.Train), 64, 1)
		for range 12 {
			if _, err := trainer.Step(context.Background(), shape, batches.At(trainer.Steps())); err != nil {
				t.Fatal(err)
			}
		}
		results[i] = slices.Clone(trainer.Parameters())
	}
	if !slices.Equal(results[0], results[1]) {
		t.Error("the parameters after 12 steps differ between 1 and 2 threads")
	}
}

// TestResume: a training that was interrupted, in the middle of an epoch and
// with dropout, ends as one that was not.
func TestResume(t *testing.T) {
	job := micro.Job{Arch: parse(t, smallArch), Seed: 3}
	whole := scratch(t, "", 50)
	whole.Recipe.Dropout = 0.1
	want, err := whole.Train(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	interrupted := scratch(t, dir, 50)
	interrupted.Recipe.Dropout = 0.1
	ctx, stop := context.WithCancel(context.Background())
	interrupted.Progress = func(int) { stop() } // after the first ten steps
	if _, err := interrupted.Train(ctx, job); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, expected the interruption", err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 || !strings.HasSuffix(files[0].Name(), "-3.safetensors") {
		t.Fatalf("an interrupted training left %v, expected a checkpoint", files)
	}
	resumed := scratch(t, dir, 50)
	resumed.Recipe.Dropout = 0.1
	taken := 0
	resumed.Progress = func(n int) { taken += n }
	got, err := resumed.Train(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	if got.Valid != want.Valid || got.Test != want.Test || got.ValidLoss != want.ValidLoss || !slices.Equal(got.Losses, want.Losses) {
		t.Errorf("resumed %+v\nwant    %+v", got, want)
	}
	if taken != 50 || !resumed.Known(job) {
		t.Errorf("told of %d steps, expected 50; known %v", taken, resumed.Known(job))
	}
	if _, err := os.Stat(filepath.Join(dir, job.Arch.ID()+"-3.safetensors")); err == nil {
		t.Error("the checkpoint of a finished training is still there")
	}
}

// TestTrainAll: results come in the order of the jobs, one that diverges is
// told and the others go on, and nothing is trained twice.
func TestTrainAll(t *testing.T) {
	dir := t.TempDir()
	arch := parse(t, smallArch)
	jobs := []micro.Job{{Arch: arch, Seed: 1}, {Arch: loadTask(t).Space.Largest(), Seed: 1}, {Arch: arch, Seed: 2}}
	s := scratch(t, dir, 20)
	results, err := s.TrainAll(context.Background(), jobs, 0, progress.Discard)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := scratch(t, "", 20).Train(context.Background(), jobs[2])
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(results[2].Losses, alone.Losses) || slices.Equal(results[0].Losses, results[2].Losses) {
		t.Error("a job's result depends on its place, or not on its seed")
	}
	other := scratch(t, dir, 20)
	other.Recipe.Peak = 1e6 // of other settings: nothing is known
	other.Recipe.Clip = 1e9
	other.Recipe.Epsilon = 1e-30
	if err := other.Prepare(); err != nil {
		t.Fatal(err)
	}
	diverged, err := other.TrainAll(context.Background(), jobs[:2], 1, progress.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range diverged {
		if !strings.HasPrefix(r.Diverged, "training diverged at step ") {
			t.Errorf("job %d at a learning rate of 10^6: %+v", i, r)
		}
	}
}

func TestCheckpointFaults(t *testing.T) {
	rt := orttest.Open(t)
	a := parse(t, smallArch)
	shape, err := micro.ShapeOf(dims, a)
	if err != nil {
		t.Fatal(err)
	}
	trainer, err := micro.NewTrainer(rt, dims, shape, micro.SettingA(), 1, micro.TrainerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer trainer.Close()
	origin := micro.Origin{Task: "micro.en-de", Architecture: a.String(), Seed: 1, Recipe: "a"}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := trainer.Save(path, origin, 7); err != nil {
		t.Fatal(err)
	}
	var beside int
	if ok, err := trainer.Restore(path, origin, &beside); !ok || err != nil || beside != 7 {
		t.Errorf("restored %v, %v, %d", ok, err, beside)
	}
	other := origin
	other.Recipe = "b"
	if ok, err := trainer.Restore(path, other, &beside); ok || err != nil {
		t.Errorf("a checkpoint of another recipe: %v, %v, expected to be left alone", ok, err)
	}
	for _, test := range []struct {
		change func(o *micro.Origin)
		want   string
	}{
		{func(o *micro.Origin) { o.Task = "other" }, `a file of task "micro.en-de", expected "other"; move it away to begin anew`},
		{func(o *micro.Origin) { o.Architecture = "{}" }, `a file of architecture ` + fmt.Sprintf("%q", a.String()) + `, expected "{}"; move it away to begin anew`},
		{func(o *micro.Origin) { o.Seed = 2 }, `a file of seed "1", expected "2"; move it away to begin anew`},
	} {
		wrong := origin
		test.change(&wrong)
		_, err := trainer.Restore(path, wrong, &beside)
		var fault *config.Error
		if !errors.As(err, &fault) || err.Error() != path+": "+test.want {
			t.Errorf("error %v\nwant  %s: %s", err, path, test.want)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text[:len(text)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := trainer.Restore(path, origin, &beside); err == nil {
		t.Error("half a checkpoint was accepted")
	}
}

func TestPrepareFaults(t *testing.T) {
	s := scratch(t, "", 10)
	s.Recipe.Batch = 1000
	if err := s.Prepare(); err == nil || err.Error() != "640 training pairs, fewer than one batch of 1000" {
		t.Errorf("error %v", err)
	}
	s = scratch(t, "", 10)
	s.Dims.TargetWords = 100
	want := fmt.Sprintf("the corpus has vocabularies of %d and %d entries, more than the 350 and 100 of the task micro.en-de; raise source_vocabulary and vocabulary in its model section",
		s.Corpus.Source.Len(), s.Corpus.Target.Len())
	if err := s.Prepare(); err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

// TestBatches: every batch is whole and of one epoch's examples, and batch i is
// the same whenever it is asked for.
func TestBatches(t *testing.T) {
	c := smallCorpus()
	examples := c.Encode(c.Train[:200])
	forward, back := micro.NewBatches(examples, 32, 5), micro.NewBatches(examples, 32, 5)
	var seen [14]*micro.Batch
	for i := range seen {
		seen[i] = forward.At(i)
	}
	for i := len(seen) - 1; i >= 0; i-- {
		if b := back.At(i); !slices.Equal(b.Source, seen[i].Source) || !slices.Equal(b.Output, seen[i].Output) {
			t.Fatalf("batch %d depends on what was asked for before", i)
		}
		if seen[i].Sentences != 32 {
			t.Errorf("batch %d has %d sentences", i, seen[i].Sentences)
		}
	}
	if slices.Equal(seen[0].Source, seen[6].Source) {
		t.Error("the second epoch begins as the first")
	}
	other := micro.NewBatches(examples, 32, 6)
	if slices.Equal(other.At(0).Source, seen[0].Source) {
		t.Error("another seed deals out the same batches")
	}
}

// TestParametersAreCounted: the cost model's parameters are those that are trained.
func TestParametersAreCounted(t *testing.T) {
	on := loadTask(t)
	for _, a := range []space.Architecture{parse(t, smallArch), on.Space.Largest(), on.Space.Smallest()} {
		shape, err := micro.ShapeOf(dims, a)
		if err != nil {
			t.Fatal(err)
		}
		l, err := micro.NewLayout(dims, shape)
		if err != nil {
			t.Fatal(err)
		}
		c, err := cost.Of(on, a)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := int64(l.Size()), c.Params+c.EmbeddingParams; got != want {
			t.Errorf("%s has %d parameters, the cost model says %d", a, got, want)
		}
	}
	if got, err := micro.DimsOf(on); err != nil || got != dims {
		t.Errorf("dims %+v, %v, want %+v", got, err, dims)
	}
}

func TestRate(t *testing.T) {
	r := micro.SettingA()
	for step, want := range map[int]float64{1: 4e-5, 99: 3.96e-3, 100: 4e-3, 300: 2e-3, 499: 8e-5, 500: 8e-5} {
		if got := r.Rate(step); math.Abs(got-want) > 1e-12 {
			t.Errorf("rate at step %d is %v, want %v", step, got, want)
		}
	}
}
