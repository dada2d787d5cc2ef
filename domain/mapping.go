package domain

import (
	"maps"
	"slices"
)

// concerning is the part of the mapping that says something of a request.
func (p *Plan) concerning(r Request) Mapping {
	m := Mapping{
		States: map[StateID]StateID{}, Actions: map[ActionID]ActionID{}, Roles: map[RoleID]RoleID{}, Terms: map[TermID]TermID{},
		Reviews: of(p.Reviews, r.Dossier.Reviews), Fees: of(p.Fees, r.Dossier.Fees), Documents: of(p.Documents, r.Dossier.Documents),
		Checklists: of(p.Checklists, r.Dossier.Checks), Items: of(p.Items, r.Dossier.Checks), Facts: of(p.Facts, r.Facts), Systems: of(p.Systems, r.Dossier.Reported),
	}
	for id := range r.Terms {
		if now := p.Called(id); now != id {
			m.Terms[id] = now
		}
	}
	for d := r.done; d != nil; d = d.before {
		note(m.Actions, p.Actions, d.counts)
		note(m.Roles, p.Roles, d.role)
		switch b := d.body.(type) {
		case TaskReassigned:
			note(m.States, p.States, b.State)
		case TaskAllocated:
			note(m.States, p.States, b.State)
		}
	}
	if r.Consent != nil {
		note(m.Actions, p.Actions, r.Consent.Action)
	}
	return m.trimmed()
}

// Called is what a term is called in the other version; empty for one that it has not, or
// that is not the same there.
func (p *Plan) Called(id TermID) TermID {
	if state, ok := id.State(); ok {
		if _, came := p.Elsewhere[state]; came {
			return ""
		}
		return StateTerm(Called(p.States, state))
	}
	if review, ok := id.review(); ok {
		if now := Called(p.Reviews, review); now != "" {
			return ReviewTerm(now)
		}
		return ""
	}
	return Called(p.Terms, id)
}

// Called is what a name is in the other version; the same where the mapping does not
// say.
func Called[K ~string](m map[K]K, name K) K {
	if now, ok := m[name]; ok {
		return now
	}
	return name
}

// of is a mapping of what a request has.
func of[K ~string, V, X any](m map[K]V, has map[K]X) map[K]V {
	out := map[K]V{}
	for k, v := range m {
		if _, ok := has[k]; ok {
			out[k] = v
		}
	}
	return out
}

func note[K ~string](to, from map[K]K, name K) {
	if now, ok := from[name]; ok {
		to[name] = now
	}
}

// trimmed is the mapping without empty maps, so that it is stored as it is read.
func (m Mapping) trimmed() Mapping {
	return Mapping{
		States: orNil(m.States), Actions: orNil(m.Actions), Roles: orNil(m.Roles), Terms: orNil(m.Terms), Reviews: orNil(m.Reviews), Fees: orNil(m.Fees),
		Documents: orNil(m.Documents), Checklists: orNil(m.Checklists), Items: orNil(m.Items), Systems: orNil(m.Systems), Facts: orNil(m.Facts),
	}
}

func orNil[K comparable, V any](m map[K]V) map[K]V {
	if len(m) == 0 {
		return nil
	}
	return m
}

// migrated is a request under another version of its workflow.
func migrated(r Request, e Recorded, b RequestMigrated) Request {
	m := b.Mapping
	if b.Came {
		r.Dossier = enter(r.Dossier, e.Version)
		r.Terms = left(r.Terms, Move{From: b.From}, "", e.Occurred)
	}
	r.Workflow = e.Workflow
	r.State, r.Public, r.Outcome, r.Facts = b.To, b.Public, b.Outcome, b.Facts
	r.Terms = stepsTo(m.terms(r.Terms), b.Steps)
	d := &r.Dossier
	d.Documents, d.Fees, d.Reviews = renamed(d.Documents, m.Documents), renamed(d.Fees, m.Fees), renamed(d.Reviews, m.Reviews)
	d.Answers, d.Reported = renamed(d.Answers, m.Systems), renamed(d.Reported, m.Systems)
	if len(m.Items) > 0 {
		d.Checks = clone(d.Checks)
		for list, items := range m.Items {
			d.Checks[list] = renamed(d.Checks[list], items)
		}
	}
	d.Checks = renamed(d.Checks, m.Checklists)
	if c := r.Consent; c != nil {
		r.Consent = &Consent{Action: Called(m.Actions, c.Action), Reason: c.Reason, By: c.By}
	}
	return r
}

// renamed is a map with other names, and without what has none any more.
func renamed[K ~string, V any](m map[K]V, by map[K]K) map[K]V {
	if len(by) == 0 {
		return m
	}
	out := make(map[K]V, len(m))
	for k, v := range m {
		if now := Called(by, k); now != "" {
			out[now] = v
		}
	}
	return out
}

// terms are ledgers under other names. One that has none any more is kept, unless
// another has its name now; of two that come under one name, the one that is open is,
// else the one that ended last.
func (m Mapping) terms(terms map[TermID]Term) map[TermID]Term {
	if len(m.Terms) == 0 {
		return terms
	}
	out := make(map[TermID]Term, len(terms))
	named := func(gone bool) {
		for _, id := range slices.Sorted(maps.Keys(terms)) {
			now, mapped := m.Terms[id]
			if (mapped && now == "") != gone {
				continue
			}
			if now == "" {
				now = id
			}
			t, other := terms[id], out[now]
			if other.Started.IsZero() || !gone && !other.Open() && (t.Open() || t.Ended.After(other.Ended)) {
				out[now] = t
			}
		}
	}
	named(false)
	named(true)
	return out
}

func stepsTo(terms map[TermID]Term, steps map[TermID]int) map[TermID]Term {
	if len(steps) == 0 {
		return terms
	}
	terms = clone(terms)
	for id, n := range steps {
		t := terms[id]
		t.Steps = n
		terms[id] = t
	}
	return terms
}

// past is what was done, under the names that it now counts by.
func (m Mapping) past(d *done) *done {
	if len(m.Actions)+len(m.Roles)+len(m.States)+len(m.Reviews) == 0 {
		return d
	}
	var first *done
	at := &first
	for ; d != nil; d = d.before {
		now := *d
		now.counts, now.role = Called(m.Actions, d.counts), Called(m.Roles, d.role)
		if id, gave := reviewed(d.counts); gave {
			now.counts = Reviewing(Called(m.Reviews, id))
		}
		switch b := d.body.(type) {
		case TaskReassigned:
			b.State = Called(m.States, b.State)
			now.body = b
		case TaskAllocated:
			b.State = Called(m.States, b.State)
			now.body = b
		}
		*at = &now
		at = &now.before
	}
	return first
}
