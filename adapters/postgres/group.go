package postgres

import (
	"github.com/alur-id/alur/domain"
)

// request is what a transaction is to record of one stream: an append, or several
// of which each continues the one before.
type request struct {
	stream   string
	expected domain.Version
	events   int
	size     int
	parts    []item
	outcomes []outcome // of each part, after an attempt that was answered
}

// outcome is what became of an append.
type outcome struct {
	done  domain.Appended
	err   error // a conflict, or of the whole
	again bool  // it must be tried again: it does not follow from what was recorded
}

// outcome is that of one part, where err is that of the attempt.
func (r request) outcome(part int, err error) outcome {
	if err != nil {
		return outcome{err: err}
	}
	return r.outcomes[part]
}

// forsaken reports whether nobody waits for the request any more.
func (r request) forsaken() bool {
	for _, p := range r.parts {
		if p.ctx.Err() == nil {
			return false
		}
	}
	return true
}

// group takes from a line what one transaction is to record, and returns the rest
// of the line. A stream is in a group once; what cannot be joined to its request
// waits for the next group, in order.
func group(line []item) (g []request, rest []item) {
	streams := map[string]int{} // where in the group; -1 for a stream that must wait
	events, bytes := 0, 0
	for n, i := range line {
		a := i.append()
		if events > 0 && (len(g) >= maxJobs || events+len(a.Entries) > maxEvents || bytes+i.size > maxBytes) {
			return g, append(rest, line[n:]...)
		}
		at, met := streams[a.Stream]
		if met && at != len(g)-1 && len(i.appends) > 1 {
			// It would come before others of its caller, who wants them in order.
			return g, append(rest, line[n:]...)
		}
		switch {
		case !met:
			streams[a.Stream] = len(g)
			g = append(g, request{stream: a.Stream, expected: a.Expected, events: len(a.Entries), size: i.size, parts: []item{i}})
		case at >= 0 && g[at].expected+domain.Version(g[at].events) == a.Expected:
			r := &g[at]
			r.events, r.size, r.parts = r.events+len(a.Entries), r.size+i.size, append(r.parts, i)
		default:
			streams[a.Stream] = -1
			rest = append(rest, i)
			continue
		}
		events, bytes = events+len(a.Entries), bytes+i.size
	}
	return g, rest
}

// recorded gives the parts of a request that was recorded their outcomes, and
// returns the position of its last event. Before is the position before its first.
func (r *request) recorded(before domain.Position) domain.Position {
	r.outcomes = r.outcomes[:0]
	for _, p := range r.parts {
		a := p.append()
		before += domain.Position(len(a.Entries))
		r.outcomes = append(r.outcomes, outcome{done: domain.Appended{Version: a.Expected + domain.Version(len(a.Entries)), Position: before}})
	}
	return before
}

// refused gives the parts of a request that was not recorded their outcomes as
// far as the version tells where its stream was. It returns the parts that may
// have been recorded before. A part that would have fitted, but for those in
// front of it, is tried again with all that follow.
func (r *request) refused(head domain.Version) (before []int) {
	r.outcomes = r.outcomes[:0]
	for n, p := range r.parts {
		a := p.append()
		if a.Expected == head || n > 0 && r.outcomes[n-1].again {
			r.outcomes = append(r.outcomes, outcome{again: true})
			continue
		}
		r.outcomes = append(r.outcomes, outcome{err: &domain.ConflictError{Stream: a.Stream, Expected: a.Expected, Actual: head}})
		if a.Expected+domain.Version(len(a.Entries)) <= head {
			before = append(before, n)
		}
	}
	return before
}

// answer tells the caller, when it was the last append of its job that was open.
func (i item) answer(o outcome) {
	i.answers[i.n], i.errs[i.n] = o.done, o.err
	if _, conflict := o.err.(*domain.ConflictError); o.err != nil && !conflict { //nolint:errorlint // as refused made it
		i.err = o.err
	}
	if i.left--; i.left == 0 {
		close(i.done)
	}
}
