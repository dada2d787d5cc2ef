package web

import (
	"time"

	"github.com/alur-id/alur/domain"
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
	for _, t := range d.Terms {
		if domain.TermID(t.ID) == id {
			return t.Title.In(lang)
		}
	}
	return ""
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
