package workflows

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
)

// doubtful is a permit with numbers that a form bounds and others.
const doubtful = `alur: 1
id: w
title: {id: W, en: W}
agency: {id: A, en: A}
office: o
form:
  type: object
  required: [plot, share]
  properties:
    plot: {type: number, exclusiveMinimum: 0, personal: false}
    share: {type: number, minimum: 0, maximum: 100, personal: false}
    floors: {type: integer, minimum: 1, personal: false}
facts:
  - {id: a, type: number, title: {id: A, en: A}, required: true}
  - {id: b, type: number, title: {id: B, en: B}, default: 0}
  - {id: plot, type: number, title: {id: P, en: P}, from: form.plot, required: true}
  - {id: share, type: number, title: {id: S, en: S}, from: form.share, required: true}
  - {id: floors, type: number, title: {id: F, en: F}, from: form.floors, default: 1}
  - {id: ward, type: number, title: {id: W, en: W}, from: form.floors, default: 0}
  - {id: text, type: string, title: {id: T, en: T}, required: true}
  - {id: flag, type: boolean, title: {id: G, en: G}, default: false}
roles:
  - {id: citizen, title: {id: C, en: Citizen}, capacities: [self]}
  - {id: clerk, title: {id: K, en: Clerk}, capacities: [officer]}
submit: [citizen]
states:
  - {id: s, kind: start, public: received, owner: clerk, title: {id: S, en: S}}
  - {id: ok, kind: end, outcome: approved, public: approved, title: {id: O, en: O}}
actions:
  - {id: go, title: {id: G, en: Go}}
transitions:
  - {action: go, from: [s], to: ok, roles: [clerk], when: 'CONDITION', because: {id: a, en: a}}
`

func doubtfulWith(t interface{ Fatal(...any) }, condition string) (*Definition, *Condition) {
	d, err := Read("w.yaml", []byte(strings.Replace(doubtful, "CONDITION", condition, 1)))
	if err != nil {
		t.Fatal(condition, err)
	}
	return d, d.Transitions[0].When
}

func TestWhatIsSureToBeJudged(t *testing.T) {
	for condition, want := range map[string]bool{
		`facts.a > 5.0`:                                                      true,
		`facts.a * 2.0 > facts.b - 7.5`:                                      true,
		`facts.a * facts.b * facts.plot > 1.0`:                               true,
		`facts.a * facts.b * facts.plot * facts.a > 1.0`:                     false,
		`facts.a * 1e250 > 1.0`:                                              false,
		`facts.a / facts.b > 1.0`:                                            false,
		`facts.a / facts.plot > 1.0`:                                         true,
		`facts.a / facts.floors > 1.0`:                                       true,
		`facts.a / facts.ward > 1.0`:                                         false,
		`facts.a / (facts.share + 1.0) > 1.0`:                                true,
		`facts.a / (facts.share - 1.0) > 1.0`:                                false,
		`facts.b > 0.0 && facts.a / facts.b <= 0.6`:                          true,
		`!(facts.b > 0.0 && facts.a / facts.b <= 0.6)`:                       true,
		`facts.a / facts.b <= 0.6 && facts.flag && facts.b != 0.0`:           true,
		`facts.b >= 0.0 && facts.a / facts.b <= 0.6`:                         false,
		`facts.b > 0.0 || facts.a / facts.b <= 0.6`:                          false,
		`facts.b == 0.0 || facts.a / facts.b <= 0.6`:                         true,
		`!(facts.b != 0.0) || facts.a / facts.b <= 0.6`:                      true,
		`facts.b > 0.0 ? facts.a / facts.b <= 0.6 : facts.flag`:              true,
		`facts.b > 0.0 ? facts.flag : facts.a / facts.b <= 0.6`:              false,
		`facts.a - facts.b > 0.0 && 1.0 / (facts.a - facts.b) > 2.0`:         true,
		`1.0 / facts.a > 0.0 && 1.0 / facts.a < 5.0`:                         false,
		`1.0 / (facts.b > 0.0 ? facts.b : 1.0) > 5.0`:                        true,
		`1.0 / double(history.times("go")) > 5.0`:                            false,
		`history.times("go") > 0 && 1.0 / double(history.times("go")) > 5.0`: true,
		`history.times("go") > 0 && 5 % history.times("go") == 1`:            true,
		`history.times("go") * 9223372036854775807 > 1`:                      false,
		`int(facts.a) > 5`:                                                   false,
		`int(facts.share) > 5`:                                               true,
		`double(facts.text) > 5.0`:                                           false,
		`facts.text.matches("[a-z]+") && facts.text.contains("x")`:           false,
		`facts.text + "x" == "yx" || size(facts.text) > 5`:                   true,
		`double("1.5") > facts.a`:                                            true,
		`double("NaN") > facts.a`:                                            false,
		`facts.a in [1.0, facts.b]`:                                          true,
		`facts.a in [1.0 / facts.b]`:                                         false,
		`-facts.a > 1.0 - facts.b`:                                           true,
		`dyn(facts.a) > 1.0`:                                                 false,
		strings.Repeat("(facts.flag && ", 20) + "facts.a / facts.b > 1.0" + strings.Repeat(")", 20): false,
	} {
		if d, c := doubtfulWith(t, condition); c.sure(d) != want {
			t.Errorf("%s: sure is not %v", condition, want)
		}
	}
}

// What is sure to be judged never fails, of whatever numbers.
func TestWhatIsSureDoesNotFail(t *testing.T) {
	numbers := []float64{0, 1, -1, 0.6, 5, -5, 0.1, 0.30000000000000004, 0.3, minNumber, -minNumber, math.Nextafter(minNumber, 1), maxNumber, -maxNumber, math.Nextafter(maxNumber, 0), 1 << 53}
	rapid.Check(t, func(t *rapid.T) {
		pick := func(what string, from ...string) string { return rapid.SampledFrom(from).Draw(t, what) }
		var number, truth func(depth int) string
		number = func(depth int) string {
			leaf := pick("number", "facts.a", "facts.b", "facts.plot", "facts.share", "facts.floors", "facts.ward", "0.0", "0.1", "1.0", "-3.0", "1e99", "1e-99", `double(history.times("go"))`)
			if depth == 0 {
				return leaf
			}
			switch pick("how", "leaf", "op", "op", "or", "whole", "minus") {
			case "op":
				return fmt.Sprintf("(%s %s %s)", number(depth-1), pick("op", "+", "-", "*", "/"), number(depth-1))
			case "or":
				return fmt.Sprintf("(%s ? %s : %s)", truth(depth-1), number(depth-1), number(depth-1))
			case "whole":
				return fmt.Sprintf("double(int(%s) %s %s)", number(depth-1), pick("whole op", "+", "-", "*", "/", "%"), pick("whole", "0", "2", "-1", `history.times("go")`, "9223372036854775807"))
			case "minus":
				return "-(" + number(depth-1) + ")"
			}
			return leaf
		}
		truth = func(depth int) string {
			if depth > 0 {
				switch pick("joined", "no", "and", "or", "not") {
				case "and":
					return "(" + truth(depth-1) + " && " + truth(depth-1) + ")"
				case "or":
					return "(" + truth(depth-1) + " || " + truth(depth-1) + ")"
				case "not":
					return "!(" + truth(depth-1) + ")"
				}
			}
			with := number(max(0, depth-1))
			other := number(max(0, depth-1))
			if rapid.Bool().Draw(t, "with a constant") {
				other = pick("constant", "0.0", "1.0", "-1.0", "0.6")
			}
			return fmt.Sprintf("%s %s %s", with, pick("order", "<", "<=", "==", "!=", ">=", ">"), other)
		}
		condition := truth(3)
		if len(condition) > maxCondition {
			t.Skip("long")
		}
		d, err := Read("w.yaml", []byte(strings.Replace(doubtful, "CONDITION", condition, 1)))
		if err != nil {
			t.Skip(err)
		}
		c := d.Transitions[0].When
		if !c.sure(d) {
			t.Skip("not sure")
		}
		for range 20 {
			facts := domain.Facts{"text": "", "flag": rapid.Bool().Draw(t, "flag")}
			for _, id := range []string{"a", "b", "plot", "share", "floors", "ward"} {
				f := d.fact(id)
				within, n := d.boundsOf(f), rapid.SampledFrom(numbers).Draw(t, id)
				if !within.lets(n) || f.bounded(n) != nil {
					n = 1
				}
				facts[id] = n
			}
			facts["ward"] = rapid.SampledFrom([]float64{0, 1, 7}).Draw(t, "ward")
			if _, err := c.value(vars{facts: facts, past: &always{rapid.IntRange(0, 3).Draw(t, "times")}}); err != nil {
				t.Fatalf("%s fails with %v: %v", condition, facts, err)
			}
		}
	})
}

// always is a past in which everything was done so many times.
type always struct{ n int }

func (s *always) times(domain.ActionID) int             { return s.n }
func (s *always) review(domain.ReviewID) domain.Opinion { return "" }
func (s *always) paid(domain.FeeID) bool                { return false }
func (s *always) attached(domain.DocumentID) bool       { return false }
func (s *always) answer(domain.SystemID) string         { return "" }
