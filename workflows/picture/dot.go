package picture

import (
	"fmt"
	"strings"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// How many letters a line has before it is broken: wide labels push everything apart.
const (
	boxWidth    = 32
	arrowWidth  = 28
	captionWide = 90
	noteWidth   = 50
)

// mostAlike are the arrows that are drawn each where they say the same.
const mostAlike = 6

// mostCurved are the arrows up to which they are drawn as curves around the boxes and
// the layout is searched for the best one: beyond, that takes minutes, for a picture
// that is too crowded to gain by it.
const mostCurved = 150

// look is how a kind of state is drawn. Each has a shape of its own, for those who
// see no colours; text on each fill has a contrast of more than 12 to 1.
type look struct{ shape, style, fill, line string }

var looks = map[workflows.Kind]look{
	workflows.KindStart:  {"box", "rounded,filled", "#e6effc", "#1c4a8c"},
	workflows.KindWork:   {"box", "filled", "#ffffff", "#333333"},
	workflows.KindWait:   {"note", "filled", "#fff5d1", "#7a5200"},
	workflows.KindGather: {"box3d", "filled", "#f0e8fb", "#4a2a85"},
	workflows.KindEnd:    {"box", "rounded,filled", "#ececec", "#444444"},
}

// endings are the colours of an end, by its outcome.
var endings = map[domain.Outcome]look{
	domain.OutcomeApproved: {fill: "#e1f3e4", line: "#1b5e20"},
	domain.OutcomeRejected: {fill: "#fde7e4", line: "#8e1b10"},
}

// DOT draws the picture in the language of Graphviz.
func (p *Picture) DOT() string { return p.dot(p.here) }

// Layout is DOT without the mark of where a request stands, so that all requests of
// a version share one layout. A state's box has the id "state-" and its name.
func (p *Picture) Layout() string { return p.dot("") }

func (p *Picture) dot(here domain.StateID) string {
	var b strings.Builder
	b.WriteString("digraph workflow {\n")
	hurry := ""
	if p.drawnArrows() > mostCurved {
		hurry = "splines=line, mclimit=0.1, nslimit=2, nslimit1=2, "
	}
	fmt.Fprintf(&b, "  graph [%srankdir=TB, nodesep=0.35, ranksep=0.45, pad=0.2, fontname=\"Arial\", fontsize=12, labelloc=t, labeljust=l, label=<%s>];\n", hurry, p.caption())
	b.WriteString("  node [fontname=\"Arial\", fontsize=11, fontcolor=\"#1a1a1a\", margin=\"0.16,0.09\"];\n")
	b.WriteString("  edge [fontname=\"Arial\", fontsize=10, fontcolor=\"#1a1a1a\", color=\"#444444\", arrowsize=0.8];\n")
	b.WriteString("  BEGIN [shape=circle, style=filled, fillcolor=\"#1a1a1a\", width=0.22, fixedsize=true, label=<<FONT> </FONT>>, id=\"begin\"];\n")
	for i := range p.d.States {
		s := &p.d.States[i]
		fmt.Fprintf(&b, "  %q [%s, label=<%s>];\n", s.ID, drawn(s, s.ID == here), boxLabel(p.text(s.Title), p.marked(s, here)))
	}
	start := p.start()
	fmt.Fprintf(&b, "  BEGIN -> %q [id=\"submit\", label=<%s>];\n", start.ID, arrowLabel("", []string{p.say("submit", p.roles(p.d.Submit))}))
	p.drawArrows(&b)
	p.termMoves(&b)
	b.WriteString("}\n")
	return b.String()
}

// brief is a state's title for a list of many.
func (p *Picture) brief(id domain.StateID) string {
	lines := wrapped(p.state(id), noteWidth)
	if len(lines) > 1 {
		return lines[0] + " …"
	}
	return lines[0]
}

// alike are the states from which arrows that say the same lead to the same state.
func (p *Picture) alike() map[string][]domain.StateID {
	all := map[string][]domain.StateID{}
	for _, a := range p.all {
		all[a.key()] = append(all[a.key()], a.from)
	}
	return all
}

// drawnArrows is how many arrows drawArrows draws.
func (p *Picture) drawnArrows() int {
	n := 0
	for _, from := range p.alike() {
		if len(from) > mostAlike {
			from = from[:1]
		}
		n += len(from)
	}
	return n
}

// drawArrows draws the arrows. Where many say the same, such as a withdrawal that is
// possible from everywhere, one stands for all, from a note that names their states.
func (p *Picture) drawArrows(b *strings.Builder) {
	alike := p.alike()
	for _, a := range p.all {
		from, name := alike[a.key()], string(a.from)
		switch {
		case len(from) > mostAlike && from[0] != a.from:
			continue
		case len(from) > mostAlike:
			name = "FROM " + a.id
			note := htmlLines(lined(p.say("out of", listed(from, p.brief)), noteWidth), breakLeft) + breakLeft
			fmt.Fprintf(b, "  %q [id=%q, class=\"from\", shape=box, style=dotted, label=<%s>];\n", name, "from-"+a.id, note)
		}
		fmt.Fprintf(b, "  %q -> %q [id=%q, class=%q%s, label=<%s>];\n", name, a.to, "way-"+a.id, a.way, stroke(a), arrowLabel(a.title, a.lines))
	}
}

// termMoves draws the legal terms that move a request when they run out. They run
// over many states: each is a note of its own, from which its arrow goes. Names in
// capitals cannot be those of states.
func (p *Picture) termMoves(b *strings.Builder) {
	for i := range p.d.Terms {
		t := &p.d.Terms[i]
		if t.Expires == nil || t.Expires.To == "" {
			continue
		}
		lines := []string{p.say("from", p.lasts("until", t), listed(t.Starts, p.deed))}
		if t.Promise != nil {
			lines = append(lines, p.say("promised", t.Promise.In(p.lang)))
		}
		fmt.Fprintf(b, "  \"TERM %s\" [id=\"term-%s\", class=\"term\", shape=plain, label=<%s>];\n", t.ID, t.ID, boxLabel(p.text(t.Title), lines))
		fmt.Fprintf(b, "  \"TERM %s\" -> %q [id=\"way-term-%s\", class=\"expiry\"%s, label=<%s>];\n", t.ID, t.Expires.To, t.ID, timeStroke,
			arrowLabel(p.say("after", p.lasts("date", t), p.say(string(t.Expires.Ground))), nil))
	}
}

// marked are the lines of a box, with that of where the request stands.
func (p *Picture) marked(s *workflows.State, here domain.StateID) []string {
	if s.ID != here {
		return p.box(s)
	}
	return append([]string{"▶ " + p.say("here")}, p.box(s)...)
}

func drawn(s *workflows.State, here bool) string {
	l := looks[s.Kind]
	if s.Kind == workflows.KindEnd {
		if e, ok := endings[s.Outcome]; ok {
			l.fill, l.line = e.fill, e.line
		}
	}
	out := fmt.Sprintf("id=\"state-%s\", class=\"state %s\", shape=%s, style=%q, fillcolor=%q, color=%q", s.ID, s.Kind, l.shape, l.style, l.fill, l.line)
	if s.Kind == workflows.KindEnd {
		out += ", peripheries=2"
	}
	if here {
		out += ", penwidth=4"
	}
	return out
}

// timeStroke is how an arrow is drawn along which time moves a request.
const timeStroke = `, style=dashed, arrowhead=empty, color="#8e1b10"`

// stroke is how an arrow is drawn.
func stroke(a arrow) string {
	switch a.way {
	case byItself:
		return ", style=bold, arrowhead=vee, color=\"#1c4a8c\""
	case byTime:
		return timeStroke
	case byHand:
	}
	return ""
}

// caption is the heading of the picture: the service, whose it is, its legal terms.
func (p *Picture) caption() string {
	s := fmt.Sprintf(`<FONT POINT-SIZE="17"><B>%s</B></FONT>%s`, htmlLines(wrapped(p.text(p.d.Title), 60), breakLeft), breakLeft)
	for _, line := range append([]string{p.text(p.d.Agency)}, p.legalTerms()...) {
		s += htmlLines(wrapped(line, captionWide), breakLeft) + breakLeft
	}
	return s + `<FONT POINT-SIZE="6"> </FONT>` + breakLeft
}

// boxLabel is a title in bold and lines under it, as Graphviz's HTML. The items of a
// list begin at the left. There is room at the bottom for the flag of a request.
func boxLabel(title string, lines []string) string {
	s := `<FONT POINT-SIZE="3"> </FONT>` + breakLine + `<FONT POINT-SIZE="12"><B>` + htmlLines(wrapped(title, boxWidth), breakLine) + "</B></FONT>" + breakLine
	for _, line := range lines {
		rows, end := wrapped(line, boxWidth+6), breakLine
		if strings.HasPrefix(line, "•") {
			end = breakLeft
		}
		s += htmlLines(rows, end) + end
	}
	return s + room
}

// arrowLabel is a title in bold and lines under it, in a table whose padding keeps
// them off the arrow.
func arrowLabel(title string, lines []string) string {
	var all []string
	if title != "" {
		all = append(all, "<B>"+htmlLines(wrapped(title, arrowWidth), breakLine)+"</B>")
	}
	for _, line := range lines {
		all = append(all, htmlLines(wrapped(line, arrowWidth+6), breakLine))
	}
	return `<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="3"><TR><TD>` + strings.Join(all, breakLine) + "</TD></TR></TABLE>"
}

const (
	breakLine = "<BR/>"
	breakLeft = `<BR ALIGN="LEFT"/>`
	room      = `<FONT POINT-SIZE="10"> </FONT>`
)

func htmlLines(lines []string, end string) string {
	for i := range lines {
		lines[i] = escaped(lines[i])
	}
	return strings.Join(lines, end)
}

// escaped is text in Graphviz's HTML, which is read as XML; after that, \N and its like
// are looked for, and \\ is one \.
func escaped(s string) string {
	return strings.NewReplacer(`\`, "&#92;&#92;", "&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;").Replace(s)
}
