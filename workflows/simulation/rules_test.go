package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// head is the beginning of a definition.
const head = `
alur: 1
id: test
title: {id: Uji, en: Test}
agency: {id: Dinas, en: Office}
office: office
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: officer, title: {id: Petugas, en: Officer}, capacities: [officer]}
  - {id: head, title: {id: Kepala, en: Head}, capacities: [officer]}
  - {id: register, title: {id: Daftar, en: Register}, capacities: [system]}
submit: [applicant]
reasons: [{code: wrong, title: {id: Salah, en: Wrong}}]
`

const ends = `
  - {id: done, kind: end, outcome: approved, public: approved, title: {id: Selesai, en: Done}}
`

const byLaw = ends + `  - {id: deemed, kind: end, outcome: approved, public: approved, title: {id: Dianggap, en: Deemed}}
  - {id: lapsed, kind: end, outcome: closed, public: completed, title: {id: Gugur, en: Lapsed}}
`

// fixed is work that always takes as long.
func fixed(d time.Duration) Stage { return Stage{Service: &Duration{Shape: Fixed, Mean: d}} }

// weekly is one arrival in an hour of the week.
func weekly(day time.Weekday, hour int) Arrivals {
	var a Arrivals
	a.ByHour = new([7 * 24]float64)
	a.ByHour[24*int(day)+hour] = 1
	return a
}

func short20(d *workflows.Definition, t testing.TB, p *Parameters) Settings {
	s := Settings{
		Definition: d, Parameters: complete(t, d, p), Calendar: shipped(t), Seed: 7, Replications: 4,
		From: calendar.DateOf(2026, 4, 6), WarmUp: 5, Days: 40,
	}
	s, err := Staffed(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func near(t *testing.T, what string, x *Interval, want, by float64) {
	t.Helper()
	if x == nil || math.Abs(x.Mean-want) > by {
		t.Errorf("%s is %+v, want %v", what, x, want)
	}
}

func stageOf(t *testing.T, r *Report, name string) StageFigures {
	t.Helper()
	for _, s := range r.Stages {
		if s.Stage == name {
			return s
		}
	}
	t.Fatalf("no stage %q in %v", name, r.Stages)
	return StageFigures{}
}

// What comes on a Sunday is begun on Monday at 07.30, and has not waited: nobody was to
// work. Two hours of work later, at 09.30, it is over.
func TestWorkIsDoneInWorkingTime(t *testing.T) {
	d := definition(t, head+`
states:
  - {id: submitted, kind: start, public: verification, owner: officer, title: {id: A, en: A}}`+ends+`
actions: [{id: serve, title: {id: L, en: S}}]
transitions: [{action: serve, from: [submitted], to: done, roles: [officer]}]
`)
	p := &Parameters{Arrivals: weekly(time.Sunday, 3), Stages: map[domain.StateID]Stage{"submitted": fixed(2 * time.Hour)}, Pools: []Pool{{"officer", []domain.RoleID{"officer"}, 20, false}}}
	r := simulated(t, short20(d, t, p), nil)
	s := stageOf(t, r, "submitted")
	near(t, "waiting", s.Wait, 0, 0)
	near(t, "work", s.Service, 2, 1e-9)
	// Two hours of a Monday that has seven and a half.
	near(t, "turnaround", r.Whole.Median, 2/7.5, 0.01)
	around := *p
	around.Clock = AroundClock
	near(t, "turnaround around the clock", simulated(t, short20(d, t, &around), nil).Whole.Median, 2.0/24, 1e-4)
}

const reviewed = head + `
reviews:
  - {id: site, title: {id: Lokasi, en: Site}, role: officer, reasons: [wrong]}
  - {id: plan, title: {id: Rencana, en: Plan}, role: head, reasons: [wrong]}
states:
  - {id: submitted, kind: start, public: verification, owner: officer, title: {id: A, en: A}}
  - {id: gathering, kind: gather, public: in_process, owner: officer, reviews: [site, plan], title: {id: B, en: B}}` + ends + `  - {id: refused, kind: end, outcome: rejected, public: rejected, title: {id: Ditolak, en: Refused}}
actions: [{id: accept, title: {id: T, en: A}}, {id: pass, title: {id: L, en: P}}, {id: refuse, title: {id: T, en: R}}]
transitions:
  - {action: accept, from: [submitted], to: gathering, roles: [officer]}
  - {action: pass, from: [gathering], to: done, automatic: true, needs: {reviews: approved}}
  - {action: refuse, from: [gathering], to: refused, automatic: true, needs: {reviews: refused}}
`

// Reviews are given side by side: the longest one counts. A refused one ends it at once.
// It makes no difference that one of them is work that is given out.
func TestReviewsAreGivenSideBySide(t *testing.T) {
	for _, allocate := range []string{"", "allocate: {rule: order}, ", "allocate: {rule: lottery}, "} {
		t.Run(allocate, func(t *testing.T) {
			givenSideBySide(t, definition(t, strings.Replace(reviewed, "reviews: [site, plan], ", "reviews: [site, plan], "+allocate, 1)))
		})
	}
}

func givenSideBySide(t *testing.T, d *workflows.Definition) {
	t.Helper()
	p := &Parameters{
		Clock: AroundClock, Arrivals: Arrivals{PerDay: 2},
		Pools:  []Pool{{"officer", []domain.RoleID{"officer"}, 50, false}, {"head", []domain.RoleID{"head"}, 50, false}},
		Stages: map[domain.StateID]Stage{"submitted": fixed(0)},
		Reviews: map[domain.ReviewID]ReviewWork{
			"site": {Service: &Duration{Shape: Fixed, Mean: 12 * time.Hour}, Refused: share(0)},
			"plan": {Service: &Duration{Shape: Fixed, Mean: 48 * time.Hour}, Refused: share(0)},
		},
	}
	r := simulated(t, short20(d, t, p), nil)
	near(t, "turnaround", r.Whole.Mean, 2, 1e-4)
	near(t, "stay", stageOf(t, r, "gathering").Stay, 2, 1e-4)
	p.Reviews["site"] = ReviewWork{Service: p.Reviews["site"].Service, Refused: share(1)}
	r = simulated(t, short20(d, t, p), nil)
	near(t, "turnaround when the first refuses", r.Whole.Mean, 0.5, 1e-4)
	// Nobody goes on with the other one: half a day of each, and not two.
	near(t, "heads at work", r.Roles[1].Working, 0.5*2, 0.15)
}

const timed = head + `
systems: [{id: civil, title: {id: Dukcapil, en: Register}, role: register, outcomes: [match, none]}]
terms:
  - id: law
    title: {id: Batas, en: Limit}
    budget: 5 working days
    starts: [accept]
    suspended_in: [returned]
    expires: {to: deemed, ground: deemed_approval}
    basis: {id: Uji, en: Test}
states:
  - {id: submitted, kind: start, public: verification, owner: officer, title: {id: A, en: A}}
  - {id: working, kind: work, public: in_process, owner: officer, title: {id: B, en: B}}
  - {id: returned, kind: wait, public: needs_correction, owner: applicant, title: {id: C, en: C}, term: {budget: 60 days, expires: {to: lapsed, ground: lapse}}}
  - {id: asking, kind: wait, public: in_process, owner: register, waits_for: civil, title: {id: D, en: D}}` + byLaw + `
actions: [{id: accept, title: {id: T, en: A}}, {id: send, title: {id: K, en: S}}, {id: answer, title: {id: J, en: W}}, {id: found, title: {id: C, en: F}}, {id: lost, title: {id: H, en: L}}]
transitions:
  - {action: accept, from: [submitted], to: working, roles: [officer]}
  - {action: send, from: [working], to: returned, roles: [officer], reasons: [wrong], when: history.times("send") < 1}
  - {action: answer, from: [returned], to: asking, roles: [applicant]}
  - {action: found, from: [asking], to: done, automatic: true, needs: {answer: match}}
  - {action: lost, from: [asking], to: working, automatic: true, needs: {answer: none}}
`

// A legal term stands still while the applicant has the file, and ends in a deemed
// decision; an applicant's own time lapses.
func TestTermsRun(t *testing.T) {
	d := definition(t, timed)
	day := 24 * time.Hour
	for _, c := range []struct {
		name                         string
		work, away, system           time.Duration
		found                        float64
		onTime, deemed, lapsed, days float64
	}{
		{"all in time", time.Hour, 20 * day, time.Hour, 1, 1, 0, 0, 0},
		{"the officer is late", 100 * time.Hour, 20 * day, time.Hour, 1, 0, 1, 0, 6},
		{"the register is late", time.Hour, 20 * day, 30 * day, 1, 0, 1, 0, 0},
		{"the applicant is late", time.Hour, 61 * day, time.Hour, 1, -1, 0, 1, 0},
		{"sent nowhere, until the law decides", time.Hour, day, time.Hour, 0, 0, 1, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &Parameters{
				Arrivals: weekly(time.Monday, 8),
				Pools:    []Pool{{"officer", []domain.RoleID{"officer"}, 50, false}},
				Stages:   map[domain.StateID]Stage{"submitted": fixed(0), "working": fixed(c.work), "returned": fixed(c.away)},
				Systems:  map[domain.SystemID]SystemWork{"civil": {Answer: &Duration{Shape: Fixed, Mean: c.system}, Outcomes: map[string]float64{"match": c.found, "none": 1 - c.found}}},
			}
			p.Stages["working"] = Stage{Service: p.Stages["working"].Service, Choices: map[domain.ActionID]float64{"send": 1}}
			r := simulated(t, short20(d, t, p), nil)
			if c.onTime < 0 {
				if r.Terms[0].Share != nil {
					t.Errorf("on time: %+v, and nothing was decided", r.Terms[0].Share)
				}
			} else {
				near(t, "on time", r.Terms[0].Share, c.onTime, 0)
			}
			near(t, "deemed", r.Whole.Deemed, c.deemed, 0)
			for _, e := range r.Ends {
				if e.State == "lapsed" {
					near(t, "lapsed", e.Share, c.lapsed, 0)
				}
			}
			if c.days > 0 { // the rest of its Monday, which does not count, and five days
				if x := r.Whole.Mean; x.Mean <= 5 || x.Mean > c.days {
					t.Errorf("turnaround %+v, want the rest of a day and five", x)
				}
			}
		})
	}
}

// What is left of a term after a stop is what was not used before it.
func TestATermGoesOnWhereItStopped(t *testing.T) {
	d := definition(t, timed)
	p := &Parameters{
		Arrivals: weekly(time.Sunday, 3),
		Pools:    []Pool{{"officer", []domain.RoleID{"officer"}, 50, false}},
		// Monday, which does not count, and three days of the five.
		Stages:  map[domain.StateID]Stage{"submitted": fixed(0), "working": fixed(30 * time.Hour), "returned": fixed(20 * 24 * time.Hour)},
		Systems: map[domain.SystemID]SystemWork{"civil": {Answer: &Duration{Shape: Fixed, Mean: 90 * 24 * time.Hour}, Outcomes: map[string]float64{"match": 1}}},
	}
	r := simulated(t, short20(d, t, p), nil)
	near(t, "deemed", r.Whole.Deemed, 1, 0)
	near(t, "the rest of the term", stageOf(t, r, "asking").Stay, 2, 0.01)
}

// The term of a state in which the office acts is not refilled when the file comes back:
// of three days two were used, and the law decides after one more.
func TestATermOfAStateGoesOn(t *testing.T) {
	d := definition(t, head+`
states:
  - {id: submitted, kind: start, public: verification, owner: officer, title: {id: A, en: A}}
  - {id: working, kind: work, public: in_process, owner: officer, title: {id: B, en: B}, term: {budget: 3 working days, expires: {to: deemed, ground: deemed_approval}}}
  - {id: returned, kind: wait, public: needs_correction, owner: applicant, title: {id: C, en: C}}`+strings.Split(byLaw, "  - {id: lapsed")[0]+`
actions: [{id: accept, title: {id: T, en: A}}, {id: send, title: {id: K, en: S}}, {id: answer, title: {id: J, en: W}}, {id: serve, title: {id: L, en: S}}]
transitions:
  - {action: accept, from: [submitted], to: working, roles: [officer]}
  - {action: send, from: [working], to: returned, roles: [officer], reasons: [wrong], when: history.times("send") < 1}
  - {action: answer, from: [returned], to: working, roles: [applicant]}
  - {action: serve, from: [working], to: done, roles: [officer], when: history.times("send") == 1}
`)
	p := &Parameters{
		Arrivals: weekly(time.Sunday, 3), Pools: []Pool{{"officer", []domain.RoleID{"officer"}, 50, false}},
		Stages: map[domain.StateID]Stage{"submitted": fixed(0), "working": fixed(22*time.Hour + 30*time.Minute), "returned": fixed(20 * 24 * time.Hour)},
	}
	s := short20(d, t, p)
	s.From, s.WarmUp, s.Days = calendar.DateOf(2026, 6, 29), 0, 10 // weeks without a holiday
	r := simulated(t, s, nil)
	near(t, "deemed", r.Whole.Deemed, 1, 0)
	near(t, "turnaround", r.Whole.Mean, 3+14+1, 0.01) // twenty days of the almanac are fourteen working days
}

// What is done at the very moment at which a term ends is in time.
func TestTheLastMomentIsInTime(t *testing.T) {
	d := definition(t, head+`
terms:
  - {id: law, title: {id: B, en: L}, budget: 5 working days, starts: [accept], expires: {to: deemed, ground: deemed_approval}, basis: {id: Uji, en: Test}}
states:
  - {id: submitted, kind: start, public: verification, owner: officer, title: {id: A, en: A}}
  - {id: working, kind: work, public: in_process, owner: officer, title: {id: B, en: B}}`+strings.Split(byLaw, "  - {id: lapsed")[0]+`
actions: [{id: accept, title: {id: T, en: A}}, {id: serve, title: {id: L, en: S}}]
transitions:
  - {action: accept, from: [submitted], to: working, roles: [officer]}
  - {action: serve, from: [working], to: done, roles: [officer]}
`)
	for _, c := range []struct {
		work   time.Duration
		onTime float64
	}{{45 * time.Hour, 1}, {45*time.Hour + time.Second, 0}} { // six days of seven and a half hours: the first does not count
		p := &Parameters{
			Arrivals: weekly(time.Sunday, 3), Pools: []Pool{{"officer", []domain.RoleID{"officer"}, 50, false}},
			Stages: map[domain.StateID]Stage{"submitted": fixed(0), "working": fixed(c.work)},
		}
		r := simulated(t, short20(d, t, p), nil)
		near(t, "on time", r.Terms[0].Share, c.onTime, 0)
		near(t, "deemed", r.Whole.Deemed, 1-c.onTime, 0)
	}
}

// Each visit to a stage is drawn anew: of those that half the time go back, one comes
// twice on average.
func TestEachVisitIsDrawnAnew(t *testing.T) {
	d := definition(t, back)
	p := &Parameters{Arrivals: Arrivals{PerDay: 20}, Stages: map[domain.StateID]Stage{"checking": {Choices: map[domain.ActionID]float64{"check": 1, "back": 1}}}}
	s := short20(d, t, p)
	s.Days = 200
	r := simulated(t, s, nil)
	near(t, "visits", &Interval{Mean: stageOf(t, r, "checking").Came.Mean / r.Whole.Came.Mean}, 2, 0.05)
	near(t, "stuck", r.Whole.Stuck, 0, 0)
}

const back = head + `
states:
  - {id: submitted, kind: start, public: verification, owner: officer, title: {id: A, en: A}}
  - {id: checking, kind: work, public: in_process, owner: officer, title: {id: B, en: B}}` + ends + `
actions: [{id: draft, title: {id: D, en: D}}, {id: back, title: {id: B, en: B}}, {id: check, title: {id: C, en: C}}]
transitions:
  - {action: draft, from: [submitted], to: checking, roles: [officer]}
  - {action: back, from: [checking], to: submitted, roles: [officer], reasons: [wrong]}
  - {action: check, from: [checking], to: done, roles: [officer]}
`

// Nobody takes both of two steps that four eyes hold apart: one officer alone never
// ends anything, and the report says why; two do.
func TestFourEyesAreHeld(t *testing.T) {
	d := definition(t, head+`
states:
  - {id: submitted, kind: start, public: verification, owner: officer, title: {id: A, en: A}}
  - {id: checking, kind: work, public: in_process, owner: officer, title: {id: B, en: B}}`+ends+`
actions: [{id: draft, title: {id: D, en: D}}, {id: check, title: {id: C, en: C}}]
transitions:
  - {action: draft, from: [submitted], to: checking, roles: [officer]}
  - {action: check, from: [checking], to: done, roles: [officer], not_by: [draft]}
`)
	p := &Parameters{Arrivals: Arrivals{PerDay: 3}, Pools: []Pool{{"officer", []domain.RoleID{"officer"}, 1, false}}}
	r := simulated(t, short20(d, t, p), nil)
	near(t, "ended", r.Whole.Ended, 0, 0)
	if r.Roles[0].Barred.Mean < 100 {
		t.Errorf("barred: %+v", r.Roles[0].Barred)
	}
	p.Pools[0].Officers = 2
	r = simulated(t, short20(d, t, p), nil)
	near(t, "open", r.Whole.Open, 0, 0)
	near(t, "barred", r.Roles[0].Barred, 0, 0)
}

// What takes no time and leads back has no end; it is told, and the rest goes on. What
// would take hours is refused.
func TestNothingGoesOnForEver(t *testing.T) {
	d := definition(t, back)
	p := &Parameters{Arrivals: Arrivals{PerDay: 3}, Stages: map[domain.StateID]Stage{"submitted": fixed(0), "checking": fixed(0)}}
	p.Stages["checking"] = Stage{Service: p.Stages["checking"].Service, Choices: map[domain.ActionID]float64{"back": 1}}
	r := simulated(t, short20(d, t, p), nil)
	near(t, "stuck", r.Whole.Stuck, 1, 0)
	if len(r.Stuck) != 1 || !strings.Contains(r.Stuck[0].Why, "in a circle") {
		t.Error(r.Stuck)
	}
	p.Arrivals.PerDay = 1e6
	s := short20(d, t, &Parameters{})
	s.Parameters = complete(t, d, p)
	if _, err := Simulate(t.Context(), s, nil); err == nil || !strings.Contains(err.Error(), "take fewer days") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Simulate(ctx, short20(d, t, &Parameters{}), nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Officers of one pool stand in for each other: together they wait less than apart.
func TestPoolsAreShared(t *testing.T) {
	d := definition(t, reviewed)
	apart := &Parameters{Arrivals: Arrivals{PerDay: 3}, Pools: []Pool{{"officer", []domain.RoleID{"officer"}, 1, false}, {"head", []domain.RoleID{"head"}, 1, false}}}
	together := &Parameters{Arrivals: apart.Arrivals, Pools: []Pool{{"all", []domain.RoleID{"officer", "head"}, 2, false}}}
	a, b := simulated(t, short20(d, t, apart), nil), simulated(t, short20(d, t, together), nil)
	if a.Whole.Mean.Mean <= b.Whole.Mean.Mean {
		t.Errorf("apart %+v, together %+v", a.Whole.Mean, b.Whole.Mean)
	}
}

// A comparison is of the same requests: another setting that is the same makes no
// difference at all, and an officer more where the queue is makes one.
func TestComparisonsArePaired(t *testing.T) {
	d := definition(t, counter)
	p := complete(t, d, &Parameters{Arrivals: Arrivals{PerDay: 14}, Pools: []Pool{{"officer", []domain.RoleID{"officer"}, 1, false}}})
	s := short20(d, t, p)
	for _, x := range simulated(t, s, s.Parameters).WhatIf.Figures {
		if x.Change.Mean != 0 || x.Change.Low != 0 || x.Change.High != 0 {
			t.Errorf("%s %s: %+v", x.Figure, x.Of, x.Change)
		}
	}
	other, err := s.Parameters.Officers([]string{"officer=+1"}, "")
	if err != nil {
		t.Fatal(err)
	}
	c := simulated(t, s, other).WhatIf
	if d := cmp.Diff([]string{"officer: 1 → 2"}, c.Changes); d != "" {
		t.Error(d)
	}
	if x := c.Figures[0]; !x.Change.Different() || x.Change.Mean >= 0 || math.Abs(x.After.Mean-x.Before.Mean-x.Change.Mean) > 1e-9 {
		t.Errorf("%+v: %+v %+v %+v", x, x.Before, x.After, x.Change)
	}
}

// Where officers cannot do all that comes, the queue has no end and every figure of
// waiting depends on how long is simulated: it is told, for either setting, and no such
// figure has an interval. What does not depend on it has.
func TestAQueueWithoutEndHasNoInterval(t *testing.T) {
	d := definition(t, counter)
	p := complete(t, d, &Parameters{
		Arrivals: Arrivals{PerDay: 16}, Pools: []Pool{{"officer", []domain.RoleID{"officer"}, 2, false}},
		Stages: map[domain.StateID]Stage{"submitted": {Service: &Duration{Shape: Exponential, Mean: 45 * time.Minute}}},
	}) // two are busy for 80 %, one would have to be for 160 %
	fewer, err := p.Officers([]string{"officer=-1"}, "")
	if err != nil {
		t.Fatal(err)
	}
	unlimited := func(x *Interval) bool { return x.Grows && math.IsInf(x.Low, -1) && math.IsInf(x.High, 1) }
	s := short20(d, t, p)
	r := simulated(t, s, fewer)
	if len(r.Overloaded) > 0 || unlimited(r.Whole.Mean) || unlimited(r.Stages[0].Wait) {
		t.Errorf("%v %+v", r.Overloaded, r.Whole.Mean)
	}
	if d := cmp.Diff([]string{"officer"}, r.WhatIf.Overloaded); d != "" {
		t.Error(d)
	}
	for _, x := range r.WhatIf.Figures {
		if endless := x.Figure != "busy_share"; unlimited(x.After) != endless || unlimited(x.Change) != endless || unlimited(x.Before) {
			t.Errorf("%s: %+v %+v %+v", x.Figure, x.Before, x.After, x.Change)
		}
	}
	s.Parameters = fewer
	r = simulated(t, s, p)
	if d := cmp.Diff([]string{"officer"}, r.Overloaded); d != "" || len(r.WhatIf.Overloaded) > 0 {
		t.Error(d, r.WhatIf.Overloaded)
	}
	for name, x := range map[string]*Interval{"turnaround": r.Whole.Mean, "median": r.Whole.Median, "nine of ten": r.Whole.P90, "open": r.Whole.Open, "wait": r.Stages[0].Wait, "queue": r.Stages[0].Queue, "stay": r.Stages[0].Stay} {
		if !unlimited(x) {
			t.Errorf("%s: %+v", name, x)
		}
	}
	if unlimited(r.Whole.Came) || unlimited(r.Roles[0].Busy) || unlimited(r.Whole.Ended) {
		t.Errorf("%+v %+v", r.Whole.Came, r.Roles[0].Busy)
	}
}

// The same seed gives the same report, however many processors there are; another one
// another.
func TestASeedDecidesAll(t *testing.T) {
	d := definition(t, readFile(t, "../catalogue/18.72/izin-trayek.yaml"))
	run := func(seed uint64, processors int) string {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		s := short20(d, t, &Parameters{})
		s.Seed, s.Replications = seed, 6
		b, err := json.Marshal(simulated(t, s, nil))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	one := run(1, 1)
	if four := run(1, 4); one != four {
		t.Error(cmp.Diff(one, four))
	}
	if one == run(2, 1) {
		t.Error("two seeds give the same")
	}
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Every definition that ships can be simulated as it stands: no request is stuck, all
// that was let in comes out, and what comes out is what its rules allow.
func TestTheCatalogueSimulates(t *testing.T) {
	files, err := filepath.Glob("../catalogue/*/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			d := definition(t, readFile(t, file))
			s := short20(d, t, &Parameters{})
			r := simulated(t, s, nil)
			near(t, "stuck", r.Whole.Stuck, 0, 0)
			if len(r.Stuck) > 0 {
				t.Error(r.Stuck)
			}
			shares := r.Whole.Open.Mean
			for _, e := range r.Ends {
				shares += e.Share.Mean
			}
			if math.Abs(shares-1) > 1e-9 {
				t.Errorf("ends and open are %v of all", shares)
			}
		})
	}
}

// What requests share is what each would come to by itself: a walk through a tree that
// keeps its places, and through one that decides everything anew, goes through the same
// states.
func TestSharedHistoriesAreThoseDecidedAnew(t *testing.T) {
	files, err := filepath.Glob("../catalogue/*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		d := definition(t, readFile(t, file))
		m, err := newModel(short20(d, t, &Parameters{}))
		if err != nil {
			t.Fatal(err)
		}
		walk := func(kept *tree, seed uint64) string {
			r := rand.New(rand.NewPCG(seed, 1))
			p := kept.roots[r.IntN(len(kept.roots))]
			var way strings.Builder
			for range 40 {
				p = m.stroll(kept, p, r)
				if p == nil {
					break
				}
				fmt.Fprintf(&way, "%s %v %v\n", p.request.State, p.request.Dossier.Reviews, p.request.Facts)
			}
			return way.String()
		}
		shared, err := newTree(d, m.Parameters.Cases)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(30) {
			anew, err := newTree(d, m.Parameters.Cases)
			if err != nil {
				t.Fatal(err)
			}
			anew.most = 0
			if a, b := walk(shared, seed), walk(anew, seed); a != b {
				t.Fatalf("%s, walk %d: %s", file, seed, cmp.Diff(a, b))
			}
		}
	}
}

// stroll takes any step from a place; nil where there is none.
func (m *model) stroll(t *tree, p *place, r *rand.Rand) *place {
	for i := range m.Definition.Reviews {
		if p.request.Dossier.Reviews[m.Definition.Reviews[i].ID].Opinion == domain.OpinionOpen {
			if to := t.review(p, i, r.Float64() < 0.2); to.why == nil {
				return to
			}
		}
	}
	for i := range m.Definition.Systems {
		if to := t.answer(p, i, r.IntN(len(m.Definition.Systems[i].Outcomes))); to.why == nil {
			return to
		}
	}
	if to := t.settled(p); to.request.State != p.request.State {
		return to
	}
	ways := m.ways(t, p, false)
	if len(ways) == 0 {
		return nil
	}
	w := ways[r.IntN(len(ways))]
	if to := t.act(p, w.action, w.role, r.IntN(w.words)); to.why == nil {
		return to
	}
	return nil
}

// The two benchmarks say what sharing histories is worth.
func BenchmarkShared(b *testing.B) { benchmark(b, maxPlaces) }

func BenchmarkDecidedAnew(b *testing.B) { benchmark(b, 0) }

func benchmark(b *testing.B, most int) {
	d := definition(b, readFile(b, "../catalogue/11.71/sip-dokter.yaml"))
	m, err := newModel(short20(d, b, &Parameters{}))
	if err != nil {
		b.Fatal(err)
	}
	t, err := newTree(d, m.Parameters.Cases)
	if err != nil {
		b.Fatal(err)
	}
	t.most = most
	n := 0
	for b.Loop() {
		x, err := m.simulate(b.Context(), t, uint64(n))
		if err != nil {
			b.Fatal(err)
		}
		n += len(x.jobs)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "requests/s")
}
