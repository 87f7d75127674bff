// Package prompt writes the prompts of LLM-PP, the LLM as a performance
// predictor (arXiv 2310.16712), and reads the answers to them.
//
// A prompt has four components: the role (the system message), instructions,
// definitions of the hyperparameters, and demonstrations, architectures whose
// score is known. The queries follow. Everything in it comes from the task and
// its space, so that it works for any space and any metric.
package prompt

import (
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

// Render writes the prompt that asks for the scores of the queries. Numbers of
// the metric have the metric's decimals; the cost is total FLOPs in the unit of the
// prompt's cost label with two decimals, where the task has a cost model.
func Render(t *task.Task, demos []Demonstration, queries []space.Architecture, c Components) (Prompt, error) {
	if len(queries) == 0 {
		return Prompt{}, fmt.Errorf("a prompt needs at least one query")
	}
	if len(demos) == 0 && !c.NoDemonstrations {
		return Prompt{}, fmt.Errorf("a prompt needs at least one demonstration, unless demonstrations are left out")
	}
	w := writer{task: t, withCost: t.HasCostModel() && t.Prompt.CostLabel != "" && !c.NoCost}
	w.instructions(c)
	if !c.NoDefinitions {
		w.section("Hyperparameters")
		for _, h := range t.Space.Hyperparameters {
			w.line("- " + h.Name + ": " + h.Definition)
		}
	}
	if !c.NoDemonstrations {
		w.section("Demonstrations")
		for i, d := range demos {
			w.architecture("Demonstration", i, d.Architecture)
			w.line(t.Metric.Name + ": " + strconv.FormatFloat(d.Score, 'f', t.Metric.Decimals, 64))
		}
	}
	w.section("Queries")
	for i, q := range queries {
		w.architecture("Query", i, q)
	}
	p := Prompt{System: t.Prompt.Role, User: w.String()}
	if c.NoRole {
		p.System = ""
	}
	return p, w.err
}

// writer renders the user message.
type writer struct {
	strings.Builder
	task     *task.Task
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

// instructions writes the task's instructions, numbered.
func (w *writer) instructions(c Components) {
	w.section("Instructions")
	number := 0
	for _, s := range instructions(w.task, c, w.withCost) {
		number++
		w.line(strconv.Itoa(number) + ". " + s)
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
		w.line(def.Name + ": " + values)
	}
	if !w.withCost {
		return
	}
	x, err := cost.Of(w.task, a)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.line(w.task.Prompt.CostLabel + ": " + strconv.FormatFloat(float64(x.FLOPs)/w.task.Prompt.CostUnit(), 'f', 2, 64))
}

// instructions returns the task's instructions without what they say about
// components that are left out. The format of the answer always stays, and is
// added where the task's own do not give it.
func instructions(t *task.Task, c Components, withCost bool) []string {
	var lines []string
	asked := false
	for _, s := range t.Prompt.Instructions {
		format := strings.Contains(s, `"predictions"`)
		asked = asked || format
		if label := t.Prompt.CostLabel; !withCost && label != "" {
			s = strings.ReplaceAll(s, " and "+label, "")
			if strings.Contains(s, label) {
				continue
			}
		}
		if c.NoDemonstrations && strings.Contains(s, "demonstrations") {
			continue
		}
		if format || !c.NoInstructions {
			lines = append(lines, s)
		}
	}
	if !asked {
		lines = append(lines, fmt.Sprintf(`Answer with JSON only, one entry for each query, in order: {"predictions": [{"id": 1, %q: %s}]}`,
			t.Prompt.AnswerKey, strconv.FormatFloat(0, 'f', t.Metric.Decimals, 64)))
	}
	return lines
}
