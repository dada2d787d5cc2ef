package workflows

import (
	"strings"
	"time"

	"github.com/alur-id/alur/domain"
)

// Clocked is a term of a request as it is shown.
type Clocked struct {
	Term     domain.TermID     `json:"term"`
	Title    *Text             `json:"title,omitempty"`
	Budget   string            `json:"budget"`
	Promise  string            `json:"promise,omitempty"`
	Standing string            `json:"standing" enum:"running,suspended,expired,ended"`
	Stopped  domain.StopGround `json:"stopped,omitempty" doc:"why it stands still"`
	Started  time.Time         `json:"started"`
	Due      time.Time         `json:"due,omitzero" doc:"the last moment that is in time"`
	Promised time.Time         `json:"promised,omitzero"`
	Expired  time.Time         `json:"expired,omitzero" doc:"when it ran out"`
	Extended bool              `json:"extended,omitempty"`
	Calendar string            `json:"calendar" doc:"the version of the calendar that it was last reckoned by"`
}

// Clock lists the terms of a request, those of law first.
func Clock(r domain.Request, d *Definition) []Clocked {
	list := []Clocked{}
	for _, id := range r.TermIDs() {
		t := r.Terms[id]
		c := Clocked{
			Term: id, Title: d.termTitle(id), Budget: t.Lasts(), Promise: t.Promise, Standing: standing(t), Started: t.Started,
			Due: t.Due, Promised: t.Promised, Expired: t.Expired, Extended: len(t.Extended) > 0, Calendar: t.Calendar,
		}
		if t.Open() {
			c.Stopped = t.Stopped()
		}
		list = append(list, c)
	}
	return list
}

// termTitle is what a term is called: by its own name, or by that of the state or the
// review that it is of.
func (d *Definition) termTitle(id domain.TermID) *Text {
	if t := d.legalTerm(string(id)); t != nil {
		return &t.Title
	}
	_, of, _ := strings.Cut(string(id), ":")
	if s := d.state(domain.StateID(of)); s != nil && id == domain.StateTerm(s.ID) {
		return &s.Title
	}
	if x := d.review(domain.ReviewID(of)); x != nil && id == domain.ReviewTerm(x.ID) {
		return &x.Title
	}
	return nil
}
