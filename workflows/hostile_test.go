package workflows_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/alur-id/alur/workflows"
)

// allocated is how many bytes are allocated by a function, freed or not: a measure of
// its memory and of its work that does not depend on how busy the machine is. The
// garbage that other goroutines leave is in it, so limits are wide.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// tiny is a definition with a place for more in each part.
func tiny(more map[string]string) string {
	return `alur: 1
id: permit
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
` + more["top"] + `roles:
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
submit: [clerk]
states:
  - {id: a, kind: start, public: verification, owner: clerk, title: {id: A, en: A}}
  - {id: b, kind: end, outcome: approved, public: approved, title: {id: B, en: B}}
` + more["states"] + `actions:
  - {id: go, title: {id: Maju, en: Go}}
` + more["actions"] + `transitions:
  - {action: go, from: [a], to: b, roles: [clerk]` + more["transition"] + `}
` + more["transitions"]
}

func repeated(n int, line func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(line(i))
	}
	return b.String()
}

func numberFact(s string) string {
	return "facts:\n  - {id: n, type: number, title: {id: N, en: N}, required: true}\n  - {id: s, type: string, title: {id: S, en: S}, required: true}\n" + s
}

func when(condition string) string {
	return tiny(map[string]string{"top": numberFact(""), "transition": fmt.Sprintf(", when: %q", condition)})
}

// hostile is what somebody might send to have the program hang or eat memory, or by
// mistake. Each is refused with what is said, or taken if nothing is.
var hostile = []struct{ name, source, problem string }{
	{"a bomb of aliases", "a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n" + repeated(30, func(i int) string {
		return fmt.Sprintf("c%d: &c%d [*b, *b, *b, *b, *b, *b, *b, *b]\n", i, i)
	}), "has no key"},
	{"an alias in a form", tiny(map[string]string{"top": "form: &f {type: object, properties: {x: *f}}\n"}), "alias or anchor"},
	{"a merged mapping", tiny(map[string]string{"states": "  - {<<: {id: c}, kind: work}\n"}), `has no key "<<"`},
	{"10 MB", strings.Repeat("# comment\n", 1<<20), "at most"},
	{"10 MB of empty lines", strings.Repeat("\n", 10<<20), "at most"},
	{"4 MB of empty lines in a text", "a: |\n" + strings.Repeat("\n", 4<<20-10), "empty lines"},
	{"4 MB of blanks in a text", "a: |\n" + strings.Repeat("  \n", 1<<20), "empty lines"},
	{"4 MB in one line", "a: " + strings.Repeat("x", 4<<20-10), "at most"},
	{"one line of unknown keys", "{" + repeated(900, func(i int) string { return fmt.Sprintf("k%d: %s, ", i, strings.Repeat("x", 90)) }) + "z: 1}", "has no key"},
	{"unknown keys in 1,000 mappings", repeated(1000, func(i int) string {
		return fmt.Sprintf("k%d:\n", i) + repeated(30, func(j int) string { return fmt.Sprintf("  k%d: 1\n", j) })
	}), "problems more"},
	{"30,000 keys", repeated(30_000, func(i int) string { return fmt.Sprintf("k%d: 1\n", i) }), "more keys beside"},
	{"30,000 keys in brackets", "{" + repeated(30_000, func(i int) string { return fmt.Sprintf("k%d: 1,\n ", i) }) + "}", "more keys beside"},
	{"20,000 items", "a:\n" + repeated(20_000, func(i int) string { return fmt.Sprintf("- k: %d\n", i) }), "has no key"},
	{"unknown names", tiny(map[string]string{"transitions": repeated(10_000, func(i int) string {
		return fmt.Sprintf("  - {action: go, from: [x%d], to: y%d, roles: [r%d]}\n", i, i, i)
	})}), "is not defined"},
	{"unclosed brackets in a guard", when("facts.n > " + strings.Repeat("(", 1000)), "when:"},
	{"deep brackets in a guard", when(strings.Repeat("(", 900) + "true" + strings.Repeat(")", 900)), "when:"},
	{"a tower of not", when(strings.Repeat("!", 1900) + "true"), ""},
	{"a guard of 2,000 characters", when("facts.n > 1.0" + strings.Repeat(" && facts.n > 1.0", 116)), ""},
	{"a guard of 2,000 characters and more", when("facts.n > 1.0" + strings.Repeat(" && facts.n > 1.0", 120)), "at most 2000"},
	{"a guard with many constants", when("facts.n == 1.0" + repeated(100, func(i int) string { return fmt.Sprintf("||facts.n==%d.5", i) })), ""},
	{"a guard that is dear", when(`facts.s.matches("(a|b)*c")` + strings.Repeat(` && (facts.s + facts.s).contains(facts.s)`, 30)), "may cost"},
	{"a guard with a loop", when(`[1, 2].all(x, [3, 4].all(y, x < y))`), "when:"},
	{"a guard with a list", when(`[[[[[1]]]]] == [[[[[2]]]]]`), ""},
	{"a guard with a pathological pattern", when(`facts.s.matches("` + strings.Repeat("(a+)+", 20) + `$")`), ""},
	{"a huge whole number", tiny(map[string]string{"top": "retention: {class: x, years: 99999999999999999999999999, ground: {id: x, en: x}}\n"}), "retention years"},
	{"a number beyond int64", tiny(map[string]string{"top": "retention: {class: x, years: 18446744073709551615, ground: {id: x, en: x}}\n"}), "retention years"},
	{"a fee that is infinite", tiny(map[string]string{"top": feeTable(".inf")}), "row up_to"},
	{"a fee that is no number", tiny(map[string]string{"top": feeTable(".nan")}), "row up_to"},
	{"a fee beyond what is exact", tiny(map[string]string{"top": "payers: [clerk]\nfees: [{id: f, title: {id: F, en: F}, amount: 9007199254740993, due_in: [a], basis: {id: L, en: L}}]\n"}), "no amount"},
	{"a default that is infinite", tiny(map[string]string{"top": "facts: [{id: n, type: number, title: {id: N, en: N}, default: .inf}]\n"}), "default"},
	{"a form that holds no number", tiny(map[string]string{"top": "form: {type: object, properties: {x: {maximum: .nan}}}\n"}), "form:"},
	{"a form that is itself", tiny(map[string]string{"top": "form: {type: object, $ref: '#'}\n"}), ""},
	{"a form in a form", tiny(map[string]string{"top": "form: {type: object, properties: {x: {$ref: '#'}}}\n"}), ""},
	{"a form that is fetched", tiny(map[string]string{"top": "form: {type: object, properties: {x: {$ref: 'file:///etc/passwd'}}}\n"}), "no other file"},
	{"a pathological pattern in a form", tiny(map[string]string{"top": "form: {type: object, properties: {x: {type: string, pattern: '^(a+)+$'}}}\n"}), ""},
	{"a huge pattern in a form", tiny(map[string]string{"top": "form: {type: object, properties: {x: {type: string, pattern: '((((a{1000}){1000}){1000}){1000})'}}}\n"}), "form:"},
	{"10,000 states under a law", manyLaws(1, 10_000), ""},
	{"3,000 states under 2,000 laws", manyLaws(2000, 3000), "2000 legal terms; at most 32"},
	{"many guards", manyGuards(600), ""},
	{"more guards than are looked at", manyGuards(2000), ""},
}

func feeTable(bound string) string {
	return numberFact("payers: [clerk]\nfees: [{id: f, title: {id: F, en: F}, table: {fact: n, rows: [{up_to: " + bound + ", amount: 1}, {amount: 2}]}, due_in: [a], basis: {id: L, en: L}}]\n")
}

func manyStates(n int) string {
	return tiny(map[string]string{
		"states": repeated(n, func(i int) string {
			return fmt.Sprintf("  - {id: s%d, kind: work, public: in_process, owner: clerk, title: {id: S, en: S}}\n", i)
		}),
		"transitions": "  - {action: go, from: [b], to: s0, roles: [clerk]}\n" + repeated(n-1, func(i int) string {
			return fmt.Sprintf("  - {action: go, from: [s%d], to: s%d, roles: [clerk]}\n", i, i+1)
		}) + fmt.Sprintf("  - {action: go, from: [s%d], to: b, roles: [clerk]}\n", n-1),
	})
}

func manyLaws(n, states int) string {
	return strings.Replace(manyStates(states), "roles:\n", "terms:\n"+repeated(n, func(i int) string {
		return fmt.Sprintf("  - {id: t%d, title: {id: T, en: T}, budget: 1 days, starts: [go], basis: {id: L, en: L}, expires: {to: b, ground: lapse}}\n", i)
	})+"roles:\n", 1)
}

func manyGuards(n int) string {
	return tiny(map[string]string{
		"top": numberFact(""), "actions": "  - {id: note, title: {id: N, en: N}}\n",
		"transitions": repeated(n, func(i int) string {
			return fmt.Sprintf("  - {action: note, from: [a], to: a, roles: [clerk], when: facts.n > %d.5}\n", i)
		}),
	})
}

// Nothing that is read hangs, panics or takes more than some hundreds of megabytes in
// all, most of them freed on the way.
func TestNothingHostileHangsOrEatsMemory(t *testing.T) {
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			var err error
			if used := allocated(func() { _, _, err = workflows.Check("w.yaml", []byte(h.source)) }); used > 1<<29 {
				t.Errorf("%d MB were allocated", used>>20)
			} else {
				t.Logf("%d KB", used>>10)
			}
			var problems workflows.Problems
			switch {
			case h.problem == "" && err != nil:
				t.Errorf("refused: %.300v", err)
			case h.problem != "" && (!errors.As(err, &problems) || !strings.Contains(err.Error(), h.problem)):
				t.Errorf("want %q, got %.300v", h.problem, err)
			}
			if len(problems) > 101 {
				t.Errorf("%d problems are told", len(problems))
			}
		})
	}
}
