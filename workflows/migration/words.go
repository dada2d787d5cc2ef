package migration

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Group is requests of which the same would become, but for the moments.
type Group struct{ Requests []Forecast }

// Groups puts together what is alike; the largest group is first.
func Groups(list []Forecast) []Group {
	at := map[string]int{}
	var groups []Group
	for _, f := range list {
		key := fmt.Sprint(f.From, "\x00", f.To, "\x00", f.How, "\x00", f.alike())
		i, ok := at[key]
		if !ok {
			i = len(groups)
			at[key] = i
			groups = append(groups, Group{})
		}
		groups[i].Requests = append(groups[i].Requests, f)
	}
	slices.SortStableFunc(groups, func(a, b Group) int { return len(b.Requests) - len(a.Requests) })
	return groups
}

// alike is what the requests of a group have in common.
func (f Forecast) alike() string {
	if f.Refusal != "" {
		return refusalKind(f.Refusal)
	}
	var b strings.Builder
	for _, c := range f.Changes {
		fmt.Fprintln(&b, c.Kind, c.ID, c.Was, c.What, c.Budget, c.Former, c.Before.IsZero(), c.After.IsZero())
	}
	return b.String()
}

// refusalKind is a refusal without the moments in it.
func refusalKind(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		if _, err := time.Parse(time.RFC3339, strings.TrimRight(w, ",;:")); err == nil {
			words[i] = ""
		}
	}
	return strings.Join(words, " ")
}

// Way is where the requests go.
func (g Group) Way() string {
	switch f := g.Requests[0]; f.How {
	case Stays:
		if f.To != f.From {
			return fmt.Sprintf("in %s: what follows by itself takes them to %s", f.From, f.To)
		}
		return fmt.Sprintf("in %s: stay there", f.From)
	case Renamed:
		return fmt.Sprintf("in %s: stay there, and it is called %s", f.From, f.To)
	case Ends:
		return fmt.Sprintf("in %s: end in %s", f.From, f.To)
	case Moves:
		return fmt.Sprintf("in %s: move to %s", f.From, f.To)
	}
	return ""
}

// Words is the change at an index of the first request, and how it is with the others.
func (g Group) Words(i int, moment func(time.Time) string) string {
	c := g.Requests[0].Changes[i]
	name := fmt.Sprintf("%s %s", c.Kind, c.ID)
	if c.Kind == KindTerm && c.Was != "" && c.What != Gained {
		name += " (was " + c.Was + ")"
	}
	switch c.Kind {
	case KindTerm:
		return name + ": " + g.term(i, moment)
	case KindExpiry:
		return expiry(c, g.moment(i, before, moment), g.moment(i, after, moment))
	case KindFee:
		return name + ": " + g.fee(i)
	case KindReview:
		if c.What == Lost {
			return fmt.Sprintf("%s: not asked for any more (it was %s)", name, c.Was)
		}
		return name + ": asked for"
	case KindPromise:
		return fmt.Sprintf("term %s: ", c.ID) + promised(c, g.moment(i, before, moment), g.moment(i, after, moment))
	case KindLadder:
		return fmt.Sprintf("term %s: ", c.ID) + ladder(c, g.moment(i, after, moment))
	case KindExtension:
		return fmt.Sprintf("term %s: ", c.ID) + extension(c)
	case KindDocument:
		return name + ": " + word(c.What, "required", "not required any more")
	case KindHandedIn:
		return fmt.Sprintf("document %s: what was handed in is not kept", c.ID)
	case KindCheck:
		return name + ": " + word(c.What, "is to be answered", "what was answered is not kept")
	case KindAnswer:
		return fmt.Sprintf("system %s: its answer %s counts no more", c.ID, c.Was)
	case KindTask:
		return "work: " + work(c)
	case KindConsent:
		return fmt.Sprintf("consent to another %s for reason %s: counts no more", c.ID, c.Was)
	case KindPast:
		if c.Was == "role" {
			return fmt.Sprintf("role %s: who acted in it is not known by it any more", c.ID)
		}
		return fmt.Sprintf("action %s: that it was taken counts no more, also for four eyes", c.ID)
	case KindStatus:
		return fmt.Sprintf("the applicant reads %s, and not %s", c.ID, c.Was)
	case KindAction:
		return name + ": " + word(c.What, "possible here", "not possible here any more")
	case KindFact:
		if c.What == Other {
			return name + ": gets another value, and not " + c.Was
		}
		return name + ": " + word(c.What, "gets a value", "is not kept")
	case KindNotice:
		return name + ": given"
	}
	return name
}

func before(c Change) time.Time { return c.Before }

func after(c Change) time.Time { return c.After }

// moment is a moment of the change at an index, or from when to when it is with all the
// requests.
func (g Group) moment(i int, of func(Change) time.Time, moment func(time.Time) string) string {
	first := of(g.Requests[0].Changes[i])
	last := first
	for _, f := range g.Requests {
		t := of(f.Changes[i])
		if t.Before(first) {
			first = t
		}
		if t.After(last) {
			last = t
		}
	}
	if a, b := moment(first), moment(last); a != b {
		return a + " to " + b
	}
	return moment(first)
}

// Refusal is why the requests cannot be moved. Where it names a moment, that is of one of
// them, which it names too.
func (g Group) Refusal() string {
	f := g.Requests[0]
	if len(g.Requests) > 1 && refusalKind(f.Refusal) != strings.Join(strings.Fields(f.Refusal), " ") {
		return fmt.Sprintf("such as %s, where %s", f.Reference, f.Refusal)
	}
	return f.Refusal
}

// expiry says what is decided when, where nobody decides before.
func expiry(c Change, before, after string) string {
	at := func(t time.Time, said string) string {
		if t.IsZero() {
			return "when it runs out"
		}
		return "at " + said
	}
	s := fmt.Sprintf("term %s: in silence, %s %s", c.ID, at(c.After, after), c.Budget)
	if c.Was != "" {
		s += fmt.Sprintf("; until now, %s %s", at(c.Before, before), c.Was)
	}
	return s
}

// promised says what becomes of a promise.
func promised(c Change, before, after string) string {
	switch {
	case c.What == Lost:
		return "nothing is promised any more; it was " + c.Was
	case c.What == Gained && c.After.IsZero():
		return "promised within " + c.Budget
	case c.What == Gained:
		return fmt.Sprintf("promised within %s, by %s", c.Budget, after)
	case c.What == Other:
		return fmt.Sprintf("promised within %s, and not %s", c.Budget, c.Was)
	}
	return fmt.Sprintf("promised %s: within %s, by %s, and not by %s", map[What]string{Longer: "for later", Shorter: "for sooner"}[c.What], c.Budget, after, before)
}

// extension says what becomes of an extension.
func extension(c Change) string {
	switch {
	case c.What == Gained:
		return fmt.Sprintf("it can be extended by %s", c.Budget)
	case c.What == Other:
		return fmt.Sprintf("it can be extended by %s, and not by %s", c.Budget, c.Was)
	case c.Former != "":
		return fmt.Sprintf("it can be extended no more: it keeps its %s, and what would extend it, %s, is counted otherwise; take: new gives it both", c.Former, c.Budget)
	}
	return fmt.Sprintf("it can be extended no more, by %s until now", c.Was)
}

// ladder says who is told as a term runs out.
func ladder(c Change, after string) string {
	if c.What == Gained {
		return c.Was + " is told at once"
	}
	who := func(s string) string {
		if s == "" {
			return "nobody"
		}
		return s
	}
	s := fmt.Sprintf("who is told as it runs out: %s, until now %s", who(c.Budget), who(c.Was))
	if c.Budget == c.Was {
		s = "who is told as it runs out: " + who(c.Budget)
	}
	if !c.After.IsZero() && !c.After.Equal(c.Before) {
		s += "; next at " + after
	}
	return s
}

// work says what becomes of the work in the state.
func work(c Change) string {
	switch {
	case c.What == Gained:
		return "is given out"
	case c.Was == "taken":
		return "whoever had taken it has it no more"
	case c.What == Lost:
		return "is not given out any more"
	}
	return "is offered anew, at the end of its queue"
}

func word(w What, gained, lost string) string {
	if w == Gained {
		return gained
	}
	return lost
}

func (g Group) fee(i int) string {
	c := g.Requests[0].Changes[i]
	low, high := c.Rupiah, c.Rupiah
	for _, f := range g.Requests {
		low, high = min(low, f.Changes[i].Rupiah), max(high, f.Changes[i].Rupiah)
	}
	amount := fmt.Sprintf("Rp %d", low)
	if high != low {
		amount = fmt.Sprintf("Rp %d to %d", low, high)
	}
	switch {
	case c.What == Gained:
		return "owed, " + amount
	case c.What == Other:
		return "assessed anew, " + amount + " owed"
	case c.Was == "paid":
		return amount + " were paid and count no more: to be given back"
	}
	return "not owed any more, " + amount
}

func (g Group) term(i int, moment func(time.Time) string) string {
	c := g.Requests[0].Changes[i]
	example := fmt.Sprintf("such as %s: due %s, then %s", g.Requests[0].Reference, moment(c.Before), moment(c.After))
	due := g.moment(i, after, moment)
	switch c.What {
	case Lost:
		if c.Before.IsZero() {
			return "ends; it had no due time"
		}
		return "ends; it was due " + g.moment(i, before, moment)
	case Gained:
		if c.Was != "" {
			return fmt.Sprintf("begins where it would have begun, by what term %s tells: %s, due %s", c.Was, c.Budget, due)
		}
		return fmt.Sprintf("begins: %s, due %s", c.Budget, due)
	case Kept:
		return "goes on as it is, " + c.Budget
	case Stops:
		return "stands still from then on" + instead(c)
	case Runs:
		return "runs again, due " + due + instead(c)
	case Longer, Shorter, Other:
	}
	if c.LeftAfter != "" {
		return g.still(c)
	}
	if c.What == Other && !c.After.IsZero() && c.After.Equal(c.Before) {
		return "is of " + c.Budget + " now, and due as before"
	}
	if c.Before.IsZero() || c.After.IsZero() {
		return fmt.Sprintf("is of %s now, and not %s; it has no due time yet", c.Budget, c.Former)
	}
	low, high := c.shift(), c.shift()
	for _, f := range g.Requests {
		low, high = min(low, f.Changes[i].shift()), max(high, f.Changes[i].shift())
	}
	by := lasting(low)
	if high != low {
		by += " to " + lasting(high)
	}
	return fmt.Sprintf("%s by %s, %s; %s", c.What, by, c.Budget, example)
}

// still says what becomes of a term that stands still: what it comes to is seen when it runs
// again.
func (g Group) still(c Change) string {
	s, example := "stands still: ", ""
	if c.What != Other {
		s = string(c.What) + ", while it stands still: "
	}
	if len(g.Requests) > 1 {
		example = fmt.Sprintf("such as %s, ", g.Requests[0].Reference)
	}
	was := c.Former
	if was == "" {
		was = c.Budget
	}
	return fmt.Sprintf("%s%swas %s left of %s, becomes %s left of %s", s, example, c.LeftBefore, was, c.LeftAfter, c.Budget)
}

// instead says that a term has another budget, too.
func instead(c Change) string {
	if c.Former == "" {
		return ""
	}
	return fmt.Sprintf(", of %s and not %s", c.Budget, c.Former)
}

// shift is by how much a due time moves.
func (c Change) shift() time.Duration { return c.After.Sub(c.Before).Abs() }

// lasting is a time in days and hours.
func lasting(d time.Duration) string {
	days, hours, minutes := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60
	var parts []string
	for _, p := range []struct {
		n    int
		unit string
	}{{days, "day"}, {hours, "hour"}, {minutes, "minute"}} {
		switch {
		case p.n == 1:
			parts = append(parts, "1 "+p.unit)
		case p.n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", p.n, p.unit))
		}
	}
	if len(parts) == 0 {
		return "less than a minute"
	}
	return strings.Join(parts, " ")
}
