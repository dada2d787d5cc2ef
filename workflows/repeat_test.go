package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

func compiled(t *testing.T, source string) *workflows.Workflow {
	t.Helper()
	d, err := workflows.Read("w.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return workflows.Compile(d, 1)
}

func headOf(n byte, role domain.RoleID, as domain.Capacity) domain.Header {
	return domain.Header{
		ID: uuid.NewSHA1(uuid.Nil, []byte{n}), Occurred: time.Date(2026, 11, 27, 8, int(n), 0, 0, time.UTC),
		Actor: domain.Actor{ID: string(role) + "-1", Role: role, Capacity: as},
	}
}

// A submission is the same submission after its facts were corrected; an action with
// facts that it did not have, or none at all, is another command.
func TestWhatIsRepeatedIsComparedWithWhatItWas(t *testing.T) {
	w := compiled(t, string(pbg(t)))
	form := func(area float64) domain.Personal {
		return domain.Personal{"owner": "X", "floor_area": area, "use": "business"}
	}
	submit := domain.Submit{Header: headOf(1, "applicant", "self"), Tenant: "18.72", Service: "pbg", Reference: "0000-0000-0000", Form: form(600)}
	back := domain.Act{Header: headOf(2, "front-office", "officer"), Action: "return", Reason: "incomplete"}
	again := domain.Act{Header: headOf(3, "applicant", "self"), Action: "resubmit", Form: form(400)}
	var r domain.Request
	for _, c := range []domain.Command{submit, back, again} {
		events, err := domain.Decide(r, c, w)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			r = domain.Evolve(r, domain.Recorded{Event: e, Version: r.Version + 1})
		}
	}
	for _, c := range []domain.Command{submit, back, again} {
		if events, err := domain.Decide(r, c, w); err != nil || len(events) > 0 {
			t.Errorf("%T again: %d events, %v", c, len(events), err)
		}
	}
	corrected, withFacts := submit, back
	corrected.Form, withFacts.Form = form(400), form(600)
	for _, c := range []domain.Command{corrected, withFacts, domain.Act{Header: submit.Header}, domain.Act{Header: back.Header}} {
		var refusal *domain.Refusal
		if _, err := domain.Decide(r, c, w); !errors.As(err, &refusal) || refusal.Rule != domain.RuleCommandReused {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// What must never be is looked for when the fees that are due in a state are assessed.
func TestAnInvariantIsHeldWhereARequestRests(t *testing.T) {
	w := compiled(t, tiny(map[string]string{
		"top":         "payers: [clerk]\nfees: [{id: f, title: {id: F, en: F}, amount: 0, due_in: [a], basis: {id: L, en: L}}]\n",
		"transitions": "invariants: [{always: history.paid(\"f\"), because: {id: L, en: L}}]\n",
	}))
	if _, err := domain.Decide(domain.Request{}, domain.Submit{Header: headOf(1, "clerk", "officer"), Reference: "0000-0000-0000"}, w); err != nil {
		t.Error(err)
	}
}
