package projections_test

import (
	"context"
	"errors"
	"fmt"
	"math"
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

// allDay is a calendar by which every day is worked on, until one that it does not know.
func allDay(until time.Time) projections.WorkingDays {
	return func(context.Context, domain.TenantCode) (func(from, to time.Time) (float64, bool), error) {
		return func(from, to time.Time) (float64, bool) { return to.Sub(from).Hours() / 24, !to.After(until) }, nil
	}
}

func trade(context.Context, domain.TenantCode, string) (string, error) {
	return "Dinas Perdagangan", nil
}

// later is so many days after the histories began, to the minute.
func later(days float64) time.Time {
	return begun.Add(time.Duration(math.Round(days*24*60)) * time.Minute)
}

// after records an event so many days after the history began.
func (x *history) after(t interface{ Fatal(...any) }, days float64, body domain.Body) {
	x.at = later(days).Add(-time.Minute)
	x.record(t, body)
}

var begun = time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)

func asked(request uuid.UUID, n int) domain.RequestSubmitted {
	return domain.RequestSubmitted{Request: request, Reference: domain.NewReference(uint64(n)), State: "new", Public: domain.StatusVerification}
}

func act(from, to domain.StateID, public domain.PublicStatus, outcome domain.Outcome, kind domain.ActionKind) domain.ActionTaken {
	return domain.ActionTaken{Action: "go", From: from, To: to, Public: public, Outcome: outcome, Kind: kind}
}

// onDay is what happens so many days after a request was asked for.
type onDay struct {
	day  float64
	body domain.Body
}

// recordAll records what happens with requests that are asked for at one time.
func recordAll(t *testing.T, log *memory.Log, all [][]onDay) {
	t.Helper()
	for i, events := range all {
		id := uuid.NewSHA1(uuid.Nil, []byte{byte(i)})
		x := history{log: log, request: id}
		x.after(t, 0, asked(id, i))
		for _, e := range events {
			x.after(t, e.day, e.body)
		}
	}
}

// What became of requests is counted by when it happened, and in whose hands they were
// adds up to how long they took.
func TestStatisticsCountWhatHappened(t *testing.T) {
	k := domain.Reckoning{Due: begun.Add(100 * 24 * time.Hour), Calendar: "0.0-ab"}
	back := act("new", "returned", domain.StatusNeedsCorrection, "", domain.ActionReturn)
	back.Reason = "str-missing"
	deemed := domain.DecisionDeemed{Term: "law", Ground: domain.DeemedApproval, From: "work", To: "issued", Public: domain.StatusApproved, Outcome: domain.OutcomeApproved}
	approve := act("work", "issued", domain.StatusApproved, domain.OutcomeApproved, "")
	all := [][]onDay{
		{ // sent back for 2 days, with reviewers for 3, stopped for another agency for 4, by order for 5
			{1, back},
			{3, act("returned", "new", domain.StatusInProcess, "", "")},
			{4, domain.TermStarted{Term: "law", Reckoning: k}},
			{5, domain.ReviewRequested{Review: "fire", Role: "fire"}},
			{6, domain.ReviewRequested{Review: "health", Role: "health"}},
			{7, domain.ReviewGiven{Review: "fire"}},
			{8, domain.ReviewGiven{Review: "health"}},
			{9, domain.TermSuspended{Term: "law", Ground: domain.StopOtherAgency, Reckoning: k}},
			{13, domain.TermResumed{Term: "law", Ground: domain.StopOtherAgency, Reckoning: k}},
			{14, domain.SuspensionOrdered{Ground: domain.StopForceMajeure}},
			{19, domain.SuspensionLifted{Ground: domain.StopForceMajeure}},
			{20, approve},
			{20, domain.TermEnded{Term: "law", Reckoning: k}},
			{22, act("issued", "issued", domain.StatusApproved, domain.OutcomeApproved, "")}, // a remark changes nothing
		},
		{{1, domain.ReviewRequested{Review: "fire", Role: "fire"}}, {2, act("new", "work", domain.StatusInProcess, "", "")}, {3, domain.TermStarted{Term: "law", Reckoning: k}}, {10, domain.TermExpired{Term: "law", Ground: domain.DeemedApproval, Reckoning: k}}, {10, deemed}, {10, domain.TermEnded{Term: "law", Late: true, Reckoning: k}}},
		{{4, act("new", "gone", domain.StatusWithdrawn, domain.OutcomeWithdrawn, domain.ActionWithdraw)}},
		{{1, back}, {9, domain.RequestLapsed{Term: "state:returned", From: "returned", To: "lapsed", Public: domain.StatusCompleted, Outcome: domain.OutcomeClosed}}},
		{{2, domain.TermStarted{Term: "law", Reckoning: k}}, {3, domain.TermExpired{Term: "law", Reckoning: k}}}, // nobody decides
		{{2, approve}, {4, act("issued", "work", domain.StatusInProcess, "", domain.ActionReopen)}, {8, act("work", "no", domain.StatusRejected, domain.OutcomeRejected, "")}},
		{{40, act("new", "no", domain.StatusRejected, domain.OutcomeRejected, "")}}, // further than the calendar reaches
	}
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		log, db := newLog(), open()()
		recordAll(t, log, all)
		views := newViews(t, log, db.writer, projections.StatusProjection{}, projections.TermsProjection{}, projections.StatisticsProjection{})
		if err := views.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		nothingDiffers(t, views)
		view := projections.NewStatisticsView(db.reader, allDay(begun.Add(30*24*time.Hour)), trade)
		of := func(f projections.StatisticsFilter) []projections.Statistics {
			list, err := view.Of(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		want := projections.Statistics{
			Tenant: "11.71", Service: "permit", Submitted: 7, Open: 1, Overdue: 1,
			Decided: 4, Approved: 2, Rejected: 2, DeemedApproved: 1, OnTime: 1, Late: 1, Returned: 1, ReturnRate: 0.25, Returns: 1, Withdrawn: 1, Lapsed: 1,
			Reasons: map[domain.ReasonCode]int{"str-missing": 1}, Uncounted: 1,
			Elapsed: &projections.Spread{Median: 10, P90: 40, Total: 78}, Working: &projections.Spread{Median: 10, P90: 20, Total: 38},
			Held: map[domain.Holder]projections.Spread{
				domain.HeldByAgency: {Median: 6, P90: 9, Total: 21}, domain.HeldByApplicant: {P90: 2, Total: 2}, domain.HeldByReviewer: {Median: 1, P90: 3, Total: 4},
				domain.HeldByOtherAgency: {P90: 4, Total: 4}, domain.HeldByNobody: {P90: 5, Total: 5},
			},
			Others: &projections.Spread{Median: 1, P90: 12, Total: 13},
		}
		if d := cmp.Diff([]projections.Statistics{want}, of(projections.StatisticsFilter{})); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		for name, x := range map[string]struct {
			filter projections.StatisticsFilter
			want   string
		}{
			"by agency":                 {projections.StatisticsFilter{By: projections.ByAgency}, "[11.71 Dinas Perdagangan 7 4]"},
			"by tenant":                 {projections.StatisticsFilter{By: projections.ByTenant}, "[11.71  7 4]"},
			"by month":                  {projections.StatisticsFilter{By: projections.ByMonth}, "[ 2026-03 7 3] [ 2026-04 0 1]"},
			"of the first ten days":     {projections.StatisticsFilter{Until: begun.Add(10 * 24 * time.Hour)}, "[11.71 permit 7 1]"},
			"from the tenth day on":     {projections.StatisticsFilter{Since: begun.Add(10 * 24 * time.Hour)}, "[11.71 permit 0 3]"},
			"of another tenant":         {projections.StatisticsFilter{Tenant: "11.72"}, ""},
			"of another service":        {projections.StatisticsFilter{Service: "none"}, ""},
			"of a day without anything": {projections.StatisticsFilter{Since: begun.Add(15 * 24 * time.Hour), Until: begun.Add(16 * 24 * time.Hour)}, ""},
		} {
			got := ""
			for _, s := range of(x.filter) {
				got += fmt.Sprintf(" [%s %s %d %d]", s.Tenant, s.Service+s.Agency+s.Month, s.Submitted, s.Decided)
			}
			if got = fmt.Sprint(got); got != "" {
				got = got[1:]
			}
			if got != x.want {
				t.Errorf("%s: %s, want %s", name, got, x.want)
			}
		}
	})
}

// A request that is called otherwise by another version stands where it stood: who was asked
// for an opinion has it. One that is moved elsewhere waits for nobody's any more. Returns
// that have no reason are counted, and no reason of theirs.
func TestStatisticsOfRequestsThatWereMigrated(t *testing.T) {
	mapping := domain.Mapping{States: map[domain.StateID]domain.StateID{"new": "waiting"}, Reviews: map[domain.ReviewID]domain.ReviewID{"fire": "brigade"}}
	moved := func(to domain.StateID, came bool) domain.RequestMigrated {
		return domain.RequestMigrated{FromVersion: 1, ToVersion: 2, From: "new", To: to, Came: came, Public: domain.StatusInProcess, Mapping: mapping}
	}
	approve := act("waiting", "issued", domain.StatusApproved, domain.OutcomeApproved, "")
	arrears, back := act("new", "new", domain.StatusNeedsCorrection, "", domain.ActionReturn), act("new", "new", domain.StatusNeedsCorrection, "", domain.ActionReturn)
	back.Reason = "str-missing"
	asks := func(id domain.ReviewID) domain.ReviewRequested {
		return domain.ReviewRequested{Review: id, Role: "fire"}
	}
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		log, db := newLog(), open()()
		recordAll(t, log, [][]onDay{
			{{1, asks("fire")}, {1, asks("health")}, {2, moved("waiting", false)}, {4, domain.ReviewGiven{Review: "health"}}, {6, domain.ReviewGiven{Review: "brigade"}}, {8, approve}},
			{{1, asks("fire")}, {2, moved("waiting", true)}, {8, approve}},
			{{1, arrears}, {2, back}, {8, approve}},
			{{1, back}, {2, arrears}, {8, approve}},
			{{1, arrears}, {8, approve}},
		})
		views := newViews(t, log, db.writer, projections.StatusProjection{}, projections.TermsProjection{}, projections.StatisticsProjection{})
		if err := views.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		nothingDiffers(t, views)
		list, err := projections.NewStatisticsView(db.reader, allDay(begun.Add(30*24*time.Hour)), trade).Of(t.Context(), projections.StatisticsFilter{})
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		got := list[0]
		if h := got.Held; h[domain.HeldByReviewer].Total != 6 || h[domain.HeldByAgency].Total != 13 || h[domain.HeldByApplicant].Total != 21 {
			t.Errorf("held: %+v", h)
		}
		if d := cmp.Diff(map[domain.ReasonCode]int{"str-missing": 2}, got.Reasons); d != "" || got.Returns != 5 || got.Returned != 3 {
			t.Errorf("%d returns of %d: %s", got.Returns, got.Returned, d)
		}
	})
}

// A case whose record says when it was due ends when the record says so; what is done
// here with one that was open counts as anything that is done here.
func TestStatisticsOfAnImportedCase(t *testing.T) {
	log := newLog()
	file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
	day := 24 * time.Hour
	closed := act("new", "done", domain.StatusCompleted, domain.OutcomeClosed, "")
	for i, x := range []struct {
		record domain.Imported
		live   bool // it is closed once more, later than the import
	}{
		{record: domain.Imported{Case: "ended, late", Due: begun.Add(5 * day), Ended: begun.Add(6 * day)}},
		{record: domain.Imported{Case: "open by its record", Due: begun.Add(5 * day)}},
		{record: domain.Imported{Case: "open by its record, and decided here", Due: begun.Add(5 * day)}, live: true},
		{record: domain.Imported{Case: "without either"}},
		{record: domain.Imported{Case: "ended before what is known of it", Due: begun.Add(-9 * day), Ended: begun.Add(-10 * day)}},
	} {
		id := uuid.NewSHA1(uuid.Nil, []byte{byte(i)})
		first := asked(id, i)
		first.Imported = &x.record
		h := history{log: log, request: id, recorded: begun.Add(50 * day)}
		h.after(t, 0, first)
		h.after(t, 2, closed)
		if x.live {
			h.recorded = time.Time{}
			h.after(t, 60, act("done", "new", domain.StatusInProcess, "", domain.ActionReopen))
			h.after(t, 61, act("new", "issued", domain.StatusApproved, domain.OutcomeApproved, ""))
		}
	}
	if err := newViews(t, log, file.Writer, projections.TermsProjection{}, projections.StatisticsProjection{}).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	view := projections.NewStatisticsView(file.Reader, allDay(begun.Add(1000*day)), trade)
	list, err := view.Of(t.Context(), projections.StatisticsFilter{})
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	before, err := view.Of(t.Context(), projections.StatisticsFilter{Until: begun})
	if err != nil || len(before) != 1 || before[0].Decided != 1 || before[0].Submitted != 0 {
		t.Errorf("until the first was submitted: %+v, %v", before, err)
	}
	got := list[0]
	if got.Submitted != 5 || got.Open != 1 || got.Unended != 1 || got.Resting != 1 || got.Decided != 4 || got.Supposed != 1 || got.Approved != 1 || got.Late != 1 || got.OnTime != 1 {
		t.Errorf("%+v", got)
	}
	// While one rested at what the workflow calls an end, nobody had it.
	if *got.Elapsed != (projections.Spread{Median: 2, P90: 61, Total: 69}) || got.Held[domain.HeldByAgency] != (projections.Spread{Median: 2, P90: 6, Total: 11}) {
		t.Errorf("%+v, %+v", got.Elapsed, got.Held)
	}
}

// A case that ended by its record is open again when something is done with it here, and
// nobody had it meanwhile; that it is put under another version is nothing.
func TestStatisticsAndInboxOfACaseThatIsWorkedOnAgain(t *testing.T) {
	log, file := newLog(), openFile(t, filepath.Join(t.TempDir(), "views.db"))
	h := history{log: log, request: uuid.NewSHA1(uuid.Nil, []byte{1}), recorded: later(50)}
	first := asked(h.request, 1)
	first.Imported = &domain.Imported{Case: "c", Ended: later(6)}
	h.after(t, 0, first)
	h.after(t, 2, act("new", "done", domain.StatusCompleted, domain.OutcomeClosed, ""))
	h.after(t, 4, act("done", "work", domain.StatusInProcess, "", ""))
	h.after(t, 4, domain.ReviewRequested{Review: "fire", Role: "fire"})
	h.after(t, 7, domain.TermExpired{Term: "law"})
	views := newViews(t, log, file.Writer, projections.StatusProjection{}, projections.TermsProjection{}, projections.StatisticsProjection{}, projections.InboxProjection{})
	is := func(what string, open int, tasks ...string) {
		t.Helper()
		if err := views.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := projections.NewStatisticsView(file.Reader, allDay(later(1000)), trade).Of(t.Context(), projections.StatisticsFilter{})
		if err != nil || len(list) != 1 || list[0].Open != open {
			t.Fatalf("%s: %+v, %v", what, list, err)
		}
		page, err := projections.NewInboxView(file.Reader).List(t.Context(), projections.InboxFilter{Tenant: "11.71", Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, task := range page.Tasks {
			got = append(got, string(task.State)+string(task.Review))
		}
		slices.Sort(got)
		if d := cmp.Diff(tasks, got); d != "" {
			t.Errorf("%s (-want +inbox)\n%s", what, d)
		}
	}
	is("told", 0)
	h.recorded = time.Time{}
	h.after(t, 60, domain.RequestMigrated{FromVersion: 1, ToVersion: 2, From: "work", To: "work", Public: domain.StatusInProcess})
	is("under another version", 0)
	h.after(t, 61, domain.TermStarted{Term: "other"})
	is("a term", 0)
	h.after(t, 62, act("work", "work", domain.StatusInProcess, "", ""))
	is("worked on", 1, "work", "workfire")
	h.after(t, 64, act("work", "issued", domain.StatusApproved, domain.OutcomeApproved, ""))
	is("decided", 0)
	if got := held(t, projections.NewStatisticsView(file.Reader, allDay(later(1000)), trade)); len(got) != 2 || got[domain.HeldByAgency] != 4 || got[domain.HeldByReviewer] != 4 {
		t.Error(got)
	}
}

// Where a workflow says which attribute has when a case ended, one that has none is open,
// whatever was done last; until it is closed here.
func TestStatisticsOfACaseThatIsNotKnownToHaveEnded(t *testing.T) {
	log, file := newLog(), openFile(t, filepath.Join(t.TempDir(), "views.db"))
	closed := act("new", "done", domain.StatusCompleted, domain.OutcomeClosed, "")
	var all []history
	for i := range 3 {
		h := history{log: log, request: uuid.NewSHA1(uuid.Nil, []byte{byte(i)}), recorded: later(50)}
		first := asked(h.request, i)
		first.Imported = &domain.Imported{Case: fmt.Sprint(i)}
		h.after(t, 0, first)
		if i > 0 {
			h.after(t, 2, closed)
		}
		all = append(all, h)
	}
	says := func(domain.TenantCode, domain.WorkflowRef) (bool, error) { return true, nil }
	views := newViews(t, log, file.Writer, projections.TermsProjection{}, projections.StatisticsProjection{RecordsEnds: says})
	is := func(open, unended, decided int) {
		t.Helper()
		if err := views.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := projections.NewStatisticsView(file.Reader, allDay(later(1000)), trade).Of(t.Context(), projections.StatisticsFilter{})
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		if got := list[0]; got.Open != open || got.Unended != unended || got.Decided != decided || got.Supposed != 0 {
			t.Errorf("%+v", got)
		}
	}
	is(3, 3, 0)
	all[2].recorded = time.Time{}
	all[2].after(t, 60, act("done", "new", domain.StatusInProcess, "", domain.ActionReopen))
	is(3, 2, 0)
	all[2].after(t, 61, closed)
	is(2, 2, 1)
}

// drawBody is anything that may be recorded of a request; views fold it all.
func drawBody(r *rapid.T) domain.Body {
	state := func(name string) domain.StateID {
		return rapid.SampledFrom([]domain.StateID{"new", "work", "issued"}).Draw(r, name)
	}
	public := rapid.SampledFrom(domain.PublicStatuses()).Draw(r, "public")
	outcome := rapid.SampledFrom(append(domain.Outcomes(), "", "", "")).Draw(r, "outcome")
	ground := rapid.SampledFrom(append(domain.StopGrounds(), domain.StopAway)).Draw(r, "ground")
	term := rapid.SampledFrom([]domain.TermID{"law", "other", "state:work"}).Draw(r, "term")
	review := rapid.SampledFrom([]domain.ReviewID{"fire", "health"}).Draw(r, "review")
	from, to := state("from"), state("to")
	kind := rapid.SampledFrom([]domain.ActionKind{"", domain.ActionReturn, domain.ActionReopen}).Draw(r, "kind")
	return rapid.SampledFrom([]domain.Body{
		domain.ActionTaken{Action: "go", From: from, To: to, Public: public, Outcome: outcome, Reason: "why", Kind: kind},
		domain.ActionTaken{Action: "go", From: from, To: to, Public: public, Outcome: outcome},
		domain.DecisionDeemed{Term: term, Ground: domain.DeemedApproval, From: from, To: to, Public: public, Outcome: outcome},
		domain.RequestLapsed{Term: term, From: from, To: to, Public: public, Outcome: outcome},
		domain.RequestMigrated{FromVersion: 1, ToVersion: 2, From: from, To: to, Public: public, Outcome: outcome, Mapping: domain.Mapping{Terms: map[domain.TermID]domain.TermID{"law": "other"}}},
		domain.SuspensionOrdered{Ground: ground},
		domain.SuspensionLifted{Ground: ground},
		domain.ReviewRequested{Review: review},
		domain.ReviewGiven{Review: review},
		domain.TermStarted{Term: term},
		domain.TermSuspended{Term: term, Ground: ground},
		domain.TermResumed{Term: term},
		domain.TermExpired{Term: term},
		domain.TermEnded{Term: term},
		domain.TermDropped{Term: term},
		domain.RequestCorrected{},
		domain.FactsRecorded{},
		domain.NoticeDue{Notice: "n"},
	}).Draw(r, "body")
}

// Whatever is recorded, late and in whatever order by its own clock, in whatever
// interleaving of requests, and wherever the runner was started again: the rows are those
// of one request after the other, nobody holds a request for longer than it took, and the
// inbox has what is open and stands where somebody can act, and nothing else.
func TestFiguresAgreeWithARebuild(t *testing.T) {
	dir, n := t.TempDir(), 0
	list := []projections.Projection{projections.StatisticsProjection{}, projections.PermitProjection{}, projections.TermsProjection{}, projections.StatusProjection{}, projections.InboxProjection{}}
	type told struct {
		request int
		minutes int
		body    domain.Body
	}
	rapid.Check(t, func(r *rapid.T) {
		n++
		open := func(name string) sqlite.Views {
			file, err := sqlite.OpenViews(t.Context(), filepath.Join(dir, fmt.Sprint(n, name)))
			if err != nil {
				r.Fatal(err)
			}
			return file
		}
		live, straight := open("live.db"), open("straight.db")
		defer func() {
			if err := errors.Join(live.Close(), straight.Close()); err != nil {
				r.Error(err)
			}
		}()
		var first [3]domain.RequestSubmitted
		for i := range first {
			first[i] = asked(uuid.NewSHA1(uuid.Nil, []byte{byte(i)}), i)
			if rapid.Bool().Draw(r, "imported") {
				first[i].Imported = &domain.Imported{Case: "c"}
				if rapid.Bool().Draw(r, "due") {
					first[i].Imported.Due = begun.Add(time.Hour)
				}
				if rapid.Bool().Draw(r, "ended") {
					first[i].Imported.Ended = begun.Add(2 * time.Hour)
				}
			}
		}
		var events []told
		for range rapid.IntRange(1, 40).Draw(r, "events") {
			events = append(events, told{rapid.IntRange(0, 2).Draw(r, "request"), rapid.IntRange(-100, 1000).Draw(r, "minutes"), drawBody(r)})
		}
		tell := func(log *memory.Log, events []told, then func()) {
			var all [3]history
			for i := range all {
				all[i] = history{log: log, request: first[i].Request, recorded: begun}
				all[i].after(r, 0, first[i])
			}
			for i, e := range events {
				h := &all[e.request]
				if e.minutes%2 == 0 {
					h.recorded = begun.Add(time.Hour) // not with the submission
				}
				h.at = begun.Add(time.Duration(e.minutes-1) * time.Minute)
				h.record(r, e.body)
				if i%5 == 0 {
					then()
				}
			}
		}
		log, other := newLog(), newLog()
		views := newViews(t, log, live.Writer, list...)
		tell(log, events, func() {
			switch rapid.IntRange(0, 2).Draw(r, "then") {
			case 0:
				if err := views.CatchUp(t.Context()); err != nil {
					r.Fatal(err)
				}
			case 1:
				views = newViews(t, log, live.Writer, list...)
			}
		})
		slices.SortStableFunc(events, func(a, b told) int { return a.request - b.request })
		tell(other, events, func() {})
		for _, v := range []*projections.Views{views, newViews(t, other, straight.Writer, list...)} {
			if err := v.CatchUp(t.Context()); err != nil {
				r.Fatal(err)
			}
		}
		for _, table := range []string{"statistics", "permit"} {
			text := "SELECT * FROM " + table + " ORDER BY request"
			if d := cmp.Diff(storetest.Rows(t, straight.Reader, text), storetest.Rows(t, live.Reader, text)); d != "" {
				r.Fatalf("%s (-straight +interleaved)\n%s", table, d)
			}
		}
		worked := storetest.Rows(t, live.Reader, "SELECT request FROM inbox WHERE review = '' AND kind <> 'wait' ORDER BY request")
		if d := cmp.Diff(storetest.Rows(t, live.Reader, "SELECT request FROM statistics WHERE ended IS NULL AND outcome = '' ORDER BY request"), worked); d != "" {
			r.Fatalf("(-open by statistics +in the inbox)\n%s", d)
		}
		if lost := storetest.Rows(t, live.Reader, "SELECT request, review FROM inbox AS asked WHERE review <> '' AND kind <> (SELECT CASE WHEN kind = 'wait' THEN kind ELSE 'review' END FROM inbox WHERE request = asked.request AND review = '')"); len(lost) > 0 {
			r.Fatalf("reviews that are waited for where the request is not, or the other way: %v", lost)
		}
		figures, err := projections.NewStatisticsView(live.Reader, allDay(begun.Add(10000*time.Hour)), trade).Of(t.Context(), projections.StatisticsFilter{})
		if err != nil || len(figures) != 1 || figures[0].Submitted != 3 {
			r.Fatal(figures, err)
		}
		held := 0.0
		for _, s := range figures[0].Held {
			held += s.Total
		}
		if took := figures[0].Elapsed; held > 0 && (took == nil || held > took.Total+1e-9) {
			r.Fatalf("%g days in hands, of %+v", held, took)
		}
	})
}
