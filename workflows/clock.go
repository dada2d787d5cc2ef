package workflows

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/calendar"
)

// On is the workflow with its terms run by a calendar.
func (w *Workflow) On(c *calendar.Calendar) *Workflow {
	bound := *w
	bound.calendar, bound.calendarVersion = c, c.Version().String()
	return &bound
}

// Terms implements [domain.Workflow].
func (w *Workflow) Terms(s domain.StateID) []domain.TermRule { return w.terms[s] }

// Order implements [domain.Workflow].
func (w *Workflow) Order(g domain.StopGround) (domain.OrderRule, bool) {
	for _, x := range w.Definition.Suspensions {
		if x.Ground == g && len(x.Roles) > 0 {
			return domain.OrderRule{Roles: x.Roles, Reasons: x.Reasons, Basis: basis(x.Basis)}, true
		}
	}
	return domain.OrderRule{}, false
}

// Clock implements [domain.Workflow].
func (w *Workflow) Clock() domain.Clock {
	if w.calendar == nil {
		return nil
	}
	return clock{w}
}

// termRules compiles the terms that concern a request in a state.
func (w *Workflow) termRules(s *State) []domain.TermRule {
	d := w.Definition
	var list []domain.TermRule
	for i := range d.Terms {
		t := &d.Terms[i]
		rule := w.termRule(domain.TermID(t.ID), t.term(), s.Owner, t.Basis)
		rule.Starts = d.acts(t.Starts)
		rule.Date = t.Due
		if h := d.History; h != nil {
			rule.Record = domain.RecordRule{Since: h.Started, Ended: h.Ended != ""}
		}
		if slices.Contains(t.SuspendedIn, s.ID) {
			rule.Stop = d.stopIn(s)
		}
		if x := t.Extension; x != nil {
			w.budgets[x.By.String()] = x.By
			rule.Extension = &domain.ExtensionRule{By: x.By.String(), Roles: x.Roles, Reasons: x.Reasons, Basis: basis(x.Basis)}
		}
		list = append(list, rule)
	}
	if s.Term != nil {
		rule := w.termRule(domain.StateTerm(s.ID), s.Term, s.Owner, Text{})
		rule.Fresh = d.Applicants(s)
		list = append(list, rule)
	}
	for _, id := range s.Reviews {
		x := d.review(id)
		if x.Term != nil {
			rule := w.termRule(domain.ReviewTerm(id), x.Term, x.Role, Text{})
			rule.Review = id
			list = append(list, rule)
		}
	}
	return list
}

func (w *Workflow) termRule(id domain.TermID, t *Term, owner domain.RoleID, law Text) domain.TermRule {
	rule := domain.TermRule{ID: id, Basis: basis(law)}
	if t.Budget != (Budget{}) {
		rule.Budget = t.Budget.String()
		w.budgets[rule.Budget] = t.Budget
	}
	if t.Promise != nil {
		rule.Promise = t.Promise.String()
		w.budgets[rule.Promise] = *t.Promise
	}
	if t.Remind != nil {
		rule.Remind = t.Remind.String()
		w.budgets[rule.Remind] = *t.Remind
		rule.Steps = append(rule.Steps, domain.StepRule{Step: domain.StepRemind, Role: owner})
	}
	rule.Steps = append(rule.Steps, domain.StepRule{Step: domain.StepExpire})
	x := t.Expires
	if x == nil {
		return rule
	}
	for _, r := range x.Escalate {
		rule.Steps = append(rule.Steps, domain.StepRule{Step: domain.StepEscalate, Role: r})
	}
	if x.Ombudsman {
		rule.Steps = append(rule.Steps, domain.StepRule{Step: domain.StepOmbudsman})
	}
	if to := w.Definition.state(x.To); to != nil {
		rule.To, rule.Public, rule.Outcome, rule.Ground = to.ID, to.Public, to.Outcome, x.Ground
		if !x.Basis.IsZero() {
			rule.Basis = basis(x.Basis)
		}
	}
	return rule
}

func basis(t Text) domain.Basis { return domain.Basis{ID: t.ID, EN: t.EN} }

// Applicants reports whether it is those who ask that have to act in a state.
func (d *Definition) Applicants(s *State) bool {
	return s.Kind == KindWait && d.IsApplicant(s.Owner)
}

// IsApplicant reports whether a role is that of those who ask for the service. Staff who may
// submit, too, in a role in which they otherwise decide, are not.
func (d *Definition) IsApplicant(role domain.RoleID) bool {
	return slices.Contains(d.Submit, role) && !slices.ContainsFunc(d.Roles, func(r Role) bool {
		asks, decides := splits(r.Capacities)
		return r.ID == role && !asks && (decides || slices.Contains(r.Capacities, domain.CapacitySystem))
	})
}

// stopIn is the ground on which terms stand still in a state.
func (d *Definition) stopIn(s *State) domain.StopGround {
	for _, x := range d.Suspensions {
		if slices.Contains(x.In, s.ID) {
			return x.Ground
		}
	}
	if d.Applicants(s) {
		return domain.StopApplicant
	}
	return domain.StopOtherAgency
}

// clock reckons terms by the calendar of a workflow.
type clock struct{ w *Workflow }

// Version implements [domain.Clock].
func (c clock) Version() string { return c.w.calendarVersion }

// Supersedes implements [domain.Clock].
func (c clock) Supersedes(version string) bool {
	if version == c.w.calendarVersion {
		return false
	}
	was, err := calendar.ParseVersion(version)
	return err != nil || c.w.calendar.Version().Supersedes(was)
}

// Alike implements [domain.Clock].
func (clock) Alike(budget, other string) bool { return calendar.Alike(budget, other) }

// part is how exactly a moment is recorded: as exactly as every view can keep it.
const part = time.Microsecond

// Reckon implements [domain.Clock].
func (c clock) Reckon(rule domain.TermRule, t domain.Term, now time.Time) (domain.Reckoning, error) {
	k, err := c.reckon(rule, t, now)
	if ends := rule.Ends(); !ends.IsZero() && (k.Wakes.IsZero() || ends.Before(k.Wakes)) {
		k.Wakes = ends
	}
	return k, err
}

func (c clock) reckon(rule domain.TermRule, t domain.Term, now time.Time) (domain.Reckoning, error) {
	k := domain.Reckoning{Calendar: c.Version()}
	if !t.Until.IsZero() {
		return c.until(k, rule, t, now)
	}
	legal, err := c.run(t.Budget, t, now, t.Extended)
	var outside *calendar.OutsideError
	if errors.As(err, &outside) {
		// No calendar reaches so far yet. What it comes to is said when one does.
		k.Provisional = true
		return k, nil
	}
	if err != nil {
		return k, err
	}
	k.Consumed, k.Remaining, k.Suspended = int64(legal.used), int64(legal.left), int64(legal.stood)
	running := t.Stopped() == ""
	if !running {
		return k, nil
	}
	k.Due, k.Provisional = legal.due.At.UTC(), legal.due.Provisional
	if t.Promise != "" {
		promised, err := c.run(t.Promise, t, now, nil)
		if err != nil && !errors.As(err, &outside) {
			return k, err
		}
		k.Promised = promised.due.At.UTC()
	}
	if k.Wakes, err = c.wakes(&rule, t, now, k.Due); errors.As(err, &outside) {
		k.Wakes, err = time.Time{}, nil
	}
	k.Due, k.Promised, k.Wakes = k.Due.Truncate(part), k.Promised.Truncate(part), k.Wakes.Truncate(part)
	return k, err
}

// until is what a term comes to whose date stands in the case, which nothing moves. Its
// amounts are of time as it passes.
func (c clock) until(k domain.Reckoning, rule domain.TermRule, t domain.Term, now time.Time) (domain.Reckoning, error) {
	if !t.Ended.IsZero() {
		now = t.Ended
	}
	now = latest(t.Started, now)
	k.Consumed, k.Remaining = int64(now.Sub(t.Started)), int64(t.Until.Sub(now))
	k.Due = t.Until.Truncate(part)
	var err error
	if k.Wakes, err = c.wakes(&rule, t, now, k.Due); err == nil {
		k.Wakes = k.Wakes.Truncate(part)
	}
	return k, err
}

// wakes is when the next of a term's steps is to be taken.
func (c clock) wakes(rule *domain.TermRule, t domain.Term, now, due time.Time) (time.Time, error) {
	if t.Steps >= len(rule.Steps) {
		return time.Time{}, nil
	}
	after := 0 // how often the budget passes once more before this step
	switch rule.Steps[t.Steps].Step {
	case domain.StepRemind:
		remind, err := c.run(rule.Remind, t, now, nil)
		if at := remind.due.At.UTC(); at.Before(due) {
			return at, err
		}
		return due, err // by another budget than the rule's own, it would come after the end
	case domain.StepExpire:
		return due, nil
	case domain.StepEscalate, domain.StepOmbudsman:
		for _, s := range rule.Steps[:t.Steps] {
			if s.Step == domain.StepEscalate {
				after++
			}
		}
	}
	if after == 0 {
		return due, nil
	}
	return c.onwards(t, due, now, after)
}

// onwards is when a term's budget has passed some times more since it was due, but for
// the time that it stood still.
func (c clock) onwards(t domain.Term, due, now time.Time, times int) (time.Time, error) {
	if !t.Until.IsZero() { // as much time as it had
		return due.Add(time.Duration(times) * max(0, due.Sub(t.Started))), nil
	}
	b, err := c.budget(t.Budget)
	if err != nil {
		return time.Time{}, err
	}
	cal, m := c.w.calendar, b.Measure()
	more := ran{left: calendar.Span(times) * b.Span()}
	total, from := more.left, cal.Begins(m, due)
	for _, s := range t.Stops {
		if s.To.IsZero() || !s.To.After(due) {
			continue
		}
		if err := more.count(cal, m, from, s.From, total); err != nil {
			return time.Time{}, err
		}
		from = latest(from, s.To)
	}
	err = more.count(cal, m, from, now, total)
	return more.due.At.UTC(), err
}

// ran is what became of a budget.
type ran struct {
	used, left, stood calendar.Span
	due               calendar.Due
	unexpired         bool // a term that stood still at its very last moment runs out when it goes on
}

// run counts a budget over the times in which a term ran. Where it stands still, due
// is what it would be if it went on now.
func (c clock) run(text string, t domain.Term, now time.Time, extended []domain.Extension) (ran, error) {
	b, err := c.budget(text)
	if err != nil {
		return ran{}, err
	}
	cal, m := c.w.calendar, b.Measure()
	total := b.Span()
	for _, x := range extended {
		by, err := c.budget(x.By)
		if err != nil {
			return ran{}, err
		}
		total += by.Span()
	}
	r := ran{left: total, unexpired: t.Expired.IsZero() && text == t.Budget}
	begins := cal.Begins(m, t.Started)
	from := begins // since when it runs
	for _, s := range t.Stops {
		to := s.To
		if to.IsZero() {
			to = now
		}
		if err := r.count(cal, m, from, s.From, total); err != nil {
			return ran{}, err
		}
		stood, err := cal.Used(m, latest(begins, s.From), latest(begins, s.From, to))
		if err != nil {
			return ran{}, err
		}
		r.stood += stood
		from = latest(from, to)
	}
	if t.Stopped() == "" {
		end := now
		if !t.Ended.IsZero() {
			end = t.Ended
		}
		err = r.count(cal, m, from, end, total)
	} else if r.due.At.IsZero() {
		r.due, err = cal.Due(m, from, max(r.left, 0))
	}
	return r, err
}

// count adds a time in which the term ran. It was due in it if it used up the rest.
func (r *ran) count(cal *calendar.Calendar, m calendar.Measure, from, to time.Time, total calendar.Span) error {
	used, err := cal.Used(m, from, latest(from, to))
	if err != nil {
		return err
	}
	if r.due.At.IsZero() || r.left > 0 || r.left == 0 && r.unexpired {
		if r.due, err = cal.Due(m, from, max(r.left, 0)); err != nil {
			return err
		}
	}
	r.used += used
	r.left = total - r.used
	return nil
}

func latest(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.After(first) {
			first = t
		}
	}
	return first
}

// budget reads what an event holds. One that the workflow does not know is of another
// version of it, from which the request was moved.
func (c clock) budget(text string) (Budget, error) {
	if b, ok := c.w.budgets[text]; ok {
		return b, nil
	}
	b, err := calendar.ParseBudget(text)
	if err != nil {
		return Budget{}, fmt.Errorf("budget %w", err)
	}
	return b, nil
}
