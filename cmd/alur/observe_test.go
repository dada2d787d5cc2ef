package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/alur-id/alur/adapters/tracing"
	"github.com/alur-id/alur/domain"
)

// spans are what a collector was sent.
type spans struct {
	*httptest.Server
	t *testing.T

	mu   sync.Mutex
	all  []*tracepb.Span
	node map[*tracepb.Span]string // that made it, where it was told its name
}

func newCollector(t *testing.T) *spans {
	t.Helper()
	x := &spans{t: t, node: map[*tracepb.Span]string{}}
	x.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var got collector.ExportTraceServiceRequest
		b, err := io.ReadAll(r.Body)
		if err == nil {
			err = proto.Unmarshal(b, &got)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("the collector got %s: %v", r.URL.Path, err)
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		for _, resource := range got.GetResourceSpans() {
			node := ""
			for _, a := range resource.GetResource().GetAttributes() {
				if a.GetKey() == "service.instance.id" {
					node = a.GetValue().GetStringValue()
				}
			}
			for _, scope := range resource.GetScopeSpans() {
				x.all = append(x.all, scope.GetSpans()...)
				for _, s := range scope.GetSpans() {
					x.node[s] = node
				}
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(x.Close)
	return x
}

// tracer sends all traces there.
func (x *spans) tracer(t *testing.T, ratio float64) *tracing.Tracer {
	t.Helper()
	tracer, err := tracing.Open(t.Context(), tracing.Config{Endpoint: x.URL, Ratio: ratio, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return tracer
}

// named are the spans of a name in a trace.
func (x *spans) named(trace []byte, name string) (list []*tracepb.Span) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, s := range x.all {
		if s.GetName() == name && (trace == nil || bytes.Equal(s.GetTraceId(), trace)) {
			list = append(list, s)
		}
	}
	return list
}

// text is all that the collector knows.
func (x *spans) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var b strings.Builder
	for _, s := range x.all {
		b.WriteString(prototext.Format(s))
	}
	return b.String()
}

// One submission is one trace, that of the caller: the HTTP request, the append in it, and
// what each view and reactor made of the event, who know it by the event alone.
func TestOneTraceFromTheRequestToTheReactor(t *testing.T) {
	x, taker := newCollector(t), newTaker(t)
	tracer := x.tracer(t, 0) // but for callers who want theirs kept
	var where stores
	s := newSite(t, func(w *stores) {
		w.tracer = tracer
		where = *w
	})
	s.reactsTo(t, where, outwardTo(t, "webhooks: [{name: elsewhere, url: %s/elsewhere, keys: [%s], networks: [127.0.0.0/8], types: [alur.request.submitted]}]\n", taker.URL, testSecret))
	const trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	a := s.ask(t, "POST", "/api/v1/requests", submission, "Traceparent", "00-"+trace+"-"+caller+"-01", "Idempotency-Key", "key-1")
	if a.StatusCode != http.StatusCreated {
		t.Fatal(a.Status, a.body)
	}
	s.submit(t) // nobody asked for the trace of this one
	s.waitForViews(t)
	taker.got("/elsewhere", 2)
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	id, err := hex.DecodeString(trace)
	if err != nil {
		t.Fatal(err)
	}
	one := func(name string) *tracepb.Span {
		t.Helper()
		list := x.named(id, name)
		if len(list) != 1 {
			t.Fatalf("%d spans %q, want 1; there are\n%s", len(list), name, x.text())
		}
		return list[0]
	}
	served, appended := one("POST /api/v1/requests"), one("append")
	if got := hex.EncodeToString(served.GetParentSpanId()); got != caller {
		t.Errorf("the request's span is under %s, want the caller's", got)
	}
	if !bytes.Equal(appended.GetParentSpanId(), served.GetSpanId()) {
		t.Errorf("the append is not under the request")
	}
	names := []string{"react webhook/elsewhere", "send webhook/elsewhere"}
	for _, p := range everyProjection(nil) {
		names = append(names, "project "+p.Name())
	}
	for _, name := range names {
		if span := one(name); !bytes.Equal(span.GetParentSpanId(), appended.GetSpanId()) {
			t.Errorf("%s is not under the append", name)
		}
	}
	for _, span := range x.named(nil, "append") {
		if !bytes.Equal(span.GetTraceId(), id) {
			t.Errorf("a trace was kept that nobody asked for: %v", span)
		}
	}
	// What joins them is what the log has.
	for e, err := range domain.Events(s.log.ReadAll(t.Context(), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(e.Stream, "request-") {
			if e.Correlation != uuid.UUID(id) {
				t.Errorf("the correlation id is %s, want the trace's", e.Correlation)
			}
			if e.Command == e.Correlation {
				t.Errorf("the command's id is the trace's")
			}
			break
		}
	}
	// The same command again, in another trace, is answered as the first time.
	again := s.ask(t, "POST", "/api/v1/requests", submission, "Traceparent", "00-"+strings.Repeat("1", 32)+"-"+caller+"-01", "Idempotency-Key", "key-1")
	if again.StatusCode != http.StatusCreated || again.body != a.body {
		t.Errorf("the same again: %s\n%s\nfirst\n%s", again.Status, again.body, a.body)
	}
}

// leads are what must stand nowhere but in the answers and the store.
var leads = []string{"1171019999990001", "Cut Invented", "0811-000-0000", "8110000000", "cut@invented.example", "-secret", "NOT-A-REFERENCE"}

// What an operator sees of requests, well or ill formed, does not lead to anybody.
func TestNothingAnOperatorSeesLeadsToAPerson(t *testing.T) {
	x, taker := newCollector(t), newTaker(t)
	tracer := x.tracer(t, 1)
	var where stores
	noon := time.Now().UTC().Truncate(24 * time.Hour).Add(29 * time.Hour)
	s := newSite(t, func(w *stores) {
		w.sealing, w.tracer, w.now = true, tracer, func() time.Time { return noon }
		where = *w
	})
	var logged safeBuffer
	logger := slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o := outward{content: "structured", file: outwardTo(t, "sms: {url: %s/at-noon/sms, keys: [%s], networks: [127.0.0.0/8]}\n", taker.URL, testSecret)}
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	taker.answer("/at-noon/sms", 422)
	if err := s.openOutward(t.Context(), where, o, logger); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.react(ctx, logger) }()
	t.Cleanup(func() { cancel(); <-done })
	s.metrics = newRegistry() // the handler of this test has its own of views and terms
	handler, err := s.handler(logger, s.swept)
	if err != nil {
		t.Fatal(err)
	}
	s.Config.Handler = handler
	told := strings.Replace(formSubmission, `"phone"`, `"email":"cut@invented.example","phone"`, 1)
	var done1 struct{ Reference string }
	if a := s.ask(t, "POST", "/api/v1/requests", formSubmission, "Tracestate", "x=1171019999990001"); a.StatusCode != http.StatusCreated {
		t.Fatal(a.Status, a.body)
	} else if err := json.Unmarshal([]byte(a.body), &done1); err != nil {
		t.Fatal(err)
	}
	ref := done1.Reference
	s.act(t, ref, "return", "str-missing", "front-office")
	seen := map[int]bool{}
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/api/v1/requests", told}, // a field that the form does not have
		{"POST", "/api/v1/requests", told[:len(told)-9]},
		{"POST", "/api/v1/requests", strings.Replace(formSubmission, `"sip-dokter"`, `"Cut Invented"`, 1)},
		{"POST", "/api/v1/requests/" + ref + "/actions", action("1171019999990001", "", "front-office")},
		{"POST", "/api/v1/requests/NOT-A-REFERENCE/actions", action("accept", "", "front-office")},
		{"GET", "/api/v1/requests/" + ref + "?position=1171019999990001", ""},
		{"GET", "/lacak?reference=cut@invented.example", ""},
		{"GET", "/lacak/" + ref, ""},
		{"GET", "//lacak/" + ref, ""},
		{"DELETE", "/lacak/" + ref, ""},
		{"GET", "/" + ref, ""},
	} {
		short, stop := context.WithTimeout(t.Context(), 10*time.Second)
		if a, err := s.try(short, c.method, c.path, c.body); err == nil {
			seen[a.StatusCode] = true
		}
		stop()
	}
	if err := s.viewsDB.Close(); err != nil { // from here on, what reads views fails inside
		t.Fatal(err)
	}
	for _, path := range []string{"/lacak/" + ref, "/api/v1/requests/" + ref} {
		a := s.ask(t, "GET", path, "")
		seen[a.StatusCode] = true
	}
	t.Logf("answers: %v", seen)
	for _, status := range []int{200, 400, 404, 405, 422, 500} {
		if !seen[status] {
			t.Errorf("nothing was answered with %d: %v", status, seen)
		}
	}
	figures := s.ask(t, "GET", "/metrics", "").body
	cancel()
	<-done
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"the log": logged.String(), "the figures": figures, "the traces": x.text()} {
		if len(text) < 500 {
			t.Errorf("%s hold next to nothing: %s", what, text)
		}
		for _, secret := range append(slices.Clone(leads), ref) {
			for line := range strings.Lines(text) {
				if strings.Contains(line, secret) {
					t.Errorf("%s hold %s: %s", what, secret, line)
				}
			}
		}
	}
	if !strings.Contains(logged.String(), `"level":"ERROR"`) {
		t.Errorf("no error was logged:\n%s", logged.String())
	}
}

// safeBuffer is written to by several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Profiles are served where it was said and nowhere else, and the log can be JSON.
func TestServeProfilesApart(t *testing.T) {
	c := child(t, "serve", "--db", t.TempDir()+"/alur.db", "--listen", "127.0.0.1:0", "--pprof", ":0", "--log-format", "json")
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{Cmd: c}
	defer s.stop(t)
	var pages, profiles string
	for d := json.NewDecoder(stderr); pages == ""; {
		var line struct{ Pages, Pprof string }
		if err := d.Decode(&line); err != nil {
			t.Fatal(err)
		}
		if line.Pprof != "" {
			profiles = line.Pprof
		}
		pages = strings.TrimSuffix(line.Pages, "/lacak")
	}
	go func() { _, _ = io.Copy(io.Discard, stderr) }()
	if host, _, err := net.SplitHostPort(strings.TrimSuffix(strings.TrimPrefix(profiles, "http://"), "/debug/pprof/")); err != nil || host != "127.0.0.1" {
		t.Errorf("profiles are served at %s: %v", profiles, err)
	}
	if text := get(t, profiles+"goroutine?debug=1"); !strings.Contains(text, "goroutine profile") {
		t.Errorf("no profile: %s", text)
	}
	resp, err := client.Get(pages + "/debug/pprof/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("profiles among the pages: %s", resp.Status)
	}
}

// figure is what a server tells under a name: its lines, and the labels that they have.
type figure struct {
	lines  []string
	labels map[string]bool
}

// servedFigures are those of a server with everything in use, by name.
func servedFigures(t *testing.T) map[string]figure {
	t.Helper()
	taker := newTaker(t)
	var where stores
	s := newSite(t, func(w *stores) { where = *w })
	s.reactsTo(t, where, outwardTo(t, "webhooks: [{name: elsewhere, url: %s/elsewhere, keys: [%s], networks: [127.0.0.0/8], types: [alur.request.submitted]}]\n", taker.URL, testSecret))
	ref := s.submit(t)
	s.ask(t, "POST", "/api/v1/requests/"+ref+"/actions", action("sign", "", "head"))
	if _, err := s.swept.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	taker.got("/elsewhere", 1)
	for since := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		all := map[string]figure{}
		for _, m := range regexp.MustCompile(`(?m)^([a-z_]+)(?:\{(.*)\})? .*$`).FindAllStringSubmatch(s.ask(t, "GET", "/metrics", "").body, -1) {
			f, ok := all[m[1]]
			if !ok {
				f.labels = map[string]bool{"instance": true} // Prometheus adds it
			}
			f.lines = append(f.lines, m[0])
			for _, l := range regexp.MustCompile(`([a-z_]+)="`).FindAllStringSubmatch(m[2], -1) {
				f.labels[l[1]] = true
			}
			all[m[1]] = f
		}
		if all["alur_lane_attempts_total"].lines != nil && all["alur_http_requests_total"].lines != nil || time.Since(since) > time.Minute {
			return all
		}
	}
}

// An alarm on an increase sees the first case only if the figure was there before, at 0.
func TestWhatAlarmsWatchIsThereFromTheStart(t *testing.T) {
	var where stores
	s := newSite(t, func(w *stores) { where = *w })
	s.reactsTo(t, where, outwardTo(t, "webhooks: [{name: elsewhere, url: %s/elsewhere, keys: [%s], networks: [127.0.0.0/8]}]\n", newTaker(t).URL, testSecret))
	for _, want := range []string{
		`alur_command_seconds_count{outcome="error"} 0`, `alur_lane_attempts_total{became="given_up",lane="webhook/elsewhere"} 0`,
		`alur_consumer_messages_total{became="poisoned",consumer="webhook/elsewhere"} 0`,
	} {
		for late := time.Now().Add(time.Minute); !strings.Contains(s.ask(t, "GET", "/metrics", "").body, want); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(late) {
				t.Fatalf("no %s in\n%s", want, s.ask(t, "GET", "/metrics", "").body)
			}
		}
	}
}

var (
	figureName = regexp.MustCompile(`\b(?:alur|go|process)_[a-z_]+[a-z]\b`)
	byLabels   = regexp.MustCompile(`\b(?:by|on) \(([a-z, ]+)\)`)
	matcher    = regexp.MustCompile(`([a-z]+)(=~?)"([^"]*)"`)
)

// asks is what an expression asks for that is not served: figures, and labels that none of
// its figures has.
func asks(expression string, all map[string]figure) (missing []string) {
	names := figureName.FindAllString(expression, -1)
	if len(names) == 0 {
		return []string{"any figure of the server"}
	}
	var labels []string
	for _, m := range byLabels.FindAllStringSubmatch(expression, -1) {
		labels = append(labels, strings.Split(m[1], ", ")...)
	}
	for _, m := range matcher.FindAllStringSubmatch(expression, -1) {
		labels = append(labels, m[1])
	}
	for _, name := range names {
		if all[name].lines == nil {
			missing = append(missing, name)
		}
	}
	for _, l := range labels {
		if !slices.ContainsFunc(names, func(name string) bool { return all[name].labels[l] }) {
			missing = append(missing, "the label "+l)
		}
	}
	return missing
}

// expressions are those of a dashboard's panels and variables.
func expressions(t *testing.T, path string) (list []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var board any
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	var look func(any)
	look = func(x any) {
		switch x := x.(type) {
		case []any:
			for _, y := range x {
				look(y)
			}
		case map[string]any:
			for k, y := range x {
				if text, ok := y.(string); ok && (k == "expr" || k == "query" && strings.Contains(text, "(")) {
					list = append(list, text)
				}
				look(y)
			}
		}
	}
	look(board)
	return list
}

// The dashboard and the operators' page ask for figures that there are, by labels that these
// have; and all of Alur's stand on the page.
func TestFiguresAreThoseThatAreWrittenOf(t *testing.T) {
	all := servedFigures(t)
	for text, want := range map[string]string{
		"alur_moon > 1":                          "alur_moon",
		"sum by (moon) (alur_commands_total)":    "the label moon",
		`alur_commands_total{moon="full"}`:       "the label moon",
		"sum by (service) (alur_commands_total)": "",
	} {
		if got := strings.Join(asks(text, all), ", "); got != want {
			t.Fatalf("%s asks for %q, want %q", text, got, want)
		}
	}
	board := expressions(t, "../../deploy/grafana/alur.json")
	if len(board) < 30 {
		t.Fatalf("the dashboard asks for little: %q", board)
	}
	for _, e := range board {
		for _, x := range asks(e, all) {
			t.Errorf("the dashboard asks for %s, which is not served: %s", x, e)
		}
	}
	_, section, _ := strings.Cut(readText(t, "docs/operators.md"), "\n## Figures\n")
	section, _, _ = strings.Cut(section, "\n## ")
	alarms, asked := alarmsOf(t, section), map[string]bool{}
	for _, e := range alarms {
		for _, x := range asks(e, all) {
			t.Errorf("an alarm asks for %s, which is not served: %s", x, e)
		}
		name := figureName.FindString(e)
		asked[name] = true
		for _, m := range matcher.FindAllString(e, -1) {
			if !slices.ContainsFunc(all[name].lines, func(line string) bool { return strings.Contains(line, m) }) {
				t.Errorf("an alarm asks for what never comes: %s", e)
			}
		}
	}
	if len(asked) < 8 {
		t.Errorf("there are alarms on %d figures: %q", len(asked), alarms)
	}
	base := func(name string) string {
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if whole, ok := strings.CutSuffix(name, suffix); ok && all[whole+"_bucket"].lines != nil {
				return whole
			}
		}
		return name
	}
	rows := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` ").FindAllStringSubmatch(section, -1) {
		rows[m[1]] = true
		if all[m[1]].lines == nil && all[m[1]+"_bucket"].lines == nil {
			t.Errorf("docs/operators.md tells of %s, which is not served", m[1])
		}
	}
	for name := range all {
		if strings.HasPrefix(name, "alur_") && !rows[base(name)] {
			t.Errorf("docs/operators.md does not tell of %s", base(name))
		}
	}
}

// alarmsOf are the expressions of the paragraph about alarms.
func alarmsOf(t *testing.T, section string) (list []string) {
	t.Helper()
	_, alarms, ok := strings.Cut(section, "\nWorth an alarm: ")
	if !ok {
		t.Fatal("the page says nothing of alarms")
	}
	alarms, _, _ = strings.Cut(alarms, "\n")
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(alarms, -1) {
		list = append(list, m[1])
	}
	return list
}

func TestWhatIsAskedOfObservingIsChecked(t *testing.T) {
	for _, args := range [][]string{
		{"--otlp", "collector:4318"}, {"--otlp-ratio", "2"}, {"--otlp-ratio", "NaN"}, {"--log-format", "xml"},
	} {
		out, err := child(t, append([]string{"serve", "--db", t.TempDir() + "/alur.db", "--listen", "127.0.0.1:0"}, args...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), args[0]) {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}
