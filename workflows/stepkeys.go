package workflows

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// stepKeys are the keys that belong to each command of a step, beside who gives it and
// the rule that refuses it. Time passes by itself, and nobody refuses it.
var stepKeys = map[string][]string{
	"act": {"reason", "remark", "facts", "form"}, "attach": {"format"}, "refuse_document": {"reason"}, "check": {"answer"},
	"pay": {"amount"}, "settle": {}, "review": {"opinion", "reason", "remark"}, "report": {"outcome"}, "pick": {},
	"allocate": {"candidates", "seed"}, "suspend": {"reason"}, "lift": {}, "extend": {"reason"}, "consent": {"reason"},
	"pass": nil, "until": nil,
}

// strays are the keys of a step that do not belong to its command, each at its place.
// They are no fault of reading: a definition that was published with some loads as before.
func strays(n ast.Node) []failure {
	values, _ := entries(n)
	keys := ids(values, func(v *ast.MappingValueNode) string { return v.Key.GetToken().Value })
	i := slices.IndexFunc(keys, func(k string) bool { _, command := stepKeys[k]; return command })
	if i < 0 {
		return nil
	}
	belong := stepKeys[keys[i]]
	if belong != nil {
		belong = append(slices.Clone(belong), "by", "person", "as", "refused")
	}
	var list []failure
	for k, v := range values {
		if k == i || slices.Contains(belong, keys[k]) {
			continue
		}
		f := failure{text: fmt.Sprintf("says %s, which does not belong to %s", keys[k], keys[i])}
		f.line, f.column = place(v)
		list = append(list, f)
	}
	return list
}

// steps notes what stands in the steps of tests and does nothing there.
func (c *inspection) steps() {
	for i := range c.d.Tests {
		items := values(valueOf(c.node("tests", i), "when"))
		for k := range c.d.Tests[i].When {
			for _, f := range c.d.Tests[i].When[k].strays {
				if k < len(items) {
					c.find(FindingUnused, nodeAt(items[k], f.line, f.column), "test %q: step %d %s", c.d.Tests[i].Name, k+1, f.text)
				}
			}
		}
	}
}

// nodeAt is what stands at a place in a part of the file: the key of a mapping, if one
// begins there.
func nodeAt(n ast.Node, line, column int) ast.Node {
	found := n
	var look func(ast.Node) bool
	look = func(at ast.Node) bool {
		if l, c := place(at); l == line && c == column {
			found = at
			return true
		}
		if list, ok := entries(at); ok {
			return slices.ContainsFunc(list, func(v *ast.MappingValueNode) bool {
				if l, c := place(v); l == line && c == column {
					found = v
					return true
				}
				return look(v.Value)
			})
		}
		return slices.ContainsFunc(values(at), look)
	}
	look(n)
	return found
}
