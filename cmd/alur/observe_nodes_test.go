package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/storetest/pgserver"
)

// under waits for a span of a name in a trace that a node made under another, and returns
// its id.
func (x *spans) under(trace, parent []byte, node, name string) []byte {
	x.t.Helper()
	for late := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		for _, s := range x.named(trace, name) {
			x.mu.Lock()
			there := x.node[s] == node && bytes.Equal(s.GetParentSpanId(), parent)
			x.mu.Unlock()
			if there {
				return s.GetSpanId()
			}
		}
		if time.Now().After(late) {
			x.t.Fatalf("no span %q of the node that %s under %x; there are\n%s", name, node, parent, x.text())
		}
	}
}

// One process takes a request; another folds its views, tells the applicant and another
// system. They share a database and nothing else, and all that they did is one trace.
func TestOneTraceOfTwoProcesses(t *testing.T) {
	if underRace {
		t.Skip("NOT UNDER THE RACE DETECTOR: the processes are built without it; go test ./... runs this")
	}
	x, taker := newCollector(t), newTaker(t)
	db := pgserver.Start(t).NewDatabase(t)
	withSample(t, db)
	kek := filepath.Join(t.TempDir(), "kek")
	must(t, t.TempDir(), "", "keys", "new", "--kek", kek)
	file := outwardTo(t, `
quiet: {from: "00:00", to: "00:00"}
sms: {url: %[1]s/sms, keys: [%[2]s], networks: [127.0.0.0/8]}
webhooks: [{name: elsewhere, url: %[1]s/elsewhere, keys: [%[2]s], networks: [127.0.0.0/8], types: [alur.request.submitted]}]
`, taker.URL, testSecret)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "50") // ms
	start := func(node string) *server {
		t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id="+node)
		s := startServer(t, db, "--kek", kek, "--outward", file, "--otlp", x.URL)
		t.Cleanup(func() { s.stop(t) })
		return s
	}

	works := start("works")
	wanted := []string{`alur_consumer_active{consumer="notices"} 1`, `alur_consumer_active{consumer="webhook/elsewhere"} 1`}
	for _, p := range everyProjection(nil) {
		wanted = append(wanted, fmt.Sprintf("alur_view_here{view=%q} 1", p.Name()))
	}
	for late := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		figures, all := get(t, works.url+"/metrics"), true
		for _, w := range wanted {
			all = all && strings.Contains(figures, w)
		}
		if all {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("one node does not do all the work, %q:\n%s", wanted, figures)
		}
	}
	takes := start("takes")
	if _, err := post(takes.url+"/api/v1/requests", "key-1", formSubmission); err != nil {
		t.Fatal(err)
	}
	taker.got("/elsewhere", 1)
	taker.got("/sms", 1)

	var trace []byte
	for _, e := range recordedIn(t, db) {
		if strings.HasPrefix(e.Stream, "request-") {
			id := e.Correlation
			trace = id[:]
			break
		}
	}
	served := x.under(trace, nil, "takes", "POST /api/v1/requests")
	appended := x.under(trace, served, "takes", "append")
	for _, p := range everyProjection(nil) {
		x.under(trace, appended, "works", "project "+p.Name())
	}
	for _, name := range []string{"react webhook/elsewhere", "send webhook/elsewhere", "react notices"} {
		x.under(trace, appended, "works", name)
	}
	// That the applicant was told is recorded, by the other node, in the same trace.
	sent := x.under(trace, appended, "works", "send notices/sms")
	x.under(trace, sent, "works", "append")
}
