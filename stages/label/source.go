package label

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hsnas/data"
	"hsnas/internal/config"
	"hsnas/internal/llm"
	"hsnas/internal/progress"
	"hsnas/internal/task"
)

// source is where the answers of a run come from.
type source struct {
	client   llm.Client
	endpoint string // part of the requests' keys; "" where nothing is sent
	journal  *llm.Journal
	budget   *llm.Budget
	price    *price // nil where it is not known
	closers  []func() error
}

func (s *source) close() {
	for _, c := range s.closers {
		_ = c() // everything written is on the disk already
	}
}

// recorded says that the journal holds the answer to a request.
func (s *source) recorded(key string) bool {
	if s.journal == nil {
		return false
	}
	_, ok := s.journal.Lookup(key)
	return ok
}

// open makes the client of the source. Only answers that were paid for are
// journaled: a recording or a response file is there anyway, and may be replaced
// by a better one.
func open(p Params, in Inputs, prompts string, questions []question, rep progress.Reporter) (*source, error) {
	price, err := p.price()
	if err != nil {
		return nil, err
	}
	switch p.Source {
	case Replay:
		client, err := openReplay(p, in.Task)
		return &source{client: client, price: price}, err
	case Batch:
		client, err := openBatch(p, in, prompts, questions, rep)
		return &source{client: client, price: price}, err
	}
	s := &source{price: price}
	if err := s.buy(p, in, rep); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// buyer is a client that buys answers.
type buyer interface {
	llm.Client
	Endpoint() string
}

// buy opens a client that costs money, and the journal before it.
func (s *source) buy(p Params, in Inputs, rep progress.Reporter) error {
	getenv := in.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	options := p.options()
	options.Budget.Prices = s.price.of(p.Source)
	if in.Tune != nil {
		in.Tune(&options)
	}
	s.budget = options.Budget
	client, err := s.buyer(p, in, getenv, options, rep)
	if err != nil {
		return err
	}
	if s.journal, err = llm.OpenJournal(in.Journal); err != nil {
		return err
	}
	s.closers = append(s.closers, s.journal.Close)
	for _, d := range s.journal.Damage {
		rep.Logf("journal: %s", d)
	}
	s.client, s.endpoint = llm.NewJournaled(client, s.journal, time.Now), client.Endpoint()
	return nil
}

func (s *source) buyer(p Params, in Inputs, getenv func(string) string, options llm.Options, rep progress.Reporter) (buyer, error) {
	if p.Source == Live {
		return llm.NewLive(getenv, options)
	}
	client, err := llm.NewBatchAPI(getenv, llm.BatchOptions{
		Options: options, State: filepath.Join(filepath.Dir(in.Journal), "batches.jsonl"),
		Poll: time.Duration(p.PollSeconds) * time.Second, Logf: rep.Logf, FetchOnly: !in.Confirmed,
	})
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, client.Close)
	return client, nil
}

// openBatch reads the response file of a batch that was sent by hand. One that
// answers nothing of this run is another experiment's.
func openBatch(p Params, in Inputs, prompts string, questions []question, rep progress.Reporter) (llm.Client, error) {
	if p.Answers == "" {
		model := ""
		if p.Model == "" {
			model = "; set label.model first, as services want it in every request"
		}
		return nil, config.Errorf("", 0, "label.source batch needs label.answers: send %s to the service's Batch API, and give its response file%s", prompts, model)
	}
	client, err := openFile(p.Answers, llm.NewBatch)
	if err != nil {
		return nil, err
	}
	ids := client.(*llm.Batch).IDs()
	others := strangers(ids, questions)
	if len(others) == len(ids) {
		if err := notOurs(p, in, prompts, questions, ids, rep); err != nil {
			return nil, err
		}
	}
	if len(others) > 0 {
		const shown = 3
		more := ""
		if len(others) > shown {
			more = ", ..."
		}
		rep.Logf("%s also answers %d requests that this run does not make: %s%s", p.Answers, len(others), strings.Join(others[:min(shown, len(others))], ", "), more)
	}
	return client, nil
}

// strangers are the names that no question has.
func strangers(ids []string, questions []question) []string {
	asked := map[string]bool{}
	for _, q := range questions {
		asked[q.request.CustomID] = true
	}
	var out []string
	for _, id := range ids {
		if !asked[id] {
			out = append(out, id)
		}
	}
	return out
}

// notOurs refuses a response file that answers none of the questions, unless gaps are
// allowed: then a file of a matrix has to answer something of another cell.
func notOurs(p Params, in Inputs, prompts string, questions []question, ids []string, rep progress.Reporter) error {
	fault := config.Errorf(p.Answers, 0, "the file is empty; expected the response file to %s", prompts)
	if len(ids) > 0 {
		fault = config.Errorf(p.Answers, 0, "it answers none of this run's %d requests: the first answer is to %s, the first request is %s; give the response file to %s",
			len(questions), ids[0], questions[0].request.CustomID, prompts)
	}
	switch {
	case !p.AllowMissing:
		return fault
	case in.Matrix == nil:
		rep.Logf("all labels will be gaps: %v", fault)
		return nil
	}
	answered, err := in.Matrix.answered(p, in, ids)
	if err == nil && !answered {
		err = fault
	}
	return err
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
