package workflows

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"

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
	if c, ok := c.(domain.Pay); ok {
		return n.pay(c)
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
	s, override := n.state(), t.Kind == domain.ActionOverride
	reasons := slices.Contains(t.Reasons, c.Reason) || len(t.Reasons) == 0 && c.Reason == ""
	rule = first(n.may(c.Actor, t.Roles...), n.working(c.Actor),
		unless(!slices.ContainsFunc(t.NotBy, func(a domain.ActionID) bool { return n.did(c.Actor.ID, a) }), domain.RuleFourEyes),
		unless(reasons && (!override || c.Remark != ""), domain.RuleReason))
	if rule == "" && t.Kind == domain.ActionCorrect {
		n.anew, rule = n.corrects(c)
	}
	if !override {
		rule = first(rule, n.lacks(t))
	}
	facts := n.anew
	n.anew = nil
	if rule != "" {
		return nil, rule
	}
	kind := t.Kind
	if s.Kind == KindEnd {
		kind = domain.ActionReopen
	}
	taken := []said{{c.Actor, n.taken(t, c.Reason, kind)}}
	if len(t.Records) > 0 {
		seen, told := c.Facts["seen"].(bool)
		if !told || len(c.Facts) > 1 {
			return nil, domain.RuleFacts
		}
		taken, c.Facts = append(taken, said{c.Actor, domain.FactsRecorded{Facts: domain.Facts{"seen": seen}}}), nil
	}
	for _, id := range t.Clears {
		if n.answered(id) {
			taken = append(taken, said{c.Actor, domain.ChecklistCleared{Checklist: id}})
		}
	}
	if kind != domain.ActionCorrect {
		if len(c.Facts)+len(c.Form) > 0 {
			return nil, domain.RuleFacts
		}
		return n.follow(taken...)
	}
	return n.follow(append([]said{{c.Actor, domain.RequestCorrected{Facts: facts}}}, taken...)...)
}

// corrects is the facts that a correction leads to.
func (n *naive) corrects(c domain.Act) (domain.Facts, domain.Rule) {
	facts, rule := n.clear(c.Facts, c.Form)
	if seen, known := n.facts()["seen"]; known && rule == "" {
		facts["seen"] = seen
	}
	return facts, rule
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

// working is the rule against whoever works where the work is somebody else's.
func (n *naive) working(a domain.Actor) domain.Rule {
	s := n.state()
	theirs := s.Allocate != nil && (a.Role == s.Owner || n.known(a.ID, s.Owner))
	return unless(!theirs || n.worker() == a.ID, domain.RuleTask)
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

// pay is a payment for each fee that is named, or the rule against one of them.
func (n *naive) pay(c domain.Pay) ([]said, domain.Rule) {
	all := append([]domain.Payment{{Fee: c.Fee, Amount: c.Amount}}, c.Also...)
	rule := first(n.open(c.Expected, nil), n.may(c.Actor, n.d.Payers...), unless(c.Receipt != "", domain.RuleFee))
	var paid []said
	for i, x := range all {
		amount, known, settled := n.fee(x.Fee)
		twice := slices.ContainsFunc(all[:i], func(y domain.Payment) bool { return y.Fee == x.Fee })
		rule = first(rule, unless(known && !settled && !twice && amount == x.Amount, domain.RuleFee))
		paid = append(paid, said{c.Actor, domain.FeePaid{Fee: x.Fee, Amount: x.Amount, Receipt: c.Receipt}})
	}
	if rule != "" {
		return nil, rule
	}
	return n.follow(paid...)
}

func (n *naive) add(c domain.Command) (domain.Body, domain.Rule) {
	switch c := c.(type) {
	case domain.Attach:
		for _, x := range n.d.Documents {
			if x.ID == c.Document {
				b, _ := last[domain.DocumentAttached](n, c.Document)
				fits := slices.Contains(x.Formats, c.Format) && c.Bytes > 0 && c.Bytes <= 1024
				return domain.DocumentAttached{Document: c.Document, Number: b.Number + 1, Format: c.Format, Bytes: c.Bytes, SHA256: c.SHA256},
					first(n.open(c.Expected, x.In), n.may(c.Actor, x.By...), unless(fits, domain.RuleDocument))
			}
		}
		return nil, domain.RuleDocument
	case domain.RefuseDocument:
		for _, x := range n.d.Documents {
			if x.ID == c.Document {
				b, _ := last[domain.DocumentAttached](n, c.Document)
				return domain.DocumentRefused{Document: c.Document, Number: b.Number, Reason: c.Reason},
					first(n.open(c.Expected, x.RefusedIn), n.may(c.Actor, x.RefusedBy...), n.working(c.Actor), unless(n.attached(x.ID), domain.RuleDocument), unless(slices.Contains(x.Reasons, c.Reason), domain.RuleReason))
			}
		}
		return nil, domain.RuleDocument
	case domain.AnswerCheck:
		for _, x := range n.d.Checklists {
			if slices.ContainsFunc(x.Items, func(i CheckItem) bool { return c.Checklist == x.ID && c.Item == i.ID }) {
				return domain.CheckAnswered{Checklist: x.ID, Item: c.Item, Yes: c.Yes}, first(n.open(c.Expected, x.In), n.may(c.Actor, x.By...), n.working(c.Actor))
			}
		}
		return nil, domain.RuleChecklist
	case domain.GiveReview:
		for _, x := range n.d.Reviews {
			if x.ID == c.Review {
				return domain.ReviewGiven{Review: x.ID, Opinion: c.Opinion, Reason: c.Reason},
					first(n.open(c.Expected, nil), n.may(c.Actor, x.Role), unless(n.review(x.ID) == domain.OpinionOpen, domain.RuleReview), unless(!n.gaveAnother(c.Actor.ID, &x), domain.RuleFourEyes),
						unless(n.working(c.Actor) == "" || n.gaveAnother(n.worker(), &x), domain.RuleTask), unless((c.Opinion == domain.OpinionRefused) == (c.Reason == "why"), domain.RuleReason))
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
			first(n.open(c.Expected, nil), unless(s.Allocate != nil, domain.RuleTask), n.may(c.Actor, s.Owner), unless(n.worker() == "" && s.Allocate != nil && s.Allocate.Rule == "order", domain.RuleTask))
	case domain.Allocate:
		return n.allocate(c)
	case domain.Reassign:
		return domain.TaskReassigned{State: s.ID, To: c.To, Reason: c.Reason},
			first(n.open(c.Expected, nil), unless(s.Allocate != nil, domain.RuleTask), n.may(c.Actor, "head"))
	}
	panic("no such command")
}

// allocate is who is given the work by rule, or the rule against it.
func (n *naive) allocate(c domain.Allocate) (domain.Body, domain.Rule) {
	s := n.state()
	rule := first(n.open(c.Expected, nil), unless(s.Allocate != nil, domain.RuleTask))
	if c.Actor.Role != "system" || c.Actor.Capacity != domain.CapacitySystem {
		rule = first(rule, n.may(c.Actor, "head"))
	}
	rule = first(rule, unless(s.Allocate != nil && s.Allocate.Rule != "order" && n.worker() == "" && len(c.Candidates) > 0 && len(c.Seed) == 64, domain.RuleTask))
	if rule != "" {
		return nil, rule
	}
	_, ready := last[domain.TaskReady](n)
	given := domain.TaskAllocated{State: s.ID, Rule: s.Allocate.Rule, Ready: domain.Version(ready + 1), Seed: c.Seed, Candidates: slices.Clone(c.Candidates)}
	slices.SortFunc(given.Candidates, func(a, b domain.Candidate) int { return strings.Compare(a.Officer, b.Officer) })
	var pool []domain.Candidate
	for i, x := range given.Candidates {
		if i > 0 && x.Officer == given.Candidates[i-1].Officer || x.Load < 0 {
			return nil, domain.RuleTask
		}
		if n.barred(x.Officer, s) {
			given.Barred = append(given.Barred, x.Officer)
		} else if lighter := slices.ContainsFunc(pool, func(y domain.Candidate) bool { return y.Load < x.Load }); !lighter || given.Rule == "lottery" {
			pool = slices.DeleteFunc(pool, func(y domain.Candidate) bool { return y.Load > x.Load && given.Rule == "least_loaded" })
			pool = append(pool, x)
		}
	}
	if len(pool) == 0 {
		return nil, domain.RuleFourEyes
	}
	id := n.log[0].body.(domain.RequestSubmitted).Request
	given.To = pool[lot(c.Seed, id[:], given.Ready, int64(len(pool)))].Officer
	return given, ""
}

// lot is a number below n, drawn as the documentation has it.
func lot(seed string, request []byte, ready domain.Version, n int64) int64 {
	key, _ := hex.DecodeString(seed)
	for attempt := 0; ; attempt++ {
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s%s", request, unhex(fmt.Sprintf("%016x%08x", ready, attempt)))
		drawn, whole := new(big.Int).SetBytes(mac.Sum(nil)[:8]), new(big.Int).Lsh(big.NewInt(1), 64)
		fair := whole.Sub(whole, new(big.Int).Mod(whole, big.NewInt(n)))
		if drawn.Cmp(fair) < 0 {
			return drawn.Mod(drawn, big.NewInt(n)).Int64()
		}
	}
}

func unhex(s string) []byte { b, _ := hex.DecodeString(s); return b }

// did reports whether somebody took an action, or submitted the request where no action
// is called so.
func (n *naive) did(person string, a domain.ActionID) bool {
	called := slices.ContainsFunc(n.d.Actions, func(x Action) bool { return x.ID == "submit" })
	return a == "submit" && !called && n.log[0].by.ID == person || slices.ContainsFunc(n.log, func(x said) bool {
		if b, ok := x.body.(domain.ReviewGiven); ok {
			return x.by.ID == person && "review:"+domain.ActionID(b.Review) == a
		}
		b, ok := x.body.(domain.ActionTaken)
		return ok && x.by.ID == person && b.Action == a
	})
}

// gaveAnother reports whether somebody did what the giver of a review did not do, or gave
// another of those that the same state asks for.
func (n *naive) gaveAnother(person string, x *Review) bool {
	return slices.ContainsFunc(x.NotBy, func(a domain.ActionID) bool { return n.did(person, a) }) || slices.ContainsFunc(n.log, func(s said) bool {
		b, given := s.body.(domain.ReviewGiven)
		return given && s.by.ID == person && b.Review != x.ID && slices.ContainsFunc(n.d.States, func(s State) bool {
			return slices.Contains(s.Reviews, x.ID) && slices.Contains(s.Reviews, b.Review)
		})
	})
}

// barred reports whether somebody did what four eyes hold apart from anything that the
// owner may do here.
func (n *naive) barred(person string, s *State) bool {
	did := func(a domain.ActionID) bool { return n.did(person, a) }
	apart := func(from domain.ActionID) bool {
		return slices.ContainsFunc(n.d.Separate, func(gate []domain.ActionID) bool {
			return slices.Contains(gate, from) && slices.ContainsFunc(gate, func(a domain.ActionID) bool { return a != from && did(a) })
		})
	}
	return slices.ContainsFunc(n.d.Transitions, func(t Transition) bool {
		return slices.Contains(t.From, s.ID) && slices.Contains(t.Roles, s.Owner) && (slices.ContainsFunc(t.NotBy, did) || apart(t.Action))
	}) || slices.ContainsFunc(n.d.Reviews, func(x Review) bool {
		return slices.Contains(s.Reviews, x.ID) && x.Role == s.Owner && (slices.ContainsFunc(x.NotBy, did) || apart("review:"+domain.ActionID(x.ID)))
	})
}

// known reports whether the log tells that somebody is of a role.
func (n *naive) known(person string, role domain.RoleID) bool {
	return slices.ContainsFunc(n.log, func(x said) bool {
		switch b := x.body.(type) {
		case domain.TaskReassigned:
			if b.To == person && n.d.state(b.State).Owner == role {
				return true
			}
		case domain.TaskAllocated:
			if n.d.state(b.State).Owner == role && slices.ContainsFunc(b.Candidates, func(c domain.Candidate) bool { return c.Officer == person }) {
				return true
			}
		}
		return x.by.ID == person && x.by.Role == role
	})
}
