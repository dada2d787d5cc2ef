package projections

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
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
	late      BIGINT, -- 1: it ended after its time, 0: in time; none while it is open, or was dropped
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

// Apply implements [Projection].
func (TermsProjection) Apply(ctx context.Context, tx *sql.Tx, events []domain.Recorded) error {
	t := termsTx{ctx: ctx, tx: tx}
	for _, e := range events {
		if err := t.apply(e); err != nil {
			return fmt.Errorf("position %d: %w", e.Position, err)
		}
	}
	return nil
}

type termsTx struct {
	ctx context.Context
	tx  *sql.Tx
}

func (t *termsTx) apply(e domain.Recorded) error {
	request := requestOf(e.Stream)
	switch b := e.Body.(type) {
	case domain.TermStarted:
		if !b.Since.IsZero() {
			return t.begins(e, b, b.Budget, b.Date, b.Since)
		}
		return t.begins(e, b, b.Budget, b.Date, e.Occurred)
	case domain.TermContinued:
		if b.Of == b.Term {
			return t.reckoned(e, b, `, ground = $11, ended = NULL, late = NULL`, "")
		}
		return t.begins(e, b, b.Budget, "", b.Since)
	case domain.TermSuspended:
		return t.reckoned(e, b, `, ground = $11`, b.Ground)
	case domain.TermResumed:
		return t.reckoned(e, b, `, ground = $11, ended = NULL, late = NULL`, "")
	case domain.TermExpired:
		deemed := b.Ground
		if b.Barred != "" {
			deemed = "" // nothing came of it
		}
		return t.reckoned(e, b, `, expired = $11, deemed = $12`, e.Occurred.UnixMicro(), deemed)
	case domain.TermEscalated:
		return t.reckoned(e, b, `, listed = $11`, flag(b.Step == domain.StepOmbudsman))
	case domain.TermEnded:
		b.Wakes = time.Time{} // there is nothing it waits for
		return t.reckoned(e, b, `, ended = `+endedAt("$11")+`, late = $12`, e.Occurred.UnixMicro(), flag(b.Late))
	case domain.TermCarried:
		return t.reckoned(e, b, `, budget = $11`, b.Budget)
	case domain.TermDropped:
		b.Wakes = time.Time{}
		return t.reckoned(e, b, `, ended = `+endedAt("$11"), e.Occurred.UnixMicro())
	case domain.TermEvent: // nothing but another reckoning
		return t.reckoned(e, b, ``)
	case domain.RequestMigrated:
		return t.migrated(e, request, b)
	case domain.ReviewGiven:
		return t.exec(`UPDATE term SET ended = `+endedAt("$1")+`, wakes = NULL WHERE request = $2 AND term = $3 AND ended IS NULL`, e.Occurred.UnixMicro(), request, domain.ReviewTerm(b.Review))
	case domain.ActionTaken:
		return t.left(e, request, "")
	case domain.DecisionDeemed:
		return t.left(e, request, b.Term)
	case domain.RequestLapsed:
		return t.left(e, request, b.Term)
	}
	return nil
}

// begins makes the row of a term, in the place of an earlier one of that name.
func (t *termsTx) begins(e domain.Recorded, b domain.TermEvent, budget, date string, started time.Time) error {
	k := b.Reckoned()
	return t.exec(`INSERT INTO term (request, term, tenant, service, budget, started, due, promised, wakes, ground, consumed, remaining, suspended, calendar, deemed, listed, position, date)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', $10, $11, $12, $13, '', 0, $14, $15)
		ON CONFLICT (request, term) DO UPDATE SET budget = excluded.budget, date = excluded.date, started = excluded.started, due = excluded.due, promised = excluded.promised,
		wakes = excluded.wakes, ground = '', consumed = excluded.consumed, remaining = excluded.remaining, suspended = excluded.suspended,
		calendar = excluded.calendar, expired = NULL, deemed = '', listed = 0, late = NULL, ended = NULL, position = excluded.position`,
		requestOf(e.Stream), b.TermID(), e.Tenant, e.Service, budget, started.UnixMicro(), micros(k.Due), micros(k.Promised), micros(k.Wakes), k.Consumed, k.Remaining, k.Suspended, k.Calendar, e.Position, date)
}

// endedAt is the time at which a term ended: not before it started, whatever the time is
// that the event is dated to.
func endedAt(parameter string) string {
	return `CASE WHEN started > ` + parameter + ` THEN started ELSE ` + parameter + ` END`
}

func (t *termsTx) exec(text string, args ...any) error {
	_, err := t.tx.ExecContext(t.ctx, text, args...)
	return err
}

// reckoned updates a row with what an event says of the term, and more.
func (t *termsTx) reckoned(e domain.Recorded, b domain.TermEvent, more string, args ...any) error {
	k := b.Reckoned()
	set := `due = $3, promised = $4, wakes = $5, consumed = $6, remaining = $7, suspended = $8, calendar = $9, position = $10` + more
	return t.exec(`UPDATE term SET `+set+` WHERE request = $1 AND term = $2`,
		append([]any{requestOf(e.Stream), b.TermID(), micros(k.Due), micros(k.Promised), micros(k.Wakes), k.Consumed, k.Remaining, k.Suspended, k.Calendar, e.Position}, args...)...)
}

// left ends the terms of the state that a request left, and the one that moved it.
func (t *termsTx) left(e domain.Recorded, request string, by domain.TermID) error {
	m, _ := domain.MoveOf(e.Body)
	if m.From != m.To {
		if err := t.exec(`UPDATE term SET ended = `+endedAt("$1")+`, wakes = NULL WHERE request = $2 AND ended IS NULL AND (term LIKE 'state:%' OR term LIKE 'review:%')`,
			e.Occurred.UnixMicro(), request); err != nil {
			return err
		}
	}
	if by == "" {
		return nil
	}
	return t.exec(`UPDATE term SET ended = `+endedAt("$1")+`, wakes = NULL WHERE request = $2 AND term = $3 AND ended IS NULL`, e.Occurred.UnixMicro(), request, by)
}

// migrated renames the rows of a request that goes on under another version, as
// [domain.Evolve] does its ledgers.
func (t *termsTx) migrated(e domain.Recorded, request string, b domain.RequestMigrated) error {
	if b.Came {
		if err := t.left(e, request, ""); err != nil {
			return err
		}
	}
	by := map[domain.TermID][]any{} // which rows come under a name
	for _, id := range slices.Sorted(maps.Keys(b.Mapping.Terms)) {
		if now := b.Mapping.Terms[id]; now != "" {
			by[now] = append(by[now], "was:"+string(id))
		}
	}
	for now := range by {
		if _, mapped := b.Mapping.Terms[now]; !mapped { // it keeps its name, if it is there
			by[now] = append(by[now], "was:"+string(now))
		}
	}
	// Names may change places: none is in use while they do.
	for _, rows := range by {
		for _, was := range rows {
			if err := t.exec(`UPDATE term SET term = $1 WHERE request = $2 AND term = $3`, was, request, strings.TrimPrefix(was.(string), "was:")); err != nil {
				return err
			}
		}
	}
	for now, rows := range by {
		if err := t.exec(`DELETE FROM term WHERE request = $1 AND term = $2`, request, now); err != nil {
			return err
		}
		// The row that is open, else the one that ended last.
		one := `SELECT term FROM term WHERE request = $2 AND term IN (` + strings.TrimPrefix(placeholders(len(rows)+2), "$1, $2, ") + `) ORDER BY ended IS NULL DESC, ended DESC, term LIMIT 1`
		if err := t.exec(`UPDATE term SET term = $1 WHERE request = $2 AND term = (`+one+`)`, append([]any{now, request}, rows...)...); err != nil {
			return err
		}
	}
	return t.exec(`DELETE FROM term WHERE request = $1 AND term LIKE 'was:%'`, request)
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
	WHEN SUM(CASE WHEN term.late = 1 OR term.expired IS NOT NULL THEN 1 ELSE 0 END) > 0 THEN 'late'
	WHEN COUNT(term.late) > 0 THEN 'on_time' ELSE '' END
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
		due, promised, wakes, ground, consumed, remaining, suspended, calendar, expired, deemed, listed, ended, date, late FROM term
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
	var due, promised, wakes, expired, ended, late sql.NullInt64
	var reference sql.NullString
	err := rows.Scan(&t.Request, &reference, &t.Term, &t.Tenant, &t.Service, &t.Budget, &started, &due, &promised, &wakes, &t.Stopped,
		&t.Consumed, &t.Remaining, &t.Suspended, &t.Calendar, &expired, &t.Deemed, &listed, &ended, &t.Date, &late)
	t.Reference = domain.Reference(reference.String)
	t.Started, t.Listed, t.Late = time.UnixMicro(started).UTC(), listed == 1, late.Int64 == 1
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
