package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

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
	Public    bool   // of a page that is about nobody: it may be found by search engines
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

// open is what a page shows that is about nobody.
func (s *site) open(w http.ResponseWriter, r *http.Request, path string) page {
	p := s.page(w, r, path)
	p.Public = true
	return p
}

// statusPage is a request as its applicant sees it.
type statusPage struct {
	page
	Reference   domain.Reference
	Service     string
	About       string // the link to the service's page
	Status      domain.PublicStatus
	PublicTitle string
	StateTitle  string
	MustAct     bool
	Tasks       []detail // what the applicant has to do, each with why or how much
	NoAct       bool     // it is known that there is nothing to do
	Closed      bool
	Next        string
	Step        string   // how long the present step takes
	Holder      string   // the role that has to act; never a person
	Waits       []detail // whose opinions are waited for, and where it waits in a queue
	Spent       []detail // with whom it was, how long
	Terms       []detail // until when there has to be a decision, or the applicant has to act
	Changed     moment
	Again       string
	Steps       []stepLine
	Details     []detail
}

type stepLine struct {
	Title, Reason, PublicTitle string
	Notes                      []detail // what is said of the law and of the time there is
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
	request, err := s.Engine.Load(ctx, found.Request)
	if err != nil {
		s.fault(w, r, err)
		return
	}
	versions := map[int]*workflows.Workflow{found.WorkflowVersion: workflow}
	for _, step := range steps {
		if versions[step.Workflow] == nil {
			was, err := s.Library.Version(ctx, found.Tenant, domain.WorkflowRef{ID: found.Service, Version: step.Workflow})
			if err != nil {
				s.fault(w, r, err)
				return
			}
			versions[step.Workflow] = was
		}
	}
	told, err := s.told(ctx, found.Request, steps, versions)
	if err != nil {
		s.fault(w, r, err)
		return
	}
	p := s.statusPage(s.page(w, r, path), path, found, request.Terms, steps, versions, told)
	current := request.State == found.State && request.Workflow.Version == found.WorkflowVersion // else the request is a step ahead of the status
	rests := current && workflow.Rests(request)
	if rests {
		p.rests(!request.EndedByRecord().IsZero())
	}
	if current && !p.Closed {
		if !rests {
			p.Tasks = tasks(p.page, request, workflow)
		}
		p.MustAct = p.MustAct || len(p.Tasks) > 0
		p.NoAct = !p.MustAct
		if p.NoAct && len(workflow.Reviewers(request)) == 0 { // else it is said whose opinions it waits for
			p.Holder = workflow.Holder(request).In(p.Lang)
		}
		p.Terms = s.terms(p.page, request, workflow)
		if p.Waits, err = s.waits(ctx, p.page, request, workflow); err != nil {
			s.fault(w, r, err)
			return
		}
	}
	if p.Spent, err = s.spent(ctx, p.page, found.Request); err != nil {
		s.fault(w, r, err)
		return
	}
	s.write(w, r, http.StatusOK, "status", p)
}

func (s *site) statusPage(p page, path string, found projections.Status, terms map[domain.TermID]domain.Term, steps []projections.Step, versions map[int]*workflows.Workflow, told map[domain.Version]workflows.Told) statusPage {
	workflow := versions[found.WorkflowVersion]
	d := workflow.Definition
	state, _ := workflow.State(found.State)
	out := statusPage{
		page: p, Reference: found.Reference, Service: d.Title.In(p.Lang),
		Status: found.Public, PublicTitle: p.T("public." + string(found.Public)), StateTitle: state.Title.In(p.Lang),
		MustAct: d.Applicants(&state),
		Closed:  state.Kind == workflows.KindEnd,
		Next:    state.Next.In(p.Lang), Step: state.Promise.In(p.Lang),
		Changed: momentOf(found.Changed, found.Tenant, p.Lang), Again: path,
	}
	out.Title = out.Service
	if found.Case == "" { // else it may be known from imported requests only
		out.About = serviceLinkOf(found.Tenant, found.Service)
	}
	// The two views may be a step apart; the page keeps to the status.
	if i := slices.IndexFunc(steps, func(s projections.Step) bool { return s.State != "" && s.Version > found.Version }); i >= 0 {
		steps = steps[:i]
	}
	for _, step := range slices.Backward(steps) {
		out.Steps = append(out.Steps, line(p, step, found.Tenant, terms[step.Term], versions[step.Workflow], told[step.Version]))
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

// rests has the page say of an imported case what its record says, where nobody here has
// to act: that it ended, or that it is not known to have.
func (p *statusPage) rests(ended bool) {
	p.MustAct, p.Closed, p.Next, p.Step, p.StateTitle = false, ended, "", "", ""
	p.Status, p.PublicTitle = domain.StatusInProcess, p.T("status.unended")
	if ended {
		p.Status, p.PublicTitle = domain.StatusCompleted, p.T("status.ended")
	}
}

// tasks are the documents that are missing or were sent back, and the fees that are
// owed, in the order of the definition.
func tasks(p page, r domain.Request, w *workflows.Workflow) []detail {
	var list []detail
	for _, x := range w.Wanted(r) {
		title := x.Document.Title.In(p.Lang)
		if x.Refused {
			list = append(list, detail{p.T("status.refused") + ": " + title, reasonTitle(w.Definition, x.Reason, p.Lang)})
		} else {
			list = append(list, detail{p.T("status.missing") + ": " + title, taken(p, x.Document)})
		}
	}
	for _, line := range w.Bill(r.Dossier).Lines {
		if line.Owed > 0 {
			list = append(list, detail{p.T("status.owed") + ": " + line.Fee.Title.In(p.Lang), rupiah(line.Owed, p.Lang)})
		}
	}
	return list
}

// taken says in which formats a document is taken, and how large.
func taken(p page, doc *workflows.Document) string {
	return strings.ToUpper(strings.Join(doc.Formats, ", ")) + ", " + p.T("document.most") + " " + doc.MaxSize
}

func reasonTitle(d *workflows.Definition, code domain.ReasonCode, lang string) string {
	return d.ReasonTitle(code).In(lang)
}

func line(p page, step projections.Step, tenant domain.TenantCode, term domain.Term, workflow *workflows.Workflow, told workflows.Told) stepLine {
	l := stepLine{
		Title: p.T("status.submitted"), Public: step.Public, PublicTitle: p.T("public." + string(step.Public)),
		When: momentOf(step.Occurred, tenant, p.Lang),
	}
	switch step.Kind {
	case projections.StepSubmitted:
	case projections.StepAction, projections.StepDeemed, projections.StepLapsed:
		state, _ := workflow.State(step.State)
		l.Title = state.Title.In(p.Lang)
		if step.Kind != projections.StepAction {
			l.Notes = append(l.Notes, detail{"", p.T("step." + step.Ground)})
		}
	case projections.StepMigrated:
		l.Title = p.T("step." + string(step.Kind))
		if state, ok := workflow.State(step.State); ok {
			l.Notes = append(l.Notes, detail{"", state.Title.In(p.Lang)})
		}
	default:
		l.PublicTitle = ""
		l.Title, l.Notes = timed(p, step, tenant, term, workflow.Definition)
	}
	if law := (workflows.Text{ID: step.Basis.ID, EN: step.Basis.EN}).In(p.Lang); law != "" {
		l.Notes = append(l.Notes, detail{p.T("term.basis"), law})
	}
	l.Reason = reasonTitle(workflow.Definition, step.Reason, p.Lang)
	l.Notes = append(l.Notes, toldNotes(p, told, tenant)...)
	return l
}
