// Package difference says in words how two workflow definitions differ in what the
// engine does: which states, transitions, roles, terms, documents, fees. It compares
// what the definitions mean, not their lines. The same two definitions give the same
// report.
package difference

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alur-id/alur/workflows"
)

// Text is something said in both languages.
type Text struct {
	ID string `json:"id"`
	EN string `json:"en"`
}

// In returns the text in a language, "en" or "id".
func (t Text) In(lang string) string {
	if lang == "en" {
		return t.EN
	}
	return t.ID
}

func same(s string) Text { return Text{s, s} }

// says fills a text's places, each in its own language.
func (t Text) says(parts ...Text) Text {
	id, en := make([]any, len(parts)), make([]any, len(parts))
	for i, p := range parts {
		id[i], en[i] = p.ID, p.EN
	}
	return Text{fmt.Sprintf(t.ID, id...), fmt.Sprintf(t.EN, en...)}
}

// Group is what a change is about.
type Group string

// The groups, in the order in which they are told.
const (
	Service       Group = "service"
	Roles         Group = "roles"
	States        Group = "states"
	Transitions   Group = "transitions"
	Terms         Group = "terms"
	Documents     Group = "documents"
	Fees          Group = "fees"
	Checklists    Group = "checklists"
	Reviews       Group = "reviews"
	Systems       Group = "systems"
	Facts         Group = "facts"
	Reasons       Group = "reasons"
	Notifications Group = "notifications"
	Invariants    Group = "invariants"
	Imports       Group = "imports"
)

// Kind is how something differs.
type Kind string

// The kinds.
const (
	Added     Kind = "added"
	Removed   Kind = "removed"
	Changed   Kind = "changed"
	Renamed   Kind = "renamed"
	Reordered Kind = "reordered"
)

// Change is one difference. Guess says that it is a likely reading of what may as
// well be a removal and an addition.
type Change struct {
	Group Group `json:"group"`
	Kind  Kind  `json:"kind"`
	Text  Text  `json:"text"`
	Guess bool  `json:"guess,omitempty"`

	field string // of which nothing is known but its name, for want of words
}

// Tests counts the tests of the definitions; they change nothing that the engine does.
type Tests struct {
	Before  int `json:"before"`
	After   int `json:"after"`
	Added   int `json:"added"`
	Removed int `json:"removed"`
	Changed int `json:"changed"`
}

// Report is how two definitions differ.
type Report struct {
	Changes []Change `json:"changes"`
	Tests   Tests    `json:"tests"`
}

// Between compares two definitions.
func Between(before, after *workflows.Definition) Report {
	c := &comparison{}
	renamed, pairs := guessRenames(before, after)
	for _, p := range pairs {
		c.changes = append(c.changes, Change{Group: States, Kind: Renamed, Guess: true, Text: phrases["renamed"].says(same(string(p.before)), same(string(p.after)))})
	}
	c.definition = after
	c.fields(place{group: Service}, reflect.ValueOf(renamed).Elem(), reflect.ValueOf(after).Elem())
	place := func(x Change) int {
		return slices.IndexFunc(groups, func(g groupTitle) bool { return g.group == x.Group })
	}
	slices.SortStableFunc(c.changes, func(a, b Change) int { return place(a) - place(b) })
	return Report{Changes: append([]Change{}, c.changes...), Tests: countTests(renamed.Tests, after.Tests)}
}

// Words is the report as a person reads it in a language, "en" or "id"; empty where
// nothing differs.
func (r Report) Words(lang string) string {
	var b strings.Builder
	for _, g := range groups {
		title := g.title.In(lang) + "\n"
		for _, c := range r.Changes {
			if c.Group == g.group {
				b.WriteString(title + "  " + c.Text.In(lang) + "\n")
				title = ""
			}
		}
	}
	t := r.Tests
	if t.Added+t.Removed+t.Changed > 0 {
		b.WriteString(phrases["tests"].In(lang) + "\n  " + fmt.Sprintf(phrases["tests count"].In(lang), t.Before, t.After, t.Added, t.Removed, t.Changed) + "\n")
	}
	return b.String()
}

func countTests(before, after []workflows.Scenario) Tests {
	t := Tests{Before: len(before), After: len(after)}
	named := func(list []workflows.Scenario, name string) *workflows.Scenario {
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
		return nil
	}
	for i := range before {
		switch other := named(after, before[i].Name); {
		case other == nil:
			t.Removed++
		case differ(reflect.ValueOf(&before[i]).Elem(), reflect.ValueOf(other).Elem()):
			t.Changed++
		}
	}
	t.Added = t.After - (t.Before - t.Removed)
	return t
}

// differ reports whether two values differ in what can be seen of them.
func differ(a, b reflect.Value) bool {
	c := &comparison{}
	c.fields(place{}, a, b)
	return len(c.changes) > 0
}
