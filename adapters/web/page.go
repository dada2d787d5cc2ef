package web

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
)

// page is what every page shows.
type page struct {
	Lang      string
	Title     string
	Text      string // of a page that only says something
	Missing   bool   // the find page: nothing was found
	Style     string
	Languages []languageLink
	messages  map[string]string
}

type languageLink struct {
	Code, Name, Link string
	Current          bool
}

// T is a message in the page's language.
func (p page) T(key string) string { return p.messages[key] }

func (s *site) page(w http.ResponseWriter, r *http.Request, path string) page {
	p := page{Lang: choose(w, r), Style: s.styleURL}
	p.messages = s.messages[p.Lang]
	for _, lang := range languages {
		p.Languages = append(p.Languages, languageLink{
			Code: lang, Name: s.messages[lang]["lang.name"], Link: path + "?lang=" + lang, Current: lang == p.Lang,
		})
	}
	return p
}

// statusPage is a request as its applicant sees it.
type statusPage struct {
	page
	Reference   domain.Reference
	Service     string
	Public      domain.PublicStatus
	PublicTitle string
	StateTitle  string
	MustAct     bool
	Closed      bool
	Next        string
	Step        string // how long the present step takes
	Holder      string // the role that has to act; never a person
	Changed     moment
	Again       string
	Steps       []stepLine
	Details     []detail
}

type stepLine struct {
	Title, Reason, PublicTitle string
	Public                     domain.PublicStatus
	When                       moment
}

type detail struct{ Name, Value string }

func (s *site) status(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	found, err := s.Finder.Find(ctx, r.PathValue("reference"))
	if err != nil {
		s.fault(w, r, err)
		return
	}
	path := "/lacak/" + string(found.Reference)
	if r.URL.Path != path {
		to := url.URL{Path: path, RawQuery: r.URL.RawQuery} // the language that was asked for
		http.Redirect(w, r, to.String(), http.StatusSeeOther)
		return
	}
	workflow, err := s.Library.Version(ctx, found.Tenant, domain.WorkflowRef{ID: found.Service, Version: found.WorkflowVersion})
	if err != nil {
		s.fault(w, r, err)
		return
	}
	steps, err := s.Timeline.Of(ctx, found.Request)
	if err != nil {
		s.fault(w, r, err)
		return
	}
	s.write(w, r, http.StatusOK, "status", s.statusPage(s.page(w, r, path), path, found, steps, workflow))
}

func (s *site) statusPage(p page, path string, found projections.Status, steps []projections.Step, workflow *workflows.Workflow) statusPage {
	d := workflow.Definition
	state, _ := workflow.State(found.State)
	out := statusPage{
		page: p, Reference: found.Reference, Service: d.Title.In(p.Lang),
		Public: found.Public, PublicTitle: p.T("public." + string(found.Public)), StateTitle: state.Title.In(p.Lang),
		MustAct: state.Kind == workflows.KindWait && slices.Contains(d.Submit, state.Owner),
		Closed:  state.Kind == workflows.KindEnd,
		Next:    state.Next.In(p.Lang), Step: state.Promise.In(p.Lang),
		Changed: momentOf(found.Changed, found.Tenant, p.Lang), Again: path,
	}
	out.Title = out.Service
	if !out.MustAct {
		for _, role := range d.Roles {
			// A draft's roles are the people of a log: they are not shown.
			if role.ID == state.Owner && role.RecordedAs == "" {
				out.Holder = role.Title.In(p.Lang)
			}
		}
	}
	for _, step := range slices.Backward(steps) {
		// The two views may be a step apart; the page keeps to the status.
		if step.Version <= found.Version {
			out.Steps = append(out.Steps, line(p, step, found.Tenant, workflow))
		}
	}
	add := func(key, value string) {
		if value != "" {
			out.Details = append(out.Details, detail{p.T(key), value})
		}
	}
	add("status.service", out.Service)
	add("status.agency", d.Agency.In(p.Lang))
	add("status.received", momentOf(found.Submitted, found.Tenant, p.Lang).Text)
	add("status.changed", out.Changed.Text)
	add("status.promise", d.Promise.In(p.Lang))
	add("status.fee", d.Fee.In(p.Lang))
	if !found.Due.IsZero() {
		add("status.due", momentOf(found.Due, found.Tenant, p.Lang).Text)
	}
	if !found.Ended.IsZero() {
		add("status.ended", momentOf(found.Ended, found.Tenant, p.Lang).Text)
	}
	return out
}

func line(p page, step projections.Step, tenant domain.TenantCode, workflow *workflows.Workflow) stepLine {
	l := stepLine{
		Title: p.T("status.submitted"), Public: step.Public, PublicTitle: p.T("public." + string(step.Public)),
		When: momentOf(step.Occurred, tenant, p.Lang),
	}
	if step.Action != "" {
		state, _ := workflow.State(step.State)
		l.Title = state.Title.In(p.Lang)
	}
	for _, reason := range workflow.Definition.Reasons {
		if reason.Code == step.Reason {
			l.Reason = reason.Title.In(p.Lang)
		}
	}
	return l
}
