package workflows

import (
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
)

// texts holds that what stands in a definition can be shown as it is written: no
// character of a text moves the cursor, or has it read in another order, and
// something of it shows. Lines and tabs
// are let be: pages show them as spaces.
func (c *inspection) texts() { ast.Walk(textVisitor{c}, c.root) }

var asSpaces = strings.NewReplacer("\n", " ", "\t", " ")

type textVisitor struct{ *inspection }

// Visit implements [ast.Visitor].
func (v textVisitor) Visit(n ast.Node) ast.Visitor {
	s, ok := n.(*ast.StringNode)
	if !ok {
		return v
	}
	if r := domain.Unprintable(asSpaces.Replace(s.Value)); r != "" {
		v.find(FindingText, n, "the text holds %s: it cannot be shown as it is written", r)
	} else if strings.TrimSpace(s.Value) != "" && domain.Invisible(s.Value) {
		v.find(FindingText, n, "nothing of the text can be seen, and it is not empty: %+q", s.Value)
	}
	return v
}
