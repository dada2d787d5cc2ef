package calendar_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/calendar"
)

// randomCase is a calendar of random decrees, and the naive one beside it.
type randomCase struct {
	*calendar.Calendar
	naive            *naive
	national, tenant []calendar.Decree
	zone             *time.Location
}

func draw(t *rapid.T) randomCase {
	x := randomCase{
		zone:     domain.TenantCode(rapid.SampledFrom([]string{"11.71", "64.72", "94.71"}).Draw(t, "tenant")).Zone(),
		national: randomDecrees(t, "n", false), tenant: randomDecrees(t, "t", true),
	}
	var err error
	if x.Calendar, err = calendar.Compile(x.zone, x.national, x.tenant); err != nil {
		t.Fatal(err)
	}
	x.naive = newNaive(x.zone, x.national, x.tenant)
	return x
}

// The random decrees speak of these days: some known, some beyond what is known.
var (
	early = calendar.DateOf(2026, time.September, 1)
	late  = calendar.DateOf(2027, time.April, 30)
)

func randomDate(t *rapid.T, what string) calendar.Date {
	return calendar.Date(rapid.IntRange(int(early), int(late)).Draw(t, what))
}

func randomHours(t *rapid.T, least int) calendar.Hours {
	var h calendar.Hours
	at := 0
	for range rapid.IntRange(least, 3).Draw(t, "intervals") {
		from := rapid.IntRange(at, min(at+600, 24*60-1)).Draw(t, "from")
		to := rapid.IntRange(from+1, min(from+400, 24*60)).Draw(t, "to")
		h = append(h, calendar.Interval{From: calendar.Minute(from), To: calendar.Minute(to)})
		if at = to + 1; at >= 24*60 {
			break
		}
	}
	return h
}

func randomWeek(t *rapid.T) calendar.Week {
	var w calendar.Week
	w[rapid.IntRange(0, 6).Draw(t, "day of work")] = randomHours(t, 1)
	for d := range w {
		if len(w[d]) == 0 {
			w[d] = randomHours(t, 0)
		}
	}
	return w
}

func randomDecrees(t *rapid.T, prefix string, ofTenant bool) []calendar.Decree {
	var list []calendar.Decree
	for i := range rapid.IntRange(0, 4).Draw(t, "decrees of "+prefix) {
		d := calendar.Decree{Number: fmt.Sprint(prefix, i), Published: randomDate(t, "published")}
		if i > 0 && rapid.Bool().Draw(t, "repeals") {
			d.Repeals = []string{fmt.Sprint(prefix, rapid.IntRange(0, i-1).Draw(t, "which"))}
		}
		if rapid.Bool().Draw(t, "rules") {
			r := calendar.Rules{From: randomDate(t, "rules from"), Week: randomWeek(t)}
			if rapid.Bool().Draw(t, "rules end") {
				r.To = r.From + calendar.Date(rapid.IntRange(0, 60).Draw(t, "rules to"))
			}
			if rapid.Bool().Draw(t, "ramadan hours") {
				w := randomWeek(t)
				r.Ramadan = &w
			}
			d.Rules = append(d.Rules, r)
		}
		if rapid.Bool().Draw(t, "ramadan") {
			from := randomDate(t, "ramadan from")
			d.Ramadan = append(d.Ramadan, calendar.Period{From: from, To: from + 29})
		}
		if !ofTenant {
			d.Projected = rapid.Bool().Draw(t, "projected")
			if !d.Projected && rapid.Bool().Draw(t, "covers") {
				d.Covers = []int{2027}
			}
		}
		seen := map[calendar.Date]bool{}
		for range rapid.IntRange(0, 12).Draw(t, "days") {
			x := calendar.DayRule{Date: randomDate(t, "day"), Kind: rapid.SampledFrom(calendar.Kinds()).Draw(t, "kind")}
			switch {
			case seen[x.Date]:
				continue
			case x.Kind == calendar.OwnHours:
				x.Hours = randomHours(t, 1)
			case x.Kind == calendar.Working:
				x.Hours = randomHours(t, 0)
			}
			seen[x.Date] = true
			d.Days = append(d.Days, x)
		}
		list = append(list, d)
	}
	return list
}

// instant is a random one, more often than not near a border.
func (x randomCase) instant(t *rapid.T, what string) time.Time {
	d := randomDate(t, what)
	midnight := time.Unix(int64(d)*86400, 0)
	_, offset := midnight.In(x.zone).Zone()
	midnight = midnight.Add(-time.Duration(offset) * time.Second).In(x.zone)
	if info, _ := x.Day(d); len(info.Hours) > 0 && rapid.Bool().Draw(t, what+" at a border") {
		i := rapid.SampledFrom(info.Hours).Draw(t, what+" interval")
		m := rapid.SampledFrom([]calendar.Minute{0, i.From, i.To}).Draw(t, what+" border")
		off := rapid.SampledFrom([]time.Duration{0, 0, 1, -1, time.Second, -time.Second}).Draw(t, what+" off")
		return midnight.Add(time.Duration(m)*time.Minute + off)
	}
	return midnight.Add(time.Duration(rapid.Int64Range(0, int64(24*time.Hour)-1).Draw(t, what+" in the day")))
}

func (x randomCase) used(t *rapid.T, m calendar.Measure, a, b time.Time) calendar.Span {
	s, err := x.Used(m, a, b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (x randomCase) due(t *rapid.T, m calendar.Measure, from time.Time, left calendar.Span) time.Time {
	d, err := x.Due(m, from, left)
	var outside *calendar.OutsideError
	if errors.As(err, &outside) && m == calendar.WorkingTime {
		t.Skip("so little is worked that the calendar ends before it is due")
	}
	if err != nil {
		t.Fatal(err)
	}
	return d.At
}

func measures() []calendar.Measure {
	return []calendar.Measure{calendar.WorkingTime, calendar.WorkingDays, calendar.PlainTime, calendar.PlainDays}
}

func randomSpan(t *rapid.T, m calendar.Measure, least int64) calendar.Span {
	unit := calendar.Day
	most := int64(40)
	if m == calendar.WorkingTime || m == calendar.PlainTime {
		unit, most = calendar.Span(time.Hour), 200
	}
	if rapid.Bool().Draw(t, "whole") {
		return calendar.Span(rapid.Int64Range(least, most).Draw(t, "units")) * unit
	}
	return calendar.Span(rapid.Int64Range(least, most*int64(unit)).Draw(t, "parts"))
}

func checked(t *testing.T, law func(*rapid.T, randomCase)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) { law(t, draw(t)) })
}
