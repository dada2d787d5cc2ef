package projections

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Queue is how the queue of one state of a service at an office stands.
type Queue struct {
	Tenant  domain.TenantCode `json:"tenant"`
	Service string            `json:"service"`
	Office  string            `json:"office,omitempty"`
	State   domain.StateID    `json:"state"`
	Waiting int               `json:"waiting"`         // ready, and taken by nobody
	Oldest  time.Time         `json:"oldest,omitzero"` // since when the first of these is ready
	Taken   int               `json:"taken_today"`     // an officer took it, or was given it, in the tenant's day so far
	Done    int               `json:"done_today"`      // somebody had it, and it went on, however: what ended with nobody having it was not done
}

// QueueFilter narrows the queues of a tenant; an empty field matches everything.
type QueueFilter struct {
	Tenant  domain.TenantCode
	Service string
	Office  string
	State   domain.StateID
}

func (f *QueueFilter) args(more ...any) []any {
	return append([]any{f.Tenant, f.Service, f.Office, f.State}, more...)
}

// queueWaiting is who waits, as the index says it that has nobody else.
const queueWaiting = ` how = '' AND gone IS NULL AND rule <> ''`

// where is the condition of what a filter lets through and, where there is one, of when;
// and what stands for its numbers. A column that is not asked for is not named: by those
// that are, an index leads to the rows.
func (f *QueueFilter) where(when string, from, until time.Time) (text string, args []any) {
	text, args = ` tenant = $1`, []any{f.Tenant}
	and := func(condition string, value any) {
		args = append(args, value)
		text += fmt.Sprintf(` AND %s $%d`, condition, len(args))
	}
	if f.Service != "" {
		and(`service =`, f.Service)
	}
	if f.Office != "" {
		and(`office =`, f.Office)
	}
	if f.State != "" {
		and(`state =`, f.State)
	}
	if when != "" {
		and(when+` >=`, from.UnixMicro())
		and(when+` <`, until.UnixMicro())
	}
	return text, args
}

// QueueView reads the queue table. Where two became ready at the same moment, the order
// is that of their request's ids, which nobody chose.
type QueueView struct{ db querier }

// querier is what is needed of a [sql.DB] to read.
type querier interface {
	QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, statement string, args ...any) *sql.Row
}

// NewQueueView returns a reader over a database that will have the table.
func NewQueueView(db *sql.DB) *QueueView { return &QueueView{db} }

// List returns the queues in which somebody waits, or that moved today, in the order of
// service, office and state. Now says which day it is for the tenant.
func (v *QueueView) List(ctx context.Context, f QueueFilter, now time.Time) ([]Queue, error) {
	day := now.In(f.Tenant.Zone())
	from := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, day.Location())
	until := from.AddDate(0, 0, 1)
	type name struct {
		service, office string
		state           domain.StateID
	}
	found := map[name]*Queue{}
	read := func(what, when string, put func(q *Queue, n int, oldest Micros)) error {
		where, args := f.where(when, from, until)
		rows, err := v.db.QueryContext(ctx, `SELECT service, office, state, COUNT(*), MIN(ready) FROM queue
			WHERE`+where+what+` GROUP BY service, office, state`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var k name
			var n int
			var oldest Micros
			if err := rows.Scan(&k.service, &k.office, &k.state, &n, &oldest); err != nil {
				return err
			}
			if found[k] == nil {
				found[k] = &Queue{Tenant: f.Tenant, Service: k.service, Office: k.office, State: k.state}
			}
			put(found[k], n, oldest)
		}
		return rows.Err()
	}
	err := errors.Join(
		read(` AND`+queueWaiting, "", func(q *Queue, n int, oldest Micros) { q.Waiting, q.Oldest = n, oldest.Time() }),
		read("", "taken", func(q *Queue, n int, _ Micros) { q.Taken = n }),
		read(` AND moved = 0 AND how <> '' AND rule <> ''`, "gone", func(q *Queue, n int, _ Micros) { q.Done = n }))
	if err != nil {
		return nil, fmt.Errorf("read queues: %w", err)
	}
	list := []Queue{}
	for _, q := range found {
		list = append(list, *q)
	}
	slices.SortFunc(list, func(a, b Queue) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Office, b.Office), cmp.Compare(a.State, b.State))
	})
	return list, nil
}

// Waiting is a request that waits in a queue.
type Waiting struct {
	Request   uuid.UUID        `json:"request"`
	Reference domain.Reference `json:"reference,omitempty"` // empty while the view of requests is behind this one
	Position  int              `json:"position"`            // 1 for the next
	Ready     time.Time        `json:"ready"`
	Overtaken int              `json:"overtaken"` // by how many that became ready later
}

// overtook joins each row that tells of a request that waits, in the queues in which it
// did one after the other, with those of what became ready later and was taken from that
// queue while it waited there. Each was taken once, so it is in no two of these. When
// it was taken is asked so that no index serves it, and that it has a version is said for
// the index that does: few became ready later and were taken first, but what was taken
// since the first of a long queue came is much.
const overtook = ` FROM queue AS was JOIN queue AS o ON o.tenant = was.tenant AND o.service = was.service AND o.office = was.office AND o.state = was.state
	AND (o.ready, o.request, o.version) > (was.ready, was.request, was.version) AND was.rule <> '' AND was.how = ''
	AND o.version > 0 AND o.taken IS NOT NULL AND o.taken + 0 >= was.came AND (was.gone IS NULL OR o.taken < was.gone)`

// Line returns the first of a queue, in their order: by when each became ready. The
// filter names the queue: its service, office and state.
func (v *QueueView) Line(ctx context.Context, f QueueFilter, limit int) ([]Waiting, error) {
	rows, err := v.db.QueryContext(ctx, `SELECT request, (SELECT reference FROM status WHERE status.request = w.request), ready,
		(SELECT COUNT(*)`+overtook+` WHERE was.request = w.request AND was.ready = w.ready AND was.version <= w.version)
		FROM queue AS w WHERE`+queueWaiting+` AND w.tenant = $1 AND w.service = $2 AND w.office = $3 AND w.state = $4
		ORDER BY ready, request, version LIMIT $5`, f.args(limit)...)
	if err != nil {
		return nil, fmt.Errorf("read queue: %w", err)
	}
	defer rows.Close()
	list := []Waiting{}
	for rows.Next() {
		w := Waiting{Position: len(list) + 1}
		var reference sql.NullString
		var ready Micros
		if err := rows.Scan(&w.Request, &reference, &ready, &w.Overtaken); err != nil {
			return nil, fmt.Errorf("read queue: %w", err)
		}
		w.Reference, w.Ready = domain.Reference(reference.String), ready.Time()
		list = append(list, w)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read queue: %w", err)
	}
	return list, nil
}

// Place is where a request stands in its queue.
type Place struct {
	Service   string         `json:"service"`
	Office    string         `json:"office,omitempty"`
	State     domain.StateID `json:"state"`
	Rule      string         `json:"rule"` // by which the work is given out
	Ready     time.Time      `json:"ready"`
	Position  int            `json:"position"`  // 1 for the next
	Waiting   int            `json:"waiting"`   // all of them
	Overtaken []Overtaking   `json:"overtaken"` // by what became ready later and was taken before
}

// Overtakers is by how many a request was overtaken.
func (p Place) Overtakers() int {
	n := 0
	for _, o := range p.Overtaken {
		n += o.Count
	}
	return n
}

// Overtaking is how some that came later were taken before, as it is recorded.
type Overtaking struct {
	How    Taking            `json:"how"`
	Rule   string            `json:"rule"`
	Reason domain.ReasonCode `json:"reason,omitempty"` // of whoever gave it to somebody by name
	Count  int               `json:"count"`
}

// Of is where a request waits; false if it waits in no queue.
func (v *QueueView) Of(ctx context.Context, request uuid.UUID) (Place, bool, error) {
	var p Place
	var f QueueFilter
	var version domain.Version
	var ready Micros
	err := v.db.QueryRowContext(ctx, `SELECT tenant, service, office, state, rule, version, ready FROM queue
		WHERE request = $1 AND`+queueWaiting, request.String()).Scan(&f.Tenant, &f.Service, &f.Office, &f.State, &p.Rule, &version, &ready)
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	if err != nil {
		return p, false, fmt.Errorf("read queue: %w", err)
	}
	p.Service, p.Office, p.State, p.Ready, p.Overtaken = f.Service, f.Office, f.State, ready.Time(), []Overtaking{}
	const one = ` FROM queue WHERE tenant = $1 AND service = $2 AND office = $3 AND state = $4`
	if err := v.db.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN (ready, request, version) <= ($5, $6, $7) THEN 1 ELSE 0 END), 0)`+one+` AND`+queueWaiting, f.args(int64(ready), request.String(), version)...).Scan(&p.Waiting, &p.Position); err != nil {
		return p, false, fmt.Errorf("read queue: %w", err)
	}
	rows, err := v.db.QueryContext(ctx, `SELECT o.how, o.rule, o.reason, COUNT(*)`+overtook+` WHERE was.request = $1 AND was.ready = $2 AND was.version <= $3
		GROUP BY o.how, o.rule, o.reason ORDER BY o.how, o.rule, o.reason`, request.String(), int64(ready), version)
	if err != nil {
		return p, false, fmt.Errorf("read queue: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var o Overtaking
		if err := rows.Scan(&o.How, &o.Rule, &o.Reason, &o.Count); err != nil {
			return p, false, fmt.Errorf("read queue: %w", err)
		}
		p.Overtaken = append(p.Overtaken, o)
	}
	if err := rows.Err(); err != nil {
		return p, false, fmt.Errorf("read queue: %w", err)
	}
	return p, true, nil
}
