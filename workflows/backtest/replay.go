package backtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// course is one history: as it was, and as the new version has it. Both go on side by
// side, so that what is compared is always of the same moment.
type course struct {
	t   *Backtest
	ctx context.Context

	by         *workflows.Workflow         // the version that the step was judged by
	under      *workflows.Workflow         // the one that judges it now: the new version, or its own where that stands for another
	ref        domain.WorkflowRef          // in whose place it does
	stands     map[domain.WorkflowRef]bool // in the place of which versions the new one stands
	then, now  domain.Request
	was, is    observed
	cal        *calendar.Calendar // as known at the present step
	last       string             // version of the one that a term was last reckoned by
	given      map[domain.DocumentID]bool
	refused    bool // a step was that moved the request
	held       bool // by that it stands where it stands: it has not moved since
	compared   bool
	parted     *parting // where the sides did midway
	stopped    bool
	after      string // the end on the side of the new version: what was done since
	h          History
	own        *course // of an imported case whose terms were never counted: what they come to by the versions that it was under
	tell       bool
	beforeStep domain.StateID // then, before the step
}

func (t *Backtest) course(ctx context.Context, tell bool) *course {
	return &course{t: t, ctx: ctx, was: newObserved(), is: newObserved(), given: map[domain.DocumentID]bool{}, tell: tell}
}

// rules are the version that judges, in the place of the one that a step was under, with
// the facts of one command settled beforehand.
type rules struct {
	*workflows.Workflow
	ref     domain.WorkflowRef
	facts   domain.Facts
	wrong   error
	settled bool
}

// Ref implements [domain.Workflow].
func (r rules) Ref() domain.WorkflowRef { return r.ref }

// rules are those that judge at the present step.
func (c *course) rules() rules { return rules{Workflow: c.t.timed(c.under, c.cal), ref: c.ref} }

// CheckFacts implements [domain.Workflow].
func (r rules) CheckFacts(given domain.Facts, form domain.Personal) (domain.Facts, error) {
	if !r.settled {
		return r.Workflow.CheckFacts(given, form)
	}
	return maps.Clone(r.facts), r.wrong
}

// CheckTimes implements [domain.Workflow]: they were recorded, and none is given anew.
func (rules) CheckTimes(domain.Facts) error { return nil }

// differs notes a difference.
func (c *course) differs(d Difference) { c.h.Differences = append(c.h.Differences, d) }

// compare notes, once, how the course differs so far. Midway, that one side is ahead of
// the other is no other route: what holds it up is told by itself.
func (c *course) compare(midway bool) {
	if c.compared {
		return
	}
	c.compared = true
	if midway {
		c.parted = &parting{then: maps.Clone(c.was.terms), now: maps.Clone(c.is.terms), ended: c.now.Outcome != ""}
	}
	list := differ(&c.was, &c.is, c.cal)
	if n := min(len(c.was.route), len(c.is.route)); slices.Equal(c.was.route[:n], c.is.route[:n]) && (midway || c.was.outcome != c.is.outcome) {
		list = slices.DeleteFunc(list, func(d Difference) bool { return d.Kind == Route })
	}
	c.h.Differences = append(list, c.h.Differences...)
}

// parting is the legal terms as they were where the sides parted.
type parting struct {
	then, now map[domain.TermID]deadline
	ended     bool // on the side of the new version, whose terms come to nothing else any more
}

// settle compares the deadlines of sides that have parted, once all of the record is known:
// what it shows counted, or missed, only after that is not new.
func (c *course) settle() {
	if c.parted == nil {
		return
	}
	var list []Difference
	for _, id := range keys(c.parted.then, c.parted.now) {
		then, had := c.parted.then[id]
		now, has := c.parted.now[id]
		whole, counted := c.was.terms[id]
		if !had {
			then, had = whole, counted
		}
		if c.parted.ended || now.missed {
			then.missed = then.missed || whole.missed
		}
		list = append(list, deadlines(id, then, now, had, has, c.cal)...)
	}
	isDeadline := func(d Difference) bool { return d.Kind == Deadline }
	at := max(0, slices.IndexFunc(c.h.Differences, isDeadline))
	c.h.Differences = slices.Insert(slices.DeleteFunc(c.h.Differences, isDeadline), at, list...)
}

// take goes one recorded step further on both sides.
func (c *course) take(s *step) error {
	c.beforeStep = c.then.State
	first := s.first()
	var err error
	// A calendar that moved nothing left no trace, and whoever decided may not have known
	// of it yet: as long as a term is open, the one that it was last reckoned by counts.
	version := s.reckoned()
	if version == "" && slices.ContainsFunc(slices.Collect(maps.Values(c.then.Terms)), domain.Term.Open) {
		version = c.last
	}
	c.last = version
	if c.cal, err = c.t.calendarAt(c.ctx, first.Tenant, first.Position, version); err != nil {
		return err
	}
	former := c.by
	if c.by == nil || c.by.Ref() != first.Workflow {
		if c.by, err = c.t.Versions.Version(c.ctx, first.Tenant, first.Workflow); err != nil {
			return fmt.Errorf("the version it was judged by: %w", err)
		}
	}
	note := ""
	command := s.command()
	if _, ok := s.migrated(); ok {
		command = s.migrate(c.then, former, c.by)
	}
	if c.under == nil {
		c.judged(first.Workflow)
	}
	if !c.stopped {
		if note, err = c.follow(s, command); err != nil {
			return err
		}
	}
	if c.own != nil {
		if err := c.own.take(s); err != nil {
			return err
		}
		c.was.terms = c.own.is.terms
	}
	for i := range s.events {
		c.then = domain.Evolve(c.then, s.events[i])
		c.was.see(&c.then, s.events[i].Body)
		if d, ok := s.events[i].Body.(domain.DocumentAttached); ok {
			c.given[d.Document] = true
		}
	}
	if c.tell {
		c.line(s, command, note)
	}
	return nil
}

// judged has the steps judged from here on that were under a version: by the new one where
// that stands in its place, else by itself.
func (c *course) judged(ref domain.WorkflowRef) {
	c.ref, c.under = ref, c.by
	if c.stands[ref] {
		c.under = c.t.Workflow
	}
}

// line tells of a step.
func (c *course) line(s *step, command domain.Command, note string) {
	name, _ := s.first().Body.Type()
	line := Line{At: s.first().Occurred, What: name, Then: c.then.State, Now: c.now.State, Note: note}
	if command != nil {
		line.What, line.By = told(command), string(command.Head().Actor.Role)
	} else if id, ok := s.moment(); ok {
		line.What = fmt.Sprintf("%s of term %q", name, id)
	}
	if c.stopped && note == "" {
		line.Now = ""
	}
	c.h.Steps = append(c.h.Steps, line)
}

// follow has the new version decide what a step asked for. The error is not about the
// history.
func (c *course) follow(s *step, command domain.Command) (note string, err error) {
	if command == nil {
		return "", c.byItself(s)
	}
	occurred := command.Head().Occurred
	if err := c.fire(func(id domain.TermID, due time.Time) bool { return due.Before(occurred) }); err != nil {
		return "", err
	}
	if m, ok := command.(domain.Migrate); ok {
		m.Former = c.rules()
		command = m
	}
	c.judged(s.first().Workflow) // a migration is decided by the version that it leads to
	bound := c.bind(&command, s)
	again, note := c.adapt(&command, s)
	if !again {
		return note, nil
	}
	err = c.decide(command, bound, s)
	var refusal *domain.Refusal
	if errors.As(err, &refusal) {
		return c.refuse(s, command, bound, refusal)
	}
	return note, err
}

// byItself follows what the system recorded: a moment that had come, or another
// calendar.
func (c *course) byItself(s *step) error {
	id, ok := s.moment()
	if !ok || !c.now.Exists() {
		return nil
	}
	at := s.first().Occurred
	if err := c.fire(func(_ domain.TermID, due time.Time) bool { return due.Before(at) }); err != nil {
		return err
	}
	if c.now.Terms[id].Wakes.Equal(at) {
		return c.expire(id, at)
	}
	return c.recompute(at)
}

// recompute has the terms reckoned by the calendar as it is.
func (c *course) recompute(at time.Time) error {
	if _, _, due := c.now.Overdue(at); due {
		return nil
	}
	id := domain.CommandID(at, "backtest", "recompute", c.now.ID.String(), strconv.Itoa(int(c.now.Version)))
	err := c.decide(domain.RecomputeTerms{Header: domain.Header{ID: id, Actor: domain.System(), Occurred: at}}, c.rules(), nil)
	return unless(err)
}

// unless leaves out refusals: nothing follows by itself then.
func unless(err error) error {
	var refusal *domain.Refusal
	if errors.As(err, &refusal) {
		return nil
	}
	return err
}

// fire has moments come in their order, as long as they are some that come.
func (c *course) fire(comes func(domain.TermID, time.Time) bool) error {
	for n := 0; ; n++ {
		id, due, ok := c.now.Overdue(latest)
		if !ok || !comes(id, due) {
			return nil
		}
		if n > domain.MaxFollowing {
			return fmt.Errorf("what follows from term %q does not come to rest", id)
		}
		version := c.now.Version
		if err := c.expire(id, due); err != nil {
			return err
		}
		if c.now.Version == version { // refused, as by an invariant: nothing gets past it
			return &stuckError{id}
		}
	}
}

// stuckError says that a moment has come, and what would follow from it is refused.
type stuckError struct{ term domain.TermID }

func (e *stuckError) Error() string {
	return fmt.Sprintf("the time of term %q has come, and what would follow is refused", e.term)
}

// latest is after all moments.
var latest = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

func (c *course) expire(id domain.TermID, due time.Time) error {
	command := domain.CommandID(due, "expire", c.now.ID.String(), string(id), strconv.FormatInt(due.UnixNano(), 10), strconv.Itoa(int(c.now.Version)))
	return unless(c.decide(domain.Expire{Header: domain.Header{ID: command, Actor: domain.System(), Occurred: due}, Term: id, Due: due}, c.rules(), nil))
}

// decide takes a command on the side of the new version.
func (c *course) decide(command domain.Command, w domain.Workflow, s *step) error {
	events, err := domain.Decide(c.now, command, w)
	if err != nil {
		return err
	}
	for i := range events {
		if a, ok := events[i].Body.(domain.TaskAllocated); ok && s != nil {
			// The lot is not drawn again: it went to somebody.
			if b, ok := s.first().Body.(domain.TaskAllocated); ok && !slices.Contains(a.Barred, b.To) {
				a.To = b.To
				events[i].Body = a
			}
		}
		c.evolve(events[i])
	}
	return nil
}

func (c *course) evolve(e domain.Event) {
	if m, moves := domain.MoveOf(e.Body); moves && m.From != m.To {
		c.held = false
	}
	c.now = domain.Evolve(c.now, domain.Recorded{Event: e, Version: c.now.Version + 1})
	c.is.see(&c.now, e.Body)
}

// bind settles the facts of a command, and fits those that come with an action to what
// the new version asks for.
func (c *course) bind(command *domain.Command, s *step) rules {
	r := c.rules()
	settle := func(recorded domain.Facts) {
		var unsaid []string
		r.facts, unsaid, r.wrong = r.FactsAnew(recorded, c.by, s.first().Box != nil)
		r.settled = true
		for _, x := range unsaid {
			c.unsaid(x)
		}
	}
	switch x := (*command).(type) {
	case domain.Submit:
		settle(x.Facts)
	case domain.Act:
		t, err := r.Fire(c.now, x.Action)
		switch {
		case err != nil:
		case t.Kind == domain.ActionCorrect && !s.corrected():
			// Nothing was filled in anew then: all stays as it is.
			r.facts, r.settled, x.Facts = c.now.Facts, true, nil
		case t.Kind == domain.ActionCorrect:
			settle(x.Facts)
		case !s.corrected():
			x.Facts = only(x.Facts, t.Records)
		}
		*command = x
	}
	return r
}

// unsaid notes what cannot be said without the personal data, once.
func (c *course) unsaid(what string) {
	if !slices.ContainsFunc(c.h.Differences, func(d Difference) bool { return d.Kind == Unsaid && d.Cause == what }) {
		c.differs(Difference{Kind: Unsaid, Cause: what})
	}
}

// adapt makes of a command what people would have done under the new version, where
// that is plain; false when nothing is left to do.
func (c *course) adapt(command *domain.Command, s *step) (goOn bool, note string) {
	d := c.under.Definition
	switch x := (*command).(type) {
	case domain.Pay:
		var left []domain.Payment
		for _, p := range append([]domain.Payment{{Fee: x.Fee, Amount: x.Amount}}, x.Also...) {
			f, assessed := c.now.Dossier.Fees[p.Fee]
			known := slices.ContainsFunc(d.Fees, func(f workflows.Fee) bool { return f.ID == p.Fee })
			switch {
			case !known, assessed && f.Settled() && f.Amount == 0:
				continue // told as a fee that is no longer due
			case assessed && !f.Stale && !f.Settled():
				p.Amount = f.Owed()
			}
			left = append(left, p)
		}
		if len(left) == 0 {
			return false, "no longer due"
		}
		x.Fee, x.Amount, x.Also = left[0].Fee, left[0].Amount, left[1:]
		*command = x
	case domain.GiveReview:
		if !c.is.asked[x.Review] && !c.refused {
			return false, "no longer asked for"
		}
	case domain.Pick, domain.Reassign, domain.Allocate:
		return c.work(s)
	}
	return true, ""
}
