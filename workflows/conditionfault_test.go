package workflows_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/workflows"
)

// What is wrong with a condition is told in our words, where it stands, with what may
// have been meant.
func TestFaultsInConditionsAreToldInOurWords(t *testing.T) {
	source, err := os.ReadFile("../cmd/alur/testdata/definitions/stall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const before, line = "to: granted, roles: [officer], when: '", 50
	for condition, want := range map[string][]string{
		`facts.aera > 3.0`:                       {`0: fact "aera" is not declared; did you mean "area"?`},
		`3.0 > facts.elsewhere`:                  {`6: fact "elsewhere" is not declared; the facts are area, people`},
		`facts.aera > 3.0 && facts.peple == 1.0`: {`0: fact "aera" is not declared; did you mean "area"?`, `20: fact "peple" is not declared; did you mean "people"?`},
		`facts > 3`:                              {`0: say which fact, such as facts.area`},
		`facts["area"] > 1.0`:                    {`0: say which fact, such as facts.area`},
		`1.0 < area`:                             {`6: write facts.area`},
		`form.name == "x"`:                       {`0: a condition asks for facts, not for the form: declare a fact with from: form.name`},
		`state == "x"`:                           {`0: state is known in an invariant alone`},
		`has(facts.area)`:                        {`0: has is not part of the language: there are no loops, and a fact that may be missing needs a default`},
		`1 > now()`:                              {`4: a condition has no clock`},
		`review("hygiene") == "approved"`:        {`6: write history.review(...)`},
		`history.tims("forward") > 1`:            {`0: history.tims is not known; did you mean "times"?`},
		`history.times(1) > 1`:                   {`13: history.times wants the name of one action in quotes`},
		`history.times("forwad") > 1`:            {`14: action "forwad" is not defined; did you mean "forward"?`},
		`history.did("forwad")`:                  {`12: action "forwad" is not defined; did you mean "forward"?`},
		`history.review("hygien") == "approved"`: {`15: review "hygien" is not defined; did you mean "hygiene"?`},
		`history.paid("retributoin")`:            {`13: fee "retributoin" is not defined; did you mean "retribution"?`},
		`!history.attached("skech")`:             {`18: document "skech" is not defined; did you mean "sketch"?`},
		`history.answer("regster") == "free"`:    {`15: system "regster" is not defined; did you mean "register"?`},
		`history.paid("a") || history.did("b")`:  {`13: fee "a" is not defined`, `33: action "b" is not defined`},
		`facts.area == "x"`:                      {`11: == cannot be used on a number and text`},
		`facts.area * 3 > 2.0`:                   {`11: * cannot be used on a number and a whole number: write numbers beside a fact with a decimal point, such as 1000.0`},
		`facts.area && true`:                     {`5: want yes or no here, found a number`},
		`facts.area = 3.0`:                       {`11: compare with ==, not with =`},
		`true and facts.area > 3.0`:              {`5: write && for "and"`},
		`facts.area > 3.0 ||`:                    {`19: the condition ends too early`},
		`facts.area > "abc`:                      {`13: the text that begins here does not end`},
		`facts.area`:                             {`-1: want yes or no here, and it comes to a number`},
	} {
		text := strings.Replace(string(source), "to: granted, roles: [officer]", before+condition+"'", 1)
		_, err := workflows.Read("w.yaml", []byte(text))
		var problems workflows.Problems
		if !errors.As(err, &problems) {
			t.Errorf("%s: %v", condition, err)
			continue
		}
		begin := 1 + strings.Index(strings.Split(text, "\n")[line-1], condition)
		var got []string
		for _, p := range problems {
			got = append(got, fmt.Sprintf("%d: %s", p.Column-begin, strings.TrimPrefix(p.Message, "when: ")))
			if p.Line != line || !strings.HasSuffix(p.Excerpt, "^") {
				t.Errorf("%s: in line %d, shown as\n%s", condition, p.Line, p.Excerpt)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", condition, d)
		}
	}
}

// In a block of text the fault is found in its own line; where YAML has folded or
// escaped the text, where it begins.
func TestFaultsInConditionsOverSeveralLines(t *testing.T) {
	source, err := os.ReadFile("../cmd/alur/testdata/definitions/stall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const from = "  - {action: grant, from: [deciding], to: granted, roles: [officer]}"
	for when, want := range map[string]string{
		"|\n      facts.area > 1.0 &&\n      facts.aera > 2.0": "w.yaml:56:7",
		">\n      facts.area > 1.0 &&\n      facts.aera > 2.0": "w.yaml:54:11",
		`"facts.aera > 1.0 || \"x\" == \"y\""`:                 "w.yaml:54:11",
		`facts.aera > 1.0 # Catatan é`:                         "w.yaml:54:11",
	} {
		block := "  - action: grant\n    from: [deciding]\n    to: granted\n    roles: [officer]\n    when: " + when
		_, err := workflows.Read("w.yaml", []byte(strings.Replace(string(source), from, block, 1)))
		if err == nil || !strings.HasPrefix(err.Error(), want+": when: fact \"aera\" is not declared; did you mean \"area\"?") {
			t.Errorf("%s: %v, want it at %s", when, err, want)
		}
	}
}

// A comparison with an opinion or an outcome that there is not is found by the check;
// definitions that were published with one load as before.
func TestComparisonsThatNeverHoldAreFound(t *testing.T) {
	source, err := os.ReadFile("../cmd/alur/testdata/definitions/stall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for condition, want := range map[string]string{
		`history.review("hygiene") == "aproved"`:    `transition "grant" to "granted", when (line 50): "aproved" is not an opinion; did you mean "approved"?`,
		`"fre" == history.answer("register")`:       `transition "grant" to "granted", when (line 50): "fre" is not an outcome of system register; did you mean "free"?`,
		`history.review("hygiene") in ["", "open"]`: "",
		`history.answer("register") != "taken"`:     "",
		`7 / int(facts.area) > 2`:                   `condition "7 / int(facts.area) > 2" cannot be judged for every request: it divides by zero: say first that it is not zero, as in facts.plot > 0.0 && ...`,
	} {
		text := strings.Replace(string(source), "to: granted, roles: [officer]", "to: granted, roles: [officer], when: '"+condition+"'", 1)
		_, findings, err := workflows.Check("w.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range findings {
			if f.Rule == workflows.FindingCondition {
				got += f.Message
				if f.Line != 50 {
					t.Errorf("%s is found in line %d", condition, f.Line)
				}
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", condition, got, want)
		}
	}
}
