package migration_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/migration"
)

// inHours, and inAlmanacDays, make of the time of the licence another measure.
var (
	inHours = []string{
		"budget: 5 working days\n", "budget: 40 working hours\n", "promise: 3 working days", "promise: 24 working hours",
		"remind_after: 4 working days", "remind_after: 32 working hours", "by: 3 working days", "by: 8 working hours",
	}
	inAlmanacDays = []string{
		"budget: 5 working days\n", "budget: 7 days\n", "promise: 3 working days", "promise: 4 days",
		"remind_after: 4 working days", "remind_after: 5 days", "by: 3 working days", "by: 3 days",
	}
)

// extend asks for the one extension of the decision.
func (b *bench) extend(r domain.Request) (domain.Request, error) {
	h := domain.Header{ID: domain.CommandID(b.now, "head-1", r.ID.String()), Actor: domain.Actor{ID: "head-1", Role: "head", Capacity: domain.CapacityOfficer}}
	a, err := b.engine.Act(b.ctx(), r.ID, domain.ExtendTerm{Header: h, Term: "decision", Reason: "site-visit"})
	return a.Request, err
}

// A term that keeps its budget is never extended by what is counted otherwise: that would
// be the sum of two things. The dry run says so beforehand.
func TestAKeptTermIsNotExtendedInAnotherMeasure(t *testing.T) {
	for name, x := range map[string]struct {
		next  []string
		words string
	}{
		"hours":               {inHours, "term decision: it can be extended no more: it keeps its 5 working days, and what would extend it, 8 working hours, is counted otherwise; take: new gives it both"},
		"days of the almanac": {inAlmanacDays, "term decision: it can be extended no more: it keeps its 5 working days, and what would extend it, 3 days, is counted otherwise; take: new gives it both"},
	} {
		t.Run(name, func(t *testing.T) {
			b, r := inReview(t, x.next...)
			f, is := migrates(t, b, r, "migration: 1\n")
			if words := told(f, migration.KindExtension); words != x.words {
				t.Errorf("%q", words)
			}
			_, err := b.extend(is)
			if refusal := new(domain.Refusal); !errors.As(err, &refusal) || refusal.Rule != domain.RuleTerm || !strings.Contains(refusal.Error(), "counted otherwise") || !strings.Contains(refusal.Remedy, "take: new") {
				t.Errorf("%v", err)
			}
			if now := b.load(r.ID).Terms["decision"]; !now.Due.Equal(r.Terms["decision"].Due) || len(now.Extended) > 0 {
				t.Errorf("was due %s, is %+v", r.Terms["decision"].Due, now)
			}
		})
	}
	t.Run("with the new budget", func(t *testing.T) {
		b, r := inReview(t, inHours...)
		f, is := migrates(t, b, r, "migration: 1\nterms: {decision: {take: new}}\n")
		if words := told(f, migration.KindExtension); words != "term decision: it can be extended by 8 working hours, and not by 3 working days" {
			t.Errorf("%q", words)
		}
		// In Ramadan, four and a half of the eight hours are on Tuesday, from ten to three
		// with a break of half an hour, and three and a half on Wednesday.
		due := is.Terms["decision"].Due
		is, err := b.extend(is)
		if now := is.Terms["decision"]; err != nil || !due.Equal(time.Date(2026, 3, 10, 3, 0, 0, 0, time.UTC)) || !now.Due.Equal(time.Date(2026, 3, 11, 4, 30, 0, 0, time.UTC)) {
			t.Errorf("%v; was due %s, is %s", err, due, now.Due)
		}
	})
	t.Run("extended by as much", func(t *testing.T) {
		b, r := inReview(t, "budget: 5 working days\n", "budget: 6 working days\n")
		if f, _ := migrates(t, b, r, "migration: 1\n"); told(f, migration.KindExtension) != "" {
			t.Errorf("%+v", f.Changes)
		}
	})
	t.Run("no extension any more", func(t *testing.T) {
		next := licence(t)
		text := string(next)
		from, to := strings.Index(text, "    extension:\n"), strings.Index(text, "    expires: {to: issued-by-law")
		b, r := inReview(t, text[from:to], "")
		f, _ := migrates(t, b, r, "migration: 1\n")
		if words := told(f, migration.KindExtension); words != "term decision: it can be extended no more, by 3 working days until now" {
			t.Errorf("%q", words)
		}
	})
}

// told are the words on what is of a kind.
func told(f migration.Forecast, kind migration.Kind) string {
	var list []string
	g := migration.Group{Requests: []migration.Forecast{f}}
	for i, c := range f.Changes {
		if c.Kind == kind {
			list = append(list, g.Words(i, func(at time.Time) string { return at.Format("2 January") }))
		}
	}
	return strings.Join(list, "\n")
}

// What an earlier program made of such an extension stays as it was recorded; that the term
// has no due time to be relied on is told, and a version may give it one.
func TestAnOldExtensionInAnotherMeasureIsTold(t *testing.T) {
	b, r := inReview(t, inHours...)
	_, is := migrates(t, b, r, "migration: 1\n")
	was := is.Terms["decision"]
	b.record(r.ID, domain.TermExtended{Term: "decision", By: "8 working hours", Reason: "site-visit", Reckoning: domain.Reckoning{Provisional: true, Calendar: was.Calendar}})
	broken := b.load(r.ID)
	if now := broken.Terms["decision"]; !now.Due.IsZero() || !now.Wakes.IsZero() || len(now.Extended) != 1 {
		t.Fatalf("%+v", now)
	}
	unsound := func() (list []string) {
		lines, err := b.engine.Ledger(t.Context(), r.ID, shippedArchive{})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			if l.Again != "" {
				list = append(list, l.Event+": "+l.Again)
			}
		}
		return list
	}
	want := "TermExtended: 5 working days were extended by 8 working hours, which is counted otherwise: it has no due time to be relied on"
	if got := unsound(); len(got) != 1 || got[0] != want {
		t.Errorf("%q", got)
	}
	b.publish(licence(t, append([]string{"title: {id: Ditelaah, en: Under review}", "title: {id: Ditelaah, en: Being reviewed}"}, inHours...)...))
	done, err := b.migrator().Run(t.Context(), b.between(2, 3, "migration: 1\nterms: {decision: {take: new}}\n"))
	if err != nil || done.Migrated != 1 {
		t.Fatalf("%+v %v", done, err)
	}
	if now := b.load(r.ID).Terms["decision"]; now.Budget != "40 working hours" || now.Due.Before(was.Due) || now.Due.After(was.Due.AddDate(0, 0, 7)) || now.Wakes.IsZero() {
		t.Errorf("was due %s, is %+v", was.Due, now)
	}
	if got := unsound(); len(got) != 1 || got[0] != want {
		t.Errorf("%q", got)
	}
}

// Nobody knows when a term that stands still is due. By another measure it may be shorter
// than it was, which has to be said.
func TestATermThatStandsStillIsNotShortenedByAnotherMeasure(t *testing.T) {
	stopped := map[string]func(*bench, domain.Request) domain.Request{
		"ordered": func(b *bench, r domain.Request) domain.Request {
			return b.give(r.ID, domain.OrderSuspension{Header: domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: "head-1", Role: "head", Capacity: domain.CapacityOfficer}}, Ground: domain.StopForceMajeure, Reason: "flood"})
		},
		"returned": func(b *bench, r domain.Request) domain.Request {
			return b.give(r.ID, domain.Act{Header: domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: "clerk-1", Role: "clerk", Capacity: domain.CapacityOfficer}}, Action: "return", Reason: "unreadable"})
		},
	}
	for name, stop := range stopped {
		for measure, next := range map[string][]string{"hours": inHours, "days of the almanac": inAlmanacDays} {
			t.Run(name+", "+measure, func(t *testing.T) {
				b, r := inReview(t, next...)
				r = stop(b, r)
				_, err := b.migrator().Run(t.Context(), b.prepare("sip-mppdn", "migration: 1\nterms: {decision: {take: new}}\n"))
				if unfit := new(migration.UnfitError); !errors.As(err, &unfit) || !strings.Contains(unfit.Report.Requests[0].Refusal, `term "decision" may be shorter: it stands still`) {
					t.Fatalf("%v", err)
				}
				if got := b.events(domain.RequestStream(r.ID), r.Version); len(got) > 0 {
					t.Errorf("recorded %+v", got)
				}
				_, is := migrates(t, b, r, "migration: 1\nterms: {decision: {take: new, shorter: true}}\n")
				if now := is.Terms["decision"]; now.Budget == "5 working days" || now.Stopped() == "" {
					t.Errorf("%+v", now)
				}
			})
		}
		t.Run(name+", more of the same", func(t *testing.T) {
			b, r := inReview(t, "budget: 5 working days\n", "budget: 6 working days\n")
			r = stop(b, r)
			if _, is := migrates(t, b, r, "migration: 1\nterms: {decision: {take: new}}\n"); is.Terms["decision"].Budget != "6 working days" {
				t.Errorf("%+v", is.Terms)
			}
		})
	}
	t.Run("moved to where it stands still", func(t *testing.T) {
		b, _ := inReview(t, inAlmanacDays...)
		_, err := b.migrator().Run(t.Context(), b.prepare("sip-mppdn", "migration: 1\nstates: {review: {to: returned, as: moved}}\nterms: {decision: {take: new}}\n"))
		if unfit := new(migration.UnfitError); !errors.As(err, &unfit) || !strings.Contains(unfit.Report.Requests[0].Refusal, "may be shorter") {
			t.Fatalf("%v", err)
		}
	})
	t.Run("it runs", func(t *testing.T) { // and is due later, as can be known
		b, r := inReview(t, inHours...)
		if _, is := migrates(t, b, r, "migration: 1\nterms: {decision: {take: new}}\n"); !is.Terms["decision"].Due.After(r.Terms["decision"].Due) {
			t.Errorf("%+v", is.Terms)
		}
	})
}

// Parts of a day and nanoseconds are not compared: what is left is told, and no more claimed
// than is known. In Ramadan, from Monday at nine to Wednesday at nine are 5.5, 6.5 and 1 hour,
// and of days that begin on Tuesday 1 and 1 / 6.5.
func TestWhatStandsStillIsToldByWhatIsLeft(t *testing.T) {
	sixteen := []string{
		"budget: 5 working days\n", "budget: 16 working hours\n", "promise: 3 working days", "promise: 8 working hours",
		"remind_after: 4 working days", "remind_after: 12 working hours", "by: 3 working days", "by: 8 working hours",
	}
	for name, x := range map[string]struct {
		next  []string
		text  string
		what  migration.What
		words string
	}{
		"cut to hours": {
			sixteen, "{take: new, shorter: true}", migration.Other,
			"term decision: stands still: was 3.846154 days left of 5 working days, becomes 3h0m0s left of 16 working hours",
		},
		"more of the same": {
			[]string{"budget: 5 working days\n", "budget: 6 working days\n"},
			"{take: new}", migration.Longer,
			"term decision: longer, while it stands still: was 3.846154 days left of 5 working days, becomes 4.846154 days left of 6 working days",
		},
		"less of the same": {
			[]string{"budget: 5 working days\n", "budget: 4 working days\n", "remind_after: 4 working days", "remind_after: 3 working days"},
			"{take: new, shorter: true}", migration.Shorter,
			"term decision: shorter, while it stands still: was 3.846154 days left of 5 working days, becomes 2.846154 days left of 4 working days",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, r := inReview(t, x.next...)
			b.give(r.ID, domain.OrderSuspension{Header: domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: "head-1", Role: "head", Capacity: domain.CapacityOfficer}}, Ground: domain.StopForceMajeure, Reason: "flood"})
			r = b.load(r.ID)
			f, _ := migrates(t, b, r, "migration: 1\nterms: {decision: "+x.text+"}\n")
			if c := of(t, f, migration.KindTerm, "decision"); c.What != x.what {
				t.Errorf("%+v", c)
			}
			if got, _, _ := strings.Cut(told(f, migration.KindTerm), "\n"); got != x.words {
				t.Errorf("%q", got)
			}
		})
	}
}
