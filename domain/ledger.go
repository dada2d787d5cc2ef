package domain

import "time"

// ledger is the terms of a request after an event.
func ledger(r Request, e Recorded) map[TermID]Term {
	change := func(id TermID, with func(Term) Term) map[TermID]Term {
		terms := clone(r.Terms)
		terms[id] = with(terms[id])
		return terms
	}
	at := e.Occurred
	switch b := e.Body.(type) {
	case TermStarted:
		return change(b.Term, func(Term) Term {
			t := Term{Budget: b.Budget, Promise: b.Promise, Started: at}
			if b.Date != "" {
				t.Until = b.Due
			}
			if !b.Since.IsZero() {
				t.Started = b.Since
			}
			return t.reckoned(b.Reckoning)
		})
	case TermSuspended:
		return change(b.Term, func(t Term) Term { return t.stop(at, b.Ground).reckoned(b.Reckoning) })
	case TermResumed:
		return change(b.Term, func(t Term) Term {
			if b.Away.IsZero() {
				return t.run(at).reckoned(b.Reckoning)
			}
			return t.back(b.Away, at, b.Ground).reckoned(b.Reckoning)
		})
	case TermExtended:
		return change(b.Term, func(t Term) Term { return t.extend(at, b.By).reckoned(b.Reckoning) })
	case TermRecomputed:
		return change(b.Term, func(t Term) Term { return t.reckoned(b.Reckoning) })
	case TermCarried:
		return change(b.Term, func(t Term) Term {
			t.Budget, t.Promise = b.Budget, b.Promise
			return t.reckoned(b.Reckoning)
		})
	case TermContinued:
		return change(b.Term, func(Term) Term { return b.from(r.Terms[b.Of], at).reckoned(b.Reckoning) })
	case TermDropped:
		return change(b.Term, func(t Term) Term {
			t.Dropped = true
			return t.reckoned(b.Reckoning).end(at)
		})
	case TermReminded:
		return change(b.Term, func(t Term) Term { return t.stepped(StepRemind, at).reckoned(b.Reckoning) })
	case TermExpired:
		return change(b.Term, func(t Term) Term { return t.stepped(StepExpire, at).reckoned(b.Reckoning) })
	case TermEscalated:
		return change(b.Term, func(t Term) Term { return t.stepped(b.Step, at).reckoned(b.Reckoning) })
	case TermEnded:
		return change(b.Term, func(t Term) Term {
			t.Kept = b.Kept()
			return t.reckoned(b.Reckoning).end(at)
		})
	case ReviewGiven:
		if t := r.Terms[ReviewTerm(b.Review)]; t.Open() {
			return change(ReviewTerm(b.Review), func(t Term) Term { return t.end(at) })
		}
	}
	return r.Terms
}

// left is the terms of a request that moved: those of the state it left, and of the
// reviews asked for there, are not counted any more; nor is the one that moved it.
func left(terms map[TermID]Term, m Move, by TermID, at time.Time) map[TermID]Term {
	copied := false
	for id, t := range terms {
		gone := !id.Legal() && m.From != m.To
		if !t.Open() || !gone && id != by {
			continue
		}
		if !copied {
			terms, copied = clone(terms), true
		}
		t = t.end(at)
		t.Decided = id == by
		terms[id] = t
	}
	return terms
}

// end is a term that is not counted any more.
func (t Term) end(at time.Time) Term {
	t.Ended, t.Wakes = later(t.Started, at), time.Time{}
	return t
}
