package picture

import (
	"fmt"
	"strings"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// Mermaid draws the picture as a Mermaid state diagram. Mermaid has one shape for
// all states and one stroke for all arrows: what DOT shows by these is in words.
func (p *Picture) Mermaid() string {
	names := map[domain.StateID]string{}
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for i := range p.d.States {
		s := &p.d.States[i]
		names[s.ID] = fmt.Sprintf("s%d", i+1)
		lines := append([]string{p.text(s.Title)}, p.marked(s, p.here)...)
		fmt.Fprintf(&b, "    state \"%s\" as %s\n", mermaidLines(lines), names[s.ID])
	}
	fmt.Fprintf(&b, "    [*] --> %s: %s\n", names[p.start().ID], mermaidText(p.say("submit", p.roles(p.d.Submit))))
	for _, a := range p.all {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", names[a.from], names[a.to], mermaidLines(append([]string{a.title}, a.lines...)))
	}
	for _, s := range p.d.States {
		if s.Kind == workflows.KindEnd {
			fmt.Fprintf(&b, "    %s --> [*]\n", names[s.ID])
		}
	}
	if terms := p.legalTerms(); len(terms) > 0 {
		fmt.Fprintf(&b, "    note right of %s\n", names[p.start().ID])
		for _, t := range terms {
			fmt.Fprintf(&b, "        %s\n", mermaidText(t))
		}
		b.WriteString("    end note\n")
	}
	if p.here != "" {
		b.WriteString("    classDef here stroke:#0b3d91,stroke-width:4px\n")
		fmt.Fprintf(&b, "    class %s here\n", names[p.here])
	}
	return b.String()
}

func mermaidLines(lines []string) string {
	for i := range lines {
		lines[i] = mermaidText(lines[i])
	}
	return strings.Join(lines, "<br/>")
}

// mermaidText keeps text from being read as Mermaid or as HTML: what has a meaning
// there is written by its number, in Mermaid's own way.
func mermaidText(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("\"#;:<>&%{}`\\", r) {
			fmt.Fprintf(&b, "#%d;", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
