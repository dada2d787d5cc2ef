package workflows

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/alur-id/alur/domain"
)

// compare says how the request stands otherwise than expected, each at its place.
func (p *player) compare(e *Expected) []failure {
	var wrong []failure
	note := func(key, format string, args ...any) {
		at, ok := e.places[key]
		if !ok {
			at = failure{line: e.line, column: e.column}
		}
		at.text = fmt.Sprintf(format, args...)
		wrong = append(wrong, at)
	}
	differ := func(what string, want, got any) {
		if !reflect.DeepEqual(want, got) {
			note(what, "%s is %s, and the test expects %s", what, asSeen(got), asSeen(want))
		}
	}
	r := p.request
	if e.State != "" && e.State != r.State {
		note("state", "the request is in state %s, and the test expects %s; it went by %s", r.State, e.State, domain.Listed(p.way))
	}
	if e.Worker != "" {
		differ("who has the work", e.Worker, r.Dossier.Picked)
	}
	if e.Public != "" {
		differ("public", e.Public, r.Public)
	}
	if e.Outcome != "" {
		got := string(r.Outcome)
		if got == "" {
			got = "open"
		}
		differ("outcome", e.Outcome, got)
	}
	feeIDs := p.w.Definition.names("fee")
	for _, id := range slices.Sorted(maps.Keys(e.Fees)) {
		got, assessed := r.Dossier.Fees[domain.FeeID(id)]
		switch {
		case !slices.Contains(feeIDs, id):
			note("fees."+id, "there is no fee %q%s", id, meant(id, feeIDs))
		case !assessed:
			note("fees."+id, "fee %s was not assessed", id)
		case got.Amount != int64(e.Fees[id]):
			note("fees."+id, "fee %s is Rp %d, and the test expects Rp %d", id, got.Amount, e.Fees[id])
		}
	}
	reviewIDs := p.w.Definition.names("review")
	for _, id := range slices.Sorted(maps.Keys(e.Reviews)) {
		got := string(r.Dossier.Reviews[domain.ReviewID(id)].Opinion)
		if got == "" {
			got = "none"
		}
		switch {
		case !slices.Contains(reviewIDs, id):
			note("reviews."+id, "there is no review %q%s", id, meant(id, reviewIDs))
		case got == "none" && e.Reviews[id] != got:
			note("reviews."+id, "review %s was not asked for, and the test expects %s", id, e.Reviews[id])
		case got != e.Reviews[id]:
			note("reviews."+id, "review %s is %s, and the test expects %s", id, got, e.Reviews[id])
		}
	}
	p.compareFacts(e, note)
	p.compareTerms(e, note)
	return wrong
}

func (p *player) compareTerms(e *Expected, note func(key, format string, args ...any)) {
	for _, id := range slices.Sorted(maps.Keys(e.Due)) {
		t, there := p.request.Terms[domain.TermID(id)]
		got := t.Due.In(p.calendar.Zone()).Format(momentForm)
		switch {
		case !there:
			note("due."+id, "term %s has not started, and the test expects it to be due at %s", id, e.Due[id])
		case t.Stopped() != "":
			note("due."+id, "term %s stands still (%s), and the test expects it to be due at %s", id, t.Stopped(), e.Due[id])
		case got != e.Due[id]:
			note("due."+id, "term %s is due at %s, and the test expects %s", id, got, e.Due[id])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(e.Terms)) {
		if got := standing(p.request.Terms[domain.TermID(id)]); got != e.Terms[id] {
			note("terms."+id, "term %s is %s, and the test expects %s", id, got, e.Terms[id])
		}
	}
}

// standing is one of [termStandings].
func standing(t domain.Term) string {
	switch {
	case t.Started.IsZero():
		return "none"
	case !t.Expired.IsZero():
		return "expired"
	case !t.Open():
		return "ended"
	case t.Stopped() != "":
		return "suspended"
	}
	return "running"
}

func (p *player) compareFacts(e *Expected, note func(key, format string, args ...any)) {
	factIDs := ids(p.w.Definition.Facts, func(f Fact) string { return f.ID })
	want := FactsOf(e.Facts)
	for _, id := range slices.Sorted(maps.Keys(want)) {
		got := p.request.Facts[id]
		switch {
		case !slices.Contains(factIDs, id):
			note("facts."+id, "there is no fact %q%s", id, meant(id, factIDs))
		case !reflect.DeepEqual(want[id], got):
			note("facts."+id, "fact %s is %s, and the test expects %s", id, asSeen(got), asSeen(want[id]))
		}
	}
}

// asSeen is a value as the reader of a test sees it.
func asSeen(v any) string {
	if v == nil {
		return "missing"
	}
	return fmt.Sprint(v)
}
