package migration_test

import (
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/workflows/migration"
)

// merging is a permit that is worked on in some states, each with its time.
func merging(states, transitions string) []byte {
	return []byte(`alur: 1
id: sip-mppdn
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
submit: [applicant]
states:
  - {id: submitted, kind: start, public: verification, owner: clerk, title: {id: Masuk, en: Submitted}, term: {budget: 3 working days, expires: {ombudsman: true}}}
` + states + `
  - {id: issued, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Issued}}
actions:
  - {id: left, title: {id: Kiri, en: Left}}
  - {id: right, title: {id: Kanan, en: Right}}
  - {id: issue, title: {id: Terbitkan, en: Issue}}
transitions:
` + transitions)
}

// What a map says of the time of one state is not said of another that becomes one with it.
func TestShorterIsSaidOfOneStateOnly(t *testing.T) {
	b := newBench(t, memory.New())
	old := b.publish(merging(`  - {id: a, kind: work, public: in_process, owner: clerk, title: {id: A, en: A}, term: {budget: 10 working days, expires: {ombudsman: true}}}
  - {id: b, kind: work, public: in_process, owner: clerk, title: {id: B, en: B}, term: {budget: 10 working days, expires: {ombudsman: true}}}`,
		`  - {action: left, from: [submitted], to: a, roles: [clerk]}
  - {action: right, from: [submitted], to: b, roles: [clerk]}
  - {action: issue, from: [a, b], to: issued, roles: [clerk]}
`)).Definition
	left, right := b.submit(old, nil), b.submit(old, nil)
	b.act(old, left.ID, "clerk", "left", "")
	right = b.act(old, right.ID, "clerk", "right", "") // in b, of whose term the map says nothing
	b.now = b.now.Add(time.Hour)
	b.publish(merging(`  - {id: c, kind: work, public: in_process, owner: clerk, title: {id: C, en: C}, term: {budget: 2 working days, expires: {ombudsman: true}}}`,
		`  - {action: left, from: [submitted], to: c, roles: [clerk]}
  - {action: right, from: [submitted], to: c, roles: [clerk]}
  - {action: issue, from: [c], to: issued, roles: [clerk]}
`))
	x := b.between(1, 2, "migration: 1\nstates: {a: {to: c, as: renamed}, b: {to: c, as: moved}}\nterms: {'state:a': {take: new, shorter: true}}\n")
	if done, err := b.migrator().Run(t.Context(), x); err != nil || done.Migrated != 2 {
		t.Fatalf("%+v %v", done, err)
	}
	if now := b.load(right.ID).Terms["state:c"]; !now.Started.Equal(b.now) {
		t.Errorf("whoever was moved has the whole time of where they are, and theirs began %s", now.Started)
	}
	if now := b.load(left.ID).Terms["state:c"]; now.Budget != "2 working days" {
		t.Errorf("of state:a the map says shorter, and its term is %s", now.Budget)
	}
}

// A promise that a migration makes worse, or better, is told.
func TestAPromiseThatMovesIsTold(t *testing.T) {
	for budget, c := range map[string]struct {
		what  migration.What
		words string
	}{
		"promise: 4 working days": {migration.Longer, "term decision: promised for later: within 4 working days, by 6 March, and not by 5 March"},
		"promise: 2 working days": {migration.Shorter, "term decision: promised for sooner: within 2 working days, by 4 March, and not by 5 March"},
	} {
		b, r := inReview(t, "promise: 3 working days", budget)
		f, is := migrates(t, b, r, "migration: 1\nterms: {decision: {take: new}}\n")
		got := of(t, f, migration.KindPromise, "decision")
		if got.What != c.what || !got.Before.Equal(r.Terms["decision"].Promised) || !got.After.Equal(is.Terms["decision"].Promised) {
			t.Errorf("%s: %+v", budget, got)
		}
		g := migration.Group{Requests: []migration.Forecast{f}}
		for i := range f.Changes {
			if words := g.Words(i, func(at time.Time) string { return at.Format("2 January") }); f.Changes[i].Kind == migration.KindPromise && words != c.words {
				t.Errorf("%q", words)
			}
		}
	}
	b, r := inReview(t, "promise: 3 working days", "promise: 2 working days")
	if f, is := migrates(t, b, r, "migration: 1\n"); len(f.Changes) > 0 || !is.Terms["decision"].Promised.Equal(r.Terms["decision"].Promised) {
		t.Errorf("kept: %+v", f.Changes)
	}
}
