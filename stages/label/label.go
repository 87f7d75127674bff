// Package label is the stage in which the LLM predicts: it renders prompts from
// the demonstrations of each split, gets the answers from a service, a batch
// response file or a recording, and reads them strictly. What cannot be read is
// a gap with a reason, never a guess.
package label

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"hsnas/data"
	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/llm"
	"hsnas/internal/progress"
	"hsnas/internal/prompt"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Name and Version identify the stage; the version is raised when its output
// changes for the same input.
const (
	Name    = "label"
	Version = 1
)

// Inputs are what the stage reads.
type Inputs struct {
	Task          *task.Task
	Architectures string // sample/architectures.parquet
	TFS           string // tfs/tfs.parquet: the demonstrations' scores
	// UnlabelledSet is the published name of the unlabelled set, "" where it was
	// sampled; it is part of the requests' names.
	UnlabelledSet string
	// Journal is where live and batch answers are kept; it outlives the run of the
	// stage, so that no answer is bought twice.
	Journal string
	Getenv  func(string) string // os.Getenv where nil
}

// Outputs are the files that the stage writes. Prompts holds every request in
// the OpenAI Batch format, for eyes and for sending by hand.
type Outputs struct{ Labels, Requests, Prompts string }

// Run labels the test set of each split with its demonstrations, and the
// unlabelled set with those of the first.
func Run(ctx context.Context, p Params, in Inputs, out Outputs, prov schemas.Provenance, rep progress.Reporter) error {
	if err := p.Validate(); err != nil {
		return err
	}
	questions, err := ask(p, in)
	if err != nil {
		return fmt.Errorf("label: %w", err)
	}
	if err := writePrompts(out.Prompts, questions); err != nil {
		return err
	}
	client, done, err := open(p, in, out.Prompts, rep)
	if err != nil {
		return err
	}
	defer done()
	answers, err := answerAll(ctx, p, in.Task, client, questions, rep)
	if err != nil {
		return err
	}
	labels, requests, err := tables(questions, answers, rep)
	if err != nil {
		return err
	}
	if err := schemas.WriteLabels(out.Labels, labels, prov); err != nil {
		return err
	}
	return schemas.WriteRequests(out.Requests, requests, prov)
}

// writePrompts writes the requests, one line each, first samples alone.
func writePrompts(path string, questions []question) error {
	var text []byte
	for _, q := range questions {
		if q.request.Sample == 1 {
			text = append(text, q.request.BatchLine()...)
		}
	}
	return atomicfile.Write(path, text)
}

// open makes the client of the source. done closes what it holds.
func open(p Params, in Inputs, prompts string, rep progress.Reporter) (client llm.Client, done func(), err error) {
	done = func() {}
	switch p.Source {
	case Replay:
		client, err = openReplay(p, in.Task)
		return client, done, err
	case Batch:
		if p.Answers == "" {
			return nil, nil, config.Errorf("", 0, "label.source batch needs label.answers: send %s to the service's Batch API, and give its response file", prompts)
		}
		client, err = openFile(p.Answers, llm.NewBatch)
	case Live:
		getenv := in.Getenv
		if getenv == nil {
			getenv = os.Getenv
		}
		client, err = llm.NewLive(getenv, p.options())
	}
	if err != nil {
		return nil, nil, err
	}
	journal, err := llm.OpenJournal(in.Journal)
	if err != nil {
		return nil, nil, err
	}
	for _, d := range journal.Damage {
		rep.Logf("journal: %s", d)
	}
	return llm.NewJournaled(client, journal, time.Now), func() { _ = journal.Close() }, nil
}

// openReplay reads recorded answers: the user's file, or those that ship.
func openReplay(p Params, t *task.Task) (llm.Client, error) {
	if task.IsPath(p.Answers) || (p.Answers != "" && isFile(p.Answers)) {
		return openFile(p.Answers, llm.NewReplay)
	}
	name := p.Answers
	if name == "" {
		name = t.Name
	}
	f, err := data.FS().Open("recorded/" + name + ".jsonl")
	if err != nil {
		return nil, config.Errorf("", 0, "no recorded answers named %q ship with hsnas%s; give a file as label.answers, or use label.source live or batch",
			name, config.DidYouMean(name, data.Recorded()))
	}
	defer f.Close()
	return llm.NewReplay("data/recorded/"+name+".jsonl", f)
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// answer is what came back for a question.
type answer struct {
	response    llm.Response
	asks        int
	predictions []float64 // one a query, nil where gap says why
	gap         string
}

// answerAll asks every question, several at a time. An error that no further
// request can mend ends it.
func answerAll(ctx context.Context, p Params, t *task.Task, client llm.Client, questions []question, rep progress.Reporter) ([]answer, error) {
	rep.Start("asking the LLM ("+p.Source+")", len(questions))
	defer rep.Done()
	answers := make([]answer, len(questions))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(p.Concurrency)
	for i, q := range questions {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			a, err := answerOne(ctx, p, t, client, q)
			answers[i] = a
			rep.Add(1)
			return err
		})
	}
	return answers, group.Wait()
}

// answerOne asks until the answer can be read, at most p.Asks times where a
// second ask can differ from the first.
func answerOne(ctx context.Context, p Params, t *task.Task, client llm.Client, q question) (a answer, err error) {
	asks := p.Asks
	if p.Source != Live {
		asks = 1
	}
	for a.asks = 1; ; a.asks++ {
		request := q.request
		request.Ask = a.asks
		a.response, err = client.Do(ctx, request)
		if err != nil {
			var unusable *llm.AnswerError
			var fault *llm.Error
			switch {
			case errors.As(err, &unusable):
			case errors.As(err, &fault) && fault.Kind == llm.Refused:
				a.gap = fault.Error()
				return a, nil
			case errors.As(err, &fault) && fault.Kind == llm.Missing && p.Source == Batch:
				a.gap = fault.Error()
				return a, nil
			default:
				return a, err
			}
		} else {
			a.predictions, err = prompt.Parse(t, a.response.Answer, len(q.ids))
		}
		if err == nil {
			return a, nil
		}
		if a.asks == asks {
			a.gap = err.Error()
			return a, nil
		}
	}
}

// tables turns the answers into rows, and refuses a run without any label.
func tables(questions []question, answers []answer, rep progress.Reporter) ([]schemas.Label, []schemas.Request, error) {
	var labels []schemas.Label
	var requests []schemas.Request
	gaps := 0
	for i, q := range questions {
		a := answers[i]
		if a.gap != "" {
			gaps++
			rep.Logf("gap: %s: %s", q.request.CustomID, a.gap)
		}
		for j, id := range q.ids {
			row := schemas.Label{
				ID: id, Set: q.set, Split: q.split, Sample: int32(q.request.Sample), Prediction: math.NaN(),
				Gap: a.gap, RequestKey: a.response.Key, CustomID: q.request.CustomID,
			}
			if a.gap == "" {
				row.Prediction = a.predictions[j]
			}
			labels = append(labels, row)
		}
		requests = append(requests, requestRow(q, a))
	}
	if gaps == len(questions) {
		return nil, nil, fmt.Errorf("label: none of the %d requests was answered usably; the first: %s", gaps, answers[0].gap)
	}
	rep.Logf("%d labels from %d requests, %d gaps", len(labels), len(questions), gaps)
	return labels, requests, nil
}

func requestRow(q question, a answer) schemas.Request {
	seconds := math.NaN()
	if a.response.Seconds != nil {
		seconds = *a.response.Seconds
	}
	return schemas.Request{
		RequestKey: a.response.Key, CustomID: q.request.CustomID, Split: q.split, Set: q.set,
		Sample: int32(q.request.Sample), Queries: int32(len(q.ids)), Source: a.response.Source,
		Model: a.response.Model, Fingerprint: a.response.Fingerprint,
		PromptTokens: a.response.PromptTokens, CompletionTokens: a.response.CompletionTokens,
		FinishReason: a.response.FinishReason, Attempts: int32(a.response.Tries), Seconds: seconds,
	}
}
