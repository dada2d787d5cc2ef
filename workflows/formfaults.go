package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/alur-id/alur/domain"
)

// formFaults tells why a form is no JSON Schema: each fault where it stands.
func (r *definitionReader) formFaults(form ast.Node, err error) {
	var unsound *jsonschema.SchemaValidationError
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &unsound) || !errors.As(unsound.Err, &invalid) {
		r.formReference(form, err)
		return
	}
	var faults []*jsonschema.ValidationError
	leaves(invalid, func(e *jsonschema.ValidationError) { faults = append(faults, e) })
	told := map[string]bool{}
	for _, e := range faults {
		// Of the ways in which one value could be right, one is told: the one that came
		// furthest, and of those in one place the one with a list of words.
		_, listed := e.ErrorKind.(*kind.Enum)
		better := slices.ContainsFunc(faults, func(x *jsonschema.ValidationError) bool {
			if len(x.InstanceLocation) > len(e.InstanceLocation) {
				return slices.Equal(x.InstanceLocation[:len(e.InstanceLocation)], e.InstanceLocation)
			}
			_, words := x.ErrorKind.(*kind.Enum)
			return !listed && words && slices.Equal(x.InstanceLocation, e.InstanceLocation)
		})
		at := strings.Join(e.InstanceLocation, "\x00")
		if better && len(e.InstanceLocation) > 0 || told[at] {
			continue
		}
		told[at] = true
		n := nodeUnder(form, e.InstanceLocation)
		r.problem(n, "form%s: %s", keyAt(e.InstanceLocation), unfit(e.ErrorKind, n))
	}
}

// nodeUnder is where a JSON pointer leads from a node, as far as it does.
func nodeUnder(n ast.Node, place []string) ast.Node {
	for _, step := range place {
		next := valueOf(n, step)
		if i, err := strconv.Atoi(step); err == nil && next == nil && i >= 0 && i < len(values(n)) {
			next = values(n)[i]
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

func keyAt(place []string) string {
	if len(place) == 0 {
		return ""
	}
	return " " + strings.Join(place, ".")
}

// unfit says what is wrong with a value of a schema.
func unfit(why jsonschema.ErrorKind, n ast.Node) string {
	found := "found " + describe(n)
	if s, ok := n.(*ast.StringNode); ok {
		found = fmt.Sprintf("found %q", s.Value)
	}
	switch why := why.(type) {
	case *kind.Type:
		named := map[string]string{
			"boolean": "true or false", "object": "keys and values", "array": "a list", "string": "text", "integer": "a whole number", "number": "a number", "null": "nothing",
		}
		want := make([]string, len(why.Want))
		for i, w := range why.Want {
			want[i] = named[w]
		}
		return fmt.Sprintf("want %s, %s", strings.Join(want, ", or "), found)
	case *kind.Enum:
		var words []string
		for _, w := range why.Want {
			words = append(words, fmt.Sprint(w))
		}
		s, _ := n.(*ast.StringNode)
		if s == nil {
			return fmt.Sprintf("want one of %s, %s", domain.Listed(words), found)
		}
		return fmt.Sprintf("%q is not one of %s%s", s.Value, domain.Listed(words), meant(s.Value, words))
	case *kind.Format:
		return fmt.Sprintf("%q is no %s: %s", why.Got, map[bool]string{true: "regular expression", false: why.Want}[why.Want == "regex"], firstLines(why.Err.Error()))
	case *kind.Minimum:
		return fmt.Sprintf("want %s or more, %s", why.Want.RatString(), found)
	case *kind.ExclusiveMinimum:
		return fmt.Sprintf("want more than %s, %s", why.Want.RatString(), found)
	case *kind.MinItems:
		return "the list is empty"
	case *kind.UniqueItems:
		return "two entries of the list are the same"
	case *kind.Pattern:
		return "this cannot stand here, " + found
	}
	return fmt.Sprintf("this breaks the rule %s of JSON Schema, %s", strings.Join(why.KeywordPath(), "/"), found)
}

// formReference tells of a form that is a JSON Schema by itself, and refers to what there
// is not.
func (r *definitionReader) formReference(form ast.Node, err error) {
	var pointer *jsonschema.JSONPointerNotFoundError
	var anchor *jsonschema.AnchorNotFoundError
	var elsewhere *jsonschema.LoadURLError
	said, why := "", ""
	switch {
	case errors.As(err, &pointer):
		said, why = pointer.URL, "there is no such place in the form"
	case errors.As(err, &anchor):
		said, why = anchor.Reference, "there is no such $anchor in the form"
	case errors.As(err, &elsewhere):
		said, why = elsewhere.URL, "a form refers to no other file"
	default:
		r.problem(form, "form: not a JSON Schema: %s", firstLines(err.Error()))
		return
	}
	at := &referring{to: said}
	ast.Walk(at, form)
	if at.found == nil {
		r.problem(form, "form: %s: %s", said, why)
		return
	}
	r.problem(at.found.Value, "form %s: %s: %s", at.found.Key.GetToken().Value, at.found.Value.GetToken().Value, why)
}

// referring finds the key whose value refers to a place.
type referring struct {
	to    string
	found *ast.MappingValueNode
}

// Visit implements [ast.Visitor].
func (v *referring) Visit(n ast.Node) ast.Visitor {
	pair, ok := n.(*ast.MappingValueNode)
	if ok && v.found == nil && slices.Contains([]string{"$ref", "$dynamicRef", "$schema"}, pair.Key.GetToken().Value) {
		if s, ok := pair.Value.(*ast.StringNode); ok && s.Value != "" && (strings.HasSuffix(v.to, s.Value) || strings.HasPrefix(s.Value, v.to)) {
			v.found = pair
		}
	}
	return v
}
