package projections

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// TermsProjection keeps one row for each term of a request: whether it runs, until
// when, and when something next happens by itself. It is what terms are swept from.
type TermsProjection struct{}

var _ Projection = TermsProjection{}

// Name implements [Projection].
func (TermsProjection) Name() string { return "term" }

// Schema implements [Projection]. Times are microseconds since 1970, UTC; amounts of
// time are as in a [domain.Reckoning].
func (TermsProjection) Schema() string {
	return `
CREATE TABLE term (
	request   TEXT   NOT NULL,
	term      TEXT   NOT NULL,
	tenant    TEXT   NOT NULL,
	service   TEXT   NOT NULL,
	budget    TEXT   NOT NULL,
	started   BIGINT NOT NULL,
	due       BIGINT, -- none while it stands still
	promised  BIGINT,
	wakes     BIGINT, -- none for never
	ground    TEXT   NOT NULL, -- why it stands still; empty while it runs
	consumed  BIGINT NOT NULL,
	remaining BIGINT NOT NULL,
	suspended BIGINT NOT NULL,
	calendar  TEXT   NOT NULL,
	date      TEXT   NOT NULL, -- the fact that says until when; empty where the budget does
	expired   BIGINT, -- when it ran out
	kept      TEXT   NOT NULL, -- whether it ended in time; empty while it is open, or was dropped
	deemed    TEXT   NOT NULL, -- on which ground the law then decided
	listed    BIGINT NOT NULL, -- 1: it is on the list that the ombudsman sees
	ended     BIGINT, -- none while it is open
	position  BIGINT NOT NULL, -- in the log, of when it was last reckoned
	PRIMARY KEY (request, term)
);
CREATE INDEX term_wakes ON term (wakes, request, term) WHERE wakes IS NOT NULL;
CREATE INDEX term_open ON term (tenant, calendar, position) WHERE ended IS NULL;
CREATE INDEX term_due ON term (due) WHERE ended IS NULL;`
}

type termRow struct {
	Request   string
	Term      domain.TermID
	Tenant    domain.TenantCode
	Service   string
	Budget    string
	Started   Micros
	Due       Micros
	Promised  Micros
	Wakes     Micros
	Ground    domain.StopGround
	Consumed  int64
	Remaining int64
	Suspended int64
	Calendar  string
	Date      string
	Expired   Micros
	Kept      domain.Punctuality
	Deemed    domain.ExpiryGround
	Listed    bool
	Ended     Micros
	Position  domain.Position
}

var termTable = &Table[termRow]{Name: "term", Key: 2, Group: 1, Concerns: concernsTerms, Fold: foldTerm}

// Apply implements [Projection].
func (TermsProjection) Apply(ctx context.Context, tx Tx, events []domain.Recorded) error {
	return termTable.Apply(ctx, tx, events)
}

func concernsTerms(c *Concerned, e domain.Recorded) {
	switch e.Body.(type) {
	case domain.TermEvent, domain.ReviewGiven:
		OfRequest(c, e)
	default:
		if _, moves := domain.MoveOf(e.Body); moves || e.Version == 1 {
			OfRequest(c, e)
		}
	}
}

func foldTerm(rows *Rows[termRow], e domain.Recorded) error {
	key := Key{RequestOf(e.Stream)}
	if key == (Key{}) {
		return nil
	}
	switch b := e.Body.(type) {
	case domain.TermStarted:
		since := e.Occurred
		if !b.Since.IsZero() {
			since = b.Since
		}
		beginTerm(rows, key, e, b, b.Budget, since).Date = b.Date
	case domain.TermContinued:
		row := termOf(rows, key, b.Term)
		switch {
		case b.Of != b.Term:
			beginTerm(rows, key, e, b, b.Budget, b.Since)
		case row != nil:
			row.reckon(e, b)
			row.reopen()
		}
	case domain.TermEvent:
		if row := termOf(rows, key, b.TermID()); row != nil {
			row.reckon(e, b)
			row.note(e, b)
		}
	case domain.RequestMigrated:
		migrateTerms(rows, key, e, b)
	case domain.ReviewGiven:
		if row := termOf(rows, key, domain.ReviewTerm(b.Review)); row != nil {
			row.end(e)
		}
	case domain.ActionTaken:
		leaveState(rows, key, e, "")
	case domain.DecisionDeemed:
		leaveState(rows, key, e, b.Term)
	case domain.RequestLapsed:
		leaveState(rows, key, e, b.Term)
	}
	return nil
}

func termOf(rows *Rows[termRow], key Key, id domain.TermID) *termRow {
	for row := range rows.All(key) {
		if row.Term == id {
			return row
		}
	}
	return nil
}

// beginTerm makes the row of a term, in the place of an earlier one of that name.
func beginTerm(rows *Rows[termRow], key Key, e domain.Recorded, b domain.TermEvent, budget string, started time.Time) *termRow {
	row := termOf(rows, key, b.TermID())
	if row == nil {
		row = rows.Add(termRow{Request: key[0], Term: b.TermID(), Tenant: e.Tenant, Service: e.Service})
	}
	*row = termRow{
		Request: row.Request, Term: row.Term, Tenant: row.Tenant, Service: row.Service, Budget: budget, Started: MicrosOf(started),
	}
	row.reckon(e, b)
	return row
}

// reopen has a term go on that stood still or had ended.
func (r *termRow) reopen() { r.Ground, r.Ended, r.Kept = "", 0, "" }

// reckon takes what an event says of the term.
func (r *termRow) reckon(e domain.Recorded, b domain.TermEvent) {
	k := b.Reckoned()
	r.Due, r.Promised, r.Wakes = MicrosOf(k.Due), MicrosOf(k.Promised), MicrosOf(k.Wakes)
	r.Consumed, r.Remaining, r.Suspended, r.Calendar, r.Position = k.Consumed, k.Remaining, k.Suspended, k.Calendar, e.Position
}

// note takes what an event says beside the reckoning.
func (r *termRow) note(e domain.Recorded, b domain.TermEvent) {
	switch b := b.(type) {
	case domain.TermSuspended:
		r.Ground = b.Ground
	case domain.TermResumed:
		r.reopen()
	case domain.TermExpired:
		r.Expired, r.Deemed = MicrosOf(e.Occurred), b.Ground
		if b.Barred != "" {
			r.Deemed = "" // nothing came of it
		}
	case domain.TermEscalated:
		r.Listed = b.Step == domain.StepOmbudsman
	case domain.TermEnded:
		r.Wakes = 0 // there is nothing it waits for
		r.Ended, r.Kept = r.endedAt(e), b.Kept()
	case domain.TermDropped:
		r.Wakes = 0
		r.Ended = r.endedAt(e)
	case domain.TermCarried:
		r.Budget = b.Budget
	}
}

// endedAt is the time at which a term ended: not before it started, whatever the time is
// that the event is dated to.
func (r *termRow) endedAt(e domain.Recorded) Micros { return max(r.Started, MicrosOf(e.Occurred)) }

// end ends a term that is open.
func (r *termRow) end(e domain.Recorded) {
	if r.Ended == 0 {
		r.Ended, r.Wakes = r.endedAt(e), 0
	}
}

// leaveState ends the terms of the state that a request left, and the one that moved it.
func leaveState(rows *Rows[termRow], key Key, e domain.Recorded, by domain.TermID) {
	m, _ := domain.MoveOf(e.Body)
	for row := range rows.All(key) {
		ofState := strings.HasPrefix(string(row.Term), "state:") || strings.HasPrefix(string(row.Term), "review:")
		if m.From != m.To && ofState || by != "" && row.Term == by {
			row.end(e)
		}
	}
}

// migrateTerms renames the rows of a request that goes on under another version, as
// [domain.Evolve] does its ledgers. Where several come under one name, the row stays that
// is open, else the one that ended last; one that has no name any more keeps its own,
// unless another has it now.
func migrateTerms(rows *Rows[termRow], key Key, e domain.Recorded, b domain.RequestMigrated) {
	if b.Came {
		leaveState(rows, key, e, "")
	}
	nameless := func(row *termRow) bool {
		now, mapped := b.Mapping.Terms[row.Term]
		return mapped && now == ""
	}
	taken := map[domain.TermID]bool{}
	for _, row := range slices.SortedFunc(rows.All(key), func(x, y *termRow) int {
		return cmp.Or(flag(nameless(x))-flag(nameless(y)), flag(y.Ended == 0)-flag(x.Ended == 0), cmp.Compare(y.Ended, x.Ended), cmp.Compare(x.Term, y.Term))
	}) {
		now := cmp.Or(b.Mapping.Terms[row.Term], row.Term)
		if taken[now] {
			rows.Remove(key, row)
			continue
		}
		taken[now], row.Term = true, now
	}
}

// Term is a row of the view.
type Term struct {
	Request   uuid.UUID           `json:"request"`
	Reference domain.Reference    `json:"reference,omitempty"` // empty while the view of requests is behind this one
	Term      domain.TermID       `json:"term"`
	Tenant    domain.TenantCode   `json:"tenant"`
	Service   string              `json:"service"`
	Budget    string              `json:"budget,omitempty"`
	Date      string              `json:"date,omitempty"` // the fact that says until when, instead of a budget
	Started   time.Time           `json:"started"`
	Due       time.Time           `json:"due,omitzero"`
	Promised  time.Time           `json:"promised,omitzero"`
	Wakes     time.Time           `json:"wakes,omitzero"`
	Stopped   domain.StopGround   `json:"stopped,omitempty"`
	Consumed  int64               `json:"consumed"` // as last recorded, and so the other two
	Remaining int64               `json:"remaining"`
	Suspended int64               `json:"suspended"`
	Calendar  string              `json:"calendar"`
	Expired   time.Time           `json:"expired,omitzero"`
	Deemed    domain.ExpiryGround `json:"deemed,omitempty"`
	Listed    bool                `json:"listed,omitempty"`
	Ended     time.Time           `json:"ended,omitzero"`
	Late      bool                `json:"late,omitempty"` // it ended after its time
}

// punctuality is that of a row of status, as [domain.Request.Punctuality] has it of the
// terms of law.
const punctuality = `(SELECT CASE WHEN SUM(CASE WHEN term.ended IS NULL THEN 1 ELSE 0 END) > 0 THEN 'open'
	WHEN SUM(CASE WHEN term.kept = 'late' OR term.expired IS NOT NULL THEN 1 ELSE 0 END) > 0 THEN 'late'
	WHEN SUM(CASE WHEN term.kept = 'unknown' THEN 1 ELSE 0 END) > 0 THEN 'unknown'
	WHEN SUM(CASE WHEN term.kept <> '' THEN 1 ELSE 0 END) > 0 THEN 'on_time' ELSE '' END
	FROM term WHERE term.request = status.request AND term.term NOT LIKE 'state:%' AND term.term NOT LIKE 'review:%')`

// TermsView reads the table of terms.
type TermsView struct{ db *sql.DB }

// NewTermsView returns a reader over a database that will have the table.
func NewTermsView(db *sql.DB) *TermsView { return &TermsView{db: db} }

// Waking lists moments before until, in the order in which they come, behind one that
// was seen before.
func (v *TermsView) Waking(ctx context.Context, until time.Time, after domain.Waking, limit int) ([]domain.Waking, error) {
	rows, err := v.db.QueryContext(ctx, `SELECT request, term, wakes FROM term
		WHERE wakes IS NOT NULL AND wakes < $1 AND (wakes, request, term) > ($2, $3, $4) ORDER BY wakes, request, term LIMIT $5`,
		until.UnixMicro(), after.At.UnixMicro(), after.Request.String(), after.Term, limit)
	if err != nil {
		return nil, fmt.Errorf("read terms: %w", err)
	}
	defer rows.Close()
	var list []domain.Waking
	for rows.Next() {
		var w domain.Waking
		var at int64
		if err := rows.Scan(&w.Request, &w.Term, &at); err != nil {
			return nil, fmt.Errorf("read terms: %w", err)
		}
		w.At = time.UnixMicro(at).UTC()
		list = append(list, w)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read terms: %w", err)
	}
	return list, nil
}

// Calendars lists by which calendars the open terms of each tenant were reckoned.
func (v *TermsView) Calendars(ctx context.Context) (map[domain.TenantCode][]string, error) {
	rows, err := v.db.QueryContext(ctx, `SELECT DISTINCT tenant, calendar FROM term WHERE ended IS NULL ORDER BY tenant, calendar`)
	if err != nil {
		return nil, fmt.Errorf("read terms: %w", err)
	}
	defer rows.Close()
	all := map[domain.TenantCode][]string{}
	for rows.Next() {
		var tenant domain.TenantCode
		var calendar string
		if err := rows.Scan(&tenant, &calendar); err != nil {
			return nil, fmt.Errorf("read terms: %w", err)
		}
		all[tenant] = append(all[tenant], calendar)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read terms: %w", err)
	}
	return all, nil
}

// ReckonedBy lists open terms of a tenant that were reckoned by a calendar, in the order
// in which that was recorded, behind a position. An event reckons one
// term, so each has a position of its own.
func (v *TermsView) ReckonedBy(ctx context.Context, tenant domain.TenantCode, calendar string, after domain.Position, limit int) ([]domain.Reckoned, error) {
	rows, err := v.db.QueryContext(ctx, `SELECT request, position FROM term WHERE ended IS NULL AND tenant = $1 AND calendar = $2 AND position > $3
		ORDER BY position LIMIT $4`, tenant, calendar, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read terms: %w", err)
	}
	defer rows.Close()
	var list []domain.Reckoned
	for rows.Next() {
		var r domain.Reckoned
		if err := rows.Scan(&r.Request, &r.Position); err != nil {
			return nil, fmt.Errorf("read terms: %w", err)
		}
		list = append(list, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read terms: %w", err)
	}
	return list, nil
}

// TermFilter narrows a list of terms; an empty field matches everything.
type TermFilter struct {
	Tenant    domain.TenantCode
	Service   string
	Request   uuid.UUID
	DueBefore time.Time // to the microsecond
	Open      bool      // those that are still counted
	Stopped   bool      // of these, those that stand still
	Expired   bool      // that have run out
	Deemed    bool      // on which the law decided
	Listed    bool      // that the ombudsman sees
	Limit     int       // 0: no limit
}

// List returns terms in the order in which they are due; those that stand still come
// last.
func (v *TermsView) List(ctx context.Context, f TermFilter) ([]Term, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 1 << 62
	}
	request := ""
	if f.Request != uuid.Nil {
		request = f.Request.String()
	}
	rows, err := v.db.QueryContext(ctx, `SELECT request, (SELECT reference FROM status WHERE status.request = term.request), term, tenant, service, budget, started,
		due, promised, wakes, ground, consumed, remaining, suspended, calendar, expired, deemed, listed, ended, date, kept FROM term
		WHERE ($1 = '' OR tenant = $1) AND ($2 = '' OR service = $2) AND ($3 = '' OR request = $3) AND (CAST($4 AS BIGINT) = 0 OR due < $4)
		AND ($5 = 0 OR ended IS NULL) AND ($6 = 0 OR ended IS NULL AND ground <> '') AND ($7 = 0 OR expired IS NOT NULL)
		AND ($8 = 0 OR deemed <> '') AND ($9 = 0 OR listed = 1)
		ORDER BY CASE WHEN due IS NULL THEN 1 ELSE 0 END, due, request, term LIMIT $10`,
		f.Tenant, f.Service, request, before(f.DueBefore), flag(f.Open), flag(f.Stopped), flag(f.Expired), flag(f.Deemed), flag(f.Listed), limit)
	if err != nil {
		return nil, fmt.Errorf("list terms: %w", err)
	}
	defer rows.Close()
	list := []Term{}
	for rows.Next() {
		t, err := scanTerm(rows)
		if err != nil {
			return nil, fmt.Errorf("list terms: %w", err)
		}
		list = append(list, t)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list terms: %w", err)
	}
	return list, nil
}

func scanTerm(rows *sql.Rows) (Term, error) {
	var t Term
	var started, listed int64
	var due, promised, wakes, expired, ended sql.NullInt64
	var kept domain.Punctuality
	var reference sql.NullString
	err := rows.Scan(&t.Request, &reference, &t.Term, &t.Tenant, &t.Service, &t.Budget, &started, &due, &promised, &wakes, &t.Stopped,
		&t.Consumed, &t.Remaining, &t.Suspended, &t.Calendar, &expired, &t.Deemed, &listed, &ended, &t.Date, &kept)
	t.Reference = domain.Reference(reference.String)
	t.Started, t.Listed, t.Late = time.UnixMicro(started).UTC(), listed == 1, kept == domain.PunctualityLate
	t.Due, t.Promised, t.Wakes, t.Expired, t.Ended = moment(due), moment(promised), moment(wakes), moment(expired), moment(ended)
	return t, err
}

func moment(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMicro(n.Int64).UTC()
}

func before(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
