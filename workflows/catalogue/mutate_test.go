package catalogue_test

import (
	"fmt"
	"slices"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// mutant is one way to break a definition at one place.
type mutant struct {
	kind, site string
	mutate     func(*workflows.Definition)
}

// mutants lists every way to break a definition in which real ones are broken: the
// faults that the users of other systems report, and those that 107 real services
// have.
func mutants(d *workflows.Definition) []mutant {
	var list []mutant
	add := func(kind, site string, mutate func(*workflows.Definition)) {
		list = append(list, mutant{kind, site, mutate})
	}
	for i := range d.Transitions {
		t := &d.Transitions[i]
		site := fmt.Sprintf("%s to %s (%d)", t.Action, t.To, i)
		on := func(kind string, change func(*workflows.Transition)) {
			add(kind, site, func(d *workflows.Definition) { change(&d.Transitions[i]) })
		}
		ofNeeds(on, t)
		ofTransition(on, d, t)
		if t.Needs != nil && t.Needs.Reviews != "" {
			add("join dropped", site, func(d *workflows.Definition) { d.Transitions = slices.Delete(d.Transitions, i, i+1) })
		}
		if t.Needs != nil && t.Needs.Answer != "" {
			add("answer dropped", site, func(d *workflows.Definition) { d.Transitions = slices.Delete(d.Transitions, i, i+1) })
		}
	}
	everywhere(add)
	ofStates(add, d)
	ofClock(add, d)
	ofDossier(add, d)
	ofRoles(add, d)
	return list
}

// everywhere breaks all places at once: where one rule is held at two gates, the loss
// of either changes nothing.
func everywhere(add func(string, string, func(*workflows.Definition))) {
	needs := func(kind string, drop func(*workflows.Needs)) {
		add(kind+" needed nowhere", "", func(d *workflows.Definition) {
			for i := range d.Transitions {
				if n := d.Transitions[i].Needs; n != nil {
					drop(n)
				}
			}
		})
	}
	needs("payment", func(n *workflows.Needs) { n.Fees = nil })
	needs("documents", func(n *workflows.Needs) { n.Required, n.Documents = false, nil })
	needs("checklists", func(n *workflows.Needs) { n.Checklists = nil })
	needs("reviews", func(n *workflows.Needs) { n.Reviews = "" })
	add("one person at all gates", "", func(d *workflows.Definition) {
		for i := range d.Transitions {
			d.Transitions[i].NotBy = nil
		}
	})
	add("no terms", "", func(d *workflows.Definition) {
		d.Terms = nil
		for i := range d.States {
			d.States[i].Term = nil
		}
	})
	add("nothing expires", "", func(d *workflows.Definition) {
		for i := range d.Terms {
			d.Terms[i].Expires = nil
		}
		for i := range d.States {
			if t := d.States[i].Term; t != nil {
				t.Expires = nil
			}
		}
	})
}

// ofNeeds drops what a transition needs.
func ofNeeds(on func(string, func(*workflows.Transition)), t *workflows.Transition) {
	n := t.Needs
	if n == nil {
		return
	}
	for _, id := range n.Fees {
		on("payment not needed", func(t *workflows.Transition) {
			t.Needs.Fees = slices.DeleteFunc(slices.Clone(t.Needs.Fees), func(f domain.FeeID) bool { return f == id })
		})
	}
	if n.Required {
		on("documents not needed", func(t *workflows.Transition) { t.Needs.Required = false })
	}
	if len(n.Documents) > 0 {
		on("a document not needed", func(t *workflows.Transition) { t.Needs.Documents = nil })
	}
	if len(n.Checklists) > 0 {
		on("checklist not needed", func(t *workflows.Transition) { t.Needs.Checklists = nil })
	}
	if n.Reviews == domain.OpinionApproved {
		on("reviews not needed", func(t *workflows.Transition) { t.Needs.Reviews = "" })
		on("refused reviews go on", func(t *workflows.Transition) { t.Needs.Reviews = domain.OpinionRefused })
	}
	if n.Answer != "" {
		on("answer not needed", func(t *workflows.Transition) { t.Needs.Answer = "" })
	}
}

func citizen(d *workflows.Definition, id domain.RoleID) bool {
	return slices.ContainsFunc(d.Roles, func(r workflows.Role) bool {
		return r.ID == id && !slices.Contains(r.Capacities, domain.CapacityOfficer) && !slices.Contains(r.Capacities, domain.CapacitySystem)
	})
}

func officer(d *workflows.Definition) domain.RoleID {
	for _, r := range d.Roles {
		if slices.Contains(r.Capacities, domain.CapacityOfficer) {
			return r.ID
		}
	}
	return ""
}

func outcome(d *workflows.Definition, id domain.StateID) domain.Outcome {
	for _, s := range d.States {
		if s.ID == id {
			return s.Outcome
		}
	}
	return ""
}

// ofTransition changes who takes a transition, where to, and on what condition.
func ofTransition(on func(string, func(*workflows.Transition)), d *workflows.Definition, t *workflows.Transition) {
	on("dangling next state", func(t *workflows.Transition) { t.To = "04752227-e267" })
	if len(t.NotBy) > 0 {
		on("one person at both gates", func(t *workflows.Transition) { t.NotBy = nil })
	}
	if len(t.Reasons) > 0 {
		on("reasons dropped", func(t *workflows.Transition) { t.Reasons = nil })
	}
	if t.When != nil {
		on("condition dropped", func(t *workflows.Transition) { t.When, t.Because = nil, workflows.Text{} })
	}
	switch t.Kind {
	case "":
	case domain.ActionReturn:
		on("returns not counted", func(t *workflows.Transition) { t.Kind, t.Consent = "", nil })
	case domain.ActionComplete:
		on("never declared complete", func(t *workflows.Transition) { t.Kind = "" })
	default:
		on("kind dropped", func(t *workflows.Transition) { t.Kind = "" })
	}
	if t.Automatic {
		on("moves only by hand", func(t *workflows.Transition) { t.Automatic, t.Roles = false, []domain.RoleID{officer(d)} })
	}
	if !t.Automatic && !slices.ContainsFunc(t.Roles, func(r domain.RoleID) bool { return citizen(d, r) }) {
		on("shared by citizen and staff", func(t *workflows.Transition) { t.Roles = append(slices.Clone(t.Roles), d.Submit[0]) })
	}
	if t.Needs != nil && t.Needs.Reviews == domain.OpinionRefused || outcome(d, t.To) == domain.OutcomeRejected {
		for _, s := range d.States {
			if s.Outcome == domain.OutcomeApproved {
				on("refused, and issued", func(t *workflows.Transition) { t.To = s.ID })
			}
		}
	}
}

// ofStates removes terms and loosens joins.
func ofStates(add func(string, string, func(*workflows.Definition)), d *workflows.Definition) {
	for i := range d.States {
		s := &d.States[i]
		site := string(s.ID)
		if s.Term != nil {
			add("term dropped", site, func(d *workflows.Definition) { d.States[i].Term = nil })
			if s.Term.Expires != nil {
				add("expiry dropped", site, func(d *workflows.Definition) { d.States[i].Term.Expires = nil })
			}
		}
		if len(s.Reviews) > 1 {
			for j, id := range s.Reviews {
				add("review not asked for", site+" "+string(id), func(d *workflows.Definition) { d.States[i].Reviews = slices.Delete(slices.Clone(s.Reviews), j, j+1) })
			}
			if s.Join == nil || s.Join.Need == "" || s.Join.Need == "all" {
				add("any review is enough", site, func(d *workflows.Definition) { d.States[i].Join = &workflows.Join{Need: "any", Outvote: true} })
			}
		}
	}
	for i := range d.Reviews {
		site := "review " + string(d.Reviews[i].ID)
		add("term dropped", site, func(d *workflows.Definition) { d.Reviews[i].Term = nil })
		add("expiry dropped", site, func(d *workflows.Definition) { d.Reviews[i].Term.Expires = nil })
		if d.Reviews[i].When != nil {
			add("condition dropped", site, func(d *workflows.Definition) { d.Reviews[i].When = nil })
		}
	}
	for i := range d.Terms {
		site := "term " + d.Terms[i].ID
		add("term dropped", site, func(d *workflows.Definition) { d.Terms = slices.Delete(d.Terms, i, i+1) })
		add("expiry dropped", site, func(d *workflows.Definition) { d.Terms[i].Expires = nil })
	}
}

// ofClock lets the clock be stopped, moved or promised away.
func ofClock(add func(string, string, func(*workflows.Definition)), d *workflows.Definition) {
	for i := range d.Suspensions {
		add("stopped without a rule", fmt.Sprint(d.Suspensions[i].In), func(d *workflows.Definition) { d.Suspensions = slices.Delete(d.Suspensions, i, i+1) })
	}
	for i := range d.Transitions {
		for _, from := range d.Transitions[i].From {
			if !slices.ContainsFunc(d.Terms, func(t workflows.LegalTerm) bool { return t.Expires != nil && t.Expires.To == from }) {
				continue
			}
			add("the law's decision is final", string(from), func(d *workflows.Definition) {
				t := &d.Transitions[i]
				t.From = slices.DeleteFunc(slices.Clone(t.From), func(s domain.StateID) bool { return s == from })
			})
		}
	}
	for i := range d.Terms {
		t := &d.Terms[i]
		longer := t.Budget
		longer.Amount++
		add("promised too late", t.ID, func(d *workflows.Definition) { d.Terms[i].Promise = &longer })
		for _, s := range d.States {
			if len(d.Reasons) == 0 || s.Kind == workflows.KindEnd || s.Kind == workflows.KindStart || slices.Contains(t.SuspendedIn, s.ID) {
				continue
			}
			add("their own time extended", string(s.ID), func(d *workflows.Definition) {
				d.Terms[i].Extension = &workflows.TermExtension{
					By: t.Budget, Roles: []domain.RoleID{s.Owner}, Reasons: []domain.ReasonCode{d.Reasons[0].Code}, Basis: t.Basis,
				}
			})
		}
	}
	for i := range d.States {
		if s := &d.States[i]; s.Term != nil && s.Term.Expires != nil && len(s.Term.Expires.Escalate) > 0 {
			add("escalated to the applicant", string(s.ID), func(d *workflows.Definition) { d.States[i].Term.Expires.Escalate = d.Submit[:1] })
		}
	}
}

// ofDossier has nothing asked where something is due.
func ofDossier(add func(string, string, func(*workflows.Definition)), d *workflows.Definition) {
	for i := range d.Documents {
		if x := &d.Documents[i]; x.Required || x.RequiredWhen != nil {
			add("document not required", string(x.ID), func(d *workflows.Definition) { d.Documents[i].Required, d.Documents[i].RequiredWhen = false, nil })
		}
	}
	for i := range d.Fees {
		site := string(d.Fees[i].ID)
		if d.Fees[i].When != nil {
			add("condition dropped", "fee "+site, func(d *workflows.Definition) { d.Fees[i].When = nil })
		}
		for _, s := range d.States {
			if s.Kind == workflows.KindEnd && s.Outcome != domain.OutcomeApproved {
				add("fee never assessed", site, func(d *workflows.Definition) { d.Fees[i].DueIn = []domain.StateID{s.ID} })
				break
			}
		}
	}
}

// ofRoles gives one role too much.
func ofRoles(add func(string, string, func(*workflows.Definition)), d *workflows.Definition) {
	add("no refusal", "", func(d *workflows.Definition) {
		d.Transitions = slices.DeleteFunc(d.Transitions, func(t workflows.Transition) bool { return outcome(d, t.To) == domain.OutcomeRejected })
	})
	for i, r := range d.Roles {
		if !slices.Contains(r.Capacities, domain.CapacityOfficer) {
			continue
		}
		add("officer who asks", string(r.ID), func(d *workflows.Definition) {
			d.Roles[i].Capacities = append(slices.Clone(d.Roles[i].Capacities), domain.CapacitySelf)
		})
		add("one role approves alone", string(r.ID), func(d *workflows.Definition) {
			for j := range d.Transitions {
				if t := &d.Transitions[j]; !t.Automatic && !slices.ContainsFunc(t.Roles, func(id domain.RoleID) bool { return citizen(d, id) }) {
					t.Roles = []domain.RoleID{r.ID}
				}
			}
			for j := range d.Reviews {
				d.Reviews[j].Role = r.ID
			}
		})
	}
}
