package workflows

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/calendar"
)

// LedgerLine is one event on a term, and what it says of it.
type LedgerLine struct {
	Version  domain.Version
	Occurred time.Time
	Recorded time.Time
	Event    string // its type
	Term     domain.TermID
	Ground   string // of a stop, a move
	Reason   domain.ReasonCode
	Budget   string // of the term; of an extension, what it gave
	domain.Reckoning

	// Again is empty when the calendar that the event names gives the same once more,
	// else what is different, or why nothing that it gives is to be relied on.
	Again string
}

// Archive gives calendars as they were.
type Archive interface {
	At(context.Context, domain.TenantCode, calendar.Version) (*calendar.Calendar, error)
}

// Ledger lists what was recorded of the terms of a request, and reckons each line again
// by the calendar that it names.
func (e *Engine) Ledger(ctx context.Context, request uuid.UUID, calendars Archive) ([]LedgerLine, error) {
	var r domain.Request
	var list []LedgerLine
	for ev, err := range domain.Events(e.log.ReadStream(ctx, domain.RequestStream(request), 0)) {
		if err != nil {
			return nil, fmt.Errorf("load request %s: %w", request, err)
		}
		r = domain.Evolve(r, ev)
		line, ok := lineOf(ev)
		if !ok {
			continue
		}
		if line.Budget == "" {
			line.Budget = r.Terms[line.Term].Lasts()
		}
		if line.Again, err = e.again(ctx, r, ev, line, calendars); err != nil {
			return nil, err
		}
		list = append(list, line)
	}
	return list, nil
}

func lineOf(e domain.Recorded) (LedgerLine, bool) {
	t, ok := e.Body.(domain.TermEvent)
	if !ok {
		return LedgerLine{}, false
	}
	name, _ := t.Type()
	l := LedgerLine{Version: e.Version, Occurred: e.Occurred, Recorded: e.At, Event: name, Term: t.TermID(), Reckoning: t.Reckoned()}
	switch b := e.Body.(type) {
	case domain.TermStarted:
		if b.Date != "" {
			l.Ground = "due by " + b.Date
		}
	case domain.TermSuspended:
		l.Ground = string(b.Ground)
	case domain.TermResumed:
		l.Ground = string(b.Ground)
	case domain.TermExtended:
		l.Reason, l.Budget = b.Reason, b.By
	case domain.TermReminded:
		l.Ground = string(b.Role)
	case domain.TermExpired:
		l.Ground = string(b.Ground)
	case domain.TermEscalated:
		l.Ground = string(b.Step) + " " + string(b.Role)
	case domain.TermCarried:
		l.Budget = b.Budget
		if b.Budget != b.WasBudget {
			l.Ground = "instead of " + b.WasBudget
		}
	case domain.TermContinued:
		l.Budget, l.Ground = b.Budget, fmt.Sprintf("as %s since %s", b.Of, b.Since.Format(time.RFC3339))
	case domain.TermDropped:
		l.Ground = fmt.Sprintf("not in version %d", b.Version)
	}
	return l, true
}

// again reckons a line from the ledger as it was then.
func (e *Engine) again(ctx context.Context, r domain.Request, ev domain.Recorded, l LedgerLine, calendars Archive) (string, error) {
	v, err := calendar.ParseVersion(l.Calendar)
	if err != nil {
		return err.Error(), nil
	}
	cal, err := calendars.At(ctx, r.Tenant, v)
	if err != nil {
		return err.Error(), nil
	}
	w, err := e.library.Version(ctx, r.Tenant, ev.Workflow)
	if err != nil {
		return "", err
	}
	rule, ok := w.anyTerm(l.Term)
	t := r.Terms[l.Term]
	switch ev.Body.(type) {
	case domain.TermDropped: // the workflow has none: that is why
		ok, t.Ended = true, time.Time{}
	case domain.TermRecomputed: // it may be about to be dropped
		ok = true
	case domain.TermEnded:
		t.Ended = time.Time{}
	}
	if !ok {
		return "the workflow has no such term", nil
	}
	timed := clock{w.On(cal)}
	if by := t.ExtendedOtherwise(timed); by != "" {
		return fmt.Sprintf("%s were extended by %s, which is counted otherwise: it has no due time to be relied on", t.Budget, by), nil
	}
	k, err := timed.Reckon(rule.Of(r), t, ev.Occurred)
	if !t.Open() {
		k.Wakes = time.Time{}
	}
	switch {
	case err != nil:
		return "", err
	case k != l.Reckoning:
		return fmt.Sprintf("due %s, consumed %d, remaining %d, suspended %d", k.Due.Format(time.RFC3339), k.Consumed, k.Remaining, k.Suspended), nil
	}
	return "", nil
}

// anyTerm is what the workflow says of a term, in whatever state.
func (w *Workflow) anyTerm(id domain.TermID) (domain.TermRule, bool) {
	for i := range w.Definition.States {
		for _, rule := range w.terms[w.Definition.States[i].ID] {
			if rule.ID == id {
				return rule, true
			}
		}
	}
	return domain.TermRule{}, false
}
