package workflows

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
		if err := a.clear(); err != nil {
			return none, false, fmt.Errorf("add the decree: %w", err)
		}
		if err := calendar.Admit(decreesOf(b.decrees), a.Tenant != "", *a.Decree); err != nil {
			return none, false, err
		}
		if err := l.givesBack(ctx, a, b.decrees); err != nil {
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
		done, err := l.log.Append(ctx, x)
		var conflict *domain.ConflictError
		if err != nil && !errors.As(err, &conflict) {
			return none, false, fmt.Errorf("add decree %q: %w", a.Decree.Number, err)
		}
		added = err == nil && !done.Repeated
	}
}

// clear holds that all of a decree may stand in the clear, and that what is shown of it
// is fit for that.
func (a Addition) clear() error {
	d := a.Decree
	texts := []struct{ what, text string }{
		{"number", d.Number}, {"title in Indonesian", d.Title.ID}, {"title in English", d.Title.EN}, {"source", d.Source},
	}
	for _, x := range d.Days {
		name := fmt.Sprintf("name of %s in ", x.Date)
		texts = append(texts, struct{ what, text string }{name + "Indonesian", x.Name.ID}, struct{ what, text string }{name + "English", x.Name.EN})
	}
	for _, x := range texts {
		if err := domain.CheckClear("the decree's "+x.what, x.text); err != nil {
			return err
		}
	}
	for i, line := range strings.Split(string(a.Source), "\n") {
		if err := domain.CheckImpersonal(fmt.Sprintf("line %d of the decree", i+1), line); err != nil {
			return err
		}
	}
	return nil
}

// givesBack refuses a decree that takes working time of days that have passed: somebody
// was told until when there is time, and it would end before it is said. It may give such
// days back, as holidays.
func (l *Calendars) givesBack(ctx context.Context, a Addition, own []AddedDecree) error {
	national, tenant := decreesOf(own), []calendar.Decree(nil)
	if a.Tenant != "" {
		nation, err := l.seen(ctx, "")
		if err != nil {
			return err
		}
		national, tenant = decreesOf(nation), decreesOf(own)
	}
	was, err := calendar.Compile(a.Tenant.Zone(), national, tenant)
	if err != nil {
		return err
	}
	if a.Tenant == "" {
		national = append(national, *a.Decree)
	} else {
		tenant = append(tenant, *a.Decree)
	}
	is, err := calendar.Compile(a.Tenant.Zone(), national, tenant)
	if err != nil {
		return err
	}
	if day, taken := is.Takes(was, was.DateOf(a.At)); taken {
		return &calendar.Refused{
			Why:  fmt.Sprintf("decree %q makes working time of %s, which has passed: due times that people were told would end before they are told so", a.Decree.Number, day),
			Hint: "let it begin with a day to come; of a day that has passed, a decree can make a holiday",
		}
	}
	return nil
}
