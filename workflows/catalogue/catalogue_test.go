package catalogue_test

import (
	"path"
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
// hold, and they take every transition.
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
