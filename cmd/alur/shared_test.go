package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

const market = `alur: 1
id: market
title: {id: Izin pasar, en: Market permit}
agency: {id: Dinas Perdagangan, en: Trade Office}
office: dinas
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
  - {id: bank, title: {id: Bank, en: Bank}, capacities: [system]}
submit: [applicant]
payers: [bank]
fees:
  - {id: stall, title: {id: Lapak, en: Stall}, amount: 100000, due_in: [looking], basis: {id: Perda, en: By-law}}
  - {id: waste, title: {id: Sampah, en: Waste}, amount: 30000, due_in: [looking], basis: {id: Perda, en: By-law}, account: {id: Dinas Lingkungan Hidup, en: Environment Office}}
states:
  - {id: looking, kind: start, public: verification, owner: clerk, title: {id: Periksa, en: Looking}, allocate: {rule: least_loaded}}
  - {id: issued, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Issued}}
actions:
  - {id: issue, title: {id: Terbitkan, en: Issue}}
transitions:
  - {action: issue, from: [looking], to: issued, roles: [clerk], needs: {fees: [stall, waste]}}
`

// Work is given out and a bill of two agencies is paid at once, over HTTP; what an
// auditor then reads says by what each came about.
func TestWorkAndBillsOverHTTP(t *testing.T) {
	s := newSite(t)
	d, err := workflows.Read("market.yaml", []byte(market))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.library.Publish(t.Context(), workflows.Publication{
		Tenant: "11.71", Source: []byte(market), Definition: d, Occurred: time.Now(), At: time.Now(),
		Actor: domain.Actor{ID: "alur", Role: "catalogue", Capacity: domain.CapacitySystem}, Why: "to be tried", Trial: "to be tried",
	}); err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[domain.WorkflowRef]string{{ID: "market", Version: 1}: "least_loaded", {ID: "market", Version: 2}: "", {ID: "none", Version: 1}: ""} {
		if rule, given, err := taskOf(s.library)("11.71", ref, "looking"); rule.Rule != want || given != (want != "") || err != nil {
			t.Errorf("views are told that the work of %+v is given out by %+v, %t, %v; want %q", ref, rule, given, err, want)
		}
	}
	if _, given, err := taskOf(s.library)("11.71", domain.WorkflowRef{ID: "market", Version: 1}, "issued"); given || err != nil {
		t.Errorf("work of an end is given out: %t, %v", given, err)
	}
	var done struct{ Reference string }
	begun := s.ask(t, "POST", "/api/v1/requests", `{"tenant":"11.71","service":"market","actor":{"id":"a-1","role":"applicant","capacity":"self"}}`)
	if err := json.Unmarshal([]byte(begun.body), &done); err != nil || done.Reference == "" {
		t.Fatal(begun.body, err)
	}
	path := "/api/v1/requests/" + done.Reference
	add := func(actor, what string) answer {
		return s.ask(t, "POST", path+"/dossier", fmt.Sprintf(`{%s,"actor":%s}`, what, actor))
	}
	const (
		system = `{"id":"alur","role":"system","capacity":"system"}`
		clerk  = `{"id":"c-2","role":"clerk","capacity":"officer"}`
		bank   = `{"id":"b-1","role":"bank","capacity":"system"}`
	)
	seed := strings.Repeat("5a", 32)
	for _, x := range []struct {
		actor, what string
		status      int
		code        string
	}{
		{clerk, `"pick":{}`, http.StatusConflict, "task"},
		{clerk, `"allocate":{"candidates":[{"officer":"c-2","load":0}],"seed":"` + seed + `"}`, http.StatusForbidden, "role"},
		{system, `"allocate":{"candidates":[{"officer":"c-2","load":0},{"officer":"c-2","load":1}],"seed":"` + seed + `"}`, http.StatusConflict, "task"},
		{system, `"allocate":{"candidates":[{"officer":"c-3","load":4},{"officer":"c-2","load":1}],"seed":"` + seed + `"}`, http.StatusCreated, ""},
		{bank, `"pay":{"fee":"stall","amount":100000,"also":[{"fee":"waste","amount":29999}],"receipt":"NTPN-1"}`, http.StatusUnprocessableEntity, "fee"},
		{bank, `"pay":{"fee":"stall","amount":100000,"also":[{"fee":"waste","amount":30000}],"receipt":"NTPN-1"}`, http.StatusCreated, ""},
	} {
		a := add(x.actor, x.what)
		if a.StatusCode != x.status && (x.status != http.StatusCreated || a.StatusCode != http.StatusOK) || x.code != "" && !strings.Contains(a.body, fmt.Sprintf(`"code":%q`, x.code)) {
			t.Errorf("%s: %d %s", x.what, a.StatusCode, a.body)
		}
	}
	// What is not of the described form is told in the detail, each thing with its place.
	for what, want := range map[string]string{
		`"allocate":{"candidates":[{"officer":"c-2","load":0}],"seed":"abc"}`:                              "the request is not as it should be: body.allocate.seed: expected string to be 32 random bytes as 64 hexadecimal digits in small letters",
		`"allocate":{"candidates":[{"officer":"c-2","load":0}],"seed":"` + strings.Repeat("5A", 32) + `"}`: "64 hexadecimal digits in small letters",
		`"allocate":{"candidates":[]}`: "body.allocate.candidates: expected array length >= 1",
	} {
		if a := add(system, what); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s", what, a.StatusCode, a.body)
		}
	}
	var shown struct {
		Bill struct {
			Lines    []struct{ Fee string }
			Accounts []struct {
				Account  struct{ EN string }
				Received int64
				Owed     int64
			}
			Owed int64
		}
	}
	if err := json.Unmarshal([]byte(s.ask(t, "GET", path, "").body), &shown); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(shown.Bill); got != "{[{stall} {waste}] [{{Trade Office} 100000 0} {{Environment Office} 30000 0}] 0}" {
		t.Errorf("the bill: %s", got)
	}
	found, err := s.finder.Find(t.Context(), done.Reference)
	if err != nil {
		t.Fatal(err)
	}
	_, lines, err := s.replay(context.WithoutCancel(t.Context()), found.Request, func(domain.Recorded) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, l := range lines {
		if l.Body != nil {
			told = append(told, l.Event+" "+oneLine(l.Body))
		}
	}
	if diff := cmp.Diff([]string{
		`FeeAssessed {"fee":"stall","amount":100000}`,
		`FeeAssessed {"fee":"waste","amount":30000}`,
		`TaskReady {"state":"looking","role":"clerk","rule":"least_loaded"}`,
		`TaskAllocated {"state":"looking","to":"c-2","rule":"least_loaded","ready":4,"seed":"` + seed + `","candidates":[{"officer":"c-2","load":1},{"officer":"c-3","load":4}]}`,
		`FeePaid {"fee":"stall","amount":100000,"receipt":"NTPN-1"}`,
		`FeePaid {"fee":"waste","amount":30000,"receipt":"NTPN-1"}`,
	}, told); diff != "" {
		t.Errorf("what an auditor reads (-want +got)\n%s", diff)
	}
}
