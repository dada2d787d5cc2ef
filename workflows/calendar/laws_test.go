package calendar_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/workflows/calendar"
)

func TestUsedIsThatOfTheNaiveModel(t *testing.T) {
	checked(t, func(t *rapid.T, x randomCase) {
		a, b := x.instant(t, "a"), x.instant(t, "b")
		if b.Before(a) {
			a, b = b, a
		}
		if got, want := x.used(t, calendar.WorkingTime, a, b), x.naive.worked(a, b); got != calendar.Span(want) {
			t.Errorf("%s to %s: %d, want %d", a, b, got, want)
		}
		got := new(big.Rat).SetInt64(int64(x.used(t, calendar.WorkingDays, a, b)))
		want := new(big.Rat).Mul(x.naive.days(a, b), new(big.Rat).SetInt64(int64(calendar.Day)))
		if d := got.Sub(got, want); d.Abs(d).Cmp(big.NewRat(1, 1)) >= 0 {
			t.Errorf("%s to %s: off by %s parts of a day", a, b, d)
		}
	})
}

func TestDueIsThatOfTheNaiveModel(t *testing.T) {
	checked(t, func(t *rapid.T, x randomCase) {
		from := x.instant(t, "from")
		left := randomSpan(t, calendar.WorkingTime, 1)
		if got, want := x.due(t, calendar.WorkingTime, from, left), x.naive.due(from, time.Duration(left)); !got.Equal(want) {
			t.Errorf("%s of working time from %s: %s, want %s", time.Duration(left), from, got, want)
		}
		days := rapid.IntRange(1, 40).Draw(t, "days")
		begins := x.Begins(calendar.WorkingDays, from)
		if got, want := x.due(t, calendar.WorkingDays, begins, calendar.Span(days)*calendar.Day), x.naive.dueDays(from, days); !got.Equal(want) {
			t.Errorf("%d working days from %s: %s, want %s", days, from, got, want)
		}
	})
}

func TestUsedAddsUp(t *testing.T) {
	checked(t, func(t *rapid.T, x randomCase) {
		a, b, c := x.instant(t, "a"), x.instant(t, "b"), x.instant(t, "c") // in any order
		for _, m := range measures() {
			if ab, bc, ac := x.used(t, m, a, b), x.used(t, m, b, c), x.used(t, m, a, c); ab+bc != ac {
				t.Errorf("measure %d: %d and %d are not %d", m, ab, bc, ac)
			}
		}
	})
}

// A due time is the first moment at which the budget is used, and lies inside of what
// is counted.
func TestDueIsTheInverseOfUsed(t *testing.T) {
	checked(t, func(t *rapid.T, x randomCase) {
		from := x.instant(t, "from")
		for _, m := range measures() {
			left := randomSpan(t, m, 0)
			due := x.due(t, m, from, left)
			if got := x.used(t, m, from, due); got != left {
				t.Errorf("measure %d: due %s, when %d is used of %d", m, due, got, left)
			}
			if due.Before(from) {
				t.Errorf("measure %d: due %s, before it is counted from %s", m, due, from)
			}
			if left > 0 && x.used(t, m, from, due.Add(-1)) >= left {
				t.Errorf("measure %d: %d is used before it is due on %s", m, left, due)
			}
			if m <= calendar.WorkingDays && !x.inside(due) {
				t.Errorf("measure %d: due %s, when nobody works", m, due)
			}
		}
	})
}

// inside reports whether an instant lies in working time, its closing moment included.
func (x randomCase) inside(at time.Time) bool {
	info, _ := x.Day(x.DateOf(at))
	local := at.In(x.zone)
	in := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute + time.Duration(local.Second())*time.Second + time.Duration(local.Nanosecond())
	for _, i := range info.Hours {
		if in >= time.Duration(i.From)*time.Minute && in <= time.Duration(i.To)*time.Minute {
			return true
		}
	}
	before, _ := x.Day(x.DateOf(at) - 1) // the day may end with the day
	return in == 0 && len(before.Hours) > 0 && before.Hours[len(before.Hours)-1].To == 24*60
}

// Who starts later is not due earlier, nor who has more left.
func TestDueKeepsOrder(t *testing.T) {
	checked(t, func(t *rapid.T, x randomCase) {
		early, late := x.instant(t, "a"), x.instant(t, "b")
		if late.Before(early) {
			early, late = late, early
		}
		for _, m := range measures() {
			less, more := randomSpan(t, m, 0), randomSpan(t, m, 0)
			if more < less {
				less, more = more, less
			}
			if a, b := x.due(t, m, early, less), x.due(t, m, late, more); b.Before(a) {
				t.Errorf("measure %d: %d from %s is due %s, %d from %s is due %s", m, less, early, a, more, late, b)
			}
			if a, b := x.Begins(m, early), x.Begins(m, late); b.Before(a) || a.Before(early) {
				t.Errorf("measure %d: begins %s and %s", m, a, b)
			}
		}
	})
}

// A term may be stopped and go on any number of times, as the package's documentation
// has it: what was used in all its parts is the budget, no more and no less.
func TestSuspensionsAddUp(t *testing.T) {
	checked(t, func(t *rapid.T, x randomCase) {
		for _, m := range measures() {
			budget := randomSpan(t, m, 1)
			start := x.instant(t, "start")
			begins := x.Begins(m, start)
			running, left := begins, budget
			undisturbed := x.due(t, m, begins, budget)
			due, stopped := undisturbed, calendar.Span(0)
			for range rapid.IntRange(0, 4).Draw(t, "suspensions") {
				// Suspended while it runs, resumed any time after.
				s := running.Add(time.Duration(rapid.Int64Range(0, int64(due.Sub(running))).Draw(t, "suspended")))
				r := s.Add(time.Duration(rapid.Int64Range(0, int64(10*24*time.Hour)).Draw(t, "resumed")))
				left -= x.used(t, m, running, s)
				stopped += x.used(t, m, s, r)
				if left < 0 {
					t.Fatalf("measure %d: %d is left", m, left)
				}
				before := due
				running, due = r, x.due(t, m, r, left)
				if due.Before(before) {
					t.Errorf("measure %d: a stop from %s to %s moves what is due from %s to %s", m, s, r, before, due)
				}
			}
			if got := x.used(t, m, begins, due); got != budget+stopped {
				t.Errorf("measure %d: %d was used and %d stood still, %d in all", m, budget, stopped, got)
			}
			// One moment of rest costs nothing.
			if s := begins.Add(undisturbed.Sub(begins) / 2); left > 0 {
				if d := x.due(t, m, s, budget-x.used(t, m, begins, s)); budget > x.used(t, m, begins, s) && !d.Equal(undisturbed) {
					t.Errorf("measure %d: stopped for no time at %s, and due %s instead of %s", m, s, d, undisturbed)
				}
			}
		}
	})
}

// The same decrees make the same version; a version tells when hours differ.
func TestVersionTellsWhatACalendarCounts(t *testing.T) {
	checked(t, func(t *rapid.T, x randomCase) {
		again, err := calendar.Compile(x.zone, x.national, x.tenant)
		if err != nil || again.Version() != x.Version() {
			t.Errorf("%s, then %s, %v", x.Version(), again.Version(), err)
		}
		if v, err := calendar.ParseVersion(x.Version().String()); err != nil || v != x.Version() {
			t.Errorf("%s is read as %s, %v", x.Version(), v, err)
		}
		day := randomDate(t, "changed")
		info, _ := x.Day(day)
		hours := calendar.Hours{{From: 1, To: 3}}
		if cmp.Equal(info.Hours, hours) {
			return
		}
		more := append(x.tenant[:len(x.tenant):len(x.tenant)], calendar.Decree{
			Number: "other", Published: late, Days: []calendar.DayRule{{Date: day, Kind: calendar.OwnHours, Hours: hours}},
		})
		changed, err := calendar.Compile(x.zone, x.national, more)
		if err != nil || changed.Version().Digest == x.Version().Digest {
			t.Errorf("%s has other hours, and the digest is the same (%v)", day, err)
		}
	})
}
