package workflows

import "github.com/goccy/go-yaml/ast"

// Sheet reads a YAML file that stands beside definitions, as strictly as they are read:
// an unknown key or a value of another type is a problem, each with its place, and all
// of them are told.
type Sheet struct{ r yamlReader }

// SheetNode is a value in a sheet.
type SheetNode = ast.Node

// ReadSheet reads a sheet. What it is, and the file, are only used in what is said of
// it. The error is [Problems].
func ReadSheet(file, what string, source []byte, read func(*Sheet, SheetNode)) error {
	r, source, err := newYAMLReader(file, what, source)
	if err != nil {
		return err
	}
	s := &Sheet{r}
	if root := s.r.parse(source); root != nil {
		read(s, root)
	}
	s.r.decimal()
	return s.r.told()
}

// Problems is how many problems were noted so far.
func (s *Sheet) Problems() int { return len(s.r.problems) }

// Problem notes what is wrong with a value.
func (s *Sheet) Problem(n SheetNode, format string, args ...any) { s.r.problem(n, format, args...) }

// Mapping hands each value to the reader of its key. Keys in required must be there.
func (s *Sheet) Mapping(n SheetNode, what string, required []string, keys map[string]func(SheetNode)) {
	s.r.mapping(n, what, required, keys)
}

// List is the values of a list.
func (s *Sheet) List(n SheetNode, what string) []SheetNode { return s.r.list(n, what) }

// Text reads a text that is not empty.
func (s *Sheet) Text(n SheetNode, what string) string { return s.r.text(n, what) }

// Whole reads a whole number.
func (s *Sheet) Whole(n SheetNode, what string) int { return s.r.integer(n, what) }

// Number reads a number.
func (s *Sheet) Number(n SheetNode, what string) float64 { return s.r.number(n, what) }

// Object reads what JSON can hold under names.
func (s *Sheet) Object(n SheetNode, what string) map[string]any {
	m, ok := s.r.any(n, what).(map[string]any)
	if !ok {
		s.r.problem(n, "%s: want keys and values here, found %s", what, describe(n))
	}
	return m
}
