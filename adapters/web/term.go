package web

import (
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
)

// terms tells until when there has to be a decision, what was promised, and how much
// time the applicant has. The time that staff have for a step is not for this page.
func (s *site) terms(p page, r domain.Request, workflow *workflows.Workflow) []detail {
	var list []detail
	state, _ := workflow.State(r.State)
	for _, id := range r.TermIDs() {
		t := r.Terms[id]
		switch {
		case !t.Open():
		case id.Legal() && !t.Until.IsZero():
			if x := legalTerm(workflow.Definition, id); x != nil {
				list = append(list, detail{x.Title.In(p.Lang), dated(p, t.Until, t.Until.Before(s.Now()), r.Tenant)})
			}
		case id.Legal():
			name := termName(workflow.Definition, id, p.Lang)
			for _, d := range s.legal(p, t, r.Tenant) {
				if name != "" {
					d.Name = name + ": " + d.Name
				}
				list = append(list, d)
			}
		case id == domain.StateTerm(r.State) && workflow.Definition.Applicants(&state):
			list = append(list, s.own(p, t, r.Tenant)...)
		}
	}
	return list
}

// termName is what a legal term is called, where there are several.
func termName(d *workflows.Definition, id domain.TermID, lang string) string {
	if len(d.Terms) < 2 {
		return ""
	}
	if t := legalTerm(d, id); t != nil {
		return t.Title.In(lang)
	}
	return ""
}

func legalTerm(d *workflows.Definition, id domain.TermID) *workflows.LegalTerm {
	for i := range d.Terms {
		if domain.TermID(d.Terms[i].ID) == id {
			return &d.Terms[i]
		}
	}
	return nil
}

// dated says until when there is time by a date of the application. It is the applicant's
// own date, and nobody's time for a decision.
func dated(p page, at time.Time, passed bool, tenant domain.TenantCode) string {
	by := p.T("term.dated")
	if passed {
		by = p.T("term.dated.late")
	}
	return by + " " + momentOf(at, tenant, p.Lang).Text
}

// timed is the title of a step of a term, and what is said of the time there is from then
// on. The term is what the request has now by the name of then.
func timed(p page, step projections.Step, tenant domain.TenantCode, term domain.Term, d *workflows.Definition) (title string, notes []detail) {
	passed := step.Due.Before(step.Occurred) || step.Kind == projections.StepExpired
	if t := legalTerm(d, step.Term); t != nil && !step.Due.IsZero() && (t.Due != "" || !term.Until.IsZero()) {
		return t.Title.In(p.Lang), []detail{{"", dated(p, step.Due, passed, tenant)}}
	}
	if step.Kind == projections.StepSuspended {
		notes = append(notes, detail{"", p.T("stop." + step.Ground)})
	}
	if name := termName(d, step.Term, p.Lang); name != "" {
		notes = append(notes, detail{"", name})
	}
	due := func(says string) { notes = append(notes, detail{says, momentOf(step.Due, tenant, p.Lang).Text}) }
	switch {
	case step.Due.IsZero():
	case step.Kind == projections.StepOwnRecomputed:
		due(p.T("term.yours"))
	case passed:
		due(p.T("term.late"))
	default:
		due(p.T("term.due"))
	}
	return p.T("step." + string(step.Kind)), notes
}

// legal is how the time for a decision stands. One that has passed is said to have
// passed, also before what follows from it is recorded.
func (s *site) legal(p page, t domain.Term, tenant domain.TenantCode) []detail {
	var list []detail
	when := func(at time.Time) string { return momentOf(at, tenant, p.Lang).Text }
	ran := t.Expired
	if ran.IsZero() && !t.Due.IsZero() && t.Due.Before(s.Now()) {
		ran = t.Due
	}
	if !ran.IsZero() {
		list = append(list, detail{p.T("term.late"), when(ran)})
	}
	switch stop := t.Stopped(); {
	case stop != "":
		list = append(list, detail{p.T("term.stopped"), p.T("stop." + string(stop))})
	case ran.IsZero() && !t.Due.IsZero():
		list = append(list, detail{p.T("term.due"), when(t.Due) + unsure(p, t)})
		if !t.Promised.IsZero() && t.Promised.Before(t.Due) {
			list = append(list, detail{p.T("term.promised"), when(t.Promised)})
		}
	}
	return list
}

// own is how the applicant's own time stands.
func (s *site) own(p page, t domain.Term, tenant domain.TenantCode) []detail {
	switch stop := t.Stopped(); {
	case stop != "":
		return []detail{{p.T("term.yours.stopped"), p.T("stop." + string(stop))}}
	case t.Due.IsZero():
		return nil
	case !t.Expired.IsZero() || t.Due.Before(s.Now()):
		return []detail{{p.T("term.yours.late"), momentOf(t.Due, tenant, p.Lang).Text}}
	}
	return []detail{{p.T("term.yours"), momentOf(t.Due, tenant, p.Lang).Text + unsure(p, t)}}
}

// unsure says of a due time that holidays which are not decreed yet may move it.
func unsure(p page, t domain.Term) string {
	if !t.Unsure {
		return ""
	}
	return " (" + p.T("term.provisional") + ")"
}
