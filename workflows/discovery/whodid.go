package discovery

import (
	"strings"

	"github.com/alur-id/alur/workflows"
)

// Who is who does what, by an attribute of the events. Events that do not name
// anybody are counted and otherwise left out.
type Who struct {
	Names      int           `json:"names"`
	Unrecorded int           `json:"unrecorded"` // events
	Activities []ActivityWho `json:"activities"`
	ByOne      []ActivityWho `json:"by_one"` // of them: only ever done by one, though done more than once
	Steps      int           `json:"steps"`  // from one event to the next, both by somebody named
	Handed     int           `json:"handed"` // of them: to another
	Handovers  []Handover    `json:"handovers"`
	Pairs      int           `json:"pairs"`        // different handovers
	AllByOne   int           `json:"all_by_one"`   // cases of two events or more that one did alone
	CasesOfTwo int           `json:"cases_of_two"` // cases of two events or more
}

// ActivityWho is who does an activity.
type ActivityWho struct {
	Activity    string `json:"activity"`
	Times       int    `json:"times"` // by somebody named
	Names       int    `json:"names"`
	Mostly      string `json:"mostly"`
	MostlyTimes int    `json:"mostly_times"`
}

// Handover is that one goes on where another stopped.
type Handover struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Times int    `json:"times"`
}

type whoDid struct {
	of                     func(step) string
	names                  []string
	index                  map[string]int
	unrecorded             int
	by                     *tally[[2]int, int] // activity, name
	handed                 *tally[[2]int, int]
	steps, handovers       int
	casesOfTwo, casesAlone int
}

func newWhoDid(of func(step) string, kept int) *whoDid {
	return &whoDid{of: of, index: map[string]int{}, by: newTally[[2]int, int](kept), handed: newTally[[2]int, int](kept)}
}

// name is the number of whoever did a step; -1 for nobody named.
func (w *whoDid) name(s step) int {
	n := w.of(s)
	if n == workflows.Unrecorded {
		w.unrecorded++
		return -1
	}
	i, ok := w.index[n]
	if !ok {
		i = len(w.names)
		w.index[n] = i
		w.names = append(w.names, n)
	}
	return i
}

func (w *whoDid) trace(steps []step) {
	before, alone := -1, true
	for i, s := range steps {
		who := w.name(s)
		if who >= 0 {
			if n := w.by.at([2]int{s.activity, who}); n != nil {
				*n++
			}
		}
		if i > 0 && who >= 0 && before >= 0 {
			w.steps++
			if who != before {
				w.handovers++
				if n := w.handed.at([2]int{before, who}); n != nil {
					*n++
				}
			}
		}
		alone = alone && who >= 0 && (i == 0 || who == before)
		before = who
	}
	if len(steps) > 1 {
		w.casesOfTwo++
		if alone {
			w.casesAlone++
		}
	}
}

func (w *whoDid) report(activities []string) Who {
	r := Who{
		Names: len(w.names), Unrecorded: w.unrecorded, Activities: []ActivityWho{}, ByOne: []ActivityWho{},
		Steps: w.steps, Handed: w.handovers, Handovers: []Handover{}, Pairs: len(w.handed.kept),
		AllByOne: w.casesAlone, CasesOfTwo: w.casesOfTwo,
	}
	of := make([]ActivityWho, len(activities))
	for key, n := range w.by.kept {
		a, name := &of[key[0]], w.names[key[1]]
		a.Activity = activities[key[0]]
		a.Times += *n
		a.Names++
		if *n > a.MostlyTimes || *n == a.MostlyTimes && name < a.Mostly {
			a.Mostly, a.MostlyTimes = name, *n
		}
	}
	for _, a := range of {
		if a.Names > 0 {
			r.Activities = append(r.Activities, a)
		}
	}
	r.Activities = mostFirst(r.Activities, len(r.Activities), func(a ActivityWho) int { return a.Times }, func(a ActivityWho) string { return a.Activity })
	for _, a := range r.Activities {
		if a.Names == 1 && a.Times > 1 {
			r.ByOne = append(r.ByOne, a)
		}
	}
	for key, n := range w.handed.kept {
		r.Handovers = append(r.Handovers, Handover{w.names[key[0]], w.names[key[1]], *n})
	}
	r.Handovers = mostFirst(r.Handovers, maxListed, func(h Handover) int { return h.Times }, func(h Handover) string { return h.From + "\x00" + h.To })
	return r
}

func (o *observer) named(activities []int) []string {
	list := make([]string, len(activities))
	for i, a := range activities {
		list[i] = o.names[a]
	}
	return list
}

func joined(names []string) string { return strings.Join(names, "\x00") }
