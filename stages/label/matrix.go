package label

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"hsnas/internal/llm"
)

// Matrix is a run with several label stages, one for each cell, which share a
// journal: the first that has something to buy says what all of them have.
type Matrix struct {
	Cells []Params

	told bool
}

// bill is what the cells have to buy.
type bill struct {
	cells, requests, asks int
	prompt, completion    int64 // tokens
	dollars               float64
	unpriced              map[string]bool // models without a price
}

// bill sums up what the journal does not answer; held are the keys of requests that
// need not be bought. What several cells ask is bought once.
func (m *Matrix) bill(s *source, in Inputs, held map[string]bool) (bill, error) {
	out := bill{unpriced: map[string]bool{}}
	bought := maps.Clone(held)
	if bought == nil {
		bought = map[string]bool{}
	}
	budgets := map[string]*llm.Budget{} // what is known of each model's tokenizer
	for _, p := range m.Cells {
		if !p.buys() {
			continue
		}
		questions, err := ask(p, in)
		if err != nil {
			return out, fmt.Errorf("label: %w", err)
		}
		price, err := p.price()
		if err != nil {
			return out, err
		}
		for i := range questions {
			questions[i].request.Endpoint = s.endpoint
		}
		if budgets[p.Model] == nil {
			budgets[p.Model] = new(llm.Budget)
		}
		cell := source{journal: s.journal, price: price, budget: budgets[p.Model]}
		cell.learn(p, questions)
		out.add(p, &cell, cell.left(p, questions, bought))
	}
	return out, nil
}

// add adds what a cell has to buy.
func (b *bill) add(p Params, cell *source, left purchase) {
	if len(left.requests) == 0 {
		return
	}
	prompt := cell.budget.Expect(left.prompt)
	b.cells, b.requests, b.asks = b.cells+1, b.requests+len(left.requests), max(b.asks, p.Asks)
	b.prompt, b.completion = b.prompt+prompt, b.completion+left.completion
	b.dollars += cell.price.of(p.Source).Dollars(prompt, left.completion)
	if cell.price == nil {
		b.unpriced[p.Model] = true
	}
}

// cost words the bill's dollars.
func (b *bill) cost() string {
	models := strings.Join(slices.Sorted(maps.Keys(b.unpriced)), ", ")
	switch {
	case models == "":
		return llm.Dollars(b.dollars)
	case b.dollars == 0:
		return unknownPrice
	}
	return llm.Dollars(b.dollars) + " and what is not known for " + models
}

// answered says whether a response file answers a question of any cell that reads it.
func (m *Matrix) answered(reader Params, in Inputs, ids []string) (bool, error) {
	for _, p := range m.Cells {
		if p.Source != Batch || p.Answers != reader.Answers {
			continue
		}
		questions, err := ask(p, in)
		if err != nil {
			return false, fmt.Errorf("label: %w", err)
		}
		name(p, questions)
		if len(strangers(ids, questions)) < len(ids) {
			return true, nil
		}
	}
	return false, nil
}
