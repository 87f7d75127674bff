package llm

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/time/rate"
)

// Estimate returns the tokens that the request may take, from above for prompts
// of this project: English and digits take about 3 bytes a token, and an answer
// at most what it is bounded to, 2,048 without a bound.
func (r Request) Estimate() (prompt, completion int64) {
	for _, m := range r.Messages {
		prompt += int64(len(m.Content))/3 + 8
	}
	if completion = int64(max(r.MaxTokens, r.MaxCompletionTokens)); completion == 0 {
		completion = 2048
	}
	return prompt, completion
}

// limits spreads requests and tokens over the minute.
type limits struct{ requests, tokens *rate.Limiter }

// newLimits makes limiters; 0 is no limit.
func newLimits(requestsPerMinute, tokensPerMinute int) limits {
	perMinute := func(n, burst int) *rate.Limiter {
		if n <= 0 {
			return rate.NewLimiter(rate.Inf, 0)
		}
		return rate.NewLimiter(rate.Limit(float64(n)/60), max(burst, 1))
	}
	// Requests may come ten seconds' worth at once; tokens a minute's worth, as
	// one request must fit.
	return limits{perMinute(requestsPerMinute, requestsPerMinute/6), perMinute(tokensPerMinute, tokensPerMinute)}
}

// wait returns when a request of so many tokens may be sent.
func (l limits) wait(ctx context.Context, tokens int64) error {
	if err := l.requests.Wait(ctx); err != nil {
		return err
	}
	n := int(tokens)
	if l.tokens.Limit() != rate.Inf {
		n = min(n, l.tokens.Burst()) // a request beyond a minute's worth waits for all of it
	}
	return l.tokens.WaitN(ctx, n)
}

// Prices are dollars for a million tokens.
type Prices struct{ Prompt, Completion float64 }

// Dollars returns what so many tokens cost.
func (p Prices) Dollars(prompt, completion int64) float64 {
	return (p.Prompt*float64(prompt) + p.Completion*float64(completion)) / 1e6
}

// Budget bounds what a run may spend. Each request reserves what it may cost at
// most before it is sent and settles what it did cost afterwards. The zero
// value has no bounds and still counts. It may be used by several goroutines.
type Budget struct {
	MaxTokens  int64   // prompt and completion; 0 is no bound
	MaxDollars float64 // 0 is no bound
	Prices     Prices

	mu               sync.Mutex
	prompt, complete int64 // spent
	held             [2]int64
}

// Spent returns the tokens that were settled.
func (b *Budget) Spent() (prompt, completion int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.prompt, b.complete
}

// Settle counts tokens that were spent without a reservation, before a restart
// for example.
func (b *Budget) Settle(prompt, completion int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.prompt += prompt
	b.complete += completion
}

// reserve holds tokens back, or says that the budget does not allow them.
func (b *Budget) reserve(prompt, completion int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, c := b.prompt+b.held[0]+prompt, b.complete+b.held[1]+completion
	if b.MaxTokens > 0 && p+c > b.MaxTokens {
		return fmt.Errorf("the budget of %d tokens does not allow another request: %d are spent or reserved, this one may take %d", b.MaxTokens, p+c-prompt-completion, prompt+completion)
	}
	if d := b.Prices.Dollars(p, c); b.MaxDollars > 0 && d > b.MaxDollars {
		one := b.Prices.Dollars(prompt, completion)
		return fmt.Errorf("the budget of $%.2f does not allow another request: $%.2f are spent or reserved, this one may take $%.4f", b.MaxDollars, d-one, one)
	}
	b.held[0] += prompt
	b.held[1] += completion
	return nil
}

// settle gives a reservation back and counts what was spent instead; a service
// that does not say is taken at the estimate.
func (b *Budget) settle(prompt, completion int64, a *Response) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held[0] -= prompt
	b.held[1] -= completion
	switch {
	case a == nil:
	case a.PromptTokens == nil || a.CompletionTokens == nil:
		b.prompt += prompt
		b.complete += completion
	default:
		b.prompt += *a.PromptTokens
		b.complete += *a.CompletionTokens
	}
}
