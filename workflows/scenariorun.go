package workflows

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/calendar"
)

// TestRun is what became of the tests of a definition.
type TestRun struct {
	Passed, Failed int
	Problems       Problems // of those that failed, each at its line
	Untaken        []string // transitions that no test takes, as "accept from submitted to review"
}

// RunTests runs the tests that stand in a definition, by the rules that a request is
// judged by when it is real. File and source name and show the lines.
func RunTests(file string, source []byte, d *Definition) TestRun {
	w := Compile(d, 1).On(playedBy())
	lines := strings.Split(string(source), "\n")
	var run TestRun
	taken := map[*Transition]bool{}
	for i := range d.Tests {
		failures := w.play(&d.Tests[i], playedBy(), w.decider(taken))
		if len(failures) == 0 {
			run.Passed++
			continue
		}
		run.Failed++
		for _, f := range failures {
			run.Problems = append(run.Problems, Problem{
				File: file, Line: f.line, Column: f.column,
				Message: fmt.Sprintf("test %q: %s", d.Tests[i].Name, f.text), Excerpt: excerpt(lines, f.line, f.column),
			})
		}
	}
	run.Problems.Sort()
	for i := range d.Transitions {
		if t := &d.Transitions[i]; !taken[t] {
			run.Untaken = append(run.Untaken, fmt.Sprintf("%s from %s to %s", t.Action, domain.Listed(t.From), t.To))
		}
	}
	return run
}

// failure is where a scenario went another way.
type failure struct {
	line, column int
	text         string
}

// player plays a scenario on one request.
type player struct {
	w        *Workflow
	request  domain.Request
	way      []domain.StateID // where the request came to rest, one after the other
	n        int              // commands given
	now      time.Time
	calendar *calendar.Calendar
	carryOut func(domain.Command) (domain.Request, error)
}

// played is when a test begins that does not say it: a Monday morning.
var played = time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)

// playedBy is the calendar of the tests in a file: what is shipped of the nation's, in
// WIB.
var playedBy = sync.OnceValue(func() *calendar.Calendar {
	c, err := calendar.Compile(domain.TenantCode("").Zone(), nil, nil)
	if err != nil {
		panic(err) // what is shipped does not compile
	}
	return c
})

// Play gives the commands of a scenario, one after the other, to whoever carries
// them out and returns the request as it then is, or the refusal. Each is dated; times
// in the scenario are those of the calendar's zone. Terms run out by [domain.Expire],
// which whoever has them run out by themselves may answer with the request alone. The
// error says what went another way than the scenario has it.
func (w *Workflow) Play(s *Scenario, c *calendar.Calendar, carryOut func(domain.Command) (domain.Request, error)) error {
	var errs []error
	for _, f := range w.play(s, c, carryOut) {
		errs = append(errs, fmt.Errorf("line %d: %s", f.line, f.text))
	}
	return errors.Join(errs...)
}

func (w *Workflow) play(s *Scenario, c *calendar.Calendar, carryOut func(domain.Command) (domain.Request, error)) []failure {
	p := &player{w: w, calendar: c, carryOut: carryOut}
	p.now = p.local(played)
	if s.Given.At != "" {
		p.now = p.local(s.Given.at)
	}
	at := failure{line: s.line, column: s.column}
	if s.Given.line > 0 {
		at = failure{line: s.Given.line, column: s.Given.column}
	}
	if at.text = p.submit(&s.Given); at.text != "" {
		at.text = "the submission " + at.text
		return []failure{at}
	}
	for i := range s.When {
		step := &s.When[i]
		at = failure{line: step.line, column: step.column}
		if at.text = p.step(step); at.text != "" {
			at.text = fmt.Sprintf("step %d %s", i+1, at.text)
			return []failure{at}
		}
	}
	if text := p.fire(); text != "" {
		at.text = "what follows " + text
		return []failure{at}
	}
	return p.compare(&s.Then)
}

// local is a moment as it is written, in the zone of the calendar.
func (p *player) local(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, p.calendar.Zone()).UTC()
}

// fire has everything happen that terms waited for until now.
func (p *player) fire() string {
	for range domain.MaxFollowing {
		id, due, ok := p.request.Overdue(p.now)
		if !ok {
			return ""
		}
		p.n++
		r, err := p.carryOut(domain.Expire{Header: domain.Header{
			ID: domain.CommandID(due, "step", strconv.Itoa(p.n)), Occurred: due, Actor: domain.System(),
		}, Term: id, Due: due})
		if err != nil {
			return fmt.Sprintf("from the end of term %s cannot be carried out: %v", id, err)
		}
		p.came(r)
	}
	return "from its terms does not come to rest"
}

// came notes where the request stands.
func (p *player) came(r domain.Request) {
	if len(p.way) == 0 || p.way[len(p.way)-1] != r.State {
		p.way = append(p.way, r.State)
	}
	p.request = r
}

// give has a command carried out; what it returns says how that differs from what
// was expected.
func (p *player) give(c domain.Command, refused domain.Rule) string {
	if text := p.fire(); text != "" {
		return "comes after what follows " + text
	}
	r, err := p.carryOut(c)
	var refusal *domain.Refusal
	switch {
	case err != nil && !errors.As(err, &refusal):
		return "cannot be carried out: " + err.Error()
	case err != nil && refused != "" && refusal.Rule != refused:
		return fmt.Sprintf("is refused by rule %s, and not by rule %s as the test expects: %v", refusal.Rule, refused, refusal)
	case err != nil && refused == "":
		return fmt.Sprintf("is refused by rule %s: %v (if that is right, the test says so by refused: %s)", refusal.Rule, refusal, refusal.Rule)
	case err != nil:
		return ""
	case refused != "":
		return fmt.Sprintf("is carried out, and the test expects that rule %s refuses it", refused)
	}
	p.came(r)
	return ""
}

// decider carries commands out on a request of its own, and marks the transitions
// that are taken.
func (w *Workflow) decider(taken map[*Transition]bool) func(domain.Command) (domain.Request, error) {
	var r domain.Request
	return func(c domain.Command) (domain.Request, error) {
		events, err := domain.Decide(r, c, w)
		if err != nil {
			return r, err
		}
		for _, e := range events {
			if a, ok := e.Body.(domain.ActionTaken); ok {
				w.note(a, taken)
			}
			r = domain.Evolve(r, domain.Recorded{Event: e, Version: r.Version + 1})
		}
		return r, nil
	}
}

// note marks what may have led from one state to the other.
func (w *Workflow) note(a domain.ActionTaken, taken map[*Transition]bool) {
	all := w.Definition.Transitions
	for i := range all {
		t := &all[i]
		if t.Action == a.Action && t.To == a.To && slices.Contains(t.From, a.From) && t.Automatic == (a.Kind == domain.ActionAuto) {
			taken[t] = true
		}
	}
}

func (p *player) header(role domain.RoleID, person string, as domain.Capacity) domain.Header {
	p.n++
	p.now = p.now.Add(time.Minute)
	if person == "" {
		person = string(role) + "-1"
	}
	if as == "" {
		as = domain.CapacityOfficer
		if allowed := p.w.Capacities(role); len(allowed) > 0 {
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
		Facts: factsOf(g.Facts), Form: g.Form,
	}, g.Refused)
}

// factsOf is facts as JSON would have brought them.
func factsOf(m map[string]any) domain.Facts {
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
		return domain.Act{Header: by(p.actors(s.Act)...), Action: s.Act, Reason: s.Reason, Remark: s.Remark, Facts: factsOf(s.Facts), Form: s.Form}, ""
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
	rule, ok := p.w.Checklist(domain.ChecklistID(list))
	if !ok {
		all := ids(p.w.Definition.Checklists, func(c Checklist) string { return string(c.ID) })
		return fmt.Sprintf("answers a checklist %q that there is not%s", list, meant(list, all))
	}
	items := rule.Items
	if one {
		if s.Refused == "" && !slices.Contains(rule.Items, domain.CheckID(item)) {
			return fmt.Sprintf("answers an item %q that checklist %s does not have%s", item, list, meant(item, rule.Items))
		}
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

// compare says how the request stands otherwise than expected, each at its place.
func (p *player) compare(e *Expected) []failure {
	var wrong []failure
	note := func(key, format string, args ...any) {
		at, ok := e.places[key]
		if !ok {
			at = failure{line: e.line, column: e.column}
		}
		at.text = fmt.Sprintf(format, args...)
		wrong = append(wrong, at)
	}
	differ := func(what string, want, got any) {
		if !reflect.DeepEqual(want, got) {
			note(what, "%s is %s, and the test expects %s", what, asSeen(got), asSeen(want))
		}
	}
	r := p.request
	if e.State != "" && e.State != r.State {
		note("state", "the request is in state %s, and the test expects %s; it went by %s", r.State, e.State, domain.Listed(p.way))
	}
	if e.Worker != "" {
		differ("who has the work", e.Worker, r.Dossier.Picked)
	}
	if e.Public != "" {
		differ("public", e.Public, r.Public)
	}
	if e.Outcome != "" {
		got := string(r.Outcome)
		if got == "" {
			got = "open"
		}
		differ("outcome", e.Outcome, got)
	}
	feeIDs := p.w.Definition.names("fee")
	for _, id := range slices.Sorted(maps.Keys(e.Fees)) {
		got, assessed := r.Dossier.Fees[domain.FeeID(id)]
		switch {
		case !slices.Contains(feeIDs, id):
			note("fees."+id, "there is no fee %q%s", id, meant(id, feeIDs))
		case !assessed:
			note("fees."+id, "fee %s was not assessed", id)
		case got.Amount != int64(e.Fees[id]):
			note("fees."+id, "fee %s is Rp %d, and the test expects Rp %d", id, got.Amount, e.Fees[id])
		}
	}
	reviewIDs := p.w.Definition.names("review")
	for _, id := range slices.Sorted(maps.Keys(e.Reviews)) {
		got := string(r.Dossier.Reviews[domain.ReviewID(id)].Opinion)
		if got == "" {
			got = "none"
		}
		switch {
		case !slices.Contains(reviewIDs, id):
			note("reviews."+id, "there is no review %q%s", id, meant(id, reviewIDs))
		case got == "none" && e.Reviews[id] != got:
			note("reviews."+id, "review %s was not asked for, and the test expects %s", id, e.Reviews[id])
		case got != e.Reviews[id]:
			note("reviews."+id, "review %s is %s, and the test expects %s", id, got, e.Reviews[id])
		}
	}
	p.compareFacts(e, note)
	p.compareTerms(e, note)
	return wrong
}

func (p *player) compareTerms(e *Expected, note func(key, format string, args ...any)) {
	for _, id := range slices.Sorted(maps.Keys(e.Due)) {
		t, there := p.request.Terms[domain.TermID(id)]
		got := t.Due.In(p.calendar.Zone()).Format(momentForm)
		switch {
		case !there:
			note("due."+id, "term %s has not started, and the test expects it to be due at %s", id, e.Due[id])
		case t.Stopped() != "":
			note("due."+id, "term %s stands still (%s), and the test expects it to be due at %s", id, t.Stopped(), e.Due[id])
		case got != e.Due[id]:
			note("due."+id, "term %s is due at %s, and the test expects %s", id, got, e.Due[id])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.Terms)) {
		if got := standing(p.request.Terms[domain.TermID(id)]); got != e.Terms[id] {
			note("terms."+id, "term %s is %s, and the test expects %s", id, got, e.Terms[id])
		}
	}
}

// standing is one of [termStandings].
func standing(t domain.Term) string {
	switch {
	case t.Started.IsZero():
		return "none"
	case !t.Expired.IsZero():
		return "expired"
	case !t.Open():
		return "ended"
	case t.Stopped() != "":
		return "suspended"
	}
	return "running"
}

func (p *player) compareFacts(e *Expected, note func(key, format string, args ...any)) {
	factIDs := ids(p.w.Definition.Facts, func(f Fact) string { return f.ID })
	want := factsOf(e.Facts)
	for _, id := range slices.Sorted(maps.Keys(want)) {
		got := p.request.Facts[id]
		switch {
		case !slices.Contains(factIDs, id):
			note("facts."+id, "there is no fact %q%s", id, meant(id, factIDs))
		case !reflect.DeepEqual(want[id], got):
			note("facts."+id, "fact %s is %s, and the test expects %s", id, asSeen(got), asSeen(want[id]))
		}
	}
}

// asSeen is a value as the reader of a test sees it.
func asSeen(v any) string {
	if v == nil {
		return "missing"
	}
	return fmt.Sprint(v)
}
