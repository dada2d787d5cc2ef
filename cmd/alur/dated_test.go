package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alur-id/alur/domain"
)

// event is a permit that is of no use after the day that it is for.
const event = `alur: 1
id: crowds
title: {id: Izin Keramaian, en: Permit for an event}
agency: {id: Polres, en: Police}
office: polres
facts:
  - {id: held, type: time, title: {id: Hari acara, en: Day of the event}}
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
  - {id: head, title: {id: Kepala, en: Head}, capacities: [officer]}
submit: [applicant]
terms:
  - {id: event, title: {id: Sebelum acara, en: Before the event}, due: held, starts: [submit], expires: {escalate: [clerk, head], ombudsman: true}, basis: {id: andaian, en: assumed}}
states:
  - {id: submitted, kind: start, public: verification, owner: clerk, title: {id: Diperiksa, en: Checked}}
  - {id: granted, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Granted}}
actions:
  - {id: note, title: {id: Catat, en: Note}}
  - {id: grant, title: {id: Terbitkan, en: Grant}}
transitions:
  - {action: note, from: [submitted], to: submitted, roles: [clerk]}
  - {action: grant, from: [submitted], to: granted, roles: [clerk]}
`

// A date that stands in the application is told as that, and never as the time that there
// is for a decision.
func TestATermThatIsDueAtADateIsToldAsADate(t *testing.T) {
	var passed atomic.Int64
	s := newSite(t, func(s *stores) { s.now = func() time.Time { return time.Now().Add(time.Duration(passed.Load())) } })
	publishAs(t, s.library, "11.71", agency, []byte(event))
	page := func(path string) string {
		t.Helper()
		s.waitForViews(t)
		text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(unescaped(s.ask(t, "GET", path, "").body), "")
		return strings.Join(strings.Fields(text), " ")
	}
	says := func(path string, want ...string) {
		t.Helper()
		text := page(path)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s does not say %q\n%s", path, w, text)
			}
		}
		if strings.Contains(strings.ToLower(text), "for a decision") || strings.Contains(strings.ToLower(text), "decision is due") || strings.Contains(strings.ToLower(text), "keputusan") {
			t.Errorf("%s tells of the time for a decision\n%s", path, text)
		}
	}
	for path, want := range map[string]string{
		"/layanan/11.71/crowds?lang=en": `Before the event: until the date given for "Day of the event"`,
		"/layanan/11.71/crowds":         `Sebelum acara: sampai tanggal yang diisi pada "Hari acara"`,
	} {
		if text := page(path); !strings.Contains(text, want) {
			t.Errorf("%s does not say %q\n%s", path, want, text)
		}
	}
	var service struct {
		Terms []struct{ Time struct{ ID, EN string } }
	}
	if err := json.Unmarshal([]byte(s.ask(t, "GET", "/api/v1/services/11.71/crowds", "").body), &service); err != nil {
		t.Fatal(err)
	}
	if len(service.Terms) != 1 || service.Terms[0].Time.EN != `until the date given for "Day of the event"` || service.Terms[0].Time.ID != `sampai tanggal yang diisi pada "Hari acara"` {
		t.Errorf("the API says %+v", service.Terms)
	}

	file := func(held string) string {
		t.Helper()
		a := s.ask(t, "POST", "/api/v1/requests", `{"tenant":"11.71","service":"crowds","facts":{"held":"`+held+`"},"actor":{"id":"p-1","role":"applicant","capacity":"self"}}`)
		var got struct{ Reference domain.Reference }
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || got.Reference == "" {
			t.Fatal(a.Status, a.body)
		}
		return string(got.Reference)
	}
	act := func(reference, action string) {
		t.Helper()
		if a := s.ask(t, "POST", "/api/v1/requests/"+reference+"/actions", `{"action":"`+action+`","actor":{"id":"c-1","role":"clerk","capacity":"officer"}}`); a.StatusCode >= 300 {
			t.Fatal(a.Status, a.body)
		}
	}
	coming := file("2099-05-04T02:00:00Z")
	says("/lacak/"+coming+"?lang=en", "Before the event by 4 May 2099 at 09:00 WIB")
	says("/lacak/"+coming+"?lang=id", "Sebelum acara paling lambat 4 Mei 2099 pukul 09.00 WIB")
	gone := file("2098-05-04T02:00:00Z")
	passed.Store(int64(time.Until(time.Date(2098, 6, 1, 0, 0, 0, 0, time.UTC))))
	act(gone, "note")
	says("/lacak/"+gone+"?lang=en", "Before the event passed on 4 May 2098 at 09:00 WIB")
	says("/lacak/"+gone+"?lang=id", "Sebelum acara lewat pada 4 Mei 2098 pukul 09.00 WIB")
	act(gone, "grant")
	says("/lacak/"+gone+"?lang=en", "Before the event passed on 4 May 2098 at 09:00 WIB")
}
