package workflows

import (
	"slices"

	"github.com/alur-id/alur/domain"
)

// ruleConflict stands for a [*domain.ConflictError].
const ruleConflict domain.Rule = "conflict"

// give is what a command leads to: what is then said, or the rule against it.
func (n *naive) give(c domain.Command) ([]said, domain.Rule) {
	if c, ok := c.(domain.Submit); ok {
		return n.submit(c)
	}
	if len(n.log) == 0 {
		return nil, domain.RuleNotSubmitted
	}
	if c, ok := c.(domain.Act); ok {
		return n.act(c)
	}
	body, rule := n.add(c)
	if rule != "" {
		return nil, rule
	}
	return n.follow(said{c.Head().Actor, body})
}

// may is the rule against an actor who is none of these.
func (n *naive) may(a domain.Actor, roles ...domain.RoleID) domain.Rule {
	if !slices.Contains(roles, a.Role) {
		return domain.RuleRole
	}
	for _, r := range n.d.Roles {
		if r.ID == a.Role && slices.Contains(r.Capacities, a.Capacity) {
			return ""
		}
	}
	return domain.RuleCapacity
}

func (n *naive) submit(c domain.Submit) ([]said, domain.Rule) {
	if len(n.log) > 0 {
		return nil, domain.RuleAlreadySubmitted
	}
	if rule := n.may(c.Actor, n.d.Submit...); rule != "" {
		return nil, rule
	}
	facts, rule := n.clear(c.Facts, c.Form)
	if rule != "" {
		return nil, rule
	}
	start := n.d.state("start")
	return n.follow(said{c.Actor, domain.RequestSubmitted{
		Request: domain.RequestID(c.ID), Reference: c.Reference, State: start.ID, Public: start.Public, Facts: facts,
	}})
}

// edge is the transition that an action means, or the rule against it.
func (n *naive) edge(a domain.ActionID) (*Transition, domain.Rule) {
	rule := domain.RuleUnknownAction
	for _, x := range n.d.Actions {
		if x.ID == a {
			rule = domain.RuleNotFromHere
		}
	}
	for i := range n.d.Transitions {
		t := &n.d.Transitions[i]
		if t.Action != a || t.Automatic || !slices.Contains(t.From, n.state().ID) {
			continue
		}
		if n.holds(t.When) {
			return t, ""
		}
		rule = domain.RuleGuard
	}
	return nil, rule
}

func (n *naive) act(c domain.Act) ([]said, domain.Rule) {
	if c.Expected != 0 && int(c.Expected) != len(n.log) {
		return nil, ruleConflict
	}
	t, rule := n.edge(c.Action)
	if rule != "" {
		return nil, rule
	}
	if rule := n.may(c.Actor, t.Roles...); rule != "" {
		return nil, rule
	}
	s, override := n.state(), t.Kind == domain.ActionOverride
	switch {
	case s.Allocate != nil && c.Actor.Role == s.Owner && n.worker() != c.Actor.ID:
		return nil, domain.RuleTask
	case slices.ContainsFunc(n.log, func(x said) bool {
		b, ok := x.body.(domain.ActionTaken)
		return ok && x.by.ID == c.Actor.ID && slices.Contains(t.NotBy, b.Action)
	}):
		return nil, domain.RuleFourEyes
	case len(t.Reasons) == 0 && c.Reason != "", len(t.Reasons) > 0 && !slices.Contains(t.Reasons, c.Reason), override && c.Remark == "":
		return nil, domain.RuleReason
	}
	if rule := n.lacks(t); rule != "" && !override {
		return nil, rule
	}
	kind := t.Kind
	if s.Kind == KindEnd {
		kind = domain.ActionReopen
	}
	taken := said{c.Actor, n.taken(t, c.Reason, kind)}
	if kind != domain.ActionCorrect {
		if len(c.Facts)+len(c.Form) > 0 {
			return nil, domain.RuleFacts
		}
		return n.follow(taken)
	}
	facts, rule := n.clear(c.Facts, c.Form)
	if rule != "" {
		return nil, rule
	}
	return n.follow(said{c.Actor, domain.RequestCorrected{Facts: facts}}, taken)
}

// open is the rule against adding anything where the request stands.
func (n *naive) open(expected domain.Version, in []domain.StateID) domain.Rule {
	s := n.state()
	switch {
	case expected != 0 && int(expected) != len(n.log):
		return ruleConflict
	case s.Kind == KindEnd, len(in) > 0 && !slices.Contains(in, s.ID):
		return domain.RuleNotFromHere
	}
	return ""
}

// first is the first of some rules that is one.
func first(rules ...domain.Rule) domain.Rule {
	for _, r := range rules {
		if r != "" {
			return r
		}
	}
	return ""
}

// unless is the rule where something does not hold.
func unless(holds bool, rule domain.Rule) domain.Rule {
	if holds {
		return ""
	}
	return rule
}

func (n *naive) add(c domain.Command) (domain.Body, domain.Rule) {
	switch c := c.(type) {
	case domain.Attach:
		for _, x := range n.d.Documents {
			if x.ID == c.Document {
				_, i := last(n, func(b domain.DocumentAttached) bool { return b.Document == c.Document })
				number := 1
				if i >= 0 {
					number = n.log[i].body.(domain.DocumentAttached).Number + 1
				}
				fits := slices.Contains(x.Formats, c.Format) && c.Bytes > 0 && c.Bytes <= 1024
				return domain.DocumentAttached{Document: c.Document, Number: number, Format: c.Format, Bytes: c.Bytes, SHA256: c.SHA256},
					first(n.open(c.Expected, x.In), n.may(c.Actor, x.By...), unless(fits, domain.RuleDocument))
			}
		}
		return nil, domain.RuleDocument
	case domain.RefuseDocument:
		for _, x := range n.d.Documents {
			if x.ID == c.Document {
				b, _ := last(n, func(b domain.DocumentAttached) bool { return b.Document == c.Document })
				return domain.DocumentRefused{Document: c.Document, Number: b.Number, Reason: c.Reason},
					first(n.open(c.Expected, nil), n.may(c.Actor, x.RefusedBy...), unless(n.attached(x.ID), domain.RuleDocument), unless(slices.Contains(x.Reasons, c.Reason), domain.RuleReason))
			}
		}
		return nil, domain.RuleDocument
	case domain.AnswerCheck:
		for _, x := range n.d.Checklists {
			if slices.ContainsFunc(x.Items, func(i CheckItem) bool { return c.Checklist == x.ID && c.Item == i.ID }) {
				return domain.CheckAnswered{Checklist: x.ID, Item: c.Item, Yes: c.Yes}, first(n.open(c.Expected, x.In), n.may(c.Actor, x.By...))
			}
		}
		return nil, domain.RuleChecklist
	case domain.Pay:
		amount, known, paid := n.fee(c.Fee)
		return domain.FeePaid{Fee: c.Fee, Amount: c.Amount, Receipt: c.Receipt},
			first(n.open(c.Expected, nil), n.may(c.Actor, n.d.Payers...), unless(known && !paid && amount == c.Amount && c.Receipt != "", domain.RuleFee))
	case domain.GiveReview:
		for _, x := range n.d.Reviews {
			if x.ID == c.Review {
				return domain.ReviewGiven{Review: x.ID, Opinion: c.Opinion, Reason: c.Reason},
					first(n.open(c.Expected, nil), n.may(c.Actor, x.Role), unless(n.review(x.ID) == domain.OpinionOpen, domain.RuleReview),
						unless((c.Opinion == domain.OpinionRefused) == (c.Reason == "why"), domain.RuleReason))
			}
		}
		return nil, domain.RuleReview
	}
	return n.addWork(c)
}

func (n *naive) addWork(c domain.Command) (domain.Body, domain.Rule) {
	s := n.state()
	switch c := c.(type) {
	case domain.ReportAnswer:
		rule := domain.RuleAnswer
		if s.WaitsFor == c.System && c.System != "" {
			rule = first(n.may(c.Actor, "bot"), unless(c.Outcome == "good" || c.Outcome == "bad", domain.RuleAnswer))
		}
		if c.Expected != 0 && int(c.Expected) != len(n.log) {
			rule = ruleConflict
		}
		return domain.AnswerReported{System: c.System, Outcome: c.Outcome}, rule
	case domain.Pick:
		return domain.TaskPicked{State: s.ID},
			first(n.open(c.Expected, nil), unless(s.Allocate != nil, domain.RuleTask), n.may(c.Actor, s.Owner), unless(n.worker() == "", domain.RuleTask))
	case domain.Reassign:
		return domain.TaskReassigned{State: s.ID, To: c.To, Reason: c.Reason},
			first(n.open(c.Expected, nil), unless(s.Allocate != nil, domain.RuleTask), n.may(c.Actor, "head"))
	}
	panic("no such command")
}
