package calendar_test

import (
	"encoding/csv"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/calendar"
)

// Due times that were recorded rest on the shipped table and on how a version is
// computed. A change here is not to be mended here: recorded versions would no longer
// be found.
func TestTheShippedCalendarIsFrozen(t *testing.T) {
	for tenant, want := range map[domain.TenantCode]string{
		"11.71": "0.0-a1de65f7b747", "64.72": "0.0-32f6117e21cb", "94.71": "0.0-fcc3686715ea",
	} {
		if got := compiled(t, tenant.Zone(), nil, nil).Version().String(); got != want {
			t.Errorf("%s: %s, want %s", tenant, got, want)
		}
	}
}

// The embedded table is that of the facts it was made from.
func TestTheShippedTableIsItsSource(t *testing.T) {
	path := "../../../shared/data/holidays_id_2020_2027.csv"
	source, err := os.ReadFile(path)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("THE TABLE OF HOLIDAYS IS NOT BESIDE THE CHECKOUT: not compared")
	}
	rows, err := csv.NewReader(strings.NewReader(string(source))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var want, got [][]string
	for _, r := range rows[1:] {
		kind := map[string]calendar.Kind{"libur_nasional": calendar.Holiday, "cuti_bersama": calendar.JointLeave, "libur_pemilu": calendar.Election}[r[2]]
		projected := ""
		if r[4] == "projected" {
			projected = "projected"
		}
		want = append(want, []string{r[0], r[1], string(kind), strings.Replace(r[3], "Pegangti", "Pengganti", 1), projected})
	}
	for _, d := range calendar.Shipped() {
		for _, x := range d.Days {
			projected := ""
			if d.Projected {
				projected = "projected"
			}
			got = append(got, []string{x.Date.String(), x.Date.Weekday().String()[:3], string(x.Kind), x.Name.ID, projected})
			if x.Name.EN == "" {
				t.Errorf("%s has no English name", x.Date)
			}
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-source +embedded\n%s", d)
	}
}

// What the law says of a week, and the days of 2026 as the joint decree has them.
func TestTheShippedHours(t *testing.T) {
	c := compiled(t, wib, nil, nil)
	week := func(monday string) time.Duration {
		d, err := calendar.ParseDate(monday)
		if err != nil {
			t.Fatal(err)
		}
		total := time.Duration(0)
		for i := range calendar.Date(7) {
			info, _ := c.Day(d + i)
			total += info.Hours.Length()
		}
		return total
	}
	if got := week("2026-11-23"); got != 37*time.Hour+30*time.Minute {
		t.Errorf("a week has %s", got)
	}
	if got := week("2026-02-23"); got != 32*time.Hour+30*time.Minute {
		t.Errorf("a week of Ramadan has %s", got)
	}
	count := map[calendar.Kind]int{}
	for d := calendar.DateOf(2026, time.January, 1); d.Year() == 2026; d++ {
		if info, _ := c.Day(d); info.Kind != "" {
			count[info.Kind]++
		}
	}
	if want := (map[calendar.Kind]int{calendar.Holiday: 17, calendar.JointLeave: 8}); !cmp.Equal(count, want) {
		t.Errorf("2026 has %v, want %v", count, want)
	}
	// Each Ramadan ends where Eid al-Fitr begins.
	shipped := calendar.Shipped()
	feast := map[calendar.Date]bool{}
	for _, d := range shipped {
		for _, x := range d.Days {
			feast[x.Date] = feast[x.Date] || strings.HasPrefix(x.Name.ID, "Hari Raya Idul Fitri")
		}
	}
	i := slices.IndexFunc(shipped, func(d calendar.Decree) bool { return len(d.Ramadan) > 0 })
	for _, p := range shipped[i].Ramadan {
		if n := p.To - p.From + 1; n != 29 && n != 30 || !feast[p.To+1] {
			t.Errorf("Ramadan from %s to %s", p.From, p.To)
		}
	}
}

// Beyond what is decreed nothing is told as if it were known, and beyond the table
// nothing is told.
func TestTheHorizon(t *testing.T) {
	c := compiled(t, wib, nil, nil)
	if got, want := c.Known(), (calendar.Period{From: calendar.DateOf(2020, 1, 1), To: calendar.DateOf(2026, 12, 31)}); got != want {
		t.Errorf("known from %s to %s", got.From, got.To)
	}
	days := calendar.WorkingDays
	for _, x := range []struct {
		from        string
		days        int
		due         string
		provisional bool
	}{
		{"2026-12-30 10:00", 1, "2026-12-31 16:00", false},
		{"2026-12-30 10:00", 2, "2027-01-04 16:00", true}, // 1 January is a Friday, and computed to be a holiday
		{"2027-01-04 10:00", 1, "2027-01-06 16:00", true},
		{"2036-12-30 10:00", 1, "2036-12-31 16:00", true},
	} {
		got, err := c.Due(days, c.Begins(days, at(x.from)), calendar.Span(x.days)*calendar.Day)
		if err != nil || !got.At.Equal(at(x.due)) || got.Provisional != x.provisional {
			t.Errorf("%d days from %s: %+v, %v; want %s, provisional %t", x.days, x.from, got, err, x.due, x.provisional)
		}
	}
	var outside *calendar.OutsideError
	for _, from := range []string{"2019-12-31 10:00", "2036-12-31 10:00", "2037-01-01 00:00"} {
		for _, m := range []calendar.Measure{calendar.WorkingDays, calendar.WorkingTime} {
			if got, err := c.Due(m, at(from), calendar.Budget{Amount: 2, Unit: "days"}.Span()*1e9); !errors.As(err, &outside) {
				t.Errorf("from %s: %+v, %v", from, got, err)
			}
		}
	}
	if _, err := c.Used(days, at("2019-12-31 10:00"), at("2026-01-01 10:00")); !errors.As(err, &outside) {
		t.Errorf("used from before the table: %v", err)
	}
	if got, err := c.Due(calendar.PlainDays, at("2019-12-31 00:00"), calendar.Day); err != nil || got.Provisional || !got.At.Equal(at("2020-01-01 00:00")) {
		t.Errorf("days of the almanac need no table: %+v, %v", got, err)
	}
	if _, err := c.Due(days, at("2026-01-05 10:00"), -1); err == nil {
		t.Error("less than nothing was left, and it was due")
	}

	// The joint decree for 2027 comes: what was computed gives way, and the year is known.
	decreed := compiled(t, wib, []calendar.Decree{{
		Number: "SKB 1/2026", Published: calendar.DateOf(2026, 9, 10), Covers: []int{2027},
		Days: []calendar.DayRule{{Date: calendar.DateOf(2027, 1, 4), Kind: calendar.JointLeave}},
	}}, nil)
	got, err := decreed.Due(days, decreed.Begins(days, at("2026-12-30 10:00")), 3*calendar.Day)
	if err != nil || got.Provisional || !got.At.Equal(at("2027-01-05 16:00")) { // 31 December, 1 and 5 January
		t.Errorf("with the decree: %+v, %v", got, err)
	}
	if info, _ := decreed.Day(calendar.DateOf(2027, 2, 8)); !info.Ramadan {
		t.Error("a decree on holidays took Ramadan away")
	}

	// Years that are covered alone do not make what lies between known, nor what is known
	// unknown.
	gap := compiled(t, wib, []calendar.Decree{
		{Number: "a", Published: calendar.DateOf(2026, 9, 10), Covers: []int{2028}},
		{Number: "b", Published: calendar.DateOf(2026, 9, 10), Covers: []int{2010}},
	}, nil)
	if got := gap.Known(); got != c.Known() {
		t.Errorf("with gaps, known from %s to %s", got.From, got.To)
	}
	for from, want := range map[string]bool{"2026-11-23 10:00": false, "2026-12-31 10:00": true, "2027-12-30 10:00": true, "2028-01-05 10:00": false, "2028-12-29 10:00": true} {
		if got, err := gap.Due(days, gap.Begins(days, at(from)), calendar.Day); err != nil || got.Provisional != want {
			t.Errorf("with gaps, from %s: %+v, %v", from, got, err)
		}
	}

	// Who works around the clock is due at midnight, which still is of the day before.
	always := calendar.Rules{From: calendar.DateOf(2020, 1, 1)}
	for d := range always.Week {
		always.Week[d] = calendar.Hours{{From: 0, To: 24 * 60}}
	}
	clock := compiled(t, wib, nil, []calendar.Decree{{Number: "c", Published: calendar.DateOf(2026, 1, 1), Rules: []calendar.Rules{always}}})
	for _, x := range []struct {
		from, due   string
		provisional bool
	}{
		{"2026-12-30 00:00", "2027-01-01 00:00", false},
		{"2026-12-30 00:01", "2027-01-02 00:01", true}, // 1 January is computed to be a holiday
		{"2036-12-30 00:00", "2037-01-01 00:00", true}, // where the table ends
	} {
		if got, err := clock.Due(days, at(x.from), 2*calendar.Day); err != nil || got.Provisional != x.provisional || !got.At.Equal(at(x.due)) {
			t.Errorf("around the clock, from %s: %+v, %v; want %s", x.from, got, err, x.due)
		}
	}
}
