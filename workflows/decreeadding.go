package workflows

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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
// nothing. What is not admitted is a [*calendar.Refused]. Due times that were recorded
// before stay in the log as they are; where the decree moves one, an event says so. A
// decree of the nation is looked at in every tenant's calendar, for which the whole log
// is read once. What others add for somebody else at the same moment is not seen.
func (l *Calendars) Add(ctx context.Context, a Addition) (AddedDecree, bool, error) {
	none := AddedDecree{}
	if a.Occurred.IsZero() || a.At.IsZero() {
		return none, false, fmt.Errorf("add decree %q: it is not said when", a.Decree.Number)
	}
	if err := accountable(a.Actor, a.Why); err != nil {
		return none, false, fmt.Errorf("add decree %q: %w", a.Decree.Number, err)
	}
	stream, hash := domain.CalendarStream(a.Tenant), domain.HashOf(string(a.Source))
	others, err := l.others(ctx, a.Tenant) // before the book is locked: theirs may be, by who wants this one
	if err != nil {
		return none, false, fmt.Errorf("add decree %q: %w", a.Decree.Number, err)
	}
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
		if err := a.fits(decreesOf(b.decrees), others); err != nil {
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

// others are the decrees that make a calendar with those of a tenant: the nation's, or
// for the nation those of each tenant that has any.
func (l *Calendars) others(ctx context.Context, tenant domain.TenantCode) (map[domain.TenantCode][]calendar.Decree, error) {
	whose := map[domain.TenantCode]bool{"": true}
	if tenant == "" {
		delete(whose, "")
		for e, err := range l.log.ReadAll(ctx, 0) {
			if err != nil {
				return nil, fmt.Errorf("look for the decrees of tenants: %w", err)
			}
			if code, err := domain.ParseTenantCode(strings.TrimPrefix(e.Stream, "calendar-")); err == nil && e.Stream == domain.CalendarStream(code) {
				whose[code] = true
			}
		}
	}
	all := map[domain.TenantCode][]calendar.Decree{}
	for code := range whose {
		list, err := l.newest(ctx, code)
		if err != nil {
			return nil, err
		}
		all[code] = decreesOf(list)
	}
	return all, nil
}

// sheet is a calendar that a decree becomes part of.
type sheet struct {
	whose    string
	zone     *time.Location
	national []calendar.Decree
	tenant   []calendar.Decree
}

// sheets are those that the decree becomes part of, as they are without it: of a decree of
// the nation, its own in each zone, and that of each tenant with decrees of its own.
func (a Addition) sheets(own []calendar.Decree, others map[domain.TenantCode][]calendar.Decree) []sheet {
	if a.Tenant != "" {
		return []sheet{{"tenant " + string(a.Tenant), a.Tenant.Zone(), others[""], own}}
	}
	var list []sheet
	for _, z := range domain.Zones() {
		list = append(list, sheet{"whoever goes by the nation's calendar in " + z.String(), z, own, nil})
	}
	for _, code := range slices.Sorted(maps.Keys(others)) {
		list = append(list, sheet{"tenant " + string(code), code.Zone(), own, others[code]})
	}
	return list
}

// fits refuses a decree that makes working time of a day that has passed or has begun, for
// anybody: they were told until when there is time, and it would end before it is said. It
// may give such days back, as holidays. And it refuses one that leaves days for which
// nothing says when offices work.
func (a Addition) fits(own []calendar.Decree, others map[domain.TenantCode][]calendar.Decree) error {
	if err := calendar.SaysRamadan(slices.Concat(own, others[""]), *a.Decree); err != nil {
		return err
	}
	for _, x := range a.sheets(own, others) {
		was, err := calendar.Compile(x.zone, x.national, x.tenant)
		if err != nil {
			return err
		}
		if a.Tenant == "" {
			x.national = append(slices.Clip(x.national), *a.Decree)
		} else {
			x.tenant = append(slices.Clip(x.tenant), *a.Decree)
		}
		is, err := calendar.Compile(x.zone, x.national, x.tenant)
		if err != nil {
			return err
		}
		if gap, idle := is.Unruled(was); idle {
			until := "on"
			if gap.To < is.Range().To {
				until = "to " + gap.To.String()
			}
			return &calendar.Refused{
				Why:  fmt.Sprintf("with decree %q nothing would say when offices work from %s %s: nobody would work, and no term would run out", a.Decree.Number, gap.From, until),
				Hint: "what is repealed counts no more after the day on which the decree was published: leave it out of repeals, for newer rules take its place on their first day, or give rules from the day after that",
			}
		}
		if day, taken := is.Takes(was, was.DateOf(a.At)); taken {
			return &calendar.Refused{
				Why:  fmt.Sprintf("decree %q makes working time of %s for %s, which has passed there or has begun: due times that people were told would end before they are told so", a.Decree.Number, day, x.whose),
				Hint: "let it begin with a day to come; of a day that has passed, a decree can make a holiday",
			}
		}
	}
	return nil
}
