package workflows

import (
	"slices"
	"strings"
	"testing"
)

// finds reports whether check finds something by a rule.
func finds(t *testing.T, source, rule string) bool {
	t.Helper()
	_, fs, err := Check("w.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(fs, func(f Finding) bool { return f.Rule == rule })
}

// runs holds that the tests of a definition pass: what they tell can happen.
func runs(t *testing.T, source string) {
	t.Helper()
	d, err := Read("w.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	if run := RunTests("w.yaml", []byte(source), d); run.Failed > 0 {
		t.Fatal(run.Problems)
	}
}

const (
	someTerm  = "term: {budget: 2 days, expires: {escalate: [head], ombudsman: true}}"
	plainFact = `given: {facts: {n: 1, at: "2026-01-01T00:00:00Z"}}`
	upToSign  = "{attach: deed}, {pay: fee}, {act: pass}, {review: fire, opinion: approved}"
)

// A request waits for the day of an event, and a term that is due then is the only way on.
func waiting(fact string) []string {
	return []string{
		"facts: {id: held, type: time, title: {id: H, en: Held}" + fact + "}",
		"terms: {id: event, title: {id: J, en: J}, due: held, starts: [pass], expires: {to: refused, ground: lapse}, basis: {id: B, en: B}}",
		"states: {id: holding, kind: wait, public: in_process, owner: citizen, title: {id: L, en: L}, " + someTerm + "}",
		action("hold"), "transitions: {action: hold, from: [signing], to: holding, roles: [head]}",
	}
}

// A term that is due at a date may move a request, and is no way out: a request without
// the date, or whose date has passed, never has it.
func TestADateIsNoWayOut(t *testing.T) {
	source := changed(t, append(waiting(""),
		"tests: {name: x, when: ["+upToSign+", {act: hold}, {pass: 3000 days}], "+plainFact+", then: {state: holding, terms: {event: none}}}")...)
	runs(t, source)
	if !finds(t, source, FindingStuck) {
		t.Error("a request without a date stays where it is for ever, and check does not find it")
	}
	if !finds(t, changed(t, waiting(", required: true")...), FindingStuck) {
		t.Error("the date may have passed, and check does not find it")
	}
	if finds(t, changed(t, append(waiting(""), action("end"), "transitions: {action: end, from: [holding], to: refused, roles: [head], reasons: [law]}")...), FindingStuck) {
		t.Error("stuck, though somebody may end it")
	}
	if finds(t, strings.Replace(changed(t, waiting("")...), "due: held", "budget: 30 days", 1), FindingStuck) {
		t.Error("stuck, though a budget of time runs out")
	}
}

// It may move the request all the same: what it leads to is looked at.
func TestADateMayMoveARequest(t *testing.T) {
	if !finds(t, changed(t, append(waiting(""), "invariants: {never: 'history.did(\"hold\") && outcome == \"rejected\"', because: {id: X, en: X}}")...), FindingInvariant) {
		t.Error("the term that is due at the date moves a request, and check does not look where")
	}
}

// No state rests on a term that is due at a date: a request may have none.
func TestADateIsNoTermOfAState(t *testing.T) {
	for _, fact := range []string{"", ", required: true", `, default: "2026-01-01T00:00:00Z"`} {
		source := changed(t, "facts: {id: held, type: time, title: {id: H, en: Held}"+fact+"}",
			"terms: {id: event, title: {id: J, en: J}, due: held, starts: [submit], expires: {escalate: [head], ombudsman: true}, basis: {id: B, en: B}}",
			"title: {id: Tanda tangan, en: Signing}, "+someTerm+"} => title: {id: Tanda tangan, en: Signing}}")
		if !finds(t, source, FindingTerm) {
			t.Errorf("held%s: the signing rests on a date that may have passed", fact)
		}
	}
}
