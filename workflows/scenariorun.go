package workflows

import (
	"errors"
	"fmt"
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
	Untaken        []string // ways that no test takes, as "accept from submitted to review" or "the time that runs out from review to lapsed"; of two that a condition tells apart, with it
}

// RunTests runs the tests that stand in a definition, by the rules that a request is
// judged by when it is real. File and source name and show the lines.
func RunTests(file string, source []byte, d *Definition) TestRun {
	w := Compile(d, 1).On(playedBy())
	lines := strings.Split(string(source), "\n")
	var run TestRun
	taken := map[leg]bool{}
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
	run.Untaken = d.untaken(taken)
	return run
}

// leg is a way from one state to the next: a transition out of one of its states, or, where
// that is nil, what a term that runs out there leads to.
type leg struct {
	by       *Transition
	from, to domain.StateID
}

// untaken lists the legs that were not taken. Of several terms that lead out of a state to
// another it is one leg: which runs out first is the calendar's matter.
func (d *Definition) untaken(taken map[leg]bool) []string {
	var list []string
	for i := range d.Transitions {
		t := &d.Transitions[i]
		for _, from := range t.From {
			if !taken[leg{t, from, t.To}] {
				list = append(list, d.called(t, from))
			}
		}
	}
	told := map[leg]bool{}
	for _, m := range newRoutes(d).moves {
		l := leg{from: m.from, to: m.expiry.To}
		if !taken[l] && !told[l] {
			told[l] = true
			list = append(list, fmt.Sprintf("the time that runs out from %s to %s", l.from, l.to))
		}
	}
	return list
}

// called is a transition out of a state as it is told from others: by its condition or who
// takes it, where another has its action, state and end.
func (d *Definition) called(t *Transition, from domain.StateID) string {
	name := fmt.Sprintf("%s from %s to %s", t.Action, from, t.To)
	for i := range d.Transitions {
		if x := &d.Transitions[i]; x == t || x.Action != t.Action || x.To != t.To || !slices.Contains(x.From, from) {
			continue
		}
		switch {
		case t.When != nil:
			return name + " when " + t.When.Text
		case t.Automatic:
			return name + ", the automatic one without a condition"
		}
		return name + " by " + domain.Listed(t.Roles) + " without a condition"
	}
	return name
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
	if faults := w.Definition.givenFaults(&s.Given); len(faults) > 0 {
		faults[0].text = "the submission " + faults[0].text
		return faults[:1]
	}
	if at.text = p.submit(&s.Given); at.text != "" {
		at.text = "the submission " + at.text
		return []failure{at}
	}
	for i := range s.When {
		step := &s.When[i]
		if faults := append(slices.Clip(step.strays), w.Definition.stepFaults(step)...); len(faults) > 0 {
			at = faults[0]
			at.text = fmt.Sprintf("step %d %s", i+1, at.text)
			return []failure{at}
		}
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
	if s.idle() {
		return []failure{{line: s.Then.line, column: s.Then.column, text: saysNothing}}
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
	r, err := p.request, asUnrecorded(c.Head().Actor)
	if err == nil {
		r, err = p.carryOut(c)
	}
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

// decider carries commands out on a request of its own, and marks the ways that are taken.
func (w *Workflow) decider(taken map[leg]bool) func(domain.Command) (domain.Request, error) {
	var r domain.Request
	return func(c domain.Command) (domain.Request, error) {
		events, err := domain.Decide(r, c, w)
		if err != nil {
			return r, err
		}
		if act, ok := c.(domain.Act); ok && len(events) > 0 {
			if e, _, err := w.meant(&r, act.Action); err == nil {
				taken[leg{e.rule, r.State, e.To}] = true
			}
		}
		for _, e := range events {
			switch b := e.Body.(type) {
			case domain.ActionTaken:
				if b.Kind != domain.ActionAuto {
					break
				}
				if e, _, err := w.onward(&r, w.states[r.State]); err == nil && e != nil {
					taken[leg{e.rule, r.State, e.To}] = true
				}
			case domain.DecisionDeemed:
				taken[leg{from: b.From, to: b.To}] = true
			case domain.RequestLapsed:
				taken[leg{from: b.From, to: b.To}] = true
			}
			r = domain.Evolve(r, domain.Recorded{Event: e, Version: r.Version + 1})
		}
		return r, nil
	}
}
