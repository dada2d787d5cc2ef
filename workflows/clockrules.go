package workflows

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
)

// returns holds that the clock of the law is stopped by the one return that the engine
// counts, and by no other sending back: a late question that stops the clock once more
// is how a deadline is cheated. A sending back is what leads to where the applicant has
// to act and is told so, or told why, at once or by what follows by itself; a step forward
// that waits for the applicant (a payment, a signature) is none.
func (c *inspection) returns() {
	for i := range c.d.Transitions {
		t, n := &c.d.Transitions[i], c.node("transitions", i)
		if t.Kind == domain.ActionReturn {
			if !c.d.Applicants(c.ways.state(t.To)) {
				c.find(FindingReturn, n, "action %q is a return, of which there is one, and leads to %q, where it is not the applicant who has to act: leave kind return out, or lead to a wait of theirs", t.Action, t.To)
			}
			continue
		}
		back := slices.ContainsFunc(c.atOnce(t), func(to *State) bool {
			return c.d.Applicants(to) && (to.Public == domain.StatusNeedsCorrection || len(t.Reasons) > 0)
		})
		if !back || !t.Automatic && !slices.ContainsFunc(t.Roles, c.staff) {
			continue
		}
		from, term := c.sentBackFrom(t)
		switch {
		case from == "":
		case t.Automatic:
			c.find(FindingReturn, n, "action %q sends a request back from %q by itself while term %q may run, after what staff did, and is counted as no return: have somebody send it back by an action of kind return", t.Action, from, term)
		default:
			c.find(FindingReturn, n, "action %q sends a request back from %q while term %q may run, as often as they like: give it kind return, and lead it to the wait itself (another one needs a consent)", t.Action, from, term)
		}
	}
}

// sentBackFrom is a state that a transition sends a request back from while a legal term may
// run; none of a transition that belongs to the step before it, or follows of nothing that
// staff do.
func (c *inspection) sentBackFrom(t *Transition) (domain.StateID, string) {
	for k := range c.d.Terms {
		for _, id := range t.From {
			from := c.ways.states[id]
			if c.ways.runs[k][from] && (!t.Automatic || c.next(from) != t && c.byStaff(t, from)) {
				return id, c.d.Terms[k].ID
			}
		}
	}
	return "", ""
}

// suspensions holds that a term stands still only where the applicant has to act, or
// where a rule says so, and that nobody orders it for their own work.
func (c *inspection) suspensions() {
	for i := range c.d.Terms {
		for _, id := range c.d.Terms[i].SuspendedIn {
			s := c.ways.state(id)
			if !c.d.Applicants(s) && !slices.ContainsFunc(c.d.Suspensions, func(x Suspension) bool { return slices.Contains(x.In, id) }) {
				c.find(FindingSuspension, c.node("terms", i), "term %q stands still in %q, where the applicant has nothing to do: name the rule that lets it, under suspensions", c.d.Terms[i].ID, id)
			}
		}
	}
	for i := range c.d.Suspensions {
		x := &c.d.Suspensions[i]
		for _, id := range x.In {
			if x.Ground == domain.StopApplicant && !c.d.Applicants(c.ways.state(id)) {
				c.find(FindingSuspension, c.node("suspensions", i), "the ground is that the applicant has to act, and in %q they do not", id)
			}
		}
		for k := range c.d.Terms {
			c.ownWork(FindingSuspension, c.node("suspensions", i), x.Roles, k, "order that it stands still")
		}
	}
}

// extensions holds that nobody extends a term for their own work: whoever sits on a
// file is not the one to say that it takes longer.
func (c *inspection) extensions() {
	for i := range c.d.Terms {
		if x := c.d.Terms[i].Extension; x != nil {
			c.ownWork(FindingExtension, c.node("terms", i), x.Roles, i, "give it more time")
		}
	}
}

// ownWork notes the first role that owns a state where a term runs and may change how
// it does.
func (c *inspection) ownWork(rule string, n ast.Node, roles []domain.RoleID, term int, does string) {
	t, runs := &c.d.Terms[term], c.ways.runs[term]
	for i := range c.d.States {
		s := &c.d.States[i]
		if !runs[i] || s.Kind == KindEnd || slices.Contains(t.SuspendedIn, s.ID) {
			continue
		}
		work := []domain.RoleID{s.Owner}
		for _, id := range s.Reviews {
			work = append(work, c.d.review(id).Role)
		}
		if who := slices.IndexFunc(work, func(id domain.RoleID) bool { return slices.Contains(roles, id) }); who >= 0 {
			c.find(rule, n, "term %q runs in %q while %s has the work, who may also %s: let somebody above decide that", t.ID, s.ID, work[who], does)
			return
		}
	}
}

// deemed holds that what the law makes of silence has a ground in law, and can be looked
// at again. That it starts with what the law counts from is proved ([search.early]).
func (c *inspection) deemed() {
	told := map[*Expiry]bool{}
	reviewed := map[domain.StateID]bool{}
	for i := range c.d.Transitions {
		if t := &c.d.Transitions[i]; t.Kind == domain.ActionReopen {
			for _, from := range t.From {
				reviewed[from] = true
			}
		}
	}
	for _, m := range c.ways.moves {
		if m.expiry.Ground == Lapse || told[m.expiry] {
			continue
		}
		told[m.expiry] = true
		if m.expiry.Basis.IsZero() && m.term < 0 {
			c.find(FindingDeemed, c.root, "the term that runs out in %q makes a decision (%s) without a basis: name the rule that does", m.from, m.expiry.Ground)
		}
		if !reviewed[m.expiry.To] {
			c.find(FindingDeemed, c.node("states", slices.IndexFunc(c.d.States, func(s State) bool { return s.ID == m.expiry.To })),
				"nobody can look again at what the law decided in %q: have a transition of kind reopen out of it", m.expiry.To)
		}
		if m.term >= 0 {
			if t := &c.d.Terms[m.term]; t.Due != "" {
				c.find(FindingDeemed, c.node("terms", m.term), "term %q ends in a decision by law at a date that stands in the application (fact %q): the law gives the time for that; give the term a budget", t.ID, t.Due)
			}
			if slices.ContainsFunc(c.d.Terms[m.term].Starts, c.d.Submits) {
				c.find(FindingDeemed, c.node("terms", m.term), "term %q, which ends in a decision by law, starts with the submission, before anybody declared the file complete: start it with an action of kind complete", c.d.Terms[m.term].ID)
			}
		}
	}
}

// lapses holds that no request is closed because the office kept silent: whoever waits
// has nothing to lose by that. What they have to do themselves they may lose.
func (c *inspection) lapses() {
	told := map[*Expiry]bool{}
	for _, m := range c.ways.moves {
		s := c.ways.state(m.from)
		own := m.review == "" && (c.d.Applicants(s) || s.Kind != KindGather && c.citizen(s.Owner))
		if m.expiry.Ground != Lapse || own || told[m.expiry] {
			continue
		}
		told[m.expiry] = true
		whose, n, instead := fmt.Sprintf("the term of state %q", m.from), c.states[m.from], "escalate, or say what the law decides (deemed_approval, deemed_refusal)"
		switch {
		case m.term >= 0:
			t := &c.d.Terms[m.term]
			whose, n = fmt.Sprintf("term %q", t.ID), c.node("terms", m.term)
			if t.Due != "" {
				instead = "escalate" // nor does a law decide at such a date
			}
		case m.review != "":
			whose, n = fmt.Sprintf("the term of review %q", m.review), c.node("reviews", slices.IndexFunc(c.d.Reviews, func(x Review) bool { return x.ID == m.review }))
		}
		c.find(FindingExpiry, n, "%s closes a request in %q by the silence of the office: it is not the applicant who has to act there, and a lapse is of their own time: %s", whose, m.from, instead)
	}
}

// promises holds that what the agency promises is not more than it has, and that nobody
// calls it an escalation to tell the applicant, or whoever is late alone.
func (c *inspection) promises() {
	each := func(t *Term, late domain.RoleID, list string, i int, whose string) {
		if b := t.Promise; b != nil && (b.Measure() != t.Budget.Measure() || b.Span() > t.Budget.Span()) {
			c.find(FindingPromise, c.node(list, i), "%s: a promise of %s is longer than the term of %s, or is counted otherwise", whose, b, t.Budget)
		}
		if t.Expires == nil {
			return
		}
		for _, role := range t.Expires.Escalate {
			if c.citizen(role) {
				c.find(FindingExpiry, c.node(list, i), "%s: %s is who waits: escalate to somebody above whoever is late", whose, role)
			}
		}
		if e := t.Expires; e.To != "" && (len(e.Escalate) > 0 || e.Ombudsman) {
			c.find(FindingExpiry, c.node(list, i), "%s: when it runs out the request moves to %q at once, and nobody is told of it as late: leave escalate and ombudsman out, or to", whose, e.To)
			return
		}
		other := func(role domain.RoleID) bool { return role != late && !c.machine(role) || c.citizen(role) }
		switch e := t.Expires; {
		case len(e.Escalate) == 0 || e.Ombudsman || slices.ContainsFunc(e.Escalate, other):
		case !slices.ContainsFunc(e.Escalate, func(role domain.RoleID) bool { return !c.machine(role) }):
			c.find(FindingExpiry, c.node(list, i), "%s: nobody is told but %s, in which nobody but machines acts: escalate to somebody above whoever is late, or say ombudsman: true", whose, domain.Listed(e.Escalate))
		default:
			c.find(FindingExpiry, c.node(list, i), "%s: nobody is told but %s, who is late: escalate to somebody above as well, or say ombudsman: true", whose, late)
		}
	}
	for i := range c.d.Terms {
		each(c.d.Terms[i].term(), "", "terms", i, "term "+c.d.Terms[i].ID)
		c.toldAlone(i)
	}
	for i := range c.d.States {
		s := &c.d.States[i]
		late := s.Owner
		if s.Kind == KindGather || s.WaitsFor != "" {
			late = "" // others are, who give their opinions or answer
		}
		if s.Term != nil {
			each(s.Term, late, "states", i, "state "+string(s.ID))
		}
	}
	for i := range c.d.Reviews {
		if t := c.d.Reviews[i].Term; t != nil {
			each(t, c.d.Reviews[i].Role, "reviews", i, "review "+string(c.d.Reviews[i].ID))
		}
	}
}

// toldAlone holds that a legal term that runs out tells somebody beside whoever is late,
// wherever the term of the state itself does not.
func (c *inspection) toldAlone(term int) {
	t := &c.d.Terms[term]
	for i := range c.d.States {
		s := &c.d.States[i]
		other := func(e *Expiry) bool {
			return e.To != "" || e.Ombudsman || slices.ContainsFunc(e.Escalate, func(role domain.RoleID) bool { return role != s.Owner && !c.machine(role) })
		}
		works := s.Kind == KindStart || s.Kind == KindWork
		if !works || !c.ways.runs[term][i] || t.Expires == nil || other(t.Expires) || s.Term != nil && s.Term.Expires != nil && other(s.Term.Expires) {
			continue
		}
		c.find(FindingExpiry, c.node("terms", term), "term %s: where it runs out in %q, nobody is told but %s, who is late: escalate to somebody above as well, or say ombudsman: true", t.ID, s.ID, s.Owner)
		return
	}
}
