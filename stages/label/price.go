package label

import (
	"fmt"
	"os"
	"sync"

	"hsnas/data"
	"hsnas/internal/config"
	"hsnas/internal/llm"
)

// price is what tokens of the model cost, asked live and in a batch.
type price struct{ live, batch llm.Prices }

// of returns the prices of answers from a source; nil has none.
func (p *price) of(source string) llm.Prices {
	switch {
	case p == nil:
		return llm.Prices{}
	case source == Batch, source == BatchAPI:
		return p.batch
	}
	return p.live
}

// price returns what the model costs: what the parameters say, which goes for
// batches as it is, or what a price table does. It is nil where nobody says, and a
// *config.Error where somebody has to.
func (p Params) price() (*price, error) {
	if p.ownPrice() {
		as := llm.Prices{Prompt: p.PromptPrice, Completion: p.CompletionPrice}
		return &price{as, as}, nil
	}
	table, file, err := p.priceTable()
	if err != nil {
		return nil, err
	}
	if found, ok := table.Find(p.Model); ok {
		return &price{found.Live(), found.Batch()}, nil
	}
	switch {
	case p.Prices != "" && p.Model != "":
		return nil, config.Errorf(file, 0, "no price for label.model %q%s", p.Model, config.DidYouMean(p.Model, table.Names()))
	case p.BudgetDollars > 0 && p.buys():
		return nil, config.Errorf("", 0, "label.budget_dollars is %v, but no price is known for label.model %q%s; give label.prompt_price and label.completion_price, dollars for a million tokens, or a table as label.prices",
			p.BudgetDollars, p.Model, config.DidYouMean(p.Model, table.Names()))
	}
	return nil, nil
}

// ownPrice says that the parameters give the price themselves.
func (p Params) ownPrice() bool { return p.PromptPrice > 0 || p.CompletionPrice > 0 }

// priceTable reads the user's table, or the one that ships.
func (p Params) priceTable() (t *llm.PriceTable, file string, err error) {
	if p.Prices == "" {
		t, err = shipped()
		_, file = data.Prices()
		return t, file, err
	}
	text, err := os.ReadFile(p.Prices)
	if err != nil {
		return nil, "", config.Errorf("", 0, "cannot read label.prices: %v", err)
	}
	t, err = llm.ParsePrices(p.Prices, text)
	return t, p.Prices, err
}

// shipped reads the table that ships, once: a matrix of prompts asks for it with every
// variant.
var shipped = sync.OnceValues(func() (*llm.PriceTable, error) {
	text, file := data.Prices()
	return llm.ParsePrices(file, text)
})

// paid returns the prices at which an answer of the journal was bought. The journal
// outlives changes of the model: another one's answers go by the table, where it has
// that model, and else by the price of this run.
func (p Params) paid(run *price, t *llm.PriceTable, e llm.Entry) llm.Prices {
	found, ok := t.Find(e.Model)
	if !ok || (p.ownPrice() && llm.Undated(e.Model) == llm.Undated(p.Model)) {
		return run.of(e.Source)
	}
	return (&price{found.Live(), found.Batch()}).of(e.Source)
}

// CheckPrice says whether prices that have to be known are: what a run is told
// before its first stage, rather than when it comes to the labels.
func (p Params) CheckPrice() error {
	_, err := p.price()
	return err
}

// ShippedPrice is the price that the stage takes from the table that ships, "" where
// it takes none: part of what its outputs depend on.
func (p Params) ShippedPrice() string {
	if p.Source == Replay || p.Prices != "" || p.ownPrice() {
		return ""
	}
	found, err := p.price()
	if err != nil || found == nil {
		return ""
	}
	return fmt.Sprintf("%v/%v live, %v/%v in a batch", found.live.Prompt, found.live.Completion, found.batch.Prompt, found.batch.Completion)
}
