package workflows

import (
	"strings"
	"testing"
)

const fromSubmission = "{id: legal, title: {id: J, en: J}, budget: 5 days, starts: [submit], expires: {escalate: [head], ombudsman: true}, basis: {id: B, en: B}}"

// That the submission starts a term defines no action of that name, wherever the terms
// stand in the file.
func TestTheSubmissionIsNoAction(t *testing.T) {
	source := changed(t, "transitions: {action: submit, from: [signing], to: refused, roles: [head], reasons: [law]}")
	first := strings.Replace(source, "states:\n", "terms:\n  - "+fromSubmission+"\nstates:\n", 1)
	for name, source := range map[string]string{"terms first": first, "terms last": source + "terms:\n  - " + fromSubmission + "\n"} {
		if _, err := Read("w.yaml", []byte(source)); err == nil || !strings.Contains(err.Error(), `action "submit" is not defined`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTermsMayComeLast(t *testing.T) {
	if _, err := Read("w.yaml", []byte(changed(t, "terms: "+fromSubmission))); err != nil {
		t.Error(err)
	}
}
