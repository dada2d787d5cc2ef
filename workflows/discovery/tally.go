package discovery

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"time"
)

// MaxKept bounds each table of pairs that is kept while a log is read: pairs of
// activities, of resources, of both, and loops. A log is of any length and a
// table must not be; what a full one has no room for is counted and told.
const MaxKept = 1_000_000

// tally counts by key, up to a number of keys.
type tally[K comparable, V any] struct {
	kept    map[K]*V
	most    int
	leftOut int // times a key found no room
}

func newTally[K comparable, V any](most int) *tally[K, V] {
	return &tally[K, V]{kept: map[K]*V{}, most: most}
}

// at is where the count of a key stands; nil when there is no room for it.
func (t *tally[K, V]) at(key K) *V {
	v, ok := t.kept[key]
	if ok {
		return v
	}
	if len(t.kept) >= t.most {
		t.leftOut++
		return nil
	}
	v = new(V)
	t.kept[key] = v
	return v
}

// mostFirst sorts what a table lists: the largest first, and by name where two are
// alike, so that the same log always gives the same report. It keeps n of them.
func mostFirst[T any](list []T, n int, size func(T) int, name func(T) string) []T {
	slices.SortFunc(list, func(a, b T) int { return cmp.Or(cmp.Compare(size(b), size(a)), cmp.Compare(name(a), name(b))) })
	return list[:min(n, len(list))]
}

// spans is how long something took, many times: a histogram whose buckets grow
// with the value, as in HdrHistogram (Gil Tene, 2012), 128 to each doubling. It is
// bounded whatever the log's length, a quantile read from it is within 1% of the
// exact one, and being integers throughout it is the same on every machine.
type spans struct {
	buckets  map[int]*bucket
	n        int
	backward int // times the clock ran backwards, which say nothing of a duration
}

// bucket is spans that are nearly alike, in milliseconds. What they are above the
// least is summed, so that spans that are wholly alike are told exactly.
type bucket struct {
	n           int
	least, over int64
}

func (s *spans) add(from, to time.Time) {
	if from.IsZero() || to.IsZero() {
		return
	}
	ms := to.Sub(from).Milliseconds()
	if ms < 0 {
		s.backward++
		return
	}
	shift := max(0, bits.Len64(uint64(ms))-8)
	at := shift<<7 + int(ms>>shift)
	b := s.buckets[at]
	if b == nil {
		if s.buckets == nil {
			s.buckets = map[int]*bucket{}
		}
		b = &bucket{least: ms >> shift << shift}
		s.buckets[at] = b
	}
	b.n++
	b.over += ms - b.least
	s.n++
}

// quantile is the value that per cent of the spans do not exceed (nearest rank).
func (s *spans) quantile(per int) time.Duration {
	rank := (s.n*per + 99) / 100
	for _, at := range slices.Sorted(maps.Keys(s.buckets)) {
		b := s.buckets[at]
		if rank -= b.n; rank <= 0 {
			return time.Duration(b.least+b.over/int64(b.n)) * time.Millisecond
		}
	}
	return 0
}
