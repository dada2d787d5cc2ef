package backtest

import (
	"fmt"
	"strings"
)

// Words is the report for people: totals first, then each group with up to three
// references and one history in steps.
func (r *Report) Words() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d histories of %s: %d unchanged, %d changed, %d that could not be judged; in %d something is refused or comes out otherwise\n",
		r.Histories, r.Workflow, r.Unchanged, r.Changed, r.Unjudged, r.Faults)
	for _, g := range r.Groups {
		fmt.Fprintf(&b, "\n%d %s: %s\n", g.Count, g.Kind, g.Cause)
		switch g.Least {
		case "":
		case g.Most:
			fmt.Fprintf(&b, "  by %s\n", g.Least)
		default:
			fmt.Fprintf(&b, "  by %s to %s\n", g.Least, g.Most)
		}
		shown := g.Requests[:min(3, len(g.Requests))]
		names := make([]string, len(shown))
		for i, ref := range shown {
			names[i] = string(ref)
		}
		fmt.Fprintf(&b, "  such as %s; the first in steps:\n", strings.Join(names, ", "))
		g.Example.steps(&b, "    ")
	}
	return b.String()
}

// Words is the history for people.
func (h *History) Words() string {
	var b strings.Builder
	far := ""
	if h.Partly {
		far = ", as far as it can be followed"
	}
	fmt.Fprintf(&b, "%s of tenant %s, under version %d: %s; %s then, %s now%s\n", h.Reference, h.Tenant, h.Version, h.Verdict, h.Then, h.Now, far)
	for _, d := range h.Differences {
		fmt.Fprintf(&b, "  %s: %s\n", d.Kind, d.Cause)
		if d.Detail != "" {
			fmt.Fprintf(&b, "    %s\n", d.Detail)
		}
	}
	h.steps(&b, "  ")
	return b.String()
}

func (h *History) steps(b *strings.Builder, indent string) {
	for _, l := range h.Steps {
		b.WriteString(indent + l.At.In(h.Tenant.Zone()).Format("2006-01-02 15:04:05 MST") + "  " + l.What)
		if l.By != "" {
			b.WriteString(" by " + l.By)
		}
		switch l.Now {
		case "":
			fmt.Fprintf(b, ": %s then", l.Then)
		case l.Then:
			fmt.Fprintf(b, ": %s", l.Then)
		default:
			fmt.Fprintf(b, ": %s then, %s now", l.Then, l.Now)
		}
		if l.Note != "" {
			b.WriteString("; " + l.Note)
		}
		b.WriteString("\n")
	}
}
