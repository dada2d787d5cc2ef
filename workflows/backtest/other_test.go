package backtest_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/backtest"
)

// Other definitions, each with one thing in it changed: whatever it is, all histories
// are judged, twice the same, and those that are told of as unchanged do not differ.
func TestOtherDefinitionsAreJudgedToTheEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT WITH -short, AS UNDER THE RACE DETECTOR: it takes minutes, one history after another; go test ./... runs this")
	}
	const every = 24 // of the changes; all of them take minutes
	kinds := map[backtest.Kind]int{}
	tried := 0
	for i, e := range entries(t) {
		r := rand.New(rand.NewPCG(uint64(i), 5))
		k := newWalker(newOffice(t, e.Source), r.IntN)
		for range 12 {
			k.walk(t, 1+k.draw(90))
		}
		all := changes(e.Definition)
		for n, name := range slices.Sorted(maps.Keys(all)) {
			if n%every != i%every {
				continue
			}
			d := read(t, string(e.Source))
			all[name](d)
			source, err := workflows.Write(d, "")
			if err != nil {
				continue
			}
			if d, err = workflows.Read("changed.yaml", source); err != nil {
				continue // it cannot run
			}
			tried++
			report := k.run(d)
			if n := report.Unchanged + report.Changed + report.Unjudged; n != len(k.all) || report.Histories != n {
				t.Errorf("%s, %s: %d of %d", e.Path, name, n, len(k.all))
			}
			if tried%5 == 0 {
				if again := k.run(d); again.Words() != report.Words() {
					t.Errorf("%s, %s: the second time it is\n%s\nand not\n%s", e.Path, name, again.Words(), report.Words())
				}
			}
			for _, g := range report.Groups {
				kinds[g.Kind] += g.Count
				if g.Kind == backtest.Unjudged {
					t.Errorf("%s, %s: %s", e.Path, name, g.Cause)
				}
			}
		}
	}
	t.Log(tried, kinds)
	if tried < 1000/every || len(kinds) < 5 {
		t.Errorf("%d definitions, %v", tried, kinds)
	}
}

// changes are single changes of a definition, by what they are.
func changes(d *workflows.Definition) map[string]func(*workflows.Definition) {
	all := map[string]func(*workflows.Definition){}
	for i, x := range d.Transitions {
		name := fmt.Sprintf("transition %d, %s: ", i, x.Action)
		all[name+"left out"] = func(d *workflows.Definition) { d.Transitions = slices.Delete(d.Transitions, i, i+1) }
		all[name+"automatic"] = func(d *workflows.Definition) {
			t := &d.Transitions[i]
			t.Automatic, t.Roles, t.Reasons = true, nil, nil
		}
		all[name+"by another"] = func(d *workflows.Definition) { d.Transitions[i].Roles = []domain.RoleID{d.Roles[len(d.Roles)-1].ID} }
		all[name+"to the end"] = func(d *workflows.Definition) { d.Transitions[i].To = d.States[len(d.States)-1].ID }
		all[name+"a correction"] = func(d *workflows.Definition) { d.Transitions[i].Kind = domain.ActionCorrect }
	}
	for i, x := range d.States {
		all["state "+string(x.ID)+": renamed"] = func(d *workflows.Definition) {
			for j := range d.Transitions {
				t := &d.Transitions[j]
				t.From = slices.Clone(t.From)
				for n := range t.From {
					if t.From[n] == x.ID {
						t.From[n] = "another"
					}
				}
				if t.To == x.ID {
					t.To = "another"
				}
			}
			d.States[i].ID = "another"
		}
		all["state "+string(x.ID)+": work by lot"] = func(d *workflows.Definition) {
			d.States[i].Allocate = &workflows.Allocation{Rule: domain.AllocateByLot}
		}
	}
	for i, x := range d.Documents {
		all["document "+string(x.ID)+": required"] = func(d *workflows.Definition) { d.Documents[i].Required, d.Documents[i].RequiredWhen = true, nil }
		all["document "+string(x.ID)+": other formats"] = func(d *workflows.Definition) { d.Documents[i].Formats = []string{"png"} }
	}
	for i := range d.Terms {
		all[fmt.Sprint("term ", i, ": shorter")] = func(d *workflows.Definition) { d.Terms[i].Budget.Amount = 1 }
		all[fmt.Sprint("term ", i, ": longer")] = func(d *workflows.Definition) { d.Terms[i].Budget.Amount *= 2 }
		all[fmt.Sprint("term ", i, ": left out")] = func(d *workflows.Definition) { d.Terms = slices.Delete(d.Terms, i, i+1) }
	}
	for i := range d.Fees {
		all[fmt.Sprint("fee ", i, ": another")] = func(d *workflows.Definition) {
			d.Fees[i].Amount, d.Fees[i].Table, d.Fees[i].Formula = 7, nil, nil
		}
	}
	for i := range d.Facts {
		all[fmt.Sprint("fact ", i, ": required")] = func(d *workflows.Definition) { d.Facts[i].Required = true }
		all[fmt.Sprint("fact ", i, ": given")] = func(d *workflows.Definition) { d.Facts[i].From = nil }
	}
	return all
}
