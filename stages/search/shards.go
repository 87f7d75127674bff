package search

import (
	"context"
	"fmt"
	"math"

	"hsnas/internal/config"
	"hsnas/internal/progress"
)

// A shard is all searches of a limit and a seed: they begin with the same first
// generation, share what a supernet computes, and the random search has the budget of
// HS-NAS before it.

// Shards names the shards, one for each limit and seed.
func Shards(p Params, in Inputs) ([]string, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if err := p.resolve(in); err != nil {
		return nil, err
	}
	var names []string
	for _, limit := range p.limits() {
		for _, seed := range p.Seeds {
			names = append(names, shardName(limit, seed))
		}
	}
	return names, nil
}

func shardName(limit float64, seed int64) string {
	return fmt.Sprintf("limit-%s_seed-%d", limitName(limit), seed)
}

// limits are the limits to search, NaN without a constraint.
func (p Params) limits() []float64 {
	if p.Constraint == "" {
		return []float64{math.NaN()}
	}
	return p.Limits
}

// RunShard runs the searches of a shard and returns the files of their states, in the
// folder state: Run, with the same key, takes finished searches from there.
func RunShard(ctx context.Context, p Params, in Inputs, state, key, shard string, rep progress.Reporter) (files []string, err error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if err := p.resolve(in); err != nil {
		return nil, err
	}
	if err := p.restrict(shard); err != nil {
		return nil, err
	}
	m, release, err := load(p, in, rep)
	if err != nil {
		return nil, err
	}
	defer release()
	states := newStates(state, key)
	states.rep = rep
	if _, err := searchAll(ctx, p, in.Task, m, states, rep); err != nil {
		return nil, err
	}
	if err := states.flush(); err != nil {
		return nil, err
	}
	for _, v := range p.variants() {
		files = append(files, states.path(setting{search: v.name, limit: p.limits()[0], seed: p.Seeds[0]}))
	}
	return files, nil
}

// restrict leaves the limit and the seed of a shard.
func (p *Params) restrict(shard string) error {
	for _, limit := range p.limits() {
		for _, seed := range p.Seeds {
			if shardName(limit, seed) != shard {
				continue
			}
			if p.Constraint != "" {
				p.Limits = []float64{limit}
			}
			p.Seeds = []int64{seed}
			return nil
		}
	}
	return config.Errorf("", 0, "search has no searches %q", shard)
}
