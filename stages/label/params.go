package label

import (
	"slices"
	"time"

	"hsnas/internal/config"
	"hsnas/internal/llm"
)

// The sources of answers.
const (
	Replay = "replay" // answers recorded earlier
	Live   = "live"   // a service that speaks OpenAI's API, asked now
	Batch  = "batch"  // the response file of an OpenAI Batch
)

// Params is the section label of an experiment.
type Params struct {
	Source string `yaml:"source"` // replay, live or batch
	// Answers is the file of a replay or a batch: a path, or for a replay the name
	// of recorded answers that ship; the task's name where left out.
	Answers string `yaml:"answers"`
	// TestPerRequest and UnlabelledPerRequest are how many architectures one
	// request asks about.
	TestPerRequest       int `yaml:"test_per_request"`
	UnlabelledPerRequest int `yaml:"unlabelled_per_request"`
	// Samples is how many independent answers each prompt gets.
	Samples int `yaml:"samples"`

	// What follows is for live requests; the model also goes into the batch file.
	Model       string  `yaml:"model"`
	Temperature float64 `yaml:"temperature"`
	MaxTokens   int     `yaml:"max_tokens"` // 0 leaves it to the service
	// Asks is how often a prompt is asked whose answer cannot be parsed, before it
	// is recorded as a gap.
	Asks              int  `yaml:"asks"`
	Concurrency       int  `yaml:"concurrency"`
	RequestsPerMinute int  `yaml:"requests_per_minute"` // 0: no limit
	TokensPerMinute   int  `yaml:"tokens_per_minute"`   // 0: no limit
	TimeoutSeconds    int  `yaml:"timeout_seconds"`
	Tries             int  `yaml:"tries"` // HTTP requests for one answer
	QuotaIsRate       bool `yaml:"quota_is_rate"`
}

// Defaults replays recorded answers in the layout they were recorded in.
func Defaults() Params {
	return Params{
		Source: Replay, TestPerRequest: 20, UnlabelledPerRequest: 25, Samples: 1,
		Asks: 3, Concurrency: 8, TimeoutSeconds: 300, Tries: 8,
	}
}

// Validate implements config.Validator.
func (p Params) Validate() error {
	if sources := []string{Replay, Live, Batch}; !slices.Contains(sources, p.Source) {
		return config.Fieldf("source", "unknown source %q%s", p.Source, config.DidYouMean(p.Source, sources))
	}
	for _, f := range []struct {
		name  string
		value int
	}{
		{"test_per_request", p.TestPerRequest},
		{"unlabelled_per_request", p.UnlabelledPerRequest},
		{"samples", p.Samples},
		{"asks", p.Asks},
		{"concurrency", p.Concurrency},
		{"timeout_seconds", p.TimeoutSeconds},
		{"tries", p.Tries},
	} {
		if f.value < 1 {
			return config.Fieldf(f.name, "%d, expected at least 1", f.value)
		}
	}
	switch {
	case p.Source == Live && p.Model == "":
		return config.Fieldf("source", "live requests need label.model, the name of the service's model")
	case p.Temperature < 0 || p.Temperature > 2:
		return config.Fieldf("temperature", "%v, expected 0 to 2", p.Temperature)
	case p.MaxTokens < 0 || p.RequestsPerMinute < 0 || p.TokensPerMinute < 0:
		return config.Fieldf("max_tokens", "max_tokens, requests_per_minute and tokens_per_minute must not be negative")
	}
	return nil
}

// sampling is what requests tell the model besides the messages.
func (p Params) sampling() llm.Sampling {
	if p.Model == "" {
		return llm.Sampling{} // as the recorded requests
	}
	return llm.Sampling{Model: p.Model, Temperature: &p.Temperature, MaxTokens: p.MaxTokens}
}

func (p Params) options() llm.Options {
	return llm.Options{
		Timeout: time.Duration(p.TimeoutSeconds) * time.Second, Tries: p.Tries,
		RequestsPerMinute: p.RequestsPerMinute, TokensPerMinute: p.TokensPerMinute, QuotaIsRate: p.QuotaIsRate,
	}
}
