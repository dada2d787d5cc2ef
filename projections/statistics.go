package projections

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/alur-id/alur/domain"
)

// StatisticsProjection keeps one row a request: when it was submitted and decided, how,
// how often it was sent back, and in whose hands it was from when to when. Working time
// is no part of it, for that depends on the calendar as it is known: [StatisticsView]
// reckons it.
type StatisticsProjection struct {
	// Acts is who has to act in a state that is no end, by a version that was published, as
	// [InboxProjection.Owner] is whose work it is.
	Acts func(domain.TenantCode, domain.WorkflowRef, domain.StateID) (domain.Holder, error)
	// RecordsEnds reports whether a version that was published says where the record of an
	// imported case has when it ended: what has no end there is not known to have one.
	RecordsEnds func(domain.TenantCode, domain.WorkflowRef) (bool, error)
}

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
	source       TEXT   NOT NULL, -- of an imported case with which nothing was done here (domain.DoneHere): record, where that says when it ended, else history; empty otherwise
	ended        BIGINT, -- none while it is open
	outcome      TEXT   NOT NULL,
	deemed       TEXT   NOT NULL, -- the ground on which the law decided, or lapse
	returns      BIGINT NOT NULL,
	reasons      TEXT   NOT NULL, -- of the returns that have one, a line each
	acts         TEXT   NOT NULL, -- who has to act where it stands; empty in an end
	halt         TEXT   NOT NULL, -- the ground on which all terms were ordered to stand still
	terms        TEXT   NOT NULL, -- of law: those that began, each with the ground on which it stands still, or - if it has ended; a line each in the order of their ids
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
	Source      source
	Ended       Micros
	Outcome     domain.Outcome
	Deemed      domain.ExpiryGround
	Returns     int
	Reasons     string
	Acts        domain.Holder
	Halt        domain.StopGround
	Terms       string
	Reviews     string
	Held        string
}

var statisticsTable = statisticsOf(StatisticsProjection{})

func statisticsOf(p StatisticsProjection) *Table[statisticsRow] {
	return &Table[statisticsRow]{Name: "statistics", Key: 1, Group: 1, Concerns: concernsStatistics, Fold: p.fold}
}

// Apply implements [Projection].
func (p StatisticsProjection) Apply(ctx context.Context, tx Tx, events []domain.Recorded) error {
	return statisticsOf(p).Apply(ctx, tx, events)
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
	case domain.TermStarted, domain.TermContinued, domain.TermSuspended, domain.TermResumed, domain.TermEnded, domain.TermDropped:
		return b.(domain.TermEvent).TermID().Legal()
	}
	_, moves := domain.MoveOf(body)
	return moves
}

func (p StatisticsProjection) fold(rows *Rows[statisticsRow], e domain.Recorded) error {
	key := Key{RequestOf(e.Stream)}
	if key == (Key{}) {
		return nil
	}
	if b, ok := e.Body.(domain.RequestSubmitted); ok {
		row := statisticsRow{
			Request: key[0], Tenant: e.Tenant, Service: e.Service, Submitted: MicrosOf(e.Occurred), Recorded: MicrosOf(e.At),
		}
		if err := p.acts(&row, e, domain.Move{To: b.State, Public: b.Public}); err != nil {
			return err
		}
		if err := p.imported(&row, e, b.Imported); err != nil {
			return err
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
		row.term(b.Term, b.Ground)
	case domain.TermStarted, domain.TermContinued, domain.TermResumed:
		row.term(b.(domain.TermEvent).TermID(), "")
	case domain.TermEnded, domain.TermDropped:
		row.term(b.(domain.TermEvent).TermID(), termEnded)
	default:
		m, _ := domain.MoveOf(b)
		row.move(e, m)
		if err := p.acts(row, e, m); err != nil {
			return err
		}
	}
	row.hold(e)
	return nil
}

// source is what says when an imported case ended.
type source string

// The sources. A history says so by what the workflow calls an end.
const (
	sourceRecord  source = "record"
	sourceHistory source = "history"
)

// imported takes what the record of an imported case says.
func (p StatisticsProjection) imported(row *statisticsRow, e domain.Recorded, from *domain.Imported) error {
	if from == nil {
		return nil
	}
	row.RecordDue, row.RecordEnded, row.Source = MicrosOf(from.Due), MicrosOf(from.End()), sourceHistory
	row.Ended = row.RecordEnded
	says := from.Says(false)
	if !says && p.RecordsEnds != nil {
		var err error
		if says, err = p.RecordsEnds(e.Tenant, e.Workflow); err != nil {
			return fmt.Errorf("whether records of %s say when a case ended: %w", e.Workflow.ID, err)
		}
	}
	if says {
		row.Source = sourceRecord
	}
	return nil
}

// acts notes who has to act where a request went.
func (p StatisticsProjection) acts(row *statisticsRow, e domain.Recorded, m domain.Move) error {
	if row.Acts = ""; m.Outcome != "" {
		return nil
	}
	ref, by := e.Workflow, domain.HeldByAgency
	if b, migrates := e.Body.(domain.RequestMigrated); migrates {
		ref.Version = b.ToVersion
	}
	if p.Acts != nil {
		var err error
		if by, err = p.Acts(e.Tenant, ref, m.To); err != nil {
			return fmt.Errorf("who has to act in state %q: %w", m.To, err)
		}
	}
	row.Acts = domain.ActsIn(by, m.Public)
	return nil
}

// move takes where the request went. It is decided when it first comes to an end, and
// what it is then led to without having been reopened is how, but not when. A case that
// was imported with a record that says when cases end has ended when that says, and not
// because its history comes to what is an end here, until something is done with it here:
// then it is open again, unless that leads to an end. It was sent back where the workflow
// says so, or where the applicant had to mend something.
func (r *statisticsRow) move(e domain.Recorded, m domain.Move) {
	migrated, migrates := e.Body.(domain.RequestMigrated)
	comes := m.From != m.To
	if migrates {
		comes = migrated.Came
	}
	if comes {
		r.Reviews = ""
	}
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
		r.decides(b.Term)
	case domain.RequestLapsed:
		ground = domain.Lapse
		r.decides(b.Term)
	case domain.RequestMigrated:
		r.renameTerms(b.Mapping.Terms)
		r.Reviews = called(r.Reviews, b.Mapping.Reviews)
	}
	recorded := r.Source == sourceRecord
	if r.Source != "" && domain.DoneHere(e, r.Recorded.Time()) {
		if r.Source = ""; r.RecordEnded != 0 {
			r.close(r.RecordEnded)
		}
		if recorded { // that end is over
			r.Deemed, r.Ended = "", 0
		}
	}
	switch {
	case r.Source == sourceRecord:
	case m.Outcome == "" && (r.Outcome != "" || recorded):
		r.Deemed, r.Ended = "", 0
	case m.Outcome != "" && r.Ended == 0:
		r.Ended = max(r.Submitted, MicrosOf(e.Occurred))
	}
	r.Outcome = m.Outcome
	if ground != "" {
		r.Deemed = ground
	}
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
