package calendar_test

import (
	"testing"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/calendar"
)

var wib = domain.TenantCode("11.71").Zone()

func compiled(t testing.TB, zone *time.Location, national, tenant []calendar.Decree) *calendar.Calendar {
	t.Helper()
	c, err := calendar.Compile(zone, national, tenant)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, wib)
	if err != nil {
		panic(err)
	}
	return t
}

// When budgets that start at some moment run out, in the shipped calendar. Each line
// can be looked up in an almanac.
func TestDue(t *testing.T) {
	c := compiled(t, wib, nil, nil)
	for _, x := range []struct{ start, budget, due, why string }{
		{"2026-11-23 10:00", "5 working days", "2026-11-30 16:00", "the day of filing does not count; the fifth working day after it, to its end"},
		{"2026-11-23 07:30", "1 working day", "2026-11-24 16:00", "as work begins"},
		{"2026-11-23 23:59", "1 working day", "2026-11-24 16:00", "after hours it is still that day"},
		{"2026-11-24 00:00", "1 working day", "2026-11-25 16:00", "midnight is of the day that begins"},
		{"2026-11-26 10:00", "1 working day", "2026-11-27 16:30", "Fridays end later"},
		{"2026-11-27 10:00", "1 working day", "2026-11-30 16:00", "over a weekend"},
		{"2026-11-28 10:00", "1 working day", "2026-11-30 16:00", "filed on a Saturday"},
		{"2026-12-23 10:00", "1 working day", "2026-12-28 16:00", "24 December is joint leave, 25 Christmas"},
		{"2026-02-18 09:00", "1 working day", "2026-02-19 15:00", "Ramadan"},
		{"2026-02-19 09:00", "1 working day", "2026-02-20 15:30", "a Friday of Ramadan"},
		{"2026-11-23 10:00", "3 working hours", "2026-11-23 14:00", "over the break"},
		{"2026-11-23 10:00", "2 working hours", "2026-11-23 12:00", "up to the break, not to the end of it"},
		{"2026-11-23 14:00", "2 working hours", "2026-11-23 16:00", "up to the end of the day, not to the beginning of the next"},
		{"2026-11-23 14:00", "121 working minutes", "2026-11-24 07:31", "and beyond"},
		{"2026-11-23 20:00", "90 working minutes", "2026-11-24 09:00", "after hours"},
		{"2026-11-23 12:30", "30 working minutes", "2026-11-23 13:30", "in the break"},
		{"2026-11-23 10:00", "90 minutes", "2026-11-23 11:30", "by the clock on the wall"},
		{"2026-11-27 10:00", "2 days", "2026-11-30 00:00", "days of the almanac end at midnight"},
		{"2026-11-27 10:00", "24 hours", "2026-11-28 10:00", "hours of the clock"},
	} {
		b, err := calendar.ParseBudget(x.budget)
		if err != nil {
			t.Fatal(err)
		}
		m := b.Measure()
		begins := c.Begins(m, at(x.start))
		due, err := c.Due(m, begins, b.Span())
		if err != nil || due.Provisional {
			t.Errorf("%s from %s: %+v, %v", b, x.start, due, err)
		}
		if !due.At.Equal(at(x.due)) {
			t.Errorf("%s from %s is due %s, want %s: %s", b, x.start, due.At.Format("2006-01-02 15:04:05"), x.due, x.why)
		}
		if used, err := c.Used(m, begins, due.At); err != nil || used != b.Span() {
			t.Errorf("%s from %s: %s is used at the due time, %v", b, x.start, m.Text(used), err)
		}
	}
}
