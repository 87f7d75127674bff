package label

import (
	"context"
	"errors"
	"math"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/config"
	"hsnas/internal/llm"
	"hsnas/schemas"
)

// TestNothingIsBoughtUnasked: a run that would spend money says how much and waits
// for --yes; one whose answers are all in the journal needs nobody's word.
func TestNothingIsBoughtUnasked(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv, f.in.Confirmed = m.environment, false
	p := params(Live)
	p.Model, p.MaxTokens = "gpt-4o-2024-08-06", 100
	err := f.run(t, p)
	var usage *config.Error
	if !errors.As(err, &usage) || !strings.HasPrefix(err.Error(), "4 of 4 requests are left to buy from gpt-4o-2024-08-06: at most ") ||
		!strings.HasSuffix(err.Error(), ", if each is asked once, up to 3 times that if answers cannot be read and are asked for again; add --yes to hsnas run to buy them") ||
		!strings.Contains(err.Error(), " prompt and 400 completion tokens, $0.00") {
		t.Fatalf("got %v", err)
	}
	if m.count() != 0 {
		t.Errorf("%d requests sent unasked", m.count())
	}
	f.in.Confirmed = true
	if err := f.run(t, p); err != nil {
		t.Fatal(err)
	}
	f.in.Confirmed = false
	f.free(t, m, p)
	for _, r := range f.requests(t) {
		if want := (10*2.5 + 5*10) / 1e6; math.Abs(r.Dollars-want) > 1e-12 {
			t.Errorf("%s cost %v, want %v", r.CustomID, r.Dollars, want)
		}
	}
	if log := f.log.String(); !strings.Contains(log, "the journal holds 4 answers for 40 prompt and 20 completion tokens, $0.0003") {
		t.Errorf("log %s", log)
	}
}

// TestInterruptedRunBuysTheRest: after an interrupt only what is missing is left to
// buy, and only that is sent.
func TestInterruptedRunBuysTheRest(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv = m.environment
	ctx, cancel := context.WithCancel(t.Context())
	m.spoil = func(n int, _ http.ResponseWriter) bool {
		if n == 3 {
			cancel()
		}
		return false
	}
	if err := Run(ctx, params(Live), f.in, f.out, schemas.Provenance{}, f.log); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want a cancelled context", err)
	}
	f.in.Confirmed = false
	if err := f.run(t, params(Live)); err == nil || !strings.HasPrefix(err.Error(), "1 of 4 requests are left to buy from m: ") {
		t.Errorf("got %v", err)
	}
	f.in.Confirmed = true
	if err := f.run(t, params(Live)); err != nil {
		t.Fatal(err)
	}
	if m.count() != 4 {
		t.Errorf("%d requests sent, want 4", m.count())
	}
}

// TestBudgetTooSmall: refused before anything is sent, spending of earlier runs
// included.
func TestBudgetTooSmall(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv = m.environment
	refused := func(p Params, start, end string) {
		t.Helper()
		sent := m.count()
		err := f.run(t, p)
		var usage *config.Error
		if !errors.As(err, &usage) || !strings.HasPrefix(bare(err.Error()), start) || !strings.HasSuffix(err.Error(), end) {
			t.Errorf("got %v\nwant %s...%s", err, start, end)
		}
		if m.count() != sent {
			t.Errorf("%d requests sent beyond the budget", m.count()-sent)
		}
	}
	p := params(Live)
	p.MaxTokens, p.BudgetTokens = 5, 100
	refused(p, "label.budget_tokens 100 is too small for a single request: knobs-demoss-test-0 may take ", " or more")
	p.BudgetTokens, p.BudgetDollars, p.PromptPrice, p.CompletionPrice = 0, 0.001, 2, 1000
	refused(p, "label.budget_dollars $0.0010 is too small for a single request: knobs-demoss-test-0 may take $0.00", " or more")
	p.BudgetDollars = 0
	if err := f.run(t, p); err != nil {
		t.Fatal(err)
	}
	p.Samples, p.BudgetDollars = 2, 0.0202 // 20 of 10,000ths are spent, one request takes 50
	refused(p, "label.budget_dollars $0.0202 is too small for a single request: knobs-demoss-test-0-sample2 may take $0.00", " or more")
}

// TestPrices: where somebody has to know the price and nobody does, one error says
// what would help; where nobody has to, the run goes on and says so once.
func TestPrices(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv = m.environment
	table := filepath.Join(f.dir, "prices.yaml")
	write(t, table, "models:\n  mine: {prompt: 1, completion: 2, batch_discount: 0.25}\n")
	tests := []struct {
		change func(*Params)
		want   string
	}{
		{func(p *Params) { p.Model, p.BudgetDollars = "gpt-4o-mni", 3 }, `label.budget_dollars is 3, but no price is known for label.model "gpt-4o-mni"; did you mean "gpt-4o-mini"?; give label.prompt_price and label.completion_price, dollars for a million tokens, or a table as label.prices`},
		{func(p *Params) { p.Model, p.Prices = "mina", table }, table + `: no price for label.model "mina"; did you mean "mine"?`},
		{func(p *Params) { p.Prices = table + "x" }, "cannot read label.prices: open " + table + "x: no such file or directory"},
	}
	for _, tt := range tests {
		p := params(Live)
		tt.change(&p)
		err := f.run(t, p)
		var usage *config.Error
		if !errors.As(err, &usage) || err.Error() != tt.want || p.CheckPrice() == nil {
			t.Errorf("got %v\nwant %s", err, tt.want)
		}
	}
	if m.count() != 0 {
		t.Errorf("%d requests sent", m.count())
	}
	if err := f.run(t, params(Live)); err != nil {
		t.Fatal(err)
	}
	const unknown = "no price is known for m, so that costs stay unknown; label.prices or label.prompt_price and label.completion_price give one"
	if n := strings.Count(f.log.String(), unknown); n != 1 {
		t.Errorf("said %d times: %s", n, unknown)
	}
	p := params(Live)
	p.Model, p.Prices = "mine-2026-01-02", table
	for source, want := range map[string]llm.Prices{Live: {Prompt: 1, Completion: 2}, BatchAPI: {Prompt: 0.75, Completion: 1.5}, Batch: {Prompt: 0.75, Completion: 1.5}} {
		got, err := p.price()
		if err != nil || got.of(source) != want {
			t.Errorf("%s: %+v, %v; want %+v", source, got.of(source), err, want)
		}
	}
	p.PromptPrice, p.CompletionPrice = 7, 8
	if got, err := p.price(); err != nil || got.of(BatchAPI) != (llm.Prices{Prompt: 7, Completion: 8}) || got.of(Live) != got.of(BatchAPI) {
		t.Errorf("%+v, %v: what the user says goes as it is", got, err)
	}
}

// TestReplayCostsNothingKnown: answers that were paid for once, by whomever, have no
// price now.
func TestReplayCostsNothingKnown(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv = m.environment
	p := params(Live)
	p.Model = "gpt-4o"
	if err := f.run(t, p); err != nil {
		t.Fatal(err)
	}
	p.Source, p.Answers, f.in.Confirmed = Replay, f.in.Journal, false
	if err := f.run(t, p); err != nil {
		t.Fatal(err)
	}
	for _, r := range f.requests(t) {
		if !math.IsNaN(r.Dollars) || r.Source != Replay {
			t.Errorf("%+v", r)
		}
	}
}

// TestOtherExperimentsResponses: the file answers nothing of this run, or more than
// it asks.
func TestOtherExperimentsResponses(t *testing.T) {
	f := newFixture(t)
	p := params(Batch)
	p.Answers = filepath.Join(f.dir, "responses.jsonl")
	write(t, p.Answers, "")
	_ = f.run(t, p)
	sent := f.sent(t)
	write(t, p.Answers, respond(sent))
	other := p
	other.Temperature = 1 // the same questions, asked in another way
	err := f.run(t, other)
	first := f.sent(t)[0].CustomID
	want := p.Answers + ": it answers none of this run's 4 requests: the first answer is to " + sent[0].CustomID + ", the first request is " + first + "; give the response file to " + f.out.Prompts
	var usage *config.Error
	if !errors.As(err, &usage) || err.Error() != want || first == sent[0].CustomID {
		t.Errorf("got %v\nwant %s", err, want)
	}
	more := respond(sent)
	for _, id := range []string{"x-1", "x-2", "x-3", "x-4"} {
		more += strings.Replace(respond(sent[:1]), sent[0].CustomID, id, 1)
	}
	write(t, p.Answers, more)
	if err := f.run(t, p); err != nil {
		t.Fatal(err)
	}
	if log := f.log.String(); !strings.Contains(log, p.Answers+" also answers 4 requests that this run does not make: x-1, x-2, x-3, ...") {
		t.Errorf("log %s", log)
	}
}
