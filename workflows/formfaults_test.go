package workflows

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each fault of a form is told where it stands, in words.
func TestFaultsOfAFormStandWhereTheyAre(t *testing.T) {
	for form, want := range map[string][]string{
		`  type: object
  properties:
    name: {type: strng, minLength: one}
    many: {type: [string, nul], maxLength: -1, required: a, multipleOf: 0}
    text: {pattern: "(", enum: x, minItems: 1.5}
    k: 3
  items: [{}]
  allOf: []
  required: [a, a]
`: {
			`3:18: form properties.name.type: "strng" is not one of array, boolean, integer, null, number, object, string; did you mean "string"?`,
			`3:36: form properties.name.minLength: want a whole number, found "one"`,
			`4:27: form properties.many.type.1: "nul" is not one of array, boolean, integer, null, number, object, string; did you mean "null"?`,
			`4:44: form properties.many.maxLength: want 0 or more, found the number -1`,
			`4:58: form properties.many.required: want a list, found "a"`,
			`4:73: form properties.many.multipleOf: want more than 0, found the number 0`,
			"5:21: form properties.text.pattern: \"(\" is no regular expression: error parsing regexp: missing closing ): `(`",
			`5:32: form properties.text.enum: want a list, found "x"`,
			`5:45: form properties.text.minItems: want a whole number, found the number 1.5`,
			`6:8: form properties.k: want true or false, or keys and values, found the number 3`,
			`7:10: form items: want true or false, or keys and values, found a list`,
			`8:10: form allOf: the list is empty`,
			`9:13: form required: two entries of the list are the same`,
		},
		"  properties: {a: {$ref: '#/$defs/b'}}\n":                {`1:26: form $ref: #/$defs/b: there is no such place in the form`},
		"  properties: {a: {$ref: '#b'}}\n":                       {`1:26: form $ref: #b: there is no such $anchor in the form`},
		"  properties: {a: {$ref: 'https://example.org/b#/c'}}\n": {`1:26: form $ref: https://example.org/b#/c: a form refers to no other file`},
	} {
		_, err := Read("w.yaml", []byte(aroundForm+form))
		var problems Problems
		if !errors.As(err, &problems) {
			t.Fatal(err)
		}
		var told []string
		for _, p := range problems {
			told = append(told, fmt.Sprintf("%d:%d: %s", p.Line-16, p.Column, p.Message))
		}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("(-want +told)\n%s", diff)
		}
	}
}
