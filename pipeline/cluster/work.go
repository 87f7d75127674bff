package cluster

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hsnas/internal/config"
	"hsnas/internal/slurm"
	"hsnas/pipeline"
)

// work is one stage on the cluster.
type work struct {
	*Slurm
	stage pipeline.Stage
	call  pipeline.Call
	waves [][]string
	open  []*array // submissions that something is expected of

	done    map[string]bool
	counted map[string]bool   // shards that the user knows to be done
	lost    map[string]int    // attempts that came to nothing, by shard
	why     map[string]string // the last of them
	fatal   map[string]bool   // shards that would fail again
	rows    map[string]int64
	silent  bool // Slurm does not answer, and the user has been told
}

// shardError is a shard that failed for good.
type shardError struct{ text string }

func (e *shardError) Error() string { return e.text }

// open takes up the submissions of an earlier driver.
func (x *Slurm) open(ctx context.Context, s pipeline.Stage, c pipeline.Call, waves [][]string) (*work, error) {
	w := &work{
		Slurm: x, stage: s, call: c, waves: waves,
		done: map[string]bool{}, counted: map[string]bool{}, lost: map[string]int{}, why: map[string]string{}, fatal: map[string]bool{},
	}
	all, err := arrays(c.Dir, s.Name, "*")
	if err != nil {
		return nil, err
	}
	var own []*array
	for _, a := range all {
		if a.Key == c.Key && a.Program == x.Program {
			own = append(own, a)
		} else {
			w.open = append(w.open, a)
		}
	}
	if len(w.open) > 0 {
		w.logf("has jobs of other parameters, inputs or another version of hsnas%s; they are cancelled", jobNumbers(w.open))
		if err := w.leave(ctx, "superseded"); err != nil {
			return nil, err
		}
	}
	w.open = own
	if len(w.open) > 0 {
		w.logf("goes on with %d submissions that Slurm has already%s", len(w.open), jobNumbers(w.open))
	}
	return w, nil
}

func jobNumbers(all []*array) string {
	var ids []string
	for _, a := range all {
		if a.id != "" {
			ids = append(ids, a.id)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	return ": jobs " + strings.Join(ids, ", ")
}

func (w *work) logf(format string, args ...any) {
	w.call.Report.Logf("%-10s "+format, append([]any{w.stage.Name}, args...)...)
}

func (w *work) total() (n int) {
	for _, wave := range w.waves {
		n += len(wave)
	}
	return n
}

// step looks once at the jobs and the pieces, and submits what is to be done. It returns
// true when the stage is done.
func (w *work) step(ctx context.Context) (bool, error) {
	queue, silence := w.Scheduler.Queue(ctx) // before the pieces: a job that has left it has left its piece
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if w.look(); w.done[pipeline.Whole] {
		return true, nil
	}
	for _, a := range w.open {
		if a.ended() == cancelled {
			return false, fmt.Errorf("%w: hsnas cancel has ended its jobs", pipeline.ErrInterrupted)
		}
	}
	if silence != nil {
		if !w.silent {
			w.logf("Slurm does not answer: %v; its jobs are taken to go on", silence)
		}
		w.silent = true
	} else {
		w.silent = false
		for _, a := range slices.Clone(w.open) {
			if err := w.settle(ctx, a, queue); err != nil {
				return false, err
			}
		}
	}
	if err := w.failure(); err != nil {
		return false, err
	}
	return false, w.submit(ctx)
}

// look enters the shards that have intact pieces.
func (w *work) look() {
	for _, wave := range w.waves {
		for _, shard := range wave {
			if w.done[shard] {
				continue
			}
			piece := pipeline.ReadPiece(w.call.Dir, w.stage.Name, w.call.Key, shard)
			if piece.Intact(w.call.Dir) {
				w.done[shard], w.rows = true, piece.Rows
				if !w.counted[shard] {
					w.call.Report.Add(1)
				}
				w.counted[shard] = true
			}
		}
	}
}

// left are the shards of a task that are not done.
func (w *work) left(shards []string) []string {
	return slices.DeleteFunc(slices.Clone(shards), func(s string) bool { return w.done[s] })
}

// looks is in how many replies in a row a task has to be missing before Slurm is asked
// about it by name: one may lack it, and its piece may be on its way to this node.
const looks = 2

// settle finds the tasks that nothing is expected of any more: they are done, or Slurm
// is done with them.
func (w *work) settle(ctx context.Context, a *array, queue []slurm.Task) error {
	states, err := a.states(queue)
	if err != nil {
		return err
	}
	var unknown []int
	for i, shards := range a.Tasks {
		t, mentioned := states[i]
		switch {
		case a.settled[i]:
		case len(w.left(shards)) == 0:
			a.settled[i] = true
		case mentioned && !t.Ended():
			a.missing[i] = 0
		case w.spoken(a, i):
			w.lose(a, i, "")
		default:
			if a.missing[i]++; a.missing[i] >= looks {
				unknown = append(unknown, i)
			}
		}
	}
	if len(unknown) > 0 {
		if err := w.ask(ctx, a, unknown); err != nil {
			return err
		}
	}
	if slices.Contains(a.settled, false) {
		return nil
	}
	w.open = slices.DeleteFunc(w.open, func(o *array) bool { return o == a })
	return a.end("over")
}

// states are the tasks of an array in a reply of Slurm's, by index. The number of an
// array that was submitted without an answer is learnt from it.
func (a *array) states(reply []slurm.Task) (map[int]slurm.Task, error) {
	out := map[int]slurm.Task{}
	for _, t := range reply {
		if t.Name != a.Name {
			continue
		}
		if a.id == "" {
			if err := a.submitted(t.Job); err != nil {
				return nil, err
			}
		}
		out[t.Index] = t
	}
	return out, nil
}

// spoken says whether every shard that a task leaves undone has told why.
func (w *work) spoken(a *array, task int) bool {
	for _, shard := range w.left(a.Tasks[task]) {
		if w.told(a, task, shard) == nil {
			return false
		}
	}
	return true
}

// told is the piece of a shard that failed in this task, nil where there is none.
func (w *work) told(a *array, task int, shard string) *pipeline.Piece {
	p := pipeline.ReadPiece(w.call.Dir, w.stage.Name, w.call.Key, shard)
	if p == nil || p.Exit == 0 || p.By != By(a.Name, task) {
		return nil
	}
	return p
}

// By is what pieces say of the job that they come from.
func By(submission string, task int) string { return fmt.Sprintf("%s.%d", submission, task) }

// ask asks Slurm about tasks that its replies lack. Only those count as lost that it has
// ended, or knows nothing of.
func (w *work) ask(ctx context.Context, a *array, tasks []int) error {
	known, err := w.Scheduler.Show(ctx, a.id)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return nil // unknown, as before
	}
	states, err := a.states(known)
	if err != nil {
		return err
	}
	for _, i := range tasks {
		t, ok := states[i]
		switch {
		case ok && !t.Ended():
			a.missing[i] = 0
		case ok:
			w.lose(a, i, fmt.Sprintf("job %s ended as %s", t, t.State))
			if t.Reason == "DependencyNeverSatisfied" {
				_ = w.Scheduler.Cancel(ctx, a.id) // where the cluster does not do so itself; it may stay as well
			}
		case a.id == "":
			w.logf("submission %s has not reached Slurm", a.Name)
			a.settled[i] = true
		default:
			w.lose(a, i, fmt.Sprintf("Slurm does not know job %s_%d any more, and it left no piece", a.id, i))
		}
	}
	return nil
}

// lose gives a task up. It counts as an attempt at its shards only where they could have
// been done: what a wave needs was there.
func (w *work) lose(a *array, task int, why string) {
	a.settled[task], a.lost = true, true
	if w.forget(a.Wave); !w.before(a.Wave) {
		return
	}
	for _, shard := range w.left(a.Tasks[task]) {
		reason := why
		if p := w.told(a, task, shard); p != nil {
			reason = p.Error
			w.fatal[shard] = p.Exit == exitUsage
		}
		w.lost[shard]++
		w.why[shard] = reason
		if w.lost[shard] < w.Settings.attempts() && !w.fatal[shard] {
			w.logf("shard %s runs again: %s", shard, reason)
		}
	}
}

// forget looks again at the shards that a wave needs: what they left may be damaged or
// gone since, by a job that was killed on its way out, and then they are done again.
func (w *work) forget(wave int) {
	for _, shard := range slices.Concat(w.waves[:wave]...) {
		if w.done[shard] && !pipeline.ReadPiece(w.call.Dir, w.stage.Name, w.call.Key, shard).Intact(w.call.Dir) {
			w.logf("shard %s runs again: what it left is damaged or gone", shard)
			delete(w.done, shard)
		}
	}
}

// exitUsage is the exit code of faults that another attempt cannot mend.
const exitUsage = 2

// before says whether all waves before one are done.
func (w *work) before(wave int) bool {
	return len(w.left(slices.Concat(w.waves[:wave]...))) == 0
}

// failure is the first shard that is not tried again.
func (w *work) failure() error {
	for _, shard := range slices.Concat(w.waves...) {
		switch {
		case w.done[shard]:
		case w.fatal[shard]:
			return config.Errorf("", 0, "shard %s: %s", shard, w.why[shard])
		case w.lost[shard] >= w.Settings.attempts():
			return &shardError{fmt.Sprintf("shard %s came to nothing %d times, the last time: %s; outputs of jobs are in %s",
				shard, w.lost[shard], w.why[shard], jobs(w.call.Dir, w.stage.Name, w.call.Key))}
		}
	}
	return nil
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
