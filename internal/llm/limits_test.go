package llm

import (
	"math"
	"path/filepath"
	"sync"
	"testing"
)

// TestBudgetHolds: many at once, some without an answer: what is spent and reserved
// together never exceeds the bound, and what came to nothing is free again.
func TestBudgetHolds(t *testing.T) {
	b := &Budget{MaxTokens: 10_000, MaxDollars: 1, Prices: Prices{10, 10}} // 100,000 tokens' worth of dollars
	b.SettleAt(Prices{}, 1000, 0)                                          // of earlier runs
	var mu sync.Mutex
	sent, answered := 0, 0
	var group sync.WaitGroup
	for i := range 500 {
		group.Go(func() {
			if b.reserve(60, 40) != nil {
				return
			}
			b.mu.Lock()
			if taken := b.prompt + b.complete + b.heldPrompt + b.heldCompletion; taken > b.MaxTokens {
				t.Errorf("%d tokens are spent or reserved", taken)
			}
			b.mu.Unlock()
			var a *Response
			if i%2 == 0 {
				a = &Response{PromptTokens: new(int64(60)), CompletionTokens: new(int64(40))}
			}
			mu.Lock()
			sent++
			if a != nil {
				answered++
			}
			mu.Unlock()
			b.settle(60, 40, a)
		})
	}
	group.Wait()
	if p, c := b.Spent(); p+c != 1000+int64(answered)*100 || b.heldPrompt != 0 || b.heldCompletion != 0 || sent < 90 {
		t.Errorf("%d tokens spent, %d held, %d sent, %d answered", p+c, b.heldPrompt+b.heldCompletion, sent, answered)
	}
}

// TestBudgetLearnsTheTokenizer: once an answer took thrice its estimate, what is
// held and asked for is taken to do so too.
func TestBudgetLearnsTheTokenizer(t *testing.T) {
	b := &Budget{MaxTokens: 1000}
	if err := b.reserve(100, 10); err != nil {
		t.Fatal(err)
	}
	if err := b.reserve(100, 10); err != nil {
		t.Fatal(err)
	}
	b.settle(100, 10, &Response{PromptTokens: new(int64(300)), CompletionTokens: new(int64(10))})
	// 310 are spent and 310 held; another takes 310, a fourth would be 1,240
	if err := b.reserve(100, 10); err != nil {
		t.Fatal(err)
	}
	const want = "the budget of 1000 tokens does not allow another request: 930 are spent or reserved, this one may take 310"
	if err := b.reserve(100, 10); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestBudgetExpects: what others have learnt counts, and a coarser tokenizer does not
// make an estimate smaller.
func TestBudgetExpects(t *testing.T) {
	var b Budget
	for _, tt := range []struct{ estimate, took, want int64 }{{100, 50, 1000}, {100, 150, 1500}, {100, 120, 1500}, {0, 1, 1500}} {
		if b.Learn(tt.estimate, tt.took); b.Expect(1000) != tt.want {
			t.Errorf("after %d for %d: %d, want %d", tt.took, tt.estimate, b.Expect(1000), tt.want)
		}
	}
}

// TestSettleJournal: each answer is what the caller says that it took.
func TestSettleJournal(t *testing.T) {
	j := openJournal(t, filepath.Join(t.TempDir(), "journal.jsonl"))
	for i, source := range []string{"live", "live", "batch-api", ""} {
		e := entry(i+1, "x")
		e.Source = source
		if err := j.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	b := &Budget{}
	b.SettleJournal(j, func(e Entry) (Prices, int64, int64) {
		switch e.Source {
		case "batch-api":
			return Prices{1, 5}, 1_000_000, 1_000_000
		case "":
			return Prices{2, 10}, 1_000_000, 0
		}
		return Prices{2, 10}, 1_000_000, 1_000_000
	})
	p, c := b.Spent()
	if p != 4_000_000 || c != 3_000_000 || math.Abs(b.SpentDollars()-(24+6+2)) > 1e-9 {
		t.Errorf("%d and %d tokens, $%v", p, c, b.SpentDollars())
	}
}

func TestDollars(t *testing.T) {
	for sum, want := range map[float64]string{0: "$0.00", 0.00015: "$0.0001", 0.25: "$0.2500", 1: "$1.00", 12.345: "$12.35"} {
		if got := Dollars(sum); got != want {
			t.Errorf("%v: %s, want %s", sum, got, want)
		}
	}
}
