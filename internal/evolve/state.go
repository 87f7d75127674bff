package evolve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"hsnas/internal/space"
)

// State is a search after a generation, as it was then whatever the search has done
// since. It costs next to nothing until it is marshalled. What Search makes of its
// JSON is what it would have made without a stop, bit for bit, the measured seconds
// of the ledger aside.
type State struct {
	space     *space.Space
	done      int
	random    []byte
	missing   int
	converted bool
	accounts  [2][]Account // scorers, costs
	memories  [2][]*memory // the same, and as many answers as they had
	answers   [2][]int
	trace     []batch
	progress  []Generation
}

// Done is how many generations are scored.
func (s State) Done() int { return s.done }

// Scores calls f with everything that a scorer had computed, in that order.
func (s State) Scores(scorer string, f func(space.Architecture, float64)) {
	for i, m := range s.memories[0] {
		if m.account.Name != scorer {
			continue
		}
		for _, x := range m.order[:s.answers[0][i]] {
			f(x.arch, m.value[x.key])
		}
	}
}

// state freezes the search. Everything in it only ever grows: lengths are enough.
func (s *search) state() State {
	random, err := s.o.Source.MarshalBinary()
	if err != nil {
		panic(err) // it has no way to fail
	}
	out := State{
		space: s.problem.Space, done: s.done, random: random, missing: s.missing, converted: s.converted,
		trace: slices.Clip(s.trace), progress: slices.Clip(s.progress),
	}
	for i, list := range [2][]*memory{s.memories, s.costs} {
		for _, m := range list {
			out.memories[i] = append(out.memories[i], m)
			out.accounts[i] = append(out.accounts[i], m.account)
			out.answers[i] = append(out.answers[i], len(m.order))
		}
	}
	return out
}

// The JSON of a state. Architectures are written once, and meant by their place.
type (
	savedState struct {
		Space         string               `json:"space"`
		Done          int                  `json:"generations"`
		Random        []byte               `json:"random"`
		Missing       int                  `json:"missing"`
		Converted     bool                 `json:"converted"`
		Architectures []json.RawMessage    `json:"architectures"`
		Scorers       []savedMemory        `json:"scorers"`
		Costs         []savedMemory        `json:"costs"`
		Batches       []savedBatch         `json:"batches"`
		Progress      []savedGeneration    `json:"progress"`
		places        map[string]int       // of architectures, by key
		archs         []space.Architecture // when read
	}
	savedMemory struct {
		Account Account   `json:"account"`
		Of      []int     `json:"of"`
		Value   []float64 `json:"value"`
	}
	savedBatch struct {
		Iteration int      `json:"iteration"`
		Position  int      `json:"position"`
		Scorer    string   `json:"scorer"`
		Of        []int    `json:"of"`
		Origin    []Origin `json:"origin"`
		Known     []bool   `json:"known"`
	}
	savedGeneration struct {
		Generation
		Tau, Hypervolume *float64 // null for NaN
	}
)

// MarshalJSON implements json.Marshaler.
func (s State) MarshalJSON() ([]byte, error) {
	out := &savedState{
		Space: s.space.Name, Done: s.done, Random: s.random, Missing: s.missing, Converted: s.converted, places: map[string]int{},
		Scorers: []savedMemory{}, Costs: []savedMemory{},
	}
	for i, into := range []*[]savedMemory{&out.Scorers, &out.Costs} {
		for k, m := range s.memories[i] {
			known := savedMemory{Account: s.accounts[i][k]}
			for _, x := range m.order[:s.answers[i][k]] {
				known.Of, known.Value = append(known.Of, out.place(x)), append(known.Value, m.value[x.key])
			}
			*into = append(*into, known)
		}
	}
	for _, b := range s.trace {
		batch := savedBatch{Iteration: b.iteration, Position: b.position, Scorer: b.scorer.account.Name, Known: b.known}
		for _, x := range b.members {
			batch.Of, batch.Origin = append(batch.Of, out.place(x)), append(batch.Origin, x.origin)
		}
		out.Batches = append(out.Batches, batch)
	}
	for _, g := range s.progress {
		out.Progress = append(out.Progress, savedGeneration{g, maybe(g.Tau), maybe(g.Hypervolume)})
	}
	return json.Marshal(out)
}

// place returns the place of an architecture, which gets one when it has none.
func (s *savedState) place(m member) int {
	at, ok := s.places[m.key]
	if !ok {
		at = len(s.Architectures)
		s.places[m.key] = at
		s.Architectures = append(s.Architectures, json.RawMessage(m.arch.String()))
	}
	return at
}

func maybe(x float64) *float64 {
	if math.IsNaN(x) {
		return nil
	}
	return &x
}

func orNaN(x *float64) float64 {
	if x == nil {
		return math.NaN()
	}
	return *x
}

// restore puts the search where a state was, and reports again what had been
// reported until then.
func (s *search) restore(text []byte) error {
	var from savedState
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&from); err != nil {
		return err
	}
	if from.Space != s.problem.Space.Name || from.Done < 1 || from.Done > s.p.Iterations || len(from.Costs) != len(s.costs) {
		return fmt.Errorf("it is of another search: %d generations in the space %q", from.Done, from.Space)
	}
	source := new(rand.PCG)
	if err := source.UnmarshalBinary(from.Random); err != nil {
		return err
	}
	for _, a := range from.Architectures {
		arch, err := s.problem.Space.ParseArchitecture(a)
		if err != nil {
			return err
		}
		from.archs = append(from.archs, arch)
	}
	if err := s.remember(&from); err != nil {
		return err
	}
	*s.o.Source = *source
	s.done, s.missing, s.converted = from.Done, from.Missing, from.Converted
	return s.retell(&from)
}

// remember fills the memories.
func (s *search) remember(from *savedState) error {
	for _, saved := range from.Scorers {
		m := s.byName(saved.Account.Name)
		if m == nil {
			return fmt.Errorf("it has scores of %q, which this search does not ask", saved.Account.Name)
		}
		if err := m.recall(saved, from); err != nil {
			return err
		}
	}
	for i, saved := range from.Costs {
		if saved.Account.Name != s.costs[i].account.Name {
			return fmt.Errorf("it has the cost %q in place of %q", saved.Account.Name, s.costs[i].account.Name)
		}
		if err := s.costs[i].recall(saved, from); err != nil {
			return err
		}
	}
	return nil
}

// byName returns the memory of the student or the baseline, nil for another name.
func (s *search) byName(name string) *memory {
	for _, scorer := range []Scorer{s.problem.Student, s.problem.Baseline} {
		if scorer != nil && scorer.Name() == name {
			return s.memory(scorer)
		}
	}
	return nil
}

func (m *memory) recall(saved savedMemory, from *savedState) error {
	members, err := from.members(saved.Of)
	if err != nil {
		return fmt.Errorf("%s: %w", saved.Account.Name, err)
	}
	if len(saved.Value) != len(members) {
		return fmt.Errorf("%s: %d values of %d architectures", saved.Account.Name, len(saved.Value), len(saved.Of))
	}
	m.keep(members, saved.Value)
	m.account = saved.Account
	return nil
}

// members returns the architectures at places.
func (s *savedState) members(of []int) ([]member, error) {
	out := make([]member, len(of))
	for i, at := range of {
		if at < 0 || at >= len(s.archs) {
			return nil, fmt.Errorf("no architecture %d", at)
		}
		out[i] = member{arch: s.archs[at], key: s.archs[at].Key()}
	}
	return out, nil
}

// retell restores and reports the trace and the progress.
func (s *search) retell(from *savedState) error {
	for i, saved := range from.Batches {
		members, err := from.members(saved.Of)
		scorer := s.byName(saved.Scorer)
		if err != nil || scorer == nil || len(saved.Origin) != len(members) || len(saved.Known) != len(members) {
			return fmt.Errorf("batch %d is damaged", i)
		}
		for k := range members {
			members[k].origin = saved.Origin[k]
		}
		b := batch{iteration: saved.Iteration, position: saved.Position, scorer: scorer, members: members, known: saved.Known}
		s.trace = append(s.trace, b)
		s.tell(b)
		if b.position == 0 { // else it is of probes, or of the front
			s.members, s.scorer = members, scorer
		}
	}
	if s.scorer == nil || len(from.Progress) != s.done {
		return fmt.Errorf("%d lines of progress for %d generations", len(from.Progress), s.done)
	}
	for _, saved := range from.Progress {
		g := saved.Generation
		g.Tau, g.Hypervolume = orNaN(saved.Tau), orNaN(saved.Hypervolume)
		s.progress = append(s.progress, g)
		s.o.Progress(g)
	}
	return nil
}
