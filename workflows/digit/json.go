package digit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/alur-id/alur/workflows"
)

// jsonNode is a JSON value and where it stands. Unlike a struct that was decoded
// into, it can say the line of each value, which keys nobody read, and which stand
// twice.
type jsonNode struct {
	at     int // byte offset
	value  any // string, json.Number, bool, nil; for others see below
	list   []*jsonNode
	fields []jsonField
	kind   string // text, number, true or false, nothing, list, object
}

type jsonField struct {
	key   string
	value *jsonNode
}

// get is the value of a key; the last, if it stands twice, as in most readers.
func (n *jsonNode) get(key string) *jsonNode {
	for i := len(n.fields) - 1; i >= 0; i-- {
		if n.fields[i].key == key {
			return n.fields[i].value
		}
	}
	return nil
}

// says reports whether a value holds anything: null, false, "" and [] do not.
func (n *jsonNode) says() bool {
	switch v := n.value.(type) {
	case bool:
		return v
	case string:
		return v != ""
	case json.Number:
		return true
	}
	return len(n.list)+len(n.fields) > 0
}

// jsonReader reads a JSON file and notes every problem at its place.
type jsonReader struct {
	file     string
	source   []byte
	breaks   []int // offsets at which lines begin
	problems workflows.Problems
}

// maxJSONDepth is deeper than any file of this kind.
const maxJSONDepth = 64

// parse returns the one value of the source, nil after noting why there is none.
func (r *jsonReader) parse() *jsonNode {
	r.breaks = []int{0}
	for i, c := range r.source {
		if c == '\n' {
			r.breaks = append(r.breaks, i+1)
		}
	}
	if at := workflows.FirstInvalid(r.source); at >= 0 {
		r.problem(at, "the file is not UTF-8 here")
		return nil
	}
	var whole json.RawMessage
	if err := json.Unmarshal(r.source, &whole); err != nil {
		at := len(r.source)
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = min(at, max(0, int(syntax.Offset)-1)) // it counts the byte it stumbles over
		}
		r.problem(at, "not JSON: %v", err)
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(r.source))
	d.UseNumber()
	n, err := r.node(d, 0)
	if err != nil {
		r.problem(int(d.InputOffset()), "not JSON: %v", err)
		return nil
	}
	return n
}

func (r *jsonReader) node(d *json.Decoder, depth int) (*jsonNode, error) {
	n := &jsonNode{at: r.next(int(d.InputOffset()))}
	if depth > maxJSONDepth {
		return nil, errors.New("nested deeper than any such file is")
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch v := t.(type) {
	case json.Delim:
		n.kind = map[json.Delim]string{'{': "object", '[': "list"}[v]
		for d.More() {
			var key string
			if v == '{' {
				k, err := d.Token()
				if err != nil {
					return nil, err
				}
				key, _ = k.(string)
			}
			item, err := r.node(d, depth+1)
			if err != nil {
				return nil, err
			}
			if v == '{' {
				n.fields = append(n.fields, jsonField{key, item})
			} else {
				n.list = append(n.list, item)
			}
		}
		_, err = d.Token()
	case string:
		n.kind, n.value = "text", v
	case json.Number:
		n.kind, n.value = "a number", v
	case bool:
		n.kind, n.value = fmt.Sprint(v), v
	default:
		n.kind = "nothing"
	}
	return n, err
}

// next is where the next token begins.
func (r *jsonReader) next(at int) int {
	for at < len(r.source) && strings.IndexByte(" \t\r\n,:", r.source[at]) >= 0 {
		at++
	}
	return at
}

// place is the line and the column of an offset, counted from 1.
func (r *jsonReader) place(at int) (line, column int) {
	line = sort.SearchInts(r.breaks, at+1)
	begin := r.breaks[line-1]
	return line, 1 + utf8.RuneCount(r.source[begin:max(begin, min(at, len(r.source)))])
}

func (r *jsonReader) problem(at int, format string, args ...any) {
	p := workflows.Problem{File: r.file, Message: fmt.Sprintf(format, args...)}
	p.Line, p.Column = r.place(at)
	r.show(&p)
	r.problems = append(r.problems, p)
}

// show fills in the excerpt; lines that it does not need are not looked at.
func (r *jsonReader) show(p *workflows.Problem) {
	lines := make([]string, p.Line)
	for i := max(0, p.Line-2); i < p.Line; i++ {
		end := len(r.source)
		if i+1 < len(r.breaks) {
			end = r.breaks[i+1] - 1
		}
		lines[i] = strings.TrimSuffix(string(r.source[r.breaks[i]:end]), "\r")
	}
	p.Show(lines)
}

// text is a text, "" for null and for what is not there.
func (r *jsonReader) text(n *jsonNode, what string) string {
	if n == nil || n.kind == "nothing" {
		return ""
	}
	s, ok := n.value.(string)
	if !ok {
		r.problem(n.at, "%s: want text here, found %s", what, n.kind)
	}
	return s
}

// flag is true or false, otherwise for null and for what is not there.
func (r *jsonReader) flag(n *jsonNode, what string, otherwise bool) bool {
	if n == nil || n.kind == "nothing" {
		return otherwise
	}
	b, ok := n.value.(bool)
	if !ok {
		r.problem(n.at, "%s: want true or false here, found %s", what, n.kind)
	}
	return b
}

// items are those of a list, none for null and for what is not there.
func (r *jsonReader) items(n *jsonNode, what string) []*jsonNode {
	if n == nil || n.kind == "nothing" {
		return nil
	}
	if n.kind != "list" {
		r.problem(n.at, "%s: want a list here, found %s", what, n.kind)
	}
	return n.list
}

func (r *jsonReader) object(n *jsonNode, what string) bool {
	if n.kind != "object" {
		r.problem(n.at, "%s: want an object here, found %s", what, n.kind)
	}
	return n.kind == "object"
}
