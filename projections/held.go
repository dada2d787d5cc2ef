package projections

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alur-id/alur/domain"
)

// letters are the holders as they stand in a row; a request that has ended has none.
const letters, noHolder = "aprof", '-'

// holder is in whose hands the request is, as a letter.
func (r *statisticsRow) holder() byte {
	if r.Outcome != "" {
		return noHolder
	}
	hands := domain.Hands{Acts: r.Acts, Halt: r.Halt, Reviews: r.Reviews != ""}
	for text := range strings.SplitSeq(r.Terms, "\n") {
		_, g, _ := strings.Cut(text, " ")
		hands.Stops = append(hands.Stops, domain.StopGround(g))
	}
	return letters[slices.Index(domain.Holders(), hands.Holder())]
}

// hold notes who holds the request from the event on, if that is somebody else. What
// is told in another order than it happened is held from the latest moment on.
func (r *statisticsRow) hold(e domain.Recorded) {
	as := *r
	if r.Source == sourceRecord && r.RecordEnded != 0 { // its record says when it ends, whatever is an end here
		as.Outcome = ""
	}
	now, was := as.holder(), byte(0)
	since := int64(max(0, MicrosOf(e.Occurred)-r.Submitted))
	if i := strings.LastIndexByte(r.Held, ' ') + 1; i < len(r.Held) {
		was = r.Held[i]
		before, _ := strconv.ParseInt(r.Held[i+1:], 10, 64)
		since = max(since, before)
	}
	if now == was {
		return
	}
	entry := string(now) + strconv.FormatInt(since, 10)
	if r.Held != "" {
		entry = " " + entry
	}
	r.Held += entry
}

// close has nobody hold the request from a moment on.
func (r *statisticsRow) close(at Micros) {
	entries := strings.Fields(r.Held)
	for len(entries) > 0 && r.Submitted+since(entries[len(entries)-1]) >= at {
		entries = entries[:len(entries)-1]
	}
	r.Held = strings.Join(append(entries, string(noHolder)+strconv.FormatInt(int64(max(0, at-r.Submitted)), 10)), " ")
}

// span is a time in which somebody held a request.
type span struct {
	by       domain.Holder
	from, to time.Time
}

// spans are those of a request that has ended, up to then.
func (r *statisticsRow) spans() []span {
	var list []span
	end := max(r.Submitted, r.Ended)
	entries := strings.Fields(r.Held)
	for i, entry := range entries {
		n := strings.IndexByte(letters, entry[0])
		if n < 0 {
			continue
		}
		to := end
		if i+1 < len(entries) {
			to = min(end, r.Submitted+since(entries[i+1]))
		}
		if from := r.Submitted + since(entry); from < to {
			list = append(list, span{domain.Holders()[n], from.Time(), to.Time()})
		}
	}
	return list
}

func since(entry string) Micros {
	n, _ := strconv.ParseInt(entry[1:], 10, 64)
	return Micros(n)
}

// termEnded stands for the ground of a term that is not counted any more.
const termEnded domain.StopGround = "-"

// term notes on what ground a term of law stands still; on none, it runs.
func (r *statisticsRow) term(id domain.TermID, g domain.StopGround) {
	terms := r.terms()
	terms[id] = g
	r.setTerms(terms)
}

func (r *statisticsRow) terms() map[domain.TermID]domain.StopGround {
	terms := map[domain.TermID]domain.StopGround{}
	for text := range strings.SplitSeq(r.Terms, "\n") {
		if id, g, began := strings.Cut(text, " "); began {
			terms[domain.TermID(id)] = domain.StopGround(g)
		}
	}
	return terms
}

func (r *statisticsRow) setTerms(terms map[domain.TermID]domain.StopGround) {
	r.Terms = ""
	for _, id := range slices.Sorted(maps.Keys(terms)) {
		r.Terms = line(r.Terms, string(id)+" "+string(terms[id]))
	}
}

// decides has a term end that ran out and moved the request.
func (r *statisticsRow) decides(id domain.TermID) {
	if _, began := r.terms()[id]; began {
		r.term(id, termEnded)
	}
}

// renameTerms calls the terms of law as a mapping does. What has no name any more keeps its
// own, unless another has it now; of two that come under one name, the one that is counted is.
func (r *statisticsRow) renameTerms(now map[domain.TermID]domain.TermID) {
	if len(now) == 0 || r.Terms == "" {
		return
	}
	were, terms := r.terms(), map[domain.TermID]domain.StopGround{}
	ids := slices.Sorted(maps.Keys(were))
	for _, id := range ids {
		if to := domain.Called(now, id); to != "" {
			if g, other := terms[to]; !other || g == termEnded {
				terms[to] = were[id]
			}
		}
	}
	for _, id := range ids {
		if _, other := terms[id]; !other && domain.Called(now, id) == "" {
			terms[id] = were[id]
		}
	}
	r.setTerms(terms)
}
