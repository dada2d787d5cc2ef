package backtest_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// sip is the licence with a clock that the tests run, with some things in it said
// otherwise: pairs of what stands there and what takes its place.
func sip(t fatal, replace ...string) string {
	t.Helper()
	source, err := os.ReadFile("../testdata/clock/sip.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(source), "\ntests:")
	text += "\n"
	for i := 0; i < len(replace); i += 2 {
		text = string(replaced(t, []byte(text), replace[i], replace[i+1]))
	}
	return text
}

var (
	applicant = domain.Actor{ID: "applicant-1", Role: "applicant", Capacity: domain.CapacitySelf}
	clerk     = domain.Actor{ID: "clerk-1", Role: "clerk", Capacity: domain.CapacityOfficer}
)

func (o *office) submits() uuid.UUID {
	return o.must(uuid.Nil, domain.Submit{Header: domain.Header{Actor: applicant}, Service: "sip-mppdn"}).ID
}

func (o *office) acts(id uuid.UUID, a domain.Actor, action domain.ActionID, reason domain.ReasonCode) domain.Request {
	return o.must(id, domain.Act{Header: domain.Header{Actor: a}, Action: action, Reason: reason})
}

// A version by which the clock of the law runs where it stood still, or stands still where
// it ran, is another deadline: of requests that stand there now, and of those that ended
// there.
func TestAClockThatStopsElsewhere(t *testing.T) {
	brief := []string{"budget: 10 working days, expires: {to: lapsed", "budget: 2 working days, expires: {to: lapsed"}
	stops := sip(t, brief...)
	runs := sip(t, append([]string{"    suspended_in: [returned]\n", ""}, brief...)...)
	const (
		newly    = `deadline: term "decision": has a due time where it had none`
		noLonger = `deadline: term "decision": has no due time where it had one`
	)
	for name, x := range map[string]struct {
		then, now string
		ended     bool
		want      string
	}{
		"open, stood still then, runs now":  {stops, runs, false, newly},
		"open, ran then, stands still now":  {runs, stops, false, noLonger},
		"ended there, stood still then":     {stops, runs, true, newly},
		"ended there, ran then":             {runs, stops, true, noLonger},
		"stands still, with a shorter term": {stops, sip(t, append([]string{"budget: 5 working days", "budget: 4 working days", "    remind_after: 4 working days\n", ""}, brief...)...), false, `deadline: term "decision": due earlier`},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, []byte(x.then))
			id := o.submits()
			o.clock = o.clock.Add(time.Hour)
			o.acts(id, clerk, "accept", "")
			o.clock = o.clock.Add(time.Hour)
			o.acts(id, clerk, "return", "unreadable") // Monday
			o.clock = o.clock.AddDate(0, 0, 1)
			if x.ended {
				o.clock = o.clock.AddDate(0, 0, 2) // Thursday: it lapsed on Wednesday
				o.sweep(id)
			}
			o.same(t)
			r := o.run(read(t, x.now))
			if got := r.Words(); r.Changed != 1 || !strings.Contains(got, "1 "+x.want+"\n") {
				t.Errorf("want %q\n%s", x.want, got)
			}
		})
	}
}

// A small step is refused (a note in the file), everything else goes on as it did: what
// differs after it is told all the same. Here the law would have granted on the second
// day what was refused on the third.
func TestWhatComesAfterARefusedStep(t *testing.T) {
	noted := []string{
		"actions:\n", "actions:\n  - {id: note, title: {id: Catat, en: Note}}\n",
		"transitions:\n", "transitions:\n  - {action: note, from: [submitted], to: submitted, roles: [clerk, head]}\n",
	}
	o := newOffice(t, []byte(sip(t, noted...)))
	id := o.submits()
	o.acts(id, clerk, "note", "")
	o.clock = o.clock.Add(time.Hour)
	o.acts(id, clerk, "accept", "") // Monday
	o.clock = o.clock.AddDate(0, 0, 3)
	o.acts(id, head, "refuse", "str-invalid") // Thursday
	o.same(t)
	const refused = `refused: action "note" in state "submitted" is refused (role)`
	shorter := append(noted, "budget: 5 working days", "budget: 2 working days", "promise: 3 working days", "promise: 2 working days", "    remind_after: 4 working days\n", "")
	earlier := append(noted, "budget: 5 working days", "budget: 4 working days", "    remind_after: 4 working days\n", "")
	for name, x := range map[string]struct {
		change []string
		want   []string
	}{
		"the law had decided by then": {shorter, []string{"outcome: rejected then, approved (deemed) now", `deadline: term "decision": due earlier, newly missed`}},
		"only a deadline":             {earlier, []string{`deadline: term "decision": due earlier`}},
		"another route":               {append(noted, "id: refused,", "id: turned-down,", "to: refused,", "to: turned-down,", "from: [refused,", "from: [turned-down,"), []string{"route: from review to turned-down, not to refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			alone := sip(t, x.change...)
			for source, want := range map[string][]string{
				alone: x.want,
				string(replaced(t, []byte(alone), "roles: [clerk, head]}", "roles: [head]}")): append(x.want, refused),
			} {
				r := o.run(read(t, source))
				got := r.Words()
				for _, w := range want {
					if !strings.Contains(got, "1 "+w) {
						t.Errorf("want %q\n%s", w, got)
					}
				}
			}
		})
	}
}

// What the record shows counted, and missed, after the new version has ended the request is
// neither newly counted nor newly missed.
func TestDeadlinesAreComparedWithTheWholeRecord(t *testing.T) {
	begins := sip(t, "    suspended_in: [returned]\n", "    starts: [submit]\n    suspended_in: [returned]\n")
	shorter := sip(t, "budget: 5 working days", "budget: 2 working days", "promise: 3 working days", "promise: 2 working days", "    remind_after: 4 working days\n", "")
	for name, x := range map[string]struct {
		now   string
		weeks int // after which it is declared complete
		then  func(o *office, id uuid.UUID)
		want  string
		not   string
	}{
		"missed in both": {begins, 4, func(o *office, id uuid.UUID) {
			o.clock = o.clock.AddDate(0, 0, 28)
			o.sweep(id)
		}, `deadline: term "decision": due earlier`, "newly"},
		"met in the record": {begins, 4, func(o *office, id uuid.UUID) {
			o.clock = o.clock.Add(time.Hour)
			o.acts(id, head, "issue", "")
		}, `deadline: term "decision": due earlier, newly missed`, "newly counted"},
		"not counted in the record": {begins, 4, func(o *office, id uuid.UUID) {
			o.acts(id, clerk, "return", "unreadable")
		}, `deadline: term "decision": newly counted, newly missed`, "due earlier"},
		"counted already, and missed later in both": {shorter, 0, func(o *office, id uuid.UUID) {
			o.clock = o.clock.AddDate(0, 0, 3)
			o.acts(id, clerk, "return", "unreadable")
			o.acts(id, applicant, "resubmit", "")
			o.clock = o.clock.AddDate(0, 0, 28)
			o.sweep(id)
		}, `deadline: term "decision": due earlier`, "newly"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, []byte(sip(t)))
			id := o.submits()
			o.clock = o.clock.AddDate(0, 0, 7*x.weeks).Add(time.Hour)
			o.sweep(id)
			if x.want != `deadline: term "decision": newly counted, newly missed` {
				o.acts(id, clerk, "accept", "")
			}
			x.then(o, id)
			o.same(t)
			r := o.run(read(t, x.now))
			got := r.Words()
			if !strings.Contains(got, "1 "+x.want+"\n") || strings.Contains(got, x.not) {
				t.Errorf("want %q\n%s", x.want, got)
			}
		})
	}
}

// After a return that is refused the request stands where it stood. That its applicant
// sends it in again is then a consequence, and nothing that a version does by itself.
func TestWhatFollowsARefusedReturnIsNotNeedless(t *testing.T) {
	o := newOffice(t, []byte(sip(t)))
	id := o.submits()
	o.acts(id, clerk, "accept", "")
	for i, reason := range []domain.ReasonCode{"unreadable", "str-invalid"} {
		o.clock = o.clock.Add(time.Hour)
		if i > 0 {
			o.must(id, domain.ConsentReturn{Header: domain.Header{Actor: head}, Action: "return", Reason: reason})
		}
		o.acts(id, clerk, "return", reason)
		o.clock = o.clock.Add(time.Hour)
		o.acts(id, applicant, "resubmit", "")
	}
	o.acts(id, head, "issue", "")
	o.same(t)
	r := o.run(read(t, sip(t, ", consent: [head]", "")))
	got := r.Words()
	for _, want := range []string{
		`1 refused: action "return" in state "review" is refused (return)`,
		`1 refused: consent to action "return" once more in state "review" is refused (return)`,
		`action "resubmit" by applicant: review; not needed: the request stands in "review" still`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("want %q\n%s", want, got)
		}
	}
	for _, not := range []string{"needless", "by itself", "belongs to \n", "belongs to;"} {
		if strings.Contains(got, not) {
			t.Errorf("there is %q\n%s", not, got)
		}
	}
}
