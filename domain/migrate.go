package domain

import (
	"fmt"
	"maps"
)

// Migrate moves a running request to another version of its workflow. It is decided
// by the rules of that version.
type Migrate struct {
	Header
	Plan

	// Former is the version that the request is under, by which its terms have run.
	Former Workflow
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
	// Take holds the terms, by their former names, that get the budget of the other
	// version and what follows as it runs out; true where also a shorter one.
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
	if err := c.clear(r.State); err != nil {
		return err
	}
	ref := w.Ref()
	switch {
	case c.Actor.SamePerson(c.Approver):
		return refuse(RuleFourEyes, "whoever migrates requests may not approve of it", "let somebody else approve")
	case c.Ground == Basis{}:
		return refuse(RuleMigration, "the migration has no ground", "say which rule it rests on")
	case r.Outcome != "":
		return refuse(RuleMigration, "the request has ended", "only what runs is moved to another version")
	case ref.ID != r.Workflow.ID || ref.Version != c.To || c.From == c.To:
		return refuse(RuleMigration, fmt.Sprintf("version %d of %s is not where the migration leads", ref.Version, ref.ID), "")
	case r.Workflow.Version != c.From:
		return refuse(RuleMigration, fmt.Sprintf("the request is under version %d, not %d", r.Workflow.Version, c.From), "")
	case c.Former == nil || c.Former.Ref() != r.Workflow:
		return refuse(RuleMigration, fmt.Sprintf("the migration does not know version %d, which the request is under", c.From), "")
	}
	return nil
}

// clear holds that what applicants are told of the move may stand in the clear.
func (p *Plan) clear(from StateID) error {
	if err := p.Ground.CheckClear("the ground"); err != nil {
		return err
	}
	return p.Elsewhere[from].CheckClear(fmt.Sprintf("the ground on which requests in %q end", from))
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
