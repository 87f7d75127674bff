package label

import (
	"fmt"
	"io"
	"math/rand/v2"
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
	style  prompt.Style
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
	if a.style, err = p.style(); err != nil {
		return nil, err
	}
	splits := a.splits()
	if len(splits) == 0 {
		return nil, fmt.Errorf("%s holds no demonstrations; run sample again", in.Architectures)
	}
	for _, split := range splits {
		if err := a.split(split); err != nil {
			return nil, err
		}
	}
	if slices.Contains(p.Sets, schemas.SetUnlabelled) {
		if err := a.unlabelled(splits[0]); err != nil {
			return nil, err
		}
	}
	if len(a.out) == 0 {
		return nil, fmt.Errorf("%s holds no test and no unlabelled architectures; run sample again", in.Architectures)
	}
	return a.out, nil
}

// split asks about a split's test set, and about its demonstrations where they
// are held out.
func (a *asker) split(split string) error {
	demos, err := a.queries(schemas.SetDemonstration, split)
	if err != nil {
		return err
	}
	if slices.Contains(a.params.Sets, schemas.SetTest) {
		queries, err := a.queries(schemas.SetTest, split)
		if err != nil {
			return err
		}
		if err := a.add(inquiry{schemas.SetTest, split, schemas.SetTest, demos, a.grouped(queries), 0, a.params.Samples}); err != nil {
			return err
		}
	}
	return a.heldOut(split, demos)
}

// grouped divides the queries about a test set into requests.
func (a *asker) grouped(queries []query) [][]query {
	switch a.params.Elicitation {
	case prompt.Pairs:
		return pairs(queries, a.params.PairsPerQuery)
	case prompt.Ranking: // ranks of different requests cannot be compared
		return [][]query{queries}
	}
	return slices.Collect(slices.Chunk(queries, a.params.TestPerRequest))
}

// pairs compares each query with others, the nearest behind it in a circle, so that
// all are compared equally often, and each is read first as often as second: a
// model may prefer one of the places. per is rounded up to an even number where
// there are enough queries.
func pairs(queries []query, per int) [][]query {
	var out [][]query
	n := len(queries)
	for distance := 1; distance <= min((per+1)/2, n/2); distance++ {
		for i := range queries {
			if 2*distance == n && i >= distance {
				break // the circle's diameters, each once
			}
			out = append(out, []query{queries[i], queries[(i+distance)%n]})
		}
	}
	return out
}

// heldOut asks about each fold of the demonstrations with the others shown.
func (a *asker) heldOut(split string, demos []query) error {
	folds := min(a.params.Folds, len(demos))
	for fold := range folds {
		var shown, asked []query
		for i, d := range demos {
			if i%folds == fold {
				asked = append(asked, d)
			} else {
				shown = append(shown, d)
			}
		}
		b := inquiry{schemas.SetDemonstration, split, schemas.SetDemonstration, shown, [][]query{asked}, fold, a.params.Samples}
		if err := a.add(b); err != nil {
			return err
		}
	}
	return nil
}

// unlabelled asks about the unlabelled set with the demonstrations of a split.
func (a *asker) unlabelled(split string) error {
	demos, err := a.queries(schemas.SetDemonstration, split)
	if err != nil {
		return err
	}
	queries, err := a.queries(schemas.SetUnlabelled, "")
	if err != nil {
		return err
	}
	groups := slices.Collect(slices.Chunk(queries, a.params.UnlabelledPerRequest))
	return a.add(inquiry{schemas.SetUnlabelled, split, schemas.SetUnlabelled + a.in.UnlabelledSet, demos, groups, 0, a.params.UnlabelledSamples})
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

// inquiry is questions of one kind: groups of queries after the same
// demonstrations, numbered from first, each asked so many times.
type inquiry struct {
	set, split, name string
	demos            []query
	groups           [][]query
	first, samples   int
}

func (a *asker) add(b inquiry) error {
	demos, err := a.demonstrations(b)
	if err != nil {
		return err
	}
	for i, group := range b.groups {
		archs, ids := make([]space.Architecture, len(group)), make([]string, len(group))
		for k, q := range group {
			archs[k], ids[k] = q.arch, q.id
		}
		rendered, err := prompt.Render(a.in.Task, demos, archs, a.style)
		if err != nil {
			return err
		}
		for sample := 1; sample <= b.samples; sample++ {
			id := CustomID(a.in.Task, b.split, b.name, b.first+i, sample)
			if a.params.Tag != "" {
				id += "-" + a.params.Tag
			}
			a.out = append(a.out, question{set: b.set, split: b.split, ids: ids, read: a.reader(len(ids)), request: llm.Request{
				CustomID: id, Messages: Messages(rendered), Sampling: a.params.sampling(), Sample: sample,
			}})
		}
	}
	return nil
}

// reader reads answers to a prompt with n queries.
func (a *asker) reader(n int) func(string) ([]float64, error) {
	return func(content string) ([]float64, error) { return prompt.Parse(a.in.Task, a.style, content, n) }
}

// demonstrations are those of an inquiry that its prompts show, in their order.
func (a *asker) demonstrations(b inquiry) ([]prompt.Demonstration, error) {
	var out []prompt.Demonstration
	for _, q := range b.demos {
		score, ok := a.scores[q.id]
		if !ok {
			return nil, fmt.Errorf("the demonstration %s of split %s has no measured score", q.id, b.split)
		}
		out = append(out, prompt.Demonstration{Architecture: q.arch, Score: score})
	}
	if n := a.params.Demonstrations; n >= 0 && n < len(out) {
		out = out[:n]
	}
	if a.params.OrderSeed > 0 {
		r := rand.New(rand.NewPCG(a.params.OrderSeed, 0))
		r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
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
