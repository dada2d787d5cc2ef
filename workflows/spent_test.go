package workflows_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// Each hour of a request is somebody's, once: that of whoever has to act, and of nobody
// while it is closed.
func TestSpent(t *testing.T) {
	b := newBench(t)
	at := func(hour int) time.Time { return now.Add(time.Duration(hour-100) * time.Hour) }
	submit := b.submission(t)
	submit.Occurred = at(0)
	a, err := b.engine.Submit(t.Context(), submit)
	if err != nil {
		t.Fatal(err)
	}
	act := func(hour int, role domain.RoleID, action domain.ActionID, reason domain.ReasonCode) {
		t.Helper()
		h := newHeader(t, role)
		h.Occurred = at(hour)
		if _, err := b.engine.Act(t.Context(), a.Request.ID, domain.Act{Header: h, Action: action, Reason: reason}); err != nil {
			t.Fatal(err)
		}
	}
	act(3, "front-office", "return", "str-missing")
	act(8, "applicant", "resubmit", "")
	act(9, "front-office", "accept", "")
	act(11, "health-office", "advise-against", "three-places")
	act(12, "head", "refuse", "three-places")
	hours := func(agency, applicant int) workflows.Spent {
		return workflows.Spent{Agency: time.Duration(agency) * time.Hour, Applicant: time.Duration(applicant) * time.Hour}
	}
	for until, want := range map[int]workflows.Spent{-1: {}, 2: hours(2, 0), 7: hours(3, 4), 10: hours(5, 5), 90: hours(7, 5)} {
		got, err := b.engine.Spent(t.Context(), a.Request.ID, at(until))
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("until hour %d: %v (-want +got)\n%s", until, err, d)
		}
	}
}

// While opinions are waited for, it is those who give them that have a request, and not the
// owner of the state.
func TestARequestIsWithThoseWhoseOpinionsItWaitsFor(t *testing.T) {
	b := newSealedBench(t)
	source, err := os.ReadFile("testdata/levy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w := b.publish(t, source)
	at := func(hour int) time.Time { return now.Add(time.Duration(hour-100) * time.Hour) }
	header := func(hour int, role domain.RoleID) domain.Header {
		h := newHeader(t, role)
		h.Occurred = at(hour)
		return h
	}
	a, err := b.engine.Submit(t.Context(), domain.Submit{Header: header(0, "applicant"), Tenant: "11.71", Service: "permit", Form: domain.Personal{"phone": "0811-000-0000"}})
	if err != nil {
		t.Fatal(err)
	}
	holders := []string{w.Holder(a.Request).EN}
	for _, c := range []domain.Command{
		domain.Attach{Header: header(1, "applicant"), Document: "sketch", Format: "pdf", Bytes: 1, SHA256: strings.Repeat("ab", 32)},
		domain.Act{Header: header(2, "clerk"), Action: "accept"},
		domain.GiveReview{Header: header(5, "fire"), Review: "fire", Opinion: domain.OpinionApproved},
	} {
		answer, err := b.engine.Act(t.Context(), a.Request.ID, c)
		if err != nil {
			t.Fatalf("%T: %v", c, err)
		}
		holders = append(holders, w.Holder(answer.Request).EN)
	}
	if d := cmp.Diff([]string{"Clerk", "Clerk", "Fire office", "Applicant"}, holders); d != "" {
		t.Errorf("who has it (-want +got)\n%s", d)
	}
	for until, want := range map[int]workflows.Spent{
		4: {Agency: 2 * time.Hour, Others: 2 * time.Hour}, 7: {Agency: 2 * time.Hour, Others: 3 * time.Hour, Applicant: 2 * time.Hour},
	} {
		got, err := b.engine.Spent(t.Context(), a.Request.ID, at(until))
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("until hour %d: %v (-want +got)\n%s", until, err, d)
		}
	}
}

// Terms were ordered to stand still before the term of law has begun: for whom is the time?
func TestSpentWhileOrderedToStandStill(t *testing.T) {
	for _, ground := range []string{"applicant", "other_agency", "force_majeure"} {
		b := newTimedBench(t, "11.71", "ground: force_majeure", "ground: "+ground, "lift: force_majeure", "lift: "+ground, "suspend: force_majeure", "suspend: "+ground)
		b.at("2026-03-02 09:00").submits()
		h := newHeader(t, "head")
		h.Occurred = b.when("2026-03-02 10:00")
		b.at("2026-03-02 10:00")
		if _, err := b.engine.Act(t.Context(), b.r.ID, domain.OrderSuspension{Header: h, Ground: domain.StopGround(ground), Reason: "flood"}); err != nil {
			t.Fatal(err)
		}
		got, err := b.engine.Spent(t.Context(), b.r.ID, b.when("2026-03-02 15:00"))
		want := workflows.Spent{Agency: time.Hour, Others: 5 * time.Hour}
		if ground == "applicant" {
			want = workflows.Spent{Agency: time.Hour, Applicant: 5 * time.Hour}
		}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v\n%s", ground, err, d)
		}
	}
}

// The clock of an imported case stops when its record says that it ended, and goes on with
// the first that is done with it here; one that the record leaves open is not closed by what
// it came to.
func TestSpentOnAnImportedCase(t *testing.T) {
	at := func(hour int) time.Time { return now.Add(time.Duration(hour-100) * time.Hour) }
	steps := []struct {
		hour   int
		role   domain.RoleID
		action domain.ActionID
		reason domain.ReasonCode
	}{{2, "front-office", "accept", ""}, {3, "health-office", "advise-against", "three-places"}, {5, "head", "refuse", "three-places"}}
	for name, x := range map[string]struct {
		record      domain.Imported
		told        int // of the steps, the others are taken here at hours 95, 96 and on
		then, later int // hours by hour 90, and by hour 99
	}{
		"ended":                      {domain.Imported{Ended: at(4)}, 1, 4, 4 + 1},
		"ended, and comes to an end": {domain.Imported{Ended: at(9)}, 3, 9, 9},
		"ended before what is known": {domain.Imported{Ended: at(1)}, 3, 1, 1},
		"open":                       {domain.Imported{Due: at(9)}, 2, 90, 95},
		"open, and rests at an end":  {domain.Imported{Due: at(9)}, 3, 5, 5},
		"of which no record says it": {domain.Imported{}, 3, 5, 5},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			submit := b.submission(t)
			x.record.Case = "case"
			submit.Occurred, submit.Imported = at(0), &x.record
			a, err := b.engine.Submit(t.Context(), submit)
			if err != nil {
				t.Fatal(err)
			}
			engine := b.engine
			for i, step := range steps {
				h := newHeader(t, step.role)
				if h.Occurred = at(step.hour); i >= x.told {
					h.Occurred = at(95 + i - x.told)
					engine = workflows.NewEngine(b.log, b.library, workflows.EngineConfig{Now: func() time.Time { return now.Add(time.Hour) }, Random: func() uint64 { return 1 }})
				}
				if i == x.told {
					spentIs(t, engine, a.Request.ID, at(90), x.then)
				}
				if _, err := engine.Act(t.Context(), a.Request.ID, domain.Act{Header: h, Action: step.action, Reason: step.reason}); err != nil {
					t.Fatal(err)
				}
			}
			if x.told == len(steps) {
				spentIs(t, engine, a.Request.ID, at(90), x.then)
			}
			spentIs(t, engine, a.Request.ID, at(99), x.later)
		})
	}
}

func spentIs(t *testing.T, e *workflows.Engine, request uuid.UUID, until time.Time, hours int) {
	t.Helper()
	got, err := e.Spent(t.Context(), request, until)
	if d := cmp.Diff(workflows.Spent{Agency: time.Duration(hours) * time.Hour}, got); d != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
}
