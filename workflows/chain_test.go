package workflows

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Just as many steps that follow by themselves as the engine lets are let, and one
// more is found.
func TestAChainThatTheEngineRefusesIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		changes []string
		each    int // events that a state of the chain brings with it beside its move
	}{
		"steps": {},
		"steps that somebody is told of": {
			[]string{"notifications: {id: told, on: [s0], to: citizen, text: {id: T, en: T}}"}, 1,
		},
	} {
		for _, more := range []bool{false, true} {
			t.Run(fmt.Sprint(name, more), func(t *testing.T) {
				changes := append([]string{action("go"), action("start"), "transitions: {action: start, from: [sent], to: s0, roles: [clerk]}"}, c.changes...)
				// The start is one event, each state one for its move, and the last leads on to the end.
				n := (domain.MaxFollowing - 1 - c.each)
				if more {
					n++
				}
				for i := range n {
					to := fmt.Sprint("s", i+1)
					if i == n-1 {
						to = "refused"
					}
					changes = append(changes,
						fmt.Sprintf("states: {id: s%d, kind: work, public: in_process, owner: clerk, title: {id: S, en: S}, term: {budget: 2 days, expires: {escalate: [head]}}}", i),
						fmt.Sprintf("transitions: {action: go, from: [s%d], to: %s, automatic: true}", i, to))
				}
				source := changed(t, changes...)
				d, err := Read("w.yaml", []byte(source))
				if err != nil {
					t.Fatal(err)
				}
				w := Compile(d, 1)
				head := func(role domain.RoleID, as domain.Capacity) domain.Header {
					return domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: "p", Role: role, Capacity: as}, Occurred: played}
				}
				events, err := domain.Decide(domain.Request{}, domain.Submit{Header: head("citizen", domain.CapacitySelf), Tenant: "11.71", Service: "permit", Reference: "r", Facts: domain.Facts{"at": "2026-01-01T00:00:00Z"}}, w)
				if err != nil {
					t.Fatal(err)
				}
				var r domain.Request
				for _, e := range events {
					r = domain.Evolve(r, domain.Recorded{Event: e, Version: r.Version + 1})
				}
				events, err = domain.Decide(r, domain.Act{Header: head("clerk", domain.CapacityOfficer), Action: "start"}, w)
				if refused := err != nil; refused != more {
					t.Errorf("the engine: %d events, %v", len(events), err)
				}
				found := slices.ContainsFunc(findingsOf(t, source), func(f Finding) bool { return f.Rule == FindingEndless })
				if found != more {
					t.Errorf("found: %t", found)
				}
			})
		}
	}
}
