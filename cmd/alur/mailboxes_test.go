package main

import (
	"strings"
	"testing"

	"github.com/alur-id/alur/workflows/sample"
)

// Who is misspelt in the file is never told: the server says so when it starts, and when
// what comes is not what was waited for. The address, which may be a person's, is not said.
func TestAMailboxThatNobodyIsToldAtIsSaidInTheLog(t *testing.T) {
	_, server := startMailTaker(t)
	var where stores
	s := newSite(t, func(w *stores) { where = *w })
	said := s.reactsTo(t, where, outwardTo(t, `
mail: {server: "smtp://%s?tls=none", from: a@example.test}
offices:
  - {tenant: "11.71", role: front-office, mail: conceal@example.test}
  - {tenant: "11.71", role: frontoffice, mail: conceal@example.test}
  - {tenant: "11.71", role: haed, services: [sip-doktr, sip-bidan], mail: conceal@example.test}
  - {tenant: "18.72", role: head, mail: conceal@example.test}
`, server))
	said.with(t, "nobody is told at a mailbox", "office=2", "tenant=11.71", "role=frontoffice", "nearest=front-office")
	said.with(t, "nobody is told at a mailbox", "office=3", "service=sip-doktr", "nearest=sip-dokter")
	said.with(t, "nobody is told at a mailbox", "office=4", "tenant=18.72", "role=head")
	if err := s.publish(t.Context(), "bidan.yaml", []byte(strings.Replace(string(sample.Licence), "\nid: sip-dokter", "\nid: sip-bidan", 1))); err != nil {
		t.Fatal(err)
	}
	said.with(t, "nobody is told at a mailbox", "office=3", "role=haed", "nearest=head")
	for _, line := range said.all() {
		if strings.Contains(line, "office=1 ") || strings.Contains(line, "conceal") {
			t.Error(line)
		}
	}
}
