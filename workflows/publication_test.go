package workflows_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// permit is a small definition; what it says decides its content.
func permit(what string) []byte {
	return []byte(`alur: 1
id: permit
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
promise: {id: "` + what + `", en: "` + what + `"}
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
submit: [applicant]
states:
  - {id: submitted, kind: start, public: verification, owner: clerk, title: {id: Masuk, en: Submitted}}
  - {id: issued, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Issued}}
actions:
  - {id: issue, title: {id: Terbitkan, en: Issue}}
transitions:
  - {action: issue, from: [submitted], to: issued, roles: [clerk]}
tests:
  - {name: issued, when: [{act: issue}], then: {state: issued}}
`)
}

var legal = domain.Actor{ID: "legal-1", Role: "publisher", Capacity: domain.CapacityOfficer}

// publication publishes the small definition at a moment, waiving everything.
func publication(t interface{ Fatal(...any) }, source []byte, at time.Time) workflows.Publication {
	d, err := workflows.Read("permit.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	return workflows.Publication{
		Tenant: "11.71", Source: source, Definition: d, Actor: legal, Why: "decree 7/2026", Occurred: at, At: at, Program: "v1",
		Trial: "a trial",
	}
}

func retirement(at time.Time, versions ...int) workflows.Retirement {
	return workflows.Retirement{Tenant: "11.71", Workflow: "permit", Versions: versions, Actor: legal, Why: "decree 8/2026", Occurred: at, At: at}
}

func day(n int) time.Time { return now.AddDate(0, 0, n) }

// step of a history: on a day, something is published or retired, from a day on.
type step struct {
	on      int
	publish string
	retire  []int // with publish empty; none is all
	from    int   // 0: at once
}

func tell(t *testing.T, l *workflows.Library, steps []step) {
	t.Helper()
	for i, s := range steps {
		var err error
		if s.publish != "" {
			p := publication(t, permit(s.publish), day(s.on))
			if s.from > 0 {
				p.Effective = day(s.from)
			}
			_, err = l.Publish(t.Context(), p)
		} else {
			r := retirement(day(s.on), s.retire...)
			if s.from > 0 {
				r.Effective = day(s.from)
			}
			_, err = l.Retire(t.Context(), r)
		}
		if err != nil {
			t.Fatalf("step %d: %v", i+1, err)
		}
	}
}

func TestWhatIsInForce(t *testing.T) {
	const none = 0
	for name, c := range map[string]struct {
		steps []step
		want  []int // the version in force on day 1, 2, 3, ...
	}{
		"one":                                     {[]step{{on: 2, publish: "a"}}, []int{none, 1, 1}},
		"one to come":                             {[]step{{on: 1, publish: "a", from: 3}}, []int{none, none, 1, 1}},
		"the next one to come":                    {[]step{{on: 1, publish: "a"}, {on: 2, publish: "b", from: 4}}, []int{1, 1, 1, 2, 2}},
		"two on one day: the later published":     {[]step{{on: 1, publish: "a", from: 3}, {on: 2, publish: "b", from: 3}}, []int{none, none, 2}},
		"published later, effective sooner":       {[]step{{on: 1, publish: "a", from: 4}, {on: 2, publish: "b"}}, []int{none, 2, 2, 1}},
		"the only one is retired":                 {[]step{{on: 1, publish: "a"}, {on: 3, retire: []int{1}}}, []int{1, 1, none, none}},
		"the newest is retired":                   {[]step{{on: 1, publish: "a"}, {on: 2, publish: "b"}, {on: 3, retire: []int{2}}}, []int{1, 2, 1}},
		"all are retired, one day":                {[]step{{on: 1, publish: "a"}, {on: 2, publish: "b"}, {on: 2, retire: nil, from: 4}}, []int{1, 2, 2, none}},
		"one to come is withdrawn":                {[]step{{on: 1, publish: "a"}, {on: 2, publish: "b", from: 4}, {on: 3, retire: []int{2}}}, []int{1, 1, 1, 1, 1}},
		"retired later than another is effective": {[]step{{on: 1, publish: "a"}, {on: 1, publish: "b", from: 3}, {on: 2, retire: []int{1}, from: 5}}, []int{1, 1, 2, 2, 2}},
		"retired, and sooner than was said":       {[]step{{on: 1, publish: "a"}, {on: 1, retire: []int{1}, from: 5}, {on: 2, retire: []int{1}, from: 3}}, []int{1, 1, none}},
		"opened again with the same definition":   {[]step{{on: 1, publish: "a"}, {on: 2, retire: nil}, {on: 3, publish: "a"}}, []int{1, none, 2}},
		"published while all will be retired":     {[]step{{on: 1, publish: "a"}, {on: 1, retire: nil, from: 3}, {on: 2, publish: "b"}}, []int{1, 2, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			log := memory.New()
			writer := workflows.NewLibrary(log)
			tell(t, writer, c.steps)
			for who, l := range map[string]*workflows.Library{"the writer": writer, "another process": workflows.NewLibrary(log)} {
				for i, want := range c.want {
					w, err := l.InForce(t.Context(), "11.71", "permit", day(i+1))
					var refusal *domain.Refusal
					switch {
					case want == none && (!errors.As(err, &refusal) || refusal.Rule != domain.RuleClosed || refusal.Remedy == ""):
						t.Errorf("%s, day %d: %v, %v; want the service closed", who, i+1, w, err)
					case want != none && (err != nil || w.Ref().Version != want):
						t.Errorf("%s, day %d: %v, %v; want version %d", who, i+1, w, err, want)
					}
				}
			}
		})
	}
}

// naive says what is in force in the slow way: of all that could be, the one that
// nothing beats.
func naiveInForce(list []workflows.Published, at time.Time) int {
	could := func(v workflows.Published) bool {
		return !v.Effective.After(at) && (v.Retired == nil || v.Retired.From.After(at))
	}
	for i, v := range list {
		beaten := slices.ContainsFunc(list, func(other workflows.Published) bool {
			return could(other) && (other.Effective.After(v.Effective) || other.Effective.Equal(v.Effective) && other.Ref().Version > v.Ref().Version)
		})
		if could(v) && !beaten {
			return i + 1
		}
	}
	return 0
}

// Whatever is published and retired, in whatever order: the library, one that reads
// the log anew, and the slow way agree on what is in force, and of the versions
// exactly that one stands as in force.
func TestInForceAgreesWithTheSlowWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx, log := t.Context(), memory.New()
		l := workflows.NewLibrary(log)
		for on := range rapid.IntRange(1, 8).Draw(t, "days") {
			from := day(on + rapid.IntRange(0, 3).Draw(t, "from"))
			if rapid.Bool().Draw(t, "publish") || on == 0 {
				p := publication(t, permit(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "what")), day(on))
				p.Effective = from
				if _, err := l.Publish(ctx, p); err != nil && !errors.As(err, new(*domain.Refusal)) {
					t.Fatal(err)
				}
				continue
			}
			r := retirement(day(on), rapid.SliceOfNDistinct(rapid.IntRange(1, 4), 0, 2, rapid.ID).Draw(t, "versions")...)
			r.Effective = from
			if _, err := l.Retire(ctx, r); err != nil && !errors.As(err, new(*domain.Refusal)) && !errors.Is(err, domain.ErrNotFound) {
				t.Fatal(err)
			}
		}
		list, err := workflows.NewLibrary(log).Versions(ctx, "11.71", "permit")
		if err != nil {
			t.Fatal(err)
		}
		for on := range 14 {
			want, got := naiveInForce(list, day(on)), 0
			if w, err := l.InForce(ctx, "11.71", "permit", day(on)); err == nil {
				got = w.Ref().Version
			} else if !errors.As(err, new(*domain.Refusal)) {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("day %d: version %d, want %d", on, got, want)
			}
			standing := slices.Index(workflows.Standings(list, day(on)), workflows.StandingInForce) + 1
			if standing != want {
				t.Errorf("day %d: version %d stands as in force, want %d", on, standing, want)
			}
		}
	})
}

func TestStandings(t *testing.T) {
	l := workflows.NewLibrary(memory.New())
	history := publication(t, permit("h"), day(1))
	history.History = true
	if _, err := l.Publish(t.Context(), history); err != nil {
		t.Fatal(err)
	}
	tell(t, l, []step{
		{on: 1, publish: "a"},
		{on: 2, publish: "b"},
		{on: 3, publish: "c"},
		{on: 4, publish: "d", from: 9},
		{on: 4, publish: "e", from: 8},
		{on: 5, retire: []int{6}},
		{on: 5, retire: []int{2}},
	})
	list, err := l.Versions(t.Context(), "11.71", "permit")
	if err != nil {
		t.Fatal(err)
	}
	want := []workflows.Standing{"history", "retired", "superseded", "in_force", "future", "retired"}
	if d := cmp.Diff(want, workflows.Standings(list, day(6))); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if list[1].Retired == nil || list[1].Retired.Why != "decree 8/2026" || list[1].Retired.By != legal || list[3].Retired != nil {
		t.Errorf("%+v", list[1].Retired)
	}
	if list[0].Check != nil || list[1].Check == nil {
		t.Errorf("checked: %v, %v", list[0].Check, list[1].Check)
	}
}

func TestPublishingRefuses(t *testing.T) {
	base := publication(t, permit("a"), day(1))
	for name, c := range map[string]struct {
		change func(*workflows.Publication)
		want   string
	}{
		"nobody":                          {func(p *workflows.Publication) { p.Actor = domain.Actor{} }, "the actor has no id"},
		"a person's number":               {func(p *workflows.Publication) { p.Actor.ID = "1171012304900001" }, "NIK"},
		"no reason":                       {func(p *workflows.Publication) { p.Why = " " }, "why"},
		"a reason that is about somebody": {func(p *workflows.Publication) { p.Why = "asked by 1171 0101 0190 0001" }, "the reason looks as if it held a NIK"},
		"a reason of two lines":           {func(p *workflows.Publication) { p.Why = "Perwal\n7/2026" }, "the reason holds a line break"},
		"a waiver that is about somebody": {func(p *workflows.Publication) {
			p.Trial, p.Waivers = "", []workflows.Waiver{{Rule: "standard", Ground: "budi@example.org says so"}}
		}, "the ground of the waiver of standard looks as if it held an e-mail address"},
		"a trial that is about somebody": {func(p *workflows.Publication) { p.Trial = "hubungi 0812-3456-7890" }, "a telephone number"},
		"no time":                        {func(p *workflows.Publication) { p.At = time.Time{} }, "when"},
		"the past":                       {func(p *workflows.Publication) { p.Effective = day(0) }, "past"},
		"findings":                       {func(p *workflows.Publication) { p.Trial = "" }, "findings stand against it"},
		"a test that fails": {func(p *workflows.Publication) {
			p.Source = []byte(strings.Replace(string(p.Source), "then: {state: issued}", "then: {state: submitted}", 1))
		}, "1 of its tests fail"},
	} {
		t.Run(name, func(t *testing.T) {
			log := memory.New()
			p := base
			c.change(&p)
			_, err := workflows.NewLibrary(log).Publish(t.Context(), p)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if head, err := log.Head(t.Context()); head != 0 || err != nil {
				t.Errorf("%d events, %v", head, err)
			}
		})
	}
}

// A check takes a while, and submissions are judged meanwhile by what is in force: it
// takes effect no sooner than it is recorded.
func TestAPublicationIsDatedWhenItsCheckIsDone(t *testing.T) {
	read := 0
	clock := func() time.Time { read++; return day(read) }
	p := publication(t, permit("a"), time.Time{})
	p.Clock = clock
	v, _, err := workflows.NewLibrary(memory.New()).Enact(t.Context(), p)
	if err != nil || read < 2 || !v.Effective.Equal(day(read)) || !v.At.Equal(day(read)) {
		t.Errorf("effective %s, recorded %s, the clock was read %d times, %v", v.Effective, v.At, read, err)
	}
	read = 0
	p.Effective = day(1).Add(time.Hour) // was still to come when it was asked for
	var refusal *domain.Refusal
	if _, _, err := workflows.NewLibrary(memory.New()).Enact(t.Context(), p); !errors.As(err, &refusal) || refusal.Rule != domain.RuleTime {
		t.Error(err)
	}
}

// Each finding is waived by itself; what is waived and is not there is a mistake.
func TestWaivers(t *testing.T) {
	_, findings, err := workflows.Check("permit.yaml", permit("a"))
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, f := range findings {
		rules = append(rules, f.Rule)
	}
	if d := cmp.Diff([]string{"standard", "no_refusal", "term", "alone"}, rules); d != "" {
		t.Fatalf("findings (-want +got)\n%s", d)
	}
	all := func(waivers ...workflows.Waiver) []workflows.Waiver {
		for _, f := range findings {
			waivers = append(waivers, workflows.Waiver{Rule: f.Rule, Place: f.Place(), Ground: "decree 9/2026"})
		}
		return waivers
	}
	line := func(w workflows.Waiver) workflows.Waiver {
		return workflows.Waiver{Rule: w.Rule, Place: strings.Split(w.Place, ":")[0], Ground: w.Ground}
	}
	for name, c := range map[string]struct {
		waivers []workflows.Waiver
		want    string // empty: it is published
	}{
		"each":             {all(), ""},
		"by rule and line": {append(all()[:2], workflows.Waiver{Rule: "term", Ground: "x"}, line(all()[3])), ""},
		"all but one":      {all()[1:], "1 findings stand against it"},
		"one that is not":  {all(workflows.Waiver{Rule: "unpaid", Ground: "x"}), "there is no finding unpaid to waive"},
		"another place":    {all(workflows.Waiver{Rule: "term", Place: "999", Ground: "x"}), "there is no finding term@999 to waive"},
		"twice":            {all(workflows.Waiver{Rule: "term", Ground: "x"}), "is waived twice"},
		"without a ground": {append(all()[1:], workflows.Waiver{Rule: "standard", Ground: " "}), "has no ground"},
	} {
		t.Run(name, func(t *testing.T) {
			p := publication(t, permit("a"), day(1))
			p.Trial, p.Waivers = "", c.waivers
			v, _, err := workflows.NewLibrary(memory.New()).Enact(t.Context(), p)
			switch {
			case c.want == "" && (err != nil || len(v.Waivers) != len(findings)):
				t.Errorf("%d waivers, %v", len(v.Waivers), err)
			case c.want != "" && (!errors.As(err, new(*workflows.UnfitError)) || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// A rule that two findings fall under is waived place by place.
func TestAWaiverOfTwoFindings(t *testing.T) {
	source := strings.Replace(string(permit("a")), "  - {id: issued,", "  - {id: signing, kind: work, public: in_process, owner: clerk, title: {id: TTD, en: Signing}}\n  - {id: issued,", 1)
	source = strings.Replace(source, "from: [submitted], to: issued", "from: [submitted, signing], to: issued", 1)
	source = strings.Replace(source, "actions:\n", "actions:\n  - {id: check, title: {id: Periksa, en: Check}}\n", 1)
	source = strings.Replace(source, "transitions:\n", "transitions:\n  - {action: check, from: [submitted], to: signing, roles: [clerk]}\n", 1)
	p := publication(t, []byte(source), day(1))
	p.Trial, p.Waivers = "", []workflows.Waiver{{Rule: "term", Ground: "x"}}
	_, err := workflows.NewLibrary(memory.New()).Publish(t.Context(), p)
	if err == nil || !strings.Contains(err.Error(), "there are 2 findings term: waive each by itself, term@") {
		t.Error(err)
	}
}

// What the check said, and each waiver with its ground, is recorded.
func TestAPublicationRecordsItsCheck(t *testing.T) {
	l := workflows.NewLibrary(memory.New())
	v, appended, err := l.Enact(t.Context(), publication(t, permit("a"), day(1)))
	if err != nil || !appended {
		t.Fatal(appended, err)
	}
	_, findings, err := workflows.Check("permit", permit("a"))
	if err != nil || len(findings) < 3 {
		t.Fatal(findings, err)
	}
	want := domain.WorkflowPublished{
		Source: string(permit("a")), Hash: domain.HashOf(string(permit("a"))), Why: "decree 7/2026", Effective: day(1).UTC(),
		Check: &domain.Checked{Program: "v1", Findings: len(findings), Tests: 1},
	}
	for _, f := range findings {
		want.Waivers = append(want.Waivers, domain.Waiver{
			Rule: f.Rule, Place: fmt.Sprintf("%d:%d", f.Line, f.Column), Finding: f.Message, Ground: "a trial",
		})
	}
	if d := cmp.Diff(want, v.WorkflowPublished); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if v.By != legal || !v.At.Equal(day(1)) {
		t.Errorf("by %v at %v", v.By, v.At)
	}
}

// The same content is not published twice, unless that would change something.
func TestTheSameContentAgain(t *testing.T) {
	for name, c := range map[string]struct {
		before   []step
		change   func(*workflows.Publication)
		appended bool
		refused  domain.Rule
	}{
		"as it is":                    {before: []step{{on: 1, publish: "a"}}},
		"while it is to come":         {before: []step{{on: 1, publish: "a", from: 9}}},
		"for the day it has":          {before: []step{{on: 1, publish: "a", from: 9}}, change: func(p *workflows.Publication) { p.Effective = day(9) }},
		"for another day":             {before: []step{{on: 1, publish: "a"}}, change: func(p *workflows.Publication) { p.Effective = day(9) }, refused: domain.RuleTime},
		"after it was retired":        {before: []step{{on: 1, publish: "a"}, {on: 2, retire: nil}}, appended: true},
		"before it will be retired":   {before: []step{{on: 1, publish: "a"}, {on: 2, retire: nil, from: 9}}, appended: true},
		"after another":               {before: []step{{on: 1, publish: "a"}, {on: 2, publish: "b"}}, appended: true},
		"for imports, when it is law": {before: []step{{on: 1, publish: "a"}}, change: func(p *workflows.Publication) { p.History = true }},
	} {
		t.Run(name, func(t *testing.T) {
			l := workflows.NewLibrary(memory.New())
			tell(t, l, c.before)
			p := publication(t, permit("a"), day(3))
			if c.change != nil {
				c.change(&p)
			}
			_, appended, err := l.Enact(t.Context(), p)
			var refusal *domain.Refusal
			if c.refused != "" && (!errors.As(err, &refusal) || refusal.Rule != c.refused) || c.refused == "" && err != nil {
				t.Fatalf("%v, want a refusal by %q", err, c.refused)
			}
			if appended != c.appended {
				t.Errorf("recorded: %v, want %v", appended, c.appended)
			}
		})
	}
}

// What was imported under becomes law only when somebody publishes it.
func TestAHistoryIsNoLaw(t *testing.T) {
	l := workflows.NewLibrary(memory.New())
	p := publication(t, permit("a"), day(1))
	p.History, p.Trial = true, ""
	w, err := l.Publish(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.InForce(t.Context(), "11.71", "permit", day(9)); !errors.As(err, new(*domain.Refusal)) {
		t.Errorf("in force: %v", err)
	}
	if got, err := l.Version(t.Context(), "11.71", w.Ref()); err != nil || got != w {
		t.Errorf("%v, %v", got, err)
	}
	var refusal *domain.Refusal
	if _, err := l.Retire(t.Context(), retirement(day(2), 1)); !errors.As(err, &refusal) {
		t.Errorf("retired: %v", err)
	}
	law, appended, err := l.Enact(t.Context(), publication(t, permit("a"), day(3)))
	if err != nil || !appended || law.Ref().Version != 2 {
		t.Errorf("%v %v %v", law, appended, err)
	}
	// What is imported again stays under what it was imported under.
	if again, err := l.Publish(t.Context(), p); err != nil || again != w {
		t.Errorf("%v, %v", again, err)
	}
}

func TestRetiringRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*workflows.Retirement)
		want   string
	}{
		"no such version":        {func(r *workflows.Retirement) { r.Versions = []int{3} }, "not found"},
		"no such workflow":       {func(r *workflows.Retirement) { r.Workflow = "other" }, "not found"},
		"what is retired":        {func(r *workflows.Retirement) { r.Versions = []int{1} }, "retired already"},
		"one of two":             {func(r *workflows.Retirement) { r.Versions = []int{2, 1} }, "retired already"},
		"the past":               {func(r *workflows.Retirement) { r.Effective = day(1) }, "past"},
		"nobody":                 {func(r *workflows.Retirement) { r.Actor = domain.Actor{} }, "no id"},
		"no reason":              {func(r *workflows.Retirement) { r.Why = "" }, "why"},
		"about somebody":         {func(r *workflows.Retirement) { r.Why = "budi@example.org" }, "the reason looks as if it held an e-mail address"},
		"no time":                {func(r *workflows.Retirement) { r.Occurred = time.Time{} }, "when"},
		"everything, once again": {nil, "every version is retired already"},
	} {
		t.Run(name, func(t *testing.T) {
			log := memory.New()
			l := workflows.NewLibrary(log)
			tell(t, l, []step{{on: 1, publish: "a"}, {on: 1, publish: "b"}, {on: 2, retire: []int{1}}})
			r := retirement(day(3))
			if c.change == nil {
				tell(t, l, []step{{on: 2, retire: nil}})
			} else {
				c.change(&r)
			}
			before, _ := log.Head(t.Context())
			if _, err := l.Retire(t.Context(), r); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if after, _ := log.Head(t.Context()); after != before {
				t.Error("something was recorded")
			}
		})
	}
}

// Several processes publish and retire at the same moment: each version has its
// number, none is lost, and all see the same.
func TestManyProcessesPublish(t *testing.T) {
	log := memory.New()
	const n = 5
	var group sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		group.Go(func() {
			_, errs[i] = workflows.NewLibrary(log).Publish(t.Context(), publication(t, permit(fmt.Sprint(i)), day(1)))
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	list, err := workflows.NewLibrary(log).Versions(t.Context(), "11.71", "permit")
	if err != nil || len(list) != n {
		t.Fatalf("%d versions, %v", len(list), err)
	}
	seen := map[string]bool{}
	for i, v := range list {
		seen[v.Hash] = true
		if v.Ref().Version != i+1 {
			t.Errorf("version %d is called %d", i+1, v.Ref().Version)
		}
	}
	if len(seen) != n {
		t.Errorf("%d definitions, want %d", len(seen), n)
	}
}

// An event of the first shape says nothing of when it takes effect: from when it was
// recorded.
func TestVersionsOfOldLogsAreInForceSinceTheyWereRecorded(t *testing.T) {
	log := memory.New()
	command := domain.CommandID(day(1), "old")
	a := storetest.Behind(t, log, domain.WorkflowStream("11.71", "permit"), []domain.Event{{
		Envelope: domain.Envelope{
			ID: domain.EventID(command, 0), Tenant: "11.71", Service: "permit", Workflow: domain.WorkflowRef{ID: "permit", Version: 1},
			Command: command, Correlation: command, Occurred: day(1), At: day(2),
		},
		Body: domain.WorkflowPublished{Source: string(permit("a")), Hash: domain.HashOf(string(permit("a"))), Why: "first"},
	}})
	a.Entries[0].Schema = 1
	if _, err := log.Append(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	list, err := workflows.NewLibrary(log).Versions(t.Context(), "11.71", "permit")
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if v := list[0]; !v.Effective.Equal(v.At) || v.Check != nil || v.Retired != nil {
		t.Errorf("%+v", v.WorkflowPublished)
	}
	if _, err := workflows.NewLibrary(log).InForce(t.Context(), "11.71", "permit", list[0].At); err != nil {
		t.Error(err)
	}
}

// A submission is judged by what is in force when it arrives; what runs goes on
// under its own version, whatever is published or retired.
func TestWhatRunsGoesOnUnderItsOwnVersion(t *testing.T) {
	log := memory.New()
	at, drawn := day(1), uint64(0)
	library := workflows.NewLibrary(log)
	engine := workflows.NewEngine(log, library, workflows.EngineConfig{
		Now:    func() time.Time { return at },
		Random: func() uint64 { drawn++; return drawn * 0x9E3779B97F4A7C15 },
	})
	var last domain.Submit
	submit := func(occurred time.Time) (domain.Request, error) {
		h := newHeader(t, "applicant")
		h.Occurred = occurred
		last = domain.Submit{Header: h, Tenant: "11.71", Service: "permit"}
		a, err := engine.Submit(t.Context(), last)
		return a.Request, err
	}
	// The second version asks for a signature before the permit is issued.
	second := strings.NewReplacer(
		"  - {id: issued, kind: end", "  - {id: signing, kind: work, public: in_process, owner: clerk, title: {id: TTD, en: Signing}}\n  - {id: issued, kind: end",
		"actions:\n", "actions:\n  - {id: check, title: {id: Periksa, en: Check}}\n",
		"transitions:\n", "transitions:\n  - {action: check, from: [submitted], to: signing, roles: [clerk]}\n",
		"from: [submitted], to: issued", "from: [signing], to: issued",
		"when: [{act: issue}]", "when: [{act: check}, {act: issue}]",
	).Replace(string(permit("a")))
	tell(t, library, []step{{on: 1, publish: "a"}})
	p := publication(t, []byte(second), day(2))
	p.Effective = day(4)
	if _, err := workflows.NewLibrary(log).Publish(t.Context(), p); err != nil { // another process
		t.Fatal(err)
	}

	at = day(3)
	old, err := submit(day(3))
	if err != nil || old.Workflow.Version != 1 {
		t.Fatalf("before it takes effect: %+v, %v", old.Workflow, err)
	}
	at = day(4)
	dated, err := submit(day(3)) // as if it had come the day before
	if err != nil || dated.Workflow.Version != 2 {
		t.Fatalf("from then on: %+v, %v", dated.Workflow, err)
	}
	at = day(5)
	if _, err := workflows.NewLibrary(log).Retire(t.Context(), retirement(at)); err != nil {
		t.Fatal(err)
	}
	if a, err := engine.Submit(t.Context(), last); err != nil || !a.Repeated || a.Request.ID != dated.ID {
		t.Errorf("a submission that is sent again after the end: %+v, %v", a, err)
	}
	_, err = submit(day(5))
	var refusal *domain.Refusal
	if !errors.As(err, &refusal) || refusal.Rule != domain.RuleClosed || !strings.Contains(refusal.Detail, "retired") {
		t.Errorf("after all are retired: %v", err)
	}
	for _, c := range []struct {
		r       domain.Request
		actions []domain.ActionID
	}{{old, []domain.ActionID{"issue"}}, {dated, []domain.ActionID{"check", "issue"}}} {
		for i, action := range c.actions {
			a, err := engine.Act(t.Context(), c.r.ID, domain.Act{Header: newHeader(t, "clerk"), Action: action})
			if err != nil {
				t.Fatal(err)
			}
			if a.Request.Workflow != c.r.Workflow || (i == len(c.actions)-1) != (a.Request.State == "issued") {
				t.Errorf("%s: %s under %+v", action, a.Request.State, a.Request.Workflow)
			}
		}
	}
	for _, c := range []domain.Request{old, dated} {
		for e, err := range domain.Events(log.ReadStream(t.Context(), domain.RequestStream(c.ID), 0)) {
			if err != nil || e.Workflow != c.Workflow {
				t.Errorf("an event names %+v, %v; want %+v", e.Workflow, err, c.Workflow)
			}
		}
	}
}
