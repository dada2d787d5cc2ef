package migration_test

import (
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/workflows/migration"
)

// silent is the licence under which nothing is decided when the time has run out.
func silent(t *testing.T) []byte {
	t.Helper()
	return licence(t, "    expires: {to: issued-by-law, ground: deemed_approval}\n", "    expires: {escalate: [head]}\n", "from: [refused, issued-by-law]", "from: [refused]",
		"  - {id: issued-by-law, kind: end, outcome: approved, public: approved, title: {id: Terbit karena hukum, en: Issued by law}}\n", "")
}

// By one version five working days of silence are told to the head; by the other fourteen
// grant the permit. A budget and what follows from it go together: no version grants it
// after five.
func TestABudgetAndWhatFollowsGoTogether(t *testing.T) {
	longer := licence(t, "budget: 5 working days", "budget: 14 working days")
	t.Run("kept", func(t *testing.T) {
		b := newBench(t, memory.New())
		old := b.publish(silent(t)).Definition
		b.act(old, b.submit(old, nil).ID, "clerk", "accept", "")
		b.publish(longer)
		cannot(t, b, b.between(1, 2, "migration: 1\n"), `term "decision" keeps its 5 working days`, "deemed_approval by version 2", "nothing is decided by version 1", "say take: new of it in the map")
	})
	t.Run("taken", func(t *testing.T) {
		b := newBench(t, memory.New())
		old := b.publish(silent(t)).Definition
		r := b.submit(old, nil)
		r = b.act(old, r.ID, "clerk", "accept", "") // Monday 2 March
		b.publish(longer)
		f, is := migrates(t, b, r, "migration: 1\nterms: {decision: {take: new}}\n")
		due := time.Date(2026, 3, 27, 9, 30, 0, 0, time.UTC)
		if !is.Terms["decision"].Due.Equal(due) {
			t.Fatalf("due %s", is.Terms["decision"].Due)
		}
		c := of(t, f, migration.KindExpiry, "decision")
		if want := (migration.Change{Kind: migration.KindExpiry, ID: "decision", Was: "nothing is decided", What: migration.Other, Budget: "deemed_approval", Before: r.Terms["decision"].Due, After: due}); c != want {
			t.Errorf("told %+v, want %+v", c, want)
		}
		b.now = due
		if is = b.run(r.ID); is.Outcome != "" {
			t.Errorf("it was decided at %s", is.Changed)
		}
		b.now = due.Add(time.Second)
		if is = b.run(r.ID); is.State != "issued-by-law" || !is.Changed.Equal(due) {
			t.Errorf("in %s at %s", is.State, is.Changed)
		}
	})
	t.Run("kept, and what follows is the same", func(t *testing.T) {
		b, r := inReview(t, "budget: 5 working days", "budget: 14 working days")
		if _, is := migrates(t, b, r, "migration: 1\n"); !is.Terms["decision"].Due.Equal(r.Terms["decision"].Due) {
			t.Errorf("%+v", is.Terms["decision"])
		}
	})
	t.Run("lost", func(t *testing.T) {
		b := newBench(t, memory.New())
		old := b.publish(licence(t)).Definition
		r := b.act(old, b.submit(old, nil).ID, "clerk", "accept", "")
		b.publish(silent(t)) // with the same budget
		cannot(t, b, b.between(1, 2, "migration: 1\n"), "nothing is decided by version 2", "deemed_approval by version 1")
		f, _ := migrates(t, b, r, "migration: 1\nterms: {decision: {take: new}}\n")
		if c := of(t, f, migration.KindExpiry, "decision"); c.Was != "deemed_approval" || c.Budget != "nothing is decided" || !c.Before.Equal(c.After) || !c.After.Equal(r.Terms["decision"].Due) {
			t.Errorf("%+v", c)
		}
	})
	t.Run("nothing follows any more", func(t *testing.T) {
		b := newBench(t, memory.New())
		old := b.publish(silent(t)).Definition
		r := b.act(old, b.submit(old, nil).ID, "clerk", "accept", "")
		b.now = b.now.AddDate(0, 0, 9) // it has run out, and the head was told
		b.publish(longer)
		r = b.run(r.ID)
		f, is := migrates(t, b, r, "migration: 1\n")
		for _, c := range f.Changes {
			if c.Kind == migration.KindExpiry {
				t.Errorf("told %+v", c)
			}
		}
		b.now = b.now.AddDate(0, 2, 0)
		if is = b.run(is.ID); is.Outcome != "" {
			t.Errorf("silence was judged by a rule of later: %s", is.State)
		}
	})
}
