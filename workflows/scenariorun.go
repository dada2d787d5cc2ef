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
	"time"

	"github.com/alur-id/alur/domain"
)

// TestRun is what became of the tests of a definition.
type TestRun struct {
	Passed, Failed int
	Problems       Problems // one for each that failed, at its line
	Untaken        []string // transitions that no test takes, as "accept from submitted to review"
}

// RunTests runs the tests that stand in a definition, by the rules that a request is
// judged by when it is real. File and source name and show the lines.
func RunTests(file string, source []byte, d *Definition) TestRun {
	w := Compile(d, 1)
	lines := strings.Split(string(source), "\n")
	var run TestRun
	taken := map[*Transition]bool{}
	for i := range d.Tests {
		failure := w.play(&d.Tests[i], w.decider(taken))
		if failure == nil {
			run.Passed++
			continue
		}
		run.Failed++
		run.Problems = append(run.Problems, Problem{
			File: file, Line: failure.line, Column: failure.column,
			Message: fmt.Sprintf("test %q: %s", d.Tests[i].Name, failure.text), Excerpt: excerpt(lines, failure.line, failure.column),
		})
	}
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
	n        int // commands given
	now      time.Time
	carryOut func(domain.Command) (domain.Request, error)
}

// A Monday morning in Jakarta; nothing but the order of times matters.
var played = time.Date(2026, time.January, 5, 1, 0, 0, 0, time.UTC)

// Play gives the commands of a scenario, one after the other, to whoever carries
// them out and returns the request as it then is, or the refusal. The error says
// what went another way than the scenario has it.
func (w *Workflow) Play(s *Scenario, carryOut func(domain.Command) (domain.Request, error)) error {
	if f := w.play(s, carryOut); f != nil {
		return fmt.Errorf("line %d: %s", f.line, f.text)
	}
	return nil
}

func (w *Workflow) play(s *Scenario, carryOut func(domain.Command) (domain.Request, error)) *failure {
	p := &player{w: w, now: played, carryOut: carryOut}
	at := failure{line: s.line, column: s.column}
	if text := p.submit(&s.Given); text != "" {
		at.text = text
		return &at
	}
	for i := range s.When {
		step := &s.When[i]
		at = failure{line: step.line, column: step.column}
		if at.text = p.step(step); at.text != "" {
			return &at
		}
	}
	at = failure{line: s.Then.line, column: s.Then.column, text: p.compare(&s.Then)}
	if at.text != "" {
		return &at
	}
	return nil
}

// give has a command carried out; what it returns says how that differs from what
// was expected.
func (p *player) give(c domain.Command, refused domain.Rule) string {
	r, err := p.carryOut(c)
	var refusal *domain.Refusal
	switch {
	case err != nil && !errors.As(err, &refusal):
		return err.Error()
	case err != nil && refusal.Rule != refused:
		return fmt.Sprintf("refused by rule %s: %v", refusal.Rule, refusal)
	case err != nil:
		return ""
	case refused != "":
		return fmt.Sprintf("not refused by rule %s", refused)
	}
	p.request = r
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
	if s.Pass != nil {
		p.now = p.now.Add(s.Pass.roughly())
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

// roughly is how long a budget is by the clock on the wall. Until there is a
// calendar, a working day is a day.
func (b Budget) roughly() time.Duration {
	unit := map[string]time.Duration{"days": 24 * time.Hour, "hours": time.Hour, "minutes": time.Minute}[b.Unit]
	return time.Duration(b.Amount) * unit
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
	return nil, "nothing to do"
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
		return fmt.Sprintf("there is no checklist %q", list)
	}
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

// compare says how the request stands otherwise than expected.
func (p *player) compare(e *Expected) string {
	var wrong []string
	differ := func(what string, want, got any) {
		if !reflect.DeepEqual(want, got) {
			wrong = append(wrong, fmt.Sprintf("%s is %v, not %v", what, got, want))
		}
	}
	r := p.request
	if e.State != "" {
		differ("state", e.State, r.State)
	}
	if e.Worker != "" {
		differ("who has the work", e.Worker, r.Dossier.Picked)
	}
	if e.Public != "" {
		differ("public status", e.Public, r.Public)
	}
	if e.Outcome != "" {
		got := string(r.Outcome)
		if got == "" {
			got = "open"
		}
		differ("outcome", e.Outcome, got)
	}
	for _, id := range slices.Sorted(maps.Keys(e.Fees)) {
		got, assessed := r.Dossier.Fees[domain.FeeID(id)]
		if !assessed {
			wrong = append(wrong, fmt.Sprintf("fee %s was not assessed", id))
			continue
		}
		differ("fee "+id, int64(e.Fees[id]), got.Amount)
	}
	for _, id := range slices.Sorted(maps.Keys(e.Reviews)) {
		got := string(r.Dossier.Reviews[domain.ReviewID(id)].Opinion)
		if got == "" {
			got = "none"
		}
		differ("review "+id, e.Reviews[id], got)
	}
	want := factsOf(e.Facts)
	for _, id := range slices.Sorted(maps.Keys(want)) {
		differ("fact "+id, want[id], r.Facts[id])
	}
	return strings.Join(wrong, "; ")
}
