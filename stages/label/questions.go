package label

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"hsnas/internal/config"
	"hsnas/internal/llm"
	"hsnas/internal/prompt"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// question is one request and the architectures that it asks about.
type question struct {
	request    llm.Request
	set, split string
	ids        []string
	// read turns the content of an answer into a prediction for each of ids; an
	// error says what is wrong with it, and the answer is asked for again.
	read func(content string) ([]float64, error)
}

// query is an architecture of a set.
type query struct {
	id   string
	arch space.Architecture
}

// asker renders the questions.
type asker struct {
	params Params
	in     Inputs
	rows   []schemas.Architecture
	scores map[string]float64
	parts  prompt.Components
	out    []question
}

// ask renders every question of the stage, in a fixed order.
func ask(p Params, in Inputs) ([]question, error) {
	a := &asker{params: p, in: in, scores: map[string]float64{}}
	var err error
	if a.rows, err = schemas.ReadArchitectures(in.Architectures); err != nil {
		return nil, err
	}
	truth, err := schemas.ReadTFS(in.TFS)
	if err != nil {
		return nil, err
	}
	for _, row := range truth {
		a.scores[row.ID] = row.Score
	}
	if a.parts, err = Components(p.LeaveOut); err != nil {
		return nil, err
	}
	splits := a.splits()
	if len(splits) == 0 {
		return nil, fmt.Errorf("%s holds no demonstrations; run sample again", in.Architectures)
	}
	for _, split := range splits {
		if err := a.set(schemas.SetTest, split, split, schemas.SetTest, p.TestPerRequest, p.Samples); err != nil {
			return nil, err
		}
	}
	name := schemas.SetUnlabelled + in.UnlabelledSet
	if err := a.set(schemas.SetUnlabelled, "", splits[0], name, p.UnlabelledPerRequest, p.UnlabelledSamples); err != nil {
		return nil, err
	}
	if len(a.out) == 0 {
		return nil, fmt.Errorf("%s holds no test and no unlabelled architectures; run sample again", in.Architectures)
	}
	return a.out, nil
}

// splits lists the splits in the order of the sample.
func (a *asker) splits() []string {
	var out []string
	for _, r := range a.rows {
		if r.Set == schemas.SetDemonstration && !slices.Contains(out, r.Split) {
			out = append(out, r.Split)
		}
	}
	return out
}

// queries returns the architectures of a set in the order of the sample.
func (a *asker) queries(set, split string) ([]query, error) {
	var out []query
	for _, r := range a.rows {
		if r.Set != set || r.Split != split {
			continue
		}
		arch, err := a.in.Task.Space.ParseArchitecture([]byte(r.Architecture))
		if err != nil {
			return nil, err
		}
		out = append(out, query{r.ID, arch})
	}
	return out, nil
}

// set asks about a set with the demonstrations of a split, per at a time, each
// prompt so many times.
func (a *asker) set(set, of, split, name string, per, samples int) error {
	demos, err := a.demonstrations(split)
	if err != nil {
		return err
	}
	queries, err := a.queries(set, of)
	if err != nil {
		return err
	}
	number := 0
	for part := range slices.Chunk(queries, per) {
		archs, ids := make([]space.Architecture, len(part)), make([]string, len(part))
		for i, q := range part {
			archs[i], ids[i] = q.arch, q.id
		}
		rendered, err := prompt.Render(a.in.Task, demos, archs, a.parts)
		if err != nil {
			return err
		}
		for sample := 1; sample <= samples; sample++ {
			a.out = append(a.out, question{set: set, split: split, ids: ids, read: a.reader(len(ids)), request: llm.Request{
				CustomID: CustomID(a.in.Task, split, name, number, sample),
				Messages: Messages(rendered), Sampling: a.params.sampling(), Sample: sample,
			}})
		}
		number++
	}
	return nil
}

// reader reads answers to a prompt with n queries.
func (a *asker) reader(n int) func(string) ([]float64, error) {
	return func(content string) ([]float64, error) { return prompt.Parse(a.in.Task, content, n) }
}

func (a *asker) demonstrations(split string) ([]prompt.Demonstration, error) {
	queries, err := a.queries(schemas.SetDemonstration, split)
	if err != nil {
		return nil, err
	}
	var out []prompt.Demonstration
	for _, q := range queries {
		score, ok := a.scores[q.id]
		if !ok {
			return nil, fmt.Errorf("the demonstration %s of split %s has no measured score", q.id, split)
		}
		out = append(out, prompt.Demonstration{Architecture: q.arch, Score: score})
	}
	return out, nil
}

// Messages returns the chat messages of a prompt.
func Messages(p prompt.Prompt) []llm.Message {
	var out []llm.Message
	if p.System != "" {
		out = append(out, llm.Message{Role: "system", Content: p.System})
	}
	return append(out, llm.Message{Role: "user", Content: p.User})
}

// CustomID names a request: the task without punctuation, the split whose
// demonstrations it shows, the set, the number of the batch, and from the second
// on the sample: a batch joins answers by these names.
func CustomID(t *task.Task, split, set string, batch, sample int) string {
	short := strings.Map(func(r rune) rune {
		if r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, t.Name)
	id := short + "-demos" + split + "-" + set + "-" + strconv.Itoa(batch)
	if sample > 1 {
		id += "-sample" + strconv.Itoa(sample)
	}
	return id
}

// openFile reads a file of answers.
func openFile[C llm.Client](name string, read func(name string, r io.Reader) (C, error)) (llm.Client, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, config.Errorf("", 0, "cannot read label.answers: %v", err)
	}
	defer f.Close()
	return read(name, f)
}
