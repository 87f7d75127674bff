package llm

import (
	"context"
	"fmt"
	"math"
	"sync"

	"golang.org/x/time/rate"
)

// BytesPerToken is what English and digits take with most tokenizers, about.
const BytesPerToken = 3

// Estimate returns the tokens that the request may take: a prompt BytesPerToken, an
// answer at most what it is bounded to, 2,048 without a bound. A tokenizer may cut finer; a Budget learns
// that from the first answers.
func (r Request) Estimate() (prompt, completion int64) {
	for _, m := range r.Messages {
		prompt += int64(len(m.Content))/BytesPerToken + 8
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

// Budget bounds what a run may spend. Each request reserves what it may cost by its
// Estimate before it is sent and settles what it did cost afterwards. The zero
// value has no bounds and still counts. It may be used by several goroutines.
type Budget struct {
	MaxTokens  int64   // prompt and completion; 0 is no bound
	MaxDollars float64 // 0 is no bound
	Prices     Prices  // of what is reserved

	mu               sync.Mutex
	prompt, complete int64 // spent
	dollars          float64
	heldPrompt       int64
	heldCompletion   int64
	finer            float64 // largest ratio of a prompt's tokens to their estimate so far, where above 1
}

// Spent returns the tokens that were settled.
func (b *Budget) Spent() (prompt, completion int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.prompt, b.complete
}

// SettleAt counts tokens that were spent without a reservation, before a restart for
// example.
func (b *Budget) SettleAt(p Prices, prompt, completion int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spend(p, prompt, completion)
}

// SettleJournal counts what the answers of a journal took: tokens and prices are what
// took says of each.
func (b *Budget) SettleJournal(j *Journal, took func(Entry) (p Prices, prompt, completion int64)) {
	for _, e := range j.all() {
		b.SettleAt(took(e))
	}
}

// Learn tells the budget what a prompt took that was estimated at so many tokens.
func (b *Budget) Learn(estimate, took int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.learn(estimate, took)
}

func (b *Budget) learn(estimate, took int64) {
	b.finer = max(b.finer, float64(took)/float64(max(estimate, 1)))
}

// Expect returns what prompts of so many estimated tokens may take, as far as answers
// have shown.
func (b *Budget) Expect(prompt int64) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.scaled(prompt)
}

// SpentDollars returns what was settled, in dollars.
func (b *Budget) SpentDollars() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dollars
}

// Allows returns nil where so many tokens fit into what is left, else which
// bound stands against them, how much of it is taken and how much they are.
func (b *Budget) Allows(prompt, completion int64) *Shortage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.allows(prompt, completion)
}

func (b *Budget) allows(prompt, completion int64) *Shortage {
	heldPrompt := b.scaled(b.heldPrompt)
	prompt = b.scaled(prompt)
	taken := b.prompt + b.complete + heldPrompt + b.heldCompletion
	if n := prompt + completion; b.MaxTokens > 0 && taken+n > b.MaxTokens {
		return &Shortage{float64(b.MaxTokens), float64(taken), float64(n), false}
	}
	paid, more := b.dollars+b.Prices.Dollars(heldPrompt, b.heldCompletion), b.Prices.Dollars(prompt, completion)
	if b.MaxDollars > 0 && paid+more > b.MaxDollars {
		return &Shortage{b.MaxDollars, paid, more, true}
	}
	return nil
}

// scaled is an estimate of a prompt's tokens, corrected by the answers so far.
func (b *Budget) scaled(prompt int64) int64 {
	return int64(math.Ceil(float64(prompt) * max(b.finer, 1)))
}

// Shortage is a bound of a budget and what it does not allow, all in tokens or
// all in dollars.
type Shortage struct {
	Bound, Taken, More float64
	Dollars            bool
}

// Amount words an amount of the shortage without its unit's name: "120", "$0.0021".
func (s *Shortage) Amount(n float64) string {
	if s.Dollars {
		return Dollars(n)
	}
	return fmt.Sprintf("%.0f", n)
}

// Dollars words a sum: two digits behind the point, four below a dollar.
func Dollars(sum float64) string {
	if sum < 1 && sum != 0 {
		return fmt.Sprintf("$%.4f", sum)
	}
	return fmt.Sprintf("$%.2f", sum)
}

// reserve holds the tokens of a request back, or says that the budget does not
// allow them.
func (b *Budget) reserve(prompt, completion int64) error {
	return b.reserveFor("another request", prompt, completion)
}

// reserveFor is reserve for what messages call what.
func (b *Budget) reserveFor(what string, prompt, completion int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.allows(prompt, completion); s != nil {
		unit := " tokens"
		if s.Dollars {
			unit = ""
		}
		return fmt.Errorf("the budget of %s%s does not allow %s: %s are spent or reserved, this one may take %s",
			s.Amount(s.Bound), unit, what, s.Amount(s.Taken), s.Amount(s.More))
	}
	b.heldPrompt += prompt
	b.heldCompletion += completion
	return nil
}

// hold reserves tokens that are bought already, whatever the bounds say.
func (b *Budget) hold(prompt, completion int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heldPrompt += prompt
	b.heldCompletion += completion
}

// settle gives a reservation back and counts what was spent instead; a service
// that does not say is taken at the estimate. Nobody can reserve in between.
func (b *Budget) settle(prompt, completion int64, a *Response) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heldPrompt -= prompt
	b.heldCompletion -= completion
	switch {
	case a == nil:
	case a.PromptTokens == nil || a.CompletionTokens == nil:
		b.spend(b.Prices, prompt, completion)
	default:
		b.spend(b.Prices, *a.PromptTokens, *a.CompletionTokens)
		b.learn(prompt, *a.PromptTokens)
	}
}

func (b *Budget) spend(p Prices, prompt, completion int64) {
	b.prompt += prompt
	b.complete += completion
	b.dollars += p.Dollars(prompt, completion)
}
