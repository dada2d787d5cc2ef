package discovery_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/discovery"
)

func TestRework(t *testing.T) {
	got := discovered(t, cases("abcabcad", "aab", "abc", "aaaxyxy")).Learnt.Rework
	want := discovery.Rework{
		Cases: 3, AllLoops: 3,
		Activities: []discovery.ReworkActivity{
			{Activity: "a", Cases: 4, Again: 3, Repeats: 5, Most: 3},
			{Activity: "b", Cases: 3, Again: 1, Repeats: 1, Most: 2},
			{Activity: "c", Cases: 2, Again: 1, Repeats: 1, Most: 2},
			{Activity: "x", Cases: 1, Again: 1, Repeats: 1, Most: 2},
			{Activity: "y", Cases: 1, Again: 1, Repeats: 1, Most: 2},
		},
		// Two rounds of abc and not also one of bca; aaa is two rounds of a; xyxy is
		// one of xy, for the second is not closed.
		Loops: []discovery.Loop{
			{Activities: []string{"a"}, Rounds: 3, Cases: 2},
			{Activities: []string{"a", "b", "c"}, Rounds: 2, Cases: 1},
			{Activities: []string{"x", "y"}, Rounds: 1, Cases: 1},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	for word, longer := range map[string]int{"abcdefgha": 0, "abcdefghia": 1} {
		if r := discovered(t, cases(word)).Learnt.Rework; r.Longer != longer || len(r.Loops) != 1-longer || r.Cases != 1 {
			t.Errorf("%s: %+v", word, r)
		}
	}
}

// Three reviews in any order, by different people, between a and z.
func TestParallelReviewsAreFound(t *testing.T) {
	var words []string
	for range 5 {
		words = append(words, "aRpSqTrUz", "aRqTrUpSz", "aRrUpSqTz", "aRpSrUqTz", "aRqTpSrUz", "aRrUqTpSz")
	}
	got := discovered(t, cases(words...)).Learnt.Parallel
	want := []discovery.ParallelSet{{Activities: []string{"p", "q", "r"}, Times: 60, Like: discovery.LikeReviews}}
	if d := cmp.Diff(want, got.Sets); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if got.All != 3 || got.Most[0] != (discovery.ParallelPair{A: "p", B: "q", AB: 10, BA: 10}) {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsNotParallel(t *testing.T) {
	for name, c := range map[string]struct {
		ab, ba int
		words  [2]string
		like   string
	}{
		"one order":                     {20, 0, [2]string{"ab", "ba"}, ""},
		"too few in the other order":    {5, 4, [2]string{"ab", "ba"}, ""},
		"65 to 35 is not about equal":   {65, 35, [2]string{"aSbT", "bTaS"}, ""},
		"64 to 36 is":                   {64, 36, [2]string{"aSbT", "bTaS"}, discovery.LikeReviews},
		"as often as is enough":         {5, 5, [2]string{"aSbT", "bTaS"}, discovery.LikeReviews},
		"by the same person":            {10, 10, [2]string{"aSbS", "bSaS"}, discovery.LikeChecks},
		"a loop of two goes both ways":  {10, 10, [2]string{"aba", "aba"}, ""},
		"nobody knows whether the same": {10, 10, [2]string{"ab", "ba"}, discovery.LikeReviews},
	} {
		t.Run(name, func(t *testing.T) {
			list := cases(slices.Concat(slices.Repeat(c.words[:1], c.ab), slices.Repeat(c.words[1:], c.ba))...)
			if strings.HasPrefix(name, "nobody") {
				for i := range list {
					for j := range list[i].Events {
						list[i].Events[j].Resource = ""
					}
				}
			}
			got := ""
			for _, s := range discovered(t, list).Learnt.Parallel.Sets {
				got += s.Like
			}
			if got != c.like {
				t.Errorf("got %q, want %q", got, c.like)
			}
		})
	}
}

// What is recorded at one instant has no order, if it is more than half of it.
func TestParallelAtOneInstant(t *testing.T) {
	list := cases(slices.Concat(slices.Repeat([]string{"aSbT"}, 9), slices.Repeat([]string{"bTaS"}, 9))...)
	for i := range list {
		if sets := discovered(t, list).Learnt.Parallel.Sets; len(sets) != 1 || (sets[0].Like == discovery.LikeUnordered) != (i > 9) {
			t.Errorf("%d of 18 at the same instant: %+v", i, sets)
		}
		list[i].Events[1].Time = list[i].Events[0].Time
	}
}

// a is parallel to b and b to c, but a is not to c: they are no set of three, and
// b is in one set only.
func TestParallelSetsAreWhole(t *testing.T) {
	got := discovered(t, cases(slices.Repeat([]string{"ab", "ba", "ab", "ba", "bc", "cb"}, 9)...)).Learnt.Parallel
	if got.All != 2 || len(got.Sets) != 1 || strings.Join(got.Sets[0].Activities, "") != "ab" {
		t.Errorf("%+v", got)
	}
	// Nor does a second set take what the first has: d is parallel to c and b.
	words := slices.Concat(slices.Repeat([]string{"cd", "dc", "bc", "cb", "bd", "db"}, 9), slices.Repeat([]string{"ab", "ba"}, 20))
	if got := discovered(t, cases(words...)).Learnt.Parallel.Sets; len(got) != 2 || strings.Join(got[1].Activities, "") != "cd" {
		t.Errorf("%+v", got)
	}
}

// A log that calls everybody staff tells people apart by their roles.
func TestParallelByRole(t *testing.T) {
	list := cases(slices.Repeat([]string{"ab", "ba"}, 9)...)
	for _, c := range list {
		for i := range c.Events {
			c.Events[i].Role = "role of " + c.Events[i].Name
		}
	}
	for role, like := range map[string]string{"org:resource": discovery.LikeChecks, "org:role": discovery.LikeReviews} {
		d, err := discovery.Learn(traces(list), discovery.Options{ID: "x", Role: role})
		if err != nil || len(d.Learnt.Parallel.Sets) != 1 || d.Learnt.Parallel.Sets[0].Like != like {
			t.Errorf("by %s: %+v, %v", role, d.Learnt.Parallel.Sets, err)
		}
	}
}

// The draft has every step, however full the tables of the report are, and they
// say so.
func TestTablesAreBounded(t *testing.T) {
	list := cases("aSbTaSbT", "cUdVcUcU")
	for _, c := range list {
		for i := range c.Events {
			c.Events[i].Role = c.Events[i].Resource
		}
	}
	draft, err := discovery.Learn(traces(list), discovery.Options{ID: "x", Role: "org:role", Kept: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := []discovery.FullList{
		{Table: "loops", Most: 1, Times: 2},
		{Table: "pairs of activities", Most: 1, Times: 3},
		{Table: "activities by resource", Most: 1, Times: 6},
		{Table: "handovers between resources", Most: 1, Times: 3},
		{Table: "activities by role", Most: 1, Times: 6},
		{Table: "handovers between roles", Most: 1, Times: 3},
	}
	if d := cmp.Diff(want, draft.Learnt.NotKept); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if q := quality(t, draft.Definition, discovery.MaxPrefixes, list); q.Fitness != 1 || q.RoleFitness != 1 {
		t.Errorf("%+v", q)
	}
}

func TestWhoDoesWhat(t *testing.T) {
	list := cases("aSbTbT", "aSbS", "aS", "aUcT")
	list = append(list, workflows.Trace{Name: "nobody", Events: []workflows.TraceEvent{event("a", "S", 1), event("b", " ", 2), event("b", "S", 3)}})
	got := discovered(t, list).Learnt
	a := discovery.ActivityWho{Activity: "a", Times: 5, Names: 2, Mostly: "S", MostlyTimes: 4}
	b := discovery.ActivityWho{Activity: "b", Times: 4, Names: 2, Mostly: "S", MostlyTimes: 2}
	c := discovery.ActivityWho{Activity: "c", Times: 1, Names: 1, Mostly: "T", MostlyTimes: 1}
	want := discovery.Who{
		Names: 3, Unrecorded: 1, Activities: []discovery.ActivityWho{a, b, c}, ByOne: []discovery.ActivityWho{},
		Steps: 4, Handed: 2, Pairs: 2, Handovers: []discovery.Handover{{From: "S", To: "T", Times: 1}, {From: "U", To: "T", Times: 1}},
		AllByOne: 1, CasesOfTwo: 4,
	}
	if d := cmp.Diff(want, got.Who); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if got.Roles != nil {
		t.Error("the resources are reported a second time, as roles")
	}
	if one := discovered(t, cases("aScT", "aUcT")).Learnt.Who.ByOne; len(one) != 1 || one[0].Activity != "c" || one[0].Times != 2 {
		t.Errorf("done by one: %+v", one)
	}
	for i := range list[0].Events {
		list[0].Events[i].Role = "desk"
	}
	byRole, err := discovery.Learn(traces(list), discovery.Options{ID: "x", Role: "org:role"})
	if err != nil || byRole.Learnt.Roles == nil || byRole.Learnt.Roles.Names != 1 || byRole.Learnt.Roles.AllByOne != 1 {
		t.Errorf("by role: %+v, %v", byRole.Learnt.Roles, err)
	}
}

func TestPace(t *testing.T) {
	var list []workflows.Trace
	for i := range 20 {
		list = append(list, workflows.Trace{Name: fmt.Sprint(i), Events: []workflows.TraceEvent{event("a", "R", 0), event("b", "R", i+1), event("c", "R", 25)}})
	}
	list[0].Events[2].Time = now.Add(-time.Hour) // the clock runs backwards
	untimed := event("b", "R", 0)
	untimed.Time = time.Time{}
	list = append(list, workflows.Trace{Name: "untimed", Events: []workflows.TraceEvent{event("a", "R", 0), untimed}})
	draft := discovered(t, list)
	got := draft.Learnt.Pace
	if len(got.After) != 2 || got.After[0].Activity != "a" || got.After[0].Times != 20 || got.After[1].Times != 19 || got.After[1].Backward != 1 {
		t.Fatalf("%+v", got)
	}
	for what, x := range map[string][2]float64{
		"median": {got.After[0].Median, 10}, "p90": {got.After[0].P90, 18}, "whole": {got.Case.Median, 25},
	} {
		if hours := x[0] / 3600; math.Abs(hours-x[1]) > x[1]/100 {
			t.Errorf("%s %v hours, want %v within 1%%", what, hours, x[1])
		}
	}
	// Hints are for where somebody has to act: not for an end that is left now and
	// then.
	closing := discovered(t, cases("ab", "ab", "abc"))
	if source, err := closing.Write("log.xes"); err != nil || strings.Count(string(source), "No term is known") != 1 {
		t.Errorf("%v\n%s", err, source)
	}
	source, err := draft.Write("log.xes")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(source), "(20 times, by the wall clock): 1 calendar day would have been kept by nine in ten.\n  - id: a\n") {
		t.Errorf("no term is suggested at a:\n%s", source)
	}
	if !strings.Contains(string(source), "(19 times, by the wall clock): too few to suggest one.\n  - id: b\n") {
		t.Errorf("a term is suggested at b:\n%s", source)
	}
	if strings.Contains(string(source), "\n    term:") {
		t.Error("a term was invented")
	}
}

// The median and the ninth decile are those of the sorted list, within 1%.
func TestPaceIsWithinOnePercent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.SliceOfN(rapid.Int64Range(0, 1<<rapid.IntRange(1, 40).Draw(t, "size")), 1, 60).Draw(t, "ms")
		var list []workflows.Trace
		for _, x := range ms {
			list = append(list, workflows.Trace{Events: []workflows.TraceEvent{event("a", "R", 0), event("b", "R", 0)}})
			list[len(list)-1].Events[1].Time = now.Add(time.Duration(x) * time.Millisecond)
		}
		span := discovered(t, list).Learnt.Pace.After[0]
		slices.Sort(ms)
		for per, got := range map[int]float64{50: span.Median, 90: span.P90} {
			want := float64(ms[(len(ms)*per+99)/100-1]) / 1000
			if math.Abs(got-want) > want/100 {
				t.Errorf("%d%%: %v, want %v", per, got, want)
			}
		}
	})
}

func TestDuration(t *testing.T) {
	for seconds, want := range map[float64]string{
		0: "0s", 0.5: "500ms", 59: "59s", 3599: "59m59s", 3600: "1h0m", 86399: "24h0m", 90000: "1d1h", 86400 * 100: "100d", 86400 * 365.6: "366d",
	} {
		if got := discovery.Duration(seconds); got != want {
			t.Errorf("%v: %s, want %s", seconds, got, want)
		}
	}
}
