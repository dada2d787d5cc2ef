package workflows

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Problem is something wrong with a definition, and where. Line and Column
// count from 1; Column counts characters.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Excerpt string `json:"excerpt"` // the line, the one before it, and a caret
}

// String is the problem on one line, file:line:column first, as editors expect.
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Show fills in the excerpt. Of the lines only that of the problem and the one before
// are looked at.
func (p *Problem) Show(lines []string) { p.Excerpt = excerpt(lines, p.Line, p.Column) }

// Problems is every problem of a definition, in the order of the file.
type Problems []Problem

func (p Problems) Error() string {
	var b strings.Builder
	for i, x := range p {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(x.String())
		if x.Excerpt != "" {
			b.WriteByte('\n')
			b.WriteString(x.Excerpt)
		}
	}
	return b.String()
}

// Sort puts the problems in the order of the file.
func (p Problems) Sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// excerpt shows a line of the source with its predecessor and a caret under the
// column. Long lines are cut around the column.
func excerpt(lines []string, line, column int) string {
	if line < 1 || line > len(lines) {
		return ""
	}
	const width = 100
	var b strings.Builder
	if line > 1 {
		fmt.Fprintf(&b, "  %4d | %s\n", line-1, cut(lines[line-2], 0, width))
	}
	from := max(0, column-width*3/4)
	shown := cut(lines[line-1], from, width)
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, cut(lines[line-1], from, max(0, column-1-from)))
	fmt.Fprintf(&b, "> %4d | %s\n         %s^", line, shown, pad)
	return b.String()
}

func cut(s string, from, n int) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	s = strings.Map(visible, strings.TrimSuffix(s, "\r"))
	start, end, count := len(s), len(s), 0
	for i := range s {
		if count == from {
			start = i
		}
		if count == from+n {
			end = i
			break
		}
		count++
	}
	return s[start:end]
}

// visible is a character of a file as it may be printed: none moves the cursor, or has
// the text read in another order than it is written.
func visible(r rune) rune {
	switch {
	case r == '\t':
		return r
	case unicode.IsControl(r), '\u202a' <= r && r <= '\u202e', '\u2066' <= r && r <= '\u2069':
		return '?'
	}
	return r
}

// nearest is the candidate that a misspelt name most likely meant, or "".
func nearest[T ~string](name string, candidates []T) string {
	best, at := 3, ""
	switch {
	case len(name) < 3:
		return "" // anything short is near
	case len(name) <= 4:
		best = 2
	}
	for _, c := range candidates {
		if d := editDistance(name, string(c)); d < best {
			best, at = d, string(c)
		}
	}
	return at
}

// editDistance is Levenshtein's, where two neighbours that changed places count once;
// over bytes: ids are ASCII.
func editDistance(a, b string) int {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(above[j]+cost, above[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
