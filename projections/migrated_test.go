package projections_test

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/adapters/postgres"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// Terms take each other's names, come under one, or lose theirs: the rows are what the
// events come to.
func TestTermsViewFollowsAMigration(t *testing.T) {
	termsFollow(t, openFile(t, filepath.Join(t.TempDir(), "views.db")).Writer)
}

func TestTermsViewFollowsAMigrationOnPostgreSQL(t *testing.T) {
	v, err := postgres.OpenViews(t.Context(), pgserver.Start(t).NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	termsFollow(t, v.Writer)
}

func termsFollow(t *testing.T, db *sql.DB) {
	ids := []domain.TermID{"a", "b", "c", "state:s", "state:t", "review:r"}
	log := newLog()
	views := newViews(t, log, db)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		request := uuid.NewSHA1(uuid.Nil, []byte{byte(n), byte(n >> 8)})
		at := time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)
		var r domain.Request
		var tip domain.Tip
		record := func(body domain.Body) {
			at = at.Add(time.Minute)
			event := domain.Event{Envelope: domain.Envelope{
				ID: uuid.New(), Tenant: "11.71", Service: "permit", Office: "o", Actor: domain.System(), Workflow: domain.WorkflowRef{ID: "permit", Version: 1},
				Command: uuid.New(), Correlation: uuid.New(), Occurred: at,
			}, Body: body}
			a, next, err := domain.Enter(domain.RequestStream(request), tip, at, []domain.Event{event})
			if err == nil {
				_, err = log.Append(t.Context(), a)
			}
			if err != nil {
				rt.Fatal(err)
			}
			tip = next
			r = domain.Evolve(r, domain.Recorded{Event: event, Version: r.Version + 1})
		}
		record(domain.RequestSubmitted{Request: request, Reference: domain.NewReference(uint64(n)), State: "s", Public: domain.StatusReceived})
		for _, id := range ids {
			if rapid.Bool().Draw(rt, "has "+string(id)) {
				record(domain.TermStarted{Term: id, Budget: "5 working days, once " + string(id), Reckoning: domain.Reckoning{Due: at.Add(time.Hour), Wakes: at.Add(time.Hour), Calendar: "0.0-ab"}})
				if rapid.Bool().Draw(rt, "ended") {
					record(domain.TermEnded{Term: id, Reckoning: domain.Reckoning{Due: at.Add(time.Hour), Calendar: "0.0-ab"}})
				}
			}
		}
		m := domain.Mapping{Terms: map[domain.TermID]domain.TermID{}}
		for _, id := range ids {
			if _, has := r.Terms[id]; has && rapid.Bool().Draw(rt, "mapped") {
				m.Terms[id] = rapid.SampledFrom([]domain.TermID{"a", "b", "c", "", "state:x"}).Draw(rt, "to")
			}
		}
		record(domain.RequestMigrated{FromVersion: 1, ToVersion: 2, From: "s", To: "t", Came: rapid.Bool().Draw(rt, "came"), Mapping: m})
		if err := views.CatchUp(t.Context()); err != nil {
			rt.Fatal(err)
		}
		list, err := projections.NewTermsView(db).List(t.Context(), projections.TermFilter{})
		if err != nil {
			rt.Fatal(err)
		}
		list = slices.DeleteFunc(list, func(x projections.Term) bool { return x.Request != request })
		if len(list) != len(r.Terms) {
			rt.Fatalf("%d rows, %d terms: %+v, %+v", len(list), len(r.Terms), list, r.Terms)
		}
		for _, row := range list {
			is, ok := r.Terms[row.Term]
			if !ok || is.Budget != row.Budget || !is.Ended.Equal(row.Ended) || !is.Due.Equal(row.Due) || !is.Wakes.Equal(row.Wakes) {
				rt.Fatalf("the view has %+v, the events come to %+v", row, is)
			}
		}
	})
}
