package workflows_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// newDecreedBench is a timedBench whose calendars come from its log.
func newDecreedBench(t *testing.T) (*timedBench, *workflows.Calendars) {
	t.Helper()
	b := newTimedBench(t, "33.14")
	l := workflows.NewCalendars(b.log)
	b.engine = workflows.NewEngine(b.log, b.library, workflows.EngineConfig{
		Now: func() time.Time { return b.now }, Random: func() uint64 { return 7 }, Calendars: l,
	})
	return b, l
}

// decrees adds a decree now.
func (b *timedBench) decrees(l *workflows.Calendars, tenant domain.TenantCode, source string) error {
	b.t.Helper()
	a := addition(b.t, tenant, source)
	a.Occurred, a.At = b.now, b.now
	_, _, err := l.Add(b.t.Context(), a)
	return err
}

// notAdded holds that a decree is refused for a reason, with what would help.
func notAdded(t *testing.T, err error, why, hint string) {
	t.Helper()
	var refused *calendar.Refused
	if !errors.As(err, &refused) || !strings.Contains(refused.Why, why) || !strings.Contains(refused.Hint, hint) {
		t.Errorf("got %+v, want a refusal because %q, with %q", err, why, hint)
	}
}

const (
	officeWeek  = "{monday: [08.00-12.00, 13.00-16.30], tuesday: [08.00-12.00, 13.00-16.30], wednesday: [08.00-12.00, 13.00-16.30], thursday: [08.00-12.00, 13.00-16.30], friday: [08.00-11.30, 13.00-17.00]}"
	fastingWeek = "{monday: [08.00-14.30], tuesday: [08.00-14.30], wednesday: [08.00-14.30], thursday: [08.00-14.30], friday: [08.00-14.30]}"
)

func decreeHead(number, published string) string {
	return "decree: 1\nnumber: " + number + "\ntitle: {id: uji, en: test}\nsource: invented\npublished: " + published + "\n"
}

// A regulation that takes the place of Perpres 21/2023 is published in April and in force
// from July: nobody stops working in between.
func TestARepealLeavesNobodyWithoutHours(t *testing.T) {
	b, l := newDecreedBench(t)
	b.at("2026-04-06 09:00").submits()
	b.does("clerk", "accept", "")
	b.due("decision", "2026-04-13 16:00")
	b.at("2026-04-07 09:00")
	later := decreeHead("Perpres 5/2026", "2026-04-07") + "repeals: [Perpres 21/2023]\nrules:\n  - {from: 2026-07-01, week: " + officeWeek + ", ramadan: " + fastingWeek + "}\n"
	notAdded(t, b.decrees(l, "", later), "from 2026-04-08 to 2026-06-30", "leave it out of repeals")
	notAdded(t, b.decrees(l, "", decreeHead("Perpres 7/2026", "2026-04-07")+"repeals: [Perpres 21/2023]\n"), "from 2026-04-08 on", "leave it out of repeals")
	// What the hint says helps: newer rules take the place of the former by themselves.
	if err := b.decrees(l, "", strings.Replace(later, "repeals: [Perpres 21/2023]\n", "", 1)); err != nil {
		t.Fatal(err)
	}
	cal, err := l.Latest(t.Context(), "33.14")
	if err != nil {
		t.Fatal(err)
	}
	for date, want := range map[calendar.Date]string{
		calendar.DateOf(2026, 6, 30): "07:30-12:00, 13:00-16:00",
		calendar.DateOf(2026, 7, 1):  "08:00-12:00, 13:00-16:30",
		calendar.DateOf(2027, 2, 9):  "08:00-14:30", // in Ramadan
	} {
		if day, _ := cal.Day(date); day.Hours.String() != want {
			t.Errorf("%s: %s, want %s", date, day.Hours, want)
		}
	}
	if _, err := b.engine.Recompute(t.Context(), b.r.ID); err == nil {
		t.Error("a due time before July was moved")
	}
	// So does a repeal that gives the hours itself, from the next day on; and one later of
	// rules that no day rests on any more.
	b.at("2026-08-03 09:00")
	if err := b.decrees(l, "", decreeHead("Perpres 8/2026", "2026-08-03")+"repeals: [Perpres 5/2026]\nrules:\n  - {from: 2026-08-04, week: "+officeWeek+", ramadan: "+fastingWeek+"}\n"); err != nil {
		t.Error(err)
	}
	if err := b.decrees(l, "", decreeHead("Perpres 9/2026", "2026-08-03")+"repeals: [Perpres 21/2023]\n"); err != nil {
		t.Error(err)
	}
}

// Who has six working days loses a Saturday by a decree of the nation as by one of theirs.
func TestANationalDecreeTakesNoPassedDayOfATenant(t *testing.T) {
	b, l := newDecreedBench(t)
	b.at("2026-09-01 08:00")
	six := strings.Replace(officeWeek, "}", ", saturday: [07.30-12.30]}", 1)
	if err := b.decrees(l, "33.14", decreeHead("Perbup 1/2026", "2026-08-01")+"rules:\n  - {from: 2026-09-05, week: "+six+", ramadan: "+fastingWeek+"}\n"); err != nil {
		t.Fatal(err)
	}
	if err := b.decrees(l, "", decreeHead("Keppres 1/2026", "2026-08-02")+"days:\n  - {date: 2026-10-10, kind: holiday, name: {id: Libur, en: Holiday}}\n"); err != nil {
		t.Fatal(err)
	}
	b.at("2026-10-06 09:00").submits() // a Tuesday
	b.does("clerk", "accept", "")
	b.due("decision", "2026-10-13 16:30") // 7, 8, 9, 12, 13: Saturday 10 is a holiday
	b.at("2026-10-12 17:00")
	repeal := decreeHead("Keppres 2/2026", "2026-10-09") + "repeals: [Keppres 1/2026]\n"
	for name, l := range map[string]*workflows.Calendars{"this node": l, "another node": workflows.NewCalendars(b.log)} {
		t.Run(name, func(t *testing.T) {
			notAdded(t, b.decrees(l, "", repeal), "makes working time of 2026-10-10 for tenant 33.14", "a day to come")
		})
	}
	b.at("2026-10-12 17:01").sweeps()
	if b.r.Outcome != "" {
		t.Errorf("the law has decided: %s", b.r.State)
	}
}

// Of today some hours have passed, and in the east it is tomorrow already.
func TestADecreeTakesNothingOfToday(t *testing.T) {
	b, l := newDecreedBench(t)
	b.at("2026-09-01 15:00")
	half := decreeHead("Keppres 3/2026", "2026-09-01") + "days:\n  - {date: DATE, kind: hours, hours: [07.30-11.30], name: {id: Setengah, en: Half}}\n"
	notAdded(t, b.decrees(l, "", strings.Replace(half, "DATE", "2026-09-01", 1)), "makes working time of 2026-09-01", "a day to come")
	notAdded(t, b.decrees(l, "33.14", strings.Replace(half, "DATE", "2026-09-01", 1)), "makes working time of 2026-09-01", "a day to come")
	b.at("2026-09-01 22:30")
	notAdded(t, b.decrees(l, "", strings.Replace(half, "DATE", "2026-09-02", 1)), "of 2026-09-02 for whoever goes by the nation's calendar in WIT", "a day to come")
	if err := b.decrees(l, "33.14", strings.Replace(half, "DATE", "2026-09-02", 1)); err != nil {
		t.Error(err)
	}
}

// When the holidays of the next year are decreed as they were computed, a due time stays
// where it is and is not provisional any more. That is an event, once.
func TestADueTimeIsNoLongerProvisional(t *testing.T) {
	b, l := newDecreedBench(t)
	b.at("2026-12-28 09:00").submits()
	b.does("clerk", "accept", "")
	b.due("decision", "2027-01-06 16:00") // 29, 30, 31, 4 and 6 January
	if !b.r.Terms["decision"].Unsure {
		t.Fatal("it is not provisional")
	}
	b.at("2026-12-28 10:00")
	if err := b.decrees(l, "", decreeHead("SKB 2027", "2026-12-28")+"covers: [2027]\ndays:\n"+
		"  - {date: 2027-01-01, kind: holiday, name: {id: a, en: a}}\n  - {date: 2027-01-05, kind: holiday, name: {id: b, en: b}}\n"); err != nil {
		t.Fatal(err)
	}
	a, err := b.engine.Recompute(t.Context(), b.r.ID)
	if err != nil {
		t.Fatal(err)
	}
	b.r = a.Request
	b.due("decision", "2027-01-06 16:00")
	if b.r.Terms["decision"].Unsure {
		t.Error("the holidays of 2027 are decreed, and the applicant still reads that they are not")
	}
	events := b.events()
	x, ok := events[len(events)-1].Body.(domain.TermRecomputed)
	if !ok || !x.Was.Equal(x.Due) || x.Provisional {
		t.Errorf("recorded %+v", events[len(events)-1].Body)
	}
	if _, err := b.engine.Recompute(t.Context(), b.r.ID); err == nil {
		t.Error("it is recorded once more")
	}
}

// Hours that hold in Ramadan say which those are: left out, the shorter hours of the
// nation would be gone without a word.
func TestHoursOfRamadanAreSaid(t *testing.T) {
	b, l := newDecreedBench(t)
	b.at("2026-09-01 08:00")
	for name, x := range map[string]struct {
		tenant domain.TenantCode
		rules  string
		added  bool
	}{
		"a tenant's":       {"33.14", "{from: 2026-10-01, week: WEEK}", false},
		"the nation's":     {"", "{from: 2026-10-01, week: WEEK}", false},
		"over one Ramadan": {"33.14", "{from: 2027-01-01, to: 2027-03-31, week: WEEK}", false},
		"over any Ramadan": {"33.14", "{from: 2030-01-01, to: 2030-12-31, week: WEEK}", false},
		"between two":      {"33.14", "{from: 2026-10-01, to: 2026-12-31, week: WEEK}", true},
		"said":             {"33.14", "{from: 2026-10-01, week: WEEK, ramadan: WEEK}", true},
	} {
		t.Run(name, func(t *testing.T) {
			err := b.decrees(l, x.tenant, decreeHead(name, "2026-08-01")+"rules:\n  - "+strings.ReplaceAll(x.rules, "WEEK", officeWeek)+"\n")
			if x.added && err != nil {
				t.Error(err)
			}
			if !x.added {
				notAdded(t, err, "does not say those of Ramadan", "ramadan:")
			}
		})
	}
}
