package workflows

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
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

// nearest is the candidate that a misspelt name most likely meant, or "".
func nearest[T ~string](name string, candidates []T) string {
	best, at := 3, ""
	if len(name) <= 4 {
		best = 2
	}
	for _, c := range candidates {
		if d := editDistance(name, string(c)); d < best {
			best, at = d, string(c)
		}
	}
	return at
}

// editDistance is Levenshtein's, over bytes: ids are ASCII.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
