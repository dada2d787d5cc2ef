package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/httpapi"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// picky cannot fold an event.
type picky struct{ at *domain.Position }

func (picky) Name() string   { return "picky" }
func (picky) Schema() string { return `CREATE TABLE picky (position BIGINT PRIMARY KEY)` }
func (p picky) Apply(ctx context.Context, tx projections.Tx, events []domain.Recorded) error {
	type row struct{ Position domain.Position }
	table := projections.Table[row]{Name: "picky", Key: 1, Fold: func(rows *projections.Rows[row], e domain.Recorded) error {
		if e.Position == *p.at {
			return errors.New("inside")
		}
		rows.Add(row{e.Position})
		return nil
	}}
	return table.Apply(ctx, tx, events)
}

// leavable is a log that may be gone.
type leavable struct {
	eventLog

	gone bool
}

func (l *leavable) Head(ctx context.Context) (domain.Position, error) {
	if l.gone {
		return 0, errors.New("inside")
	}
	return l.eventLog.Head(ctx)
}

// cellsOf are the cells of the page's table.
func cellsOf(page string) (rows [][]string) {
	for _, row := range regexp.MustCompile(`<tr><th scope="row">.*</tr>`).FindAllString(page, -1) {
		var cells []string
		for _, cell := range regexp.MustCompile(`<t[hd][^>]*>(.*?)</t[hd]>`).FindAllStringSubmatch(row, -1) {
			cells = append(cells, html.UnescapeString(cell[1]))
		}
		rows = append(rows, cells)
	}
	return rows
}

// The page tells people in both languages what /healthz tells programs: of views that are
// current, that are behind, that somebody paused, and that cannot fold an event.
func TestStatusPage(t *testing.T) {
	h, err := openHouse(t.Context(), stores{db: filepath.Join(t.TempDir(), "alur.db")}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.close() })
	if err := h.publishSample(t.Context()); err != nil {
		t.Fatal(err)
	}
	var cannot domain.Position
	log := &leavable{eventLog: h.log}
	if h.views, err = projections.NewViews(t.Context(), log, h.viewsDB.writer, slog.New(slog.DiscardHandler), projections.StatusProjection{}, picky{&cannot}); err != nil {
		t.Fatal(err)
	}
	api := httpapi.New(httpapi.Config{Log: h.log, Engine: h.engine, Library: h.library, Views: h.views, Status: h.status, Logger: slog.New(slog.DiscardHandler)})
	ask := func(path string, headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+path, nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		return w
	}
	// shows checks both pages: the state of the whole, then one row a view, without the
	// seconds, which are the time's.
	shows := func(what string, code int, id, en string, wantID, wantEN [][]string) {
		t.Helper()
		for lang, want := range map[string]struct {
			whole string
			rows  [][]string
		}{"id": {id, wantID}, "en": {en, wantEN}} {
			a := ask("/status", "Accept-Language", lang)
			page := a.Body.String()
			if a.Code != code || !strings.Contains(page, `<html lang="`+lang+`">`) || !strings.Contains(page, "<h1>"+want.whole+"</h1>") {
				t.Errorf("%s, in %s: %d\n%s", what, lang, a.Code, page)
			}
			rows := cellsOf(page)
			for i := range rows {
				rows[i] = slices.Delete(rows[i], 3, 4)
			}
			if d := cmp.Diff(want.rows, rows); d != "" {
				t.Errorf("%s, in %s (-want +page)\n%s", what, lang, d)
			}
			if strings.Contains(page, "inside") || strings.Contains(page, "secret") {
				t.Errorf("%s: the page shows the inside, or somebody\n%s", what, page)
			}
		}
		if a := ask("/healthz"); a.Code != code {
			t.Errorf("%s: /healthz says %d, the page %d", what, a.Code, code)
		}
	}
	record := func() domain.Position {
		t.Helper()
		_, err := h.engine.Submit(t.Context(), domain.Submit{
			Header: domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: "applicant-secret", Role: "applicant", Capacity: domain.CapacitySelf}},
			Tenant: "11.71", Service: "sip-dokter", Facts: domain.Facts{"kind": "new"},
		})
		if err != nil {
			t.Fatal(err)
		}
		head, err := h.log.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return head
	}
	at := func(view string, p domain.Position, events int, here, state string) []string {
		return []string{view, fmt.Sprint(p), fmt.Sprint(events), here, state}
	}

	if err := h.views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	was, err := h.log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	shows("fresh", http.StatusOK, "Berjalan", "Running",
		[][]string{at("status", was, 0, "tidak", "terkini"), at("picky", was, 0, "tidak", "terkini")},
		[][]string{at("status", was, 0, "no", "current"), at("picky", was, 0, "no", "current")})

	first := record()
	last := record()
	behind := int(last - was)
	shows("behind", http.StatusOK, "Berjalan", "Running",
		[][]string{at("status", was, behind, "tidak", "tertinggal"), at("picky", was, behind, "tidak", "tertinggal")},
		[][]string{at("status", was, behind, "no", "behind"), at("picky", was, behind, "no", "behind")})

	cannot = last
	var stopped *projections.StoppedError
	if err := h.views.CatchUp(t.Context()); !errors.As(err, &stopped) {
		t.Fatal(err)
	}
	var told struct{ Views []projections.Lag }
	if err := json.Unmarshal(ask("/healthz").Body.Bytes(), &told); err != nil || len(told.Views) != 2 || told.Views[1].Stopped == nil {
		t.Fatalf("%+v, %v", told, err)
	}
	event := told.Views[1].Stopped
	if event.Position != last || event.Type == "" || uuid.Validate(event.ID) != nil || first >= last {
		t.Errorf("%+v", event)
	}
	named := fmt.Sprintf("%s %s", event.Type, event.ID)
	shows("stopped", http.StatusServiceUnavailable, "Terganggu", "Failing",
		[][]string{at("status", last, 0, "tidak", "terkini"), at("picky", last-1, 1, "tidak", fmt.Sprintf("berhenti: %s pada posisi %d", named, last))},
		[][]string{at("status", last, 0, "no", "current"), at("picky", last-1, 1, "no", fmt.Sprintf("stopped: %s at position %d", named, last))})

	cannot = 0
	if err := errors.Join(h.views.CatchUp(t.Context()), h.views.Pause(t.Context(), "picky", true)); err != nil {
		t.Fatal(err)
	}
	shows("paused", http.StatusOK, "Berjalan", "Running",
		[][]string{at("status", last, 0, "tidak", "terkini"), at("picky", last, 0, "tidak", "dijeda")},
		[][]string{at("status", last, 0, "no", "current"), at("picky", last, 0, "no", "paused")})

	// The language is that of the link, else of the browser, else Indonesian.
	for _, c := range []struct{ path, accept, want string }{
		{"/status", "", "id"}, {"/status", "fr", "id"}, {"/status", "en-GB,en;q=0.9", "en"}, {"/status?lang=id", "en", "id"}, {"/status?lang=en", "id", "en"}, {"/status?lang=xx", "en", "en"},
	} {
		if a := ask(c.path, "Accept-Language", c.accept); a.Header().Get("Content-Language") != c.want {
			t.Errorf("%s for %q: in %s", c.path, c.accept, a.Header().Get("Content-Language"))
		}
	}
	// What decimals are written with is the language's.
	for lang, decimal := range map[string]string{"id": ",", "en": "."} {
		if cell := cellsOf(ask("/status?lang=" + lang).Body.String())[0][3]; cell != "0"+decimal+"0" {
			t.Errorf("in %s: %q", lang, cell)
		}
	}

	log.gone = true
	if a := ask("/status?lang=id"); a.Code != http.StatusServiceUnavailable || !strings.Contains(a.Body.String(), "tidak dapat dibaca") || strings.Contains(a.Body.String(), "inside") {
		t.Errorf("a log that is gone: %d\n%s", a.Code, a.Body)
	}
}

// hanging is a store that does not answer, whatever the context says.
type hanging struct {
	projections.Store
	hangs   *atomic.Bool
	release chan struct{}
}

func (s hanging) Query(ctx context.Context, statement string, args []any, row func([]projections.Value) error) error {
	if s.hangs.Load() {
		<-s.release
	}
	return s.Store.Query(ctx, statement, args, row)
}

// A store that hangs does not hold up whoever asks after the server's health: they are told
// of which views nothing is known. When it answers again, so does the server.
func TestHealthOfAStoreThatHangs(t *testing.T) {
	h, err := openHouse(t.Context(), stores{db: filepath.Join(t.TempDir(), "alur.db")}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.close() })
	store := hanging{h.viewsDB.writer, &atomic.Bool{}, make(chan struct{})}
	views, err := projections.NewViews(t.Context(), h.log, store, slog.New(slog.DiscardHandler), projections.StatusProjection{}, projections.TimelineProjection{})
	if err != nil {
		t.Fatal(err)
	}
	api := httpapi.New(httpapi.Config{Log: h.log, Engine: h.engine, Library: h.library, Views: views, Status: h.status, Logger: slog.New(slog.DiscardHandler)})
	ask := func() (int, string) {
		w := httptest.NewRecorder()
		done := make(chan struct{})
		go func() {
			defer close(done)
			api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/healthz", nil))
		}()
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Fatal("nothing was answered in a minute")
		}
		return w.Code, w.Body.String()
	}
	if code, body := ask(); code != http.StatusOK || strings.Contains(body, "unknown") {
		t.Errorf("%d %s", code, body)
	}
	store.hangs.Store(true)
	for code, late := http.StatusOK, time.Now().Add(time.Minute); code == http.StatusOK; code, _ = ask() { // what was seen a moment ago is not asked again
		if time.Now().After(late) {
			t.Fatal("after a minute it is well")
		}
	}
	for range 2 { // while the first still hangs
		if code, body := ask(); code != http.StatusServiceUnavailable || !strings.Contains(body, `"unknown":["status","timeline"]`) {
			t.Errorf("%d %s", code, body)
		}
	}
	store.hangs.Store(false)
	close(store.release)
	if code, body := ask(); code != http.StatusOK || strings.Contains(body, "unknown") {
		t.Errorf("%d %s", code, body)
	}
}
