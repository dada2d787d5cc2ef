package difference

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// list compares two lists of what has a name: what is new, what is gone, what is
// otherwise, and whether it stands in another order.
func (c *comparison) list(p place, a, b reflect.Value) {
	noun := p.within
	p.within = Text{}
	pairs := pair(a, b)
	var order []int // of the earlier one, in the order of the later
	for j := range b.Len() {
		i := slices.Index(pairs, j)
		if i < 0 {
			c.whole(p, noun, b.Index(j), Added)
			continue
		}
		order = append(order, i)
		at := p
		at.subject = joined(p.subject, subjectOf(noun, b.Index(j)), ": ")
		c.fields(at, a.Index(i), b.Index(j))
	}
	for i, j := range pairs {
		if j < 0 {
			c.whole(p, noun, a.Index(i), Removed)
		}
	}
	if !slices.IsSorted(order) {
		c.tell(place{group: p.group, subject: p.subject, within: noun, field: p.field}, Reordered, phrases["reordered"].says(same(namesOf(b))))
	}
}

// whole tells of an item that is only in one of the two; of a new one, all that it
// says.
func (c *comparison) whole(p place, noun Text, item reflect.Value, kind Kind) {
	subject := subjectOf(noun, item)
	if c.plain {
		c.tell(p, Changed, subject)
		return
	}
	text := phrases[string(kind)]
	if kind == Added {
		all := &comparison{definition: c.definition, plain: true}
		all.fields(place{group: p.group}, reflect.Zero(item.Type()), item)
		var said Text
		for _, x := range all.changes {
			said = joined(said, x.Text, "; ")
		}
		text = joined(text, said, ": ")
	}
	p.subject = joined(p.subject, subject, ": ")
	c.tell(p, kind, text)
}

// subjectOf names an item: its kind, its code, and its title where it has one.
func subjectOf(noun Text, item reflect.Value) Text {
	return Text{noun.ID + " " + nameOf(item), noun.EN + " " + nameOf(item)}
}

func namesOf(list reflect.Value) string {
	names := make([]string, list.Len())
	for i := range names {
		names[i] = nameOf(list.Index(i))
	}
	return strings.Join(names, ", ")
}

// nameOf is what an item is found again by.
func nameOf(item reflect.Value) string {
	switch x := item.Interface().(type) {
	case workflows.Transition:
		return fmt.Sprintf("%s (%s → %s)", x.Action, domain.Listed(x.From), x.To)
	case workflows.Invariant:
		return x.String()
	case workflows.FeeRow:
		if x.UpTo != nil {
			return fmt.Sprintf("≤ %v", *x.UpTo)
		}
		return x.Value
	}
	for _, name := range []string{"ID", "Code"} {
		if f := item.FieldByName(name); f.IsValid() {
			return fmt.Sprint(f.Interface())
		}
	}
	return ""
}

// pair finds for each item of a list the item of the other that it became, or -1.
func pair(a, b reflect.Value) []int {
	likes := []func(x, y reflect.Value) bool{func(x, y reflect.Value) bool { return nameOf(x) == nameOf(y) }}
	if a.Type().Elem() == reflect.TypeFor[workflows.Transition]() {
		likes = transitionLikes()
	}
	pairs := make([]int, a.Len())
	for i := range pairs {
		pairs[i] = -1
	}
	for _, like := range likes {
		for i := range pairs {
			for j := 0; j < b.Len() && pairs[i] < 0; j++ {
				if !slices.Contains(pairs, j) && like(a.Index(i), b.Index(j)) {
					pairs[i] = j
				}
			}
		}
	}
	return pairs
}

// transitionLikes are the ways in which a transition is found again, the surest
// first: unchanged; under its name; to the same state; from one of the same states.
func transitionLikes() []func(x, y reflect.Value) bool {
	return []func(x, y reflect.Value) bool{
		func(x, y reflect.Value) bool { return nameOf(x) == nameOf(y) && !differ(x, y) },
		func(x, y reflect.Value) bool { return nameOf(x) == nameOf(y) },
		func(x, y reflect.Value) bool {
			a, b := x.Interface().(workflows.Transition), y.Interface().(workflows.Transition)
			return a.Action == b.Action && a.To == b.To && meet(a.From, b.From)
		},
		func(x, y reflect.Value) bool {
			a, b := x.Interface().(workflows.Transition), y.Interface().(workflows.Transition)
			return a.Action == b.Action && (a.To == b.To || meet(a.From, b.From))
		},
	}
}

func meet(a, b []domain.StateID) bool {
	return slices.ContainsFunc(a, func(s domain.StateID) bool { return slices.Contains(b, s) })
}
