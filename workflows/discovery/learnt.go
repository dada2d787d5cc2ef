package discovery

import (
	"cmp"
	"encoding/binary"
	"time"

	"github.com/alur-id/alur/workflows"
)

// Learnt is what a log shows of how a service is worked, beside the order of its
// steps: what is done again, what is done side by side, by whom, and how long it
// takes. None of it is in the definition; it is for whoever edits the draft.
type Learnt struct {
	Rework   Rework     `json:"rework"`
	Parallel Parallel   `json:"parallel"`
	Who      Who        `json:"who"`             // by org:resource
	Roles    *Who       `json:"roles,omitempty"` // by the attribute that became the roles, where that is another
	Pace     Pace       `json:"pace"`
	NotKept  []FullList `json:"not_kept,omitempty"` // tables that were full
}

// FullList says that a table of the report was full, and how many entries it has
// no part in.
type FullList struct {
	Table string `json:"table"`
	Most  int    `json:"most"`
	Times int    `json:"times"`
}

// How many lines of a list that grows with the square of a log's names are
// reported.
const maxListed = 100

// step is an event as the observers see it.
type step struct {
	activity       int
	resource, role string
	at             time.Time
}

// observer watches the traces go by.
type observer struct {
	names    []string // of the activities
	index    map[string]int
	cases    int
	rework   []reworked
	loops    *tally[string, loopCount]
	longer   int
	returned int // cases
	pairs    *tally[[2]int, pairCount]
	who      *whoDid
	roles    *whoDid // nil: the roles are the resources
	after    []spans
	whole    spans
}

func newObserver(options Options) *observer {
	kept := cmp.Or(options.Kept, MaxKept)
	o := &observer{
		index: map[string]int{}, loops: newTally[string, loopCount](kept), pairs: newTally[[2]int, pairCount](kept),
		who: newWhoDid(func(s step) string { return s.resource }, kept),
	}
	if role := options.Role; role == "org:role" || role == "org:group" {
		o.roles = newWhoDid(func(s step) string { return s.role }, kept)
	}
	return o
}

// step takes note of an activity's name.
func (o *observer) step(activity, role string, e workflows.TraceEvent) step {
	i, ok := o.index[activity]
	if !ok {
		i = len(o.names)
		o.index[activity] = i
		o.names = append(o.names, activity)
		o.rework = append(o.rework, reworked{})
		o.after = append(o.after, spans{})
	}
	return step{activity: i, resource: e.RoleBy("org:resource"), role: role, at: e.Time}
}

func (o *observer) trace(steps []step) {
	o.cases++
	o.again(steps)
	o.sideBySide(steps)
	o.who.trace(steps)
	if o.roles != nil {
		o.roles.trace(steps)
	}
	for i := 1; i < len(steps); i++ {
		o.after[steps[i-1].activity].add(steps[i-1].at, steps[i].at)
	}
	if len(steps) > 0 {
		o.whole.add(steps[0].at, steps[len(steps)-1].at)
	}
}

func (o *observer) learnt() *Learnt {
	l := &Learnt{Rework: o.reworkReport(), Parallel: o.parallelReport(), Who: o.who.report(o.names), Pace: o.pace()}
	full := func(table string, most, times int) {
		if times > 0 {
			l.NotKept = append(l.NotKept, FullList{table, most, times})
		}
	}
	full("loops", o.loops.most, o.loops.leftOut)
	full("pairs of activities", o.pairs.most, o.pairs.leftOut)
	full("activities by resource", o.who.by.most, o.who.by.leftOut)
	full("handovers between resources", o.who.handed.most, o.who.handed.leftOut)
	if o.roles != nil {
		roles := o.roles.report(o.names)
		l.Roles = &roles
		full("activities by role", o.roles.by.most, o.roles.by.leftOut)
		full("handovers between roles", o.roles.handed.most, o.roles.handed.leftOut)
	}
	return l
}

// Rework is what is done again in one case.
type Rework struct {
	Cases      int              `json:"cases"` // in which anything came again
	Activities []ReworkActivity `json:"activities"`
	Loops      []Loop           `json:"loops"`     // the most frequent
	AllLoops   int              `json:"all_loops"` // how many different there are
	Longer     int              `json:"longer"`    // rounds of loops too long to be told apart
}

// ReworkActivity is an activity that came again in a case.
type ReworkActivity struct {
	Activity string `json:"activity"`
	Cases    int    `json:"cases"` // that have it
	Again    int    `json:"again"` // of them: more than once
	Repeats  int    `json:"repeats"`
	Most     int    `json:"most"` // in one case
}

// Loop is a way round, from an activity back to itself.
type Loop struct {
	Activities []string `json:"activities"` // the first follows the last
	Rounds     int      `json:"rounds"`
	Cases      int      `json:"cases"`
}

// maxLoop is the longest loop that is told apart: longer ones are hardly ever
// taken twice and would fill the table.
const maxLoop = 8

type reworked struct{ cases, again, repeats, most int }

type loopCount struct {
	activities          []int
	rounds, cases, last int // the last case that took it
}

// again counts what comes again in a case, and cuts the case into rounds: a round
// ends where an activity comes that was seen since the last round ended. So A B C
// A B C A is two rounds of A B C, and not also one of B C A and of C A B.
func (o *observer) again(steps []step) {
	count, last := map[int]int{}, map[int]int{}
	from := 0
	for i, s := range steps {
		count[s.activity]++
		if j, ok := last[s.activity]; ok && j >= from {
			o.round(steps[j:i])
			from = i
		}
		last[s.activity] = i
	}
	for a, n := range count {
		r := &o.rework[a]
		r.cases++
		r.repeats += n - 1
		r.most = max(r.most, n)
		if n > 1 {
			r.again++
		}
	}
	if len(count) < len(steps) {
		o.returned++
	}
}

func (o *observer) round(steps []step) {
	if len(steps) > maxLoop {
		o.longer++
		return
	}
	var key []byte
	for _, s := range steps {
		key = binary.AppendUvarint(key, uint64(s.activity))
	}
	l := o.loops.at(string(key))
	if l == nil {
		return
	}
	if l.activities == nil {
		for _, s := range steps {
			l.activities = append(l.activities, s.activity)
		}
	}
	l.rounds++
	if l.last != o.cases {
		l.last = o.cases
		l.cases++
	}
}

func (o *observer) reworkReport() Rework {
	r := Rework{Cases: o.returned, Activities: []ReworkActivity{}, Loops: []Loop{}, AllLoops: len(o.loops.kept), Longer: o.longer}
	for i, w := range o.rework {
		if w.again > 0 {
			r.Activities = append(r.Activities, ReworkActivity{o.names[i], w.cases, w.again, w.repeats, w.most})
		}
	}
	r.Activities = mostFirst(r.Activities, len(r.Activities), func(a ReworkActivity) int { return a.Again }, func(a ReworkActivity) string { return a.Activity })
	for _, l := range o.loops.kept {
		r.Loops = append(r.Loops, Loop{o.named(l.activities), l.rounds, l.cases})
	}
	r.Loops = mostFirst(r.Loops, maxListed, func(l Loop) int { return l.Rounds }, func(l Loop) string { return joined(l.Activities) })
	return r
}
