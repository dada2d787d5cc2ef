package projections_test

import (
	"fmt"
	"path/filepath"
	"slices"
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

// acting is who has to act in the states of told histories.
func acting(_ domain.TenantCode, _ domain.WorkflowRef, state domain.StateID) (domain.Holder, error) {
	switch state {
	case "asking":
		return domain.HeldByOtherAgency, nil
	case "collecting":
		return domain.HeldByApplicant, nil
	}
	return domain.HeldByAgency, nil
}

// held are days in hands.
func held(t testing.TB, view *projections.StatisticsView) map[domain.Holder]float64 {
	t.Helper()
	list, err := view.Of(t.Context(), projections.StatisticsFilter{})
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	days := map[domain.Holder]float64{}
	for by, s := range list[0].Held {
		if s.Total > 0 {
			days[by] = s.Total
		}
	}
	return days
}

// Two terms of law stand still, one longer than the other; the request waits for another
// agency's answer, and for the applicant to come.
func TestStatisticsSayWhoHadARequest(t *testing.T) {
	var k domain.Reckoning
	stop := func(id domain.TermID, g domain.StopGround) domain.TermSuspended {
		return domain.TermSuspended{Term: id, Ground: g, Reckoning: k}
	}
	run := func(id domain.TermID) domain.TermResumed { return domain.TermResumed{Term: id, Reckoning: k} }
	move := func(from, to domain.StateID) domain.ActionTaken { return act(from, to, domain.StatusInProcess, "", "") }
	begins := []onDay{{0, domain.TermStarted{Term: "law", Reckoning: k}}, {0, domain.TermStarted{Term: "other", Reckoning: k}}}
	ends := onDay{20, act("new", "issued", domain.StatusApproved, domain.OutcomeApproved, "")}
	for name, x := range map[string]struct {
		events []onDay
		want   map[domain.Holder]float64
	}{
		"the one that stood still first runs first": {
			[]onDay{{2, stop("law", domain.StopOtherAgency)}, {4, stop("other", domain.StopOtherAgency)}, {6, run("other")}, {9, run("law")}},
			map[domain.Holder]float64{domain.HeldByAgency: 13, domain.HeldByOtherAgency: 7},
		},
		"on two grounds": {
			[]onDay{{2, stop("other", domain.StopApplicant)}, {4, stop("law", domain.StopOtherAgency)}, {7, run("law")}, {12, run("other")}},
			map[domain.Holder]float64{domain.HeldByAgency: 10, domain.HeldByOtherAgency: 3, domain.HeldByApplicant: 7},
		},
		"one is called otherwise": {
			[]onDay{{2, stop("law", domain.StopOtherAgency)}, {3, stop("other", domain.StopOtherAgency)}, {4, domain.RequestMigrated{
				FromVersion: 1, ToVersion: 2, From: "new", To: "new", Public: domain.StatusInProcess, Mapping: domain.Mapping{Terms: map[domain.TermID]domain.TermID{"law": "third"}},
			}}, {6, run("other")}, {9, run("third")}},
			map[domain.Holder]float64{domain.HeldByAgency: 13, domain.HeldByOtherAgency: 7},
		},
		"it waits for an answer": {
			[]onDay{{2, move("new", "asking")}, {5, move("asking", "new")}},
			map[domain.Holder]float64{domain.HeldByAgency: 17, domain.HeldByOtherAgency: 3},
		},
		"it waits to be collected": {
			[]onDay{{2, move("new", "collecting")}, {5, domain.SuspensionOrdered{Ground: domain.StopForceMajeure}}, {6, domain.SuspensionLifted{Ground: domain.StopForceMajeure}}, {9, move("collecting", "new")}},
			map[domain.Holder]float64{domain.HeldByAgency: 13, domain.HeldByApplicant: 6, domain.HeldByNobody: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			log, file := newLog(), openFile(t, filepath.Join(t.TempDir(), "views.db"))
			recordAll(t, log, [][]onDay{slices.Concat(begins, x.events, []onDay{ends})})
			if err := newViews(t, log, file.Writer, projections.TermsProjection{}, projections.StatisticsProjection{Acts: acting}).CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(x.want, held(t, projections.NewStatisticsView(file.Reader, allDay(later(1000)), trade))); d != "" {
				t.Errorf("days in hands (-want +got)\n%s", d)
			}
		})
	}
}

// However terms stand still and run, are ordered to, and are called otherwise: each moment
// counts to whoever the request itself, folded from its events, says then.
func TestStatisticsSayWhoHadARequestAsTheRequestDoes(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		file, err := sqlite.OpenViews(t.Context(), filepath.Join(dir, fmt.Sprint(n)))
		if err != nil {
			r.Fatal(err)
		}
		defer func() {
			if err := file.Close(); err != nil {
				r.Error(err)
			}
		}()
		log, id, want := newLog(), uuid.NewSHA1(uuid.Nil, []byte{byte(n)}), map[domain.Holder]float64{}
		x := history{log: log, request: id}
		day := 0.0
		tell := func(body domain.Body) {
			before, since := x.r, day
			x.after(r, day+float64(rapid.IntRange(0, 3).Draw(r, "days")), body)
			day = x.at.Sub(begun).Hours() / 24
			if before.Exists() && day > since {
				want[naiveHolder(before)] += day - since
			}
		}
		tell(asked(id, 1))
		for _, term := range []domain.TermID{"law", "other", "third"} {
			tell(domain.TermStarted{Term: term})
		}
		for range rapid.IntRange(1, 30).Draw(r, "events") {
			tell(drawHands(r, x.r))
		}
		tell(act(x.r.State, "issued", domain.StatusApproved, domain.OutcomeApproved, ""))
		if err := newViews(t, log, file.Writer, projections.TermsProjection{}, projections.StatisticsProjection{Acts: acting}).CatchUp(t.Context()); err != nil {
			r.Fatal(err)
		}
		list, err := projections.NewStatisticsView(file.Reader, allDay(later(1000)), trade).Of(t.Context(), projections.StatisticsFilter{})
		if err != nil || len(list) != 1 {
			r.Fatal(list, err)
		}
		for _, by := range domain.Holders() {
			if got := list[0].Held[by].Total; got-want[by] > 1e-6 || want[by]-got > 1e-6 {
				r.Errorf("with %s %g days, want %g", by, got, want[by])
			}
		}
	})
}

// naiveHolder is in whose hands a request is, told anew.
func naiveHolder(q domain.Request) domain.Holder {
	grounds := map[domain.StopGround]domain.Holder{domain.StopApplicant: domain.HeldByApplicant, domain.StopOtherAgency: domain.HeldByOtherAgency, domain.StopForceMajeure: domain.HeldByNobody}
	if by, ok := grounds[q.Halt]; ok {
		return by
	}
	if q.Public == domain.StatusNeedsCorrection || q.State == "collecting" {
		return domain.HeldByApplicant
	}
	for _, id := range q.TermIDs() {
		if by, ok := grounds[q.Terms[id].Stopped()]; ok && q.Terms[id].Open() {
			return by
		}
	}
	for _, x := range q.Dossier.Reviews {
		if x.Opinion == domain.OpinionOpen {
			return domain.HeldByReviewer
		}
	}
	if q.State == "asking" {
		return domain.HeldByOtherAgency
	}
	return domain.HeldByAgency
}

// drawHands is something that may put a request into other hands.
func drawHands(r *rapid.T, q domain.Request) domain.Body {
	var open []domain.TermID
	asks := false
	for _, id := range q.TermIDs() {
		if q.Terms[id].Open() {
			open = append(open, id)
		}
	}
	for _, x := range q.Dossier.Reviews {
		asks = asks || x.Opinion == domain.OpinionOpen
	}
	ground := rapid.SampledFrom(append(domain.StopGrounds(), domain.StopAway)).Draw(r, "ground")
	all := []domain.Body{domain.ReviewRequested{Review: "fire"}, domain.ReviewGiven{Review: "fire", Opinion: domain.OpinionApproved}}
	if q.Halt == "" {
		all = append(all, domain.SuspensionOrdered{Ground: ground})
	} else {
		all = append(all, domain.SuspensionLifted{Ground: q.Halt})
	}
	if len(open) > 0 {
		id := rapid.SampledFrom(open).Draw(r, "term")
		all = append(all, domain.TermSuspended{Term: id, Ground: ground}, domain.TermSuspended{Term: id, Ground: ground}, domain.TermResumed{Term: id}, domain.TermEnded{Term: id}, domain.TermDropped{Term: id})
		names := rapid.SampledFrom([]map[domain.TermID]domain.TermID{
			{"law": "other", "other": "law"}, {"law": "other", "other": "third", "third": "law"}, {"law": "fourth"}, {"fourth": "law"}, {"law": ""}, {"other": "", "law": "other"}, nil,
		}).Draw(r, "names")
		all = append(all, domain.RequestMigrated{FromVersion: 1, ToVersion: 2, From: q.State, To: q.State, Public: q.Public, Mapping: domain.Mapping{Terms: names}})
	}
	if !asks { // what is asked for elsewhere is waited for where the request stands
		to := rapid.SampledFrom([]domain.StateID{"new", "asking", "collecting"}).Draw(r, "to")
		public := rapid.SampledFrom([]domain.PublicStatus{domain.StatusInProcess, domain.StatusNeedsCorrection}).Draw(r, "public")
		all = append(all, act(q.State, to, public, "", ""))
	}
	return rapid.SampledFrom(all).Draw(r, "body")
}

// importedCase begins a case that is imported. What is told of it is part of the import,
// until its field recorded is set to zero.
func importedCase(t *testing.T, record domain.Imported) (*memory.Log, *history) {
	t.Helper()
	log := newLog()
	h := &history{log: log, request: uuid.NewSHA1(uuid.Nil, []byte{1}), recorded: later(50)}
	first := asked(h.request, 1)
	first.Imported = &record
	h.after(t, 0, first)
	return log, h
}

// A case that was imported closed, by a log that has no end of it, is reopened here after
// two months and closed in a day: the agency had it three days, as its page says.
func TestNobodyHoldsAnImportedCaseThatRests(t *testing.T) {
	closed := act("new", "done", domain.StatusCompleted, domain.OutcomeClosed, "")
	log, h := importedCase(t, domain.Imported{Case: "1"})
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	h.after(t, 2, closed)
	h.recorded = time.Time{}
	h.after(t, 60, act("done", "new", domain.StatusInProcess, "", domain.ActionReopen))
	h.after(t, 61, closed)
	says := func(domain.TenantCode, domain.WorkflowRef) (bool, error) { return true, nil }
	if err := newViews(t, log, file.Writer, projections.TermsProjection{}, projections.StatisticsProjection{RecordsEnds: says}).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := held(t, projections.NewStatisticsView(file.Reader, allDay(later(1000)), trade))[domain.HeldByAgency]; got != 3 {
		t.Errorf("held by the agency for %g days", got)
	}
}

// An imported case that its record leaves open, and that a migration ends, has ended.
func TestAnImportedCaseThatAMigrationEnds(t *testing.T) {
	log, h := importedCase(t, domain.Imported{Case: "c", Due: later(9)})
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	h.after(t, 2, act("new", "work", domain.StatusInProcess, "", ""))
	h.recorded = time.Time{}
	h.after(t, 60, domain.RequestMigrated{FromVersion: 1, ToVersion: 2, From: "work", To: "shut", Came: true, Public: domain.StatusCompleted, Outcome: domain.OutcomeClosed, Closing: domain.Basis{ID: "x", EN: "x"}})
	views := newViews(t, log, file.Writer, projections.TermsProjection{}, projections.StatisticsProjection{}, projections.InboxProjection{})
	if err := views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := projections.NewStatisticsView(file.Reader, allDay(later(1000)), trade).Of(t.Context(), projections.StatisticsFilter{})
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if s := list[0]; s.Open != 0 || s.Unended != 0 || s.Resting != 0 || s.Decided != 1 {
		t.Errorf("%+v", s)
	}
	if rows := storetest.Rows(t, file.Reader, "SELECT * FROM inbox"); len(rows) > 0 {
		t.Errorf("in the inbox: %v", rows)
	}
}

// A case that ended by its record and that the first thing done here leads to an end was
// decided by that.
func TestAnImportedCaseIsDecidedByWhatIsDoneHere(t *testing.T) {
	log, h := importedCase(t, domain.Imported{Case: "c", Ended: later(6)})
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	h.after(t, 2, act("new", "work", domain.StatusInProcess, "", ""))
	h.recorded = time.Time{}
	h.after(t, 64, act("work", "issued", domain.StatusApproved, domain.OutcomeApproved, ""))
	if err := newViews(t, log, file.Writer, projections.TermsProjection{}, projections.StatisticsProjection{}).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	view := projections.NewStatisticsView(file.Reader, allDay(later(1000)), trade)
	for decided, f := range map[int]projections.StatisticsFilter{0: {Until: later(30)}, 1: {Since: later(30)}} {
		list, err := view.Of(t.Context(), f)
		if err != nil || len(list) != 1 || list[0].Decided != decided || list[0].Approved != decided {
			t.Errorf("%+v: %+v, %v", f, list, err)
		}
	}
}
