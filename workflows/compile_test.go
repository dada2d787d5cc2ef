package workflows_test

import (
	"sync"
	"testing"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

func sip(t testing.TB) *workflows.Workflow {
	t.Helper()
	d, err := workflows.Read("w.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	return workflows.Compile(d, 1)
}

const small = `alur: 1
id: permit
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
roles:
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
submit: [clerk]
states:
  - {id: a, kind: start, public: verification, owner: clerk, title: {id: A, en: A}}
  - {id: b, kind: work, public: in_process, owner: clerk, title: {id: B, en: B}}
  - {id: c, kind: end, outcome: approved, public: approved, title: {id: C, en: C}}
actions:
  - {id: go, title: {id: Maju, en: Go}}
  - {id: note, title: {id: Catat, en: Note}}
  - {id: reopen, title: {id: Buka, en: Reopen}}
transitions:
  - {action: go, from: [a], to: b, roles: [clerk]}
  - {action: go, from: [b], to: c, roles: [clerk]}
  - {action: note, from: [a], to: a, roles: [clerk]}
  - {action: note, from: [b], to: b, roles: [clerk]}
  - {action: reopen, from: [c], to: b, roles: [clerk]}
`

// The machine agrees with the definition for every state and action, also when
// many requests share it, and after it was asked for what is not possible.
func TestFire(t *testing.T) {
	w := sip(t)
	want := map[domain.StateID]map[domain.ActionID]domain.StateID{
		"a": {"go": "b", "note": "a"},
		"b": {"go": "c", "note": "b"},
		"c": {"reopen": "b"},
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				for _, from := range []domain.StateID{"a", "b", "c"} {
					for _, action := range []domain.ActionID{"go", "note", "reopen", "dance"} {
						to, possible := want[from][action]
						got, err := w.Fire(domain.Request{State: from}, action)
						if (err == nil) != possible || got.To != to {
							t.Errorf("%s from %s: to %q, %v; want %q", action, from, got.To, err, to)
						}
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestAnEndCanBeReopened(t *testing.T) {
	got, err := sip(t).Fire(domain.Request{State: "c"}, "reopen")
	if err != nil || got.Outcome != "" || got.Public != domain.StatusInProcess {
		t.Errorf("got %+v, %v", got, err)
	}
}

func BenchmarkFire(b *testing.B) {
	w := sip(b)
	for b.Loop() {
		if _, err := w.Fire(domain.Request{State: "a"}, "go"); err != nil {
			b.Fatal(err)
		}
	}
}
