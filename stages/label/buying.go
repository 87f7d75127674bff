package label

import (
	"fmt"

	"hsnas/internal/config"
	"hsnas/internal/llm"
	"hsnas/internal/progress"
)

// purchase is what a run has to buy.
type purchase struct {
	requests           []llm.Request // the next ask of each question that is not read yet
	prompt, completion int64         // tokens that these take at most
}

// left returns what the journal does not answer. An answer whose tokens nobody
// counted goes into the budget as what it may have taken.
func (s *source) left(p Params, questions []question) purchase {
	var out purchase
	for _, q := range questions {
		request := q.request
		for request.Ask = 1; request.Ask <= p.asks(); request.Ask++ {
			prompt, completion := request.Estimate()
			e, ok := s.journal.Lookup(request.Key())
			if !ok {
				out.requests = append(out.requests, request)
				out.prompt, out.completion = out.prompt+prompt, out.completion+completion
				break
			}
			if e.PromptTokens == nil || e.CompletionTokens == nil {
				s.budget.SettleAt(s.price.of(e.Source), prompt, completion)
			}
			if e.Fault == "" {
				if _, err := q.read(e.Answer); err == nil {
					break
				}
			}
		}
	}
	return out
}

// confirm says what the run will buy, and refuses where the budget is too small for
// it or where the user has not agreed. Nothing to buy needs nobody's agreement.
func (s *source) confirm(p Params, questions []question, confirmed bool, rep progress.Reporter) error {
	if s.journal == nil {
		return nil
	}
	left := s.left(p, questions)
	if len(left.requests) == 0 {
		rep.Logf("all %d requests are answered in the journal; nothing is bought", len(questions))
		return nil
	}
	if err := s.affordable(p, left); err != nil {
		return err
	}
	estimate := fmt.Sprintf("%d of %d requests are left to buy from %s: at most %d prompt and %d completion tokens, %s, if each is asked once",
		len(left.requests), len(questions), p.Model, left.prompt, left.completion, s.dollars(left.prompt, left.completion))
	if p.Asks > 1 {
		estimate += fmt.Sprintf(", up to %d times that if answers cannot be read and are asked for again", p.Asks)
	}
	if !confirmed {
		return config.Errorf("", 0, "%s; add --yes to hsnas run to buy them", estimate)
	}
	rep.Logf("%s", estimate)
	if s.price == nil {
		rep.Logf("no price is known for %s, so that costs stay unknown; label.prices or label.prompt_price and label.completion_price give one", p.Model)
	}
	if short := s.budget.Allows(left.prompt, left.completion); short != nil {
		rep.Logf("%s may end the run before all are asked: %s are spent", budgetName(short), short.Amount(short.Taken))
	}
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

// dollars words what tokens of the run's source cost.
func (s *source) dollars(prompt, completion int64) string {
	if s.price == nil {
		return "at a price that is not known"
	}
	return llm.Dollars(s.budget.Prices.Dollars(prompt, completion))
}
