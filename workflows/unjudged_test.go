package workflows_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// Whatever way a condition fails, why is told in plain words.
func TestWhyAConditionFailsIsToldInPlainWords(t *testing.T) {
	source, err := os.ReadFile("../cmd/alur/testdata/definitions/stall.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for formula, want := range map[string]string{
		`1 / (int(facts.area) - 2)`:                        "it divides by zero",
		`1 % (int(facts.area) - 2)`:                        "it divides by zero",
		`1.0 / (facts.area - 2.0)`:                         "it divides by zero",
		`0.0 / (facts.area - 2.0) > 1.0 ? 1 : 2`:           "it divides by zero",
		`facts.area / 0.0 > 1.0 ? 1 : 2`:                   "it divides by zero",
		`dyn(1.0) / (facts.area - 2.0) > 1.0 ? 1 : 2`:      "it divides by zero",
		`facts.area * 1e308`:                               "a number grows too large",
		`facts.area in [facts.area, 1e308 * 10.0] ? 1 : 2`: "a number grows too large",
		`facts.area - 1e308 - 1e308`:                       "a number grows too large",
		`1.0 / (facts.area * 1e-309)`:                      "a number grows too large",
		`double("NaN")`:                                    "a text is no number, and it takes it for one",
		`facts.area > double("-inf") ? 1 : 2`:              "a text is no number, and it takes it for one",
		`facts.area in [double("Infinity")] ? 1 : 2`:       "a text is no number, and it takes it for one",
		`double(facts.area > 1.0 ? "nan" : "1")`:           "a text is no number, and it takes it for one",
		`9223372036854775807 + int(facts.area)`:            "a number grows too large",
		`int(facts.area * 1e300)`:                          "a number grows too large",
		`[1, 2][int(facts.area)]`:                          "it looks up a place that a list does not have",
		`{1: 1}[int(facts.area)]`:                          "it looks up a name that is not there",
		`int("x" + string(facts.area))`:                    "a text is no number, and it takes it for one",
		`double("x" + string(facts.area))`:                 "a text is no number, and it takes it for one",
		`int(timestamp("x" + string(facts.area)))`:         "a text is no time, and it takes it for one",
		`duration("x" + string(facts.area)).getSeconds()`:  "a text is no span of time, and it takes it for one",
		`bool("x" + string(facts.area)) ? 1 : 2`:           "a text is neither true nor false, and it takes it for one",
		`"x".matches("[" + string(facts.area)) ? 1 : 2`:    "a pattern cannot be read",
	} {
		text := strings.Replace(string(source), "'facts.area > 0.0 && facts.area < 1000.0 ? facts.area * 1000.0 : 0.0'", "'"+formula+"'", 1)
		d, err := workflows.Read("stall.yaml", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", formula, err)
			continue
		}
		r := domain.Request{State: "submitted", Version: 1, Facts: domain.Facts{"area": 2.0, "people": 1.0}}
		_, err = workflows.Compile(d, 1).Next(r)
		var refusal *domain.Refusal
		if !errors.As(err, &refusal) || refusal.Rule != domain.RuleCondition || !strings.HasSuffix(refusal.Detail, "cannot be judged: "+want) {
			t.Errorf("%s: %v, want %s", formula, err, want)
		}
	}
}
