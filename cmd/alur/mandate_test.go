package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/sample"
)

// withProxies is a log with the sample, for which proxies may ask too.
func withProxies(t *testing.T, db string) {
	t.Helper()
	source := bytes.Replace(sample.Licence, []byte("[self, counter]"), []byte("[self, counter, proxy]"), 1)
	h, err := openHouse(t.Context(), stores{db: db}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.publish(t.Context(), "sample", source), h.close()); err != nil {
		t.Fatal(err)
	}
}

// sends posts a body and reads the answer whatever its status.
func (s *server) sends(t *testing.T, path, key, body string, into any) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	a, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %s", a.Status, text)
	}
	return a.StatusCode
}

// A mandate from the API to the audit trail, and from the verbs back to the API.
func TestAMandateIsNamedInTheAuditTrail(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, "alur.db")
	withProxies(t, db)
	s := startServer(t, db)
	today := time.Now().In(domain.TenantCode(sample.Tenant).Zone())
	from, until := today.Format(time.DateOnly), today.AddDate(0, 1, 0).Format(time.DateOnly)
	grant := `{"tenant":"11.71","identity":"nik:1171019999990001","holder":"agent-1","services":["sip-dokter"],"from":"` + from + `","until":"` + until +
		`","fee":150000,"actor":{"id":"p-1","role":"applicant","capacity":"self"}}`
	var m struct {
		ID     string
		Holder string
		Until  string
		Fee    int
		End    string
		Code   string
	}
	if code := s.sends(t, "/api/v1/mandates", "m1", grant, &m); code != http.StatusCreated || m.Holder != "agent-1" || m.Until != until || m.Fee != 150000 {
		t.Fatalf("%d %+v", code, m)
	}
	first := m.ID
	if code := s.sends(t, "/api/v1/mandates", "m1", grant, &m); code != http.StatusCreated || m.ID != first {
		t.Errorf("again: %d %+v", code, m)
	}
	if code := s.sends(t, "/api/v1/mandates", "m2", strings.Replace(grant, `"self"`, `"officer"`, 1), &m); code != http.StatusUnprocessableEntity || m.Code != "mandate" {
		t.Errorf("an officer who has seen no paper: %d %+v", code, m)
	}
	if code := s.sends(t, "/api/v1/mandates", "m3", strings.Replace(grant, `"sip-dokter"`, `"sip-doktor"`, 1), &m); code != http.StatusNotFound || m.Code != "service" {
		t.Errorf("for no service: %d %+v", code, m)
	}

	agent := `{"id":"agent-1","role":"applicant","capacity":"proxy","mandate":"` + first + `"}`
	under := strings.Replace(sealedSubmission, `{"id":"p-1","role":"applicant","capacity":"self"}`, agent, 1)
	var done struct{ Reference, Code string }
	if code := s.sends(t, "/api/v1/requests", "k0", strings.Replace(under, "0001", "0002", 1), &done); code != http.StatusUnprocessableEntity || done.Code != "mandate" {
		t.Errorf("for somebody else: %d %+v", code, done)
	}
	if code := s.sends(t, "/api/v1/requests", "k1", under, &done); code != http.StatusCreated {
		t.Fatalf("%d %+v", code, done)
	}
	if code := s.sends(t, "/api/v1/mandates/"+first+"/end", "e1", `{"end":"revoked","actor":{"id":"p-1","role":"applicant","capacity":"self"}}`, &m); code != http.StatusOK || m.End != "revoked" {
		t.Errorf("ended: %d %+v", code, m)
	}
	var after struct{ Code string }
	if code := s.sends(t, "/api/v1/requests/"+done.Reference+"/actions", "k2", `{"action":"withdraw","actor":`+agent+`}`, &after); code != http.StatusUnprocessableEntity || after.Code != "mandate" {
		t.Errorf("after its end: %d %+v", code, after)
	}
	if text := get(t, s.url+"/api/v1/mandates/"+first); !strings.Contains(text, `"revoked"`) || strings.Contains(text, "1171") && strings.Contains(text, "9999990001") {
		t.Errorf("shown: %s", text)
	}
	if code := s.sends(t, "/api/v1/mandates/"+done.Reference+"/end", "e2", `{"end":"revoked","actor":{"id":"p-1","role":"applicant","capacity":"self"}}`, &after); code < 400 {
		t.Errorf("the end of what is no mandate: %d", code)
	}

	trail := must(t, dir, "", "audit", done.Reference)
	if n := strings.Count(trail, first); n != 1 || !strings.Contains(trail, "MANDATE") {
		t.Errorf("the trail names the mandate %d times:\n%s", n, trail)
	}
	if found := must(t, dir, "", "audit", "--mandate", first); !strings.Contains(found, done.Reference) || strings.Count(found, "\n") != 2 {
		t.Errorf("what was done under it:\n%s", found)
	}
	if all := must(t, dir, "", "audit", "--tenant", "11.71"); !strings.Contains(all, `MandateGranted {"holder":"agent-1"`) || !strings.Contains(all, `MandateEnded {"end":"revoked"}`) {
		t.Errorf("the trail of everything does not tell of the mandate:\n%s", all)
	}
	s.stop(t)

	second := strings.Fields(strings.Split(must(t, dir, "nik:1171019999990001\n", "mandate", "grant", "--tenant", "11.71", "--holder", "agent-1",
		"--service", "sip-dokter", "--last-day", until, "--document", strings.Repeat("ab", 32), "--by", "officer-3"), "\n")[1])[0]
	if held := must(t, dir, "", "mandate", "list", "--holder", "Agent-1", "--holding"); !strings.Contains(held, second) || strings.Contains(held, first) {
		t.Errorf("the mandates that hold:\n%s", held)
	}
	if _, errs, code := verb(t, dir, "nik:1171019999990001", "subject", "erase", "--ground", "subject_request", "--note", "letter 3", "--by", "o-9"); code != exitFailed || !strings.Contains(errs, "mandate "+second+" holds") {
		t.Errorf("erasing who gave a mandate that holds: exit code %d\n%s", code, errs)
	}
	var export struct {
		Mandates []struct {
			ID       string
			End      domain.MandateEnd
			Personal domain.Personal
		}
		Requests []struct{ Events []struct{ Mandate string } }
	}
	if err := json.Unmarshal([]byte(must(t, dir, "nik:1171019999990001\n", "subject", "export")), &export); err != nil {
		t.Fatal(err)
	}
	if len(export.Mandates) != 2 || export.Mandates[0].End != domain.MandateRevoked || export.Mandates[1].Personal["identity"] != "nik:1171019999990001" ||
		len(export.Requests) != 1 || export.Requests[0].Events[0].Mandate != first {
		t.Errorf("exported %+v", export)
	}
	must(t, dir, "", "mandate", "end", second, "--end", "renounced", "--by", "officer-3")
	must(t, dir, "", "log", "verify")
	nothingPlain(t, dir, "1171019999990001")
}
