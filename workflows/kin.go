package workflows

import (
	"fmt"
	"maps"
	"slices"

	"github.com/alur-id/alur/domain"
)

// Documents are kin that are handed in and refused alike, that nothing names, and each of
// which is required by facts of its own, which nothing else asks for. No rule tells a
// situation from another in which two of them, and what requires them, are exchanged. So a
// proof looks at the first of them that it comes to: of n documents of kin it tells how
// many are required, how many are there, and how many are both, and not which: some n³/6
// situations in place of 4ⁿ.

// family is what facts are beside which documents of kin they require.
type family struct {
	rest     uint16 // the same for values that differ in nothing else
	required uint64 // by group
}

// indexKin finds the documents that are kin.
func (p *prover) indexKin() {
	p.families, p.ofFamily = make([]family, len(p.values)), map[family]uint16{}
	alike := map[string][]int{}
	for g := range p.ofGroup {
		if how, private := p.kinship(g); private && p.requires(g) {
			alike[how] = append(alike[how], g)
		}
	}
	own := map[string]bool{} // facts
	for _, how := range slices.Sorted(maps.Keys(alike)) {
		if groups := alike[how]; len(groups) > 1 {
			p.kin = append(p.kin, groups)
			for _, g := range groups {
				for _, id := range p.ofGroup[g].RequiredWhen.uses.facts {
					own[id] = true
				}
			}
		}
	}
	if len(p.kin) == 0 {
		return
	}
	known := map[string]uint16{}
	for v := range p.values {
		facts := maps.Clone(p.values[v].facts)
		maps.DeleteFunc(facts, func(id string, _ any) bool { return own[id] })
		key := fmt.Sprint(facts, p.values[v].supposed, p.values[v].failing)
		rest, is := known[key]
		if !is {
			rest = uint16(len(known))
			known[key] = rest
		}
		p.families[v].rest = rest
		p.ofFamily[p.families[v]] = uint16(v)
	}
}

// kinship tells to which documents those of a group are kin, if nothing names them or asks
// for the facts that require them.
func (p *prover) kinship(group int) (string, bool) {
	first := p.ofGroup[group]
	if c := first.RequiredWhen; c == nil || !c.ofFacts(p.d) || !c.exact(p.d) {
		return "", false
	}
	within := func(id domain.DocumentID) bool { return p.groups[id] == group }
	facts := func(id string) bool { return slices.Contains(first.RequiredWhen.uses.facts, id) }
	brought, own := false, map[*Condition]bool{}
	for i := range p.d.Documents {
		if doc := &p.d.Documents[i]; within(doc.ID) {
			brought = brought || p.brought(doc.ID)
			own[doc.RequiredWhen] = true
		}
	}
	named := slices.ContainsFunc(p.d.conditions(), func(c *Condition) bool {
		return slices.ContainsFunc(c.uses.documents, within) || !own[c] && slices.ContainsFunc(c.uses.facts, facts)
	}) || slices.ContainsFunc(p.d.Transitions, func(t Transition) bool {
		return t.Needs != nil && slices.ContainsFunc(t.Needs.Documents, within)
	}) || slices.ContainsFunc(p.d.Fees, func(f Fee) bool {
		return f.Table != nil && facts(f.Table.Fact)
	})
	return fmt.Sprint(first.In, p.absent.othersIn(first.By), p.absent.othersIn(first.RefusedBy), first.RefusedIn, brought), !named
}

// requires notes which values require the documents of a group, and reports whether as many
// do as do not, and each can be judged: then each of the others goes with each of these.
func (p *prover) requires(group int) bool {
	n := 0
	for v := range p.values {
		is, err := p.ofGroup[group].RequiredWhen.holds(p.values[v])
		if err != nil {
			return false
		}
		if is {
			p.families[v].required |= 1 << group
			n++
		}
	}
	return 2*n == len(p.values)
}

// folded is the point that stands for all that differ from one in no more than which
// documents of kin are required and which are there.
func (p *prover) folded(at point) point {
	f := p.families[at.value]
	was := f.required
	for _, groups := range p.kin {
		var kinds [4]int
		for _, g := range groups {
			kinds[at.bits>>g&1<<1|f.required>>g&1]++
		}
		kind := 0
		for _, g := range groups {
			for kinds[kind] == 0 {
				kind++
			}
			kinds[kind]--
			at.bits = at.bits&^(1<<g) | uint64(kind>>1)<<g
			f.required = f.required&^(1<<g) | uint64(kind&1)<<g
		}
	}
	if f.required != was {
		at.value = p.ofFamily[f]
	}
	return at
}

// foremost reports whether facts are those that stand for all that differ in no more than
// which documents of kin they require of those that are there, and of those that are not.
func (p *prover) foremost(value int, bits uint64) bool {
	required := p.families[value].required
	for _, groups := range p.kin {
		var before [2]bool // one was required
		for _, g := range groups {
			there, is := bits>>g&1, required>>g&1 == 1
			if before[there] && !is {
				return false
			}
			before[there] = is
		}
	}
	return true
}

// kinOf lists the documents of kin to one: others that a situation might be about as well.
func (p *prover) kinOf(id domain.DocumentID) []domain.DocumentID {
	var list []domain.DocumentID
	for _, groups := range p.kin {
		if !slices.Contains(groups, p.groups[id]) {
			continue
		}
		for i := range p.d.Documents {
			if other := p.d.Documents[i].ID; p.groups[other] != p.groups[id] && slices.Contains(groups, p.groups[other]) {
				list = append(list, other)
			}
		}
	}
	return list
}

// exchanged is a step, and the point that it led to, with two groups of kin in the place
// of each other.
func (p *prover) exchanged(a, b int, step stepTaken, at point) (stepTaken, point) {
	switch {
	case step.kind != stepAttach && step.kind != stepAttachOne && step.kind != stepRefuse:
	case step.of == a:
		step.of = b
	case step.of == b:
		step.of = a
	}
	at.bits = exchangedBits(at.bits, a, b)
	f := p.families[at.value]
	if required := exchangedBits(f.required, a, b); required != f.required {
		at.value = p.ofFamily[family{f.rest, required}]
	}
	return step, at
}

func exchangedBits(word uint64, a, b int) uint64 {
	differ := (word>>a ^ word>>b) & 1
	return word ^ (differ<<a | differ<<b)
}
