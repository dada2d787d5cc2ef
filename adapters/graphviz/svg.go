package graphviz

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/alur-id/alur/workflows/picture"
)

const (
	namespace = "http://www.w3.org/2000/svg"
	// fonts have the widths of Arial, by which Graphviz measures; none is fetched.
	fonts = "Arial, 'Liberation Sans', Arimo, Helvetica, sans-serif"
)

// elements and attributes are all that a picture has. What Graphviz says beside,
// such as its version and tool tips made of ids, is left out.
var (
	elements   = []string{"svg", "g", "polygon", "polyline", "path", "ellipse", "text"}
	attributes = []string{
		"id", "class", "transform", "fill", "stroke", "stroke-width", "stroke-dasharray", "points", "d",
		"cx", "cy", "rx", "ry", "x", "y", "text-anchor", "font-size", "font-weight", "viewBox", "width", "height",
	}
)

// element is an SVG element.
type element struct {
	name     string
	attrs    []xml.Attr
	children []*element
	text     string
}

func (e *element) attr(name string) string {
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (e *element) set(name, value string) {
	for i := range e.attrs {
		if e.attrs[i].Name.Local == name {
			e.attrs[i].Value = value
			return
		}
	}
	e.attrs = append(e.attrs, xml.Attr{Name: xml.Name{Local: name}, Value: value})
}

// finish makes of Graphviz's picture one for a page.
func finish(layout []byte, p *picture.Picture) ([]byte, error) {
	root, err := parse(layout)
	if err != nil {
		return nil, fmt.Errorf("graphviz: %w", err)
	}
	if here, words := p.Here(); here != "" {
		if err := mark(root, "state-"+string(here), words); err != nil {
			return nil, err
		}
	}
	root.set("xmlns", namespace)
	root.set("lang", p.Lang())
	root.set("role", "img")
	root.set("aria-labelledby", "diagram-title diagram-text")
	root.set("font-family", fonts)
	title := &element{name: "title", text: p.Title()}
	title.set("id", "diagram-title")
	text := &element{name: "desc", text: p.Description()}
	text.set("id", "diagram-text")
	root.children = append([]*element{title, text}, root.children...)
	var b bytes.Buffer
	root.write(&b)
	return b.Bytes(), nil
}

func parse(svg []byte) (*element, error) {
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	var root *element
	var open []*element
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if !slices.Contains(elements, t.Name.Local) {
				if err := decoder.Skip(); err != nil {
					return nil, err
				}
				continue
			}
			e := &element{name: t.Name.Local}
			for _, a := range t.Attr {
				if a.Name.Space == "" && slices.Contains(attributes, a.Name.Local) {
					e.attrs = append(e.attrs, a)
				}
			}
			if len(open) > 0 {
				up := open[len(open)-1]
				up.children = append(up.children, e)
			} else {
				root = e
			}
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 && open[len(open)-1].name == "text" {
				open[len(open)-1].text += string(t)
			}
		}
	}
	if root == nil || root.name != "svg" {
		return nil, errors.New("no picture")
	}
	return root, nil
}

func (e *element) write(b *bytes.Buffer) {
	b.WriteString("<" + e.name)
	for _, a := range e.attrs {
		b.WriteString(" " + a.Name.Local + `="` + escape(a.Value) + `"`)
	}
	switch {
	case len(e.children) > 0:
		b.WriteString(">\n")
		for _, c := range e.children {
			c.write(b)
		}
		b.WriteString("</" + e.name + ">\n")
	case e.text != "":
		b.WriteString(">" + escape(e.text) + "</" + e.name + ">\n")
	default:
		b.WriteString("/>\n")
	}
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;").Replace(s)
}

// mark shows that a request stands in a state: a thick border, and a flag with
// words, for which each box has room at its bottom.
func mark(root *element, id, words string) error {
	graph := root.children[0]
	for _, node := range graph.children {
		if node.attr("id") != id {
			continue
		}
		node.set("class", node.attr("class")+" here")
		var at box
		for _, shape := range node.children {
			if points := shape.attr("points") + shape.attr("d"); points != "" {
				shape.set("stroke-width", "4")
				at.hold(points)
			}
		}
		var page box
		page.hold(graph.children[0].attr("points")) // the background
		graph.children = append(graph.children, flag(at, page, words))
		return widen(root, page, words)
	}
	return fmt.Errorf("graphviz: the picture has no %s", id)
}

const flagHeight = 14.0

func flagWidth(words string) float64 { return 5.7*float64(utf8.RuneCountInString(words)) + 16 }

// flag is the flag of a box, within the page if that is wide enough.
func flag(at, page box, words string) *element {
	width := flagWidth(words)
	middle, top := (at.left+at.right)/2, at.bottom-flagHeight-2
	if page.right-page.left > width {
		middle = min(max(middle, page.left+width/2), page.right-width/2)
	} else {
		middle = (page.left + page.right) / 2
	}
	board := &element{name: "polygon"}
	board.set("fill", "#0b3d91")
	board.set("stroke", "#ffffff")
	board.set("points", fmt.Sprintf("%.2f,%.2f %.2f,%.2f %.2f,%.2f %.2f,%.2f",
		middle-width/2, top, middle+width/2, top, middle+width/2, top+flagHeight, middle-width/2, top+flagHeight))
	text := &element{name: "text", text: "▶ " + words}
	for _, a := range [][2]string{
		{"text-anchor", "middle"},
		{"x", fmt.Sprintf("%.2f", middle)},
		{"y", fmt.Sprintf("%.2f", top+10.5)},
		{"font-size", "10"},
		{"font-weight", "bold"},
		{"fill", "#ffffff"},
	} {
		text.set(a[0], a[1])
	}
	out := &element{name: "g", children: []*element{board, text}}
	out.set("class", "flag")
	return out
}

// widen makes room at both sides for a flag that is wider than the page.
func widen(root *element, page box, words string) error {
	extra := flagWidth(words) + 4 - (page.right - page.left)
	if extra <= 0 {
		return nil
	}
	var x, y, width, height float64
	if _, err := fmt.Sscan(root.attr("viewBox"), &x, &y, &width, &height); err != nil {
		return fmt.Errorf("graphviz: view box: %w", err)
	}
	root.set("viewBox", fmt.Sprintf("%.2f %.2f %.2f %.2f", x-extra/2, y, width+extra, height))
	root.set("width", fmt.Sprintf("%.0fpt", width+extra))
	return nil
}

// box is what holds a shape.
type box struct {
	left, right, top, bottom float64
	any                      bool
}

// hold widens the box to hold the points of a polygon or a path.
func (b *box) hold(points string) {
	numbers := strings.FieldsFunc(points, func(r rune) bool { return strings.ContainsRune(" ,MCLZz", r) })
	for i := 0; i+1 < len(numbers); i += 2 {
		x, err := strconv.ParseFloat(numbers[i], 64)
		y, err2 := strconv.ParseFloat(numbers[i+1], 64)
		if err != nil || err2 != nil {
			continue
		}
		if !b.any {
			*b = box{x, x, y, y, true}
		}
		b.left, b.right = math.Min(b.left, x), math.Max(b.right, x)
		b.top, b.bottom = math.Min(b.top, y), math.Max(b.bottom, y)
	}
}
