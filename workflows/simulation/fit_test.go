package simulation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// teller tells a history by hand.
type teller struct {
	t  *testing.T
	to *Fitter
	d  *workflows.Definition
	n  int
}

// wib is a moment in the tenant's zone.
func wib(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", text, domain.TenantCode("11.71").Zone())
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// request tells one: "2026-04-06 08:00 officer ani working accept" for each step, after
// the time of its submission.
func (x *teller) request(submitted string, steps ...string) {
	x.t.Helper()
	x.n++
	id := uuid.UUID{15: byte(x.n)}
	state := domain.StateID("submitted")
	add := func(at string, a domain.Actor, b domain.Body) {
		e := domain.Event{Envelope: domain.Envelope{Occurred: wib(x.t, at), Actor: a}, Body: b}
		x.to.Add(domain.Recorded{Event: e, Stream: domain.RequestStream(id)})
	}
	add(submitted, domain.Actor{ID: "p", Role: "applicant"}, domain.RequestSubmitted{Request: id, State: state})
	for _, s := range steps {
		f := strings.Fields(s)
		a := domain.Actor{ID: f[3], Role: domain.RoleID(f[2])}
		switch to, word := f[4], f[5]; to {
		case "review":
			add(f[0]+" "+f[1], a, domain.ReviewGiven{Review: "site", Opinion: domain.Opinion(word)})
		case "ask":
			add(f[0]+" "+f[1], a, domain.ReviewRequested{Review: "site"})
		case "pick":
			add(f[0]+" "+f[1], a, domain.TaskPicked{State: state})
		default:
			end, err := x.d.State(domain.StateID(to))
			if err != nil {
				x.t.Fatal(err)
			}
			add(f[0]+" "+f[1], a, domain.ActionTaken{Action: domain.ActionID(word), From: state, To: end.ID, Outcome: end.Outcome})
			state = end.ID
		}
	}
}

// What is fitted, counted by hand. 2026-04-06 is a Monday; the office opens at 07.30.
func TestAHistoryIsFitted(t *testing.T) {
	d := definition(t, head+`
reviews: [{id: site, title: {id: L, en: S}, role: head, reasons: [wrong]}]
states:
  - {id: submitted, kind: start, public: verification, owner: officer, title: {id: A, en: A}}
  - {id: returned, kind: wait, public: needs_correction, owner: applicant, title: {id: C, en: C}}
  - {id: gathering, kind: gather, public: in_process, owner: officer, reviews: [site], title: {id: B, en: B}}`+ends+`
actions: [{id: accept, title: {id: T, en: A}}, {id: send, title: {id: K, en: S}}, {id: answer, title: {id: J, en: W}}, {id: pass, title: {id: L, en: P}}]
transitions:
  - {action: accept, from: [submitted], to: gathering, roles: [officer, head]}
  - {action: send, from: [submitted], to: returned, roles: [officer], reasons: [wrong]}
  - {action: answer, from: [returned], to: submitted, roles: [applicant]}
  - {action: pass, from: [gathering], to: done, roles: [officer], needs: {reviews: approved}}
`)
	f := NewFitter(d, shipped(t))
	x := &teller{t: t, to: f, d: d}
	x.request("2026-04-06 08:00", "2026-04-06 09:00 officer ani gathering accept", "2026-04-06 09:00 officer ani ask site",
		"2026-04-06 11:00 head cut review approved", "2026-04-06 11:30 officer ani done pass")
	// Ani was at the first until 09.00: half an hour of the two is hers, one and a half waiting.
	x.request("2026-04-06 07:30", "2026-04-06 09:30 officer ani gathering accept", "2026-04-06 09:30 officer ani ask site",
		"2026-04-07 08:30 head cut review refused")
	// Budi picked it at 14.00 and took an hour. The applicant needs two days of the almanac.
	x.request("2026-04-06 10:00", "2026-04-06 14:00 officer budi pick -", "2026-04-06 15:00 officer budi returned send",
		"2026-04-08 15:00 applicant p submitted answer", "2026-04-09 07:45 officer budi gathering accept")
	if c := f.Clock(); c != OfficeHours {
		t.Errorf("clock %s", c)
	}
	p, err := f.Fit(OfficeHours, ByService)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, n := range p.Notes {
		got[n.What] = fmt.Sprintf("%s %s %d", n.Source, n.Value, n.Seen)
	}
	want := map[string]string{
		"clock":                   "fitted office 3",
		"officers officer":        "fitted 2; in the same month 2 on average 2",
		"officers head":           "fitted 1; in the same month 1 on average 1",
		"stage submitted choices": "fitted accept 75.0%, send 25.0% 4",
		"stage submitted service": "fitted empirical, 4 values, mean 56m15s 4", // 60, 30, 60 and 60 + 15 minutes
		"stage returned choices":  "fitted answer 100% 1",
		"stage returned service":  "fitted empirical, 1 values, mean 2d0h 1",
		"stage gathering choices": "fitted pass 100% 1",
		"stage gathering service": "fitted empirical, 1 values, mean 2h0m 1",  // since 09.30, when Ani was done with the other
		"review site service":     "fitted empirical, 2 values, mean 3h30m 2", // 2 hours, and from 11.00 over noon and night 5
		"review site refused":     "fitted 0.5 2",
		"cases":                   "not fitted forms are sealed, and facts need not tell what was filled in 0",
		"arrivals":                got["arrivals"],
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// 07.30 to 10.00, of a Monday's seven and a half hours.
	if days := 2 / p.Arrivals.PerDay; math.Abs(days-2.5/7.5) > 1e-6 {
		t.Errorf("two came after the first in %v days", days)
	}
	past := f.Past(OfficeHours)
	if past.Requests != 3 || past.Ended != 1 || math.Abs(past.Median-3.5/7.5) > 0.1 {
		t.Errorf("%+v", past)
	}
	sojourn, err := f.Fit(OfficeHours, BySojourn)
	if err != nil {
		t.Fatal(err)
	}
	// 60, 120, 240 without the pause at noon, and 75 minutes.
	if s := sojourn.Stages["submitted"].Service; len(s.Values) != 4 || s.Values[0] != time.Hour || s.Values[2] != 2*time.Hour || !sojourn.Pools[0].Unlimited {
		t.Errorf("%v %+v", s.Values, sojourn.Pools)
	}
	if _, err := f.Fit(AroundClock, ByService); err != nil {
		t.Error(err)
	}
	first, rest := f.Split(1.0 / 3)
	if first.Requests() != 2 || rest.Requests() != 1 || !rest.order[0].submitted.Equal(wib(t, "2026-04-06 10:00")) {
		t.Errorf("%d and %d", first.Requests(), rest.Requests())
	}
	if _, err := rest.Fit(OfficeHours, ByService); err == nil {
		t.Error("one request is fitted to")
	}
}

// A history from before the calendar is taken around the clock.
func TestAnOldHistoryRunsAroundTheClock(t *testing.T) {
	d := definition(t, counter)
	f := NewFitter(d, shipped(t))
	x := &teller{t: t, to: f, d: d}
	x.request("2011-04-06 08:00", "2011-04-07 08:00 officer ani served serve")
	x.request("2011-04-07 08:00", "2011-04-07 09:00 officer ani served serve")
	if c := f.Clock(); c != AroundClock {
		t.Errorf("clock %s", c)
	}
	if _, err := f.Fit(OfficeHours, ByService); err == nil || !strings.Contains(err.Error(), "say clock: wall") {
		t.Error(err)
	}
	p, err := f.Fit(AroundClock, ByService)
	if err != nil {
		t.Fatal(err)
	}
	if p.Arrivals.PerDay != 1 || p.Stages["submitted"].Service.Mean != (25*time.Hour)/2 {
		t.Errorf("%+v %v", p.Arrivals, p.Stages["submitted"].Service)
	}
}

// Steps after a first end are fitted apart from those before it, and a request that
// nothing happens to any more is left.
func TestWhatComesAfterAnEndIsFittedApart(t *testing.T) {
	d := definition(t, head+`
states:
  - {id: submitted, kind: start, public: verification, owner: officer, title: {id: A, en: A}}`+ends+`
actions: [{id: serve, title: {id: L, en: S}}, {id: object, title: {id: K, en: O}}]
transitions:
  - {action: serve, from: [submitted], to: done, roles: [officer, head]}
  - {action: object, from: [done], to: submitted, roles: [head], reasons: [wrong], kind: reopen}
`)
	f := NewFitter(d, shipped(t))
	x := &teller{t: t, to: f, d: d}
	x.request("2026-01-05 08:00", "2026-01-05 09:00 officer ani done serve", "2026-01-06 08:00 head cut submitted object", "2026-01-06 13:00 head cut done serve")
	x.request("2026-01-05 08:00", "2026-01-05 10:00 officer budi done serve")
	x.request("2026-01-05 08:00", "2026-01-05 09:00 officer citra done serve")
	x.request("2026-01-05 08:00") // and nothing more, until months later
	x.request("2026-05-04 08:00", "2026-05-04 09:00 officer ani done serve")
	p, err := f.Fit(AroundClock, BySojourn)
	if err != nil {
		t.Fatal(err)
	}
	hours := func(d *Duration) (list []float64) {
		for _, v := range d.Values {
			list = append(list, v.Hours())
		}
		return list
	}
	s := p.Stages["submitted"]
	if diff := cmp.Diff([][]float64{{1, 1, 1, 2}, {5}}, [][]float64{hours(s.Service), hours(s.Again.Service)}); diff != "" {
		t.Error(diff)
	}
	if s.Left != 1 {
		t.Errorf("left: %v", s.Left)
	}
	if got := p.Stages["done"].Choices["object"]; got != 0.25 {
		t.Errorf("reopened: %v, want one of four", got)
	}
	if s.Doers[choice{"serve", "officer"}] != 4 || s.Again.Doers[choice{"serve", "head"}] != 1 {
		t.Errorf("%v %v", s.Doers, s.Again.Doers)
	}
}

// What is fitted to a queue that is known all through is what the queue was: the work
// that was done, and with it the waiting. (The officers of this one do nothing else.)
func TestAKnownQueueIsFound(t *testing.T) {
	d := definition(t, counter)
	r := rand.New(rand.NewPCG(3, 4))
	f := NewFitter(d, shipped(t))
	const service, rho = 30 * time.Minute, 0.8
	free := [2]time.Time{}
	at := wib(t, "2026-01-05 08:00")
	work, waited, n := 0.0, 0.0, 4000
	for i := range n {
		at = at.Add(time.Duration(r.ExpFloat64() * float64(service) / rho / 2).Round(time.Second))
		officer := 0
		if free[1].Before(free[0]) {
			officer = 1
		}
		began := later(at, free[officer])
		takes := time.Duration(r.ExpFloat64() * float64(service)).Round(time.Second)
		free[officer] = began.Add(takes)
		work, waited = work+takes.Hours(), waited+began.Sub(at).Hours()
		id := uuid.UUID{14: byte(i / 256), 15: byte(i)}
		add := func(when time.Time, by string, b domain.Body) {
			e := domain.Event{Envelope: domain.Envelope{Occurred: when, Actor: domain.Actor{ID: by, Role: "officer"}}, Body: b}
			f.Add(domain.Recorded{Event: e, Stream: domain.RequestStream(id)})
		}
		add(at, "p", domain.RequestSubmitted{Request: id, State: "submitted"})
		add(free[officer], fmt.Sprint("o-", officer), domain.ActionTaken{Action: "serve", From: "submitted", To: "served", Outcome: domain.OutcomeApproved})
	}
	p, err := f.Fit(AroundClock, ByService)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.Stages["submitted"].Service.Mean.Hours(), work/float64(n); math.Abs(got/want-1) > 1e-6 {
		t.Errorf("the work is %v hours, and was %v", got, want)
	}
	if p.Pools[0].Officers != 2 {
		t.Errorf("%d officers", p.Pools[0].Officers)
	}
	x := simulated(t, Settings{Definition: d, Parameters: complete(t, d, p), Calendar: shipped(t), Seed: 1, Replications: 10, From: calendar.DateOf(2026, 1, 5), WarmUp: 10, Days: 60}, nil).Stages[0].Wait
	t.Logf("waits %+v, recorded %.4f, Erlang %.4f", x, waited/float64(n), erlangC(2, rho)*service.Hours())
	// By the rates that were drawn, and not those that were meant.
	drawn := p.Arrivals.PerDay * p.Stages["submitted"].Service.Mean.Hours() / 24 / 2
	if want := erlangC(2, drawn) * p.Stages["submitted"].Service.Mean.Hours(); math.Abs(x.Mean/want-1) > 0.15 {
		t.Errorf("waits %+v, and Erlang says %.4f", x, want)
	}
}

// served is three requests at the counter, at a place: submitted at these times, and served
// at that by somebody else each.
func served(f *Fitter, tenant domain.TenantCode, submitted [3]time.Time, by [3]time.Time, before ...domain.Recorded) {
	for i := range 3 {
		id := uuid.UUID{15: byte(i + 1)}
		add := func(at time.Time, a domain.Actor, b domain.Body) {
			f.Add(domain.Recorded{Event: domain.Event{Envelope: domain.Envelope{Occurred: at, Actor: a, Tenant: tenant}, Body: b}, Stream: domain.RequestStream(id)})
		}
		add(submitted[i], domain.Actor{ID: "p", Role: "applicant"}, domain.RequestSubmitted{Request: id, State: "submitted"})
		for _, e := range before {
			add(e.Occurred, e.Actor, e.Body)
		}
		add(by[i], domain.Actor{ID: []string{"ani", "budi", "cut"}[i], Role: "officer"}, domain.ActionTaken{Action: "serve", From: "submitted", To: "served", Outcome: domain.OutcomeApproved})
	}
}

// A migration that leaves a request where it stands, or only calls that otherwise, takes
// nothing of the time that it stood there, nor of the work that was begun: who takes it
// elsewhere does.
func TestAMigrationIsNoArrival(t *testing.T) {
	d := definition(t, counter)
	fitted := func(migration ...domain.Body) time.Duration {
		f := NewFitter(d, shipped(t))
		var before []domain.Recorded
		for _, b := range migration {
			before = append(before, domain.Recorded{Event: domain.Event{Envelope: domain.Envelope{Occurred: wib(t, "2026-04-14 08:00"), Actor: domain.Actor{ID: "legal", Role: "publisher"}}, Body: b}})
		}
		end := wib(t, "2026-04-14 09:00")
		served(f, "11.71", [3]time.Time{wib(t, "2026-04-06 08:00"), wib(t, "2026-04-07 08:00"), wib(t, "2026-04-08 08:00")}, [3]time.Time{end, end, end}, before...)
		p, err := f.Fit(OfficeHours, BySojourn)
		if err != nil {
			t.Fatal(err)
		}
		return p.Stages["submitted"].Service.Values[0] // the shortest
	}
	without := fitted()
	for name, x := range map[string]struct {
		b    domain.RequestMigrated
		want time.Duration
	}{
		"stays":   {domain.RequestMigrated{FromVersion: 1, ToVersion: 2, From: "submitted", To: "submitted"}, without},
		"renamed": {domain.RequestMigrated{FromVersion: 1, ToVersion: 2, From: "waiting", To: "submitted"}, without},
		"moved":   {domain.RequestMigrated{FromVersion: 1, ToVersion: 2, From: "elsewhere", To: "submitted", Came: true}, time.Hour},
	} {
		if got := fitted(x.b); got != x.want {
			t.Errorf("%s: the stage takes %s, want %s", name, got, x.want)
		}
	}
}

// A review that has another name since a migration was asked for when it was.
func TestAReviewKeepsItsTimeUnderAnotherName(t *testing.T) {
	d := definition(t, head+`
reviews: [{id: place, title: {id: L, en: S}, role: head, reasons: [wrong]}]
states:
  - {id: submitted, kind: start, public: verification, owner: officer, title: {id: A, en: A}}
  - {id: gathering, kind: gather, public: in_process, owner: officer, reviews: [place], title: {id: B, en: B}}`+ends+`
actions: [{id: accept, title: {id: T, en: A}}, {id: pass, title: {id: L, en: P}}]
transitions:
  - {action: accept, from: [submitted], to: gathering, roles: [officer]}
  - {action: pass, from: [gathering], to: done, roles: [officer], needs: {reviews: approved}}
`)
	f := NewFitter(d, shipped(t))
	for i := range 2 {
		id := uuid.UUID{15: byte(i + 1)}
		add := func(at string, a domain.Actor, b domain.Body) {
			f.Add(domain.Recorded{Event: domain.Event{Envelope: domain.Envelope{Occurred: wib(t, at), Actor: a}, Body: b}, Stream: domain.RequestStream(id)})
		}
		add("2026-04-06 08:00", domain.Actor{ID: "p", Role: "applicant"}, domain.RequestSubmitted{Request: id, State: "submitted"})
		add("2026-04-06 09:00", domain.Actor{ID: "ani", Role: "officer"}, domain.ActionTaken{Action: "accept", From: "submitted", To: "gathering"})
		add("2026-04-06 09:00", domain.Actor{ID: "ani", Role: "officer"}, domain.ReviewRequested{Review: "site"})
		add("2026-04-06 10:00", domain.Actor{ID: "legal", Role: "publisher"}, domain.RequestMigrated{From: "gathering", To: "gathering", Mapping: domain.Mapping{Reviews: map[domain.ReviewID]domain.ReviewID{"site": "place"}}})
		add("2026-04-06 11:00", domain.Actor{ID: "cut", Role: "head"}, domain.ReviewGiven{Review: "place", Opinion: domain.OpinionApproved})
	}
	p, err := f.Fit(OfficeHours, BySojourn)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Reviews["place"].Service.Values[0]; got != 2*time.Hour {
		t.Errorf("the review takes %s", got)
	}
}

// Each request counts by the office hours of its own tenant: in its zone, and on the days
// on which that tenant works.
func TestEachTenantWorksByItsOwnCalendar(t *testing.T) {
	d := definition(t, counter)
	const jayapura = domain.TenantCode("91.71")
	wit := jayapura.Zone()
	at := func(h, m int) (list [3]time.Time) {
		for i := range list {
			list[i] = time.Date(2026, 4, 6+i, h, m, 0, 0, wit)
		}
		return list
	}
	local, err := workflows.ReadDecree("local.yaml", []byte("decree: 1\nnumber: Perwal 1/2026 (contoh)\ntitle: {id: Libur, en: Holiday}\nsource: invented\npublished: 2026-01-02\n"+
		"days:\n  - {date: 2026-04-07, kind: regional, name: {id: Libur, en: Holiday}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	closed, err := calendar.Compile(wit, nil, []calendar.Decree{*local})
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		of   func(domain.TenantCode) (*calendar.Calendar, error)
		want []time.Duration
	}{
		"in its zone":           {nil, []time.Duration{2 * time.Hour, 2 * time.Hour, 2 * time.Hour}},
		"by decrees of its own": {func(domain.TenantCode) (*calendar.Calendar, error) { return closed, nil }, []time.Duration{0, 2 * time.Hour, 2 * time.Hour}},
	} {
		t.Run(name, func(t *testing.T) {
			f := NewFitter(d, shipped(t))
			f.Of = x.of
			served(f, jayapura, at(7, 30), at(9, 30))
			p, err := f.Fit(OfficeHours, BySojourn)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(x.want, p.Stages["submitted"].Service.Values); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if past := f.Past(OfficeHours); math.Abs(past.Mean-2.0/7.5*float64(len(x.want)-countZero(x.want))/3) > 0.01 {
				t.Errorf("on average %v days", past.Mean)
			}
		})
	}
}

func countZero(list []time.Duration) int {
	n := 0
	for _, d := range list {
		if d == 0 {
			n++
		}
	}
	return n
}
