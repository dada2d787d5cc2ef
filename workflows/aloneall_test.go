package workflows

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
)

// enumerated is what [inspection.alone] finds, by going through the graph anew for each role
// and each set of reviews that facts call for.
func (c *inspection) enumerated() []string {
	var list []string
	roles := []domain.RoleID{""}
	for _, r := range c.d.Roles {
		if !c.citizen(r.ID) && slices.Contains(r.Capacities, domain.CapacityOfficer) {
			roles = append(roles, r.ID)
		}
	}
	told := map[string]bool{}
	for _, called := range c.called() {
		for _, role := range roles {
			forth := make([][]int, len(c.d.States))
			for i := range c.d.Transitions {
				t := &c.d.Transitions[i]
				if !t.Automatic && !slices.ContainsFunc(t.Roles, func(id domain.RoleID) bool { return id == role || c.citizen(id) }) {
					continue
				}
				for _, id := range t.From {
					if from := c.ways.states[id]; !c.waitsForOthers(t, from, role, &called) {
						forth[from] = append(forth[from], c.ways.states[t.To])
					}
				}
			}
			reached := c.ways.closure(forth, c.ways.start())
			for i := range c.d.States {
				id := c.d.States[i].ID
				if once := fmt.Sprint(role, " ", id); c.d.States[i].Outcome != domain.OutcomeApproved || !reached[i] || told[once] {
					continue
				} else {
					told[once] = true
				}
				if role == "" {
					return append(list, fmt.Sprintf("an applicant alone can bring a request%s to %q: have an officer check and decide", called.such(), id))
				}
				list = append(list, fmt.Sprintf("role %q alone can bring a request%s to %q: have another role check or decide", role, called.such(), id))
			}
		}
	}
	return list
}

func (c *inspection) waitsForOthers(t *Transition, from int, role domain.RoleID, called *calledFor) bool {
	mine := func(id domain.RoleID) bool { return id == role || c.citizen(id) }
	switch n := t.Needs; {
	case n == nil:
		return false
	case n.Answer != "":
		return c.d.system(c.d.States[from].WaitsFor).Role != role
	case slices.ContainsFunc(c.d.Checklists, func(x Checklist) bool {
		return slices.Contains(n.Checklists, x.ID) && !slices.ContainsFunc(x.By, mine)
	}), slices.ContainsFunc(c.d.Documents, func(x Document) bool {
		return (slices.Contains(n.Documents, x.ID) || n.Required && x.Required) && !slices.ContainsFunc(x.By, mine)
	}):
		return true
	case n.Reviews == "":
		return false
	}
	j, err := c.d.join(&c.d.States[from], called.in)
	if err != nil {
		j = domain.Join{}
	}
	given := map[domain.ReviewID]domain.Review{}
	for _, id := range j.Reviews {
		if c.d.review(id).Role == role {
			given[id] = domain.Review{Opinion: t.Needs.Reviews}
		}
	}
	return j.Result(given) != t.Needs.Reviews
}

// asEnumerated reports how what is found differs from what going through all of it finds,
// and how much is found. The order is of no account: findings are sorted by place.
func asEnumerated(t interface{ Fatalf(string, ...any) }, name string, source []byte) (found int) {
	_, r, err := read(name, source)
	if err != nil {
		t.Fatalf("%v\n%s", err, source)
	}
	c := &inspection{definitionReader: r, lang: "en"}
	c.alone()
	got := ids(c.findings, func(f Finding) string { return f.Message })
	if d := cmp.Diff(c.enumerated(), got); d != "" && len(got)+len(c.enumerated()) > 0 {
		t.Fatalf("%s (-one by one +found)\n%s\n%s", name, d, source)
	}
	return len(got)
}

// What one role can do alone is found for all sets of reviews at once, and is what is found
// when each set is looked at by itself: in the catalogue, and in definitions as they come,
// with gathers in a row and beside each other, whose reviews facts call for.
func TestAloneIsAsOneByOne(t *testing.T) {
	files, err := filepath.Glob("catalogue/*/*.yaml")
	if more, _ := filepath.Glob("testdata/definitions/*.yaml"); err != nil || len(more) == 0 || len(files) == 0 {
		t.Fatal(files, more, err)
	} else {
		files = append(files, more...)
	}
	for _, f := range files {
		source, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		asEnumerated(t, f, source)
	}
	some, none := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		if asEnumerated(t, "w.yaml", []byte(gathers(t))) > 0 {
			some++
		} else {
			none++
		}
	})
	if some == 0 || none == 0 {
		t.Errorf("of %d definitions something is found, and of %d nothing", some, none)
	}
}

// gathers draws a definition with a row of states, some of which gather reviews that facts
// call for, and with ways past some of them.
func gathers(t *rapid.T) string {
	var b strings.Builder
	role := rapid.SampledFrom([]string{"o0", "o1", "o2"})
	one := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	b.WriteString("alur: 1\nid: w\ntitle: {id: W, en: W}\nagency: {id: A, en: A}\noffice: o\nroles:\n  - {id: citizen, title: {id: C, en: C}, capacities: [self]}\n")
	for i := range 3 {
		fmt.Fprintf(&b, "  - {id: o%d, title: {id: O, en: O}, capacities: [officer]}\n", i)
	}
	b.WriteString("submit: [citizen]\nreasons:\n  - {code: why, title: {id: Y, en: Y}}\nfacts:\n")
	for i := range 3 {
		fmt.Fprintf(&b, "  - {id: p%d, type: boolean, title: {id: P, en: P}, default: false}\n", i)
	}
	b.WriteString("checklists:\n")
	for i := range 2 {
		fmt.Fprintf(&b, "  - {id: c%d, title: {id: C, en: C}, by: [%s], items: [{id: i, title: {id: I, en: I}}]}\n", i, one("by", "o0", "o1", "o0, o1", "o2, citizen"))
	}
	b.WriteString("reviews:\n")
	for i := range 4 {
		fmt.Fprintf(&b, "  - {id: r%d, title: {id: R, en: R}, role: %s, reasons: [why]%s}\n", i, role.Draw(t, "role"), one("when", "", ", when: facts.p0", ", when: facts.p1 && !facts.p2", ", when: '!facts.p0'", ", when: facts.p2 || facts.p1"))
	}
	b.WriteString("states:\n  - {id: s0, kind: start, public: received, owner: o0, title: {id: S, en: S}}\n")
	var edges []string
	n := rapid.IntRange(2, 6).Draw(t, "states")
	for i := 1; i < n; i++ {
		if rapid.Bool().Draw(t, "gathers") {
			first := rapid.IntRange(0, 3).Draw(t, "first")
			asked := fmt.Sprintf("r%d, r%d", first, (first+1)%4)
			fmt.Fprintf(&b, "  - {id: s%d, kind: gather, public: in_process, owner: o0, title: {id: S, en: S}, reviews: [%s]%s}\n", i, asked, one("join", "", ", join: {need: any}", ", join: {need: 1, outvote: true}"))
		} else {
			fmt.Fprintf(&b, "  - {id: s%d, kind: work, public: in_process, owner: o0, title: {id: S, en: S}}\n", i)
		}
	}
	gathering := func(i int) bool { return strings.Contains(b.String(), fmt.Sprintf("id: s%d, kind: gather", i)) }
	lead := func(action string, from, to int) {
		end := fmt.Sprintf("s%d", to)
		if to == n {
			end = "ok"
		}
		needs := one("needs", "", "", ", needs: {checklists: [c0]}", ", needs: {checklists: [c0, c1]}")
		if gathering(from) {
			needs = one("opinion", ", needs: {reviews: approved}", ", needs: {reviews: refused}", ", needs: {reviews: approved, checklists: [c1]}")
		}
		who := "roles: [" + one("takes", "o0", "o1", "o0, o1", "o1, o2", "citizen", "o0, o1, o2") + "]"
		if one("who", "by itself", "somebody", "somebody") == "by itself" {
			who = "automatic: true"
		}
		edges = append(edges, fmt.Sprintf("  - {action: %s, from: [s%d], to: %s, %s%s}\n", action, from, end, who, needs))
	}
	for i := range n {
		lead("go", i, i+1)
		if rapid.Bool().Draw(t, "past") {
			lead("jump", i, rapid.IntRange(0, n).Draw(t, "to"))
		}
	}
	b.WriteString("  - {id: ok, kind: end, outcome: approved, public: approved, title: {id: O, en: O}}\nactions:\n  - {id: go, title: {id: G, en: G}}\n")
	if strings.Contains(strings.Join(edges, ""), "jump") {
		b.WriteString("  - {id: jump, title: {id: J, en: J}}\n")
	}
	return b.String() + "transitions:\n" + strings.Join(edges, "")
}

// Twelve reviews that each a fact calls for are 4096 sets, by 400 roles, by 400 states. One
// by one that took minutes.
func TestAloneOfManySets(t *testing.T) {
	var b strings.Builder
	b.WriteString("alur: 1\nid: w\ntitle: {id: W, en: W}\nagency: {id: A, en: A}\noffice: o\nsubmit: [citizen]\nreasons:\n  - {code: why, title: {id: Y, en: Y}}\nroles:\n  - {id: citizen, title: {id: C, en: C}, capacities: [self]}\n")
	const n = 400
	for i := range n {
		fmt.Fprintf(&b, "  - {id: o%d, title: {id: O, en: O}, capacities: [officer]}\n", i)
	}
	b.WriteString("facts:\n")
	for i := range 12 {
		fmt.Fprintf(&b, "  - {id: p%d, type: boolean, title: {id: P, en: P}, default: false}\n", i)
	}
	b.WriteString("reviews:\n")
	var all []string
	for i := range 12 {
		all = append(all, fmt.Sprintf("r%d", i))
		fmt.Fprintf(&b, "  - {id: r%d, title: {id: R, en: R}, role: o1, reasons: [why], when: facts.p%d}\n", i, i)
	}
	fmt.Fprintf(&b, "states:\n  - {id: s, kind: start, public: received, owner: o0, title: {id: S, en: S}}\n  - {id: g, kind: gather, public: in_process, owner: o0, title: {id: G, en: G}, reviews: [%s]}\n", strings.Join(all, ", "))
	for i := range n {
		fmt.Fprintf(&b, "  - {id: w%d, kind: work, public: in_process, owner: o0, title: {id: B, en: B}}\n", i)
	}
	b.WriteString("  - {id: ok, kind: end, outcome: approved, public: approved, title: {id: O, en: O}}\nactions:\n  - {id: go, title: {id: G, en: G}}\ntransitions:\n  - {action: go, from: [s], to: g, roles: [o0, o1]}\n  - {action: go, from: [g], to: w0, automatic: true, needs: {reviews: approved}}\n")
	for i := range n {
		to := fmt.Sprintf("w%d", i+1)
		if i == n-1 {
			to = "ok"
		}
		fmt.Fprintf(&b, "  - {action: go, from: [w%d], to: %s, roles: [o0, o1]}\n", i, to)
	}
	_, r, err := read("w.yaml", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	c := &inspection{definitionReader: r, lang: "en"}
	c.alone()
	got := ids(c.findings, func(f Finding) string { return strings.SplitN(f.Message, " alone", 2)[0] })
	slices.Sort(got)
	if d := cmp.Diff([]string{`role "o0"`, `role "o1"`}, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
