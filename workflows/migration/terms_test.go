package migration_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/migration"
)

// licence is the licence of testdata/clock, with some texts replaced.
func licence(t *testing.T, replace ...string) []byte {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "testdata", "clock", "sip.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(source), "\ntests:") // they are of the licence as it is
	text += "\n"
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			t.Fatalf("the licence has no %q", replace[i])
		}
		text = strings.ReplaceAll(text, replace[i], replace[i+1])
	}
	return []byte(text)
}

// inReview is a bench with a licence that was declared complete on Monday 2 March 2026
// at nine, and two days later its next version.
func inReview(t *testing.T, replace ...string) (*bench, domain.Request) {
	t.Helper()
	b := newBench(t, memory.New())
	old := b.publish(licence(t)).Definition
	r := b.submit(old, nil)
	r = b.act(old, r.ID, "clerk", "accept", "")
	b.now = b.now.AddDate(0, 0, 2)
	b.publish(licence(t, replace...))
	return b, r
}

// migrates carries a migration out, and holds that it was foreseen.
func migrates(t *testing.T, b *bench, r domain.Request, text string) (migration.Forecast, domain.Request) {
	t.Helper()
	x := b.prepare("sip-mppdn", text)
	report, err := b.migrator().Forecast(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	done, err := b.migrator().Run(t.Context(), x)
	if err != nil || done.Migrated != 1 {
		t.Fatalf("%+v, %v; %+v", done, err, report)
	}
	b.foreseenIs(t, report, map[uuid.UUID]domain.Version{r.ID: r.Version})
	return report.Requests[0], b.load(r.ID)
}

func of(t *testing.T, f migration.Forecast, kind migration.Kind, id string) migration.Change {
	t.Helper()
	i := slices.IndexFunc(f.Changes, func(c migration.Change) bool { return c.Kind == kind && c.ID == id })
	if i < 0 {
		t.Fatalf("no change of %s %s in %+v", kind, id, f.Changes)
	}
	return f.Changes[i]
}

// The clock of who waits is theirs: another version that gives less, or more, changes
// nothing of it unless that is said, and less only if that is said once more.
func TestTermsAreNotShortenedSilently(t *testing.T) {
	shorter := []string{"budget: 5 working days", "budget: 4 working days", "remind_after: 4 working days", "remind_after: 3 working days"}
	t.Run("kept", func(t *testing.T) {
		b, r := inReview(t, shorter...)
		f, is := migrates(t, b, r, "migration: 1\n")
		if was, now := r.Terms["decision"], is.Terms["decision"]; now.Budget != "5 working days" || !now.Due.Equal(was.Due) || now.Promised != was.Promised {
			t.Errorf("was %+v, is %+v", was, now)
		}
		if slices.ContainsFunc(f.Changes, func(c migration.Change) bool { return c.Kind == migration.KindTerm }) {
			t.Errorf("%+v", f.Changes)
		}
	})
	t.Run("shorter, and not said", func(t *testing.T) {
		b, r := inReview(t, shorter...)
		_, err := b.migrator().Run(t.Context(), b.prepare("sip-mppdn", "migration: 1\nterms: {decision: {take: new}}\n"))
		if unfit := new(migration.UnfitError); !errors.As(err, &unfit) || !strings.Contains(unfit.Report.Requests[0].Refusal, `term "decision" would be shorter`) {
			t.Errorf("%v", err)
		}
		if got := b.events(domain.RequestStream(r.ID), r.Version); len(got) > 0 || len(b.events(domain.MigrationStream(tenant, "sip-mppdn", 1, 2), 0)) > 0 {
			t.Errorf("recorded %+v", got)
		}
	})
	t.Run("shorter, and said", func(t *testing.T) {
		b, r := inReview(t, shorter...)
		f, is := migrates(t, b, r, "migration: 1\nterms: {decision: {take: new, shorter: true}}\n")
		c := of(t, f, migration.KindTerm, "decision")
		if now := is.Terms["decision"]; now.Budget != "4 working days" || c.What != migration.Shorter || !c.Before.Equal(time.Date(2026, 3, 9, 8, 0, 0, 0, time.UTC)) || !c.After.Equal(time.Date(2026, 3, 6, 8, 30, 0, 0, time.UTC)) || !now.Due.Equal(c.After) {
			t.Errorf("%+v, %+v", now, c)
		}
	})
	t.Run("it would have run out", func(t *testing.T) {
		b, _ := inReview(t, "budget: 5 working days\n", "budget: 1 working day\n", "promise: 3 working days", "promise: 1 working day", "    remind_after: 4 working days\n", "", "      by: 3 working days", "      by: 1 working day")
		_, err := b.migrator().Run(t.Context(), b.prepare("sip-mppdn", "migration: 1\nterms: {decision: {take: new, shorter: true}}\n"))
		if unfit := new(migration.UnfitError); !errors.As(err, &unfit) || !strings.Contains(unfit.Report.Requests[0].Refusal, "would have run out at") {
			t.Errorf("%v", err)
		}
	})
	t.Run("longer than any calendar reaches", func(t *testing.T) {
		b, _ := inReview(t, "budget: 5 working days", "budget: 9000 working days")
		cannot(t, b, b.prepare("sip-mppdn", "migration: 1\nterms: {decision: {take: new}}\n"), `no calendar reaches to where term "decision" would be due`)
	})
	t.Run("shorter than what no calendar reaches", func(t *testing.T) {
		b := newBench(t, memory.New())
		old := b.publish(licence(t, "budget: 5 working days", "budget: 9000 working days")).Definition
		b.act(old, b.submit(old, nil).ID, "clerk", "accept", "")
		b.publish(licence(t))
		cannot(t, b, b.prepare("sip-mppdn", "migration: 1\nterms: {decision: {take: new}}\n"), `term "decision" would be shorter`)
		if done, err := b.migrator().Run(t.Context(), b.prepare("sip-mppdn", "migration: 1\nterms: {decision: {take: new, shorter: true}}\n")); err != nil || done.Migrated != 1 {
			t.Errorf("%+v, %v", done, err)
		}
	})
	t.Run("longer", func(t *testing.T) {
		b, r := inReview(t, "budget: 5 working days", "budget: 8 working days")
		f, is := migrates(t, b, r, "migration: 1\nterms: {decision: {take: new}}\n")
		if c := of(t, f, migration.KindTerm, "decision"); c.What != migration.Longer || is.Terms["decision"].Budget != "8 working days" || !is.Terms["decision"].Due.Equal(c.After) {
			t.Errorf("%+v", c)
		}
	})
}

// What follows as a term runs out is not forgotten and does not happen twice, though the
// other version has other steps; nothing is dated back.
func TestStepsOfATermAcrossAMigration(t *testing.T) {
	b, r := inReview(t, "    remind_after: 4 working days\n", "    remind_after: 1 working day\n")
	_, is := migrates(t, b, r, "migration: 1\n")
	var reminded []domain.Recorded
	for _, e := range b.events(domain.RequestStream(r.ID), r.Version) {
		if x, ok := e.Body.(domain.TermReminded); ok && x.Term == "decision" {
			reminded = append(reminded, e)
		}
	}
	if len(reminded) != 1 || !reminded[0].Occurred.Equal(b.now) {
		t.Errorf("a reminder whose time was past when it came to be: %+v", reminded)
	}
	due := is.Terms["decision"].Due
	b.now = due.AddDate(0, 0, 1)
	if _, err := b.engine.Recompute(t.Context(), r.ID); err == nil {
		t.Fatal("the calendar moved something")
	}
	// Reading what has come fires it.
	for {
		is = b.load(r.ID)
		id, when, ok := is.Overdue(b.now)
		if !ok {
			break
		}
		if _, err := b.engine.Expire(t.Context(), r.ID, id, when); err != nil {
			t.Fatal(err)
		}
	}
	if is.State != "issued-by-law" || is.Workflow.Version != 2 || !is.Terms["decision"].Expired.Equal(due) {
		t.Errorf("%s under %d, expired %s, want %s", is.State, is.Workflow.Version, is.Terms["decision"].Expired, due)
	}
	if count := b.count(r.ID, "TermReminded"); count != 1 {
		t.Errorf("%d reminders", count)
	}
}

func (b *bench) count(id uuid.UUID, name string) int {
	n := 0
	for _, e := range b.events(domain.RequestStream(id), 0) {
		if got, _ := e.Body.Type(); got == name {
			n++
		}
	}
	return n
}

// withDesk is the licence with a state more.
func withDesk(t *testing.T) []byte {
	return licence(t, "  - {id: issued, kind", "  - id: desk\n    kind: work\n    public: in_process\n    owner: clerk\n    title: {id: Meja, en: Desk}\n    term: {budget: 2 working days, expires: {escalate: [head]}}\n  - {id: issued, kind",
		"accept, kind: complete, from: [submitted], to: review", "accept, kind: complete, from: [submitted], to: desk", "  - {action: issue,", "  - {action: resubmit, from: [desk], to: review, roles: [clerk]}\n  - {action: issue,")
}

// Of two states that become one, at most one is that state under another name; who stands
// in the other moves, and the map has to say so.
func TestTwoStatesBecomeOne(t *testing.T) {
	assess := []string{"id: review\n", "id: assess\n", "to: review,", "to: assess,", "[review]", "[assess]", ", review]", ", assess]"}
	for name, c := range map[string]struct {
		text    string
		to      []string // nothing: as the licence is
		refused string
		how     migration.How // of who stands at the desk
	}{
		"unsaid":            {text: "{desk: assess, review: assess}", to: assess, refused: `"review" and "desk" of version 1 cannot both be "assess" under another name: say {to: assess, as: moved} of all but one`},
		"said wrongly":      {text: "{desk: {to: assess, as: renamed}, review: assess}", to: assess, refused: "as: moved"},
		"both moved":        {text: "{desk: {to: assess, as: moved}, review: {to: assess, as: moved}}", to: assess, how: migration.Moves},
		"one is the same":   {text: "{desk: assess, review: {to: assess, as: moved}}", to: assess, how: migration.Renamed},
		"the other is":      {text: "{desk: {to: assess, as: moved}, review: assess}", to: assess, how: migration.Moves},
		"one keeps its own": {text: "{desk: {to: review, as: renamed}}", refused: `"review" and "desk" of version 1 cannot both be "review"`},
		"to one that is":    {text: "{desk: review}", how: migration.Moves},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, memory.New())
			old := b.publish(withDesk(t)).Definition
			r := b.submit(old, nil)
			r = b.act(old, r.ID, "clerk", "accept", "")
			b.now = b.now.AddDate(0, 0, 1)
			b.publish(licence(t, c.to...))
			text := "migration: 1\nstates: " + c.text + "\n"
			if c.refused != "" {
				var problems workflows.Problems
				if _, err := b.prepared("sip-mppdn", text); !errors.As(err, &problems) || !strings.Contains(err.Error(), c.refused) || problems[0].Line != 2 {
					t.Errorf("%v", err)
				}
				return
			}
			if f, _ := migrates(t, b, r, text); f.How != c.how {
				t.Errorf("%s: %s", f.How, migration.Group{Requests: []migration.Forecast{f}}.Way())
			}
		})
	}
}

// A state under another name is the same state: its time goes on. A state that is gone
// is another: its time ends, and that of where the request comes to begins.
func TestTermsOfStates(t *testing.T) {
	t.Run("renamed", func(t *testing.T) {
		b, r := inReview(t, "id: review\n", "id: assess\n", "to: review,", "to: assess,", "[review]", "[assess]", ", review]", ", assess]", "id: decision\n", "id: verdict\n")
		f, is := migrates(t, b, r, "migration: 1\nstates: {review: assess}\nterms: {decision: verdict}\n")
		if f.How != migration.Renamed || len(is.Terms) != 3 || !is.Terms["state:assess"].Due.Equal(r.Terms["state:review"].Due) || !is.Terms["verdict"].Due.Equal(r.Terms["decision"].Due) {
			t.Errorf("%s: %+v", f.How, is.Terms)
		}
		if c := of(t, f, migration.KindTerm, "state:assess"); c.What != migration.Kept || c.Was != "state:review" {
			t.Errorf("%+v", c)
		}
	})
	t.Run("gone", func(t *testing.T) {
		b := newBench(t, memory.New())
		old := b.publish(withDesk(t)).Definition
		r := b.submit(old, nil)
		r = b.act(old, r.ID, "clerk", "accept", "")
		b.now = b.now.AddDate(0, 0, 1)
		b.publish(licence(t))
		f, is := migrates(t, b, r, "migration: 1\nstates: {desk: review}\n")
		if f.How != migration.Moves || is.State != "review" || is.Terms["state:desk"].Open() || !is.Terms["state:review"].Started.Equal(b.now) || !is.Terms["decision"].Due.Equal(r.Terms["decision"].Due) {
			t.Errorf("%s: %+v", f.How, is.Terms)
		}
	})
	t.Run("to an end", func(t *testing.T) {
		b, r := inReview(t, "  - {id: lapsed, kind", "  - {id: abolished, kind: end, outcome: closed, public: completed, title: {id: Dihapus, en: Abolished}}\n  - {id: lapsed, kind",
			"to: refused, roles: [head], reasons: [str-invalid]}", "to: refused, roles: [head], reasons: [str-invalid]}\n  - {action: object, from: [review], to: abolished, roles: [head]}")
		if _, err := b.prepared("sip-mppdn", "migration: 1\nstates: {review: abolished}\n"); err == nil || !strings.Contains(err.Error(), "say under ground") {
			t.Errorf("without a ground: %v", err)
		}
		f, is := migrates(t, b, r, "migration: 1\nstates: {review: {to: abolished, ground: {id: Perwal 9/2026, en: Regulation 9/2026}}}\n")
		if f.How != migration.Ends || is.Outcome != domain.OutcomeClosed || is.Terms["decision"].Open() {
			t.Errorf("%s: %+v", f.How, is)
		}
	})
	t.Run("a suspension that nobody could lift", func(t *testing.T) {
		b, r := inReview(t, "suspensions:\n  - ground: force_majeure\n    roles: [head]\n    reasons: [flood]\n    basis: {id: andaian, en: assumed}\n", "")
		d, _ := workflows.Read("w", licence(t))
		b.give(r.ID, domain.OrderSuspension{Header: b.header(d, "head"), Ground: domain.StopForceMajeure, Reason: "flood"})
		_, err := b.migrator().Run(t.Context(), b.prepare("sip-mppdn", "migration: 1\n"))
		if unfit := new(migration.UnfitError); !errors.As(err, &unfit) || !strings.Contains(unfit.Report.Requests[0].Refusal, "lift the suspension first") {
			t.Errorf("%v", err)
		}
	})
}
