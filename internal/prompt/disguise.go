package prompt

import (
	"fmt"

	"hsnas/internal/task"
)

// A disguise probes for contamination: whether an LLM that was trained on
// published results recalls them by the names in the prompt. Numbers stay as they
// are; if the predictions owe nothing to memory, they should hardly change.
const (
	Neutral = "neutral" // task, metric and hyperparameters under names that mean nothing
	False   = "false"   // all as it is, but the task under the name of another one
)

// wording is what a prompt calls things.
type wording struct {
	role, metric, costLabel, answerKey string
	instructions                       []string
	names, definitions                 []string // of the hyperparameters
}

// wordingOf returns the task's own wording, or that of a disguise.
func wordingOf(t *task.Task, disguise string) (*wording, error) {
	switch disguise {
	case "":
		return ownWording(t, t.Prompt), nil
	case False:
		p, err := t.FalsePrompt()
		return ownWording(t, p), err
	case Neutral:
		return neutralWording(t)
	}
	return nil, fmt.Errorf("unknown disguise %q; known: %s, %s", disguise, Neutral, False)
}

func ownWording(t *task.Task, p task.Prompt) *wording {
	w := &wording{role: p.Role, metric: t.Metric.Name, costLabel: p.CostLabel, answerKey: p.AnswerKey, instructions: p.Instructions}
	for _, h := range t.Space.Hyperparameters {
		w.names, w.definitions = append(w.names, h.Name), append(w.definitions, h.Definition)
	}
	return w
}

// neutralWording numbers the hyperparameters and says no more of them than what
// their notation shows.
func neutralWording(t *task.Task) (*wording, error) {
	p, err := t.PromptFrom("neutral")
	if err != nil {
		return nil, err
	}
	w := &wording{role: p.Role, metric: "score", answerKey: p.AnswerKey, instructions: p.Instructions}
	if t.Prompt.CostLabel != "" {
		w.costLabel = "cost"
	}
	name := func(i int) string { return fmt.Sprintf("x%d", i+1) }
	for i, h := range t.Space.Hyperparameters {
		definition := "one value"
		if depth, ok := t.Space.Index(h.Layers); ok && h.PerLayer() {
			definition = "a list of values, as many as " + name(depth) + " says"
		}
		w.names, w.definitions = append(w.names, name(i)), append(w.definitions, definition)
	}
	return w, nil
}
