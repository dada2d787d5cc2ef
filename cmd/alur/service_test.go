package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/catalogue"
	"github.com/alur-id/alur/workflows/sample"
)

// Every service that ships has a page in both languages and an answer of the API, with
// all that its definition says to the public: the fourteen components, documents, fees
// and their bases, and the version with since when it is in force.
func TestEveryShippedServiceHasAPage(t *testing.T) {
	s := newSite(t)
	entries, err := catalogue.Entries()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Definition.ID == "sip-dokter" {
			continue // the site has one of its own
		}
		publishAs(t, s.library, e.Tenant, agency, e.Source)
	}
	s.waitForViews(t)
	list := s.ask(t, "GET", "/layanan?lang=en", "")
	for _, e := range entries {
		if e.Definition.ID == "sip-dokter" {
			continue
		}
		path := "/layanan/" + string(e.Tenant) + "/" + e.Definition.ID
		if !strings.Contains(list.body, `href="`+path+`"`) {
			t.Errorf("%s is not listed", path)
		}
		for _, lang := range []string{"id", "en"} {
			a := s.ask(t, "GET", path+"?lang="+lang, "")
			text := unescaped(a.body)
			if a.StatusCode != http.StatusOK || strings.Contains(text, "<script") || strings.Contains(text, "noindex") {
				t.Errorf("%s: %s", path, a.Status)
			}
			for _, want := range toldToThePublic(e.Definition) {
				if !strings.Contains(text, want.In(lang)) {
					t.Errorf("%s in %s does not say %q", path, lang, want.In(lang))
				}
			}
		}
		var got struct {
			Open      bool
			Version   int
			Effective time.Time
			Standard  []struct{ Text *struct{ ID, EN string } }
		}
		a := s.ask(t, "GET", "/api/v1/services/"+string(e.Tenant)+"/"+e.Definition.ID, "")
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || !got.Open || got.Version != 1 || got.Effective.IsZero() || len(got.Standard) != 14 {
			t.Errorf("%s: %v %+v", e.Definition.ID, err, got)
		}
		for _, want := range toldToThePublic(e.Definition) {
			quoted, err := json.Marshal(want.EN)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(a.body, strings.Trim(string(quoted), `"`)) {
				t.Errorf("the API does not say %q of %s", want.EN, e.Definition.ID)
			}
		}
	}
}

func unescaped(page string) string {
	return strings.NewReplacer("&#39;", "'", "&#34;", `"`, "&amp;", "&", "&lt;", "<", "&gt;", ">", "&#43;", "+").Replace(page)
}

func toldToThePublic(d *workflows.Definition) []workflows.Text {
	list := []workflows.Text{d.Title, d.Agency}
	for _, c := range d.Standard.Components() {
		list = append(list, *c.Text, c.Name)
	}
	for _, x := range d.Documents {
		if x.By[0] == d.Submit[0] {
			list = append(list, x.Title)
		}
	}
	for _, x := range d.Fees {
		list = append(list, x.Title, x.Basis, x.Account)
	}
	for _, x := range d.Terms {
		list = append(list, x.Title, x.Basis, workflows.Text{ID: x.Budget.In("id"), EN: x.Budget.In("en")})
	}
	return list
}

// A page follows what is in force, says when a service is closed, and is there for no
// service that there is not.
func TestAServicePageFollowsWhatIsInForce(t *testing.T) {
	s := newSite(t)
	page := func(path string, status int, want, not string) {
		t.Helper()
		s.waitForViews(t)
		a := s.ask(t, "GET", path, "")
		if text := unescaped(a.body); a.StatusCode != status || !strings.Contains(text, want) || not != "" && strings.Contains(text, not) {
			t.Errorf("%s: %s, want %d, %q and not %q\n%s", path, a.Status, status, want, not, text)
		}
	}
	const path, closed = "/layanan/11.71/sip-dokter?lang=en", "takes no new requests"
	page(path, 200, "Workflow version 1, in force since", closed)
	second := bytes.Replace(sample.Licence, []byte("en: Doctor's practice licence"), []byte("en: Licence of a doctor"), 1)
	publishAs(t, s.library, sample.Tenant, agency, second)
	page(path, 200, "Licence of a doctor", "Workflow version 1")
	page("/layanan?lang=en", 200, "Licence of a doctor", "closed")
	page("/layanan/11.71?lang=en", 200, "Licence of a doctor", "")
	if _, err := s.library.Retire(t.Context(), workflows.Retirement{
		Tenant: sample.Tenant, Workflow: "sip-dokter", Actor: agency, Why: "moved", Occurred: time.Now(), At: time.Now(),
	}); err != nil {
		t.Fatal(err)
	}
	page(path, 200, closed, "It opens on")
	page("/layanan?lang=en", 200, "closed", "")
	d, err := workflows.Read("w.yaml", sample.Licence)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.library.Publish(t.Context(), workflows.Publication{
		Tenant: sample.Tenant, Source: sample.Licence, Definition: d, Actor: agency, Why: "to come", Trial: "a trial",
		Occurred: time.Now(), At: time.Now(), Effective: time.Date(2099, 1, 2, 0, 0, 0, 0, domain.TenantCode("11.71").Zone()),
	}); err != nil {
		t.Fatal(err)
	}
	page(path, 200, "It opens on 2 January 2099 at 00:00 WIB", "")
	for _, missing := range []string{"/layanan/11.71/nothing", "/layanan/99.99/sip-dokter", "/layanan/99.99", "/layanan/11.71/sip-dokter/x"} {
		page(missing, 404, "Halaman tidak ditemukan", "")
	}
	if a := s.ask(t, "GET", "/api/v1/services/11.71/nothing", ""); a.StatusCode != http.StatusNotFound {
		t.Error(a.Status)
	}
}
