package simulation

import "container/heap"

// event is something that happens at a time. Of several at one time, a term runs out
// last: what is done at the due time itself is on time.
type event struct {
	at   int64
	late bool
	seq  uint64
	does func()
}

type events []event

func (h events) Len() int { return len(h) }

func (h events) Less(i, j int) bool {
	a, b := &h[i], &h[j]
	switch {
	case a.at != b.at:
		return a.at < b.at
	case a.late != b.late:
		return b.late
	}
	return a.seq < b.seq
}

func (h events) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *events) Push(x any)   { *h = append(*h, x.(event)) }

func (h *events) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	(*h)[last] = event{}
	*h = (*h)[:last]
	return x
}

func (s *run) at(when int64, late bool, does func()) {
	if when > s.cutoff {
		return
	}
	s.seq++
	heap.Push(&s.heap, event{when, late, s.seq, does})
}
