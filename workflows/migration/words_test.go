package migration_test

import (
	"testing"
	"time"

	"github.com/alur-id/alur/workflows/migration"
)

// What is said of several requests is true of each: their moments are told from the first
// to the last, or said to be of one of them.
func TestAGroupIsToldByAllItsMoments(t *testing.T) {
	day := func(n int) time.Time {
		if n == 0 {
			return time.Time{}
		}
		return time.Date(2026, 3, n, 2, 0, 0, 0, time.UTC)
	}
	for want, x := range map[string]struct {
		c    migration.Change
		days [2][2]int // of two requests, before and after
	}{
		"term law: ends; it was due 3 March to 5 March":    {migration.Change{Kind: migration.KindTerm, What: migration.Lost}, [2][2]int{{5, 0}, {3, 0}}},
		"term law: ends; it was due 3 March":               {migration.Change{Kind: migration.KindTerm, What: migration.Lost}, [2][2]int{{3, 0}, {3, 0}}},
		"term law: ends; it had no due time":               {migration.Change{Kind: migration.KindTerm, What: migration.Lost}, [2][2]int{}},
		"term law: runs again, due 3 March to 5 March":     {migration.Change{Kind: migration.KindTerm, What: migration.Runs}, [2][2]int{{0, 3}, {0, 5}}},
		"term law: begins: 5 days, due 3 March to 5 March": {migration.Change{Kind: migration.KindTerm, What: migration.Gained, Budget: "5 days"}, [2][2]int{{0, 3}, {0, 5}}},
		"term law: in silence, at 8 March to 9 March it lapses; until now, at 3 March to 5 March nothing is decided": {
			migration.Change{Kind: migration.KindExpiry, Was: "nothing is decided", Budget: "it lapses"}, [2][2]int{{3, 8}, {5, 9}},
		},
		"term law: promised for later: within 4 days, by 8 March to 9 March, and not by 3 March to 5 March": {
			migration.Change{Kind: migration.KindPromise, What: migration.Longer, Budget: "4 days"}, [2][2]int{{3, 8}, {5, 9}},
		},
		"term law: who is told as it runs out: head, until now clerk; next at 8 March to 9 March": {
			migration.Change{Kind: migration.KindLadder, What: migration.Other, Was: "clerk", Budget: "head"}, [2][2]int{{3, 8}, {5, 9}},
		},
	} {
		var g migration.Group
		for _, d := range x.days {
			c := x.c
			c.ID, c.Before, c.After = "law", day(d[0]), day(d[1])
			g.Requests = append(g.Requests, migration.Forecast{Reference: "7K3M-Q9XT-2WPN", Changes: []migration.Change{c}})
		}
		if got := g.Words(0, func(at time.Time) string { return at.Format("2 January") }); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	g := migration.Group{Requests: []migration.Forecast{{Reference: "7K3M-Q9XT-2WPN", Refusal: "it came at 2026-03-02T02:00:00Z already; wait"}, {}}}
	if got := g.Refusal(); got != "such as 7K3M-Q9XT-2WPN, where it came at 2026-03-02T02:00:00Z already; wait" {
		t.Errorf("%q", got)
	}
	g.Requests[0].Refusal = "it lacks a fact"
	if got := g.Refusal(); got != "it lacks a fact" {
		t.Errorf("%q", got)
	}
}
