package workflows

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// charged is a permit with a fee under some condition, and two steps under others.
// Nothing is needed to issue it.
const charged = `alur: 1
id: permit
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
facts:
  - {id: n, type: number, title: {id: N, en: N}, required: true}
  - {id: m, type: number, title: {id: M, en: M}, required: true}
  - {id: flag, type: boolean, title: {id: F, en: F}, default: false}
  - {id: free, type: string, title: {id: T, en: T}, required: true}
roles:
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
submit: [clerk]
payers: [clerk]
documents:
  - {id: d0, title: {id: D, en: D}, formats: [pdf], max_size: 1 KB, by: [clerk]}
  - {id: d1, title: {id: D, en: D}, formats: [pdf], max_size: 1 KB, by: [clerk]}
fees:
  - {id: fee, title: {id: Biaya, en: Fee}, amount: 10, when: '%s', due_in: [a], basis: {id: Perda, en: By-law}}
states:
  - {id: a, kind: start, public: verification, owner: clerk, title: {id: A, en: A}}
  - {id: b, kind: end, outcome: approved, public: approved, title: {id: B, en: B}}
actions:
  - {id: go, title: {id: Maju, en: Go}}
  - {id: note, title: {id: Catat, en: Note}}
  - {id: jump, title: {id: Lompat, en: Jump}}
transitions:
  - {action: go, from: [a], to: b, roles: [clerk]}
  - {action: note, from: [a], to: a, roles: [clerk]}
  - {action: jump, from: [a], to: b, roles: [clerk], when: '%s'}
`

func rulesFound(t *testing.T, source string) []string {
	t.Helper()
	_, findings, err := Check("w.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, f := range findings {
		rules = append(rules, f.Rule)
	}
	return rules
}

// Whatever a condition does with facts and counts, a proof that rests on it holds for
// all of them.
func TestAProofLooksAtAllThatAConditionCanComeTo(t *testing.T) {
	for _, c := range []string{
		`facts.n > 5.0 && facts.n < 5.5`,
		`facts.n > 5u && facts.n < 6u`,
		`facts.n > facts.m && facts.m > 5.0`,
		`facts.n * 2.0 > 15.0 && facts.n * 2.0 < 15.5`,
		`facts.n == 1e300`,
		`facts.free < "b"`,
		`facts.free.contains("b")`,
		`facts.free == "~"`,
		`facts.free != "~"`,
		`facts.free in ["x", "y"] && facts.flag`,
	} {
		if got := rulesFound(t, fmt.Sprintf(charged, c, "true")); !slices.Contains(got, FindingUnpaid) || slices.Contains(got, FindingGaveUp) {
			t.Errorf("a fee is due when %s: found only %v", c, got)
		}
	}
	for _, c := range []string{
		`history.times("note") >= 2.5`,
		`history.times("note") > 20`,
		`history.times("note") > history.times("go")`,
		`double(history.times("note")) > facts.n * 3.0`,
		`history.attached("d0") && !history.attached("d1")`,
	} {
		if got := rulesFound(t, fmt.Sprintf(charged, "true", c)); slices.Contains(got, FindingDead) || slices.Contains(got, FindingGaveUp) {
			t.Errorf("a step is possible when %s: found %v", c, got)
		}
	}
}

// What can be told for sure is told: these never hold.
func TestAProofIsNotVagueWhereItNeedNotBe(t *testing.T) {
	for _, c := range []string{
		`facts.n > 5.0 && facts.n < 5.0`,
		`facts.flag && !facts.flag`,
		`facts.free == "a" && facts.free == "b"`,
		`history.times("go") > 3 && history.times("go") < 3`,
	} {
		if got := rulesFound(t, fmt.Sprintf(charged, "true", c)); !slices.Contains(got, FindingDead) {
			t.Errorf("a step is never possible when %s: found only %v", c, got)
		}
	}
}

// Facts that no condition judges together are not combined before they are told apart.
func TestAProofOverManyFactsIsNotGivenUp(t *testing.T) {
	source := charged
	var all []string
	for i := range 8 {
		fact := fmt.Sprintf("x%d", i)
		source = strings.Replace(source, "roles:\n", fmt.Sprintf("  - {id: %s, type: number, title: {id: X, en: X}, required: true}\nroles:\n", fact), 1)
		all = append(all, fmt.Sprintf("facts.%s > %d.0", fact, i))
	}
	for i, c := range all {
		source += fmt.Sprintf("  - {action: jump%d, from: [a], to: b, roles: [clerk], when: %s}\n", i, c)
		source = strings.Replace(source, "transitions:\n", fmt.Sprintf("  - {id: jump%d, title: {id: L, en: L}}\ntransitions:\n", i), 1)
	}
	if got := rulesFound(t, fmt.Sprintf(source, "true", "true")); slices.Contains(got, FindingGaveUp) {
		t.Errorf("found %v", got)
	}
}
