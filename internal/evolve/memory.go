package evolve

import (
	"context"
	"fmt"
	"math"
	"time"

	"hsnas/internal/space"
)

// Account is a line of the ledger: what a scorer or a cost was asked and what
// it took.
type Account struct {
	Name        string  // of the scorer, or of the constraint
	Evaluations int64   // architectures computed
	Remembered  int64   // answers from memory
	Calls       int64   // batches
	Seconds     float64 // measured in the scorer; not reproducible
}

// memory holds every answer of a scorer by architecture key.
type memory struct {
	account Account
	scorer  Scorer
	value   map[string]float64
	order   []member // the architectures computed, in order
	best    float64  // largest answer
}

func newMemory(name string, scorer Scorer) *memory {
	return &memory{account: Account{Name: name}, scorer: scorer, value: map[string]float64{}, best: math.Inf(-1)}
}

func (m *memory) knows(key string) bool {
	_, ok := m.value[key]
	return ok
}

// learn computes, in one call, what it does not know of members. Nothing is
// remembered of a call that fails.
func (m *memory) learn(ctx context.Context, members []member) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	fresh, archs := m.unknown(members)
	m.account.Remembered += int64(len(members) - len(fresh))
	if len(fresh) == 0 {
		return nil
	}
	out := make([]float64, len(archs))
	for i := range out {
		out[i] = math.NaN() // what a scorer forgets to fill must not pass for an answer
	}
	start := time.Now()
	err := m.scorer.Score(ctx, archs, out)
	m.account.Seconds += time.Since(start).Seconds()
	if err != nil {
		return fmt.Errorf("%s: scoring %d architectures: %w", m.scorer.Name(), len(archs), err)
	}
	for i, v := range out {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%s: expected a finite number, got %v for architecture %s", m.scorer.Name(), v, archs[i])
		}
	}
	m.keep(fresh, out)
	m.account.Evaluations += int64(len(fresh))
	m.account.Calls++
	return nil
}

// keep remembers answers.
func (m *memory) keep(members []member, values []float64) {
	for i, x := range members {
		m.value[x.key] = values[i]
		m.best = max(m.best, values[i])
	}
	m.order = append(m.order, members...)
}

// unknown returns the members without an answer, each once.
func (m *memory) unknown(members []member) (fresh []member, archs []space.Architecture) {
	taken := map[string]bool{}
	for _, x := range members {
		if !m.knows(x.key) && !taken[x.key] {
			taken[x.key] = true
			fresh, archs = append(fresh, x), append(archs, x.arch)
		}
	}
	return fresh, archs
}
