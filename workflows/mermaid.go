package workflows

import (
	"fmt"
	"strings"
)

// Mermaid draws a definition as a Mermaid state diagram, in a language. The
// same definition gives the same bytes.
func Mermaid(d *Definition, lang string) string {
	names := map[string]string{}
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for i, s := range d.States {
		names[string(s.ID)] = fmt.Sprintf("s%d", i+1)
		fmt.Fprintf(&b, "    state %q as s%d\n", plain(s.Title.In(lang)), i+1)
	}
	fmt.Fprintf(&b, "    [*] --> %s\n", names[string(d.start().ID)])
	titles := map[string]string{}
	for _, a := range d.Actions {
		titles[string(a.ID)] = a.Title.In(lang)
	}
	roles := map[string]string{}
	for _, r := range d.Roles {
		roles[string(r.ID)] = r.Title.In(lang)
	}
	for _, t := range d.Transitions {
		who := make([]string, len(t.Roles))
		for i, r := range t.Roles {
			who[i] = roles[string(r)]
		}
		for _, from := range t.From {
			fmt.Fprintf(&b, "    %s --> %s: %s<br/>(%s)\n", names[string(from)], names[string(t.To)],
				plain(titles[string(t.Action)]), plain(strings.Join(who, ", ")))
		}
	}
	for _, s := range d.States {
		if s.Kind == KindEnd {
			fmt.Fprintf(&b, "    %s --> [*]\n", names[string(s.ID)])
		}
	}
	return b.String()
}

// plain keeps a title from being read as Mermaid: quotes, colons, semicolons
// and line breaks have a meaning there.
func plain(s string) string {
	return strings.NewReplacer(`"`, "'", ":", " ", ";", ",", "\n", " ", "#", "no. ", "<", "(", ">", ")").Replace(s)
}
