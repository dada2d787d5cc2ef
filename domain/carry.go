package domain

import (
	"fmt"
	"time"
)

// carry adds to the event of a migration what it makes of the terms that run.
func (c Migrate) carry(r Request, body RequestMigrated, w Workflow) ([]Body, error) {
	clock := w.Clock()
	if clock == nil {
		return []Body{body}, nil
	}
	envelope := Envelope{Workflow: w.Ref(), Occurred: c.Occurred.UTC()}
	after := Evolve(r, Recorded{Event: Event{Envelope: envelope, Body: body}, Version: r.Version + 1})
	list := TermsOf(after, w)
	rules := make(map[TermID]*TermRule, len(list))
	for i := range list {
		rules[list[i].ID] = &list[i]
		if t, had := after.Terms[list[i].ID]; had && list[i].taken(t) != t.Steps {
			if body.Steps == nil {
				body.Steps = map[TermID]int{}
			}
			body.Steps[list[i].ID] = list[i].taken(t)
		}
	}
	after.Terms = stepsTo(after.Terms, body.Steps)
	if after.Outcome == "" {
		if err := c.counted(r, rules); err != nil {
			return nil, err
		}
	}
	bodies := []Body{body}
	for _, id := range after.TermIDs() {
		t := after.Terms[id]
		if !t.Open() {
			continue
		}
		more, err := c.carryTerm(r, id, t, rules[id], after.Outcome, clock)
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, more...)
	}
	if after.Outcome != "" {
		return bodies, nil
	}
	more, err := c.begin(after, list, clock)
	return append(bodies, more...), err
}

// counted holds that the law's time that ran goes on to count, while the request runs.
func (c Migrate) counted(r Request, rules map[TermID]*TermRule) error {
	for _, id := range r.TermIDs() {
		if now := c.Called(id); id.Legal() && !r.Terms[id].Dropped && rules[now] == nil {
			return refuse(RuleMigration, fmt.Sprintf("term %q of the law has run, and version %d would not count it", id, c.To),
				fmt.Sprintf("say in the map which term of version %d it is, or name the request under except", c.To))
		}
	}
	return nil
}

// taken is how many of the steps of a rule were taken of a term, by whatever version.
func (rule *TermRule) taken(t Term) int {
	left := map[TermStep]int{}
	for _, s := range t.Taken {
		left[s]++
	}
	for i, s := range rule.Steps {
		switch {
		case s.Step == StepRemind && !t.Expired.IsZero(): // there is nothing to be reminded of any more
		case left[s.Step] > 0:
			left[s.Step]--
		default:
			return i
		}
	}
	return len(rule.Steps)
}

// carryTerm is what is to be recorded of a term of the request that runs, under its new
// name. Without a rule it ends.
func (c Migrate) carryTerm(r Request, id TermID, t Term, rule *TermRule, ended Outcome, clock Clock) ([]Body, error) {
	now := c.Occurred.UTC()
	if rule == nil {
		k, err := clock.Reckon(TermRule{ID: id}, t, now) // without steps: it waits for nothing
		dropped := []Body{TermDropped{Term: id, Version: c.To, Reckoning: k}}
		if !k.Due.Equal(t.Due) || t.Stopped() != "" && k.Remaining != t.Left { // by another calendar, which is said first
			dropped = append([]Body{TermRecomputed{Term: id, Was: t.Due, Reckoning: k}}, dropped...)
		}
		return dropped, err
	}
	if ended != "" {
		return nil, nil // it ends with the request, and that is recorded so
	}
	var bodies []Body
	moved, err := recompute(rule, t, now, clock)
	if err != nil {
		return nil, err
	}
	if moved, ok := moved.(TermRecomputed); ok {
		bodies, t = append(bodies, moved), t.reckoned(moved.Reckoning)
	}
	was := c.former(r, id)
	shorter, take := c.Take[was]
	next := t
	if !take || t.dated(rule) {
		err = c.ends(r, was, t, rule)
	}
	if take && err == nil {
		still := r.Halt != "" || rule.Stop != ""
		next, err = c.budgeted(id, t, rule, shorter, still, clock)
	}
	if err != nil {
		return nil, err
	}
	k, err := clock.Reckon(*rule, next, now)
	if err != nil {
		return nil, err
	}
	if next.Budget != t.Budget || next.Promise != t.Promise || !k.Wakes.Equal(t.Wakes) {
		bodies = append(bodies, TermCarried{Term: id, Budget: next.Budget, Promise: next.Promise, WasBudget: t.Budget, Was: t.Due, Reckoning: k})
		next = next.reckoned(k)
	}
	return passed(bodies, id, next, rule, now, clock)
}

// former is what an open term of the request was called until now.
func (p *Plan) former(r Request, now TermID) TermID {
	for _, id := range r.TermIDs() {
		if r.Terms[id].Open() && p.Called(id) == now {
			return id
		}
	}
	return now
}

// ends holds that what follows from a term which keeps its budget is what followed until
// now: the law decides when a version says so, not at the time of one by the rule of
// another. After it has run out nothing follows any more.
func (c Migrate) ends(r Request, was TermID, t Term, rule *TermRule) error {
	before := TermRule{}
	for _, x := range TermsOf(r, c.Former) {
		if x.ID == was {
			before = x
		}
	}
	if !t.Expired.IsZero() || before.Follows() == rule.Follows() {
		return nil
	}
	keeps, remedy := t.Budget, "say take: new of it in the map, so that it gets the budget too"
	if !t.Until.IsZero() {
		keeps = "date"
	}
	if t.dated(rule) {
		remedy = fmt.Sprintf("have a version after %d in which the same follows as until now", c.To)
	}
	return refuse(RuleMigration, fmt.Sprintf("term %q keeps its %s, and when it runs out %s by version %d, %s by version %d", rule.ID, keeps, rule.Follows(), c.To, before.Follows(), c.From),
		remedy+", or name the request under except")
}

// dated reports whether a term is due at a date, or would be by a rule of another version:
// neither has a budget to take.
func (t Term) dated(rule *TermRule) bool { return !t.Until.IsZero() || rule.Date != "" }

// Follows is what becomes of the request when the term runs out, in words.
func (rule *TermRule) Follows() string {
	switch {
	case rule.To == "":
		return "nothing is decided"
	case rule.Ground == Lapse:
		return "it lapses"
	}
	return string(rule.Ground)
}

// begin is what is to be recorded of the legal terms that run only under the other
// version and are not begun by what is done from now on. Such a term begins where it
// would have begun there, so that nothing of the law's time is given once more. Where no
// legal term has run, there is nothing to be given, and it begins now.
func (c Migrate) begin(after Request, rules []TermRule, clock Clock) ([]Body, error) {
	now := c.Occurred.UTC()
	var bodies []Body
	for i := range rules {
		rule := &rules[i]
		t, had := after.Terms[rule.ID]
		if rule.imported || !rule.ID.Legal() || had && !t.Dropped || !rule.counts(&after, had) {
			continue // an imported case keeps what its terms came to by its record
		}
		if rule.Date != "" && !had {
			if at, _ := after.until(rule); !at.After(now) {
				return nil, ranOut(rule.ID, at, "name the request under except")
			}
			continue // it starts by itself: a date is no time that could be given once more
		}
		b := TermContinued{Term: rule.ID, Budget: t.Budget, Promise: t.Promise, Of: rule.ID, Since: t.Started}
		if !had {
			b.Budget, b.Promise = rule.Budget, rule.Promise
			if b.Of, b.Since = after.lawSince(rule, now); b.Of == "" {
				continue
			}
		}
		next := b.from(after.Terms[b.Of], now)
		k, err := clock.Reckon(*rule, next, now)
		if err != nil {
			return nil, err
		}
		if next.Expired.IsZero() && !k.Due.IsZero() && !k.Due.After(now) {
			return nil, ranOut(rule.ID, k.Due, "say under terms which term of the former version it is, or name the request under except")
		}
		b.Reckoning = k
		if bodies, err = passed(append(bodies, b), rule.ID, next.reckoned(k), rule, now, clock); err != nil {
			return nil, err
		}
	}
	return bodies, nil
}

// lawSince is the legal term that tells since when, at the earliest after what starts a
// rule was first done, the law's time has run, and how it stood still; empty when none
// ever ran. Of several, it is the one that stood still least.
func (r Request) lawSince(rule *TermRule, now time.Time) (TermID, time.Time) {
	first := r.started(rule)
	var of TermID
	for _, id := range r.TermIDs() {
		t := r.Terms[id]
		if !id.Legal() || t.Started.IsZero() {
			continue
		}
		best := r.Terms[of]
		late, bestLate := t.Started.After(first), best.Started.After(first)
		switch {
		case of == "", !late && bestLate, late && bestLate && t.Started.Before(best.Started), !late && !bestLate && t.stood(first, now) < best.stood(first, now):
			of = id
		}
	}
	return of, later(first, r.Terms[of].Started)
}

// stood is for how long a term has stood still since a moment, by the clock on the wall.
func (t Term) stood(since, now time.Time) time.Duration {
	var d time.Duration
	for _, s := range t.run(now).Stops {
		if s.To.After(since) {
			d += s.To.Sub(later(s.From, since))
		}
	}
	return d
}

func ranOut(id TermID, at time.Time, remedy string) error {
	return refuse(RuleMigration, fmt.Sprintf("term %q would have run out at %s already", id, at.Format(time.RFC3339)), remedy)
}

// budgeted is a term with the budget of the other version, as it was ordered. It never
// runs out before the moment in which it is given. Of one that stands still from then on,
// nobody knows when it would be due: only where both are counted alike is it known that the
// one is not shorter than the other.
func (c Migrate) budgeted(id TermID, t Term, rule *TermRule, shorter, still bool, clock Clock) (Term, error) {
	now := c.Occurred.UTC()
	next := t
	next.Budget, next.Promise = rule.Budget, rule.Promise
	if t.dated(rule) {
		return t, refuse(RuleMigration, fmt.Sprintf("term %q is due at a date that stands in the application, in one of the versions", id), "leave take: new out of the map: it keeps its due time")
	}
	if !t.Expired.IsZero() || next.Budget == t.Budget && next.Promise == t.Promise {
		return t, nil
	}
	mended := t.ExtendedOtherwise(clock) != "" && next.ExtendedOtherwise(clock) == ""
	if len(t.Extended) > 0 && next.Budget != t.Budget && !mended {
		return t, refuse(RuleMigration, fmt.Sprintf("term %q was extended upon its own budget of %s", id, t.Budget), "leave the term as it is, or name the request under except")
	}
	was, err := clock.Reckon(*rule, t.run(now), now)
	if err != nil {
		return t, err
	}
	is, err := clock.Reckon(*rule, next.run(now), now)
	switch {
	case err != nil:
		return t, err
	case is.Due.IsZero():
		return t, refuse(RuleMigration, fmt.Sprintf("no calendar reaches to where term %q would be due", id), "leave the term as it is, or add the years that lack to the calendar")
	case !is.Due.After(now):
		return t, ranOut(id, is.Due, "leave the term as it is, or name the request under except")
	case was.Due.IsZero() && !mended && !shorter:
		return t, refuse(RuleMigration, fmt.Sprintf("term %q would be shorter: due at %s, and no calendar reaches yet to where it is due now", id, is.Due.Format(time.RFC3339)),
			"leave the term as it is, or say shorter: true of it in the map")
	case is.Due.Before(was.Due) && !shorter:
		return t, refuse(RuleMigration, fmt.Sprintf("term %q would be shorter: due at %s, not %s", id, is.Due.Format(time.RFC3339), was.Due.Format(time.RFC3339)),
			"leave the term as it is, or say shorter: true of it in the map")
	case still && !shorter && !clock.Alike(t.Budget, next.Budget):
		return t, refuse(RuleMigration, fmt.Sprintf("term %q may be shorter: it stands still, and would be of %s and not %s, which is counted otherwise", id, next.Budget, t.Budget),
			"leave the term as it is, or say shorter: true of it in the map")
	}
	return next, nil
}

// passed adds what would have been said of a term by now, had it always been under
// these rules: it is said now, and not dated back.
func passed(bodies []Body, id TermID, t Term, rule *TermRule, now time.Time, clock Clock) ([]Body, error) {
	for t.Steps < len(rule.Steps) {
		k, err := clock.Reckon(*rule, t.run(now), now)
		if err != nil || k.Wakes.IsZero() || !k.Wakes.Before(now) {
			return bodies, err
		}
		step := rule.Steps[t.Steps]
		if step.Step == StepExpire {
			return nil, refuse(RuleTerm, fmt.Sprintf("the time of term %q came at %s, and what follows from it is not recorded yet", id, k.Wakes.Format(time.RFC3339)), "try again")
		}
		t = t.stepped(step.Step, now)
		if k, err = clock.Reckon(*rule, t, now); err != nil {
			return nil, err
		}
		t = t.reckoned(k)
		if step.Step == StepRemind {
			bodies = append(bodies, TermReminded{Term: id, Role: step.Role, Reckoning: k})
			continue
		}
		bodies = append(bodies, TermEscalated{Term: id, Step: step.Step, Role: step.Role, Reckoning: k})
	}
	return bodies, nil
}

// refilled refuses a migration that lets a legal term begin from nothing although the
// law's time has run: it would be the same time under another name, given once more.
func refilled(r Request, events []Event) error {
	var ran TermID
	for _, id := range r.TermIDs() {
		if id.Legal() && !r.Terms[id].Started.IsZero() {
			ran = id
		}
	}
	for _, e := range events {
		if b, ok := e.Body.(TermStarted); ok && b.Term.Legal() && b.Date == "" && ran != "" {
			return refuse(RuleMigration, fmt.Sprintf("term %q would begin from nothing, and term %q has run", b.Term, ran),
				fmt.Sprintf("say under terms that %s is %s now, or name the request under except", ran, b.Term))
		}
	}
	return nil
}
