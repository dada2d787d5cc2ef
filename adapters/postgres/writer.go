package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alur-id/alur/domain"
)

// writer is the connection that appends. Only the committer uses it.
type writer struct {
	config *pgx.ConnConfig
	conn   *conn // nil when there is none

	// The server's process for the connection, by its id and when it began.
	pid, began string
	lost       bool          // of a connection that is gone: the process may not have noticed
	backend    atomic.Uint32 // pid, for others to read; 0 when there is no connection

	kept    kept
	stopped error // for good: what was kept is not there any more
}

var (
	appendEvents = statement{"append", `SELECT tip, heads FROM alur_log.append($1, $2, $3, $4, $5, $6, $7, $8, $9)`}
	selectIDs    = statement{"ids", `SELECT position, id FROM alur_log.event WHERE stream = $1 AND version > $2 AND version <= $3 ORDER BY version`}
)

// connect makes sure of a connection on which a commit is durable.
func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil || w.stopped != nil {
		return w.stopped
	}
	c, err := connect(ctx, w.config)
	if err != nil {
		return err
	}
	if err = w.replace(ctx, c); err == nil {
		err = w.kept.check(ctx, c)
	}
	if err != nil {
		c.drop()
		w.backend.Store(0)
		if errors.Is(err, domain.ErrStopped) {
			w.stopped = err
		}
		return err
	}
	w.conn = c
	return nil
}

// replace ends the process that served the connection before, if it is still
// there: it may hold the lock that all who append wait for, and wait itself for
// the rest of a message that will never come.
func (w *writer) replace(ctx context.Context, c *conn) error {
	if w.lost {
		// It may be a server where this is not allowed, or another server.
		_, err := texts(ctx, c.PgConn, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid = `+w.pid+` AND backend_start::text = '`+w.began+`'`)
		if err != nil && weigh(err) == passing {
			return err
		}
	}
	row, err := texts(ctx, c.PgConn, `SELECT pid::text, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()`)
	if err != nil {
		return err
	}
	w.pid, w.began, w.lost = row[0], row[1], false
	pid, err := strconv.ParseUint(w.pid, 10, 32)
	w.backend.Store(uint32(pid))
	return err
}

func (w *writer) end() {
	if w.conn != nil {
		w.conn.part()
	}
}

// record makes one attempt to record a group, and says where the log ends. When
// it returns nil, the parts of the requests have their outcomes.
func (w *writer) record(ctx context.Context, g []request) (domain.Position, error) {
	if err := w.connect(ctx); err != nil {
		return 0, err
	}
	head, err := w.transact(ctx, g)
	if err != nil && (weigh(err) != lasting || w.conn.IsClosed()) || ctx.Err() != nil {
		w.conn.drop()
		w.conn, w.lost = nil, true
		w.backend.Store(0)
	}
	if err == nil {
		w.kept.see(g)
	}
	return head, err
}

func (w *writer) transact(ctx context.Context, g []request) (domain.Position, error) {
	head, heads, err := w.append(ctx, g)
	if err != nil {
		return 0, err
	}
	var before []earlier
	for n := range g {
		if r := &g[n]; heads[n] == int64(r.expected) {
			head = r.recorded(head)
			continue
		}
		for _, part := range g[n].refused(domain.Version(heads[n])) {
			before = append(before, earlier{&g[n], part})
		}
	}
	return head, w.repeated(ctx, before)
}

// append sends the events and returns where the log ended before, and at which
// version each stream was.
func (w *writer) append(ctx context.Context, g []request) (domain.Position, []int64, error) {
	rows, err := w.conn.run(ctx, appendEvents, arguments(g)...)
	if err != nil {
		return 0, nil, err
	}
	var tip domain.Position
	var heads []int64
	var broken error
	for rows.NextRow() {
		tip = domain.Position(number(rows.Values()[0]))
		heads, broken = numbers(rows.Values()[1], len(g))
	}
	if _, err := rows.Close(); err != nil {
		return 0, nil, err
	}
	if broken == nil && heads == nil {
		broken = fmt.Errorf("%w: no answer to an append", errDamaged)
	}
	return tip, heads, broken
}

// arguments are those of the function append.
func arguments(g []request) [][]byte {
	// The sizes are exact where much is copied: an array that grew would be twice so.
	events, names, meta, data := 0, 0, 0, 0
	for _, r := range g {
		events, names = events+r.events, names+len(r.stream)
		for _, p := range r.parts {
			for _, e := range p.append().Entries {
				meta, data = meta+len(e.Meta), data+len(e.Data)
			}
		}
	}
	streams, expected := newArray(oidText, len(g), names), newArray(oidInt8, len(g), 8*len(g))
	owners, versions := newArray(oidInt8, events, 8*events), newArray(oidInt8, events, 8*events)
	ids, types := newArray(oidUUID, events, 16*events), newArray(oidText, events, 16*events)
	schemas := newArray(oidInt8, events, 8*events)
	metas, datas := newArray(oidBytes, events, meta), newArray(oidBytes, events, data)
	for n, r := range g {
		add(streams, r.stream)
		expected.addNumber(int64(r.expected))
		for _, p := range r.parts {
			for _, e := range p.append().Entries {
				owners.addNumber(int64(n + 1))
				versions.addNumber(int64(e.Version))
				add(ids, e.ID[:])
				add(types, e.Type)
				schemas.addNumber(int64(e.Schema))
				add(metas, e.Meta)
				add(datas, e.Data)
			}
		}
	}
	return [][]byte{
		streams.done(), expected.done(), owners.done(), versions.done(), ids.done(), types.done(),
		schemas.done(), metas.done(), datas.done(),
	}
}

// earlier is a part of a request whose versions are all taken.
type earlier struct {
	*request
	part int
}

// repeated looks which parts were recorded before, by the ids of their events.
// Events never change, so it may look after the transaction.
func (w *writer) repeated(ctx context.Context, parts []earlier) error {
	if len(parts) == 0 {
		return nil
	}
	if err := w.conn.prepare(ctx, selectIDs); err != nil {
		return err
	}
	batch := &pgconn.Batch{}
	for _, e := range parts {
		a := e.parts[e.part].append()
		batch.ExecPrepared(selectIDs.name, [][]byte{
			[]byte(a.Stream), int8Of(int64(a.Expected)), int8Of(int64(a.Expected) + int64(len(a.Entries))),
		}, binaryFormat, binaryFormat)
	}
	results := w.conn.ExecBatch(ctx, batch)
	found := false
	for n := 0; results.NextResult(); n++ {
		found = parts[n].compare(results.ResultReader()) || found
	}
	if err := results.Close(); err != nil || !found {
		return err
	}
	return w.overtake(ctx)
}

// overtake commits something, and so waits for what every commit waits for. What is
// there was committed, but it may be that a standby which must have it does not yet:
// who waited for that was cut off, maybe by replace, and events then show without.
func (w *writer) overtake(ctx context.Context) error {
	_, err := texts(ctx, w.conn.PgConn, `SELECT pg_logical_emit_message(true, 'alur', '')`)
	return err
}

// compare gives the part its outcome if the events that are in its place have its
// ids, and tells whether they have.
func (e earlier) compare(rows *pgconn.ResultReader) bool {
	a := e.parts[e.part].append()
	same := 0
	var last domain.Position
	for n := 0; rows.NextRow(); n++ {
		last = domain.Position(number(rows.Values()[0]))
		if id, err := idOf(rows.Values()[1]); err == nil && n < len(a.Entries) && id == a.Entries[n].ID {
			same++
		}
	}
	if same != len(a.Entries) {
		return false
	}
	e.outcomes[e.part] = outcome{done: domain.Appended{Version: a.Expected + domain.Version(same), Position: last, Repeated: true}}
	return true
}
