package workflows

import (
	"maps"
	"slices"
)

// unrecorded reports whether facts are as a request begins with: of those that are
// recorded while it runs, the defaults.
func (p *prover) unrecorded(value int) bool {
	for id, v := range p.values[value].facts {
		if f := p.d.fact(id); f.Recorded && v != f.Default {
			return false
		}
	}
	return true
}

// recorded visits a point with each of the facts that a transition may record there.
func (p *prover) recorded(at point, transition int, visit func(point)) {
	t := &p.d.Transitions[transition]
	if len(t.Records) == 0 {
		visit(at)
		return
	}
	k := dueKey{int(at.value), transition}
	values, known := p.records[k]
	if !known {
		values = p.alike(k.value, func(f *Fact) bool { return slices.Contains(t.Records, f.ID) }, false)
		p.records[k] = values
	}
	for _, v := range values {
		at.value = uint16(v)
		visit(at)
	}
}

// corrections are the values that a correction may lead to: what was recorded stays.
func (p *prover) corrections(value int) []int {
	if p.correct[value] == nil {
		list := p.alike(value, func(f *Fact) bool { return !f.Recorded }, true)
		for _, v := range list {
			p.correct[v] = list
		}
	}
	return p.correct[value]
}

// alike are the values that differ from one in no facts but some.
func (p *prover) alike(value int, may func(*Fact) bool, suppose bool) []int {
	var list []int
	one := &p.values[value]
	for v := range p.values {
		other := &p.values[v]
		same := true
		for id, is := range one.facts {
			same = same && (is == other.facts[id] || may(p.d.fact(id)))
		}
		same = same && (suppose || maps.Equal(one.supposed, other.supposed) && maps.Equal(one.failing, other.failing))
		if same {
			list = append(list, v)
		}
	}
	return list
}
