package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/discovery"
)

// site is the served program, without a process of its own.
type site struct {
	*house
	*httptest.Server

	swept *workflows.Sweeper // as often as a test says
}

func newSite(t *testing.T, change ...func(*stores)) *site {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	where := stores{db: filepath.Join(t.TempDir(), "alur.db")}
	for _, f := range change {
		f(&where)
	}
	h, err := openHouse(t.Context(), where, logger)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.publishSample(t.Context()); err != nil {
		t.Fatal(err)
	}
	sweeper := h.sweeper(logger)
	handler, err := h.handler(logger, sweeper)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { h.views.Run(ctx); close(done) }()
	s := &site{house: h, Server: httptest.NewServer(handler), swept: sweeper}
	// A redirect is part of what is tested.
	s.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.Cleanup(func() {
		s.Close()
		cancel()
		<-done
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

type answer struct {
	*http.Response
	body string
}

// ask sends a request; headers come in pairs.
func (s *site) ask(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	a, err := s.try(t.Context(), method, path, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (s *site) try(ctx context.Context, method, path, body string, headers ...string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, s.URL+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{resp, string(b)}, err
}

const submission = `{"tenant":"11.71","service":"sip-dokter","facts":{"kind":"new"},"actor":{"id":"applicant-secret","role":"applicant","capacity":"self"}}`

func action(name, reason, role string) string {
	b, err := json.Marshal(map[string]any{
		"action": name, "reason": reason,
		"actor": map[string]string{"id": role + "-secret", "role": role, "capacity": map[bool]string{true: "self", false: "officer"}[role == "applicant"]},
	})
	if err != nil {
		panic(err)
	}
	return strings.Replace(string(b), `,"reason":""`, "", 1)
}

// submit begins a request and returns its reference.
func (s *site) submit(t *testing.T) string {
	t.Helper()
	a := s.ask(t, "POST", "/api/v1/requests", submission)
	var done struct{ Reference string }
	if err := json.Unmarshal([]byte(a.body), &done); err != nil || a.StatusCode != http.StatusCreated {
		t.Fatalf("%s %s %v", a.Status, a.body, err)
	}
	return done.Reference
}

func (s *site) act(t *testing.T, ref, name, reason, role string) answer {
	t.Helper()
	a := s.ask(t, "POST", "/api/v1/requests/"+ref+"/actions", action(name, reason, role))
	if a.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s", name, a.Status, a.body)
	}
	return a
}

func TestAPIFromSubmissionToDecision(t *testing.T) {
	s := newSite(t)
	ref := s.submit(t)
	for _, step := range [][3]string{{"return", "str-missing", "front-office"}, {"resubmit", "", "applicant"}, {"accept", "", "front-office"}, {"recommend", "", "health-office"}} {
		s.act(t, ref, step[0], step[1], step[2])
	}
	last := s.act(t, ref, "assign-number", "", "licensing")
	if last.Header.Get("ETag") != `"6"` {
		t.Errorf("ETag %s, want \"6\"", last.Header.Get("ETag"))
	}
	var done struct{ Position int }
	if err := json.Unmarshal([]byte(last.body), &done); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/api/v1/requests/" + ref:               `"state":"signing"`,
		"/api/v1/requests/" + ref + "/timeline": `"reason":"str-missing"`,
		"/api/v1/requests?state=signing":        ref,
		"/api/v1/requests?tenant=11.71&limit=1": ref,
		"/healthz":                              `"status":"ok"`,
		"/api/openapi.yaml":                     "openapi: 3.1.0",
		"/api/openapi.json":                     `"take-action"`,
	} {
		separator := map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]
		a := s.ask(t, "GET", path+separator+fmt.Sprint("position=", done.Position), "")
		if a.StatusCode != http.StatusOK || !strings.Contains(a.body, want) {
			t.Errorf("%s: %s, want %s in\n%s", path, a.Status, want, a.body)
		}
	}
	a := s.ask(t, "GET", "/api/v1/requests/"+ref, "")
	if !strings.Contains(a.body, `"actions":[{"action":"sign","title":{"id":"Tanda tangani","en":"Sign"},"roles":["head"]}]`) {
		t.Errorf("what may be done: %s", a.body)
	}
	timeline := s.ask(t, "GET", "/api/v1/requests/"+ref+"/timeline", "")
	if strings.Contains(timeline.body, "secret") || strings.Contains(a.body, "secret") {
		t.Error("the applicant's timeline names an actor")
	}
}

func TestAPIRepeatedCommands(t *testing.T) {
	s := newSite(t)
	for _, key := range []string{uuid.NewString(), "my own key 1"} {
		first := s.ask(t, "POST", "/api/v1/requests", submission, "Idempotency-Key", key)
		again := s.ask(t, "POST", "/api/v1/requests", submission, "Idempotency-Key", key)
		if first.StatusCode != http.StatusCreated || again.StatusCode != http.StatusCreated || first.body != again.body || again.Header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("first %s %s\nagain %s %s", first.Status, first.body, again.Status, again.body)
		}
		other := s.ask(t, "POST", "/api/v1/requests", strings.Replace(submission, "new", "renewal", 1), "Idempotency-Key", key)
		if other.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(other.body, `"code":"command_reused"`) {
			t.Errorf("another command under the same key: %s %s", other.Status, other.body)
		}
		ref := strings.TrimPrefix(first.Header.Get("Location"), "/api/v1/requests/")
		path := "/api/v1/requests/" + ref + "/actions"
		one := s.ask(t, "POST", path, action("accept", "", "front-office"), "Idempotency-Key", key+"a")
		s.act(t, ref, "recommend", "", "health-office")
		two := s.ask(t, "POST", path, action("accept", "", "front-office"), "Idempotency-Key", key+"a", "If-Match", `"1"`)
		if one.StatusCode != http.StatusOK || two.StatusCode != http.StatusOK || two.body != one.body || two.Header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("one %s %s\ntwo %s %s", one.Status, one.body, two.Status, two.body)
		}
	}
	// Two callers may pick the same key by chance: they do not get each other's answer.
	mine := s.ask(t, "POST", "/api/v1/requests", submission, "Idempotency-Key", "1")
	theirs := s.ask(t, "POST", "/api/v1/requests", strings.Replace(submission, "applicant-secret", "somebody-else", 1), "Idempotency-Key", "1")
	if mine.Header.Get("Location") == theirs.Header.Get("Location") {
		t.Error("two callers with one key got one request")
	}
}

func TestAPITwoOfficersAtOnce(t *testing.T) {
	s := newSite(t)
	ref := s.submit(t)
	var wg sync.WaitGroup
	answers := make([]answer, 12)
	start := make(chan struct{})
	for i := range answers {
		wg.Go(func() {
			<-start
			var err error
			if answers[i], err = s.try(t.Context(), "POST", "/api/v1/requests/"+ref+"/actions", action("accept", "", "front-office"), "If-Match", `"1"`); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	wg.Wait()
	won := 0
	for _, a := range answers {
		switch {
		case a.StatusCode == http.StatusOK:
			won++
		case a.StatusCode != http.StatusPreconditionFailed || !strings.Contains(a.body, "somebody else acted first"):
			t.Errorf("a loser got %s %s", a.Status, a.body)
		}
	}
	if won != 1 {
		t.Errorf("%d officers won, want 1", won)
	}
}

func TestAPIRefusals(t *testing.T) {
	s := newSite(t)
	ref := s.submit(t)
	actions := "/api/v1/requests/" + ref + "/actions"
	unknown := string(domain.NewReference(12345))
	accept := action("accept", "", "front-office")
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		want               string
	}{
		"malformed JSON":               {"POST", "/api/v1/requests", `{"tenant":`, nil, 400, "unexpected end"},
		"no body":                      {"POST", "/api/v1/requests", "", nil, 400, "body"},
		"an unknown field":             {"POST", "/api/v1/requests", strings.Replace(submission, `"tenant"`, `"nik":"x","tenant"`, 1), nil, 422, "body.nik"},
		"free text beside an action":   {"POST", actions, strings.Replace(accept, `{`, `{"text":"x",`, 1), nil, 422, "body.text"},
		"a missing field":              {"POST", "/api/v1/requests", `{"tenant":"11.71","service":"sip-dokter"}`, nil, 422, "actor"},
		"a field of another type":      {"POST", "/api/v1/requests", strings.Replace(submission, `"11.71"`, `1171`, 1), nil, 422, "body.tenant"},
		"another media type":           {"POST", "/api/v1/requests", "<xml/>", []string{"Content-Type", "text/xml"}, 415, "unknown content type"},
		"a huge body":                  {"POST", "/api/v1/requests", strings.Replace(submission, "11.71", strings.Repeat("1", 70_000), 1), nil, 413, "too large"},
		"no tenant code":               {"POST", "/api/v1/requests", strings.Replace(submission, "11.71", "Aceh", 1), nil, 422, "Kemendagri"},
		"a tenant without the service": {"POST", "/api/v1/requests", strings.Replace(submission, "11.71", "11.72", 1), nil, 404, `"code":"service"`},
		"an invented capacity":         {"POST", "/api/v1/requests", strings.Replace(submission, `"self"`, `"friend"`, 1), nil, 422, "body.actor.capacity"},
		"the imports' capacity":        {"POST", "/api/v1/requests", strings.Replace(submission, `"self"`, `"unrecorded"`, 1), nil, 422, "body.actor.capacity"},
		"a NIK as the actor":           {"POST", "/api/v1/requests", strings.Replace(submission, "applicant-secret", "1171014101900001", 1), nil, 422, `"code":"personal_data"`},
		"an undeclared fact":           {"POST", "/api/v1/requests", strings.Replace(submission, `"kind"`, `"name":"x","kind"`, 1), nil, 422, `\"name\" is not a fact of this service`},
		"a nested fact":                {"POST", "/api/v1/requests", strings.Replace(submission, `"new"`, `{"a":[1]}`, 1), nil, 422, `not a string`},
		"an unknown reference":         {"GET", "/api/v1/requests/" + unknown, "", nil, 404, `"code":"not_found"`},
		"a number that is none":        {"POST", "/api/v1/requests", strings.Replace(submission, `"new"`, `1e999`, 1), nil, 400, `"code":"malformed"`},
		"a long reference":             {"GET", "/api/v1/requests/" + strings.Repeat("x", 500), "", nil, 404, `"code":"not_found"`},
		"no reference":                 {"GET", "/api/v1/requests/nonsense", "", nil, 404, `"code":"not_found"`},
		"a timeline of nothing":        {"GET", "/api/v1/requests/nonsense/timeline", "", nil, 404, `"code":"not_found"`},
		"an action on nothing":         {"POST", "/api/v1/requests/" + unknown + "/actions", accept, nil, 404, `"code":"not_found"`},
		"an unknown action":            {"POST", actions, action("dance", "", "front-office"), nil, 422, `"code":"unknown_action"`},
		"an action from elsewhere":     {"POST", actions, action("sign", "", "head"), nil, 409, "possible now: accept, return, withdraw"},
		"an action of another role":    {"POST", actions, action("accept", "", "head"), nil, 403, "it belongs to front-office"},
		"a return without a reason":    {"POST", actions, action("return", "", "front-office"), nil, 422, "str-missing"},
		"a version that has passed":    {"POST", actions, accept, []string{"If-Match", `"7"`}, 412, "somebody else acted first"},
		"an If-Match of another kind":  {"POST", actions, accept, []string{"If-Match", `W/"x"`}, 400, "If-Match"},
		"a wrong method":               {"DELETE", "/api/v1/requests", "", nil, 405, "it takes GET, POST"},
		"a wrong method on a request":  {"PUT", "/api/v1/requests/" + ref, "{}", nil, 405, "it takes GET"},
		"no such address":              {"GET", "/api/v2/requests", "", nil, 404, "nothing at this address"},
		"a limit of nothing":           {"GET", "/api/v1/requests?limit=0", "", nil, 422, "query.limit"},
		"a page behind nothing":        {"GET", "/api/v1/requests?after=nonsense", "", nil, 404, `"code":"not_found"`},
		"a page of another site":       {"POST", "/api/v1/requests", submission, []string{"Sec-Fetch-Site", "cross-site"}, 403, "cross-origin"},
		"a proxy without a token":      {"GET", "/api/v1/requests", "", []string{"X-Forwarded-For", "192.0.2.1"}, 421, "to no proxy"},
		"another host's name":          {"GET", "/api/v1/requests", "", []string{"Host", "evil.example"}, 421, "own name"},
	} {
		t.Run(name, func(t *testing.T) {
			before, err := s.log.Head(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			a := s.ask(t, c.method, c.path, c.body, c.headers...)
			if a.StatusCode != c.status || !strings.Contains(a.body, c.want) {
				t.Errorf("%s, want %d and %s in\n%s", a.Status, c.status, c.want, a.body)
			}
			if kind := a.Header.Get("Content-Type"); kind != "application/problem+json" {
				t.Errorf("answered as %s", kind)
			}
			for _, key := range []string{`"code":"`, `"type":"urn:alur:problem:`, `"detail":"`} {
				if !strings.Contains(a.body, key) {
					t.Errorf("%s is missing in\n%s", key, a.body)
				}
			}
			if strings.Contains(a.body, "-secret") || strings.Contains(a.body, "Go value") {
				t.Errorf("what was sent is sent back, or the inside shows\n%s", a.body)
			}
			if after, err := s.log.Head(t.Context()); err != nil || after != before {
				t.Errorf("%d events were recorded, %v", after-before, err)
			}
		})
	}
}

func TestAPIToken(t *testing.T) {
	t.Setenv(tokenVariable, "s3cret")
	s := newSite(t)
	for token, want := range map[string]int{"": 401, "Bearer wrong": 401, "s3cret": 401, "Bearer s3cret": 200} {
		if a := s.ask(t, "GET", "/api/v1/requests", "", "Authorization", token, "Host", "alur.example"); a.StatusCode != want {
			t.Errorf("%q: %s, want %d", token, a.Status, want)
		}
	}
	for _, path := range []string{"/healthz", "/lacak"} {
		if a := s.ask(t, "GET", path, ""); a.StatusCode != http.StatusOK {
			t.Errorf("%s wants a token: %s", path, a.Status)
		}
	}
}

// A request of which nothing can be recorded is known to whoever watches, and is no
// reason to take the server for failing.
func TestHealthTellsOfTheTerms(t *testing.T) {
	s := newSite(t)
	if a := s.ask(t, "GET", "/healthz", ""); strings.Contains(a.body, `"terms"`) {
		t.Errorf("before the first sweep: %s", a.body)
	}
	s.swept.Now = func() time.Time { return time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC) }
	if _, err := s.swept.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := s.ask(t, "GET", "/healthz", ""); a.StatusCode != http.StatusOK || !strings.Contains(a.body, `"terms":{"swept":"2026-11-27T08:00:00Z","stuck":0}`) {
		t.Errorf("%s %s", a.Status, a.body)
	}
	s.swept.CatchUp = func(context.Context) error { return errors.New("inside") }
	if _, err := s.swept.Sweep(t.Context()); err == nil {
		t.Fatal("swept")
	}
	if a := s.ask(t, "GET", "/healthz", ""); a.StatusCode != http.StatusOK || !strings.Contains(a.body, `"fault":"the terms were not swept`) || strings.Contains(a.body, "inside") {
		t.Errorf("%s %s", a.Status, a.body)
	}
}

func TestServeRefusesToShowAnOpenAPIToOthers(t *testing.T) {
	if l, err := listenOn(t.Context(), "0.0.0.0:0"); err == nil {
		l.Close()
		t.Error("listens for others without a token")
	}
	t.Setenv(tokenVariable, "s3cret")
	l, err := listenOn(t.Context(), "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

func TestPages(t *testing.T) {
	s := newSite(t)
	ref := s.submit(t)
	s.act(t, ref, "return", "skp-missing", "front-office")
	s.waitForViews(t)
	for name, c := range map[string]struct {
		path    string
		headers []string
		status  int
		want    []string
		not     []string
	}{
		"find, in Indonesian": {"/lacak", nil, 200, []string{`<html lang="id">`, "Lacak permohonan Anda"}, []string{"Track"}},
		"find, in English":    {"/lacak?lang=en", nil, 200, []string{`<html lang="en">`, "Track your request"}, []string{"permohonan Anda"}},
		"find, as the browser asks": {
			"/lacak", []string{"Accept-Language", "en-GB,en;q=0.9"}, 200, []string{`<html lang="en">`}, nil,
		},
		"find, as chosen before": {"/lacak", []string{"Accept-Language", "en", "Cookie", "lang=id"}, 200, []string{`<html lang="id">`}, nil},
		"find, in a language we have not": {
			"/lacak", []string{"Accept-Language", "fr"}, 200, []string{`<html lang="id">`}, nil,
		},
		"status, in Indonesian": {
			"/lacak/" + ref, nil, 200,
			[]string{"Perlu perbaikan", "Anda perlu bertindak", "Bukti kecukupan SKP belum ada", "Surat Izin Praktik Dokter", "DPMPTSP Kota Banda Aceh", "WIB", "Jangan membayar"},
			[]string{"Needs correction", "January"},
		},
		"status, in English": {
			"/lacak/" + ref + "?lang=en", nil, 200,
			[]string{"Needs correction", "You need to act", "Proof of sufficient credits", "Doctor&#39;s practice licence"},
			[]string{"Perlu perbaikan", "pukul", "Januari", "Desember"},
		},
		"no such page": {"/elsewhere", nil, 404, []string{"Halaman tidak ditemukan"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.ask(t, "GET", c.path, "", c.headers...)
			if a.StatusCode != c.status {
				t.Errorf("%s, want %d", a.Status, c.status)
			}
			for _, want := range c.want {
				if !strings.Contains(a.body, want) {
					t.Errorf("%q is not on the page\n%s", want, a.body)
				}
			}
			// Nobody's name, pseudonym, role id or internal id, whatever the page.
			for _, not := range append(c.not, "secret", "front-office", "skp-missing", "applicant", "<script", "request-") {
				if strings.Contains(a.body, not) {
					t.Errorf("%q is on the page\n%s", not, a.body)
				}
			}
			if csp := a.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
				t.Errorf("Content-Security-Policy %q", csp)
			}
			if a.Header.Get("Referrer-Policy") != "no-referrer" {
				t.Error("the page tells others its address")
			}
		})
	}
}

func (s *site) waitForViews(t *testing.T) {
	t.Helper()
	head, err := s.log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.views.WaitFor(ctx, head); err != nil {
		t.Fatal(err)
	}
}

func TestPageFindsHoweverTheReferenceIsTyped(t *testing.T) {
	s := newSite(t)
	ref := s.submit(t)
	for _, typed := range []string{ref, strings.ToLower(ref), strings.ReplaceAll(ref, "-", ""), strings.ReplaceAll(ref, "-", "+") + "+"} {
		a := s.ask(t, "GET", "/lacak?lang=en&reference="+typed, "")
		if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/lacak/"+ref+"?lang=en" {
			t.Errorf("%q: %s to %s", typed, a.Status, a.Header.Get("Location"))
		}
	}
	if a := s.ask(t, "GET", "/lacak/"+strings.ToLower(ref)+"?lang=en", ""); a.Header.Get("Location") != "/lacak/"+ref+"?lang=en" {
		t.Errorf("%s to %s", a.Status, a.Header.Get("Location"))
	}
}

// A reference that was never given out, one with a wrong check symbol, and any
// other text must get the same answer, to the byte.
func TestPageTellsNothingOfUnknownReferences(t *testing.T) {
	s := newSite(t)
	ref := s.submit(t)
	s.waitForViews(t)
	wrong := []byte(ref)
	wrong[len(wrong)-1] = map[bool]byte{true: '2', false: '3'}[wrong[len(wrong)-1] == '3']
	var first answer
	for i, path := range []string{
		"/lacak/" + string(domain.NewReference(99)), "/lacak/" + string(wrong), "/lacak/nonsense", "/lacak/%3Cscript%3E",
		"/lacak?reference=" + string(domain.NewReference(98)), "/lacak?reference=" + string(wrong), "/lacak?reference=", "/lacak?reference=%00%ff",
	} {
		a := s.ask(t, "GET", path, "")
		a.Header.Del("Date")
		if i == 0 {
			first = a
		}
		if a.StatusCode != http.StatusNotFound || a.body != first.body || fmt.Sprint(a.Header) != fmt.Sprint(first.Header) {
			t.Errorf("%s: %s %v\n%s", path, a.Status, a.Header, a.body)
		}
	}
	if !strings.Contains(first.body, "Tidak ada permohonan dengan nomor itu") {
		t.Errorf("the page does not say what is wrong\n%s", first.body)
	}
}

func TestPageIsSentAgainOnlyWhenItChanged(t *testing.T) {
	s := newSite(t)
	ref := s.submit(t)
	s.waitForViews(t)
	first := s.ask(t, "GET", "/lacak/"+ref, "")
	tag := first.Header.Get("ETag")
	if a := s.ask(t, "GET", "/lacak/"+ref, "", "If-None-Match", tag); a.StatusCode != http.StatusNotModified || a.body != "" {
		t.Errorf("unchanged: %s", a.Status)
	}
	if a := s.ask(t, "GET", "/lacak/"+ref+"?lang=en", "", "If-None-Match", tag); a.StatusCode != http.StatusOK {
		t.Errorf("in another language: %s", a.Status)
	}
	s.act(t, ref, "accept", "", "front-office")
	s.waitForViews(t)
	if a := s.ask(t, "GET", "/lacak/"+ref, "", "If-None-Match", tag); a.StatusCode != http.StatusOK || !strings.Contains(a.body, "Sedang diproses") {
		t.Errorf("changed: %s", a.Status)
	}
}

func TestPageRefusesOtherMethods(t *testing.T) {
	s := newSite(t)
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		a := s.ask(t, method, "/lacak", "")
		if a.StatusCode != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %s, Allow %q", method, a.Status, a.Header.Get("Allow"))
		}
	}
	if a := s.ask(t, "HEAD", "/lacak", ""); a.StatusCode != http.StatusOK || a.body != "" {
		t.Errorf("HEAD: %s", a.Status)
	}
}

// A request under way when the server is told to stop is finished, also when it
// has to wait for a view.
func TestServeFinishesWhatIsUnderWay(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	h, err := openHouse(t.Context(), stores{db: filepath.Join(t.TempDir(), "alur.db")}, logger)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.publishSample(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := listenOn(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- h.serve(ctx, l, logger) }()

	const ref = "7K3M-Q9XT-2WPN" // of a request that is submitted while the server stops
	body, send := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+l.Addr().String()+"/api/v1/requests/"+ref+"/actions", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Expect", "100-continue") // the body is sent when the server asks for it
	patient := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	answered := make(chan answer, 1)
	go func() {
		defer close(answered)
		resp, err := patient.Do(r)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Error(err)
		}
		answered <- answer{resp, string(b)}
	}()
	accept := action("accept", "", "front-office")
	if _, err := io.WriteString(send, accept[:10]); err != nil { // the request is under way
		t.Fatal(err)
	}
	stop()
	_, err = h.engine.Submit(t.Context(), domain.Submit{
		Header: domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: "a", Role: "applicant", Capacity: domain.CapacitySelf}},
		Tenant: "11.71", Service: "sip-dokter", Reference: ref, Facts: domain.Facts{"kind": "new"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(send, accept[10:]); err != nil {
		t.Fatal(err)
	}
	if err := send.Close(); err != nil {
		t.Fatal(err)
	}
	if a := <-answered; a.Response == nil || a.StatusCode != http.StatusOK {
		t.Errorf("%v", a)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if err := h.close(); err != nil {
		t.Error(err)
	}
}

// The resources of an imported log are people: the pages of its requests must
// not name them, as holders of a step or otherwise.
func TestPageOfAnImportedRequestNamesNobody(t *testing.T) {
	s := newSite(t)
	list := []workflows.Trace{{Name: "case-1", Events: []workflows.TraceEvent{
		{Name: "Check", Resource: "Budi Secret", Time: time.Unix(1e9, 0)},
		{Name: "Decide", Resource: "Ani Secret", Time: time.Unix(2e9, 0)},
	}}, {Name: "case-2", Events: []workflows.TraceEvent{{Name: "Check", Resource: "Budi Secret", Time: time.Unix(1e9, 0)}}}}
	each := func(yield func(workflows.Trace, error) bool) {
		for _, trace := range list {
			if !yield(trace, nil) {
				return
			}
		}
	}
	draft, err := discovery.Learn(each, discovery.Options{ID: "old", Role: "org:resource"})
	if err != nil {
		t.Fatal(err)
	}
	source, err := workflows.Write(draft.Definition, "")
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.library.Publish(t.Context(), workflows.Publication{
		Tenant: "11.71", Source: source, Definition: draft.Definition, Occurred: time.Now(), At: time.Now(),
		Actor: domain.Actor{ID: "import", Role: "import", Capacity: domain.CapacitySystem}, Why: "import of an event log", History: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	importer := workflows.Importer{Log: s.log, Engine: s.engine}
	if _, err := importer.Import(t.Context(), "11.71", w, each); err != nil {
		t.Fatal(err)
	}
	s.waitForViews(t)
	requests, err := s.status.List(t.Context(), projections.Filter{Service: "old"})
	if err != nil || len(requests) != 2 {
		t.Fatalf("%d requests, %v", len(requests), err)
	}
	for _, r := range requests {
		a := s.ask(t, "GET", "/lacak/"+string(r.Reference), "")
		if a.StatusCode != http.StatusOK || !strings.Contains(a.body, "Check") {
			t.Errorf("%s\n%s", a.Status, a.body)
		}
		if strings.Contains(a.body, "Secret") || strings.Contains(a.body, "secret") {
			t.Errorf("the page names an officer\n%s", a.body)
		}
	}
}
