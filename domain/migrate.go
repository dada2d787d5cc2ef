package domain

import (
	"fmt"
	"maps"
	"time"
)

// Migrate moves a running request to another version of its workflow. It is decided
// by the rules of that version.
type Migrate struct {
	Header
	Plan
}

// Plan is how the requests under one version of a workflow go on under another.
type Plan struct {
	From, To int // versions

	// Mapping holds what has another name in the other version; that of a request that
	// stands in a state is only what concerns it.
	Mapping
	// Elsewhere holds the states that are not only called otherwise: who stood there
	// comes to the state that Mapping names as if by an action. The basis is why a
	// request ends there, if that is an end.
	Elsewhere map[StateID]Basis
	// Take holds the terms, by their new names, that get the budget of the other
	// version; true where also a shorter one.
	Take map[TermID]bool
	// Values are those of facts, by their new names, for requests that have none.
	Values Facts

	Ground   Basis
	Approver string
	Map      string // the hash of the text that says all this
}

// migrate is what becomes of a request under the workflow that it is moved to.
func migrate(r Request, c Migrate, w Workflow) ([]Body, error) {
	if err := c.mayMove(r, w); err != nil {
		return nil, err
	}
	to, came := c.goes(r.State)
	place, ok := w.Shown(to)
	_, has := w.Order(r.Halt)
	closing := c.Elsewhere[r.State]
	switch {
	case !ok:
		return nil, refuse(RuleMigration, fmt.Sprintf("version %d has no state %q", c.To, to), "say in the map which state takes its place")
	case place.Outcome != "" && (!came || closing == Basis{}):
		return nil, refuse(RuleMigration, fmt.Sprintf("state %q of version %d is an end, and the request runs", to, c.To), "have the map name a state that is none, or say on which ground the request ends")
	case r.Halt != "" && !has:
		return nil, refuse(RuleMigration, fmt.Sprintf("its terms are suspended on ground %q, which nobody could lift under version %d", r.Halt, c.To), "lift the suspension first")
	}
	facts, err := w.AdoptFacts(c.facts(r.Facts))
	if err == nil {
		err = nothingPersonal(facts, nil)
	}
	if err != nil {
		return nil, err
	}
	body := RequestMigrated{
		FromVersion: c.From, ToVersion: c.To, From: r.State, To: to, Came: came, Public: place.Public, Outcome: place.Outcome,
		Facts: facts, Mapping: c.concerning(r), Ground: c.Ground, Approver: c.Approver, Map: c.Map,
	}
	if place.Outcome != "" {
		body.Closing = closing
	}
	return c.carry(r, body, w)
}

// mayMove says whether the request may be moved at all.
func (c Migrate) mayMove(r Request, w Workflow) error {
	if err := r.as(0); err != nil {
		return err
	}
	if err := (Actor{ID: c.Approver, Role: c.Actor.Role, Capacity: c.Actor.Capacity}).Check(); err != nil {
		return err
	}
	ref := w.Ref()
	switch {
	case c.Approver == c.Actor.ID:
		return refuse(RuleFourEyes, "whoever migrates requests may not approve of it", "let somebody else approve")
	case c.Ground == Basis{}:
		return refuse(RuleMigration, "the migration has no ground", "say which rule it rests on")
	case r.Outcome != "":
		return refuse(RuleMigration, "the request has ended", "only what runs is moved to another version")
	case ref.ID != r.Workflow.ID || ref.Version != c.To || c.From == c.To:
		return refuse(RuleMigration, fmt.Sprintf("version %d of %s is not where the migration leads", ref.Version, ref.ID), "")
	case r.Workflow.Version != c.From:
		return refuse(RuleMigration, fmt.Sprintf("the request is under version %d, not %d", r.Workflow.Version, c.From), "")
	}
	return nil
}

// goes is where a request in a state goes, and whether it comes there as by an action.
func (p *Plan) goes(from StateID) (StateID, bool) {
	_, came := p.Elsewhere[from]
	return Called(p.States, from), came
}

// facts are those of a request as the other version calls them.
func (p *Plan) facts(f Facts) Facts {
	out := maps.Clone(p.Values)
	if out == nil {
		out = Facts{}
	}
	for name, v := range f {
		if now := Called(p.Facts, name); now != "" {
			out[now] = v
		}
	}
	return out
}

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
	bodies := []Body{body}
	for _, id := range after.TermIDs() {
		t := after.Terms[id]
		if !t.Open() {
			continue
		}
		more, err := c.carryTerm(id, t, rules[id], after.Outcome, clock)
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, more...)
	}
	return bodies, nil
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

// carryTerm is what is to be recorded of a term that runs. Without a rule it ends.
func (c Migrate) carryTerm(id TermID, t Term, rule *TermRule, ended Outcome, clock Clock) ([]Body, error) {
	now := c.Occurred.UTC()
	if rule == nil {
		k, err := clock.Reckon(TermRule{ID: id}, t, now) // without steps: it waits for nothing
		dropped := []Body{TermDropped{Term: id, Version: c.To, Reckoning: k}}
		if !k.Due.Equal(t.Due) { // by another calendar, which is said first
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
	next, err := c.budgeted(id, t, rule, clock)
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

// budgeted is a term with the budget of the other version, where that was ordered. It
// never runs out before the moment in which it is given.
func (c Migrate) budgeted(id TermID, t Term, rule *TermRule, clock Clock) (Term, error) {
	now := c.Occurred.UTC()
	next := t
	next.Budget, next.Promise = rule.Budget, rule.Promise
	shorter, take := c.Take[id]
	if take && (!t.Until.IsZero() || rule.Date != "") {
		return t, refuse(RuleMigration, fmt.Sprintf("term %q is due at a date that stands in the application, in one of the versions", id), "leave the term as it is: it keeps its due time")
	}
	if !take || !t.Expired.IsZero() || next.Budget == t.Budget && next.Promise == t.Promise {
		return t, nil
	}
	if len(t.Extended) > 0 && next.Budget != t.Budget {
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
	case !is.Due.After(now):
		return t, refuse(RuleMigration, fmt.Sprintf("term %q would have run out at %s already", id, is.Due.Format(time.RFC3339)), "leave the term as it is, or name the request under except")
	case is.Due.Before(was.Due) && !shorter:
		return t, refuse(RuleMigration, fmt.Sprintf("term %q would be shorter: due at %s, not %s", id, is.Due.Format(time.RFC3339), was.Due.Format(time.RFC3339)),
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

// refilled refuses a migration that lets a legal term end and another begin: that would
// be the same time under another name, given once more.
func refilled(events []Event) error {
	var gone, begun TermID
	for _, e := range events {
		switch b := e.Body.(type) {
		case TermDropped:
			if b.Term.Legal() {
				gone = b.Term
			}
		case TermStarted:
			if b.Term.Legal() {
				begun = b.Term
			}
		}
	}
	if gone == "" || begun == "" {
		return nil
	}
	return refuse(RuleMigration, fmt.Sprintf("term %q would end and term %q begin from nothing", gone, begun),
		fmt.Sprintf("say under terms that %s is %s now, or name the request under except", gone, begun))
}
