// Package label is the stage in which the LLM predicts: it renders prompts from
// the demonstrations of each split, gets the answers from a service, a batch
// response file or a recording, and reads them strictly. What cannot be read is
// a gap with a reason, never a guess.
package label

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"time"

	"hsnas/data"
	"hsnas/internal/atomicfile"
	"hsnas/internal/config"
	"hsnas/internal/llm"
	"hsnas/internal/progress"
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
	// Journal is where live answers are kept; it outlives the run of the stage, so
	// that no answer is bought twice.
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
	from, err := open(p, in, out.Prompts, rep)
	if err != nil {
		return err
	}
	defer from.close()
	for i := range questions {
		questions[i].request.Endpoint = from.endpoint
	}
	from.announce(questions, rep)
	answers, err := newAsking(p, from.client, rep).all(ctx, questions)
	from.account(rep)
	if err != nil {
		return err
	}
	labels, requests, err := tables(p, questions, answers, rep)
	if err != nil {
		return err
	}
	if err := schemas.WriteLabels(out.Labels, labels, prov); err != nil {
		return err
	}
	return schemas.WriteRequests(out.Requests, requests, prov)
}

// writePrompts writes the requests, one line each.
func writePrompts(path string, questions []question) error {
	var text []byte
	for _, q := range questions {
		text = append(text, q.request.BatchLine()...)
	}
	return atomicfile.Write(path, text)
}

// source is where the answers of a run come from.
type source struct {
	client   llm.Client
	endpoint string // part of the requests' keys; "" where nothing is sent
	journal  *llm.Journal
	budget   *llm.Budget
}

func (s *source) close() {
	if s.journal != nil {
		_ = s.journal.Close() // every entry is on the disk already
	}
}

// open makes the client of the source. Only answers that were paid for are
// journaled: a recording or a response file is there anyway, and may be replaced
// by a better one.
func open(p Params, in Inputs, prompts string, rep progress.Reporter) (*source, error) {
	switch p.Source {
	case Replay:
		client, err := openReplay(p, in.Task)
		return &source{client: client}, err
	case Batch:
		if p.Answers == "" {
			return nil, config.Errorf("", 0, "label.source batch needs label.answers: send %s to the service's Batch API, and give its response file", prompts)
		}
		client, err := openFile(p.Answers, llm.NewBatch)
		return &source{client: client}, err
	}
	getenv := in.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	options := p.options()
	live, err := llm.NewLive(getenv, options)
	if err != nil {
		return nil, err
	}
	journal, err := llm.OpenJournal(in.Journal)
	if err != nil {
		return nil, err
	}
	for _, d := range journal.Damage {
		rep.Logf("journal: %s", d)
	}
	options.Budget.Settle(journal.Tokens())
	return &source{client: llm.NewJournaled(live, journal, time.Now), endpoint: live.Endpoint(), journal: journal, budget: options.Budget}, nil
}

// openReplay reads recorded answers: the user's file, or those that ship.
func openReplay(p Params, t *task.Task) (llm.Client, error) {
	if task.IsPath(p.Answers) || (p.Answers != "" && isFile(p.Answers)) {
		return openFile(p.Answers, llm.NewReplay)
	}
	name, text, err := Shipped(p, t)
	if err != nil {
		return nil, config.Errorf("", 0, "no recorded answers named %q ship with hsnas%s; give a file as label.answers, or use label.source live or batch",
			name, config.DidYouMean(name, data.Recorded()))
	}
	return llm.NewReplay("data/recorded/"+name+".jsonl", bytes.NewReader(text))
}

// Shipped returns the recorded answers that a replay takes from the program, by
// their name: the task's where label.answers gives none.
func Shipped(p Params, t *task.Task) (name string, text []byte, err error) {
	if name = p.Answers; name == "" {
		name = t.Name
	}
	text, err = fs.ReadFile(data.FS(), "recorded/"+name+".jsonl")
	return name, text, err
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
