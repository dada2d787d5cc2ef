package workflows

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// What is found of a licence whose clock runs as it should, when it is changed: of the
// rules of the clock, this one and no other, with these words; or none.
func TestFindingsOfAClock(t *testing.T) {
	source, err := os.ReadFile("testdata/clock/sip.yaml")
	if err != nil {
		t.Fatal(err)
	}
	registry := []string{
		"states:\n => states:\n  - {id: registry, kind: wait, public: in_process, owner: clerk, title: {id: Register, en: Registry}, term: {budget: 2 working days, expires: {escalate: [head]}}}\n",
		"actions:\n => actions:\n  - {id: ask, title: {id: Tanya, en: Ask}}\n  - {id: told, title: {id: Terjawab, en: Told}}\n",
		"transitions:\n => transitions:\n  - {action: ask, from: [review], to: registry, roles: [clerk]}\n  - {action: told, from: [registry], to: review, roles: [clerk]}\n",
		"suspended_in: [returned] => suspended_in: [returned, registry]",
	}
	pay := []string{
		"states:\n => states:\n  - {id: paying, kind: wait, public: waiting_payment, owner: applicant, title: {id: Bayar, en: Paying}, term: {budget: 2 days, expires: {to: lapsed, ground: lapse}}}\n",
		"suspended_in: [returned] => suspended_in: [returned, paying]",
		"actions:\n => actions:\n  - {id: bill, title: {id: Tagih, en: Bill}}\n  - {id: paid, title: {id: Lunas, en: Paid}}\n",
	}
	for name, c := range map[string]struct {
		changes []string
		rule    string
		says    string
	}{
		"as it is": {},

		"a second return that nobody counts": {
			changes: []string{"kind: return, from: [submitted, review], to: returned, roles: [clerk], reasons: [unreadable, str-invalid], consent: [head] => from: [submitted, review], to: returned, roles: [clerk], reasons: [unreadable]"},
			rule:    FindingReturn, says: `"submitted"`, // where a request that was reopened may come with the term running
		},
		"one that is called otherwise": {
			changes: append(pay, "transitions:\n => transitions:\n  - {action: bill, from: [review], to: paying, roles: [clerk], reasons: [unreadable]}\n  - {action: paid, from: [paying], to: review, roles: [applicant]}\n"),
			rule:    FindingReturn, says: `"bill"`,
		},
		"a step forward that waits for the applicant": {
			changes: append(pay, "transitions:\n => transitions:\n  - {action: bill, from: [review], to: paying, roles: [clerk]}\n  - {action: paid, from: [paying], to: review, roles: [applicant]}\n"),
		},
		"one before any term of law runs": {
			changes: []string{
				"kind: return, from: [submitted, review], to: returned, roles: [clerk], reasons: [unreadable, str-invalid], consent: [head] => from: [submitted], to: returned, roles: [clerk], reasons: [unreadable]",
				"  - {action: resubmit, from: [returned], to: review, roles: [applicant], when: 'history.times(\"accept\") > 0'}\n => ",
			},
		},
		"one return, of which the applicant is the author": {
			changes: []string{
				"actions:\n => actions:\n  - {id: pause, title: {id: Jeda, en: Pause}}\n",
				"transitions:\n => transitions:\n  - {action: pause, from: [review], to: returned, roles: [applicant]}\n",
			},
		},

		"a stop for another office": {changes: registry, rule: FindingSuspension, says: `"registry"`},
		"a stop that a rule lets": {
			changes: append(registry, "suspensions:\n => suspensions:\n  - {ground: other_agency, in: [registry], basis: {id: andaian, en: assumed}}\n"),
		},
		"a stop that is said to be the applicant's": {
			changes: append(registry, "suspensions:\n => suspensions:\n  - {ground: applicant, in: [registry], basis: {id: andaian, en: assumed}}\n"),
			rule:    FindingSuspension, says: "in \"registry\" they do not",
		},
		"a stop that whoever has the work orders": {changes: []string{"ground: force_majeure\n    roles: [head] => ground: force_majeure\n    roles: [head, clerk]"}, rule: FindingSuspension, says: "clerk has the work"},

		"more time from whoever has the work": {changes: []string{"by: 3 working days\n      roles: [head] => by: 3 working days\n      roles: [clerk]"}, rule: FindingExtension, says: "clerk has the work"},
		"more time from whoever gives an opinion on it": {
			changes: []string{
				"states:\n => reviews:\n  - {id: health, title: {id: Kesehatan, en: Health}, role: head, reasons: [str-invalid], term: {budget: 1 day, expires: {escalate: [clerk]}}}\nstates:\n",
				"id: review\n    kind: work => id: review\n    kind: gather\n    reviews: [health]",
				"roles:\n => roles:\n  - {id: mayor, title: {id: Wali kota, en: Mayor}, capacities: [officer]}\n",
				"ground: force_majeure\n    roles: [head] => ground: force_majeure\n    roles: [mayor]",
			},
			rule: FindingExtension, says: "head has the work",
		},

		"a grant that nobody can look at again": {changes: []string{"from: [refused, issued-by-law] => from: [refused]"}, rule: FindingDeemed, says: `"issued-by-law"`},
		"a way on from it that is not called a reopening": {
			changes: []string{"action: object, kind: reopen, => action: object,"},
			rule:    FindingDeemed, says: `"issued-by-law"`,
		},
		"a decision without a basis": {
			changes: []string{"term: {budget: 3 working days, expires: {escalate: [head]}} => term: {budget: 3 working days, expires: {to: refused, ground: deemed_refusal}}"},
			rule:    FindingDeemed, says: `"review"`,
		},
		"one with a basis": {
			changes: []string{"term: {budget: 3 working days, expires: {escalate: [head]}} => term: {budget: 3 working days, expires: {to: refused, ground: deemed_refusal, basis: {id: andaian, en: assumed}}}"},
		},
		"a clock that starts before the file is complete": {
			changes: []string{"action: accept, kind: complete, => action: accept,", "remind_after: 4 working days\n => remind_after: 4 working days\n    starts: [accept]\n"},
			rule:    FindingDeemed, says: `"accept"`,
		},
		"one that starts with a later step": {
			changes: append(pay, "remind_after: 4 working days\n => remind_after: 4 working days\n    starts: [paid]\n", "  - {action: resubmit, from: [returned], to: review, roles: [applicant], when: 'history.times(\"accept\") > 0'}\n => ", "transitions:\n => transitions:\n  - {action: bill, from: [review], to: paying, roles: [clerk]}\n  - {action: paid, from: [paying], to: review, roles: [applicant]}\n"),
		},

		// A lapse is of the applicant's own time.
		"the office's silence that closes a request": {
			changes: []string{"terms:\n => terms:\n  - {id: longest, title: {id: Paling lama, en: At most}, budget: 9 working days, suspended_in: [returned], expires: {to: lapsed, ground: lapse}, basis: {id: andaian, en: assumed}}\n"},
			rule:    FindingExpiry, says: `term "longest" closes a request in "submitted"`, // where a request that was reopened may come with the term running
		},
		"one at a date of the application": {
			changes: []string{
				"roles:\n => facts:\n  - {id: held, type: time, title: {id: Hari acara, en: Day of the event}}\nroles:\n",
				"terms:\n => terms:\n  - {id: event, title: {id: Acara, en: Event}, due: held, starts: [accept], expires: {to: lapsed, ground: lapse}, basis: {id: andaian, en: assumed}}\n",
			},
			rule: FindingExpiry, says: `term "event" closes a request in "submitted"`,
		},
		"the own time of an office that closes a request": {
			changes: []string{"term: {budget: 3 working days, expires: {escalate: [head]}} => term: {budget: 3 working days, expires: {to: lapsed, ground: lapse}}"},
			rule:    FindingExpiry, says: `the term of state "review" closes a request`,
		},
		"that of whoever gives an opinion": {
			changes: []string{
				"states:\n => reviews:\n  - {id: health, title: {id: Kesehatan, en: Health}, role: mayor, reasons: [str-invalid], term: {budget: 1 day, expires: {to: lapsed, ground: lapse}}}\nstates:\n",
				"id: review\n    kind: work => id: review\n    kind: gather\n    reviews: [health]",
				"roles:\n => roles:\n  - {id: mayor, title: {id: Wali kota, en: Mayor}, capacities: [officer]}\n",
			},
			rule: FindingExpiry, says: `the term of review "health" closes a request in "review"`,
		},
		"that of an office that another waits for": {
			changes: append(slices.Clone(registry[:3]), "term: {budget: 2 working days, expires: {escalate: [head]}} => term: {budget: 2 working days, expires: {to: lapsed, ground: lapse}}"),
			rule:    FindingExpiry, says: `the term of state "registry" closes a request`,
		},
		"an applicant who never hands in what they began": {
			changes: []string{
				"states:\n => states:\n  - {id: draft, kind: start, public: needs_correction, owner: applicant, title: {id: Draf, en: Draft}, term: {budget: 9 days, expires: {to: lapsed, ground: lapse}}}\n",
				"    kind: start => \n    kind: work",
				"actions:\n => actions:\n  - {id: hand, title: {id: Ajukan, en: Hand in}}\n",
				"transitions:\n => transitions:\n  - {action: hand, from: [draft], to: submitted, roles: [applicant]}\n",
			},
		},
		"a term of law that runs in the applicant's own time alone": {
			changes: append(slices.Clone(pay), "transitions:\n => transitions:\n  - {action: bill, from: [submitted], to: paying, roles: [clerk]}\n  - {action: paid, from: [paying], to: refused, roles: [applicant]}\n",
				"terms:\n => terms:\n  - {id: fee, title: {id: Bayar, en: Pay}, budget: 9 days, starts: [bill], expires: {to: lapsed, ground: lapse}, basis: {id: andaian, en: assumed}}\n",
				"  - {action: object, kind: reopen, from: [refused, issued-by-law] =>   - {action: object, kind: reopen, from: [issued-by-law]"),
		},

		"a promise that is longer":            {changes: []string{"promise: 3 working days => promise: 6 working days"}, rule: FindingPromise, says: "6 working days"},
		"a promise that is counted otherwise": {changes: []string{"promise: 3 working days => promise: 3 days"}, rule: FindingPromise, says: "3 days"},
		"a promise that is all of it":         {changes: []string{"promise: 3 working days => promise: 5 working days"}},
		"an escalation to who waits":          {changes: []string{"expires: {escalate: [head], ombudsman: true} => expires: {escalate: [applicant], ombudsman: true}"}, rule: FindingExpiry, says: "applicant"},
		"a reminder of the applicant's own time": {
			changes: []string{"term: {budget: 10 working days, => term: {budget: 10 working days, remind_after: 8 working days,"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			changed := string(source)
			for _, x := range c.changes {
				old, now, ok := strings.Cut(x, " => ")
				if !ok || !strings.Contains(changed, old) {
					t.Fatalf("%q stands nowhere", old)
				}
				changed = strings.Replace(changed, old, now, 1)
			}
			clock := []string{FindingReturn, FindingSuspension, FindingExtension, FindingDeemed, FindingPromise, FindingExpiry}
			got := slices.DeleteFunc(findingsOf(t, changed), func(f Finding) bool { return !slices.Contains(clock, f.Rule) })
			switch {
			case c.rule == "" && len(got) > 0:
				t.Errorf("found %v", got)
			case c.rule != "" && (len(got) != 1 || got[0].Rule != c.rule || !strings.Contains(got[0].Message, c.says)):
				t.Errorf("want one finding %s of %s, got %v", c.rule, c.says, got)
			}
		})
	}
}
