package workflows_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// A time that is given anew is one that can be recorded and read again, in UTC. What was
// recorded by a program of before, or by another system, is let be.
func TestTimesThatAreGivenLieWithinTheYears(t *testing.T) {
	source := strings.NewReplacer(
		"  - {id: held, type: time,", "  - {id: seen, type: time, recorded: true, default: '1850-01-01T00:00:00Z', title: {id: Dilihat, en: Seen}}\n  - {id: held, type: time,",
		"actions:\n", "actions:\n  - {id: look, title: {id: Lihat, en: Look}}\n",
		"transitions:\n", "transitions:\n  - {action: look, from: [submitted], to: submitted, roles: [clerk], records: [seen]}\n",
	).Replace(crowds)
	d, err := workflows.Read("crowds.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	w := workflows.Compile(d, 1)
	at := time.Date(2026, 4, 6, 2, 0, 0, 0, time.UTC)
	submit := func(held string, imported *domain.Imported) (domain.Request, error) {
		c := domain.Submit{Header: newHeader(t, "applicant"), Tenant: "33.14", Service: "crowds", Facts: domain.Facts{"held": held}, Imported: imported}
		c.Occurred = at
		events, err := domain.Decide(domain.Request{}, c, w)
		r := domain.Request{}
		for i, e := range events {
			r = domain.Evolve(r, domain.Recorded{Event: e, Version: domain.Version(i + 1)})
		}
		return r, err
	}
	r, err := submit("2026-05-20T09:00:00+07:00", nil)
	if err != nil {
		t.Fatal(err)
	}
	act := func(actor domain.RoleID, action domain.ActionID, fact, value string) error {
		c := domain.Act{Header: newHeader(t, actor), Action: action, Facts: domain.Facts{fact: value}}
		c.Occurred = at
		_, err := domain.Decide(r, c, w)
		return err
	}
	for name, give := range map[string]func(string) error{
		"a submission":           func(s string) error { _, err := submit(s, nil); return err },
		"a correction":           func(s string) error { return act("applicant", "correct", "held", s) },
		"what an officer found":  func(s string) error { return act("clerk", "look", "seen", s) },
		"another system's times": func(s string) error { _, err := submit(s, &domain.Imported{}); return err },
	} {
		for value, ok := range map[string]bool{
			"9999-12-31T23:59:59-05:00": false, "9999-12-31T23:59:59Z": true, "0000-01-01T00:00:00+07:00": false, "0001-01-01T00:00:00Z": false,
			"1900-01-01T06:59:59+07:00": false, "1900-01-01T00:00:00Z": true,
		} {
			err := give(value)
			if ok || strings.HasPrefix(name, "another") {
				if err != nil {
					t.Errorf("%s, %s: %v", name, value, err)
				}
			} else if r := (*domain.Refusal)(nil); !errors.As(err, &r) || r.Rule != domain.RuleFacts || !strings.Contains(r.Detail, "lies outside the years 1900 to 9999") {
				t.Errorf("%s, %s: %v", name, value, err)
			}
		}
	}
}

// A log that holds such a time goes on: it is read as it is, and what is done next needs
// no other date.
func TestARequestWithATimeOfBeforeGoesOn(t *testing.T) {
	d, err := workflows.Read("crowds.yaml", []byte(strings.Replace(crowds, "due: held,", "budget: 5 days,", 1)))
	if err != nil {
		t.Fatal(err)
	}
	w := workflows.Compile(d, 1)
	c := domain.Submit{Header: newHeader(t, "applicant"), Tenant: "33.14", Service: "crowds", Facts: domain.Facts{"held": "2026-05-20T09:00:00+07:00"}}
	c.Occurred = time.Date(2026, 4, 6, 2, 0, 0, 0, time.UTC)
	events, err := domain.Decide(domain.Request{}, c, w)
	if err != nil {
		t.Fatal(err)
	}
	first := events[0].Body.(domain.RequestSubmitted)
	first.Facts = domain.Facts{"held": "10000-01-01T04:59:59Z"}
	events[0].Body = first
	var r domain.Request
	for i, e := range events {
		r = domain.Evolve(r, domain.Recorded{Event: e, Version: domain.Version(i + 1)})
	}
	grant := domain.Act{Header: newHeader(t, "clerk"), Action: "grant"}
	grant.Occurred = c.Occurred
	if _, err := domain.Decide(r, grant, w); err != nil {
		t.Error(err)
	}
}
