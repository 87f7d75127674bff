package label

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"hsnas/internal/config"
	"hsnas/internal/llm"
	"hsnas/internal/prompt"
	"hsnas/schemas"
)

// The sources of answers.
const (
	Replay = "replay" // answers recorded earlier
	Live   = "live"   // a service that speaks OpenAI's API, asked now
	Batch  = "batch"  // the response file of an OpenAI Batch
	// BatchAPI has a service that speaks OpenAI's Batch API answer within a day, at
	// a discount.
	BatchAPI = "batch-api"
)

// Params is the section label of an experiment.
type Params struct {
	Source string `yaml:"source"` // replay, live, batch-api or batch
	// Answers is the file of a replay or a batch: a path, or for a replay the name
	// of recorded answers that ship; the task's name where left out.
	Answers string `yaml:"answers"`
	// TestPerRequest and UnlabelledPerRequest are how many architectures one
	// request asks about.
	TestPerRequest       int `yaml:"test_per_request"`
	UnlabelledPerRequest int `yaml:"unlabelled_per_request"`
	// Samples is how many independent answers each prompt about a test set gets,
	// UnlabelledSamples each about the unlabelled set.
	Samples           int `yaml:"samples"`
	UnlabelledSamples int `yaml:"unlabelled_samples"`
	// Sets are the sets that are asked about, test and unlabelled.
	Sets []string `yaml:"sets"`
	// Folds is how many parts the demonstrations of each split are divided into, to
	// ask about each part with the others as demonstrations: what the combined
	// predictor weighs the LLM by. 0 asks nothing about demonstrations.
	Folds int `yaml:"folds"`
	// Elicitation is what is asked for: values, one for each query; ranking, the
	// order of a whole test set in one request; or pairs, which of two is better.
	Elicitation string `yaml:"elicitation"`
	// PairsPerQuery is how many others each test architecture is compared with.
	PairsPerQuery int `yaml:"pairs_per_query"`
	// Demonstrations is how many of the split's demonstrations a prompt shows, the
	// first ones; -1 shows all.
	Demonstrations int `yaml:"demonstrations"`
	// OrderSeed shuffles the demonstrations; 0 leaves them in their order.
	OrderSeed uint64 `yaml:"order_seed"`
	// LeaveOut names components of the prompt to do without, for ablations: role,
	// instructions, definitions, demonstrations, cost.
	LeaveOut []string `yaml:"leave_out"`
	// Disguise renames what the prompt speaks of, to probe for contamination:
	// neutral (names that mean nothing) or false (the task under another's name).
	Disguise string `yaml:"disguise"`
	// Tag is added to the names of requests, so that those of several variants can
	// go into one batch file.
	Tag string `yaml:"tag"`
	// AllowMissing makes gaps of answers that a replay does not have.
	AllowMissing bool `yaml:"allow_missing"`

	// What follows is for live requests; model, temperature and the token limits
	// also go into the batch file.
	Model string `yaml:"model"`
	// Temperature is sent as it is, 0 as a true 0; -1 sends none, for models that
	// refuse the field.
	Temperature float64 `yaml:"temperature"`
	// MaxTokens bounds an answer, as "max_tokens"; MaxCompletionTokens does under
	// the name that newer models want. 0 sends none.
	MaxTokens           int `yaml:"max_tokens"`
	MaxCompletionTokens int `yaml:"max_completion_tokens"`
	// Asks is how often a prompt is asked whose answer cannot be parsed, before it
	// is recorded as a gap.
	Asks              int  `yaml:"asks"`
	Concurrency       int  `yaml:"concurrency"`         // requests in flight
	RequestsPerMinute int  `yaml:"requests_per_minute"` // 0: no limit
	TokensPerMinute   int  `yaml:"tokens_per_minute"`   // 0: no limit
	TimeoutSeconds    int  `yaml:"timeout_seconds"`     // of one HTTP request
	Tries             int  `yaml:"tries"`               // HTTP requests for one answer
	QuotaIsRate       bool `yaml:"quota_is_rate"`       // the service says insufficient_quota where it means a rate limit
	PollSeconds       int  `yaml:"poll_seconds"`        // between two looks at a batch of batch-api
	// BudgetTokens and BudgetDollars bound what all answers in the journal may
	// take; 0 is no bound. Dollars need a price.
	BudgetTokens  int     `yaml:"budget_tokens"`
	BudgetDollars float64 `yaml:"budget_dollars"`
	// Prices is a table of prices like data/prices.yaml, which holds where it is
	// left out. PromptPrice and CompletionPrice, dollars for a million tokens and
	// given together, are the price as the source asks it, whatever a table says.
	Prices          string  `yaml:"prices"`
	PromptPrice     float64 `yaml:"prompt_price"`
	CompletionPrice float64 `yaml:"completion_price"`
}

// Defaults replays recorded answers in the layout they were recorded in.
func Defaults() Params {
	return Params{
		Source: Replay, Sets: []string{schemas.SetTest, schemas.SetUnlabelled}, Elicitation: prompt.Values, PairsPerQuery: 4, Demonstrations: -1,
		TestPerRequest: 20, UnlabelledPerRequest: 25, Samples: 1, UnlabelledSamples: 1,
		Asks: 3, Concurrency: 8, TimeoutSeconds: 300, Tries: 8, PollSeconds: 30,
	}
}

// Validate implements config.Validator.
func (p Params) Validate() error {
	if sources := []string{Replay, Live, BatchAPI, Batch}; !slices.Contains(sources, p.Source) {
		return config.Fieldf("source", "unknown source %q%s", p.Source, config.DidYouMean(p.Source, sources))
	}
	for _, f := range []struct {
		name  string
		value int
	}{
		{"pairs_per_query", p.PairsPerQuery},
		{"test_per_request", p.TestPerRequest},
		{"unlabelled_per_request", p.UnlabelledPerRequest},
		{"samples", p.Samples},
		{"unlabelled_samples", p.UnlabelledSamples},
		{"asks", p.Asks},
		{"concurrency", p.Concurrency},
		{"timeout_seconds", p.TimeoutSeconds},
		{"tries", p.Tries},
		{"poll_seconds", p.PollSeconds},
	} {
		if f.value < 1 {
			return config.Fieldf(f.name, "%d, expected at least 1", f.value)
		}
	}
	for _, f := range []struct {
		name  string
		value float64
	}{
		{"max_tokens", float64(p.MaxTokens)},
		{"max_completion_tokens", float64(p.MaxCompletionTokens)},
		{"requests_per_minute", float64(p.RequestsPerMinute)},
		{"tokens_per_minute", float64(p.TokensPerMinute)},
		{"budget_tokens", float64(p.BudgetTokens)},
		{"budget_dollars", p.BudgetDollars},
		{"prompt_price", p.PromptPrice},
		{"completion_price", p.CompletionPrice},
	} {
		if !(f.value >= 0) || math.IsInf(f.value, 1) {
			return config.Fieldf(f.name, "%v, expected 0 or more", f.value)
		}
	}
	switch {
	case p.PromptPrice > 0 && p.CompletionPrice == 0:
		return config.Fieldf("completion_price", "0 beside a prompt_price of %v; give both, or a table with a 0 in it as prices", p.PromptPrice)
	case p.CompletionPrice > 0 && p.PromptPrice == 0:
		return config.Fieldf("prompt_price", "0 beside a completion_price of %v; give both, or a table with a 0 in it as prices", p.CompletionPrice)
	case p.buys() && p.Model == "":
		return config.Fieldf("source", "%s requests need label.model, the name of the service's model", p.Source)
	case p.Temperature != -1 && !(p.Temperature >= 0 && p.Temperature <= 2):
		return config.Fieldf("temperature", "%v, expected 0 to 2, or -1 to send none", p.Temperature)
	}
	if _, err := Components(p.LeaveOut); err != nil {
		return config.Fieldf("leave_out", "%v", err)
	}
	return p.checkVariant()
}

// checkVariant checks what makes the prompt differ from the paper's.
func (p Params) checkVariant() error {
	sets := []string{schemas.SetTest, schemas.SetUnlabelled}
	for _, s := range p.Sets {
		if !slices.Contains(sets, s) {
			return config.Fieldf("sets", "unknown set %q%s; expected some of %v", s, config.DidYouMean(s, sets), sets)
		}
	}
	ways, disguises := []string{prompt.Values, prompt.Ranking, prompt.Pairs}, []string{prompt.Neutral, prompt.False}
	switch {
	case len(p.Sets) == 0:
		return config.Fieldf("sets", "expected at least one of %v", sets)
	case !slices.Contains(ways, p.Elicitation):
		return config.Fieldf("elicitation", "unknown way to ask %q%s; expected one of %v", p.Elicitation, config.DidYouMean(p.Elicitation, ways), ways)
	case p.Elicitation != prompt.Values && slices.Contains(p.Sets, schemas.SetUnlabelled):
		return config.Fieldf("elicitation", "%s gives an order, and students are distilled from values; set sets to [test]", p.Elicitation)
	case p.Elicitation != prompt.Values && p.Folds > 0:
		return config.Fieldf("folds", "%d, but only values can be held against the demonstrations' scores; set elicitation to values or folds to 0", p.Folds)
	case p.Folds < 0 || p.Folds == 1:
		return config.Fieldf("folds", "%d, expected at least 2, or 0 for none", p.Folds)
	case p.Demonstrations < -1:
		return config.Fieldf("demonstrations", "%d, expected 0 or more, or -1 for all", p.Demonstrations)
	case p.Disguise != "" && !slices.Contains(disguises, p.Disguise):
		return config.Fieldf("disguise", "unknown disguise %q%s; expected one of %v, or none", p.Disguise, config.DidYouMean(p.Disguise, disguises), disguises)
	case strings.ContainsFunc(p.Tag, func(r rune) bool { return r > '~' || r <= ' ' }):
		return config.Fieldf("tag", "%q, expected letters, digits and dashes", p.Tag)
	}
	return nil
}

// style is how the prompts differ from the paper's.
func (p Params) style() (prompt.Style, error) {
	parts, err := Components(p.LeaveOut)
	parts.NoDemonstrations = parts.NoDemonstrations || p.Demonstrations == 0
	return prompt.Style{Components: parts, Ask: p.Elicitation, Disguise: p.Disguise}, err
}

// Components translates the names of components that are left out.
func Components(leaveOut []string) (c prompt.Components, err error) {
	parts := map[string]*bool{
		"role": &c.NoRole, "instructions": &c.NoInstructions, "definitions": &c.NoDefinitions,
		"demonstrations": &c.NoDemonstrations, "cost": &c.NoCost,
	}
	for _, name := range leaveOut {
		part, ok := parts[name]
		if !ok {
			return c, fmt.Errorf("unknown component %q%s", name, config.DidYouMean(name, slices.Collect(maps.Keys(parts))))
		}
		*part = true
	}
	return c, nil
}

// sampling is what requests tell the model besides the messages.
func (p Params) sampling() llm.Sampling {
	if p.Model == "" {
		return llm.Sampling{} // as the recorded requests
	}
	s := llm.Sampling{Model: p.Model, MaxTokens: p.MaxTokens, MaxCompletionTokens: p.MaxCompletionTokens}
	if p.Temperature >= 0 {
		s.Temperature = &p.Temperature
	}
	return s
}

// buys says that answers cost money.
func (p Params) buys() bool { return p.Source == Live || p.Source == BatchAPI }

// asks is how often a question may be asked: once where the answer is there anyway.
func (p Params) asks() int {
	if p.buys() {
		return p.Asks
	}
	return 1
}

// workers is how many questions are in hand at once: beside those in flight some
// whose answers are on their way to the disk, which may be slow, or which pause.
// One at a time stays one after the other.
func (p Params) workers() int { return 8*(p.Concurrency-1) + 1 }

func (p Params) options() llm.Options {
	return llm.Options{
		Timeout: time.Duration(p.TimeoutSeconds) * time.Second, Tries: p.Tries, InFlight: p.Concurrency,
		RequestsPerMinute: p.RequestsPerMinute, TokensPerMinute: p.TokensPerMinute, QuotaIsRate: p.QuotaIsRate,
		Budget: &llm.Budget{MaxTokens: int64(p.BudgetTokens), MaxDollars: p.BudgetDollars},
	}
}
