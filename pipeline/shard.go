package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/progress"
)

// ShardOptions say which shards RunShards does, and as whom.
type ShardOptions struct {
	Stage  string
	Shards []string // in this order; Whole for the stage itself
	// Key is what the stage's key has to be, "" for whatever it is: work that somebody
	// else planned must be of the parameters and inputs that it was planned with.
	Key  string
	Side int // shards that are done side by side; 0 means one
	// Code is the exit code of an error.
	Code      func(error) int
	Processor string // of this machine
	By        string // the job that this is
	Report    progress.Reporter
}

// sharding is one call of RunShards.
type sharding struct {
	ShardOptions
	dir    string
	stages []Stage
	stage  Stage
	key    string
}

// RunShards does shards of a stage of the run in dir, and leaves a piece for each. What
// has an intact piece is not done again. It takes no lock: others may be at other shards,
// and what is done twice at once does no harm.
func RunShards(ctx context.Context, dir string, stages []Stage, o ShardOptions) error {
	i := slices.IndexFunc(stages, func(s Stage) bool { return s.Name == o.Stage })
	if i < 0 || stages[i].Split == nil {
		return config.Errorf("", 0, "--stage: %q is no stage of this run that has shards; these have: %s", o.Stage, strings.Join(splitting(stages), ", "))
	}
	if o.Report == nil {
		o.Report = progress.Discard
	}
	w := &sharding{ShardOptions: o, dir: dir, stages: stages, stage: stages[i]}
	if err := w.findKey(ctx); err != nil {
		return err
	}
	if err := atomicfile.MkdirAll(w.folder()); err != nil {
		return fmt.Errorf("cannot make %s: %w", w.folder(), cause(err))
	}
	waves, err := w.stage.Waves(ctx, w.call(nil, o.Report))
	if err != nil {
		return err
	}
	known := slices.Concat(waves...)
	for _, name := range o.Shards {
		if !slices.Contains(known, name) {
			return config.Errorf("", 0, "--shard: stage %s has no shard %q%s", o.Stage, name, config.DidYouMean(name, known))
		}
	}
	return w.all(ctx, known)
}

// splitting are the names of the stages that have shards.
func splitting(stages []Stage) (names []string) {
	for _, s := range stages {
		if s.Split != nil {
			names = append(names, s.Name)
		}
	}
	return names
}

func (w *sharding) folder() string { return local(w.dir, ShardFolder(w.stage.Name, w.key)) }

// findKey finds the stage's key, and refuses another than was planned.
func (w *sharding) findKey(ctx context.Context) (err error) {
	if w.key, err = w.keyNow(ctx); err != nil {
		return err
	}
	if w.Key != "" && w.key != w.Key {
		return config.Errorf("", 0, "stage %s has the key %.12s... now, its shards were submitted for %.12s...: parameters or inputs have changed since; run hsnas run again",
			w.stage.Name, w.key, w.Key)
	}
	return nil
}

// keyNow computes the stage's key from what is on the disk now. Only what the stage
// reads is hashed: many shards start at once.
func (w *sharding) keyNow(ctx context.Context) (string, error) {
	producer, err := producers(w.stages)
	if err != nil {
		return "", err
	}
	m, err := ReadManifest(w.dir)
	if err != nil {
		return "", err
	}
	st := &state{dir: w.dir, manifest: m, producer: producer, sums: map[string]checksum{}}
	var files []string
	for _, in := range w.stage.Inputs {
		if r := m.Record(producer[in]); r != nil {
			for _, a := range r.files(in) {
				files = append(files, a.Path)
			}
		}
	}
	if err := st.hash(ctx, files); err != nil {
		return "", err
	}
	in, err := st.ingredients(w.stage, nil)
	if err != nil {
		return "", err
	}
	return in.key(w.stage.Name), nil
}

func (w *sharding) call(log *slog.Logger, report progress.Reporter) Call {
	return Call{Dir: w.dir, Key: w.key, Log: log, Report: report}
}

// all does the shards, several side by side where that disturbs nothing.
func (w *sharding) all(ctx context.Context, known []string) error {
	var group errgroup.Group // one that fails stops no other
	group.SetLimit(max(1, w.Side))
	if w.stage.Split.Timed {
		group.SetLimit(1)
	}
	failed := make([]error, len(w.Shards))
	for i, name := range w.Shards {
		group.Go(func() error {
			failed[i] = w.one(ctx, name, known)
			return nil
		})
	}
	_ = group.Wait()
	for _, err := range failed {
		if err != nil {
			return err // the others are in their pieces
		}
	}
	return nil
}

// one does a shard and writes how it ended.
func (w *sharding) one(ctx context.Context, name string, known []string) error {
	log, closeLog, err := w.openLog(name)
	if err != nil {
		return err
	}
	defer closeLog()
	if ReadPiece(w.dir, w.stage.Name, w.key, name).Intact(w.dir) {
		log.Info("done already", "by", w.By)
		return nil
	}
	p := &Piece{Stage: w.stage.Name, Key: w.key, Shard: name, Host: thisHost().Name, Processor: w.Processor, By: w.By}
	log.Info("started", "by", w.By, "host", p.Host)
	if err = ctx.Err(); err == nil {
		err = w.do(ctx, p, known, w.call(log, logged{w.Report, log}))
	}
	w.Report.Done()
	if err != nil {
		p.Exit, p.Error, p.Files = max(1, w.code(err)), err.Error(), nil
		err = fmt.Errorf("stage %s, shard %s: %w", w.stage.Name, name, err)
	}
	log.Info("ended", "by", w.By, "exit", p.Exit, "error", p.Error)
	if err != nil && ReadPiece(w.dir, w.stage.Name, w.key, name).Intact(w.dir) {
		return nil // another has done it meanwhile
	}
	if lost := p.write(w.dir); err == nil {
		err = lost
	}
	return err
}

func (w *sharding) code(err error) int {
	if w.Code == nil {
		return 1
	}
	return w.Code(err)
}

// do does the work of a shard and enters what it left.
func (w *sharding) do(ctx context.Context, p *Piece, known []string, c Call) (err error) {
	var files []string
	if p.Shard == Whole {
		files, err = w.whole(ctx, p, known, c)
	} else if err = makeFolders(w.dir, w.stage); err == nil {
		files, err = guarded(c, w.stage.Name, func() ([]string, error) { return w.stage.Split.Do(ctx, c, p.Shard) })
	}
	if err == nil {
		p.Files, err = artifacts(ctx, w.dir, files)
	}
	return err
}

// whole runs the stage on the pieces of its shards. Each must be there: what is missing
// would be done here, by one machine, without anybody having meant that.
func (w *sharding) whole(ctx context.Context, p *Piece, known []string, c Call) ([]string, error) {
	var elsewhere []*Piece
	for _, name := range known[:len(known)-1] {
		piece := ReadPiece(w.dir, w.stage.Name, w.key, name)
		if !piece.Intact(w.dir) {
			return nil, fmt.Errorf("shard %s is not done", name)
		}
		if w.stage.Split.Timed && piece.Processor != p.Processor {
			elsewhere = append(elsewhere, piece)
		}
	}
	if err := w.refuse(p, elsewhere); err != nil {
		return nil, err
	}
	if err := prepareOutputs(w.dir, w.stage); err != nil {
		return nil, err
	}
	result, err := call(ctx, w.stage, c)
	if err != nil {
		return nil, err
	}
	if err := w.unchanged(ctx); err != nil {
		return nil, err
	}
	p.Rows = result.Rows
	return listOutputs(w.dir, w.stage.Outputs)
}

// unchanged refuses what was made while somebody changed what it is made of: no lock is
// held, and a run may go on with other parameters while a job of the old ones ends.
func (w *sharding) unchanged(ctx context.Context) error {
	switch key, err := w.keyNow(ctx); {
	case err != nil:
		return fmt.Errorf("what it reads was changed meanwhile: %v", err) // may pass, whatever err is
	case key != w.key:
		return errors.New("what it reads was changed meanwhile")
	}
	return nil
}

// refuse refuses times that were taken on another kind of processor: mixed, they would
// differ for another reason than what is compared by them. Their pieces are forgotten,
// so that the shards run again.
func (w *sharding) refuse(here *Piece, elsewhere []*Piece) error {
	for _, there := range elsewhere {
		if err := there.remove(w.dir); err != nil {
			return err
		}
	}
	if len(elsewhere) == 0 {
		return nil
	}
	return config.Errorf("", 0,
		"shard %s was timed on %q, this node is %q: times of unlike processors are not mixed; give slurm.constraint what nodes of one kind have, and run again: what was timed elsewhere is timed anew",
		elsewhere[0].Shard, elsewhere[0].Processor, here.Processor)
}

// guarded turns a panic into an error, as call does.
func guarded(c Call, stage string, do func() ([]string, error)) (files []string, err error) {
	_, err = call(context.Background(), Stage{Name: stage, Run: func(context.Context, Call) (_ Result, err error) {
		files, err = do()
		return Result{}, err
	}}, c)
	return files, err
}

// openLog appends to the shard's log, one JSON object a line: every attempt is in it.
func (w *sharding) openLog(shard string) (*slog.Logger, func(), error) {
	file := filepath.Join(w.folder(), shard+".log")
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot write %s: %w", file, cause(err))
	}
	return slog.New(slog.NewJSONHandler(f, nil)), func() { _ = f.Close() }, nil
}
