package workflows

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alur-id/alur/domain"
)

func (p *player) header(role domain.RoleID, person string, as domain.Capacity) domain.Header {
	p.n++
	p.now = p.now.Add(time.Minute)
	if person == "" {
		person = string(role) + "-1"
	}
	if as == "" {
		as = domain.CapacityOfficer
		allowed := p.w.Capacities(role)
		if i := slices.IndexFunc(allowed, func(x domain.Capacity) bool { return x != domain.CapacityUnrecorded }); i >= 0 {
			as = allowed[i]
		} else if len(allowed) > 0 {
			as = allowed[0]
		}
	}
	return domain.Header{
		ID: domain.CommandID(p.now, "step", strconv.Itoa(p.n)), Occurred: p.now,
		Actor: domain.Actor{ID: person, Role: role, Capacity: as},
	}
}

func (p *player) submit(g *ScenarioFile) string {
	by := g.By
	if by == "" {
		by = p.w.submission.Roles[0]
	}
	return p.give(domain.Submit{
		Header: p.header(by, "", g.As), Service: p.w.Definition.ID, Reference: "0000-0000-0000",
		Facts: FactsOf(g.Facts), Form: g.Form,
	}, g.Refused)
}

// FactsOf is facts of a YAML file as JSON would have brought them: numbers are of one
// kind.
func FactsOf(m map[string]any) domain.Facts {
	if m == nil {
		return nil
	}
	f := domain.Facts{}
	for name, v := range m {
		if n, ok := v.(int); ok {
			v = float64(n)
		}
		f[name] = v
	}
	return f
}

func (p *player) step(s *Step) string {
	switch {
	case s.Pass != nil:
		due, err := p.calendar.Due(s.Pass.Measure(), p.now, s.Pass.Span())
		if err != nil {
			return "lets time pass for which there is no calendar: " + err.Error()
		}
		p.now = due.At
		return ""
	case s.Until != "":
		if until := p.local(s.until); until.Before(p.now) {
			return fmt.Sprintf("goes back in time, from %s", p.now.In(p.calendar.Zone()).Format(momentForm))
		}
		p.now = p.local(s.until)
		return ""
	}
	if s.Check != "" {
		return p.check(s)
	}
	if text := p.fire(); text != "" {
		return "comes after what follows " + text
	}
	if text := p.elsewhere(s); text != "" {
		return text
	}
	c, text := p.command(s)
	if text != "" {
		return text
	}
	return p.give(c, s.Refused)
}

// command makes of a step what somebody would send.
func (p *player) command(s *Step) (domain.Command, string) {
	by := func(roles ...domain.RoleID) domain.Header {
		role := s.By
		if role == "" && len(roles) > 0 {
			role = roles[0]
		}
		return p.header(role, s.Person, s.As)
	}
	switch {
	case s.Act != "":
		return domain.Act{Header: by(p.actors(s.Act)...), Action: s.Act, Reason: s.Reason, Remark: s.Remark, Facts: FactsOf(s.Facts), Form: s.Form}, ""
	case s.Attach != "":
		rule, _ := p.w.Document(s.Attach)
		format := s.Format
		if format == "" {
			format = rule.Formats[0]
		}
		return domain.Attach{Header: by(rule.Roles...), Document: s.Attach, Format: format, Bytes: 1, SHA256: strings.Repeat("0", 64)}, ""
	case s.RefuseDocument != "":
		rule, _ := p.w.Document(s.RefuseDocument)
		return domain.RefuseDocument{Header: by(rule.Refusers...), Document: s.RefuseDocument, Reason: s.Reason}, ""
	case s.Pay != "":
		amount := int64(s.Amount)
		if amount == 0 {
			amount = p.request.Dossier.Fees[s.Pay].Owed()
		}
		return domain.Pay{Header: by(p.w.Payers()...), Fee: s.Pay, Amount: amount, Receipt: fmt.Sprint("receipt-", p.n)}, ""
	case len(s.Settle) > 0:
		return p.settle(s, by(p.w.Payers()...)), ""
	case s.Review != "":
		rule, _ := p.w.Review(s.Review)
		return domain.GiveReview{Header: by(rule.Role), Review: s.Review, Opinion: s.Opinion, Reason: s.Reason, Remark: s.Remark}, ""
	case s.Report != "":
		return domain.ReportAnswer{Header: by(p.w.Definition.system(s.Report).Role), Answer: domain.Answer{System: s.Report, Outcome: s.Outcome}}, ""
	case s.Pick != "":
		task, _ := p.w.Task(s.Pick)
		return domain.Pick{Header: by(task.Role)}, ""
	case s.Allocate != "":
		return p.allocate(s), ""
	}
	return p.termCommand(s, by)
}

// termCommand is a step that concerns the clock.
func (p *player) termCommand(s *Step, by func(...domain.RoleID) domain.Header) (domain.Command, string) {
	switch {
	case s.Suspend != "":
		rule, _ := p.w.Order(s.Suspend)
		return domain.OrderSuspension{Header: by(rule.Roles...), Ground: s.Suspend, Reason: s.Reason}, ""
	case s.Lift != "":
		rule, _ := p.w.Order(s.Lift)
		return domain.LiftSuspension{Header: by(rule.Roles...)}, ""
	case s.Extend != "":
		rule, _ := p.w.anyTerm(s.Extend)
		var roles []domain.RoleID
		if rule.Extension != nil {
			roles = rule.Extension.Roles
		}
		return domain.ExtendTerm{Header: by(roles...), Term: s.Extend, Reason: s.Reason}, ""
	case s.Consent != "":
		var roles []domain.RoleID
		for _, e := range p.w.edges[edge{p.request.State, s.Consent}] {
			roles = append(roles, e.Consent...)
		}
		return domain.ConsentReturn{Header: by(roles...), Action: s.Consent, Reason: s.Reason}, ""
	}
	return nil, "does nothing"
}

// settle pays all that is owed of several fees at once.
func (p *player) settle(s *Step, h domain.Header) domain.Command {
	owed := func(id domain.FeeID) int64 { return p.request.Dossier.Fees[id].Owed() }
	c := domain.Pay{Header: h, Fee: s.Settle[0], Amount: owed(s.Settle[0]), Receipt: fmt.Sprint("receipt-", p.n)}
	for _, id := range s.Settle[1:] {
		c.Also = append(c.Also, domain.Payment{Fee: id, Amount: owed(id)})
	}
	return c
}

// allocate has the work of a state given out: by the system, if the step does not say
// by whom, and to the person alone, if it has no candidates.
func (p *player) allocate(s *Step) domain.Command {
	h := p.header(s.By, "", s.As)
	if s.By == "" {
		h.Actor = domain.Actor{ID: "alur", Role: "system", Capacity: domain.CapacitySystem}
	}
	c := domain.Allocate{Header: h, Allocation: domain.Allocation{Seed: s.Seed}}
	if c.Seed == "" {
		c.Seed = strings.Repeat("0", 64)
	}
	for officer, load := range s.Candidates {
		c.Candidates = append(c.Candidates, domain.Candidate{Officer: officer, Load: load})
	}
	if len(c.Candidates) == 0 {
		task, _ := p.w.Task(s.Allocate)
		c.Candidates = []domain.Candidate{{Officer: cmp.Or(s.Person, string(task.Role)+"-1")}}
	}
	return c
}

// actors are the roles that may take an action where the request stands.
func (p *player) actors(a domain.ActionID) []domain.RoleID {
	if e, _, err := p.w.meant(&p.request, a); err == nil {
		return e.Roles
	}
	for _, e := range p.w.edges[edge{p.request.State, a}] {
		return e.Roles
	}
	for _, t := range p.w.Definition.Transitions {
		if t.Action == a {
			return t.Roles
		}
	}
	return nil
}

// check answers an item, or all items of a checklist.
func (p *player) check(s *Step) string {
	list, item, one := strings.Cut(s.Check, "/")
	rule, _ := p.w.Checklist(domain.ChecklistID(list)) // that there is one was looked at
	items := rule.Items
	if one {
		items = []domain.CheckID{domain.CheckID(item)}
	}
	role := s.By
	if role == "" {
		role = rule.Roles[0]
	}
	for _, i := range items {
		c := domain.AnswerCheck{Header: p.header(role, s.Person, s.As), Check: domain.Check{Checklist: domain.ChecklistID(list), Item: i}, Yes: s.Answer != "no"}
		if text := p.give(c, s.Refused); text != "" {
			return text
		}
	}
	return ""
}
