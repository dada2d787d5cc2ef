package workflows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

const wholeDecree = `decree: 1
number: SKB 1/2026
title: {id: Hari libur 2027, en: Holidays of 2027}
source: invented for a test
published: 2026-09-10
amends: [Perpres 21/2023]
repeals: [perkiraan 2027]
covers: [2027]
rules:
  - from: 2027-01-01
    to: 2027-12-31
    week:
      monday: [07.30-12.00, 13.00-16.00]
      friday: [07.30-11.30]
    ramadan:
      monday: [08.00-12.00]
ramadan:
  - {from: 2027-02-08, to: 2027-03-08}
days:
  - {date: 2027-01-01, kind: holiday, name: {id: Tahun Baru, en: New Year}}
  - {date: 2027-01-04, kind: hours, hours: [08.00-12.00], name: {id: Setengah hari, en: Half a day}}
  - {date: 2027-01-09, kind: working, name: {id: Hari kerja pengganti, en: Working day instead}}
`

func TestReadDecree(t *testing.T) {
	got, err := workflows.ReadDecree("d.yaml", []byte(wholeDecree))
	if err != nil {
		t.Fatal(err)
	}
	hours := func(list ...string) (h calendar.Hours) {
		for _, s := range list {
			i, err := calendar.ParseInterval(s)
			if err != nil {
				t.Fatal(err)
			}
			h = append(h, i)
		}
		return h
	}
	want := &calendar.Decree{
		Number: "SKB 1/2026", Title: calendar.Text{ID: "Hari libur 2027", EN: "Holidays of 2027"}, Source: "invented for a test",
		Published: calendar.DateOf(2026, 9, 10), Amends: []string{"Perpres 21/2023"}, Repeals: []string{"perkiraan 2027"}, Covers: []int{2027},
		Rules: []calendar.Rules{{
			From: calendar.DateOf(2027, 1, 1), To: calendar.DateOf(2027, 12, 31),
			Week:    calendar.Week{time.Monday: hours("07:30-12:00", "13:00-16:00"), time.Friday: hours("07:30-11:30")},
			Ramadan: &calendar.Week{time.Monday: hours("08:00-12:00")},
		}},
		Ramadan: []calendar.Period{{From: calendar.DateOf(2027, 2, 8), To: calendar.DateOf(2027, 3, 8)}},
		Days: []calendar.DayRule{
			{Date: calendar.DateOf(2027, 1, 1), Kind: calendar.Holiday, Name: calendar.Text{ID: "Tahun Baru", EN: "New Year"}},
			{Date: calendar.DateOf(2027, 1, 4), Kind: calendar.OwnHours, Name: calendar.Text{ID: "Setengah hari", EN: "Half a day"}, Hours: hours("08:00-12:00")},
			{Date: calendar.DateOf(2027, 1, 9), Kind: calendar.Working, Name: calendar.Text{ID: "Hari kerja pengganti", EN: "Working day instead"}},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// Each fault is told at its place.
func TestReadDecreeTellsFaults(t *testing.T) {
	for _, x := range []struct{ from, to, want string }{
		{"decree: 1", "decree: 2", "1:9: decree: form 2 is not known"},
		{"number: SKB 1/2026\n", "", `key "number" is missing`},
		{"published: 2026-09-10", "published: 10-09-2026", `5:12: published: "10-09-2026" is not a date such as`},
		{"published: 2026-09-10", "published: 2206-09-10", "5:12: published: 2206-09-10 is not between 2000 and 2100"},
		{"published: 2026-09-10", "published: 2026-02-30", `5:12: published: "2026-02-30" is not a date`},
		{"covers: [2027]", "covers: [soon]", "8:10: covers: want a whole number"},
		{"covers: [2027]", "covers: [1999]", "year 1999 is not between"},
		{"to: 2027-12-31", "to: 2026-12-31", "10:5: rules: they end on 2026-12-31, before they begin"},
		{"friday: [07.30-11.30]", "fridy: [07.30-11.30]", `14:7: rules week has no key "fridy"; did you mean "friday"?`},
		{"friday: [07.30-11.30]", "friday: [07.30-7.20]", `14:16: rules week friday: "07.30-7.20" is not a time of work`},
		{"ramadan:\n      monday: [08.00-12.00]", "ramadan: {}", "15:14: rules ramadan: nobody works all week"},
		{"13.00-16.00", "12.00-16.00", "13:15: rules week monday: the working time 12:00-16:00 is not in order"},
		{"to: 2027-03-08", "to: 2027-01-08", "18:6: ramadan: it ends on 2027-01-08, before it begins"},
		{"kind: holiday", "kind: holliday", `20:30: kind of day: "holliday" is not one of`},
		{"2027-01-04", "2027-01-01", "21:6: 2027-01-01 stands there twice"},
		{"hours: [08.00-12.00], ", "", "21:6: a day of kind hours: say which hours"},
		{"kind: hours, hours: [08.00-12.00]", "kind: hours, hours: [08:00-12:00]", "21:45: hours of a day: write times with a dot here"},
		{"kind: working", "kind: regional, hours: [08.00-12.00]", "22:6: a day of kind regional has no hours"},
		{", name: {id: Tahun Baru, en: New Year}", "", `20:6: a day: key "name" is missing`},
		{wholeDecree[strings.Index(wholeDecree, "repeals"):], "", "the decree says nothing"},
		{"decree: 1", "\xff", "1:1: the file is not UTF-8 here"},
	} {
		source := strings.Replace(wholeDecree, x.from, x.to, 1)
		_, err := workflows.ReadDecree("d.yaml", []byte(source))
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%q for %q: %v\nwant %s", x.to, x.from, err, x.want)
		}
	}
}

func FuzzReadDecree(f *testing.F) {
	f.Add([]byte(wholeDecree))
	f.Fuzz(func(t *testing.T, source []byte) {
		d, err := workflows.ReadDecree("d.yaml", source)
		if err != nil {
			return
		}
		if _, err := calendar.Compile(now.Location(), []calendar.Decree{*d}, nil); err != nil {
			t.Errorf("it was read and makes no calendar: %v", err)
		}
	})
}
