package workflows

import (
	"strings"
	"testing"
)

// A legal term that tells only whoever is late tells nobody.
func TestALegalTermTellsSomebodyElse(t *testing.T) {
	const legal = "terms: {id: legal, title: {id: J, en: J}, budget: 5 days, starts: [pass], expires: {escalate: [head]}, basis: {id: B, en: B}}"
	alone := changed(t, legal, "title: {id: Tanda tangan, en: Signing}, "+someTerm+"} => title: {id: Tanda tangan, en: Signing}}")
	if !finds(t, alone, FindingExpiry) {
		t.Error("signing is the head's, has no other term, and nobody but the head is told")
	}
	for name, source := range map[string]string{
		"the state's own term tells":    changed(t, legal),
		"the ombudsman is told":         strings.Replace(alone, "expires: {escalate: [head]}, basis", "expires: {escalate: [head], ombudsman: true}, basis", 1),
		"somebody else is told as well": strings.Replace(alone, "expires: {escalate: [head]}, basis", "expires: {escalate: [head, clerk]}, basis", 1),
	} {
		if finds(t, source, FindingExpiry) {
			t.Errorf("%s: found all the same", name)
		}
	}
}

// A legal term that only starts with what ends the request binds nobody for a day.
func TestALegalTermCounts(t *testing.T) {
	legal := func(starts, more string) string {
		return "terms: {id: legal, title: {id: J, en: J}, budget: 5 working days, starts: [" + starts + "], " + more + "expires: {escalate: [head], ombudsman: true}, basis: {id: B, en: B}}"
	}
	still := []string{
		"states: {id: still, kind: wait, public: waiting_payment, owner: citizen, title: {id: L, en: L}, " + someTerm + "}", action("still"), action("go"),
		"transitions: {action: still, from: [signing], to: still, roles: [head]}",
		"transitions: {action: go, from: [still], to: issued, roles: [citizen]}",
	}
	for starts, counts := range map[string]bool{"sign": false, "pass": true, "submit": true, "sign, pass": true} {
		if finds(t, changed(t, legal(starts, "")), FindingTerm) == counts {
			t.Errorf("starts %s: counts %t", starts, counts)
		}
	}
	for more, counts := range map[string]bool{"": true, "suspended_in: [still], ": false} {
		if finds(t, changed(t, append(still, legal("still", more))...), FindingTerm) == counts {
			t.Errorf("%q: counts %t", more, counts)
		}
	}
	if !finds(t, changed(t, append(dropped("refused"), legal("drop", ""))...), FindingTerm) {
		t.Error("what follows at once ends the request")
	}
}

// The owner of a state may be the one by whom the request moves on, though no action is
// theirs.
func TestWhoIsIdle(t *testing.T) {
	looking := "states: {id: looking, kind: work, public: in_process, owner: clerk, title: {id: L, en: L}, " + someTerm + "}"
	way := []string{"payers: [clerk] => payers: [head]", action("gone"), "to: signing, automatic => to: looking, automatic", looking}
	list := func(id, by string) string {
		return "checklists: {id: " + id + ", title: {id: S, en: S}, by: [" + by + "], items: [{id: a, title: {id: A, en: A}}]}"
	}
	test := func(when, state string) string {
		return "tests: {name: x, when: [{attach: deed}, {pay: fee}, {act: pass}, " + when + "], " + plainFact + ", then: {state: " + state + "}}"
	}
	for name, x := range map[string]struct {
		idle    bool
		changes []string
	}{
		"refuses a document": {false, append(way, "by: [citizen]} => by: [citizen], refused_by: [clerk], refused_in: [looking], in: [sent], reasons: [law]}", action("ok"),
			"transitions: {action: gone, from: [looking], to: refused, automatic: true, when: '!history.attached(\"deed\")', because: {id: K, en: K}}",
			"transitions: {action: ok, from: [looking], to: signing, roles: [head]}",
			test("{review: fire, opinion: approved}, {refuse_document: deed, reason: law}", "refused"))},
		"gives a review that is still open": {false, append(way, "reviews: {id: soil, title: {id: T, en: Soil}, role: clerk, reasons: [law], "+someTerm+"}",
			"reviews: [fire], => reviews: [fire, soil], join: {need: any, outvote: true},",
			"transitions: {action: gone, from: [looking], to: signing, automatic: true, when: 'history.review(\"soil\") != \"open\"'}",
			test("{review: fire, opinion: approved}, {review: soil, opinion: approved}", "signing"))},
		"answers the checklist": {false, append(way, list("seen", "clerk"),
			"transitions: {action: gone, from: [looking], to: signing, automatic: true, needs: {checklists: [seen]}}")},
		"answers one that nothing there needs": {true, append(way, list("seen", "clerk"), list("other", "head"),
			"transitions: {action: gone, from: [looking], to: signing, automatic: true, needs: {checklists: [other]}}",
			"{action: sign, from: [signing], to: issued, roles: [head]} => {action: sign, from: [signing], to: issued, roles: [head], needs: {checklists: [seen]}}")},
		"may record payments": {true, append(way[1:],
			"transitions: {action: gone, from: [looking], to: signing, automatic: true, when: 'history.attached(\"deed\")'}")},
		"records the payment": {false, append(way[1:],
			"transitions: {action: gone, from: [looking], to: signing, automatic: true, needs: {fees: [fee]}}")},
	} {
		source := changed(t, x.changes...)
		runs(t, source)
		if finds(t, source, FindingIdle) != x.idle {
			t.Errorf("%s: want idle %t", name, x.idle)
		}
	}
}

// A lawyer reads numbers.
func TestNumbersInStories(t *testing.T) {
	_, fs, err := Check("w.yaml", []byte(changed(t, "default: 1} => required: true}",
		"roles: [head]}\n => roles: [head], when: 'facts.n >= 500000000.0'}\n", "needs: {fees: [fee], required_documents: true} => needs: {required_documents: true}")))
	if err != nil {
		t.Fatal(err)
	}
	told := ""
	for _, f := range fs {
		told += strings.Join(f.Story, " ")
	}
	if strings.Contains(told, "e+08") || !strings.Contains(told, "500000000") {
		t.Error(told)
	}
}
