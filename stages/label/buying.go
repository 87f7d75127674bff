package label

import (
	"context"
	"fmt"
	"maps"

	"hsnas/internal/config"
	"hsnas/internal/llm"
	"hsnas/internal/progress"
)

// purchase is what a run has to buy.
type purchase struct {
	requests           []llm.Request // the next ask of each question that is not read yet
	held               int           // further ones, that need not be bought
	prompt, completion int64         // tokens that requests take by their Estimate
}

// history returns the journal's answers to a question, with the requests that they
// answer, and the request that is to be sent next; none where an answer was read or
// where no ask is left.
func (s *source) history(p Params, q question, answered func(llm.Request, llm.Entry)) (next llm.Request, open bool) {
	for n := 1; n <= p.asks(); n++ {
		request := p.ask(q, n)
		e, ok := s.journal.Lookup(request.Key())
		if !ok {
			return request, true
		}
		answered(request, e)
		if e.Fault == "" {
			if _, err := q.read(e.Answer); err == nil {
				break
			}
		}
	}
	return llm.Request{}, false
}

// left returns what the journal does not answer, but for the keys in held: batches
// hold these. It adds what it returns to held where that is not nil, so that nothing
// is counted twice.
func (s *source) left(p Params, questions []question, held map[string]bool) purchase {
	var out purchase
	for _, q := range questions {
		request, open := s.history(p, q, func(llm.Request, llm.Entry) {})
		if !open {
			continue
		}
		key := request.Key()
		if held[key] {
			out.held++
			continue
		}
		if held != nil {
			held[key] = true
		}
		prompt, completion := request.Estimate()
		out.requests = append(out.requests, request)
		out.prompt, out.completion = out.prompt+prompt, out.completion+completion
	}
	return out
}

// learn tells the budget how fine the service's tokenizer cuts, and returns the
// requests that the journal answers, by key.
func (s *source) learn(p Params, questions []question) map[string]llm.Request {
	own := map[string]llm.Request{}
	for _, q := range questions {
		s.history(p, q, func(request llm.Request, e llm.Entry) {
			own[e.Request] = request
			if estimate, _ := request.Estimate(); e.PromptTokens != nil {
				s.budget.Learn(estimate, *e.PromptTokens)
			}
		})
	}
	return own
}

// settle counts what the journal's answers took. One whose tokens nobody counted is
// taken at its estimate, or, where it answers no question of this run, at the mean of
// this run's.
func (s *source) settle(p Params, questions []question) error {
	table, _, err := p.priceTable()
	if err != nil {
		return err
	}
	own := s.learn(p, questions)
	var prompts, completions int64
	for _, q := range questions {
		prompt, completion := q.request.Estimate()
		prompts, completions = prompts+prompt, completions+completion
	}
	n := int64(len(questions))
	s.budget.SettleJournal(s.journal, func(e llm.Entry) (_ llm.Prices, prompt, completion int64) {
		prices := p.paid(s.price, table, e)
		prompt, completion = prompts/n, completions/n
		if request, ok := own[e.Request]; ok {
			prices = s.price.of(e.Source)
			prompt, completion = request.Estimate()
		}
		return prices, known(e.PromptTokens, s.budget.Expect(prompt)), known(e.CompletionTokens, completion)
	})
	return nil
}

// known is a count, or what it is taken at where there is none.
func known(count *int64, estimate int64) int64 {
	if count == nil {
		return estimate
	}
	return *count
}

// confirm counts what was bought, fetches what was bought and not fetched, and says
// what the run will buy. It refuses where the budget is too small for it or where the
// user has not agreed. Nothing to buy needs nobody's agreement.
func (s *source) confirm(ctx context.Context, p Params, in Inputs, questions []question, rep progress.Reporter) error {
	if s.journal == nil {
		return nil
	}
	if err := s.settle(p, questions); err != nil {
		return err
	}
	return s.offer(ctx, p, in, questions, rep)
}

// offer is confirm without the count.
func (s *source) offer(ctx context.Context, p Params, in Inputs, questions []question, rep progress.Reporter) error {
	held, err := s.resume(ctx, p, questions)
	if err != nil {
		return fmt.Errorf("label: %w", err)
	}
	left := s.left(p, questions, maps.Clone(held))
	if left.held > 0 {
		rep.Logf("%d of %d requests are in batches of an earlier run, and are not bought again", left.held, len(questions))
	}
	if len(left.requests) == 0 {
		if left.held == 0 {
			rep.Logf("all %d requests are answered in the journal; nothing is bought", len(questions))
		}
		return nil
	}
	if err := s.affordable(p, left); err != nil {
		return err
	}
	if err := s.agree(p, in, left, held, len(questions), rep); err != nil {
		return err
	}
	if s.price == nil {
		rep.Logf("no price is known for %s, so that costs stay unknown; label.prices or label.prompt_price and label.completion_price give one", p.Model)
	}
	if short := s.budget.Allows(left.prompt, left.completion); short != nil {
		rep.Logf("%s may end the run before all are asked: %s are spent", budgetName(short), short.Amount(short.Taken))
	}
	return nil
}

// resume fetches what batches of earlier runs have answered, and returns the keys of
// requests that need not be bought.
func (s *source) resume(ctx context.Context, p Params, questions []question) (map[string]bool, error) {
	client, ok := s.client.(llm.Resumer)
	if !ok || p.Source != BatchAPI {
		return nil, nil
	}
	return client.Resume(ctx, s.left(p, questions, nil).requests)
}

// agree says what is left to buy, of a matrix once for all cells, and refuses where
// the user has not agreed.
func (s *source) agree(p Params, in Inputs, left purchase, held map[string]bool, questions int, rep progress.Reporter) error {
	prompt := s.budget.Expect(left.prompt)
	estimate := fmt.Sprintf("%d of %d requests are left to buy from %s: about %d prompt and %d completion tokens, %s, if each is asked once",
		len(left.requests), questions, p.Model, prompt, left.completion, s.dollars(prompt, left.completion))
	asks := p.Asks
	if m := in.Matrix; m != nil && (!m.told || !in.Confirmed) {
		all, err := m.bill(s, in, held)
		if err != nil {
			return err
		}
		estimate = fmt.Sprintf("%d requests are left to buy in %d of %d cells, %d of them in this one: about %d prompt and %d completion tokens, %s, if each is asked once",
			all.requests, all.cells, len(m.Cells), len(left.requests), all.prompt, all.completion, all.cost())
		asks, m.told = all.asks, true
	}
	if asks > 1 {
		estimate += fmt.Sprintf(", up to %d times that if answers cannot be read and are asked for again", asks)
	}
	if !in.Confirmed {
		return config.Errorf("", 0, "%s; add --yes to hsnas run to buy them", estimate)
	}
	rep.Logf("%s", estimate)
	return nil
}

// affordable refuses a run that could not send a single request, or not the batch.
func (s *source) affordable(p Params, left purchase) error {
	for _, r := range left.requests {
		if short := s.budget.Allows(r.Estimate()); short != nil {
			return tooSmall(short, "a single request", r.CustomID)
		}
	}
	if p.Source == BatchAPI {
		if short := s.budget.Allows(left.prompt, left.completion); short != nil {
			return tooSmall(short, "the batch", fmt.Sprintf("its %d requests", len(left.requests)))
		}
	}
	return nil
}

func tooSmall(short *llm.Shortage, what, who string) error {
	return config.Errorf("", 0, "%s is too small for %s: %s may take %s, and %s are spent in the journal; raise it to %s or more",
		budgetName(short), what, who, short.Amount(short.More), short.Amount(short.Taken), short.Amount(short.Taken+short.More))
}

// budgetName names the parameter with its value.
func budgetName(short *llm.Shortage) string {
	if short.Dollars {
		return "label.budget_dollars " + short.Amount(short.Bound)
	}
	return "label.budget_tokens " + short.Amount(short.Bound)
}

// account says what the journal's answers took.
func (s *source) account(rep progress.Reporter) {
	if s.journal == nil {
		return
	}
	prompt, completion := s.journal.Tokens()
	cost := "the price is not known"
	if s.price != nil {
		cost = llm.Dollars(s.budget.SpentDollars())
	}
	rep.Logf("the journal holds %d answers for %d prompt and %d completion tokens, %s", s.journal.Len(), prompt, completion, cost)
}

const unknownPrice = "at a price that is not known"

// dollars words what tokens of the run's source cost.
func (s *source) dollars(prompt, completion int64) string {
	if s.price == nil {
		return unknownPrice
	}
	return llm.Dollars(s.budget.Prices.Dollars(prompt, completion))
}
