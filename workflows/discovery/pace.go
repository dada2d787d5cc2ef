package discovery

import (
	"fmt"
	"strings"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// Pace is how long things took by the wall clock: nights, weekends and holidays
// are in it.
type Pace struct {
	Case  Span   `json:"case"`  // from the first event of a case to its last
	After []Span `json:"after"` // from an activity to the next, that is in the state after it
}

// Span is how long something took. The quantiles are within 1% of the exact ones.
type Span struct {
	Activity string  `json:"activity,omitempty"`
	Times    int     `json:"times"`
	Median   float64 `json:"median_seconds"`
	P90      float64 `json:"p90_seconds"`
	Backward int     `json:"backward,omitempty"` // times that the log's clock ran backwards; not counted
}

func (s *spans) report(activity string) Span {
	return Span{activity, s.n, s.quantile(50).Seconds(), s.quantile(90).Seconds(), s.backward}
}

func (o *observer) pace() Pace {
	p := Pace{Case: o.whole.report(""), After: []Span{}}
	for i := range o.after {
		if s := &o.after[i]; s.n+s.backward > 0 {
			p.After = append(p.After, s.report(o.names[i]))
		}
	}
	p.After = mostFirst(p.After, len(p.After), func(s Span) int { return s.Times }, func(s Span) string { return s.Activity })
	return p
}

// Below this many times, nine in ten is an accident.
const fewTimes = 20

// hint says of a state what a term would have meant. It stays a comment: how long
// something took is no reason why it may take that long.
func (s Span) hint() string {
	if s.Times == 0 {
		return ""
	}
	text := fmt.Sprintf("No term is known. Half went on within %s, nine in ten within %s (%d times, by the wall clock)",
		Duration(s.Median), Duration(s.P90), s.Times)
	if s.Times < fewTimes {
		return text + ": too few to suggest one."
	}
	const day = 24 * 60 * 60
	days := max(1, int((s.P90+day-1)/day))
	return text + fmt.Sprintf(": %d calendar %s would have been kept by nine in ten.", days, plural(days, "day"))
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// Duration is a number of seconds as people say it, in its two largest units.
func Duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch day := 24 * time.Hour; {
	case d >= 100*day:
		return fmt.Sprintf("%dd", d.Round(day)/day)
	case d >= day:
		d = d.Round(time.Hour)
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	case d >= time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Second:
		return d.Round(time.Second).String()
	default:
		return d.Round(time.Millisecond).String()
	}
}

// Comment is what stands above a written draft.
func (d *Draft) Comment(log string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Draft learnt from %s: %d cases, %d events, %d activities, %d resources, %d steps.\n",
		log, d.Cases, d.Events, d.Activities, d.Resources, d.Edges)
	if nameless := d.Nameless(); nameless != "" {
		b.WriteString(nameless + "\n")
	}
	b.WriteString("It allows every order of steps that was observed, and more: look at it before it is used.\n")
	b.WriteString("A state means \"after this activity\"; an end is where more than half of its cases ended.\n")
	for i := range d.Definition.Terms {
		fmt.Fprintf(&b, "Term %s is due when each case says (%s): which rule sets it is not in the log.\n", d.Definition.Terms[i].ID, d.Definition.Terms[i].Due)
	}
	for _, x := range d.LeftOut {
		fmt.Fprintf(&b, "Not kept: %s\n", x)
	}
	return b.String()
}

// Nameless says how many events have no name; empty where all have one.
func (d *Draft) Nameless() string {
	if d.Unnamed == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d events have no concept:name: nothing is learnt of them, and their cases do not fit the draft.", d.Unnamed, d.Events)
}

// Write writes the draft: what it was learnt from above it, and at each state how
// long requests stood there.
func (d *Draft) Write(log string) ([]byte, error) {
	source, err := workflows.Write(d.Definition, d.Comment(log))
	if err != nil {
		return nil, err
	}
	ends := map[domain.StateID]bool{}
	for _, s := range d.Definition.States {
		ends[s.ID] = s.Kind == workflows.KindEnd
	}
	byActivity := map[string]string{}
	for _, s := range d.Learnt.Pace.After {
		byActivity[s.Activity] = s.hint()
	}
	hints := map[string]string{} // by state, which has the id of the action that leads to it
	for _, a := range d.Definition.Actions {
		if !ends[domain.StateID(a.ID)] {
			hints[string(a.ID)] = byActivity[a.RecordedAs]
		}
	}
	var b strings.Builder
	states := false
	for line := range strings.Lines(string(source)) {
		if line[0] != ' ' {
			states = line == "states:\n"
		}
		id, first := strings.CutPrefix(line, "  - id: ")
		if h := hints[strings.Trim(id, "\"\n")]; states && first && h != "" {
			b.WriteString("  # " + h + "\n")
		}
		b.WriteString(line)
	}
	// A comment must not change what was written.
	if _, err := workflows.Read(d.Definition.ID, []byte(b.String())); err != nil {
		return nil, fmt.Errorf("write draft: %w", err)
	}
	return []byte(b.String()), nil
}
