package workflows_test

import (
	"testing"

	"github.com/alur-id/alur/domain"
)

const clerksMayFile = `
alur: 1
id: sip-dokter
title: {id: Izin, en: Licence}
agency: {id: DPMPTSP, en: One-stop licensing office}
office: dpmptsp
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
  - {id: head, title: {id: Kepala, en: Head}, capacities: [officer]}
submit: [applicant, clerk]
notifications:
  - {id: desk, on: [submitted], to: clerk, text: {id: "Untuk petugas: periksa daftar hitam", en: "For the clerk: look into the black list"}}
  - {id: hello, on: [submitted], to: applicant, text: {id: "Sudah kami terima", en: "It has come in"}}
states:
  - {id: submitted, kind: start, public: verification, owner: clerk, title: {id: Diperiksa, en: Being checked}, term: {budget: 2 working days, remind_after: 1 working day, expires: {escalate: [head]}}}
  - {id: asked, kind: wait, public: in_process, owner: clerk, title: {id: Ditanyakan, en: Asked}}
  - {id: issued, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Issued}}
actions:
  - {id: ask, title: {id: Tanya, en: Ask}}
  - {id: issue, title: {id: Terbitkan, en: Issue}}
transitions:
  - {action: ask, from: [submitted], to: asked, roles: [clerk]}
  - {action: issue, from: [asked], to: issued, roles: [head]}
`

// Staff who may submit requests, too, are not those who ask: what is for them is told to
// the office, and what waits for them does not wait for the applicant.
func TestWhatIsForStaffWhoMaySubmitIsForThem(t *testing.T) {
	b := newSealedBench(t)
	w := b.publish(t, []byte(clerksMayFile))
	s := b.submission(t)
	s.Facts, s.Identity = nil, nik
	answer, err := b.engine.Submit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	r := answer.Request
	b.clock = b.clock.AddDate(0, 0, 7)
	b.act(t, r, "clerk", "ask") // what has come by then is recorded first
	var office []string
	for e, err := range domain.Events(b.log.ReadStream(t.Context(), domain.RequestStream(r.ID), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		told, ok, err := b.engine.OfficeTelling(t.Context(), r.ID, e)
		if err != nil {
			t.Fatal(err)
		}
		if name, _ := e.Body.Type(); ok {
			office = append(office, name+" to "+string(told.Role))
		}
	}
	if len(office) < 3 || office[0] != "NoticeDue to clerk" || office[1] != "TermReminded to clerk" {
		t.Errorf("the office is told %v", office)
	}
	for v, told := range b.tellings(t, r) {
		if told.Reminded != nil || len(told.Notices) > 1 || len(told.Notices) == 1 && told.Notices[0].ID != "hello" {
			t.Errorf("version %d tells the applicant %+v", v, told)
		}
	}
	asked, ok := w.State("asked")
	if !ok || w.Definition.Applicants(&asked) {
		t.Error("what waits for the clerk is taken to wait for the applicant")
	}
}
