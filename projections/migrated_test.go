package projections_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/postgres"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// Terms take each other's names, come under one, or lose theirs: the rows are what the
// events come to.
func TestTermsViewFollowsAMigration(t *testing.T) {
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	termsFollow(t, file.Writer, file.Reader)
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
	termsFollow(t, v.Writer, v.Reader)
}

// history is the events of one request, a minute after each other.
type history struct {
	log      *memory.Log
	request  uuid.UUID
	at       time.Time
	recorded time.Time // zero: as it happens
	tip      domain.Tip
	r        domain.Request
}

func (x *history) record(t interface{ Fatal(...any) }, body domain.Body) {
	x.at = x.at.Add(time.Minute)
	event := domain.Event{Envelope: domain.Envelope{
		ID: uuid.New(), Tenant: "11.71", Service: "permit", Office: "o", Actor: domain.System(), Workflow: domain.WorkflowRef{ID: "permit", Version: 1},
		Command: uuid.New(), Correlation: uuid.New(), Occurred: x.at,
	}, Body: body}
	recorded := x.recorded
	if recorded.IsZero() {
		recorded = x.at
	}
	a, next, err := domain.Enter(domain.RequestStream(x.request), x.tip, recorded, []domain.Event{event})
	if err == nil {
		_, err = x.log.Append(context.Background(), a)
	}
	if err != nil {
		t.Fatal(err)
	}
	x.tip = next
	x.r = domain.Evolve(x.r, domain.Recorded{Event: event, Version: x.r.Version + 1})
}

// A term that starts anew has nothing of what came of it before; and of what a migration
// made of a term the applicant is told what is another budget, and nothing else.
func TestATermThatStartsAnewAndIsCarried(t *testing.T) {
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	db, log := file.Reader, newLog()
	views := newViews(t, log, file.Writer)
	x := history{log: log, request: uuid.New(), at: time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)}
	k := domain.Reckoning{Due: x.at.Add(time.Hour), Calendar: "0.0-ab"}
	for _, body := range []domain.Body{
		domain.RequestSubmitted{Request: x.request, Reference: domain.NewReference(1), State: "s", Public: domain.StatusReceived},
		domain.TermStarted{Term: "a", Budget: "5 working days", Reckoning: k},
		domain.TermSuspended{Term: "a", Ground: domain.StopApplicant, Reckoning: k},
		domain.TermExpired{Term: "a", Ground: domain.DeemedApproval, Reckoning: k},
		domain.TermEscalated{Term: "a", Step: domain.StepOmbudsman, Reckoning: k},
		domain.TermEnded{Term: "a", Reckoning: k},
		domain.TermStarted{Term: "a", Budget: "3 working days", Reckoning: k},
		domain.TermCarried{Term: "a", Budget: "3 working days", WasBudget: "3 working days", Reckoning: k}, // it wakes otherwise
		domain.TermCarried{Term: "a", Budget: "4 working days", WasBudget: "3 working days", Reckoning: k},
		domain.TermContinued{Term: "b", Budget: "4 working days", Of: "a", Since: x.at, Reckoning: k},
	} {
		x.record(t, body)
	}
	if err := views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	terms, err := projections.NewTermsView(db).List(t.Context(), projections.TermFilter{})
	if err != nil || len(terms) != 2 {
		t.Fatalf("%+v, %v", terms, err)
	}
	if got := terms[0]; got.Listed || !got.Expired.IsZero() || got.Deemed != "" || !got.Ended.IsZero() || got.Stopped != "" || got.Budget != "4 working days" {
		t.Errorf("%+v", got)
	}
	steps, err := projections.NewTimelineView(db).Of(t.Context(), x.request)
	if err != nil {
		t.Fatal(err)
	}
	carried := slices.DeleteFunc(steps, func(s projections.Step) bool { return s.Kind != projections.StepCarried })
	if len(carried) != 2 || carried[0].Version != 9 || carried[1].Term != "b" {
		t.Errorf("%+v", carried)
	}
}

func termsFollow(t *testing.T, store projections.Store, db *sql.DB) {
	ids := []domain.TermID{"a", "b", "c", "state:s", "state:t", "review:r"}
	log := newLog()
	views := newViews(t, log, store)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		request := uuid.NewSHA1(uuid.Nil, []byte{byte(n), byte(n >> 8)})
		x := history{log: log, request: request, at: time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)}
		record := func(body domain.Body) { x.record(rt, body) }
		record(domain.RequestSubmitted{Request: request, Reference: domain.NewReference(uint64(n)), State: "s", Public: domain.StatusReceived})
		for _, id := range ids {
			if rapid.Bool().Draw(rt, "has "+string(id)) {
				record(domain.TermStarted{Term: id, Budget: "5 working days, once " + string(id), Reckoning: domain.Reckoning{Due: x.at.Add(time.Hour), Wakes: x.at.Add(time.Hour), Calendar: "0.0-ab"}})
				if rapid.Bool().Draw(rt, "ended") {
					record(domain.TermEnded{Term: id, Reckoning: domain.Reckoning{Due: x.at.Add(time.Hour), Calendar: "0.0-ab"}})
				}
			}
		}
		m := domain.Mapping{Terms: map[domain.TermID]domain.TermID{}}
		for _, id := range ids {
			if _, has := x.r.Terms[id]; has && rapid.Bool().Draw(rt, "mapped") {
				m.Terms[id] = rapid.SampledFrom([]domain.TermID{"a", "b", "c", "", "state:x"}).Draw(rt, "to")
			}
		}
		record(domain.RequestMigrated{FromVersion: 1, ToVersion: 2, From: "s", To: "t", Came: rapid.Bool().Draw(rt, "came"), Mapping: m})
		for _, id := range ids[:3] {
			if _, has := x.r.Terms[id]; has && rapid.Bool().Draw(rt, "continued") {
				record(domain.TermContinued{
					Term: rapid.SampledFrom([]domain.TermID{id, "d"}).Draw(rt, "as"), Budget: x.r.Terms[id].Budget, Of: id, Since: x.at.Add(-time.Hour),
					Reckoning: domain.Reckoning{Due: x.at.Add(2 * time.Hour), Wakes: x.at.Add(2 * time.Hour), Calendar: "0.0-ab"},
				})
			}
		}
		if err := views.CatchUp(t.Context()); err != nil {
			rt.Fatal(err)
		}
		list, err := projections.NewTermsView(db).List(t.Context(), projections.TermFilter{})
		if err != nil {
			rt.Fatal(err)
		}
		list = slices.DeleteFunc(list, func(x projections.Term) bool { return x.Request != request })
		if len(list) != len(x.r.Terms) {
			rt.Fatalf("%d rows, %d terms: %+v, %+v", len(list), len(x.r.Terms), list, x.r.Terms)
		}
		for _, row := range list {
			is, ok := x.r.Terms[row.Term]
			if ok && row.Term == "d" && !is.Started.Equal(row.Started) {
				rt.Fatalf("the view says that it started at %s, the events at %s", row.Started, is.Started)
			}
			if !ok || is.Budget != row.Budget || !is.Ended.Equal(row.Ended) || !is.Due.Equal(row.Due) || is.Stopped() != row.Stopped || !is.Wakes.Equal(row.Wakes) {
				rt.Fatalf("the view has %+v, the events come to %+v", row, is)
			}
		}
	})
}
