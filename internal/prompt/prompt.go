// Package prompt writes the prompts of LLM-PP, the LLM as a performance
// predictor (arXiv 2310.16712), and reads the answers to them.
//
// A prompt has four components: the role (the system message), instructions,
// definitions of the hyperparameters, and demonstrations, architectures whose
// score is known. The queries follow. Everything in it comes from the task and
// its space, so that it works for any space and any metric.
package prompt

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"hsnas/internal/cost"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

// Components says which parts of the prompt are left out, for ablations. The
// zero value leaves out nothing.
type Components struct {
	// NoRole leaves out the system message.
	NoRole bool
	// NoInstructions leaves out the instructions but for the format of the
	// answer, without which nothing could be read.
	NoInstructions bool
	// NoDefinitions leaves out the section of hyperparameters.
	NoDefinitions bool
	// NoDemonstrations leaves out the section of demonstrations, and the
	// instructions that speak of them.
	NoDemonstrations bool
	// NoCost leaves out the line of the computed cost, and what the
	// instructions say about it.
	NoCost bool
}

// What a prompt may ask for.
const (
	Values  = "values"  // the score of every query
	Ranking = "ranking" // the order of the queries
	Pairs   = "pairs"   // which of two queries is better
)

// Style is how a prompt differs from the paper's. The zero value is the paper's.
type Style struct {
	Components
	Ask      string // Values, Ranking or Pairs; "" for Values
	Disguise string // Neutral or False, see disguise.go; "" for none
}

// Demonstration is an architecture with its measured score.
type Demonstration struct {
	Architecture space.Architecture
	Score        float64
}

// Prompt is a rendered prompt.
type Prompt struct {
	System string // "" where the role is left out
	User   string
}

// Render writes the prompt that asks about the queries. Numbers of the metric
// have the metric's decimals; the cost is total FLOPs in the unit of the prompt's
// cost label with two decimals, where the task has a cost model.
func Render(t *task.Task, demos []Demonstration, queries []space.Architecture, s Style) (Prompt, error) {
	switch {
	case len(queries) == 0:
		return Prompt{}, errors.New("a prompt needs at least one query")
	case len(demos) == 0 && !s.NoDemonstrations:
		return Prompt{}, errors.New("a prompt needs at least one demonstration, unless demonstrations are left out")
	case s.Ask == Pairs && len(queries) != 2:
		return Prompt{}, fmt.Errorf("a prompt for a pair needs two queries, found %d", len(queries))
	}
	words, err := wordingOf(t, s.Disguise)
	if err != nil {
		return Prompt{}, err
	}
	w := writer{task: t, words: words, withCost: t.HasCostModel() && words.costLabel != "" && !s.NoCost}
	w.instructions(s)
	if !s.NoDefinitions {
		w.section("Hyperparameters")
		for i, name := range words.names {
			w.line("- " + name + ": " + words.definitions[i])
		}
	}
	if !s.NoDemonstrations {
		w.section("Demonstrations")
		for i, d := range demos {
			w.architecture("Demonstration", i, d.Architecture)
			w.line(words.metric + ": " + strconv.FormatFloat(d.Score, 'f', t.Metric.Decimals, 64))
		}
	}
	w.section("Queries")
	for i, q := range queries {
		w.architecture("Query", i, q)
	}
	p := Prompt{System: words.role, User: w.String()}
	if s.NoRole {
		p.System = ""
	}
	return p, w.err
}

// writer renders the user message.
type writer struct {
	strings.Builder
	task     *task.Task
	words    *wording
	withCost bool
	err      error
}

func (w *writer) line(s string) {
	w.WriteString(s)
	w.WriteByte('\n')
}

// section begins a section; an empty line separates it from the last one.
func (w *writer) section(title string) {
	if w.Len() > 0 {
		w.WriteByte('\n')
	}
	w.line("## " + title)
}

// instructions writes the instructions, numbered.
func (w *writer) instructions(s Style) {
	w.section("Instructions")
	for i, line := range instructions(w.task, w.words, s, w.withCost) {
		w.line(strconv.Itoa(i+1) + ". " + line)
	}
}

// architecture writes one numbered architecture under its title.
func (w *writer) architecture(title string, i int, a space.Architecture) {
	if i > 0 {
		w.WriteByte('\n')
	}
	w.line("### " + title + " " + strconv.Itoa(i+1))
	for h := range w.task.Space.Hyperparameters {
		def := &w.task.Space.Hyperparameters[h]
		values := strings.Join(a.Literals(h), ", ")
		if def.PerLayer() {
			values = "[" + values + "]"
		}
		w.line(w.words.names[h] + ": " + values)
	}
	if !w.withCost {
		return
	}
	x, err := cost.Of(w.task, a)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.line(w.words.costLabel + ": " + strconv.FormatFloat(float64(x.FLOPs)/w.task.Prompt.CostUnit(), 'f', 2, 64))
}

// instructions returns the instructions without what they say about components
// that are left out. The format of the answer always stays: the prompt's own where
// values are asked for and it gives one.
func instructions(t *task.Task, w *wording, s Style, withCost bool) []string {
	var lines []string
	values := s.Ask == "" || s.Ask == Values
	asked := false
	for _, line := range w.instructions {
		format := strings.Contains(line, `"predictions"`)
		if !values && (format || strings.Contains(line, "decimals")) {
			continue // about values
		}
		asked = asked || format
		if label := w.costLabel; !withCost && label != "" {
			line = strings.ReplaceAll(line, " and "+label, "")
			if strings.Contains(line, label) {
				continue
			}
		}
		if s.NoDemonstrations && strings.Contains(line, "demonstrations") {
			continue
		}
		if format || !s.NoInstructions {
			lines = append(lines, line)
		}
	}
	if !asked {
		lines = append(lines, format(t, w, s.Ask))
	}
	return lines
}

// format is the instruction that says how to answer.
func format(t *task.Task, w *wording, ask string) string {
	better := "higher"
	if t.Metric.Minimize() {
		better = "lower"
	}
	switch ask {
	case Ranking:
		return fmt.Sprintf(`Rank the queries by their %s, the best, which is the %sst, first. Answer with JSON only, the id of every query once: {"ranking": [2, 1, 3]}`,
			w.metric, strings.TrimSuffix(better, "r"))
	case Pairs:
		return fmt.Sprintf(`Decide which of the two queries reaches the %s %s. Answer with JSON only, the id of that query: {"better": 1}`, better, w.metric)
	}
	return fmt.Sprintf(`Answer with JSON only, one entry for each query, in order: {"predictions": [{"id": 1, %q: %s}]}`,
		w.answerKey, strconv.FormatFloat(0, 'f', t.Metric.Decimals, 64))
}
