package discovery

import (
	"maps"
	"slices"

	"github.com/alur-id/alur/workflows"
)

// Parallel is what is done side by side: activities of which either may come
// first.
//
// A log of completions does not show that two activities overlap in time. What it
// shows is that they stand next to each other in both orders, the parallel
// relation of the alpha miner (van der Aalst, Weijters, Maruster: Workflow Mining,
// IEEE TKDE 16(9), 2004). As one odd case would suffice for that, the rule here is
// the one of Split Miner (Augusto, Conforti, Dumas, La Rosa, Polyvyanyy, Knowledge
// and Information Systems 59, 2019, section 3.2): a and b are parallel when
//
//	| |a>b| - |b>a| | / (|a>b| + |b>a|) < ε,
//
// both were seen, and they are no short loop (a b a or b a b). Where that paper
// asks that no short loop was seen at all, a tenth of the pair is allowed here,
// again for the odd case; and each order must have been seen a few times.
type Parallel struct {
	Sets []ParallelSet  `json:"sets"`
	Most []ParallelPair `json:"pairs"`
	All  int            `json:"all_pairs"` // how many there are
}

// ParallelSet is a set of activities each of which is parallel to every other, as
// the reviews of a gather state are. An activity is in one set at most.
type ParallelSet struct {
	Activities []string `json:"activities"`
	Times      int      `json:"times"`     // that two of them stood next to each other
	SameWho    int      `json:"same_who"`  // of those: by the same resource in the same role
	SameTime   int      `json:"same_time"` // of those: at the same instant, so that their order says nothing
	Like       string   `json:"like"`      // reviews, checks, or unordered
}

// ParallelPair is two activities in both orders.
type ParallelPair struct {
	A        string `json:"a"`
	B        string `json:"b"`
	AB       int    `json:"ab"`
	BA       int    `json:"ba"`
	Short    int    `json:"short_loops"`
	SameWho  int    `json:"same_who"`
	SameTime int    `json:"same_time"`
}

// What a parallel set is like: reviews are by several people, the checks of one
// person are by the same; and of what is mostly recorded at the same instant the
// log does not know the order.
const (
	LikeReviews   = "reviews"
	LikeChecks    = "checks"
	LikeUnordered = "unordered"
)

// The thresholds of the rule.
const (
	parallelBalance  = 0.3 // ε: at most 65 to 35
	parallelShortest = 0.1 // short loops, as a share
	parallelFewest   = 5   // times in each order
)

// pairCount is how often one activity came directly after another.
type pairCount struct{ n, short, sameWho, sameTime int }

func (o *observer) sideBySide(steps []step) {
	for i := 1; i < len(steps); i++ {
		a, b := &steps[i-1], &steps[i]
		if a.activity == b.activity {
			continue
		}
		p := o.pairs.at([2]int{a.activity, b.activity})
		if p == nil {
			continue
		}
		p.n++
		// Some logs name everybody "staff" and tell people apart by role only.
		if a.resource == b.resource && a.role == b.role && a.resource != workflows.Unrecorded {
			p.sameWho++
		}
		if a.at.Equal(b.at) {
			p.sameTime++
		}
		if i > 1 && steps[i-2].activity == b.activity {
			p.short++
		}
	}
}

// parallelPairs are those the rule takes, by the numbers of their activities, the
// smaller first.
func (o *observer) parallelPairs() map[[2]int]pairCount {
	found := map[[2]int]pairCount{}
	for key, ab := range o.pairs.kept {
		ba := o.pairs.kept[[2]int{key[1], key[0]}]
		if key[0] > key[1] || ba == nil {
			continue
		}
		both := pairCount{ab.n + ba.n, ab.short + ba.short, ab.sameWho + ba.sameWho, ab.sameTime + ba.sameTime}
		difference := float64(max(ab.n, ba.n) - min(ab.n, ba.n))
		if min(ab.n, ba.n) >= parallelFewest && difference/float64(both.n) < parallelBalance &&
			float64(both.short) <= parallelShortest*float64(both.n) {
			found[key] = both
		}
	}
	return found
}

func (o *observer) parallelReport() Parallel {
	pairs := o.parallelPairs()
	keys := slices.Collect(maps.Keys(pairs))
	keys = mostFirst(keys, len(keys), func(k [2]int) int { return pairs[k].n }, func(k [2]int) string { return joined(o.named(k[:])) })
	r := Parallel{Sets: []ParallelSet{}, Most: []ParallelPair{}, All: len(keys)}
	for _, k := range keys[:min(len(keys), maxListed)] {
		p := pairs[k]
		r.Most = append(r.Most, ParallelPair{
			o.names[k[0]], o.names[k[1]], o.pairs.kept[k].n, o.pairs.kept[[2]int{k[1], k[0]}].n, p.short, p.sameWho, p.sameTime,
		})
	}
	for _, members := range cliques(keys) {
		r.Sets = append(r.Sets, o.parallelSet(members, pairs))
	}
	return r
}

func pairOf(a, b int) [2]int { return [2]int{min(a, b), max(a, b)} }

// cliques groups pairs into sets in which every two are a pair: the strongest
// pair first, then each activity that is parallel to all that are in the set, in
// the order of their strongest pairs. Every two, because that is what a gather
// state says of its reviews, and what the inductive miner asks of a parallel cut
// (Leemans, Fahland, van der Aalst, Petri Nets 2013).
func cliques(keys [][2]int) [][]int {
	is := map[[2]int]bool{}
	var order []int
	for _, k := range keys {
		is[k] = true
		for _, a := range k {
			if !slices.Contains(order, a) {
				order = append(order, a)
			}
		}
	}
	var sets [][]int
	taken := map[int]bool{}
	for _, k := range keys {
		if taken[k[0]] || taken[k[1]] {
			continue
		}
		set := []int{k[0], k[1]}
		taken[k[0]], taken[k[1]] = true, true
		for _, a := range order {
			apart := func(b int) bool { return !is[pairOf(a, b)] }
			if !taken[a] && !slices.ContainsFunc(set, apart) {
				set = append(set, a)
				taken[a] = true
			}
		}
		sets = append(sets, set)
	}
	return sets
}

func (o *observer) parallelSet(members []int, pairs map[[2]int]pairCount) ParallelSet {
	s := ParallelSet{Activities: o.named(members), Like: LikeReviews}
	slices.Sort(s.Activities)
	for i, a := range members {
		for _, b := range members[:i] {
			p := pairs[pairOf(a, b)]
			s.Times += p.n
			s.SameWho += p.sameWho
			s.SameTime += p.sameTime
		}
	}
	switch {
	case 2*s.SameTime > s.Times:
		s.Like = LikeUnordered
	case 2*s.SameWho > s.Times:
		s.Like = LikeChecks
	}
	return s
}
