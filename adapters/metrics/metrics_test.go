package metrics

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows"
)

func TestCommandsAreCountedByWhatBecameOfThem(t *testing.T) {
	m, err := New(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []workflows.Outcome{
		{Service: "permit"},
		{Service: "permit", Repeated: true},
		{Service: "permit", Err: domain.NewRefusal(domain.RuleRole, "no", "")},
		{Service: "permit", Err: &domain.ConflictError{Stream: "request-1"}},
		{Err: errors.New("inside")},
	} {
		m.Command()(o)
	}
	want := `# HELP alur_commands_total Commands of people and other systems, by service and by what became of them: accepted, repeated (the first answer again), refused, conflict or error.
# TYPE alur_commands_total counter
alur_commands_total{outcome="accepted",service="permit"} 1
alur_commands_total{outcome="conflict",service="permit"} 1
alur_commands_total{outcome="error",service=""} 1
alur_commands_total{outcome="refused",service="permit"} 1
alur_commands_total{outcome="repeated",service="permit"} 1
`
	if err := testutil.CollectAndCompare(m.commands, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	if got := testutil.ToFloat64(m.refusals.WithLabelValues("role")); got != 1 {
		t.Errorf("%v refusals by role, want 1", got)
	}
}

// Whatever a caller asks for, a label is a pattern of the server's own.
func TestRoutesAreNoAddresses(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := New(registry)
	if err != nil {
		t.Fatal(err)
	}
	inner := http.NewServeMux()
	inner.HandleFunc("GET /lacak/{reference}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	inner.HandleFunc("GET /files/", func(http.ResponseWriter, *http.Request) {})
	inner.HandleFunc("/", http.NotFound)
	outer := http.NewServeMux()
	outer.Handle("/", inner)
	h := m.HTTP(outer)
	for _, c := range [][2]string{
		{"GET", "/lacak/SECRET"},
		{"SECRET", "/lacak/SECRET"},
		{"GET", "//lacak/SECRET"},
		{"GET", "/x/../lacak/SECRET"},
		{"GET", "/files"},
		{"CONNECT", "/lacak/SECRET"},
		{"CONNECT", "/files"},
		{"GET", "/SECRET"},
	} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), c[0], c[1], nil))
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, f := range families {
		for _, one := range f.GetMetric() {
			for _, l := range one.GetLabel() {
				if strings.Contains(l.GetValue(), "SECRET") {
					t.Errorf("%s has the label %s", f.GetName(), l)
				}
				if f.GetName() == "alur_http_requests_total" && l.GetName() == "route" {
					found[l.GetValue()] += one.GetCounter().GetValue()
				}
			}
		}
	}
	if found["/lacak/{reference}"] == 0 || found["/files/"] == 0 || found["/"] == 0 {
		t.Errorf("routes: %v", found)
	}
}

// A database that hangs costs the figures of the views, and the scrape no more than the
// time it may take; it is asked by one goroutine, however often it is scraped.
func TestAScrapeOfAHangingStoreEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		var asked atomic.Int64
		v := Views(func(context.Context) ([]projections.Lag, error) {
			asked.Add(1)
			<-hang
			return []projections.Lag{{View: "status", Position: 3, Head: 5, Events: 2, Seconds: 1.5, Here: true}}, nil
		})
		began := time.Now()
		for range 3 {
			if n := testutil.CollectAndCount(v); n != 1 {
				t.Errorf("%d figures, want only that there are none", n)
			}
		}
		if took := time.Since(began); took > 3*patience || asked.Load() != 1 {
			t.Errorf("three scrapes took %s and asked %d times", took, asked.Load())
		}
		close(hang)
		synctest.Wait()
		if n := testutil.CollectAndCount(v); n != 9 {
			t.Errorf("%d figures, want 9", n)
		}
	})
}
