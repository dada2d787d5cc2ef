package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/adapters/notify/webhook"
	"github.com/alur-id/alur/domain"
)

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// taker is another system that takes messages, and says what became of each.
type taker struct {
	*httptest.Server
	t *testing.T

	mu     sync.Mutex
	status map[string]int // by path; 0 takes
	took   map[string][]string
	bodies map[string]string
}

func newTaker(t *testing.T) *taker {
	t.Helper()
	x := &taker{t: t, status: map[string]int{}, took: map[string][]string{}, bodies: map[string]string{}}
	x.Server = httptest.NewServer(x)
	t.Cleanup(x.Close)
	return x
}

func (x *taker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	id := r.Header.Get("Webhook-Id")
	if err == nil {
		err = webhook.Verify(testSecret, id, r.Header.Get("Webhook-Timestamp"), r.Header.Get("Webhook-Signature"), body, time.Now())
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if err != nil && !strings.HasPrefix(r.URL.Path, "/at-noon") { // whose clock is the test's
		x.t.Errorf("%s: %v", r.URL.Path, err)
	}
	if status := x.status[r.URL.Path]; status != 0 {
		w.WriteHeader(status)
		return
	}
	x.took[r.URL.Path] = append(x.took[r.URL.Path], id)
	x.bodies[id] = string(body)
}

func (x *taker) answer(path string, status int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.status[path] = status
}

// got waits until so many messages came to a path, and returns their ids.
func (x *taker) got(path string, n int) []string {
	x.t.Helper()
	for late := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		x.mu.Lock()
		ids := slices.Clone(x.took[path])
		x.mu.Unlock()
		if len(ids) >= n {
			return ids
		}
		if time.Now().After(late) {
			x.t.Fatalf("%d messages came to %s in a minute, want %d", len(ids), path, n)
		}
	}
}

// outwardTo writes a file that says who is told what.
func outwardTo(t *testing.T, text string, args ...any) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "outward.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, text, args...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (h *house) reactsTo(t *testing.T, where stores, file string) *lines {
	t.Helper()
	said := &lines{}
	logger := slog.New(slog.NewTextHandler(said, nil))
	o := outward{content: "structured", file: file, public: "https://alur.example"}
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	if err := h.openOutward(t.Context(), where, o, logger); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); h.react(ctx, logger) }()
	t.Cleanup(func() { cancel(); <-done })
	return said
}

// lines is what was logged.
type lines struct {
	mu   sync.Mutex
	list []string
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, string(line))
	return len(line), nil
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list)
}

// about are the lines that have a word in them.
func (l *lines) about(word string) []string {
	return slices.DeleteFunc(l.all(), func(line string) bool { return !strings.Contains(line, word) })
}

// with waits for a line that has all of some words in it, and returns it.
func (l *lines) with(t *testing.T, words ...string) string {
	t.Helper()
	for late := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		all := l.all()
		for _, line := range all {
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
				return line
			}
		}
		if time.Now().After(late) {
			t.Fatalf("no line has %q in it:\n%s", words, strings.Join(all, ""))
		}
	}
}

const formSubmission = `{"tenant":"11.71","service":"sip-dokter","facts":{"kind":"new"},"identity":"nik:1171019999990001","form":{"name":"Cut Invented","phone":"0811-000-0000"},
	"actor":{"id":"applicant-secret","role":"applicant","capacity":"self"}}`

// What a gateway does not take is listed, kept, recorded, and sent when somebody says so.
// Another system hears of it all meanwhile.
func TestWhatFailsToGoOutwardIsListedAndTriedAgain(t *testing.T) {
	x := newTaker(t)
	var where stores
	noon := time.Now().UTC().Truncate(24 * time.Hour).Add(29 * time.Hour) // tomorrow, in Banda Aceh: nobody is told at night
	s := newSite(t, func(w *stores) {
		w.sealing, w.now = true, func() time.Time { return noon }
		where = *w
	})
	x.answer("/at-noon/sms", 422)
	s.reactsTo(t, where, outwardTo(t, `
sms: {url: %[1]s/at-noon/sms, keys: [%[2]s], networks: [127.0.0.0/8]}
webhooks:
  - {name: elsewhere, url: %[1]s/elsewhere, keys: [%[2]s], networks: [127.0.0.0/8], tenants: ["11.71"], types: [alur.request.*]}
`, x.URL, testSecret))
	a, err := post(s.URL+"/api/v1/requests", "key-1", formSubmission)
	if err != nil {
		t.Fatal(err)
	}
	x.got("/elsewhere", 1)
	var listed reactorStanding
	for late := time.Now().Add(time.Minute); len(listed.Sendings) == 0; {
		if time.Now().After(late) {
			t.Fatal("nothing is listed after a minute")
		}
		listed = reactorStanding{}
		if err := json.Unmarshal([]byte(must(t, t.TempDir(), "", "reactor", "list", "--db", where.db, "--json")), &listed); err != nil {
			t.Fatal(err)
		}
	}
	one := listed.Sendings[0]
	if one.Lane != "notices/sms" || one.State != bus.SendingFailed || one.Reason != "it answered 422" {
		t.Errorf("listed: %+v", one)
	}
	if text := must(t, t.TempDir(), "", "reactor", "list", "--db", where.db); !strings.Contains(text, one.ID.String()) || strings.Contains(text, "0811") {
		t.Errorf("shown:\n%s", text)
	}
	x.answer("/at-noon/sms", 0)
	if text := must(t, t.TempDir(), "", "reactor", "retry", "notices/sms", "--id", one.ID.String(), "--db", where.db); text != "1 to be tried again\n" {
		t.Errorf("retried: %q", text)
	}
	if ids := x.got("/at-noon/sms", 1); ids[0] != one.ID.String() {
		t.Errorf("the message came under %v, and was given up under %s", ids, one.ID)
	}
	var letter struct {
		To, Text string
	}
	if err := json.Unmarshal([]byte(x.bodies[one.ID.String()]), &letter); err != nil || letter.To != "+628110000000" || !strings.Contains(letter.Text, "https://alur.example/lacak/"+a.Reference) {
		t.Errorf("%v: %+v", err, letter)
	}
	r, err := s.find(t.Context(), a.Reference)
	if err != nil {
		t.Fatal(err)
	}
	for late := time.Now().Add(time.Minute); ; {
		n, err := s.engine.Notices(t.Context(), r.ID)
		if err != nil || time.Now().After(late) {
			t.Fatalf("%v: %+v", err, n)
		}
		if o, ok := n.Outcome(one.ID); ok && o.Fault == "" {
			break
		}
	}
	nothingPlain(t, filepath.Dir(where.db), "0811-000", "+62811", "Invented")
	if given := must(t, t.TempDir(), "nik:1171019999990001", "subject", "export", "--db", where.db); !strings.Contains(given, `"ApplicantNotified"`) || !strings.Contains(given, `"to": "0811-000-0000"`) {
		t.Errorf("the person is not given what was sent to them:\n%s", given)
	}
	var shown struct {
		Messages []struct {
			ID       uuid.UUID `json:"id"`
			Sent     bool      `json:"sent"`
			Attempts int       `json:"attempts"`
		} `json:"messages"`
	}
	if text := getJSON(t, s.URL+"/api/v1/requests/"+a.Reference+"/notices", &shown); len(shown.Messages) != 1 || !shown.Messages[0].Sent || shown.Messages[0].ID != one.ID || strings.Contains(text, "0811") {
		t.Errorf("shown by the API:\n%s", text)
	}
}

func TestTheApplicantSaysOverHTTPHowTheyAreTold(t *testing.T) {
	s := newSite(t)
	a, err := post(s.URL+"/api/v1/requests", "key-1", submission)
	if err != nil {
		t.Fatal(err)
	}
	path := "/api/v1/requests/" + a.Reference + "/notices"
	by := func(capacity string) string {
		return `"actor":{"id":"applicant-secret","role":"applicant","capacity":"` + capacity + `"}}`
	}
	for name, c := range map[string]struct {
		body string
		want int
		says string
	}{
		"a proxy":            {`{"language":"en",` + by("proxy"), 403, "capacity"},
		"another language":   {`{"language":"fr",` + by("self"), 422, "language"},
		"another channel":    {`{"channels":["pigeon"],` + by("self"), 422, "notices"},
		"no time of the day": {`{"quiet":{"from":"25:00","to":"06:00"},` + by("self"), 422, "quiet"},
		"quiet all day":      {`{"quiet":{"from":"06:01","to":"06:00"},` + by("self"), 422, "at most 14 hours"},
	} {
		if got := s.ask(t, "PUT", path, c.body); got.StatusCode != c.want || !strings.Contains(got.body, c.says) {
			t.Errorf("%s: %s %s", name, got.Status, got.body)
		}
	}
	if got := s.ask(t, "PUT", path, `{"language":"en","channels":["sms"],"quiet":{"from":"20:00","to":"07:30"},`+by("self")); got.StatusCode != http.StatusOK {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	var shown struct {
		Preferred map[string]any `json:"preferred"`
	}
	getJSON(t, s.URL+path, &shown)
	want := map[string]any{"language": "en", "channels": []any{"sms"}, "quiet": map[string]any{"from": "20:00", "to": "07:30"}}
	if d := cmp.Diff(want, shown.Preferred); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if got := s.ask(t, "GET", strings.Replace(path, a.Reference, "7K3M-Q9XT-2WPN", 1), ""); got.StatusCode != http.StatusNotFound {
		t.Errorf("of no request: %s", got.Status)
	}
}

// What an applicant was told is read from the log: views that stand still keep nobody from it.
func TestNoticesWaitForNoView(t *testing.T) {
	s := newSite(t)
	a, err := post(s.URL+"/api/v1/requests", "key-1", submission)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, view := range s.views.Names() {
		if err := s.views.Pause(t.Context(), view, true); err != nil {
			t.Fatal(err)
		}
	}
	path := "/api/v1/requests/" + a.Reference + "/notices"
	if got := s.ask(t, "PUT", path, `{"language":"en","actor":{"id":"applicant-secret","role":"applicant","capacity":"self"}}`); got.StatusCode != http.StatusOK {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	head, err := s.log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := s.ask(t, "GET", fmt.Sprint(path, "?position=", head), ""); got.StatusCode != http.StatusOK || !strings.Contains(got.body, `"language":"en"`) {
		t.Errorf("%s %s", got.Status, got.body)
	}
}

// A file that names secrets is refused without repeating them.
func TestAnOutwardFileThatCannotBeMeant(t *testing.T) {
	key, mailed := "keys: ["+testSecret+"]", "mail: {server: 'smtp://mail.example.test', from: a@example.test}\n"
	for text, says := range map[string]string{
		"":                      "empty",
		"mail: {sender: x}\n":   "unknown field",
		"sms: {url: ftp://x}\n": "want an https:// URL",
		"sms: {url: http://sms.example.test/conceal, " + key + "}\n":                                      "http:// is only for networks",
		"sms: {url: https://x.example.test, keys: [whsec_conceal]}\n":                                     "key 1: a secret is",
		"sms: {url: https://x.example.test, tenants: [\"11.71\"], " + key + "}\n":                         "are for webhooks",
		"mail: {server: 'http://conceal', from: a@example.test}\n":                                        "the mail server",
		"webhooks: [{name: A, url: https://x.example.test, " + key + "}]\n":                               "small letters",
		"webhooks: [{name: a, url: https://x.example.test, " + key + "}, {name: a}]\n":                    "there are two of that name",
		"webhooks: [{name: a, url: https://x.example.test, types: [alur.request.moved.], " + key + "}]\n": "there is no integration event",
		"webhooks: [{name: a, url: https://x.example.test, tenants: [aceh], " + key + "}]\n":              "tenant code",
		"webhooks: [{name: a, url: https://x.example.test, networks: [10.0.0.0], " + key + "}]\n":         "is no network",
		"webhooks: [{name: a, url: https://user:conceal@x.example.test, " + key + "}]\n":                  "a URL with a password",
		"offices: [{tenant: \"11.71\", role: head, mail: a@example.test}]\n":                              "names no mail server",
		mailed + "offices: [{tenant: aceh, role: head, mail: a@example.test}]\n":                          "tenant code",
		mailed + "offices: [{tenant: \"11.71\", mail: a@example.test}]\n":                                 "names no role",
		mailed + "offices: [{tenant: \"11.71\", role: head, mail: conceal}]\n":                            "mail is no address",
	} {
		_, err := readOutward(outwardTo(t, "%s", text))
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "conceal") || strings.Contains(err.Error(), testSecret) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}

// A mailbox is one, however it is written: else each letter would go there twice.
func TestAMailboxIsOneHoweverItIsWritten(t *testing.T) {
	f, err := readOutward(outwardTo(t, `
mail: {server: "smtp://mail.example.test", from: a@example.test}
offices:
  - {tenant: "11.71", role: head, mail: head@example.test}
  - {tenant: "11.71", role: head, mail: Kepala <head@example.test>}
`))
	if err != nil {
		t.Fatal(err)
	}
	if m := f.mailboxes(); len(m) != 2 || m[0].Address != m[1].Address {
		t.Errorf("%+v", m)
	}
}

func TestWhichEventsAWebhookIsToldOf(t *testing.T) {
	for _, c := range []struct {
		e    endpoint
		t    string
		want bool
	}{
		{endpoint{}, "alur.request.moved", true},
		{endpoint{Types: []string{"alur.request.*"}}, "alur.request.moved", true},
		{endpoint{Types: []string{"alur.request.*"}}, "alur.workflow.published", false},
		{endpoint{Types: []string{"alur.request.ended", "alur.calendar.decree_added"}}, "alur.request.moved", false},
		{endpoint{Tenants: []string{"11.71"}}, "alur.request.moved", true},
		{endpoint{Tenants: []string{"18.72"}}, "alur.request.moved", false},
	} {
		if got := c.e.wants(domain.TenantCode("11.71"), c.t); got != c.want {
			t.Errorf("%+v is told of %s: %t", c.e, c.t, got)
		}
	}
}

// The file that operators are shown is one.
func TestOperatorsAreShownAnOutwardFile(t *testing.T) {
	shown := blocks(readText(t, "docs/operators.md"), "yaml")
	if len(shown) != 1 {
		t.Fatalf("%d files are shown", len(shown))
	}
	f, err := readOutward(outwardTo(t, "%s", shown[0]))
	if err != nil || f.Mail == nil || f.SMS == nil || len(f.Webhooks) != 1 {
		t.Errorf("%v: %+v", err, f)
	}
}

// An endpoint that wants nothing more is sent nothing, until somebody says that it does:
// then all that came meanwhile.
func TestADisabledWebhookGoesOnWhereItStopped(t *testing.T) {
	x := newTaker(t)
	var where stores
	s := newSite(t, func(w *stores) { where = *w })
	x.answer("/elsewhere", http.StatusGone)
	said := s.reactsTo(t, where, outwardTo(t, "webhooks: [{name: elsewhere, url: %s/elsewhere, keys: [%s], networks: [127.0.0.0/8], types: [alur.request.submitted]}]\n", x.URL, testSecret))
	submit := func() {
		t.Helper()
		if _, err := post(s.URL+"/api/v1/requests", uuid.NewString(), submission); err != nil {
			t.Fatal(err)
		}
	}
	list := func() (all reactorStanding) {
		t.Helper()
		if err := json.Unmarshal([]byte(must(t, t.TempDir(), "", "reactor", "list", "--db", where.db, "--json", "--waiting")), &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	submit()
	for late := time.Now().Add(time.Minute); ; {
		all := list()
		if len(all.Lanes) == 1 && all.Lanes[0].Disabled {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("after a minute: %+v", all)
		}
	}
	for range 3 {
		submit()
	}
	if all := list(); len(all.Sendings) != 1 {
		t.Errorf("%d wait in a lane that is disabled", len(all.Sendings))
	}
	since := list().Lanes[0].Failing.Format(time.RFC3339)
	line := said.with(t, "level=ERROR", "webhook/elsewhere is disabled", "from "+since+" on", "it answered 410", "alur reactor retry webhook/elsewhere")
	if strings.Contains(line, domain.ErrUnavailable.Error()) {
		t.Error(line)
	}
	refused := regexp.MustCompile(`alur_consumer_messages_total{became="refused",consumer="webhook/elsewhere"} [4-9]`)
	for late := time.Now().Add(time.Minute); !refused.MatchString(s.ask(t, "GET", "/metrics", "").body); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("what comes for a disabled webhook is not put off")
		}
	}
	if all := said.about("disabled"); len(all) != 1 {
		t.Errorf("it is said %d times:\n%s", len(all), strings.Join(all, ""))
	}
	if text := must(t, t.TempDir(), "", "reactor", "list", "--db", where.db); !strings.Contains(text, "DISABLED") {
		t.Errorf("shown:\n%s", text)
	}
	x.answer("/elsewhere", 0)
	must(t, t.TempDir(), "", "reactor", "retry", "webhook/elsewhere", "--db", where.db)
	x.got("/elsewhere", 4)
	if text := must(t, t.TempDir(), "", "reactor", "replay", "webhook/elsewhere", "--after", "0", "--db", where.db); !strings.Contains(text, "events to be sent again") {
		t.Error(text)
	}
	x.got("/elsewhere", 8)
}
