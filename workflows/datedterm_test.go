package workflows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// crowds is a permit that is of no use after the day that it is for.
const crowds = `alur: 1
id: crowds
title: {id: Izin Keramaian, en: Permit for an event}
agency: {id: Polres, en: Police}
office: polres
facts:
  - {id: held, type: time, title: {id: Hari acara, en: Day of the event}}
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
  - {id: head, title: {id: Kepala, en: Head}, capacities: [officer]}
submit: [applicant]
reasons: [{code: flood, title: {id: Banjir, en: Flood}}]
terms:
  - {id: event, title: {id: Sebelum acara, en: Before the event}, due: held, starts: [submit], expires: {escalate: [clerk, head], ombudsman: true}, basis: {id: andaian, en: assumed}}
suspensions:
  - {ground: force_majeure, roles: [head], reasons: [flood], basis: {id: andaian, en: assumed}}
states:
  - {id: submitted, kind: start, public: verification, owner: clerk, title: {id: Diperiksa, en: Checked}}
  - {id: granted, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Granted}}
actions:
  - {id: correct, title: {id: Perbaiki, en: Correct}}
  - {id: grant, title: {id: Terbitkan, en: Grant}}
  - {id: reopen, title: {id: Buka lagi, en: Reopen}}
transitions:
  - {action: correct, kind: correct, from: [submitted], to: submitted, roles: [applicant]}
  - {action: grant, from: [submitted], to: granted, roles: [clerk]}
  - {action: reopen, kind: reopen, from: [granted], to: submitted, roles: [head]}
`

// events submits a request for an event on a day of April 2026.
func newEvent(t *testing.T, held string) *timedBench {
	t.Helper()
	b := newTimedBench(t, "33.14")
	d, err := workflows.Read("crowds.yaml", []byte(crowds))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.library.Publish(t.Context(), workflows.Publication{
		Tenant: b.tenant, Source: []byte(crowds), Definition: d, Occurred: published, At: published, Why: "test", Trial: "to be tried",
		Actor: domain.Actor{ID: "admin-1", Role: "admin", Capacity: domain.CapacityOfficer},
	}); err != nil {
		t.Fatal(err)
	}
	b.at("2026-04-06 09:00")
	c := domain.Submit{Header: newHeader(t, "applicant"), Tenant: b.tenant, Service: "crowds"}
	if held != "" {
		c.Facts = domain.Facts{"held": b.when(held).Format(time.RFC3339)}
	}
	answer, err := b.engine.Submit(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	b.r = answer.Request
	return b
}

// A term that is due at a date of the case starts with the submission, stands still for
// nothing and nobody, runs out at the date, and is told up the ladder: each rung after as
// much time once more as there was.
func TestATermThatIsDueAtADate(t *testing.T) {
	b := newEvent(t, "2026-04-16 09:00")
	b.due("event", "2026-04-16 09:00")
	b.at("2026-04-07 09:00")
	if err := b.give(domain.Act{Header: newHeader(t, "applicant"), Action: "correct", Facts: domain.Facts{"held": b.when("2026-05-20 09:00").Format(time.RFC3339)}}); err != nil {
		t.Fatal(err)
	}
	b.due("event", "2026-04-16 09:00") // as it was when the term started: a correction wins no time
	if err := b.give(domain.OrderSuspension{Header: newHeader(t, "head"), Ground: domain.StopForceMajeure, Reason: "flood"}); err != nil {
		t.Fatal(err)
	}
	if stop := b.r.Terms["event"].Stopped(); stop != "" {
		t.Errorf("it stands still: %s", stop)
	}
	b.refuses(domain.RuleTerm, domain.ExtendTerm{Header: newHeader(t, "head"), Term: "event", Reason: "flood"})
	b.at("2026-05-20 09:00").sweeps()
	var got []string
	for _, e := range b.events() {
		switch x := e.Body.(type) {
		case domain.TermStarted:
			got = append(got, e.Occurred.In(b.tenant.Zone()).Format("01-02 15:04")+" started, until "+x.Date+x.Budget)
		case domain.TermExpired:
			got = append(got, e.Occurred.In(b.tenant.Zone()).Format("01-02 15:04")+" expired")
		case domain.TermEscalated:
			got = append(got, e.Occurred.In(b.tenant.Zone()).Format("01-02 15:04")+" "+string(x.Step)+" "+string(x.Role))
		}
	}
	if d := cmp.Diff([]string{
		"04-06 09:00 started, until held", "04-16 09:00 expired", "04-16 09:00 escalate clerk", "04-26 09:00 escalate head", "05-06 09:00 ombudsman ",
	}, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	lines, err := b.engine.Ledger(t.Context(), b.r.ID, workflows.NewCalendars(b.log))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if l.Again != "" || time.Duration(l.Consumed+l.Remaining) != 10*24*time.Hour || l.Suspended != 0 {
			t.Errorf("%s: %s %+v", l.Event, l.Again, l.Reckoning)
		}
	}
}

// A reopened request has the date that it had.
func TestADateStandsAfterAReopening(t *testing.T) {
	b := newEvent(t, "2026-04-16 09:00")
	b.at("2026-04-08 09:00")
	b.does("clerk", "grant", "")
	if p := b.r.Punctuality(); p != domain.PunctualityOnTime {
		t.Errorf("punctuality %q", p)
	}
	b.at("2026-04-12 09:00")
	b.does("head", "reopen", "")
	b.due("event", "2026-04-16 09:00")
	if p := b.r.Punctuality(); p != domain.PunctualityOpen {
		t.Errorf("punctuality %q", p)
	}
	b.at("2026-04-17 09:00")
	b.does("clerk", "grant", "")
	if p := b.r.Punctuality(); p != domain.PunctualityLate {
		t.Errorf("punctuality %q", p)
	}
}

// Without the date there is no such term; when it is said, there is.
func TestATermWithoutItsDate(t *testing.T) {
	b := newEvent(t, "")
	if len(b.r.Terms) > 0 {
		t.Errorf("%+v", b.r.Terms)
	}
	b.at("2026-04-07 09:00")
	if err := b.give(domain.Act{Header: newHeader(t, "applicant"), Action: "correct", Facts: domain.Facts{"held": b.when("2026-04-20 09:00").Format(time.RFC3339)}}); err != nil {
		t.Fatal(err)
	}
	b.due("event", "2026-04-20 09:00")
	if at := b.r.Terms["event"].Started; !at.Equal(b.now) {
		t.Errorf("it started at %s", at)
	}
	// A date that had passed is none: nobody was late with it. Nor is one that stands for
	// none in other systems, and neither keeps anybody from acting.
	for _, held := range []string{"2026-04-01 09:00", "1900-01-01 12:00", "9999-12-31 07:00"} {
		b = newEvent(t, held)
		b.at("2026-04-06 09:01").sweeps()
		if len(b.r.Terms) > 0 {
			t.Errorf("%s: %+v", held, b.r.Terms["event"])
		}
		b.does("clerk", "grant", "")
	}
}

// What a term that is due at a date may say, and what is found of it.
func TestFaultsOfATermThatIsDueAtADate(t *testing.T) {
	for name, x := range map[string]struct{ old, by, want string }{
		"a budget too":         {"due: held,", "due: held, budget: 3 days,", "say either its budget, or as due the fact that holds the date until when"},
		"neither":              {"due: held, ", "", "say either its budget, or as due the fact that holds the date until when"},
		"a fact of no time":    {"type: time", "type: number", `term due: fact "held" is a number, not a time`},
		"no such fact":         {"due: held", "due: hold", `15:72: fact "hold" is not defined; did you mean "held"?`},
		"a promise":            {"due: held,", "due: held, promise: 3 days,", "stands still for nobody and has no budget to count by"},
		"no such start":        {"starts: [submit]", "starts: [granted]", `action or submission "granted" is not defined`},
		"a history without it": {"facts:\n", "history: {role: \"org:role\", started: hold}\nfacts:\n", `6:38: fact "hold" is not defined`},
	} {
		if !strings.Contains(crowds, x.old) {
			t.Fatalf("there is no %q", x.old)
		}
		_, err := workflows.Read("crowds.yaml", []byte(strings.Replace(crowds, x.old, x.by, 1)))
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: want %q, got %v", name, x.want, err)
		}
	}
	for name, x := range map[string]struct {
		old, by    string
		rule, want string
	}{
		"a date that need not be there":  {"", "", workflows.FindingTerm, `state "submitted" has no term`},
		"a date that may have passed":    {"title: {id: Hari", "required: true, title: {id: Hari", workflows.FindingTerm, `state "submitted" has no term`},
		"a decision by law at that date": {"escalate: [clerk, head], ombudsman: true", "to: granted, ground: deemed_approval", workflows.FindingDeemed, `term "event" ends in a decision by law at a date that stands in the application (fact "held")`},
	} {
		_, findings, err := workflows.Check("crowds.yaml", []byte(strings.Replace(crowds, x.old, x.by, 1)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range findings {
			if f.Rule == workflows.FindingTerm || f.Rule == workflows.FindingDeemed {
				got = append(got, f.Rule+": "+f.Message)
			}
		}
		if all := strings.Join(got, "\n"); !strings.Contains(all, x.rule+": "+x.want) {
			t.Errorf("%s: want %q, found\n%s", name, x.want, all)
		}
	}
	_, findings, err := workflows.Check("crowds.yaml", []byte(strings.NewReplacer("due: held", "budget: 3 days", "escalate: [clerk, head], ombudsman: true", "to: granted, ground: deemed_approval").Replace(crowds)))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, f := range findings {
		found = found || f.Rule == workflows.FindingDeemed && strings.Contains(f.Message, `term "event", which ends in a decision by law, starts with the submission`)
	}
	if !found {
		t.Error("that a decision by law is counted from the submission is not found")
	}
}

// What is written is read as it was.
func TestATermThatIsDueAtADateIsWritten(t *testing.T) {
	d, err := workflows.Read("crowds.yaml", []byte(crowds))
	if err != nil {
		t.Fatal(err)
	}
	source, err := workflows.Write(d, "")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(source), "budget") {
		t.Errorf("it has a budget\n%s", source)
	}
	back, err := workflows.Read("crowds.yaml", source)
	if err != nil || back.Terms[0].Due != "held" || back.Terms[0].Starts[0] != "submit" {
		t.Errorf("%v\n%s", err, source)
	}
}
