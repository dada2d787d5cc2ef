package backtest

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/calendar"
)

// Kind is what kind of difference it is.
type Kind string

// The kinds. Of the first five, something is refused or comes out otherwise.
const (
	Refused  Kind = "refused"  // a step is refused
	Document Kind = "document" // one is refused for want of a document that was not handed in by then
	Waits    Kind = "waits"    // the request waits for a review that nobody was asked for
	Stopped  Kind = "stopped"  // the request stands elsewhere than the next step needs
	Outcome  Kind = "outcome"
	Route    Kind = "route" // other states, or in another order
	Deadline Kind = "deadline"
	Fee      Kind = "fee"
	Review   Kind = "review"   // asked for or not
	Work     Kind = "work"     // given out or not, or by another rule
	Needless Kind = "needless" // a step that the new version takes by itself
	Unsaid   Kind = "unsaid"   // what cannot be said without the personal data
	Unjudged Kind = "unjudged" // what cannot be judged at all
)

// order is that of groups with as many histories.
var order = []Kind{Refused, Document, Waits, Stopped, Outcome, Deadline, Fee, Review, Route, Work, Needless, Unsaid, Unjudged}

// fault reports whether something is refused or comes out otherwise.
func (k Kind) fault() bool { return slices.Index(order, k) < 5 }

// Difference is one way in which a history would have gone otherwise.
type Difference struct {
	Kind   Kind   `json:"kind"`
	Cause  string `json:"cause"` // the same for all that it groups
	Detail string `json:"detail,omitempty"`
	Step   string `json:"step,omitempty"` // at which
	By     int64  `json:"by,omitempty"`   // of deadlines, working time in the parts of its measure; of fees, rupiah

	unit func(int64) string
}

// Verdict is what a history comes to.
type Verdict string

// The verdicts.
const (
	Same    Verdict = "unchanged"
	Changed Verdict = "changed"
	Unknown Verdict = "unjudged" // nothing differs that can be told, and not all can be
)

// History is how one request would have gone.
type History struct {
	Request     uuid.UUID         `json:"request"`
	Reference   domain.Reference  `json:"reference"`
	Tenant      domain.TenantCode `json:"tenant"`
	Version     int               `json:"version"` // it was judged by
	Verdict     Verdict           `json:"verdict"`
	Then        string            `json:"then"` // its outcome
	Now         string            `json:"now"`
	Partly      bool              `json:"partly"` // something was refused: now is as far as it can be followed
	Stopped     string            `json:"stopped,omitempty"`
	Differences []Difference      `json:"differences"`
	Steps       []Line            `json:"steps,omitempty"`
}

// Line is one step as it is told.
type Line struct {
	At   time.Time      `json:"at"`
	What string         `json:"what"`
	By   string         `json:"by,omitempty"` // role
	Then domain.StateID `json:"then"`         // after it
	Now  domain.StateID `json:"now,omitempty"`
	Note string         `json:"note,omitempty"`
}

func (h *History) verdict() Verdict {
	v := Same
	for _, d := range h.Differences {
		if d.Kind != Unsaid && d.Kind != Unjudged {
			return Changed
		}
		v = Unknown
	}
	return v
}

// Fault reports whether something is refused or comes out otherwise.
func (h *History) Fault() bool {
	return slices.ContainsFunc(h.Differences, func(d Difference) bool { return d.Kind.fault() })
}

// Report is what a backtest came to.
type Report struct {
	Workflow  string    `json:"workflow"`
	Until     time.Time `json:"until"` // up to which terms of open requests were run
	Histories int       `json:"histories"`
	Unchanged int       `json:"unchanged"`
	Changed   int       `json:"changed"`
	Unjudged  int       `json:"unjudged"`
	Faults    int       `json:"faults"` // in which something is refused or comes out otherwise
	Groups    []*Group  `json:"groups"`
}

// Group is all histories with one cause.
type Group struct {
	Kind     Kind               `json:"kind"`
	Cause    string             `json:"cause"`
	Count    int                `json:"count"`
	Least    string             `json:"least,omitempty"` // by how much, where it is an amount
	Most     string             `json:"most,omitempty"`
	Requests []domain.Reference `json:"requests"`
	Example  *History           `json:"example"` // the first, in steps

	least, most int64
	unit        func(int64) string
	first       uuid.UUID
}

type groupKey struct {
	kind  Kind
	cause string
}

// Run judges the histories of requests, in their order.
func (t *Backtest) Run(ctx context.Context, requests iter.Seq2[uuid.UUID, error]) (Report, error) {
	r := Report{Workflow: t.Workflow.Definition.ID, Until: t.Now.UTC(), Groups: []*Group{}}
	groups := map[groupKey]*Group{}
	for id, err := range requests {
		if err != nil {
			return r, err
		}
		h, err := t.History(ctx, id, false)
		if err != nil {
			return r, err
		}
		r.count(&h)
		seen := map[groupKey]bool{}
		for _, d := range h.Differences {
			key := groupKey{d.Kind, d.Cause}
			g, ok := groups[key]
			if !ok {
				g = &Group{Kind: d.Kind, Cause: d.Cause, first: id, least: abs(d.By), most: abs(d.By), unit: d.unit}
				groups[key] = g
				r.Groups = append(r.Groups, g)
			}
			g.least, g.most = min(g.least, abs(d.By)), max(g.most, abs(d.By))
			if !seen[key] {
				seen[key] = true
				g.Count++
				g.Requests = append(g.Requests, h.Reference)
			}
		}
	}
	slices.SortFunc(r.Groups, func(a, b *Group) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)), cmp.Compare(a.Cause, b.Cause))
	})
	for _, g := range r.Groups {
		h, err := t.History(ctx, g.first, true)
		if err != nil {
			return r, err
		}
		g.Example = &h
		if g.unit != nil {
			g.Least, g.Most = g.unit(g.least), g.unit(g.most)
		}
	}
	return r, nil
}

func (r *Report) count(h *History) {
	r.Histories++
	switch h.Verdict {
	case Same:
		r.Unchanged++
	case Changed:
		r.Changed++
	case Unknown:
		r.Unjudged++
	}
	if h.Fault() {
		r.Faults++
	}
}

func rupiah(n int64) string { return fmt.Sprintf("Rp %d", n) }

// spans tells amounts of a measure.
func spans(m calendar.Measure) func(int64) string {
	return func(n int64) string {
		text := m.Text(calendar.Span(n))
		if m == calendar.WorkingTime {
			return text + " of working time"
		}
		if m == calendar.WorkingDays {
			text = strings.Replace(text, "days", "working days", 1)
		}
		return text
	}
}

func abs(n int64) int64 { return max(n, -n) }
