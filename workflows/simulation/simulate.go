package simulation

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Simulate runs replications and reports on them. With other parameters, it runs each
// of them again with those, of the same requests with the same needs, and reports how
// the two differ. The error says why nothing can be simulated, or is that of the
// context.
func Simulate(ctx context.Context, s Settings, other *Parameters) (*Report, error) {
	one, err := newModel(s)
	if err != nil {
		return nil, err
	}
	models := []*model{one}
	if other != nil {
		s.Parameters = other
		two, err := newModel(s)
		if err != nil {
			return nil, err
		}
		models = append(models, two)
	}
	all, err := replicate(ctx, models)
	if err != nil {
		return nil, err
	}
	r := newReport(one, gathered(all[0]))
	r.explain(all[0])
	if len(models) > 1 {
		r.compare(models[1], gathered(all[0]), gathered(all[1]))
	}
	return r, nil
}

// replicate runs every replication of each model, as many at a time as there are
// processors. Which one runs where makes no difference.
func replicate(ctx context.Context, models []*model) ([][]*seen, error) {
	s := models[0].Settings
	all := make([][]*seen, len(models))
	for i := range all {
		all[i] = make([]*seen, s.Replications)
	}
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), s.Replications) {
		group.Go(func() error {
			t, err := newTree(s.Definition, s.Parameters.Cases)
			if err != nil {
				return err
			}
			for rep := next.Add(1) - 1; rep < int64(s.Replications); rep = next.Add(1) - 1 {
				for i, m := range models {
					x, err := m.simulate(ctx, t, uint64(rep))
					if err != nil {
						return err
					}
					all[i][rep] = x.summed()
				}
			}
			return nil
		})
	}
	return all, group.Wait()
}

// figures are those of all replications by name, in their order.
type figures map[string][]float64

func gathered(list []*seen) figures {
	out := figures{}
	for _, x := range list {
		for name, v := range x.sums {
			out[name] = append(out[name], v)
		}
	}
	return out
}

// summed keeps the figures alone.
func (x *seen) summed() *seen {
	return &seen{sums: x.figures(), why: x.why, requests: len(x.jobs)}
}

// paired is the differences between two settings, replication by replication.
func paired(before, after []float64) []float64 {
	list := make([]float64, len(before))
	for i := range before {
		list[i] = after[i] - before[i]
	}
	return list
}

// reasons lists why requests were stuck, most first.
func reasons(list []*seen) []Stuck {
	sums := map[string]int{}
	for _, x := range list {
		for why, n := range x.why {
			sums[why] += n
		}
	}
	var out []Stuck
	for _, why := range slices.Sorted(maps.Keys(sums)) {
		out = append(out, Stuck{why, sums[why]})
	}
	slices.SortStableFunc(out, func(a, b Stuck) int { return b.Times - a.Times })
	return out
}
