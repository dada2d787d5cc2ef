package catalogue_test

import (
	"path"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/catalogue"
)

func entries(t *testing.T) []catalogue.Entry {
	t.Helper()
	list, err := catalogue.Entries()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatal("the catalogue is empty")
	}
	return list
}

// What ships is what an agency could publish: nothing stands against it, its tests
// hold, and they take every transition out of each of its states and let every term run out
// wherever it moves the request.
func TestEveryEntryIsFitToPublish(t *testing.T) {
	for _, e := range entries(t) {
		t.Run(e.Path, func(t *testing.T) {
			t.Parallel()
			d, findings, err := workflows.Check(e.Path, e.Source)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range findings {
				t.Error(f)
			}
			run := workflows.RunTests(e.Path, e.Source, d)
			for _, p := range run.Problems {
				t.Error(p.String())
			}
			for _, u := range run.Untaken {
				t.Errorf("no test takes %s", u)
			}
			if want := d.ID + ".yaml"; path.Base(e.Path) != want {
				t.Errorf("want the file to be %s", want)
			}
		})
	}
}

// Services of one tenant have names of their own.
func TestNoTenantHasAServiceTwice(t *testing.T) {
	type service struct {
		tenant domain.TenantCode
		id     string
	}
	seen := map[service]string{}
	for _, e := range entries(t) {
		s := service{e.Tenant, e.Definition.ID}
		if before, ok := seen[s]; ok {
			t.Errorf("%s and %s are both %s", before, e.Path, s.id)
		}
		seen[s] = e.Path
	}
}

// The pilots of MPP Digital, and no tenant that is not one of them.
func TestTenants(t *testing.T) {
	tenants, err := catalogue.Tenants()
	if err != nil {
		t.Fatal(err)
	}
	if len(tenants) != 21 {
		t.Errorf("%d tenants, want 21", len(tenants))
	}
	byCode := map[domain.TenantCode]catalogue.Tenant{}
	for _, x := range tenants {
		byCode[x.Code] = x
		// The zone that is written down is the one the program reckons with.
		if x.Code.Zone().String() != x.Zone {
			t.Errorf("%s: %s is written down, and it is %s", x.Code, x.Zone, x.Code.Zone())
		}
		offices := map[string]bool{}
		for _, a := range x.Agencies {
			if offices[a.Office] {
				t.Errorf("%s: %s is listed twice", x.Code, a.Office)
			}
			offices[a.Office] = true
		}
	}
	for _, e := range entries(t) {
		tenant, ok := byCode[e.Tenant]
		if !ok {
			t.Errorf("%s: %s is none of the tenants", e.Path, e.Tenant)
			continue
		}
		named := false
		for _, a := range tenant.Agencies {
			if a.Office == e.Definition.Office {
				named = true
				if d := cmp.Diff(e.Definition.Agency, a.Name); d != "" {
					t.Errorf("%s: the agency's name (-definition +tenants)\n%s", e.Path, d)
				}
			}
		}
		if !named {
			t.Errorf("%s: office %s is not among the agencies of %s", e.Path, e.Definition.Office, e.Tenant)
		}
	}
}

// The tests in a file also try what an agency would fear: somebody who may not act, a
// step out of turn, an incomplete file, a second return, the same person at two gates,
// a refusal without a reason and, where there is a fee, one that is not paid.
func TestEveryEntryTriesWhatMustNotBe(t *testing.T) {
	for _, e := range entries(t) {
		refused := map[domain.Rule]bool{}
		for _, test := range e.Definition.Tests {
			for _, step := range test.When {
				refused[step.Refused] = true
			}
		}
		want := []domain.Rule{domain.RuleRole, domain.RuleNotFromHere, domain.RuleIncomplete, domain.RuleGuard, domain.RuleReturn, domain.RuleFourEyes, domain.RuleReason}
		if len(e.Definition.Fees) > 0 {
			want = append(want, domain.RuleFee)
		}
		for _, rule := range want {
			if !refused[rule] {
				t.Errorf("%s: no test is refused by %s", e.Path, rule)
			}
		}
	}
}

// Each step may take its time, and the time over all of them is kept.
func TestStepsFitTheWholeTime(t *testing.T) {
	for _, e := range entries(t) {
		for _, term := range e.Definition.Terms {
			if steps, path := longest(e.Definition, term); steps > minutes(term.Budget) {
				t.Errorf("%s: %s allows %s, and the steps may take %d working minutes: %v", e.Path, term.ID, term.Budget, steps, path)
			}
		}
	}
}

// minutes is a budget in working time: 37 hours 30 minutes in five days (Perpres
// 21/2023).
func minutes(b workflows.Budget) int {
	return b.Amount * map[string]int{"days": 450, "hours": 60, "minutes": 1}[b.Unit]
}

// longest is the way on which the steps may take longest while a term runs, from where
// it starts until it is over or would start again; no state twice.
func longest(d *workflows.Definition, term workflows.LegalTerm) (most int, path []domain.StateID) {
	start := map[domain.StateID]bool{}
	for _, t := range d.Transitions {
		for _, from := range t.From {
			start[from] = start[from] || slices.Contains(term.Starts, t.Action)
		}
	}
	var walk func(at domain.StateID, taken int, way []domain.StateID)
	walk = func(at domain.StateID, taken int, way []domain.StateID) {
		if start[at] || slices.Contains(way, at) {
			return
		}
		way = append(slices.Clone(way), at)
		for _, s := range d.States {
			if s.ID == at && s.Term != nil && !slices.Contains(term.SuspendedIn, at) {
				taken += minutes(s.Term.Budget)
			}
		}
		if taken > most {
			most, path = taken, way
		}
		for _, t := range d.Transitions {
			if slices.Contains(t.From, at) {
				walk(t.To, taken, way)
			}
		}
	}
	for _, t := range d.Transitions {
		if slices.Contains(term.Starts, t.Action) {
			walk(t.To, 0, nil)
		}
	}
	return most, path
}
