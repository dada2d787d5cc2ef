package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/catalogue"
)

// The page tells its reader of a document that was sent back, and why, and of what is
// to be paid, and not that there is nothing to do; and it stops when it is done.
func TestThePageTellsWhatTheApplicantHasToDo(t *testing.T) {
	s := newSite(t, func(s *stores) { s.sealing = true })
	entries, err := catalogue.Entries()
	if err != nil {
		t.Fatal(err)
	}
	var skck catalogue.Entry
	for _, e := range entries {
		if e.Definition.ID == "skck" {
			skck = e
		}
	}
	if _, err := s.library.Publish(t.Context(), workflows.Publication{
		Tenant: skck.Tenant, Source: skck.Source, Definition: skck.Definition, Occurred: time.Now(), At: time.Now(),
		Actor: domain.Actor{ID: "alur", Role: "catalogue", Capacity: domain.CapacitySystem}, Why: "to be tried",
	}); err != nil {
		t.Fatal(err)
	}
	c := &citizen{site: s, tenant: skck.Tenant}
	do := func(role domain.RoleID, as domain.Capacity, command func(domain.Header) domain.Command) {
		t.Helper()
		h := domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: string(role) + "-1", Role: role, Capacity: as}}
		if _, err := c.carryOut(t, command(h)); err != nil {
			t.Fatal(err)
		}
	}
	attach := func(ids ...domain.DocumentID) {
		t.Helper()
		for _, id := range ids {
			do("applicant", domain.CapacitySelf, func(h domain.Header) domain.Command {
				format := map[bool]string{true: "jpg", false: "pdf"}[id == "photograph"]
				return domain.Attach{Header: h, Document: id, Format: format, Bytes: 1, SHA256: strings.Repeat("0", 64)}
			})
		}
	}
	tells := func(want, not string) {
		t.Helper()
		text := s.pageOf(t, c.path)
		if !strings.Contains(text, want) || not != "" && strings.Contains(text, not) {
			t.Errorf("the page does not say %q, or says %q:\n%s", want, not, text)
		}
	}
	const nothing = "There is nothing you need to do now."
	do("applicant", domain.CapacitySelf, func(h domain.Header) domain.Command {
		return domain.Submit{Header: h, Service: "skck", Form: domain.Personal{
			"name": "Warga Contoh", "nik": "3510019999990001", "born_on": "2000-01-02", "kind": "new", "purpose": "Kerja", "has_fingerprints": false, "lived_elsewhere": false,
		}}
	})
	for _, d := range skck.Definition.Documents {
		if d.Required {
			tells("Document not handed in yet: "+d.Title.EN, nothing)
		} else {
			tells("Document not handed in yet", d.Title.EN) // by the facts of this request
		}
	}
	attach("identity-card", "family-card", "birth-certificate", "questions", "photograph")
	tells(nothing, "not handed in")
	rule := skck.Definition.Documents[0]
	do(rule.RefusedBy[0], domain.CapacityOfficer, func(h domain.Header) domain.Command {
		return domain.RefuseDocument{Header: h, Document: rule.ID, Reason: rule.Reasons[0]}
	})
	tells("Document sent back, hand in a new one: "+rule.Title.EN, nothing)
	for _, reason := range skck.Definition.Reasons {
		if reason.Code == rule.Reasons[0] {
			tells(reason.Title.EN, nothing)
		}
	}
	attach(rule.ID)
	tells(nothing, "sent back")
	do("counter", domain.CapacityOfficer, func(h domain.Header) domain.Command { return domain.Act{Header: h, Action: "accept"} })
	tells("Rp 30,000", nothing)
}

// An action that would be refused as things are says so, with the rule by which it then
// is; and what the applicant has to hand in stands beside it.
func TestTheAPITellsWhatIsMissing(t *testing.T) {
	s := newSite(t, func(s *stores) { s.sealing = true })
	s.stall(t)
	ref := s.openStall(t, `{"area":2}`)
	type shown struct {
		Actions []struct {
			Action  string
			Blocked *struct{ Rule, Detail, Remedy string }
		}
		Wanted []struct {
			Document string
			Refused  bool
			Reason   string
		}
	}
	tells := func(rule, detail string, wanted ...string) {
		t.Helper()
		var got shown
		if err := json.Unmarshal([]byte(s.ask(t, "GET", "/api/v1/requests/"+ref, "").body), &got); err != nil {
			t.Fatal(err)
		}
		if len(got.Actions) != 1 || got.Actions[0].Action != "forward" {
			t.Fatalf("%+v", got)
		}
		b := got.Actions[0].Blocked
		if b == nil && rule != "" || b != nil && (b.Rule != rule || !strings.Contains(b.Detail, detail)) {
			t.Errorf("blocked %+v, want %s (%s)", b, rule, detail)
		}
		list := []string{}
		for _, x := range got.Wanted {
			list = append(list, strings.TrimSuffix(x.Document+" "+x.Reason, " "))
		}
		if !slices.Equal(list, wanted) {
			t.Errorf("wanted %v, want %v", list, wanted)
		}
		a := s.tries(t, ref, "officer", `"action":"forward"`)
		var refused struct{ Code string }
		if err := json.Unmarshal([]byte(a.body), &refused); err != nil || refused.Code != rule {
			t.Errorf("forward is answered %s, and blocked says %s", a.body, rule)
		}
	}
	tells("task", "nobody has taken", "sketch")
	s.does(t, ref, "officer", `"pick":{}`)
	tells("incomplete", "sketch", "sketch")
	s.does(t, ref, "applicant", sketch)
	tells("checklist", "signed")
	s.does(t, ref, "officer", `"refuse_document":{"document":"sketch","reason":"unclear"}`)
	tells("incomplete", "sketch", "sketch unclear")
	s.does(t, ref, "applicant", sketch)
	s.does(t, ref, "officer", `"check":{"checklist":"formal","item":"signed","yes":true}`)
	tells("unpaid", "retribution")
	s.does(t, ref, "officer", `"pay":{"fee":"retribution","amount":2000,"receipt":"R-1"}`)
	tells("", "")
}

// Whoever is refused reads why also where nobody took the step: the reason of the review
// that led there, and whose it is, or whose answer; never who gave it, nor a remark.
func TestWhoeverIsRefusedIsToldWhy(t *testing.T) {
	s := newSite(t, func(s *stores) { s.sealing = true })
	s.stall(t)
	var timeline struct {
		Steps []struct {
			State    string
			Opinions []struct {
				Review, Reason string
			}
			System *struct{ ID, EN string }
		}
	}
	told := func(ref, want string) {
		t.Helper()
		text := s.pageOf(t, "/lacak/"+ref)
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
		a := s.ask(t, "GET", "/api/v1/requests/"+ref+"/timeline", "")
		for _, secret := range []string{"dapurnya", "health-1", "registry-1"} {
			if strings.Contains(text, secret) || strings.Contains(a.body, secret) {
				t.Errorf("%q is told", secret)
			}
		}
		if err := json.Unmarshal([]byte(a.body), &timeline); err != nil {
			t.Fatal(err, a.body)
		}
	}
	told(s.played(t), "Opinion Hygiene (Health office): It is not clear")
	last := timeline.Steps[len(timeline.Steps)-1]
	if len(last.Opinions) != 1 || last.Opinions[0].Review != "hygiene" || last.Opinions[0].Reason != "unclear" || last.State != "refused" {
		t.Errorf("the timeline tells %+v", last)
	}

	ref := s.openStall(t, `{"area":2}`)
	for _, step := range [][2]string{
		{"applicant", sketch},
		{"officer", `"pick":{}`},
		{"officer", `"check":{"checklist":"formal","item":"signed","yes":true}`},
		{"officer", `"pay":{"fee":"retribution","amount":2000,"receipt":"R-2"}`},
		{"officer", `"action":"forward"`},
		{"registry", `"answer":{"system":"register","outcome":"taken"}`},
	} {
		s.does(t, ref, step[0], step[1])
	}
	told(ref, "By the answer of: Register of stalls")
	if last := timeline.Steps[len(timeline.Steps)-1]; last.System == nil || last.System.EN != "Register of stalls" {
		t.Errorf("the timeline tells %+v", last)
	}
}

// A refusal that rests on a condition or an invariant says what the definition says of it,
// in both languages, also where the action is only looked at.
func TestARefusalSaysWhatItRestsOn(t *testing.T) {
	s := newSite(t, func(s *stores) { s.sealing = true })
	const grant, refuse = "to: granted, roles: [officer]", "to: refused, roles: [officer], reasons: [unclear]"
	s.stall(t, grant, grant+", when: facts.area > 9.0, because: {id: Terlalu kecil, en: It is too small}",
		"{action: refuse, from: [deciding], "+refuse+"}", "{action: refuse, from: [deciding], "+refuse+"}\ninvariants:\n  - {never: 'outcome == \"rejected\" && history.did(\"refuse\")', because: {id: Tidak boleh ditolak, en: It may not be refused}}\n")
	ref := s.openStall(t, `{"area":2}`)
	for _, step := range [][2]string{
		{"applicant", sketch},
		{"officer", `"pick":{}`},
		{"officer", `"check":{"checklist":"formal","item":"signed","yes":true}`},
		{"officer", `"pay":{"fee":"retribution","amount":2000,"receipt":"R-3"}`},
		{"officer", `"action":"forward"`},
		{"registry", `"answer":{"system":"register","outcome":"free"}`},
		{"health", `"review":{"review":"hygiene","opinion":"approved"}`},
	} {
		s.does(t, ref, step[0], step[1])
	}
	for what, want := range map[string]string{
		`"action":"grant"`:                     `"because":{"id":"Terlalu kecil","en":"It is too small"}`,
		`"action":"refuse","reason":"unclear"`: `"because":{"id":"Tidak boleh ditolak","en":"It may not be refused"}`,
	} {
		if a := s.tries(t, ref, "officer", what); a.StatusCode != http.StatusConflict || !strings.Contains(a.body, want) {
			t.Errorf("%s: %s %s", what, a.Status, a.body)
		}
	}
	if a := s.ask(t, "GET", "/api/v1/requests/"+ref, ""); !strings.Contains(a.body, `"because":{"id":"Tidak boleh ditolak","en":"It may not be refused"}`) {
		t.Error(a.body)
	}
}

// A correction by the office is told with what it changed, in the words of the definition.
func TestACorrectionByTheOfficeIsTold(t *testing.T) {
	s := newSite(t, func(s *stores) { s.sealing = true })
	s.stall(t, "actions:\n", "actions:\n  - {id: amend, title: {id: Ubah, en: Amend}}\n",
		"transitions:\n", "transitions:\n  - {action: amend, from: [submitted], to: submitted, roles: [officer], kind: correct}\n")
	ref := s.openStall(t, `{"area":2.5}`)
	s.does(t, ref, "officer", `"pick":{}`)
	s.does(t, ref, "officer", `"action":"amend","facts":{"area":1}`)
	text := s.pageOf(t, "/lacak/"+ref)
	for _, want := range []string{"Done by the office, not by you.", "Area: 2.5 → 1"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
	}
}

// pageOf is the English page of a request, which the views have to have seen.
func (s *site) pageOf(t *testing.T, path string) string {
	t.Helper()
	if err := s.views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(s.URL + strings.Replace(path, "/api/v1/requests/", "/lacak/", 1) + "?lang=en")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	return string(text)
}

// The page names whoever has a request: the owner of the state, and where opinions are
// waited for, those who give them and not the owner.
func TestThePageNamesWhoHasARequest(t *testing.T) {
	s := newSite(t, func(s *stores) { s.sealing = true })
	source, err := os.ReadFile("../../workflows/testdata/levy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.publish(t.Context(), "permit", source); err != nil {
		t.Fatal(err)
	}
	c := &citizen{site: s, tenant: "11.71"}
	header := func(role domain.RoleID, as domain.Capacity) domain.Header {
		return domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: string(role) + "-1", Role: role, Capacity: as}}
	}
	for _, x := range []struct {
		command   domain.Command
		want, not string
	}{
		{domain.Submit{Header: header("applicant", domain.CapacitySelf), Service: "permit", Form: domain.Personal{"phone": "0811-000-0000"}}, "Sketch", "Fire office"},
		{domain.Attach{Header: header("applicant", domain.CapacitySelf), Document: "sketch", Format: "pdf", Bytes: 1, SHA256: strings.Repeat("0", 64)}, "Being handled by</span> Clerk", "Fire office"},
		{domain.Act{Header: header("clerk", domain.CapacityOfficer), Action: "accept"}, "Waiting for the opinion of</span> Fire office", "Being handled by"},
		{domain.GiveReview{Header: header("fire", domain.CapacityOfficer), Review: "fire", Opinion: domain.OpinionApproved}, "Rp 1,000", "Being handled by"},
	} {
		if _, err := c.carryOut(t, x.command); err != nil {
			t.Fatal(err)
		}
		if text := s.pageOf(t, c.path); !strings.Contains(text, x.want) || strings.Contains(text, x.not) {
			t.Errorf("after %T the page does not say %q, or says %q:\n%s", x.command, x.want, x.not, text)
		}
	}
}
