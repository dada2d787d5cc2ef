package simulation

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

func TestAFileOfParametersIsRead(t *testing.T) {
	d := definition(t, timed)
	p, err := Read("staff.yaml", []byte(`
simulation: 1
clock: wall
arrivals:
  by_hour:
    monday: {8: 1.5, 9: 2}
pools:
  - {name: all, roles: [officer], officers: 3}
stages:
  submitted:
    service: {lognormal: 40 minutes, spread: 0.8}
    choices: {accept: 1}
  returned:
    service: {empirical: [3 days, 1 days, 5 hours]}
systems:
  civil:
    answer: {gamma: 2 hours, spread: 2}
    outcomes: {match: 9, none: 1}
cases:
  - {weight: 2, facts: {}}
`), d)
	if err != nil {
		t.Fatal(err)
	}
	if p.Arrivals.ByHour[24+8] != 1.5 || p.Arrivals.ByHour[24+9] != 2 || p.Clock != AroundClock || p.pool("officer") != 0 || p.Cases[0].Weight != 2 {
		t.Errorf("%+v", p)
	}
	day := 24 * time.Hour
	want := map[domain.StateID]Stage{
		"submitted": {Service: &Duration{Shape: Lognormal, Mean: 40 * time.Minute, Spread: 0.8}, Choices: map[domain.ActionID]float64{"accept": 1}},
		"returned":  {Service: &Duration{Shape: Empirical, Mean: (4*day + 5*time.Hour) / 3, Values: []time.Duration{5 * time.Hour, day, 3 * day}}},
	}
	if x := cmp.Diff(want, p.Stages, cmp.AllowUnexported(choice{})); x != "" {
		t.Error(x)
	}
}

// Whatever is wrong is told, all at once, each at its place.
func TestFaultsInParametersAreToldAtTheirPlace(t *testing.T) {
	d := definition(t, timed)
	for _, c := range []struct{ source, want string }{
		{"simulation: 2", `1:13: simulation: form 2 is not known`},
		{"simulation: 1\nstages: {submited: {}}", `2:10: stages has no key "submited"; did you mean "submitted"?`},
		{"simulation: 1\nofficers: {applicant: 2}", `2:12: officers has no key "applicant"`},
		{"simulation: 1\nofficers: {officer: 0}", `2:21: officers officer: 0 is not between 1 and 10000`},
		{"simulation: 1\nofficers: {officer: 1}\npools: [{name: x, roles: [officer], officers: 2}]", `3:10: role "officer" has officers already`},
		{"simulation: 1\nstages: {submitted: {service: {exponential: 3 working hours}}}", `2:45: stage submitted service: leave working out`},
		{"simulation: 1\nstages: {submitted: {service: {exponential: 3}}}", `2:45: stage submitted service: want text here, found the number 3`},
		{"simulation: 1\nstages: {submitted: {service: {fixed: 3 hours, gamma: 2 hours}}}", `2:55: stage submitted service: it is fixed already`},
		{"simulation: 1\nstages: {submitted: {service: {fixed: 3 hours, spread: 2}}}", `2:32: stage submitted service: only lognormal and gamma have a spread`},
		{"simulation: 1\nstages: {submitted: {service: {spread: 2}}}", `2:32: stage submitted service: say one of fixed`},
		{"simulation: 1\nstages: {submitted: {choices: {send: 1}}}", `2:32: stage submitted choices has no key "send"`},
		{"simulation: 1\narrivals: {per_day: 0}", `2:12: arrivals: say either per_day, more than 0, or by_hour`},
		{"simulation: 1\narrivals: {by_hour: {monday: {24: 1}}}", `2:31: arrivals on monday has no key "24"`},
		{"simulation: 1\narrivals: {by_hour: {monday: {2: 0}}}", `arrivals: nobody comes in any hour`},
		{"simulation: 1\narrivals: {per_day: .inf}", `want a number`},
		{"simulation: 1\narrivals: {per_day: 010}", `2:21: arrivals per_day: 010 is read as 8, since it begins with 0: write 10, or 8 if that is meant`},
		{"simulation: 1\narrivals: {per_day: -1}", `2:21: arrivals per_day: -1 is not between 0`},
		{"arrivals: {per_day: 1}", `1:1: the file: key "simulation" is missing`},
		{"simulation: 1\nclock: sun", `2:8: clock: "sun" is not one of office, wall`},
		{"", `the file holds no file of parameters`},
	} {
		_, err := Read("staff.yaml", []byte(c.source), d)
		var problems workflows.Problems
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n%v\nwant %s", c.source, err, c.want)
		}
	}
}

// Whatever a file holds, reading it ends, and what is read can be simulated or is
// refused.
func FuzzRead(f *testing.F) {
	d, c := definition(f, timed), shipped(f)
	f.Add([]byte("simulation: 1\narrivals: {per_day: 3}\nstages: {submitted: {service: {gamma: 3 hours, spread: 0.01}}}"))
	f.Add([]byte("simulation: 1\narrivals: {by_hour: {monday: {8: 1e-9}}}\ncases: [{weight: 0}]"))
	f.Add([]byte("simulation: 1\nstages: {working: {choices: {send: 0}}}"))
	f.Fuzz(func(t *testing.T, source []byte) {
		p, err := Read("x", source, d)
		if err != nil {
			return
		}
		if p, err = p.Complete(d); err != nil {
			return
		}
		if p.Arrivals.ByHour != nil || p.Arrivals.PerDay > 20 {
			return // much to do
		}
		s := Settings{Definition: d, Parameters: p, Calendar: c, Replications: 2, From: calendar.DateOf(2026, 1, 1), Days: 2}
		if s, err = Staffed(t.Context(), s); err != nil {
			return
		}
		if _, err := Simulate(t.Context(), s, nil); err != nil {
			t.Error(err)
		}
	})
}

func TestNumbersOfOfficersAreChanged(t *testing.T) {
	p := &Parameters{Pools: []Pool{{Name: "all", Roles: []domain.RoleID{"officer", "head"}, Officers: 3}, {Name: "any", Roles: []domain.RoleID{"x"}, Unlimited: true}}}
	for change, want := range map[string]string{
		"head=+2": "5", "all=1": "1", "officer=-2": "1",
		"head=-3": "that makes 0 officers", "hed=1": `"hed" is none of all, any`, "head": "want a role and a number", "head=x": "want a role and a number",
		"x=+1": "nobody waits for officers here", "x=20000": "want 1 to 10000",
	} {
		out, err := p.Officers([]string{change}, Given)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = fmt.Sprint(out.Pools[0].Officers)
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", change, got, want)
		}
	}
	if p.Pools[0].Officers != 3 {
		t.Error("what was given is changed")
	}
}
