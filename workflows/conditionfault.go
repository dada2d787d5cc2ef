package workflows

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common"

	"github.com/alur-id/alur/domain"
)

// conditionFaults are what is wrong in the text of a condition, in our own words.
type conditionFaults []conditionFault

// conditionFault is one of them. Line counts from 1, column from 0, in characters of
// the condition's text; a line of 0 is the whole condition.
type conditionFault struct {
	line, column int
	text         string
}

func (f conditionFaults) Error() string {
	return strings.Join(ids(f, func(x conditionFault) string { return x.text }), "; ")
}

// add notes a fault at an expression of a condition, once.
func (f *conditionFaults) add(text string, checked *cel.Ast, id int64, format string, args ...any) {
	at := conditionFault{text: fmt.Sprintf(format, args...)}
	if place := checked.NativeRep().SourceInfo().GetStartLocation(id); place != common.NoLocation {
		at.line, at.column = place.Line(), place.Column()
		if lines := strings.Split(text, "\n"); at.line >= 1 && at.line <= len(lines) {
			at.column = nameAt(lines[at.line-1], at.column)
		}
	}
	if !slices.Contains(*f, at) {
		*f = append(*f, at)
	}
}

// or is nil where there are none: an error that holds no faults is still an error.
func (f conditionFaults) or() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// conditionProblem notes what is wrong with a condition, each fault at its place.
func (r *definitionReader) conditionProblem(n ast.Node, what, text string, err error) {
	faults, ok := err.(conditionFaults) //nolint:errorlint // nothing wraps it
	if !ok {
		r.problem(n, "%s: %v", what, err)
		return
	}
	lines := strings.Split(text, "\n")
	for _, f := range faults {
		t := firstToken(n)
		if f.line >= 1 && f.line <= len(lines) && t != nil && t.Position != nil {
			t = &token.Token{Position: r.within(*t.Position, lines[f.line-1], f.column)}
		}
		r.problemAt(t, "%s: %s", what, f.text)
	}
}

// within is the place of a character of a text in the file. What YAML has folded or
// escaped is not found again: there it is where the text begins.
func (r *definitionReader) within(begin token.Position, line string, column int) *token.Position {
	const near = 40 // lines that a long condition may have
	for i := begin.Line - 1; i >= 0 && i < min(len(r.lines), begin.Line+near); i++ {
		source, skipped := r.lines[i], 0
		if i == begin.Line-1 {
			runes := []rune(source)
			skipped = len(string(runes[:min(max(0, begin.Column-1), len(runes))]))
		}
		if at := strings.Index(source[skipped:], line); at >= 0 && line != "" {
			begin.Line, begin.Column = i+1, utf8.RuneCountInString(source[:skipped+at])+column+1
			break
		}
	}
	return &begin
}

// dotted is a name with what is asked of it.
var dotted = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_-]*)*`)

// nameAt is where the name begins that a character stands in or behind.
func nameAt(line string, column int) int {
	runes := []rune(line)
	column = min(column, len(runes))
	for column > 0 && strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.", runes[column-1]) {
		column--
	}
	return column
}

// faultsOf says in our words what CEL holds against a condition.
func (d *Definition) faultsOf(text string, s scope, issues *cel.Issues) conditionFaults {
	var faults conditionFaults
	lines := strings.Split(text, "\n")
	for _, e := range issues.Errors() {
		f := conditionFault{line: e.Location.Line(), column: e.Location.Column()}
		if f.line < 1 || f.line > len(lines) {
			f.line, f.column = 1, 0
		}
		runes := []rune(lines[f.line-1])
		switch {
		case strings.HasPrefix(e.Message, "undeclared reference"):
			f.column = nameAt(lines[f.line-1], f.column)
			f.text = d.unknownName(dotted.FindString(strings.TrimLeft(string(runes[f.column:]), ".")), s)
		case strings.HasPrefix(e.Message, "found no matching overload"):
			f.text = noOverload(e.Message)
		case strings.HasPrefix(e.Message, "Syntax error"):
			f.text = syntax(e.Message, string(runes[min(f.column, len(runes)):]))
		default:
			f.text = inWords(e.Message)
		}
		// What follows from the first fault in the writing is none of its own.
		told := func(x conditionFault) bool { return strings.HasPrefix(e.Message, "Syntax error") || x == f }
		if !slices.ContainsFunc(faults, told) {
			faults = append(faults, f)
		}
	}
	return faults
}

// unknownName says what to write for a name that a condition does not know.
func (d *Definition) unknownName(name string, s scope) string {
	first, rest, _ := strings.Cut(name, ".")
	facts := ids(d.Facts, func(f Fact) string { return f.ID })
	functions := make([]string, len(historyFunctions))
	for i, f := range historyFunctions {
		functions[i] = f.name
	}
	switch {
	case first == "facts" && s == overForm:
		return "a fact is computed from the form alone: write form. and the name of a field"
	case first == "facts" && slices.Contains(facts, rest):
		return fmt.Sprintf("a fact that conditions ask for has no - in its name: call %q %q", rest, strings.ReplaceAll(rest, "-", "_"))
	case first == "facts" && rest == "":
		return "say which fact, such as facts." + orSuch(facts, "area")
	case first == "facts":
		return fmt.Sprintf("fact %q is not declared%s", rest, orListed(rest, "the facts are ", facts, "there are none"))
	case first == "form" && s == overForm:
		fields := slices.Sorted(maps.Keys(d.Form.fields()))
		return fmt.Sprintf("the form has no field %q%s", rest, orListed(rest, "its fields are ", fields, "none of them has a type that is read"))
	case first == "form":
		return "a condition asks for facts, not for the form: declare a fact with from: " + name
	case first == "history" && rest == "" || first == "history" && s != overHistory && s != overAll:
		return "what happened before is not known here: this is about facts alone"
	case first == "history":
		return fmt.Sprintf("history.%s is not known%s", rest, orListed(rest, "write history. and one of ", functions, ""))
	case slices.Contains(functions, first):
		return fmt.Sprintf("write history.%s(...)", first)
	case first == "state", first == "outcome":
		return first + " is known in an invariant alone"
	case slices.Contains(facts, name):
		return "write facts." + name
	case first == "now", first == "today", first == "timestamp":
		return "a condition has no clock"
	case slices.Contains([]string{"has", "all", "exists", "exists_one", "map", "filter"}, first):
		return fmt.Sprintf("%s is not part of the language: there are no loops, and a fact that may be missing needs a default", first)
	}
	known := append(slices.Clone(functions), facts...)
	hint := "; a condition speaks of facts. and, in a transition, of history."
	if near := nearest(name, known); slices.Contains(facts, near) {
		hint = fmt.Sprintf("; did you mean %q?", "facts."+near)
	} else if near != "" {
		hint = fmt.Sprintf("; did you mean %q?", "history."+near)
	}
	return fmt.Sprintf("%q is not known here%s", name, hint)
}

func orSuch(names []string, otherwise string) string {
	if len(names) > 0 {
		return names[0]
	}
	return otherwise
}

// orListed is the name that was meant or, where none is near, all of them.
func orListed(name, says string, names []string, none string) string {
	const most = 12
	switch hint := meant(name, names); {
	case hint != "":
		return hint
	case len(names) == 0:
		return "; " + none
	case len(names) > most:
		return "; " + says + domain.Listed(names[:most]) + " and others"
	}
	return "; " + says + domain.Listed(names)
}

var overload = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '(?:(.*)\.)?\((.*)\)'`)

// noOverload says which values do not go together.
func noOverload(message string) string {
	m := overload.FindStringSubmatch(message)
	if m == nil {
		return inWords(message)
	}
	operator, types := strings.Trim(m[1], "_"), strings.Split(m[3], ", ")
	for _, f := range historyFunctions {
		switch {
		case f.name == m[1] && m[2] == "":
			return fmt.Sprintf("write history.%s(...)", f.name)
		case f.name == m[1]:
			return fmt.Sprintf("history.%s wants the name of one %s in quotes", f.name, f.list)
		}
	}
	words := ids(types, func(t string) string { return inWords("'" + t + "'") })
	if other, ok := map[string]string{"@in": "in", "?_:": "? :", "[": "[ ]", "[_]": "[ ]", "": "-"}[operator]; ok {
		operator = other
	}
	text := fmt.Sprintf("%s cannot be used on %s", operator, strings.Join(words, " and "))
	if slices.Contains(types, "double") && slices.Contains(types, "int") {
		text += ": write numbers beside a fact with a decimal point, such as 1000.0"
	}
	return text
}

// syntax says where the writing of a condition goes wrong; rest is what stands there.
func syntax(message, rest string) string {
	word := strings.ToLower(dotted.FindString(rest))
	instead := map[string]string{"and": "&&", "or": "||", "not": "!", "dan": "&&", "atau": "||", "is": "=="}[word]
	switch {
	case instead != "":
		return fmt.Sprintf("write %s for %q", instead, word)
	case strings.HasPrefix(rest, "="):
		return "compare with ==, not with ="
	case strings.HasPrefix(rest, "&"), strings.HasPrefix(rest, "|"):
		return "write && for and, || for or"
	case rest == "":
		return "the condition ends too early"
	case strings.HasPrefix(rest, "'"), strings.HasPrefix(rest, `"`):
		return "the text that begins here does not end"
	case strings.Contains(message, "expecting <EOF>"):
		return fmt.Sprintf("the condition should end before %q", cut(rest, 0, 20))
	case strings.Contains(message, "limit"):
		return strings.TrimPrefix(message, "Syntax error: ")
	}
	return fmt.Sprintf("this cannot be read: %q", cut(rest, 0, 20))
}

// inWords puts our words for the types in what CEL says.
func inWords(message string) string {
	return strings.NewReplacer("'double'", "a number", "'int'", "a whole number", "'string'", "text", "'bool'", "yes or no",
		"'alur.History'", "history", "'dyn'", "any value", "'timestamp'", "a time", "'duration'", "a span of time",
		"expected type", "want", "but found", "here, found",
		"does not support field selection", "has nothing inside: leave out what stands behind the dot", "type ", "").Replace(message)
}
