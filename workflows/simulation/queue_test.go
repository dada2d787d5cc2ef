package simulation

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// counter is a definition of one queue.
const counter = `
alur: 1
id: counter
title: {id: Loket, en: Counter}
agency: {id: Dinas, en: Office}
office: office
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: officer, title: {id: Petugas, en: Officer}, capacities: [officer]}
submit: [applicant]
states:
  - {id: submitted, kind: start, public: verification, owner: officer, title: {id: Antre, en: Queue}}
  - {id: served, kind: end, outcome: approved, public: approved, title: {id: Selesai, en: Served}}
actions:
  - {id: serve, title: {id: Layani, en: Serve}}
transitions:
  - {action: serve, from: [submitted], to: served, roles: [officer]}
`

func definition(t testing.TB, source string) *workflows.Definition {
	t.Helper()
	d, err := workflows.Read("test.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func shipped(t testing.TB) *calendar.Calendar {
	t.Helper()
	c, err := calendar.Compile(domain.TenantCode("11.71").Zone(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func complete(t testing.TB, d *workflows.Definition, p *Parameters) *Parameters {
	t.Helper()
	all, err := p.Complete(d)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func simulated(t testing.TB, s Settings, other *Parameters) *Report {
	t.Helper()
	r, err := Simulate(t.Context(), s, other)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// erlangC is the mean waiting time of an M/M/c queue, in units of the mean service.
func erlangC(c int, rho float64) float64 { return waits(c, rho) / (float64(c) * (1 - rho)) }

// waits is the probability that somebody waits at all.
func waits(c int, rho float64) float64 {
	a := rho * float64(c)
	b := 1.0 // Erlang B, by its recursion
	for k := 1; k <= c; k++ {
		b = a * b / (float64(k) + a*b)
	}
	return b / (1 - rho*(1-b))
}

// A queue with Poisson arrivals, exponential service and c officers waits as long as
// Erlang (1917) says. Of honest 95% intervals one in twenty misses; here at most one of
// twelve may, and none by more than twice its width.
func TestOneQueueWaitsAsErlangSays(t *testing.T) {
	d := definition(t, counter)
	told := readFile(t, "../../docs/agencies/simulate.md")
	missed := 0
	for i, q := range []struct {
		officers int
		rho      float64
	}{{1, 0.3}, {1, 0.5}, {1, 0.7}, {1, 0.85}, {2, 0.5}, {2, 0.8}, {3, 0.6}, {3, 0.9}, {5, 0.7}, {5, 0.9}, {10, 0.8}, {10, 0.95}} {
		t.Run(fmt.Sprintf("%d officers at %v", q.officers, q.rho), func(t *testing.T) {
			const service = 30 * time.Minute
			p := complete(t, d, &Parameters{
				Clock:    AroundClock,
				Arrivals: Arrivals{PerDay: q.rho * float64(q.officers) * float64(24*time.Hour) / float64(service)},
				Pools:    []Pool{{Name: "officer", Roles: []domain.RoleID{"officer"}, Officers: q.officers}},
				Stages:   map[domain.StateID]Stage{"submitted": {Service: &Duration{Shape: Exponential, Mean: service}}},
			})
			r := simulated(t, Settings{
				Definition: d, Parameters: p, Calendar: shipped(t), Seed: uint64(i + 1), Replications: 20,
				From: calendar.DateOf(2026, 1, 5), WarmUp: 10, Days: 180 / q.officers,
			}, nil)
			x := r.Stages[0]
			want := erlangC(q.officers, q.rho) * service.Hours()
			line := fmt.Sprintf("| %d | %.2f | %.3f | %.3f to %.3f | %.3f |\n", q.officers, q.rho, x.Wait.Mean, x.Wait.Low, x.Wait.High, want)
			if !strings.Contains(told, line) {
				t.Errorf("docs/agencies/simulate.md does not have the line\n%s", line)
			}
			if want < x.Wait.Low || want > x.Wait.High {
				missed++
			}
			if math.Abs(x.Wait.Mean-want) > x.Wait.High-x.Wait.Low {
				t.Errorf("waits %.4f h (%.4f to %.4f), and Erlang says %.4f", x.Wait.Mean, x.Wait.Low, x.Wait.High, want)
			}
			// Little: what waits is what comes, for as long as it waits.
			little := x.Came.Mean / 24 * x.Wait.Mean
			if math.Abs(x.Queue.Mean-little) > 0.02*little+0.001 {
				t.Errorf("%.4f wait on average, and by Little's law it is %.4f", x.Queue.Mean, little)
			}
			// Nine in ten wait no longer, if they are served in the order of their coming.
			p90 := max(0, math.Log(waits(q.officers, q.rho)/0.1)) / (float64(q.officers) * (1 - q.rho)) * service.Hours()
			near(t, "the wait of nine in ten", x.P90, p90, 1.5*(x.P90.High-x.P90.Low)+0.005)
			near(t, "busy", r.Roles[0].Busy, q.rho, 0.02)
		})
	}
	if missed > 1 {
		t.Errorf("%d of 12 intervals miss what Erlang says", missed)
	}
}
