package workflows

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/alur-id/alur/domain"
)

// reallyHolds says of each rule what must be so where it is named, each by itself and
// whatever was looked at before it.
var reallyHolds = map[domain.Rule]func(*playing, domain.Command) bool{
	ruleConflict:            func(p *playing, c domain.Command) bool { return expected(c) != 0 && expected(c) != p.r.Version },
	domain.RuleNotSubmitted: func(p *playing, c domain.Command) bool { return len(p.story) == 0 },
	domain.RuleAlreadySubmitted: func(p *playing, c domain.Command) bool {
		_, again := c.(domain.Submit)
		return again && len(p.story) > 0
	},
	domain.RuleUnknownAction: func(p *playing, c domain.Command) bool {
		return !slices.ContainsFunc(p.d.Actions, func(a Action) bool { return a.ID == c.(domain.Act).Action })
	},
	domain.RuleNotFromHere: func(p *playing, c domain.Command) bool {
		if _, ok := c.(domain.Act); ok {
			return len(p.edges(c)) == 0
		}
		return p.r.Outcome != "" || !slices.Contains(p.takenIn(c), p.r.State)
	},
	domain.RuleGuard: func(p *playing, c domain.Command) bool {
		return !slices.ContainsFunc(p.edges(c), func(t *Transition) bool { return t.When == nil || p.naive.holds(t.When) })
	},
	domain.RuleRole: func(p *playing, c domain.Command) bool { return !slices.Contains(p.roles(c), c.Head().Actor.Role) },
	domain.RuleCapacity: func(p *playing, c domain.Command) bool {
		return !slices.ContainsFunc(p.d.Roles, func(r Role) bool {
			return r.ID == c.Head().Actor.Role && slices.Contains(r.Capacities, c.Head().Actor.Capacity)
		})
	},
	domain.RuleFacts: func(p *playing, c domain.Command) bool { return !p.factsFit(c) },
	domain.RuleForm: func(p *playing, c domain.Command) bool {
		size, filled := p.form(c)["size"].(float64)
		return p.d.Form != nil && filled && p.d.outside(size)
	},
	domain.RuleReason: func(p *playing, c domain.Command) bool {
		switch c := c.(type) {
		case domain.Act:
			return slices.ContainsFunc(p.edges(c), func(t *Transition) bool {
				return (len(t.Reasons) == 0) != (c.Reason == "") || c.Reason != "" && !slices.Contains(t.Reasons, c.Reason) || t.Kind == domain.ActionOverride && c.Remark == ""
			})
		case domain.GiveReview:
			return (c.Opinion == domain.OpinionApproved) == (c.Reason != "")
		case domain.RefuseDocument:
			return c.Reason != "why"
		}
		return false
	},
	domain.RuleFourEyes: func(p *playing, c domain.Command) bool {
		if c, ok := c.(domain.Allocate); ok {
			return !slices.ContainsFunc(c.Candidates, func(x domain.Candidate) bool { return !p.naive.barred(x.Officer, p.d.state(p.r.State)) })
		}
		if c, ok := c.(domain.GiveReview); ok {
			return p.naive.gaveAnother(c.Actor.ID, p.d.review(c.Review))
		}
		return slices.ContainsFunc(p.edges(c), func(t *Transition) bool {
			return slices.ContainsFunc(t.NotBy, func(a domain.ActionID) bool { return p.naive.did(c.Head().Actor.ID, a) })
		})
	},
	domain.RuleTask: func(p *playing, c domain.Command) bool {
		s := p.d.state(p.r.State)
		switch c := c.(type) {
		case domain.Pick:
			return s.Allocate == nil || p.naive.worker() != "" || s.Allocate.Rule != "order"
		case domain.Allocate:
			officers := map[string]bool{}
			for _, x := range c.Candidates {
				officers[x.Officer] = x.Load >= 0
			}
			unfit := slices.ContainsFunc(c.Candidates, func(x domain.Candidate) bool { return x.Load < 0 }) || len(officers) < len(c.Candidates) || len(officers) == 0 || len(c.Seed) < 64
			return s.Allocate == nil || p.naive.worker() != "" || s.Allocate.Rule == "order" || unfit
		case domain.Reassign:
			return s.Allocate == nil
		default:
			return s.Allocate != nil && p.naive.worker() != c.Head().Actor.ID && (c.Head().Actor.Role == s.Owner || p.naive.known(c.Head().Actor.ID, s.Owner))
		}
	},
	domain.RuleIncomplete: needed(func(p *playing, t *Transition) bool {
		return slices.ContainsFunc(p.d.Documents, func(x Document) bool {
			named := slices.Contains(t.Needs.Documents, x.ID)
			called := t.Needs.Required && (x.Required || x.RequiredWhen != nil && p.naive.holds(x.RequiredWhen))
			return (named || called) && !p.naive.attached(x.ID)
		})
	}),
	domain.RuleUnpaid: needed(func(p *playing, t *Transition) bool {
		return slices.ContainsFunc(t.Needs.Fees, func(id domain.FeeID) bool { return !p.naive.paid(id) })
	}),
	domain.RuleInvariant: func(p *playing, _ domain.Command) bool { return len(p.d.Invariants) > 0 },
	domain.RuleEndless: func(p *playing, _ domain.Command) bool {
		return slices.ContainsFunc(p.d.Transitions, func(t Transition) bool { return t.Automatic })
	},
	domain.RuleDocument: func(p *playing, c domain.Command) bool {
		switch c := c.(type) {
		case domain.Attach:
			return c.Document == "zzz" || c.Format != "pdf" || c.Bytes < 1 || c.Bytes > 1024
		case domain.RefuseDocument:
			return !p.naive.attached(c.Document)
		}
		return false
	},
	domain.RuleFee: func(p *playing, c domain.Command) bool {
		x := c.(domain.Pay)
		named := map[domain.FeeID]bool{}
		return x.Receipt == "" || slices.ContainsFunc(append([]domain.Payment{{Fee: x.Fee, Amount: x.Amount}}, x.Also...), func(y domain.Payment) bool {
			amount, known, paid := p.naive.fee(y.Fee)
			twice := named[y.Fee]
			named[y.Fee] = true
			return !known || paid || amount != y.Amount || twice
		})
	},
	domain.RuleChecklist: func(p *playing, c domain.Command) bool {
		if x, ok := c.(domain.AnswerCheck); ok {
			return !slices.ContainsFunc(p.d.Checklists[0].Items, func(i CheckItem) bool { return i.ID == x.Item })
		}
		return needed(func(p *playing, t *Transition) bool {
			return len(t.Needs.Checklists) > 0 && slices.ContainsFunc(p.d.Checklists[0].Items, func(i CheckItem) bool { return !p.naive.checked("list", i.ID) })
		})(p, c)
	},
	domain.RuleReview: func(p *playing, c domain.Command) bool {
		if x, ok := c.(domain.GiveReview); ok {
			return p.naive.review(x.Review) != domain.OpinionOpen
		}
		return needed(func(p *playing, t *Transition) bool {
			return t.Needs.Reviews != "" && p.naive.opinion(p.d.state(p.r.State)) != t.Needs.Reviews
		})(p, c)
	},
	domain.RuleAnswer: func(p *playing, c domain.Command) bool {
		if x, ok := c.(domain.ReportAnswer); ok {
			return p.d.state(p.r.State).WaitsFor != x.System || x.Outcome == "ugly"
		}
		return needed(func(p *playing, t *Transition) bool {
			return t.Needs.Answer != "" && p.naive.answer("y0") != t.Needs.Answer
		})(p, c)
	},
}

// needed is a rule about the needs of a transition that the action may mean.
func needed(lacks func(*playing, *Transition) bool) func(*playing, domain.Command) bool {
	return func(p *playing, c domain.Command) bool {
		return slices.ContainsFunc(p.edges(c), func(t *Transition) bool {
			if t.Kind == domain.ActionCorrect {
				p.naive.anew, _ = p.naive.corrects(c.(domain.Act)) // by the facts that it brings
				defer func() { p.naive.anew = nil }()
			}
			return t.Needs != nil && lacks(p, t)
		})
	}
}

// edges are the transitions that an action may mean where the request stands.
func (p *playing) edges(c domain.Command) []*Transition {
	var list []*Transition
	for i := range p.d.Transitions {
		if t := &p.d.Transitions[i]; !t.Automatic && t.Action == c.(domain.Act).Action && slices.Contains(t.From, p.r.State) {
			list = append(list, t)
		}
	}
	return list
}

// meant is the one of them whose condition holds.
func (p *playing) meant(c domain.Command) *Transition {
	edges := p.edges(c)
	return edges[slices.IndexFunc(edges, func(t *Transition) bool { return p.naive.holds(t.When) })]
}

// takenIn lists where what a command adds is taken.
func (p *playing) takenIn(c domain.Command) []domain.StateID {
	switch c := c.(type) {
	case domain.Attach:
		for _, x := range p.d.Documents {
			if x.ID == c.Document && len(x.In) > 0 {
				return x.In
			}
		}
	case domain.RefuseDocument:
		for _, x := range p.d.Documents {
			if x.ID == c.Document && len(x.RefusedIn) > 0 {
				return x.RefusedIn
			}
		}
	case domain.AnswerCheck:
		if in := p.d.Checklists[0].In; len(in) > 0 {
			return in
		}
	}
	return ids(p.d.States, func(s State) domain.StateID { return s.ID })
}

// roles are all who may give a command of this kind here.
func (p *playing) roles(c domain.Command) []domain.RoleID {
	switch c := c.(type) {
	case domain.Act:
		return p.meant(c).Roles
	case domain.Pay:
		return p.d.Payers
	case domain.GiveReview:
		return []domain.RoleID{p.d.review(c.Review).Role}
	case domain.ReportAnswer:
		return []domain.RoleID{"bot"}
	case domain.Pick:
		return []domain.RoleID{p.d.state(p.r.State).Owner}
	case domain.Reassign, domain.Allocate:
		return []domain.RoleID{"head"}
	case domain.RefuseDocument:
		i := slices.IndexFunc(p.d.Documents, func(x Document) bool { return x.ID == c.Document })
		return p.d.Documents[i].RefusedBy
	case domain.AnswerCheck:
		return []domain.RoleID{"clerk"}
	}
	return []domain.RoleID{"citizen"}
}

func (p *playing) form(c domain.Command) domain.Personal {
	if c, ok := c.(domain.Submit); ok {
		return c.Form
	}
	return c.(domain.Act).Form
}

// factsFit reports whether facts and form are such as the definition asks for.
func (p *playing) factsFit(c domain.Command) bool {
	facts, form := domain.Facts{}, p.form(c)
	switch c := c.(type) {
	case domain.Submit:
		facts = c.Facts
	case domain.Act:
		facts = c.Facts
		if len(p.meant(c).Records) > 0 {
			_, told := facts["seen"].(bool)
			return told && len(facts) == 1 && len(form) == 0
		}
		if p.meant(c).Kind != domain.ActionCorrect && len(facts)+len(form) > 0 {
			return false
		}
	}
	_, given := facts["n"]
	_, filled := form["size"]
	_, other := facts["other"]
	_, early := facts["seen"]
	other = other || early
	return (given != (p.d.Form != nil) && (p.d.Form == nil || filled)) && facts["kind"] != "z" && !other
}

// expected is the version that whoever gave a command saw.
func expected(c domain.Command) domain.Version {
	switch c := c.(type) {
	case domain.Act:
		return c.Expected
	case domain.Attach:
		return c.Expected
	case domain.RefuseDocument:
		return c.Expected
	case domain.AnswerCheck:
		return c.Expected
	case domain.Pay:
		return c.Expected
	case domain.GiveReview:
		return c.Expected
	case domain.ReportAnswer:
		return c.Expected
	case domain.Pick:
		return c.Expected
	case domain.Reassign:
		return c.Expected
	case domain.Allocate:
		return c.Expected
	}
	return 0
}

// outside reports whether a size is none that the form lets be.
func (d *Definition) outside(size float64) bool {
	field := d.Form.Schema["properties"].(map[string]any)["size"].(map[string]any)
	if most, ok := number64(field["maximum"]); ok && size > most {
		return true
	}
	least, _ := number64(field["minimum"])
	return size < least
}

// number64 is a number as YAML or JSON gave it.
func number64(v any) (float64, bool) {
	text := fmt.Sprint(v)
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}
