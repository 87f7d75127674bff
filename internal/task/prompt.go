package task

import (
	"maps"
	"regexp"
	"strconv"
	"strings"

	"hsnas/data"
	"hsnas/internal/config"
)

// Prompt is the task's own part of the LLM-PP prompt: the role and the
// instructions. Definitions, demonstrations and queries are rendered from the
// space and the data.
type Prompt struct {
	Role         string   `yaml:"role"`
	Instructions []string `yaml:"instructions"`
	CostLabel    string   `yaml:"cost_label"` // line of the computed cost, and its unit: GFLOPs or MFLOPs; "" for none
	AnswerKey    string   `yaml:"answer_key"` // key of a prediction in the answer's JSON
}

// costUnits are the FLOPs of each unit that a cost may be shown in.
var costUnits = map[string]float64{"GFLOPs": 1e9, "MFLOPs": 1e6}

// CostUnit returns the FLOPs of one unit of CostLabel, which must not be "".
func (p *Prompt) CostUnit() float64 { return costUnits[p.CostLabel] }

// Validate implements config.Validator.
func (p *Prompt) Validate() error {
	switch {
	case p.Role == "":
		return config.Fieldf("role", "a prompt needs a role: the system message")
	case len(p.Instructions) == 0:
		return config.Fieldf("instructions", "a prompt needs instructions")
	case p.CostLabel != "" && costUnits[p.CostLabel] == 0:
		return config.Fieldf("cost_label", "expected GFLOPs or MFLOPs, the unit that computed costs are shown in, found %q", p.CostLabel)
	case p.AnswerKey == "" || p.AnswerKey == "id":
		return config.Fieldf("answer_key", "a prompt needs the key of a prediction in the answer, other than id")
	}
	return nil
}

// promptSource is the prompt section of a task file.
type promptSource struct {
	Template string            `yaml:"template"` // name of one that ships, or a path; "generic" where left out
	Values   map[string]string `yaml:"values"`   // for the template's {names}
	// FalseName are values, the title among them, of another task: what the prompt says
	// where the task is given a false name, to probe for contamination.
	FalseName map[string]string `yaml:"false_name"`
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// FalsePrompt is the task's prompt with the name of another task.
func (t *Task) FalsePrompt() (Prompt, error) {
	if len(t.wording.FalseName) == 0 {
		return Prompt{}, config.Errorf("", 0, "task %s has no false name: give values of another task, title among them, as prompt.false_name in its file", t.Name)
	}
	src := t.wording
	src.Values = map[string]string{}
	maps.Copy(src.Values, t.wording.Values)
	maps.Copy(src.Values, t.wording.FalseName)
	return t.loadPrompt(src, false)
}

// PromptFrom is a template that ships, filled in with the task's values.
func (t *Task) PromptFrom(template string) (Prompt, error) {
	return t.loadPrompt(promptSource{Template: template, Values: t.wording.Values}, false)
}

// loadPrompt reads the template and fills it in. own says that the task's files
// include it.
func (t *Task) loadPrompt(src promptSource, own bool) (p Prompt, err error) {
	if src.Template == "" {
		src.Template = "generic"
	}
	text, file, folder, err := Find(data.Prompts, t.Dir, src.Template)
	if err != nil {
		return p, err
	}
	if err := config.Decode(file, text, &p); err != nil {
		return p, err
	}
	if own {
		t.addFile(folder, file)
	}
	values := t.promptValues(src.Values)
	fill := func(s string) (filled string, err error) {
		filled = placeholder.ReplaceAllStringFunc(s, func(name string) string {
			v, ok := values[strings.Trim(name, "{}")]
			if !ok && err == nil {
				err = config.Errorf(file, 0, "the template needs a value for %s: give it under prompt.values of the task %s", name, t.Name)
			}
			return v
		})
		return filled, err
	}
	if p.Role, err = fill(p.Role); err != nil {
		return p, err
	}
	for i, s := range p.Instructions {
		if p.Instructions[i], err = fill(s); err != nil {
			return p, err
		}
	}
	return p, nil
}

// promptValues are the values that every template may use, and the task's own.
func (t *Task) promptValues(own map[string]string) map[string]string {
	values := map[string]string{
		"title": t.Title, "metric": t.Metric.Name, "unit": t.Metric.Unit,
		"decimals": strconv.Itoa(t.Metric.Decimals), "better": "higher",
	}
	if t.Metric.Minimize() {
		values["better"] = "lower"
	}
	if t.Model != nil {
		values["source_tokens"] = strconv.Itoa(t.Model.SourceTokens)
		values["target_tokens"] = strconv.Itoa(t.Model.TargetTokens)
	}
	for k, v := range own {
		values[k] = v
	}
	return values
}
