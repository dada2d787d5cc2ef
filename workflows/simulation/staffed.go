package simulation

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Staffed is settings in which every role has officers: where nothing says how many, as
// many as would not be busier than assumed, by a trial without queues.
func Staffed(ctx context.Context, s Settings) (Settings, error) {
	missing := func(p Pool) bool { return p.Officers == 0 && !p.Unlimited }
	if !slices.ContainsFunc(s.Parameters.Pools, missing) {
		return s, nil
	}
	trial := s
	p := *s.Parameters
	trial.Parameters = &p
	p.Pools = slices.Clone(p.Pools)
	for i := range p.Pools {
		p.Pools[i].Officers, p.Pools[i].Unlimited = 0, true
	}
	trial.Replications = 2
	r, err := Simulate(ctx, trial, nil)
	if err != nil {
		return s, err
	}
	out := *s.Parameters
	out.Pools = slices.Clone(out.Pools)
	out.Notes = slices.Clone(out.Notes)
	for i := range out.Pools {
		if pool := &out.Pools[i]; missing(*pool) {
			pool.Officers = max(1, int(math.Ceil(r.Roles[i].Working.Mean/assumedBusy)))
			out.note(Assumed, "officers "+pool.Name, fmt.Sprint(pool.Officers), 0)
		}
	}
	out.sort()
	s.Parameters = &out
	return s, nil
}
