// Package label is the stage in which the LLM predicts: it renders prompts from
// the demonstrations of each split, gets the answers from a service, a batch
// response file or a recording, and reads them strictly. What cannot be read is
// a gap with a reason, never a guess.
package label

import (
	"bufio"
	"context"
	"fmt"

	"hsnas/internal/atomicfile"
	"hsnas/internal/fault"
	"hsnas/internal/llm"
	"hsnas/internal/progress"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// Name and Version identify the stage; the version is raised when its output
// changes for the same input.
const (
	Name    = "label"
	Version = 3
)

// Inputs are what the stage reads.
type Inputs struct {
	Task          *task.Task
	Architectures string // sample/architectures.parquet
	TFS           string // tfs/tfs.parquet: the demonstrations' scores
	// UnlabelledSet is the published name of the unlabelled set, "" where it was
	// sampled; it is part of the requests' names.
	UnlabelledSet string
	// Journal is where live answers are kept; it outlives the run of the stage, so
	// that no answer is bought twice.
	Journal string
	// Confirmed says that the user has agreed to buy answers. What is bought, and
	// the outputs, are the same with and without: it is no parameter.
	Confirmed bool
	Matrix    *Matrix             // of a run that has several label stages; nil else
	Getenv    func(string) string // os.Getenv where nil
	// Tune changes the options of the live client; tests shorten its waits. Nil
	// leaves them.
	Tune func(*llm.Options)
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
	name(p, questions)
	if err := writePrompts(out.Prompts, questions); err != nil {
		return err
	}
	from, err := open(p, in, out.Prompts, questions, rep)
	if err != nil {
		return err
	}
	defer from.close()
	for i := range questions {
		questions[i].request.Endpoint = from.endpoint
	}
	if err := from.confirm(ctx, p, in, questions, rep); err != nil {
		return err
	}
	asking := newAsking(p, from, rep)
	asking.offer = func() error { return from.offer(ctx, p, in, questions, rep) }
	answers, err := asking.all(ctx, questions)
	fault.Point("all asked", "")
	from.account(rep)
	if err != nil {
		return err
	}
	for i := range questions {
		questions[i].request.Messages = nil // most of the memory; the tables take the rest
	}
	labels, requests, err := tables(p, from.price, questions, answers, rep)
	if err != nil {
		return err
	}
	if err := schemas.WriteLabels(out.Labels, labels, prov); err != nil {
		return err
	}
	return schemas.WriteRequests(out.Requests, requests, prov)
}

// name marks requests to a certain model by their contents, so that a response file
// to others is told apart. Without a model their names stay as they were recorded.
func name(p Params, questions []question) {
	if p.Model == "" {
		return
	}
	for i := range questions {
		r := &questions[i].request
		r.CustomID += "-k" + r.Key()[:8]
	}
}

// writePrompts writes the requests, one line each; together they may be larger
// than everything else that the stage keeps in memory.
func writePrompts(path string, questions []question) error {
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewWriterSize(f, 1<<16)
	for _, q := range questions {
		if _, err := lines.Write(q.request.BatchLine()); err != nil {
			return err
		}
	}
	if err := lines.Flush(); err != nil {
		return err
	}
	return f.Commit()
}
