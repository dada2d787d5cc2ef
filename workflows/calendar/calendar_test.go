package calendar_test

import (
	"strings"
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

// With nothing left, what is due is due at once, or when work begins next.
func TestDueWithNothingLeft(t *testing.T) {
	c := compiled(t, wib, nil, nil)
	for from, want := range map[string]string{
		"2026-11-23 10:00": "2026-11-23 10:00",
		"2026-11-23 16:00": "2026-11-23 16:00", // the closing moment is part of the day
		"2026-11-23 16:01": "2026-11-24 07:30",
		"2026-11-23 12:30": "2026-11-23 13:00",
		"2026-11-28 10:00": "2026-11-30 07:30",
	} {
		for _, m := range []calendar.Measure{calendar.WorkingDays, calendar.WorkingTime} {
			if got, err := c.Due(m, at(from), 0); err != nil || !got.At.Equal(at(want)) {
				t.Errorf("from %s: %+v, %v; want %s", from, got, err, want)
			}
		}
	}
}

func TestBudgetsAreReadAsTheyAreWritten(t *testing.T) {
	for s, want := range map[string]struct {
		measure calendar.Measure
		span    calendar.Span
		id      string
	}{
		"5 working days":   {calendar.WorkingDays, 5 * calendar.Day, "5 hari kerja"},
		"3 working hours":  {calendar.WorkingTime, calendar.Span(3 * time.Hour), "3 jam kerja"},
		"1 working minute": {calendar.WorkingTime, calendar.Span(time.Minute), "1 menit kerja"},
		"90 minutes":       {calendar.PlainTime, calendar.Span(90 * time.Minute), "90 menit"},
		"1 day":            {calendar.PlainDays, calendar.Day, "1 hari"},
	} {
		b, err := calendar.ParseBudget(s)
		if err != nil || b.String() != s || b.Measure() != want.measure || b.Span() != want.span || b.In("id") != want.id || b.In("en") != s {
			t.Errorf("%q is read as %+v, %v: measure %d, span %d, %q", s, b, err, b.Measure(), b.Span(), b.In("id"))
		}
	}
	for _, s := range []string{"", "0 days", "5", "five days", "5 working weeks", "-1 days", "100000 days", "5  days", "5 days "} {
		if b, err := calendar.ParseBudget(s); err == nil {
			t.Errorf("%q is read as %+v", s, b)
		}
	}
}

// What is decreed later, or by the tenant, counts; what is repealed counts up to the
// day of the repeal.
func TestDecreesUponEachOther(t *testing.T) {
	day := func(s string) calendar.Date {
		d, err := calendar.ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	decree := func(number, published string, days ...calendar.DayRule) calendar.Decree {
		return calendar.Decree{Number: number, Published: day(published), Days: days}
	}
	rule := func(date string, kind calendar.Kind, hours ...calendar.Interval) calendar.DayRule {
		return calendar.DayRule{Date: day(date), Kind: kind, Hours: hours}
	}
	half := calendar.Interval{From: 8 * 60, To: 12 * 60}
	for name, x := range map[string]struct {
		national, tenant []calendar.Decree
		date, want       string
	}{
		"the week alone":                    {nil, nil, "2026-11-23", "07:30-12:00, 13:00-16:00"},
		"a holiday":                         {nil, nil, "2026-12-25", ""},
		"joint leave is made a working day": {[]calendar.Decree{decree("a", "2026-10-01", rule("2026-12-24", calendar.Working))}, nil, "2026-12-24", "07:30-12:00, 13:00-16:00"},
		"a Saturday is made a working day":  {[]calendar.Decree{decree("a", "2026-10-01", rule("2026-11-28", calendar.Working))}, nil, "2026-11-28", "07:30-12:00, 13:00-16:00"},
		"half a day":                        {[]calendar.Decree{decree("a", "2026-10-01", rule("2026-11-23", calendar.OwnHours, half))}, nil, "2026-11-23", "08:00-12:00"},
		"a regional holiday":                {nil, []calendar.Decree{decree("r", "2026-10-01", rule("2026-11-23", calendar.Regional))}, "2026-11-23", ""},
		"the tenant goes before the nation": {[]calendar.Decree{decree("a", "2026-11-01", rule("2026-11-23", calendar.Election))}, []calendar.Decree{decree("r", "2026-10-01", rule("2026-11-23", calendar.OwnHours, half))}, "2026-11-23", "08:00-12:00"},
		"published later, recorded earlier": {[]calendar.Decree{decree("b", "2026-10-02", rule("2026-11-23", calendar.OwnHours, half)), decree("a", "2026-10-01", rule("2026-11-23", calendar.Election))}, nil, "2026-11-23", "08:00-12:00"},
		"repealed": {[]calendar.Decree{
			decree("a", "2026-10-01", rule("2026-11-23", calendar.Election)),
			{Number: "b", Published: day("2026-11-01"), Repeals: []string{"a"}},
		}, nil, "2026-11-23", "07:30-12:00, 13:00-16:00"},
		"repealed only after the day": {[]calendar.Decree{
			decree("a", "2026-10-01", rule("2026-11-23", calendar.Election)),
			{Number: "b", Published: day("2026-11-23"), Repeals: []string{"a"}},
		}, nil, "2026-11-23", ""},
		"other rules from a day on": {[]calendar.Decree{
			{Number: "a", Published: day("2026-10-01"), Rules: []calendar.Rules{{From: day("2026-11-23"), Week: calendar.Week{time.Monday: {half}}}}},
		}, nil, "2026-11-23", "08:00-12:00"},
		"and not before": {[]calendar.Decree{
			{Number: "a", Published: day("2026-10-01"), Rules: []calendar.Rules{{From: day("2026-11-24"), Week: calendar.Week{time.Monday: {half}}}}},
		}, nil, "2026-11-23", "07:30-12:00, 13:00-16:00"},
		"an isbat that moves Ramadan": {[]calendar.Decree{
			{Number: "a", Published: day("2026-10-01"), Ramadan: []calendar.Period{{From: day("2027-02-09"), To: day("2027-03-09")}}},
		}, nil, "2027-02-08", "07:30-12:00, 13:00-16:00"},
	} {
		info, _ := compiled(t, wib, x.national, x.tenant).Day(day(x.date))
		if info.Hours.String() != x.want {
			t.Errorf("%s: the hours of %s are %q, want %q", name, x.date, info.Hours, x.want)
		}
	}
}

func TestAdmit(t *testing.T) {
	published := calendar.DateOf(2026, 10, 1)
	known := []calendar.Decree{{Number: "a", Published: published}}
	day := func(k calendar.Kind) []calendar.DayRule {
		return []calendar.DayRule{{Date: published, Kind: k}}
	}
	for name, x := range map[string]struct {
		tenant bool
		decree calendar.Decree
		want   string // in the refusal
	}{
		"new":                      {false, calendar.Decree{Number: "b", Published: published, Days: day(calendar.Holiday)}, ""},
		"a regional holiday":       {true, calendar.Decree{Number: "b", Published: published, Days: day(calendar.Regional)}, ""},
		"it amends":                {false, calendar.Decree{Number: "b", Published: published, Amends: []string{"a"}}, ""},
		"the same number, amended": {false, calendar.Decree{Number: "a", Published: published, Amends: []string{"a"}}, ""},
		"it repeals what shipped":  {false, calendar.Decree{Number: "b", Published: published, Repeals: []string{"hari libur 2022"}}, ""},
		"the same number":          {false, calendar.Decree{Number: "a", Published: published}, "was added before"},
		"a shipped number":         {false, calendar.Decree{Number: "Perpres 21/2023", Published: published}, "was added before"},
		"amends nothing":           {false, calendar.Decree{Number: "b", Published: published, Amends: []string{"c"}}, `no decree "c"`},
		"a tenant amends shipped":  {true, calendar.Decree{Number: "b", Published: published, Amends: []string{"Perpres 21/2023"}}, "no decree"},
		"amends what came later":   {false, calendar.Decree{Number: "b", Published: published - 1, Amends: []string{"a"}}, "cannot change"},
		"a tenant's covers":        {true, calendar.Decree{Number: "b", Published: published, Covers: []int{2027}}, "covers"},
		"the nation's region":      {false, calendar.Decree{Number: "b", Published: published, Days: day(calendar.Regional)}, "regional"},
		"when it was published":    {false, calendar.Decree{Number: "b"}, "published"},
		"unsound":                  {false, calendar.Decree{Number: "b", Published: published, Days: day(calendar.OwnHours)}, "not given"},
	} {
		err := calendar.Admit(known, x.tenant, x.decree)
		if (err == nil) != (x.want == "") || err != nil && !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", name, err, x.want)
		}
	}
}

// A term of five working days that is filed on Monday 23 November 2026 and would be due
// on Monday 30 November at 16.00, and its stops.
func TestAStoppedTerm(t *testing.T) {
	c := compiled(t, wib, nil, nil)
	m := calendar.WorkingDays
	for name, x := range map[string]struct{ stops, due string }{
		"none":                      {"", "2026-11-30 16:00"},
		"for no time":               {"2026-11-25 10:00 2026-11-25 10:00", "2026-11-30 16:00"},
		"at night":                  {"2026-11-25 16:00 2026-11-26 07:30", "2026-11-30 16:00"},
		"over a weekend":            {"2026-11-27 16:30 2026-11-30 07:30", "2026-11-30 16:00"},
		"for an hour":               {"2026-11-25 10:00 2026-11-25 11:00", "2026-12-01 08:30"},
		"over the break":            {"2026-11-25 11:30 2026-11-25 13:30", "2026-12-01 08:30"},
		"from morning to morning":   {"2026-11-25 10:00 2026-11-26 10:00", "2026-12-01 16:00"},
		"each night, for an hour":   {"2026-11-24 15:00 2026-11-25 07:30 2026-11-25 15:00 2026-11-26 07:30", "2026-12-01 09:30"},
		"on the day of filing":      {"2026-11-23 11:00 2026-11-23 15:00", "2026-11-30 16:00"},
		"until a Friday noon":       {"2026-11-26 16:00 2026-11-27 11:30", "2026-12-01 11:30"}, // 4 hours of 7 and a half
		"on the last day, at 15.00": {"2026-11-30 15:00 2026-12-07 07:30", "2026-12-07 08:30"},
	} {
		begins := c.Begins(m, at("2026-11-23 10:00"))
		running, left := begins, 5*calendar.Day
		stops := strings.Fields(x.stops)
		for ; len(stops) > 0; stops = stops[4:] {
			stopped, resumed := at(stops[0]+" "+stops[1]), at(stops[2]+" "+stops[3])
			if stopped.After(running) {
				used, err := c.Used(m, running, stopped)
				if err != nil {
					t.Fatal(err)
				}
				left -= used
			}
			if resumed.After(running) {
				running = resumed
			}
		}
		if due, err := c.Due(m, running, left); err != nil || !due.At.Equal(at(x.due)) {
			t.Errorf("stopped %s: due %s with %s left, want %s (%v)", name, due.At, m.Text(left), x.due, err)
		}
	}
}

func TestSpansForPeople(t *testing.T) {
	for want, got := range map[string]string{
		"5 days":        calendar.WorkingDays.Text(5 * calendar.Day),
		"0 days":        calendar.PlainDays.Text(0),
		"10 days":       calendar.WorkingDays.Text(10 * calendar.Day),
		"2.333333 days": calendar.WorkingDays.Text(7 * calendar.Day / 3),
		"1h30m0s":       calendar.WorkingTime.Text(calendar.Span(90 * time.Minute)),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
