package workflows

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/alur-id/alur/domain"
)

// yamlReader walks a YAML tree and gathers every problem it meets, each at its
// place, instead of stopping at the first. It is strict: an unknown key, a value
// of another type, an anchor or an alias is a problem. (Aliases are how a YAML
// bomb is built, and a definition that lawyers read should say what it means
// where it means it.)
type yamlReader struct {
	file     string
	what     string // that the file is to be
	lines    []string
	problems Problems
	untold   int      // problems beyond those
	later    []func() // checks that need the whole definition
	doubts   []doubt  // no problems: what was once read so still is
}

// parse returns the one document of the source, or nil after noting why there
// is none.
func (r *yamlReader) parse(source []byte) ast.Node {
	if line := tooEmpty(r.lines); line > 0 {
		r.problemAt(&token.Token{Position: &token.Position{Line: line, Column: 1}}, "more than %d empty lines, one after the other", maxEmpty)
		return nil
	}
	tokens := lexer.Tokenize(string(source))
	if t := tooDeep(tokens); t != nil {
		r.problemAt(t, "nested deeper than any definition is")
		return nil
	}
	if t := tooWide(tokens); t != nil {
		r.problemAt(t, "more keys beside each other than any definition has")
		return nil
	}
	f, err := parser.Parse(tokens, 0)
	if err != nil {
		var y yaml.Error
		if errors.As(err, &y) {
			r.problemAt(y.GetToken(), "%s", y.GetMessage())
		} else {
			r.problems = append(r.problems, Problem{File: r.file, Line: 1, Column: 1, Message: "not YAML: " + err.Error()})
		}
		return nil
	}
	docs := slices.DeleteFunc(f.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	if len(docs) != 1 {
		r.problems = append(r.problems, Problem{File: r.file, Line: 1, Column: 1, Message: notOne(r.what, len(docs))})
		return nil
	}
	root := docs[0].Body
	if told := mistaken(r.what, root); told != "" {
		r.problem(root, "%s", told)
		return nil
	}
	return root
}

func notOne(what string, documents int) string {
	if documents == 0 {
		return "the file holds no " + what + ": it is empty, or there are comments alone"
	}
	return fmt.Sprintf("the file holds %d YAML documents, with --- between them; a %s is one", documents, what)
}

// tooDeep is the first token that lies deeper than a definition can, or nil. The
// parser's memory grows with the square of the depth: a few kilobytes of brackets
// would take gigabytes.
func tooDeep(tokens token.Tokens) *token.Token {
	const maxFlow, maxColumn = 20, 80
	flow, line := 0, 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		default:
		}
		// Each level of a block begins at least one column further right.
		opens := t.Position.Line != line || t.Type == token.SequenceEntryType || t.Type == token.MappingKeyType
		if flow > maxFlow || flow == 0 && opens && t.Position.Column > maxColumn {
			return t
		}
		line = t.Position.Line
	}
	return nil
}

// maxEmpty is how many empty lines may follow each other: the lexer's time grows with
// the square of their number at the head of a block of text.
const maxEmpty = 100

// tooEmpty is the line where there are too many empty ones; 0 for none.
func tooEmpty(lines []string) int {
	run := 0
	for i, line := range lines {
		if run++; strings.Trim(line, " \t\r") != "" {
			run = 0
		}
		if run > maxEmpty && i < len(lines)-1 {
			return i + 1
		}
	}
	return 0
}

// tooWide is the first key that stands beside more others than a definition can have,
// or nil. The parser's time grows with the square of their number.
func tooWide(tokens token.Tokens) *token.Token {
	const maxKeys = 1000
	var flow []int           // keys in each open bracket
	block := map[int]int{}   // keys by column
	shut := func(from int) { // what stood further right has ended
		for column := range block {
			if column >= from {
				delete(block, column)
			}
		}
	}
	for i, t := range tokens {
		n := 0
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow = append(flow, 0)
		case token.SequenceEndType, token.MappingEndType:
			flow = flow[:max(0, len(flow)-1)]
		case token.SequenceEntryType:
			if len(flow) == 0 {
				shut(t.Position.Column)
			}
		case token.MappingValueType:
			if len(flow) > 0 {
				flow[len(flow)-1]++
				n = flow[len(flow)-1]
			} else if i > 0 {
				column := tokens[i-1].Position.Column
				block[column]++
				n = block[column]
				shut(column + 1)
			}
		default:
		}
		if n > maxKeys {
			return t
		}
	}
	return nil
}

// maxProblems is how many problems are told: nobody mends more at once.
const maxProblems = 100

func (r *yamlReader) problem(n ast.Node, format string, args ...any) {
	r.problemAt(firstToken(n), format, args...)
}

func (r *yamlReader) problemAt(t *token.Token, format string, args ...any) {
	if len(r.problems) >= maxProblems {
		r.untold++
		return
	}
	p := Problem{File: r.file, Line: 1, Column: 1, Message: fmt.Sprintf(format, args...)}
	if t != nil && t.Position != nil {
		p.Line, p.Column = t.Position.Line, t.Position.Column
	}
	p.Excerpt = excerpt(r.lines, p.Line, p.Column)
	r.problems = append(r.problems, p)
}

// firstToken is where a node begins for a reader's eye: a mapping at its first
// key, not at its first colon.
func firstToken(n ast.Node) *token.Token {
	switch n := n.(type) {
	case nil:
		return nil
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return firstToken(n.Values[0])
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return n.GetToken()
}

// entries are the keys of a mapping with their values; false for what is none.
func entries(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// mapping hands each value to the reader of its key. Keys in required must be
// there.
func (r *yamlReader) mapping(n ast.Node, what string, required []string, keys map[string]func(ast.Node)) {
	values, ok := entries(n)
	if !ok {
		r.problem(n, "%s: want keys and values here, found %s", what, describe(n))
		return
	}
	known := slices.Sorted(maps.Keys(keys))
	seen := map[string]bool{}
	for _, v := range values {
		key := v.Key.GetToken().Value
		read, ok := keys[key]
		if !ok {
			hint := "; known keys are " + strings.Join(known, ", ")
			if len(r.problems) >= maxProblems {
				r.untold++
				continue
			}
			if near := nearest(key, known); near != "" {
				hint = fmt.Sprintf("; did you mean %q?", near)
				seen[near] = true // one fault is told once
			}
			r.problemAt(v.Key.GetToken(), "%s has no key %q%s", what, key, hint)
			continue
		}
		seen[key] = true
		read(v.Value)
	}
	for _, key := range required {
		if !seen[key] {
			r.problem(n, "%s: key %q is missing", what, key)
		}
	}
}

func (r *yamlReader) list(n ast.Node, what string) []ast.Node {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		r.problem(n, "%s: want a list here, found %s", what, describe(n))
		return nil
	}
	if len(s.Values) == 0 {
		r.problem(n, "%s: the list is empty", what)
	}
	return s.Values
}

func (r *yamlReader) text(n ast.Node, what string) string {
	var s string
	switch n := n.(type) {
	case *ast.StringNode:
		s = n.Value
		r.bare(n, what)
	case *ast.LiteralNode:
		s = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		r.problem(n, "%s: want text here, found %s; put it in quotes", what, describe(n))
		return ""
	default:
		r.problem(n, "%s: want text here, found %s", what, describe(n))
		return ""
	}
	if strings.TrimSpace(s) == "" {
		r.problem(n, "%s: the text is empty", what)
	}
	return s
}

// verbatim reads a name that another system gave, whatever it is.
func (r *yamlReader) verbatim(n ast.Node, what string) string {
	if s, ok := n.(*ast.StringNode); ok && s.Value != "" {
		r.bare(s, what)
		return s.Value
	}
	return r.text(n, what)
}

func (r *yamlReader) boolean(n ast.Node, what string) bool {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		r.problem(n, "%s: want true or false, found %s", what, describe(n))
		return false
	}
	return b.Value
}

// any reads what JSON can hold.
func (r *yamlReader) any(n ast.Node, what string) any { return r.value(n, what, false) }

// value reads what JSON can hold; where it is of a text, what might be a number is none.
func (r *yamlReader) value(n ast.Node, what string, ofText bool) any {
	switch n := n.(type) {
	case *ast.MappingNode:
		m, ofText := map[string]any{}, isOfText(n)
		for _, v := range n.Values {
			m[v.Key.GetToken().Value] = r.value(v.Value, what, ofText)
		}
		return m
	case *ast.MappingValueNode:
		return map[string]any{n.Key.GetToken().Value: r.any(n.Value, what)}
	case *ast.SequenceNode:
		list := make([]any, len(n.Values))
		for i, v := range n.Values {
			list[i] = r.value(v, what, ofText)
		}
		return list
	case *ast.StringNode:
		if v, ok := withExponent(n); ok && !ofText {
			r.written(n, what, v)
			return v
		}
		r.bare(n, what)
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.BoolNode:
		return n.Value
	case *ast.IntegerNode:
		return r.integer(n, what)
	case *ast.FloatNode:
		r.written(n, what, n.Value)
		return n.Value
	case *ast.NullNode:
		return nil
	}
	r.problem(n, "%s: found %s", what, describe(n))
	return nil
}

// isOfText reports whether a mapping is the JSON Schema of a text.
func isOfText(n *ast.MappingNode) bool {
	return slices.ContainsFunc(n.Values, func(v *ast.MappingValueNode) bool {
		s, ok := v.Value.(*ast.StringNode)
		return ok && v.Key.GetToken().Value == "type" && s.Value == "string"
	})
}

// word reads one of a fixed set of words.
func word[T ~string](r *yamlReader, n ast.Node, what string, allowed []T) T {
	s := T(r.text(n, what))
	if s != "" && !slices.Contains(allowed, s) {
		r.problem(n, "%s: %q is not one of %s%s", what, string(s), domain.Listed(allowed), meant(string(s), allowed))
		return ""
	}
	return s
}

func meant[T ~string](name string, candidates []T) string {
	if near := nearest(name, candidates); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// id reads a name that appears in URLs, event bodies and file names.
func (r *yamlReader) id(n ast.Node, what string) string {
	s := r.text(n, what)
	if s != "" && !validID(s) {
		r.problem(n, "%s: %q is not an id; use up to 64 small letters, digits, - and _, a letter or digit first", what, s)
	}
	return s
}

func validID(s string) bool {
	if s == "" || len(s) > 64 || s[0] == '-' || s[0] == '_' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func describe(n ast.Node) string {
	switch n := n.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys and values"
	case *ast.SequenceNode:
		return "a list"
	case *ast.IntegerNode, *ast.FloatNode:
		return "the number " + n.String()
	case *ast.BoolNode:
		return n.String()
	case *ast.AliasNode, *ast.AnchorNode:
		return "an alias or anchor (the language has none)"
	default:
		return strings.ToLower(n.Type().String())
	}
}
