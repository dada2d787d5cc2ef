package projections

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/alur-id/alur/domain"
)

// Projection is a fold of events into the rows of an SQL table. Apply must depend on
// nothing but the rows and the events; the runner calls it with every event of the
// log, once, in order, many at a time. A [Table] does the folding.
type Projection interface {
	// Name is the name of the view and of its one table.
	Name() string
	// Schema creates the table and its indexes. When its text differs from the
	// one the rows were made with, the table is dropped and built anew.
	Schema() string
	// Apply folds events into the table, as [Table.Apply] does. An error undoes all of
	// them.
	Apply(ctx context.Context, tx Tx, events []domain.Recorded) error
}

// Views are the views of one log, and the runner that keeps them current: rows
// and checkpoint move in one transaction, so that no event is folded twice or
// left out, whenever the process dies. It is safe for concurrent use, and
// several processes may run the same views: a checkpoint moves only from where
// the mover saw it.
type Views struct {
	log    domain.EventLog
	db     *sql.DB
	logger *slog.Logger
	views  []*view
}

// view is one projection and how far it is.
type view struct {
	Projection
	step  sync.Mutex // one step at a time in this process
	short bool       // the log was seen to end before the checkpoint; of the one who steps

	mu       sync.Mutex
	position domain.Position
	err      error         // why it does not advance, nil when it does
	moved    chan struct{} // closed and replaced when position changes
}

// batchSize is how many events one transaction folds.
const batchSize = 2000

// NewViews prepares the tables of the projections in a database that can be
// written. Views of another log, or made by another version of a projection,
// are emptied and will be built anew.
func NewViews(ctx context.Context, log domain.EventLog, db *sql.DB, logger *slog.Logger, projections ...Projection) (*Views, error) {
	v := &Views{log: log, db: db, logger: logger}
	if err := createCheckpoint(ctx, db); err != nil {
		return nil, fmt.Errorf("prepare views: %w", err)
	}
	if err := v.drop(ctx, retired); err != nil {
		return nil, fmt.Errorf("prepare views: %w", err)
	}
	for _, p := range projections {
		w := &view{Projection: p, moved: make(chan struct{})}
		var err error
		if w.position, err = v.prepare(ctx, p); err != nil {
			return nil, fmt.Errorf("prepare view %s: %w", p.Name(), err)
		}
		v.views = append(v.views, w)
	}
	return v, nil
}

// retired are views that an earlier Alur kept. What they hold is nobody's to scrub
// any more, so it goes.
var retired = []string{"holding"}

func (v *Views) drop(ctx context.Context, names []string) error {
	for _, name := range names {
		if _, err := v.db.ExecContext(ctx, `DROP TABLE IF EXISTS `+name); err != nil {
			return err
		}
		if _, err := v.db.ExecContext(ctx, `DELETE FROM checkpoint WHERE projection = $1`, name); err != nil {
			return err
		}
	}
	return nil
}

// createCheckpoint tries twice: of several processes that create the table at once,
// PostgreSQL fails all but one, which then find it.
func createCheckpoint(ctx context.Context, db *sql.DB) error {
	var err error
	for range 2 {
		_, err = db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS checkpoint (
			projection TEXT PRIMARY KEY, shape TEXT NOT NULL, position BIGINT NOT NULL, event TEXT NOT NULL)`)
		if err == nil {
			return nil
		}
	}
	return err
}

// prepare returns where the view stands, after emptying it if its rows are not
// of this log and shape. Of several processes, one does that: the row of the
// checkpoint is what the others wait for.
func (v *Views) prepare(ctx context.Context, p Projection) (domain.Position, error) {
	sum := sha256.Sum256([]byte(p.Schema()))
	shape := hex.EncodeToString(sum[:8])
	tx, err := v.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }() // after a commit there is nothing to roll back
	if _, err := tx.ExecContext(ctx, `INSERT INTO checkpoint (projection, shape, position, event) VALUES ($1, '', 0, '') ON CONFLICT DO NOTHING`, p.Name()); err != nil {
		return 0, err
	}
	var was, event string
	var position domain.Position
	err = tx.QueryRowContext(ctx, `UPDATE checkpoint SET position = position WHERE projection = $1 RETURNING shape, position, event`, p.Name()).Scan(&was, &position, &event)
	if err != nil {
		return 0, err
	}
	if was == shape {
		same, err := v.sameLog(ctx, position, event)
		if err != nil || same {
			return position, err
		}
		v.logger.WarnContext(ctx, "the view belongs to another log and is built anew", "view", p.Name())
	}
	for _, statement := range []string{`DROP TABLE IF EXISTS ` + p.Name(), p.Schema()} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return 0, err
		}
	}
	if _, err = tx.ExecContext(ctx, `UPDATE checkpoint SET shape = $1, position = 0, event = '' WHERE projection = $2`, shape, p.Name()); err != nil {
		return 0, err
	}
	return 0, tx.Commit()
}

// sameLog reports whether the log has the event that the checkpoint names, at
// its position.
func (v *Views) sameLog(ctx context.Context, position domain.Position, event string) (bool, error) {
	if position == 0 {
		return true, nil
	}
	for e, err := range v.log.ReadAll(ctx, position-1) {
		return err == nil && e.Position == position && e.ID.String() == event, err
	}
	return false, nil
}

// Run follows the log until the context ends. A view that cannot fold an event
// stops there, says so in its health, and is tried again; the others go on.
func (v *Views) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, w := range v.views {
		wg.Go(func() { v.follow(ctx, w) })
	}
	wg.Wait()
}

// retryAfter is how long a view that failed rests.
const retryAfter = 2 * time.Second

func (v *Views) follow(ctx context.Context, w *view) {
	for ctx.Err() == nil {
		err := v.catchUp(ctx, w)
		if err == nil {
			err = v.wait(ctx, w.at())
		}
		if err == nil || ctx.Err() != nil {
			continue
		}
		v.logger.ErrorContext(ctx, "the view does not advance", "view", w.Name(), "position", w.at(), "error", err)
		select {
		case <-time.After(retryAfter):
		case <-ctx.Done():
		}
	}
}

// lookAgain is how soon a view that has nothing to do looks whether the log still
// has what it folded.
const lookAgain = 5 * time.Second

func (v *Views) wait(ctx context.Context, after domain.Position) error {
	some, cancel := context.WithTimeout(ctx, lookAgain)
	defer cancel()
	err := v.log.Wait(some, after)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil
	}
	return err
}

// CatchUp folds everything that the log holds now.
func (v *Views) CatchUp(ctx context.Context) error {
	for _, w := range v.views {
		if err := v.catchUp(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

func (v *Views) catchUp(ctx context.Context, w *view) error {
	for {
		n, err := v.advance(ctx, w)
		if ctx.Err() == nil {
			w.note(err)
		}
		if err != nil {
			return fmt.Errorf("view %s: %w", w.Name(), err)
		}
		if n < batchSize {
			return nil
		}
	}
}

// advance folds one batch. It reads the checkpoint by changing it, which locks the
// row on PostgreSQL and the file on SQLite: another process cannot be folding the
// same events. Where the lock does not give that, the guarded update does.
func (v *Views) advance(ctx context.Context, w *view) (int, error) {
	w.step.Lock()
	defer w.step.Unlock()
	head, err := v.log.Head(ctx)
	if err != nil || head == w.at() {
		return 0, err
	}
	tx, err := v.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }() // after a commit there is nothing to roll back
	var position domain.Position
	var event string
	if err := tx.QueryRowContext(ctx, `UPDATE checkpoint SET position = position WHERE projection = $1 RETURNING position, event`, w.Name()).Scan(&position, &event); err != nil {
		return 0, err
	}
	batch, same, fault := v.behind(ctx, position, event) // a fault of the log: what comes before it is folded first
	if !same {
		return 0, errors.Join(tx.Rollback(), v.missing(ctx, w, head < position))
	}
	w.short = false
	if len(batch) == 0 {
		w.move(position)
		return 0, fault
	}
	if err := w.Apply(ctx, sqlTx{tx}, batch); err != nil {
		return 0, err
	}
	last := batch[len(batch)-1]
	moved, err := tx.ExecContext(ctx, `UPDATE checkpoint SET position = $1, event = $2 WHERE projection = $3 AND position = $4`,
		last.Position, last.ID.String(), w.Name(), position)
	if err != nil {
		return 0, err
	}
	if n, err := moved.RowsAffected(); err != nil || n != 1 {
		return 0, errors.Join(errors.New("another runner moved the checkpoint"), err)
	}
	if err := tx.Commit(); err != nil {
		return 0, err
	}
	w.move(last.Position)
	return len(batch), fault
}

// behind reads the batch behind a checkpoint. It begins with the event of the
// checkpoint itself: a log that does not have it any more, because its server lost
// what it had acknowledged, is not the one that was folded.
func (v *Views) behind(ctx context.Context, position domain.Position, event string) (batch []domain.Recorded, same bool, fault error) {
	same = position == 0
	for e, err := range domain.Events(v.log.ReadAll(ctx, max(position-1, 0))) {
		if err != nil {
			return batch, same || len(batch) == 0, err
		}
		if !same {
			if e.Position != position || e.ID.String() != event {
				return nil, false, nil
			}
			same = true
			continue
		}
		if batch = append(batch, e); len(batch) == batchSize {
			break
		}
	}
	return batch, same, nil
}

// missing deals with a log that does not have what was folded. One that ends before
// it may be a server that is only late: it is given another look. Else the view is
// emptied and built again.
func (v *Views) missing(ctx context.Context, w *view, short bool) error {
	if short && !w.short {
		w.short = true
		return errors.New("the log ends before what the view had folded")
	}
	w.short = false
	position, err := v.prepare(ctx, w.Projection)
	if err != nil {
		return err
	}
	w.move(position)
	return errRestored
}

var errRestored = errors.New("the log no longer has events that the view had folded: the view is built anew")

// WaitFor returns when the named views, or all where none is named, have folded
// the event at a position, or with the context's error. It is how a reader sees
// its own write.
func (v *Views) WaitFor(ctx context.Context, position domain.Position, names ...string) error {
	for _, w := range v.views {
		for len(names) == 0 || slices.Contains(names, w.Name()) {
			w.mu.Lock()
			at, moved := w.position, w.moved
			w.mu.Unlock()
			if at >= position {
				break
			}
			select {
			case <-moved:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// Lag is how far a view is behind the log.
type Lag struct {
	View     string          `json:"view"`
	Position domain.Position `json:"position"`
	Head     domain.Position `json:"head"`
	Fault    string          `json:"fault,omitempty"` // why it does not advance
}

// Lags tells how far each view is behind.
func (v *Views) Lags(ctx context.Context) ([]Lag, error) {
	head, err := v.log.Head(ctx)
	if err != nil {
		return nil, err
	}
	lags := make([]Lag, len(v.views))
	for i, w := range v.views {
		w.mu.Lock()
		lags[i] = Lag{View: w.Name(), Position: w.position, Head: max(head, w.position)}
		if w.err != nil {
			lags[i].Fault = "the view does not advance; the reason is in the server's log"
		}
		w.mu.Unlock()
	}
	return lags, nil
}

func (w *view) at() domain.Position {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.position
}

func (w *view) move(p domain.Position) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.position = p
	close(w.moved)
	w.moved = make(chan struct{})
}

func (w *view) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
}
