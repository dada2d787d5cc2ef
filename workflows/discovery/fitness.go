package discovery

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// MaxPrefixes is how many different beginnings of cases a [Meter] keeps, some 100
// bytes each. Precision is then of those whose every continuation was kept.
const MaxPrefixes = 1_000_000

// Quality is how well a definition and a log agree.
type Quality struct {
	Cases          int     `json:"cases"`
	CasesReplayed  int     `json:"cases_replayed"` // wholly
	Fitness        float64 `json:"fitness"`        // CasesReplayed of Cases
	Events         int     `json:"events"`
	EventsReplayed int     `json:"events_replayed"` // before the first of its case that was refused
	EventFitness   float64 `json:"event_fitness"`

	// CasesByRole counts the replayed cases of which the definition lets everybody
	// do what they did, as an import asks.
	CasesByRole int     `json:"cases_replayed_by_role"`
	RoleFitness float64 `json:"role_fitness"`
	Ended       int     `json:"cases_ended"` // replayed cases that stand at an end

	Precision  float64  `json:"precision"`   // Taken of Allowed
	Allowed    int      `json:"allowed"`     // next activities that the definition allows, over all beginnings of cases
	Taken      int      `json:"taken"`       // of them: taken by any case that began so
	Prefixes   int      `json:"prefixes"`    // different beginnings
	LeftOut    int      `json:"left_out"`    // beginnings that precision is not of, since there was no room for all
	Misfits    []Misfit `json:"misfits"`     // the most frequent
	AllMisfits int      `json:"all_misfits"` // how many different there are
}

// Misfit is a step that a definition refuses.
type Misfit struct {
	After    domain.StateID `json:"after"`
	Activity string         `json:"activity"`
	Cases    int            `json:"cases"`
}

// Meter measures how well the traces it is given agree with a definition, on the
// machine that decides requests. It replays the steps and looks at nothing that an
// event log does not tell, such as documents or payments.
//
// Precision is that of escaping edges (Muñoz-Gama, Carmona: A Fresh Look at
// Precision in Process Conformance, BPM 2010): for each beginning of each case, the
// empty one and the whole case included, the next activities that the definition
// allows are counted, and those of them that some case which began so took. Their
// ratio over all beginnings, each as often as it occurs, is the precision; what is
// allowed and never taken are the escaping edges. Of a case that does not fit, the
// beginning that fits is counted.
type Meter struct {
	w       *workflows.Workflow
	start   domain.StateID
	actions map[string]domain.ActionID
	numbers map[domain.ActionID]uint32
	roles   map[string]workflows.Role
	roleBy  string

	q        Quality
	most     int
	prefixes []prefix // 0 is the empty one
	longer   map[[2]uint32]uint32
	misfits  *tally[Misfit, int]
}

// prefix is a beginning of cases.
type prefix struct {
	times, allowed, taken int
	partly                bool // a continuation found no room
}

// NewMeter makes a meter that keeps at most so many prefixes.
func NewMeter(d *workflows.Definition, prefixes int) *Meter {
	w := workflows.Compile(d, 0)
	m := &Meter{
		w: w, start: w.Submission().State, numbers: map[domain.ActionID]uint32{}, roleBy: "org:resource", most: max(1, prefixes),
		prefixes: make([]prefix, 1), longer: map[[2]uint32]uint32{}, misfits: newTally[Misfit, int](MaxKept),
	}
	if d.History != nil {
		m.roleBy = d.History.Role
	}
	m.actions = d.RecordedActions()
	m.roles = d.RecordedRoles()
	for i, a := range d.Actions {
		m.numbers[a.ID] = uint32(i)
	}
	return m
}

// Add replays a case. An error is a fault of the machine, not of the case.
func (m *Meter) Add(t workflows.Trace) error {
	m.q.Cases++
	m.q.Events += len(t.Events)
	state, at, byRole := m.start, m.visit(0, true, m.start), true
	for _, e := range t.Events {
		action, known := m.actions[e.Activity()]
		if !known || e.Name == "" {
			m.misfit(state, e)
			return nil
		}
		step, err := m.w.Fire(domain.Request{State: state}, action)
		var refusal *domain.Refusal
		if errors.As(err, &refusal) {
			m.misfit(state, e)
			return nil
		}
		if err != nil {
			return err
		}
		role, known := m.roles[e.RoleBy(m.roleBy)]
		byRole = byRole && known && slices.Contains(step.Roles, role.ID)
		m.q.EventsReplayed++
		state = step.To
		next, kept := m.longerBy(at, m.numbers[action])
		at = m.visit(next, kept, state)
	}
	m.q.CasesReplayed++
	if byRole {
		m.q.CasesByRole++
	}
	if s, _ := m.w.State(state); s.Kind == workflows.KindEnd {
		m.q.Ended++
	}
	return nil
}

func (m *Meter) misfit(after domain.StateID, e workflows.TraceEvent) {
	if n := m.misfits.at(Misfit{After: after, Activity: e.Activity()}); n != nil {
		*n++
	}
}

// noPrefix stands for one that is not kept.
const noPrefix = ^uint32(0)

// longerBy is the prefix that is one step longer.
func (m *Meter) longerBy(at, action uint32) (uint32, bool) {
	if at == noPrefix {
		return noPrefix, false
	}
	next, ok := m.longer[[2]uint32{at, action}]
	if ok {
		return next, true
	}
	if len(m.prefixes) >= m.most {
		m.prefixes[at].partly = true
		return noPrefix, false
	}
	next = uint32(len(m.prefixes))
	m.longer[[2]uint32{at, action}] = next
	m.prefixes = append(m.prefixes, prefix{})
	m.prefixes[at].taken++
	return next, true
}

// visit counts that a case began so, and came to a state by it.
func (m *Meter) visit(at uint32, kept bool, state domain.StateID) uint32 {
	if !kept {
		m.q.LeftOut++
		return noPrefix
	}
	m.prefixes[at].times++
	m.prefixes[at].allowed = len(m.w.Leaving(state))
	return at
}

// Quality is what the cases came to until now. The shares of nothing are 0.
func (m *Meter) Quality() Quality {
	q := m.q
	q.Prefixes = len(m.prefixes)
	for _, p := range m.prefixes {
		if p.partly {
			q.LeftOut += p.times
			continue
		}
		q.Allowed += p.times * p.allowed
		q.Taken += p.times * p.taken
	}
	q.Fitness = share(q.CasesReplayed, q.Cases)
	q.EventFitness = share(q.EventsReplayed, q.Events)
	q.RoleFitness = share(q.CasesByRole, q.Cases)
	q.Precision = share(q.Taken, q.Allowed)
	q.Misfits = []Misfit{}
	for f, n := range m.misfits.kept {
		f.Cases = *n
		q.Misfits = append(q.Misfits, f)
	}
	q.AllMisfits = len(q.Misfits)
	q.Misfits = mostFirst(q.Misfits, maxListed, func(f Misfit) int { return f.Cases }, func(f Misfit) string { return string(f.After) + "\x00" + f.Activity })
	return q
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// Flower is the definition that lets everybody do everything at any time: it
// replays every case of these activities and says nothing about them.
func Flower(d *workflows.Definition) *workflows.Definition {
	f := *d
	start := d.States[slices.IndexFunc(d.States, func(s workflows.State) bool { return s.Kind == workflows.KindStart })]
	f.States = []workflows.State{start}
	f.Transitions = nil
	var everybody []domain.RoleID
	for _, r := range d.Roles {
		everybody = append(everybody, r.ID)
	}
	for _, a := range d.Actions {
		f.Transitions = append(f.Transitions, workflows.Transition{Action: a.ID, From: []domain.StateID{start.ID}, To: start.ID, Roles: everybody})
	}
	return &f
}

// Measured is the quality of a draft: on what it was learnt from, on what was kept
// from it, and that of a flower of the same activities, to compare with.
type Measured struct {
	Learnt       Quality  `json:"learnt"`
	LearntFlower Quality  `json:"learnt_flower"`
	Held         *Quality `json:"held_out,omitempty"`
	HeldFlower   *Quality `json:"held_out_flower,omitempty"`
}

// Measure replays a log on a definition that was drafted from the [Part] of it
// that is not held out.
func Measure(d *workflows.Definition, traces iter.Seq2[workflows.Trace, error], share float64) (Measured, error) {
	flower := Flower(d)
	learnt, held := [2]*Meter{NewMeter(d, MaxPrefixes), NewMeter(flower, MaxPrefixes)}, [2]*Meter{NewMeter(d, MaxPrefixes), NewMeter(flower, MaxPrefixes)}
	n := 0
	for t, err := range traces {
		if err != nil {
			return Measured{}, err
		}
		n++
		part := learnt
		if heldOut(t, n, share) {
			part = held
		}
		for _, m := range part {
			if err := m.Add(t); err != nil {
				return Measured{}, fmt.Errorf("case %q: %w", t.Name, err)
			}
		}
	}
	m := Measured{Learnt: learnt[0].Quality(), LearntFlower: learnt[1].Quality()}
	if share > 0 {
		q, f := held[0].Quality(), held[1].Quality()
		m.Held, m.HeldFlower = &q, &f
	}
	return m, nil
}

// Part is the cases of a log that are held out, or those that are not. Share is how
// many of all are held out, about: which ones follows from their names alone, so
// that the same cases are held out each time, and in each copy of the log.
func Part(traces iter.Seq2[workflows.Trace, error], share float64, held bool) iter.Seq2[workflows.Trace, error] {
	return func(yield func(workflows.Trace, error) bool) {
		n := 0
		for t, err := range traces {
			n++
			if (err != nil || heldOut(t, n, share) == held) && !yield(t, err) {
				return
			}
		}
	}
}

// heldOut takes the n-th case by a hash of its name; an unnamed one by its place.
// It is a cryptographic hash since names are mostly numbers in a row, and others
// would hold out a stretch of them.
func heldOut(t workflows.Trace, n int, share float64) bool {
	name := t.Name
	if name == "" {
		name = fmt.Sprintf("unnamed case %d", n)
	}
	sum := sha256.Sum256([]byte(name))
	return float64(binary.BigEndian.Uint64(sum[:])>>11)/(1<<53) < share
}
