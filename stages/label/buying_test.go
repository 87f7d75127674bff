package label

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
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
	if !errors.As(err, &usage) || !strings.HasPrefix(err.Error(), "4 of 4 requests are left to buy from gpt-4o-2024-08-06: about ") ||
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

// TestBatchOfAnotherExperimentIsNamed: gaps are allowed, yet a file that answers none
// of the requests is either said so or, of a matrix, refused.
func TestBatchOfAnotherExperimentIsNamed(t *testing.T) {
	f := newFixture(t)
	p := params(Batch)
	p.AllowMissing, p.Answers = true, filepath.Join(f.dir, "responses.jsonl")
	write(t, p.Answers, `{"custom_id":"x-1","error":{"message":"none"}}`+"\n")
	if err := f.run(t, p); err != nil {
		t.Fatal(err)
	}
	sent := f.sent(t)
	fault := p.Answers + ": it answers none of this run's 4 requests: the first answer is to x-1, the first request is " + sent[0].CustomID + "; give the response file to " + f.out.Prompts
	if log := f.log.String(); !strings.Contains(log, "all labels will be gaps: "+fault) {
		t.Errorf("log %s", log)
	}
	other := p
	other.Tag = "other"
	f.in.Matrix = &Matrix{Cells: []Params{other, p}}
	if err := f.run(t, p); err == nil || err.Error() != fault {
		t.Errorf("got %v\nwant %s", err, fault)
	}
	write(t, p.Answers, respond(sent))
	if err := f.run(t, other); err != nil {
		t.Error("the file answers another cell: ", err)
	}
}

// TestMatrixIsAnnouncedAsAWhole: what is agreed to is what all cells cost, what two of
// them ask counted once and what is answered already left out.
func TestMatrixIsAnnouncedAsAWhole(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv = m.environment
	first, second, third := params(Live), params(Live), params(Replay)
	first.PromptPrice, first.CompletionPrice, first.MaxTokens = 100, 1000, 50
	second.PromptPrice, second.CompletionPrice, second.MaxTokens, second.Samples, second.Asks = 100, 1000, 50, 3, 5
	f.in.Matrix, f.in.Confirmed = &Matrix{Cells: []Params{first, second, third}}, false
	const whole = "8 requests are left to buy in 2 of 3 cells, 4 of them in this one: about 3132 prompt and 400 completion tokens, $0.7132, if each is asked once, " +
		"up to 5 times that if answers cannot be read and are asked for again"
	err := f.run(t, first)
	var usage *config.Error
	if !errors.As(err, &usage) || err.Error() != whole+"; add --yes to hsnas run to buy them" || m.count() != 0 {
		t.Fatalf("%d sent, %v\nwant %s...", m.count(), err, whole)
	}
	f.in.Matrix, f.in.Confirmed = &Matrix{Cells: []Params{first, second, third}}, true
	for _, p := range []Params{first, second} {
		if err := f.run(t, p); err != nil {
			t.Fatal(err)
		}
	}
	log := f.log.String()
	if m.count() != 8 || strings.Count(log, whole) != 1 || strings.Count(log, "requests are left to buy in") != 1 {
		t.Errorf("%d sent, log %s", m.count(), log)
	}
	if !strings.Contains(log, "4 of 8 requests are left to buy from m: ") {
		t.Errorf("log %s", log)
	}
	free := first
	free.Model = "other"
	free.PromptPrice, free.CompletionPrice = 0, 0
	f.in.Matrix, f.in.Confirmed = &Matrix{Cells: []Params{free, first}}, false
	if err := f.run(t, free); err == nil || !strings.Contains(err.Error(), " completion tokens, at a price that is not known, if each") {
		t.Errorf("got %v", err)
	}
}

// TestEstimatesLearnFromTheJournal: where the service's tokenizer cut finer than the
// estimate, the next announcement says so.
func TestEstimatesLearnFromTheJournal(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv = m.environment
	m.spoil = func(_ int, w http.ResponseWriter) bool {
		io.WriteString(w, `{"model":"m-1","choices":[{"message":{"content":"none"},"finish_reason":"stop"}],"usage":{"prompt_tokens":40000,"completion_tokens":5}}`)
		return true
	}
	p := params(Live)
	p.Asks, f.in.Confirmed = 1, true
	_ = f.run(t, p)
	p.Asks, f.in.Confirmed = 2, false
	err := f.run(t, p)
	if err == nil || !strings.HasPrefix(err.Error(), "4 of 4 requests are left to buy from m: about 16") || !strings.Contains(err.Error(), " prompt and 8192 completion tokens") {
		t.Errorf("got %v", err)
	}
}

// TestWhatTheJournalTook: each answer at the price of the model that gave it, and those
// whose tokens nobody counted at an estimate.
func TestWhatTheJournalTook(t *testing.T) {
	f, m := newFixture(t), newModel(t)
	f.in.Getenv = m.environment
	p := params(Live)
	p.Model = "gpt-4o-mini"
	if err := f.run(t, p); err != nil { // 40 and 20 tokens, that the service counts as m-1's
		t.Fatal(err)
	}
	entry := func(n int, model string, tokens *int64) string {
		return string(llm.Entry{
			Request: strings.Repeat(strconv.Itoa(n), 64), CustomID: "q", Source: Live, Model: model, PromptTokens: tokens, CompletionTokens: tokens, Answer: "x",
		}.Line())
	}
	journal, err := os.OpenFile(f.in.Journal, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	million := new(int64(1_000_000))
	io.WriteString(journal, entry(1, "gpt-4o-2024-08-06", million)+entry(2, "of-nobody", million)+entry(3, "gpt-4o-mini", nil))
	journal.Close()
	f.in.Confirmed = false
	if err := f.run(t, p); err != nil {
		t.Fatal(err)
	}
	// gpt-4o 2.5 + 10, an unknown one as gpt-4o-mini 0.15 + 0.6, and 2,048 tokens and a prompt of it
	if log := f.log.String(); !strings.Contains(log, "the journal holds 7 answers for 2000040 prompt and 2000020 completion tokens, $13.25") {
		t.Errorf("log %s", log)
	}
	p.BudgetTokens, p.Samples, f.in.Confirmed = 4_000_000, 2, true
	if err := f.run(t, p); err == nil || !strings.Contains(err.Error(), "and 4002") { // 2,048 + 390 beyond the counted
		t.Errorf("got %v", err)
	}
	p.PromptPrice, p.CompletionPrice = 1, 1
	run := &price{llm.Prices{Prompt: 1, Completion: 1}, llm.Prices{Prompt: 1, Completion: 1}}
	table, _, err := p.priceTable()
	if err != nil {
		t.Fatal(err)
	}
	for model, want := range map[string]llm.Prices{
		"gpt-4o": {Prompt: 2.5, Completion: 10}, "gpt-4o-mini-2024-07-18": run.live, "of-nobody": run.live, "": run.live,
	} {
		if got := p.paid(run, table, llm.Entry{Model: model, Source: Live}); got != want {
			t.Errorf("%q: %v, want %v", model, got, want)
		}
	}
	if got := p.paid(run, table, llm.Entry{Model: "gpt-4o", Source: BatchAPI}); got != (llm.Prices{Prompt: 1.25, Completion: 5}) {
		t.Errorf("in a batch %v", got)
	}
}

// TestFreeModel: a table with zeros is a price.
func TestFreeModel(t *testing.T) {
	p := params(Live)
	p.Prices, p.BudgetDollars = filepath.Join(t.TempDir(), "prices.yaml"), 1
	write(t, p.Prices, "models:\n  m: {prompt: 0, completion: 0}\n")
	if got, err := p.price(); err != nil || got == nil || got.live != (llm.Prices{}) {
		t.Errorf("%v, %v", got, err)
	}
}

// TestPartlyKnownTokens: a part is no sum.
func TestPartlyKnownTokens(t *testing.T) {
	count := func(r llm.Response) *int64 { return r.PromptTokens }
	known, unknown := llm.Response{PromptTokens: new(int64(3))}, llm.Response{}
	if n := sum([]llm.Response{known, known}, count); n == nil || *n != 6 {
		t.Errorf("got %v, want 6", n)
	}
	for _, responses := range [][]llm.Response{nil, {unknown}, {known, unknown}, {unknown, known}} {
		if n := sum(responses, count); n != nil {
			t.Errorf("%d of %v", *n, responses)
		}
	}
}
