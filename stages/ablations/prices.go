package ablations

import (
	"math"

	"hsnas/data"
	"hsnas/internal/config"
	"hsnas/internal/llm"
)

// prices looks the prices of Params.PriceModel up in the table that ships; without
// a model there are none.
func (p Params) prices() (*llm.Prices, error) {
	if p.PriceModel == "" {
		return nil, nil
	}
	text, file := data.Prices()
	table, err := llm.ParsePrices(file, text)
	if err != nil {
		return nil, err
	}
	price, ok := table.Find(p.PriceModel)
	if !ok {
		return nil, config.Errorf("", 0, "ablations.price_model: %s has no price for %q%s; leave it empty for no prices",
			file, p.PriceModel, config.DidYouMean(p.PriceModel, table.Names()))
	}
	live := price.Live()
	return &live, nil
}

// CheckPrice says whether the prices are known: what a run is told before its first
// stage.
func (p Params) CheckPrice() error {
	_, err := p.prices()
	return err
}

// dollars is what a use costs, NaN without prices.
func (m *matrix) dollars(u *use) float64 {
	if m.prices == nil {
		return math.NaN()
	}
	return m.prices.Dollars(u.prompt, u.completion)
}
