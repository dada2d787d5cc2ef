package projections

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/alur-id/alur/domain"
)

// run changes the open terms of a request.
func (r *inboxRow) run(rows *Rows[inboxRow], key Key, change func(openTerms)) {
	open := r.terms()
	change(open)
	r.Clock = open.String()
	r.reckon(rows, key)
}

// reckon says in each row of a request until when there is time.
func (r *inboxRow) reckon(rows *Rows[inboxRow], key Key) {
	open := r.terms()
	_, state, _, _ := splitPlace(r.Place)
	var law openTerm
	for id, t := range open {
		if !id.Legal() {
			continue
		}
		if law.due == 0 || t.due > 0 && t.due < law.due {
			law.due = t.due
		}
		law.ground = max(law.ground, t.ground)
	}
	for row := range rows.All(key) {
		own := open[domain.StateTerm(state)]
		if row.Review != "" {
			own = open[domain.ReviewTerm(row.Review)]
		}
		row.Due, row.Stopped, row.Legal, row.Halted, row.First = own.due, own.ground, law.due, law.ground, never
		for _, due := range []Micros{own.due, law.due} {
			if due > 0 {
				row.First = min(row.First, int64(due))
			}
		}
	}
}

// openTerm is a term that is counted: until when, or why it stands still.
type openTerm struct {
	due    Micros
	ground domain.StopGround
}

type openTerms map[domain.TermID]openTerm

// terms reads the column clock. A line that was not written by String is left out: the
// rows were changed by others, which verifying the view finds.
func (r *inboxRow) terms() openTerms {
	open := openTerms{}
	for line := range strings.Lines(r.Clock) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		if len(parts) < 3 {
			continue
		}
		due, err := strconv.ParseInt(parts[1], 10, 64)
		if err != nil {
			continue
		}
		open[domain.TermID(parts[0])] = openTerm{Micros(due), domain.StopGround(parts[2])}
	}
	return open
}

func (o openTerms) String() string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(o)) {
		b.WriteString(string(id) + " " + strconv.FormatInt(int64(o[id].due), 10) + " " + string(o[id].ground) + "\n")
	}
	return b.String()
}

// note takes what an event says of a term.
func (o openTerms) note(b domain.TermEvent) {
	was, open := o[b.TermID()]
	now := openTerm{MicrosOf(b.Reckoned().Due), was.ground}
	switch b := b.(type) {
	case domain.TermEnded, domain.TermDropped:
		delete(o, b.TermID())
		return
	case domain.TermStarted, domain.TermContinued, domain.TermResumed:
		now.ground = ""
	case domain.TermSuspended:
		if !open {
			return
		}
		now.ground = b.Ground
	default:
		if !open { // it has ended, and is only reckoned by another calendar
			return
		}
	}
	o[b.TermID()] = now
}

// leave ends the terms of the state that a request leaves, and the one that moved it, and
// renames the rest where another version has other names for them.
func (o openTerms) leave(b domain.Body, comes bool) {
	switch b := b.(type) {
	case domain.DecisionDeemed:
		delete(o, b.Term)
	case domain.RequestLapsed:
		delete(o, b.Term)
	}
	if comes {
		for id := range o {
			if !id.Legal() {
				delete(o, id)
			}
		}
	}
	m, migrates := b.(domain.RequestMigrated)
	if !migrates {
		return
	}
	nameless := func(id domain.TermID) bool {
		now, mapped := m.Mapping.Terms[id]
		return mapped && now == ""
	}
	ids := slices.Sorted(maps.Keys(o))
	slices.SortStableFunc(ids, func(x, y domain.TermID) int { return flag(nameless(x)) - flag(nameless(y)) })
	renamed := openTerms{}
	for _, id := range ids {
		now := cmp.Or(m.Mapping.Terms[id], id)
		if _, has := renamed[now]; !has {
			renamed[now] = o[id]
		}
	}
	clear(o)
	maps.Copy(o, renamed)
}
