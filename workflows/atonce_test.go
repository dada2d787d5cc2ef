package workflows

import (
	"strings"
	"testing"
)

// What staff do in two steps, of which the second follows by itself.
func dropped(to string) []string {
	return []string{
		action("drop"), action("dropped"),
		"states: {id: dropping, kind: work, public: in_process, owner: head, title: {id: L, en: L}, " + someTerm + "}",
		"transitions: {action: drop, from: [signing], to: dropping, roles: [head]}",
		"transitions: {action: dropped, from: [dropping], to: " + to + ", automatic: true}",
	}
}

// A refusal, a closing or a withdrawal by the office in two steps is one without reason
// codes, if the first has none.
func TestWhatFollowsAtOnceIsOfTheStepBefore(t *testing.T) {
	source := changed(t, append(dropped("refused"), "tests: {name: x, when: ["+upToSign+", {act: drop}], "+plainFact+", then: {state: refused}}")...)
	runs(t, source)
	if !finds(t, source, FindingReason) {
		t.Error("a request is refused with no reason code, and check does not find it")
	}
	for name, end := range map[string]string{
		"closed":    "states: {id: closed, kind: end, outcome: closed, public: completed, title: {id: K, en: K}}",
		"withdrawn": "states: {id: withdrawn, kind: end, outcome: withdrawn, public: withdrawn, title: {id: K, en: K}}",
	} {
		if !finds(t, changed(t, append(dropped(name), end)...), FindingReason) {
			t.Errorf("a request is %s with no reason code, and check does not find it", name)
		}
	}
	withReasons := strings.Replace(source, "to: dropping, roles: [head]}", "to: dropping, roles: [head], reasons: [law]}", 1)
	withReasons = strings.Replace(withReasons, "{act: drop}", "{act: drop, reason: law}", 1)
	runs(t, withReasons)
	if finds(t, withReasons, FindingReason) {
		t.Error("a reason code is not enough")
	}
}

// What follows where no condition before it holds is no choice of whoever acted: the rule
// says why.
func TestWhatFollowsOtherwiseSaysWhy(t *testing.T) {
	source := changed(t, append(dropped("refused"), action("kept"))...)
	source = strings.Replace(source, "  - {action: dropped,", "  - {action: kept, from: [dropping], to: signing, automatic: true, when: 'facts.n > 5.0'}\n  - {action: dropped,", 1)
	if !finds(t, source, FindingReason) {
		t.Error("a request is refused by a rule that says nothing")
	}
	if finds(t, strings.Replace(source, "to: refused, automatic: true}", "to: refused, automatic: true, because: {id: K, en: K}}", 1), FindingReason) {
		t.Error("that the rule says why is not enough")
	}
}

const (
	paused   = "terms: {id: legal, title: {id: J, en: J}, budget: 5 working days, starts: [pass], suspended_in: [back], expires: {escalate: [clerk], ombudsman: true}, basis: {id: B, en: B}}"
	sentBack = "states: {id: back, kind: wait, public: needs_correction, owner: citizen, title: {id: K, en: K}, term: {budget: 30 days, expires: {to: refused, ground: lapse}}}"
)

// Staff who send back as often as they like by way of a state that leads on by itself.
func TestSentBackByAnAutomaticStep(t *testing.T) {
	source := changed(t, paused, sentBack, action("again"), action("ask"), action("asked"),
		"states: {id: asking, kind: work, public: in_process, owner: clerk, title: {id: L, en: L}, "+someTerm+"}",
		"transitions: {action: ask, from: [signing], to: asking, roles: [head], reasons: [law]}",
		"transitions: {action: asked, from: [asking], to: back, automatic: true}",
		"transitions: {action: again, from: [back], to: signing, roles: [citizen]}",
		"tests: {name: x, when: ["+upToSign+", {act: ask, reason: law}, {pass: 20 days}, {act: again}, {act: ask, reason: law}, {pass: 20 days}, {act: again}], "+plainFact+", then: {state: signing, terms: {legal: running}}}")
	runs(t, source)
	if !finds(t, source, FindingReturn) {
		t.Error("staff send back without end, and check does not find it")
	}
	for name, asked := range map[string]string{
		"on a condition":   "automatic: true, when: 'facts.n < 100.0', because: {id: K, en: K}}",
		"not told as that": "automatic: true}",
	} {
		s := strings.Replace(source, "to: back, automatic: true}", "to: back, "+asked, 1)
		if name == "not told as that" {
			s = strings.Replace(s, "public: needs_correction, owner: citizen", "public: in_process, owner: citizen", 1)
		}
		if !finds(t, s, FindingReturn) {
			t.Errorf("%s: staff send back without end, and check does not find it", name)
		}
	}
}

// The same by whoever gives a review; what comes of a machine's answer is nobody's doing
// here, nor what comes of what the applicant did.
func TestSentBackByAReview(t *testing.T) {
	source := changed(t, paused, sentBack, action("again"),
		"from: [opinions], to: refused, automatic => from: [opinions], to: back, automatic",
		"transitions: {action: again, from: [back], to: opinions, roles: [citizen]}",
		action("no"), "transitions: {action: no, from: [signing], to: refused, roles: [head], reasons: [law]}",
		"tests: {name: x, when: [{attach: deed}, {pay: fee}, {act: pass}, {review: fire, opinion: refused, reason: law}, {pass: 20 days}, {act: again}, {review: fire, opinion: refused, reason: law}], "+plainFact+", then: {state: back}}")
	runs(t, source)
	if !finds(t, source, FindingReturn) {
		t.Error("a reviewer sends back without end, and check does not find it")
	}
	returned := changed(t, paused, sentBack, action("again"),
		"from: [opinions], to: refused, automatic: true => from: [opinions], to: back, roles: [clerk], kind: return, reasons: [law]",
		"transitions: {action: again, from: [back], to: opinions, roles: [citizen]}",
		action("no"), "transitions: {action: no, from: [signing, opinions], to: refused, roles: [head], reasons: [law]}")
	if finds(t, returned, FindingReturn) {
		t.Error("a return is not enough")
	}
}

func TestSentBackByNobodyHere(t *testing.T) {
	asking := func(role string) []string {
		return []string{
			paused, sentBack, action("again"), action("known"), action("unknown"),
			"systems: {id: register, title: {id: R, en: R}, role: " + role + ", outcomes: [yes, no]}",
			"roles: {id: machine, title: {id: M, en: M}, capacities: [system]}",
			"states: {id: asking, kind: wait, public: in_process, owner: head, waits_for: register, title: {id: L, en: L}, " + someTerm + "}",
			"to: signing, automatic: true => to: asking, automatic: true",
			"transitions: {action: known, from: [asking], to: signing, automatic: true, needs: {answer: yes}}",
			"transitions: {action: unknown, from: [asking], to: back, automatic: true, needs: {answer: no}}",
			"transitions: {action: again, from: [back], to: asking, roles: [citizen]}",
		}
	}
	if finds(t, changed(t, asking("machine")...), FindingReturn) {
		t.Error("a machine answers")
	}
	if !finds(t, changed(t, asking("clerk")...), FindingReturn) {
		t.Error("the clerk answers, and sends back without end")
	}
	itself := changed(t, strings.Replace(paused, "[pass]", "[submit]", 1), sentBack, action("again"), action("lacks"),
		"transitions: {action: again, from: [back], to: sent, roles: [citizen]}",
		"transitions: {action: lacks, from: [sent], to: back, automatic: true, when: 'facts.n > 7.0', because: {id: K, en: K}}")
	if finds(t, itself, FindingReturn) {
		t.Error("what was filled in sends it back, and nobody of the staff")
	}
}
