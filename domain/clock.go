package domain

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Clock reckons terms by one version of a calendar. It is immutable, safe for
// concurrent use, and its answers depend on nothing but its arguments.
type Clock interface {
	// Version names the calendar: whoever has it can reckon again.
	Version() string
	// Supersedes reports whether the calendar came after another, by its version. No due
	// time is moved back to what an older one made of it.
	Supersedes(version string) bool
	// Alike reports whether two budgets are counted in the same measure: only then can one
	// be added to the other, or be known to be longer while a term stands still.
	Alike(budget, other string) bool
	// Reckon is what a term comes to at a moment. The error says that the ledger
	// holds what the clock cannot read.
	Reckon(TermRule, Term, time.Time) (Reckoning, error)
}

// System is who acts when something follows by itself: nobody.
func System() Actor { return follower }

// tick is the next thing that follows for the terms of a request as it stands; nil
// when all is as it should be.
func tick(r *Request, w Workflow) (Body, error) {
	clock := w.Clock()
	if clock == nil {
		return nil, nil
	}
	rules := TermsOf(*r, w)
	for i := range rules {
		body, err := tickTerm(r, &rules[i], clock)
		if err != nil {
			return nil, fmt.Errorf("term %q: %w", rules[i].ID, err)
		}
		if body != nil {
			return body, nil
		}
	}
	return nil, nil
}

func tickTerm(r *Request, rule *TermRule, clock Clock) (Body, error) {
	now := r.Changed
	t, had := r.Terms[rule.ID]
	if t.Open() {
		// What a term comes to by another calendar is said by itself, before anything else
		// is said of it.
		if body, err := recompute(rule, t, now, clock); body != nil || err != nil {
			return body, err
		}
	}
	switch {
	case !rule.counts(r, had):
		if !t.Open() || !rule.ID.Legal() {
			return nil, nil
		}
		return ended(rule, t, now, clock)
	case !had, !t.Open() && rule.startsAnew(t):
		return begin(r, rule, clock)
	case !t.Open() && (rule.byRecord() || r.endedBy(t)):
		return nil, nil // as was recorded, whatever was done later
	case !t.Open() && !t.Expired.IsZero() && (t.Decided && rule.ID.Legal() || rule.To != "" || t.Steps >= len(rule.Steps)):
		return nil, nil // its time is used up, and a return does not refill it
	case !t.Open():
		if body, err := recompute(rule, t, now, clock); body != nil || err != nil {
			return body, err
		}
		return goOn(rule, t, now, clock)
	}
	if !t.Until.IsZero() {
		return nil, nil // a date stands
	}
	switch stop, was := cmp.Or(r.Halt, rule.Stop), t.Stopped(); stop {
	case was:
		return nil, nil
	case "":
		k, err := clock.Reckon(*rule, t.run(now), now)
		return TermResumed{Term: rule.ID, Ground: was, Reckoning: k}, err
	default:
		k, err := clock.Reckon(*rule, t.stop(now, stop), now)
		return TermSuspended{Term: rule.ID, Ground: stop, Reckoning: k}, err
	}
}

// begin starts a term.
func begin(r *Request, rule *TermRule, clock Clock) (Body, error) {
	t := Term{Budget: rule.Budget, Promise: rule.Promise, Started: r.Changed}
	t.Until, _ = r.until(rule)
	since := rule.since(r)
	if !since.IsZero() {
		t.Started = since
	}
	k, err := clock.Reckon(*rule, t, r.Changed)
	return TermStarted{Term: rule.ID, Budget: rule.Budget, Date: rule.Date, Promise: rule.Promise, Since: since, Reckoning: k}, err
}

// ended is a term that is not counted any more.
func ended(rule *TermRule, t Term, now time.Time, clock Clock) (Body, error) {
	k, err := clock.Reckon(*rule, t, now)
	late := !t.Expired.IsZero() || !k.Due.IsZero() && now.After(k.Due)
	return TermEnded{Term: rule.ID, Late: late, Reckoning: k}, err
}

// goOn is a term that had ended going on with what was left of it.
func goOn(rule *TermRule, t Term, now time.Time, clock Clock) (Body, error) {
	ground := StopAway
	if rule.ID.Legal() {
		ground = StopClosed
	}
	k, err := clock.Reckon(*rule, t.back(t.Ended, now, ground), now)
	return TermResumed{Term: rule.ID, Away: t.Ended, Ground: ground, Reckoning: k}, err
}

// back is a term that is counted again, after a time away.
func (t Term) back(from, to time.Time, g StopGround) Term {
	t = t.run(from)
	t.Ended, t.Kept = time.Time{}, ""
	t.Stops = append(slices.Clip(t.Stops), Stop{From: from, To: later(from, to), Ground: g})
	return t
}

func later(a, b time.Time) time.Time {
	if b.Before(a) {
		return a
	}
	return b
}

// counts reports whether the term should be open now.
func (rule *TermRule) counts(r *Request, had bool) bool {
	switch {
	case r.Outcome != "" && !rule.byRecord():
		return false
	case rule.Review != "":
		return r.Dossier.Reviews[rule.Review].Opinion == OpinionOpen
	case rule.ID.Legal():
		return had || rule.begins(r)
	}
	return true
}

// begins reports whether what starts a term of law has come to pass, and where it is a
// date that says until when, that is there.
func (rule *TermRule) begins(r *Request) bool {
	if _, ok := r.until(rule); rule.Date != "" && !ok {
		return false
	}
	at := r.started(rule)
	// What another system did long ago, when no term of it was counted here, begins none
	// now: how it stood still since is not known. A date needs no counting.
	return !at.IsZero() && (!rule.imported || rule.Date != "" || at.Equal(r.Changed))
}

func (rule *TermRule) starts(a ActionID) bool { return slices.Contains(rule.Starts, a) }

// startsAnew reports whether a term that has ended begins again from nothing: it is
// the applicant's own time, or what the law gives when it runs out was given.
func (rule *TermRule) startsAnew(t Term) bool {
	return rule.Fresh || !rule.ID.Legal() && rule.To != "" && !t.Expired.IsZero()
}

// recompute is the event that another calendar makes necessary; nil when it moves
// nothing and what was provisional still is.
func recompute(rule *TermRule, t Term, now time.Time, clock Clock) (Body, error) {
	if !clock.Supersedes(t.Calendar) {
		return nil, nil
	}
	k, err := clock.Reckon(*rule, t, now)
	if err != nil {
		return nil, err
	}
	// That a due time is decreed now, and no longer provisional, is something to be told.
	same := k.Due.Equal(t.Due) && k.Promised.Equal(t.Promised) && k.Wakes.Equal(t.Wakes) && k.Provisional == t.Unsure
	if t.Stopped() != "" || !t.Open() {
		same = k.Remaining == t.Left
	}
	if !t.Open() {
		k.Wakes = time.Time{}
	}
	if same {
		return nil, nil
	}
	return TermRecomputed{Term: rule.ID, Was: t.Due, Own: rule.Fresh, Reckoning: k}, nil
}

// inTime holds that nothing passes by a term whose moment has come: what the law
// makes of the silence comes first.
func inTime(r Request, c Command) error {
	id, when, ok := r.Overdue(c.Head().Occurred)
	if !ok {
		return nil
	}
	if x, ok := c.(Expire); ok && x.Term == id && x.Due.Equal(when) {
		return nil
	}
	return refuse(RuleTerm, fmt.Sprintf("the time of term %q came at %s, and what follows from it is not recorded yet", id, when.Format(time.RFC3339)), "try again")
}

// ruleOf is what the workflow says of a term that is open.
func ruleOf(r Request, id TermID, w Workflow) (Term, *TermRule, error) {
	t, ok := r.Terms[id]
	rules := TermsOf(r, w)
	i := slices.IndexFunc(rules, func(rule TermRule) bool { return rule.ID == id })
	if !ok || !t.Open() || i < 0 || w.Clock() == nil {
		return t, nil, refuse(RuleTerm, fmt.Sprintf("term %q does not run", id), "")
	}
	return t, &rules[i], nil
}

func recomputeTerms(r Request, c RecomputeTerms, w Workflow) ([]Body, error) {
	if err := r.as(0); err != nil {
		return nil, err
	}
	r.Changed = c.Occurred.UTC()
	body, err := tick(&r, w)
	if _, moved := body.(TermRecomputed); err == nil && !moved {
		err = refuse(RuleTerm, "the calendar moves no term of this request", "")
	}
	return []Body{body}, err
}

func orderSuspension(r Request, c OrderSuspension, w Workflow) (Body, error) {
	if err := r.open(c.Expected, nil, "a suspension"); err != nil {
		return nil, err
	}
	rule, ok := w.Order(c.Ground)
	if !ok {
		return nil, refuse(RuleTerm, fmt.Sprintf("the workflow lets nobody order a suspension on ground %q", c.Ground), "")
	}
	if err := mayAct(c.Actor, rule.Roles, w, "order a suspension"); err != nil {
		return nil, err
	}
	if r.Halt != "" {
		return nil, refuse(RuleTerm, "the terms are suspended already, on ground "+string(r.Halt), "lift that first")
	}
	if err := oneOf(c.Reason, rule.Reasons, "a suspension"); err != nil {
		return nil, err
	}
	return SuspensionOrdered{Ground: c.Ground, Reason: c.Reason, Basis: rule.Basis}, nil
}

func liftSuspension(r Request, c LiftSuspension, w Workflow) (Body, error) {
	if err := r.open(c.Expected, nil, "the end of a suspension"); err != nil {
		return nil, err
	}
	rule, ok := w.Order(r.Halt)
	if !ok {
		return nil, refuse(RuleTerm, "no suspension was ordered", "")
	}
	if err := mayAct(c.Actor, rule.Roles, w, "lift a suspension"); err != nil {
		return nil, err
	}
	return SuspensionLifted{Ground: r.Halt}, nil
}

// extendTerm is preceded by what another calendar makes of the term, if one does.
func extendTerm(r Request, c ExtendTerm, w Workflow) ([]Body, error) {
	if err := r.open(c.Expected, nil, "an extension"); err != nil {
		return nil, err
	}
	t, rule, err := ruleOf(r, c.Term, w)
	if err != nil {
		return nil, err
	}
	x := rule.Extension
	if x == nil {
		return nil, refuse(RuleTerm, fmt.Sprintf("term %q cannot be extended", c.Term), "")
	}
	if err := mayAct(c.Actor, x.Roles, w, "extend a term"); err != nil {
		return nil, err
	}
	switch {
	case !t.Until.IsZero():
		return nil, refuse(RuleTerm, fmt.Sprintf("term %q is due at a date that stands in the application", c.Term), "it cannot be extended")
	case len(t.Extended) > 0:
		return nil, refuse(RuleTerm, fmt.Sprintf("term %q was extended before", c.Term), "it can be extended once")
	case !t.Expired.IsZero():
		return nil, refuse(RuleTerm, fmt.Sprintf("term %q has run out", c.Term), "it can be extended before that")
	case !w.Clock().Alike(t.Budget, x.By):
		return nil, refuse(RuleTerm, fmt.Sprintf("term %q keeps the %s of a former version, and is extended by %s, which is counted otherwise", c.Term, t.Budget, x.By),
			"move the request to a version that extends it by what it is counted in, or that it takes the budget of (take: new)")
	}
	if err := oneOf(c.Reason, x.Reasons, "extending a term"); err != nil {
		return nil, err
	}
	at := c.Occurred.UTC()
	first, err := recompute(rule, t, at, w.Clock())
	if err != nil {
		return nil, err
	}
	k, err := w.Clock().Reckon(*rule, t.extend(at, x.By), at)
	if err != nil {
		return nil, err
	}
	extended := TermExtended{Term: c.Term, By: x.By, Reason: c.Reason, Basis: x.Basis, Reckoning: k}
	if first != nil {
		return []Body{first, extended}, nil
	}
	return []Body{extended}, nil
}

// ExtendedOtherwise is what a term was given by an extension that is counted otherwise than
// its budget; empty where there is none. Earlier programs added the one to the other, so
// that no due time of such a term is to be relied on.
func (t Term) ExtendedOtherwise(clock Clock) string {
	for _, x := range t.Extended {
		if !clock.Alike(t.Budget, x.By) {
			return x.By
		}
	}
	return ""
}

// extend is a term with more time.
func (t Term) extend(at time.Time, by string) Term {
	t.Extended = append(slices.Clip(t.Extended), Extension{At: at, By: by})
	return t
}
