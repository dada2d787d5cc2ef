package projections

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alur-id/alur/domain"
)

// StatisticsProjection keeps one row a request: when it was submitted and decided, how,
// how often it was sent back, and in whose hands it was from when to when. Working time
// is no part of it, for that depends on the calendar as it is known: [StatisticsView]
// reckons it.
type StatisticsProjection struct{}

var _ Projection = StatisticsProjection{}

// Name implements [Projection].
func (StatisticsProjection) Name() string { return "statistics" }

// Schema implements [Projection]. Times are microseconds since 1970, UTC.
func (StatisticsProjection) Schema() string {
	return `
CREATE TABLE statistics (
	request      TEXT   PRIMARY KEY,
	tenant       TEXT   NOT NULL,
	service      TEXT   NOT NULL,
	submitted    BIGINT NOT NULL,
	recorded     BIGINT NOT NULL, -- when the submission was
	record_due   BIGINT, -- of an imported case, as its record has it; and the next
	record_ended BIGINT,
	ended        BIGINT, -- none while it is open
	outcome      TEXT   NOT NULL,
	deemed       TEXT   NOT NULL, -- the ground on which the law decided, or lapse
	returns      BIGINT NOT NULL,
	reasons      TEXT   NOT NULL, -- of the returns that have one, a line each
	to_act       BIGINT NOT NULL, -- 1: the public status says that the applicant has to
	halt         TEXT   NOT NULL, -- the ground on which all terms were ordered to stand still
	stopped      TEXT   NOT NULL, -- a term of law that stands still,
	stop         TEXT   NOT NULL, -- and its ground
	reviews      TEXT   NOT NULL, -- that are waited for, as they are called now, a line each
	held         TEXT   NOT NULL  -- by whom, from when on: a letter and microseconds since it was submitted
);`
}

type statisticsRow struct {
	Request     string
	Tenant      domain.TenantCode
	Service     string
	Submitted   Micros
	Recorded    Micros
	RecordDue   Micros
	RecordEnded Micros
	Ended       Micros
	Outcome     domain.Outcome
	Deemed      domain.ExpiryGround
	Returns     int
	Reasons     string
	ToAct       bool
	Halt        domain.StopGround
	Stopped     domain.TermID
	Stop        domain.StopGround
	Reviews     string
	Held        string
}

var statisticsTable = &Table[statisticsRow]{Name: "statistics", Key: 1, Group: 1, Concerns: concernsStatistics, Fold: foldStatistics}

// Apply implements [Projection].
func (StatisticsProjection) Apply(ctx context.Context, tx Tx, events []domain.Recorded) error {
	return statisticsTable.Apply(ctx, tx, events)
}

func concernsStatistics(c *Concerned, e domain.Recorded) {
	if counts(e.Body) || e.Version == 1 {
		OfRequest(c, e)
	}
}

// counts reports whether an event may change the row of a request.
func counts(body domain.Body) bool {
	switch b := body.(type) {
	case domain.SuspensionOrdered, domain.SuspensionLifted, domain.ReviewRequested, domain.ReviewGiven:
		return true
	case domain.TermSuspended, domain.TermResumed, domain.TermEnded, domain.TermDropped:
		return b.(domain.TermEvent).TermID().Legal()
	}
	_, moves := domain.MoveOf(body)
	return moves
}

func foldStatistics(rows *Rows[statisticsRow], e domain.Recorded) error {
	key := Key{RequestOf(e.Stream)}
	if key == (Key{}) {
		return nil
	}
	if b, ok := e.Body.(domain.RequestSubmitted); ok {
		row := statisticsRow{
			Request: key[0], Tenant: e.Tenant, Service: e.Service, Submitted: MicrosOf(e.Occurred), Recorded: MicrosOf(e.At), ToAct: toAct(b.Public),
		}
		if b.Imported != nil {
			row.RecordDue, row.RecordEnded = MicrosOf(b.Imported.Due), MicrosOf(b.Imported.Ended)
			row.Ended = row.RecordEnded
		}
		row.hold(e)
		rows.Add(row)
		return nil
	}
	if !counts(e.Body) {
		return nil
	}
	row := rows.One(key)
	if row == nil {
		return nil
	}
	switch b := e.Body.(type) {
	case domain.SuspensionOrdered:
		row.Halt = b.Ground
	case domain.SuspensionLifted:
		row.Halt = ""
	case domain.ReviewRequested:
		row.Reviews = line(without(row.Reviews, string(b.Review)), string(b.Review))
	case domain.ReviewGiven:
		row.Reviews = without(row.Reviews, string(b.Review))
	case domain.TermSuspended:
		row.Stopped, row.Stop = b.Term, b.Ground
	case domain.TermResumed:
		row.runs(b.Term)
	case domain.TermEnded:
		row.runs(b.Term)
	case domain.TermDropped:
		row.runs(b.Term)
	default:
		row.move(e)
	}
	row.hold(e)
	return nil
}

// runs has a term of law no longer stand still.
func (r *statisticsRow) runs(id domain.TermID) {
	if r.Stopped == id {
		r.Stopped, r.Stop = "", ""
	}
}

// move takes where the request went. It is decided when it first comes to an end, and
// what it is then led to without having been reopened is how, but not when. A case that
// was imported with a record of when it was due or ended has ended when that says, and
// not because its history comes to what is an end here; what is done here counts. It was
// sent back where the workflow says so, or where the applicant had to mend something.
func (r *statisticsRow) move(e domain.Recorded) {
	m, _ := domain.MoveOf(e.Body)
	migrated, migrates := e.Body.(domain.RequestMigrated)
	comes := m.From != m.To
	if migrates {
		comes = migrated.Came
	}
	if comes {
		r.Reviews = ""
	}
	r.ToAct = toAct(m.Public)
	ground := domain.ExpiryGround("")
	switch b := e.Body.(type) {
	case domain.ActionTaken:
		if b.Kind == domain.ActionReturn || m.From != m.To && m.Public == domain.StatusNeedsCorrection {
			r.Returns++
			if b.Reason != "" {
				r.Reasons = line(r.Reasons, string(b.Reason))
			}
		}
	case domain.DecisionDeemed:
		ground = b.Ground
	case domain.RequestLapsed:
		ground = domain.Lapse
	case domain.RequestMigrated:
		r.Stopped = cmp.Or(b.Mapping.Terms[r.Stopped], r.Stopped)
		r.Reviews = called(r.Reviews, b.Mapping.Reviews)
	}
	switch {
	case r.told(e):
	case m.Outcome == "" && r.Outcome != "":
		r.Deemed, r.Ended = "", 0
	case m.Outcome != "" && r.Ended == 0:
		r.Ended = max(r.Submitted, MicrosOf(e.Occurred))
	}
	r.Outcome = m.Outcome
	if ground != "" {
		r.Deemed = ground
	}
}

// told reports whether an event is part of the history of an imported case whose record
// says when it was due or ended. A case is recorded whole, at one moment.
func (r *statisticsRow) told(e domain.Recorded) bool {
	return (r.RecordDue != 0 || r.RecordEnded != 0) && MicrosOf(e.At) == r.Recorded
}

// Holder is in whose hands a request is.
type Holder string

// The holders. A reviewer is who was asked for an opinion that the request waits for,
// whether that is another agency or another unit. Another agency is one that the law stops
// the term for. Nobody holds what stands still by force majeure.
const (
	HeldByAgency      Holder = "agency"
	HeldByApplicant   Holder = "applicant"
	HeldByReviewer    Holder = "reviewer"
	HeldByOtherAgency Holder = "other_agency"
	HeldByNobody      Holder = "nobody"
)

// Holders lists the holders.
func Holders() []Holder {
	return []Holder{HeldByAgency, HeldByApplicant, HeldByReviewer, HeldByOtherAgency, HeldByNobody}
}

// letters are the holders as they stand in a row; a request that has ended has none.
const letters, noHolder = "aprof", '-'

// toAct reports whether a public status tells the applicant to do something.
func toAct(s domain.PublicStatus) bool {
	return s == domain.StatusNeedsCorrection || s == domain.StatusWaitingPayment
}

// holder is in whose hands the request is, as a letter. An order goes before all.
func (r *statisticsRow) holder() byte {
	of := func(g domain.StopGround) byte {
		switch g {
		case domain.StopApplicant:
			return 'p'
		case domain.StopOtherAgency:
			return 'o'
		case domain.StopForceMajeure:
			return 'f'
		default: // closed, or away: nobody's ground
			return 0
		}
	}
	switch {
	case r.Outcome != "":
		return noHolder
	case of(r.Halt) != 0:
		return of(r.Halt)
	case r.ToAct:
		return 'p'
	case of(r.Stop) != 0:
		return of(r.Stop)
	case r.Reviews != "":
		return 'r'
	}
	return 'a'
}

// hold notes who holds the request from the event on, if that is somebody else. What
// is told in another order than it happened is held from the latest moment on.
func (r *statisticsRow) hold(e domain.Recorded) {
	as := *r
	if r.told(e) {
		as.Outcome = ""
	}
	now, was := as.holder(), byte(0)
	since := int64(max(0, MicrosOf(e.Occurred)-r.Submitted))
	if i := strings.LastIndexByte(r.Held, ' ') + 1; i < len(r.Held) {
		was = r.Held[i]
		before, _ := strconv.ParseInt(r.Held[i+1:], 10, 64)
		since = max(since, before)
	}
	if now == was {
		return
	}
	entry := string(now) + strconv.FormatInt(since, 10)
	if r.Held != "" {
		entry = " " + entry
	}
	r.Held += entry
}

// span is a time in which somebody held a request.
type span struct {
	by       Holder
	from, to time.Time
}

// spans are those of a request that has ended, up to then.
func (r *statisticsRow) spans() []span {
	var list []span
	end := max(r.Submitted, r.Ended)
	entries := strings.Fields(r.Held)
	for i, entry := range entries {
		n := strings.IndexByte(letters, entry[0])
		if n < 0 {
			continue
		}
		to := end
		if i+1 < len(entries) {
			to = min(end, r.Submitted+since(entries[i+1]))
		}
		if from := r.Submitted + since(entry); from < to {
			list = append(list, span{Holders()[n], from.Time(), to.Time()})
		}
	}
	return list
}

func since(entry string) Micros {
	n, _ := strconv.ParseInt(entry[1:], 10, 64)
	return Micros(n)
}

// line is a list of lines with one more.
func line(list, more string) string {
	if list == "" {
		return more
	}
	return list + "\n" + more
}

// called is a list of reviews as they are called by a version that a request was moved to.
func called(list string, now map[domain.ReviewID]domain.ReviewID) string {
	was := strings.Split(list, "\n")
	list = ""
	for _, id := range was {
		if to, other := now[domain.ReviewID(id)]; other {
			id = string(to)
		}
		if id != "" { // else the version has no such review
			list = line(list, id)
		}
	}
	return list
}

// without is a list of lines without one.
func without(list, gone string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(list, "\n"), func(s string) bool { return s == gone }), "\n")
}
