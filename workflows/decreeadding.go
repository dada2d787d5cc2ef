package workflows

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/calendar"
)

// Addition is a decree to be made part of the calendar.
type Addition struct {
	Tenant   domain.TenantCode // whose; "" is the nation's
	Source   []byte
	Decree   *calendar.Decree // of Source
	Actor    domain.Actor
	Why      string
	Occurred time.Time
	At       time.Time // when it is recorded
}

// Add records a decree; false when the very same was recorded before, which records
// nothing. What is not admitted is a [*calendar.Refused]. Due times that were computed
// before are not touched by it.
func (l *Calendars) Add(ctx context.Context, a Addition) (AddedDecree, bool, error) {
	none := AddedDecree{}
	if a.Occurred.IsZero() || a.At.IsZero() {
		return none, false, fmt.Errorf("add decree %q: it is not said when", a.Decree.Number)
	}
	if err := accountable(a.Actor, a.Why); err != nil {
		return none, false, fmt.Errorf("add decree %q: %w", a.Decree.Number, err)
	}
	stream, hash := domain.CalendarStream(a.Tenant), domain.HashOf(string(a.Source))
	b := l.book(a.Tenant)
	b.mu.Lock()
	defer b.mu.Unlock()
	const attempts = 8 // against other processes; in this one the book is locked
	added := false
	for n := 0; ; n++ {
		if err := l.refresh(ctx, b, stream); err != nil {
			return none, false, err
		}
		for _, d := range b.decrees {
			if d.Hash == hash {
				return d, added, nil
			}
		}
		if n == attempts {
			return none, false, fmt.Errorf("add decree %q: others keep adding decrees", a.Decree.Number)
		}
		if err := calendar.Admit(decreesOf(b.decrees), a.Tenant != "", *a.Decree); err != nil {
			return none, false, err
		}
		command := domain.CommandID(a.Occurred, "decree", stream, hash)
		x, _, err := domain.Enter(stream, b.tip, a.At, []domain.Event{{
			Envelope: domain.Envelope{
				ID: domain.EventID(command, 0), Tenant: a.Tenant, Actor: a.Actor,
				Command: command, Correlation: command, Occurred: a.Occurred.UTC(),
			},
			Body: domain.DecreeAdded{Number: a.Decree.Number, Source: string(a.Source), Hash: hash, Why: a.Why},
		}})
		if err != nil {
			return none, false, fmt.Errorf("add decree %q: %w", a.Decree.Number, err)
		}
		_, err = l.log.Append(ctx, x)
		var conflict *domain.ConflictError
		if err != nil && !errors.As(err, &conflict) {
			return none, false, fmt.Errorf("add decree %q: %w", a.Decree.Number, err)
		}
		added = err == nil
	}
}
