package projections_test

import (
	stdcmp "cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// owner is whose work a state is: that of a role of its name, but where it waits for the
// applicant.
func owner(_ domain.TenantCode, ref domain.WorkflowRef, state domain.StateID) (domain.RoleID, bool, error) {
	if state == "returned" {
		return "applicant", true, nil
	}
	return domain.RoleID(fmt.Sprint(state, "-", ref.Version)), false, nil
}

// given is how the work of a state is given out by a version: not at all by those past 9,
// nor in every state.
func given(_ domain.TenantCode, ref domain.WorkflowRef, state domain.StateID) (domain.TaskRule, bool, error) {
	if ref.Version > 9 || state == "returned" || state == "gather" {
		return domain.TaskRule{}, false, nil
	}
	return domain.TaskRule{Role: "head", Rule: fmt.Sprint("lottery-", ref.Version)}, true, nil
}

func inboxViews(t *testing.T, log domain.EventLog, store projections.Store) *projections.Views {
	return newViews(t, log, store, projections.StatusProjection{}, projections.TermsProjection{}, projections.InboxProjection{Owner: owner, Task: given}, projections.QueueProjection{Task: given})
}

// happened is an event of a request that is told.
type happened struct {
	body  domain.Body
	actor domain.Actor
	at    time.Time
}

// teller tells a request's events to a log, all of them in one go or one by one. What is
// told late is recorded long after it happened.
type teller struct {
	request uuid.UUID
	tip     domain.Tip
	late    time.Duration
	version int
	office  string // empty: licences
}

func (x *teller) tell(t interface{ Fatal(...any) }, log *memory.Log, all ...happened) {
	for _, h := range all {
		x.version++
		e := domain.Event{Envelope: domain.Envelope{
			ID: uuid.NewSHA1(x.request, []byte{byte(x.version)}), Tenant: "11.71", Service: "permit", Office: stdcmp.Or(x.office, "licences"), Actor: h.actor,
			Workflow: domain.WorkflowRef{ID: "permit", Version: 1}, Command: x.request, Correlation: x.request, Occurred: h.at,
		}, Body: h.body}
		a, next, err := domain.Enter(domain.RequestStream(x.request), x.tip, h.at.Add(x.late), []domain.Event{e})
		if err == nil {
			_, err = log.Append(context.Background(), a)
		}
		if err != nil {
			t.Fatal(err)
		}
		x.tip = next
	}
}

func officer(id string) domain.Actor {
	return domain.Actor{ID: id, Role: "clerk", Capacity: domain.CapacityOfficer}
}

func submitted(n int, state domain.StateID, at time.Time) happened {
	return happened{domain.RequestSubmitted{Request: requestOf(n), Reference: domain.NewReference(uint64(n + 1)), State: state, Public: domain.StatusReceived}, officer("a"), at}
}

func requestOf(n int) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte(fmt.Sprint("request ", n))) }

func moves(from, to domain.StateID, outcome domain.Outcome) domain.ActionTaken {
	return domain.ActionTaken{Action: "go", From: from, To: to, Public: domain.StatusInProcess, Outcome: outcome}
}

func TestInboxOfARequestFromItsSubmissionToItsEnd(t *testing.T) {
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		db, log := open()(), newLog()
		views, inbox := inboxViews(t, log, db.writer), projections.NewInboxView(db.reader)
		x := teller{request: requestOf(1)}
		hour := func(n int) time.Time { return now.Add(time.Duration(n) * time.Hour) }
		due := func(n int) domain.Reckoning { return domain.Reckoning{Due: hour(n), Calendar: "c"} }
		task := func(kind projections.InboxKind, role domain.RoleID, state domain.StateID, since int) projections.Task {
			return projections.Task{
				Request: x.request, Reference: domain.NewReference(2), Kind: kind, Tenant: "11.71", Office: "licences", Role: role, Service: "permit",
				WorkflowVersion: 1, State: state, Since: hour(since),
			}
		}
		with := func(t projections.Task, change func(*projections.Task)) projections.Task { change(&t); return t }
		for n, step := range []struct {
			bodies []domain.Body
			want   []projections.Task
		}{
			{[]domain.Body{submitted(1, "check", now).body}, []projections.Task{task("state", "check-1", "check", 0)}},
			{[]domain.Body{
				domain.TermStarted{Term: "law", Budget: "5 working days", Reckoning: due(50)}, domain.TermStarted{Term: "state:check", Budget: "1 working day", Reckoning: due(9)},
			}, []projections.Task{with(task("state", "check-1", "check", 0), func(t *projections.Task) { t.Due, t.Legal = hour(9), hour(50) })}},
			{[]domain.Body{moves("check", "returned", ""), domain.TermSuspended{Term: "law", Ground: domain.StopApplicant}}, nil},
			{
				[]domain.Body{
					moves("returned", "gather", ""),
					domain.TermResumed{Term: "law", Ground: domain.StopApplicant, Reckoning: due(60)},
					domain.ReviewRequested{Review: "health", Role: "doctor"},
					domain.TermStarted{Term: "review:health", Budget: "2 working days", Reckoning: due(20)},
				},
				[]projections.Task{
					with(task("review", "doctor", "gather", 3), func(t *projections.Task) { t.Review, t.Due, t.Legal = "health", hour(20), hour(60) }),
					with(task("state", "gather-1", "gather", 3), func(t *projections.Task) { t.Legal, t.Awaits = hour(60), []domain.ReviewID{"health"} }),
				},
			},
			{
				[]domain.Body{domain.ReviewRequested{Review: "fire", Role: "brigade"}},
				[]projections.Task{
					with(task("review", "doctor", "gather", 3), func(t *projections.Task) { t.Review, t.Due, t.Legal = "health", hour(20), hour(60) }),
					with(task("state", "gather-1", "gather", 3), func(t *projections.Task) { t.Legal, t.Awaits = hour(60), []domain.ReviewID{"fire", "health"} }),
					with(task("review", "brigade", "gather", 4), func(t *projections.Task) { t.Review, t.Legal = "fire", hour(60) }),
				},
			},
			{
				[]domain.Body{domain.ReviewGiven{Review: "fire", Opinion: domain.OpinionApproved}},
				[]projections.Task{
					with(task("review", "doctor", "gather", 3), func(t *projections.Task) { t.Review, t.Due, t.Legal = "health", hour(20), hour(60) }),
					with(task("state", "gather-1", "gather", 3), func(t *projections.Task) { t.Legal, t.Awaits = hour(60), []domain.ReviewID{"health"} }),
				},
			},
			{
				[]domain.Body{domain.ReviewGiven{Review: "health", Opinion: domain.OpinionApproved}},
				[]projections.Task{with(task("state", "gather-1", "gather", 3), func(t *projections.Task) { t.Legal = hour(60) })},
			},
			{
				[]domain.Body{moves("gather", "sign", ""), domain.TaskReady{State: "sign", Role: "head", Rule: "order"}},
				[]projections.Task{with(task("state", "head", "sign", 7), func(t *projections.Task) { t.Rule, t.Legal = "order", hour(60) })},
			},
			{
				[]domain.Body{domain.TaskReassigned{State: "sign", To: "H-1"}},
				[]projections.Task{with(task("state", "head", "sign", 7), func(t *projections.Task) { t.Rule, t.Legal, t.Holder = "order", hour(60), "H-1" })},
			},
			{
				[]domain.Body{domain.RequestMigrated{FromVersion: 1, ToVersion: 2, From: "sign", To: "signing"}},
				[]projections.Task{with(task("state", "signing-2", "signing", 7), func(t *projections.Task) {
					t.Rule, t.Legal, t.Holder, t.WorkflowVersion = "lottery-2", hour(60), "H-1", 2
				})},
			},
			{[]domain.Body{domain.TermEnded{Term: "law"}, moves("signing", "issued", domain.OutcomeApproved)}, nil},
			{[]domain.Body{moves("issued", "check", "")}, []projections.Task{task("state", "check-1", "check", 11)}},
		} {
			for _, body := range step.bodies {
				x.tell(t, log, happened{body, officer("h-1"), hour(n)})
			}
			if err := views.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			page, err := inbox.List(t.Context(), projections.InboxFilter{Tenant: "11.71", Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(append([]projections.Task{}, step.want...), page.Tasks); d != "" {
				t.Errorf("after %T (-want +got)\n%s", step.bodies[0], d)
			}
			counts, err := inbox.Count(t.Context(), projections.InboxFilter{Tenant: "11.71"}, now)
			if err != nil {
				t.Fatal(err)
			}
			tasks, awaits := 0, 0
			for _, c := range counts {
				tasks, awaits = tasks+c.Tasks, awaits+c.Awaits
			}
			if waits := slices.ContainsFunc(step.want, func(t projections.Task) bool { return t.Awaits != nil }); tasks != len(step.want) || (awaits == 1) != waits {
				t.Errorf("after %T: %d tasks are counted, of which %d wait for opinions", step.bodies[0], tasks, awaits)
			}
		}
		nothingDiffers(t, views)
	})
}

// lives draws what happens to some requests, each in an order that a log could have it in
// or not: a view folds whatever is there.
func lives(r *rapid.T) [][]happened {
	states := rapid.SampledFrom([]domain.StateID{"check", "returned", "gather", "sign"})
	terms := rapid.SampledFrom([]domain.TermID{"law", "other", "state:check", "state:sign", "review:health"})
	who := rapid.SampledFrom([]string{"h-1", "H-2", "h-3"})
	all := make([][]happened, 3)
	for i := range all {
		at := now.Add(time.Duration(i) * time.Minute)
		state := states.Draw(r, "state")
		all[i] = []happened{submitted(i, state, at)}
		started := map[domain.TermID]bool{}
	life:
		for range rapid.IntRange(0, 14).Draw(r, "events") {
			at = at.Add(time.Duration(rapid.IntRange(0, 90).Draw(r, "minutes")) * time.Minute)
			k := domain.Reckoning{Due: at.Add(time.Hour), Calendar: "c"}
			term := terms.Draw(r, "term")
			var body domain.Body
			switch rapid.IntRange(0, 15).Draw(r, "what") {
			case 15:
				body = domain.DocumentAttached{Document: "sketch", Number: 1} // which is nobody's business here
			case 0, 1:
				to := states.Draw(r, "to")
				body, state = moves(state, to, ""), to
			case 2:
				for _, id := range slices.Sorted(maps.Keys(started)) { // as every end does
					all[i] = append(all[i], happened{domain.TermEnded{Term: id}, officer("h-1"), at})
				}
				all[i] = append(all[i], happened{moves(state, "issued", domain.OutcomeApproved), officer("h-1"), at})
				if rapid.Bool().Draw(r, "stays") {
					break life
				}
				body = moves("issued", state, "") // nothing else happens to what has ended
			case 3:
				body = domain.TermStarted{Term: term, Budget: "1 working day", Reckoning: k}
				started[term] = true
			case 4:
				body = domain.TermSuspended{Term: term, Ground: domain.StopApplicant}
			case 5:
				if !started[term] {
					continue
				}
				body = domain.TermResumed{Term: term, Reckoning: k}
			case 6:
				body = domain.TermEnded{Term: term}
			case 7:
				body = domain.TermExtended{Term: term, By: "1 working day", Reckoning: k}
			case 8:
				body = domain.ReviewRequested{Review: "health", Role: "doctor"}
			case 9:
				body = domain.ReviewGiven{Review: "health", Opinion: domain.OpinionApproved}
			case 10, 11:
				body = domain.TaskReady{State: state, Role: "head", Rule: "order"}
			case 12:
				body = domain.TaskPicked{State: state}
			case 13:
				body = domain.TaskReassigned{State: state, To: who.Draw(r, "to"), Reason: "leave"}
			case 14:
				to, law := states.Draw(r, "to"), rapid.SampledFrom([]domain.TermID{"law", "other", "new"}).Draw(r, "law")
				if started["law"] && law != "law" {
					delete(started, "law")
					started[law] = true
				}
				body, state = domain.RequestMigrated{
					FromVersion: 1, ToVersion: rapid.SampledFrom([]int{2, 3, 12}).Draw(r, "version"), From: state, To: to, Came: rapid.Bool().Draw(r, "came"),
					Mapping: domain.Mapping{
						Reviews: map[domain.ReviewID]domain.ReviewID{"health": rapid.SampledFrom([]domain.ReviewID{"", "health", "clinic"}).Draw(r, "review")},
						Terms:   map[domain.TermID]domain.TermID{"law": law},
					},
				}, to
			}
			all[i] = append(all[i], happened{body, officer(who.Draw(r, "who")), at})
		}
	}
	return all
}

// Whatever the interleaving of the streams, wherever the runner was started anew, and
// however late it was recorded, the rows of inbox and queue are the same.
func TestInboxAndQueueAgreeHoweverTheyAreTold(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		var files []sqlite.Views
		defer func() {
			for _, f := range files {
				if err := f.Close(); err != nil {
					r.Error(err)
				}
			}
		}()
		open := func() sqlite.Views { // for this check only: there are many
			f, err := sqlite.OpenViews(t.Context(), filepath.Join(dir, fmt.Sprint(n, "-", len(files))))
			if err != nil {
				r.Fatal(err)
			}
			files = append(files, f)
			return f
		}
		all := lives(r)
		straight, mixed := newLog(), newLog()
		for i, life := range all {
			(&teller{request: requestOf(i), late: time.Hour * 9000}).tell(r, straight, life...)
		}
		live := open()
		views := inboxViews(t, mixed, live.Writer)
		tellers := []*teller{{request: requestOf(0)}, {request: requestOf(1)}, {request: requestOf(2)}}
		for told := []int{0, 0, 0}; told[0]+told[1]+told[2] < len(all[0])+len(all[1])+len(all[2]); {
			i := rapid.IntRange(0, 2).Draw(r, "request")
			if told[i] == len(all[i]) {
				i = slices.IndexFunc([]int{0, 1, 2}, func(i int) bool { return told[i] < len(all[i]) })
			}
			tellers[i].tell(r, mixed, all[i][told[i]])
			told[i]++
			switch rapid.IntRange(0, 5).Draw(r, "then") {
			case 0:
				if err := views.CatchUp(t.Context()); err != nil {
					r.Fatal(err)
				}
			case 1: // the process ends; another begins
				views = inboxViews(t, mixed, live.Writer)
			}
		}
		other := open()
		if err := errors.Join(views.CatchUp(t.Context()), inboxViews(t, straight, other.Writer).CatchUp(t.Context())); err != nil {
			r.Fatal(err)
		}
		for _, table := range []string{"inbox", "queue"} {
			if d := cmp.Diff(storetest.Rows(t, other.Reader, "SELECT * FROM "+table+" ORDER BY 1, 2"), storetest.Rows(t, live.Reader, "SELECT * FROM "+table+" ORDER BY 1, 2")); d != "" {
				r.Fatalf("%s (-straight and late +interleaved and live)\n%s", table, d)
			}
		}
		asTermsSay(r, t, live.Reader)
	})
}

// asTermsSay holds that the inbox shows the due times that the view of terms has.
func asTermsSay(r *rapid.T, t *testing.T, db *sql.DB) {
	wrong := storetest.Rows(t, db, `SELECT request, review, legal, due FROM inbox WHERE
		COALESCE(legal, 0) <> COALESCE((SELECT MIN(due) FROM term WHERE term.request = inbox.request AND ended IS NULL AND term NOT LIKE '%:%'), 0)
		OR review <> '' AND COALESCE(due, 0) <> COALESCE((SELECT due FROM term WHERE term.request = inbox.request AND ended IS NULL AND term = 'review:' || review), 0)`)
	if len(wrong) > 0 {
		r.Fatalf("the view of terms says otherwise: %s", strings.Join(wrong, "\n"))
	}
}
