package workflows

import (
	"slices"

	"github.com/alur-id/alur/domain"
)

// handIn notes that documents of a group are handed in, for the first time or anew: the
// opinions that were given before are on others, where whoever asks has to bring them.
func (p *prover) handIn(at *point, group int) {
	at.bits |= 1 << group
	p.outdate(at, group)
}

// outdate notes what it does to the opinions that a document of a group is handed in, with
// which the group need not be whole.
func (p *prover) outdate(at *point, group int) {
	if p.aging == 0 || !p.isBrought(int(at.value), group) {
		return
	}
	for i := range p.reviews {
		if two(at.reviews, i) == reviewApproved {
			at.outdated |= 1 << i & p.aging &^ at.stale // what a correction left behind is told by itself
		}
	}
}

// isBrought tells whether a group has a document that is required, and that those who ask
// hand in.
func (p *prover) isBrought(value, group int) bool {
	k := dueKey{value, group}
	is, known := p.brings[k]
	if !known {
		required, err := p.d.required(p.values[value])
		is = err == nil && slices.ContainsFunc(required, func(id domain.DocumentID) bool { return p.groups[id] == group && p.brought(id) })
		p.brings[k] = is
	}
	return is
}
