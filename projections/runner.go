package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alur-id/alur/domain"
)

// Projection is a fold of events into the rows of an SQL table. Apply must depend on
// nothing but the rows and the events; the runner calls it with every event of the
// log, once, in order, many at a time. A [Table] does the folding.
type Projection interface {
	// Name is the name of the view and of its one table.
	Name() string
	// Schema creates the table, and then its indexes. When its text differs from the
	// one the rows were made with, the view is built anew.
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
	store  Store
	logger *slog.Logger
	views  []*view

	leases  Leases // nil: this process runs all views
	holder  string
	running atomic.Bool

	renewing sync.Mutex

	looked chan struct{} // holds who looks at the checkpoints: one at a time
	asked  time.Time     // when the last look began

	counting sync.Mutex
	counts   map[domain.Position]count // of what lies behind the places of views
}

// view is one projection and how far it is.
type view struct {
	Projection
	shape string
	step  sync.Mutex // one step at a time in this process
	short bool       // the log was seen to end before the checkpoint; of the one who steps

	mu    sync.Mutex
	at    checkpoint
	ours  bool          // its table was once seen to be of this schema
	stale bool          // it is of another
	until time.Time     // the lease is held so long
	err   error         // why it does not advance, nil when it does
	moved chan struct{} // closed and replaced when anything of this changes
}

// NewViews prepares the tables of the projections in a store. Views of another log
// are emptied; those made by another version of a projection are built anew when the
// views run, or by [Views.Renew].
func NewViews(ctx context.Context, log domain.EventLog, store Store, logger *slog.Logger, projections ...Projection) (*Views, error) {
	v := &Views{log: log, store: store, logger: logger, looked: make(chan struct{}, 1)}
	if err := prepareCheckpoint(ctx, store); err != nil {
		return nil, fmt.Errorf("prepare views: %w", err)
	}
	if err := v.drop(ctx, retired); err != nil {
		return nil, fmt.Errorf("prepare views: %w", err)
	}
	for _, p := range projections {
		w := &view{Projection: p, shape: shapeOf(p), moved: make(chan struct{})}
		if err := v.prepare(ctx, w); err != nil {
			return nil, fmt.Errorf("prepare view %s: %w", p.Name(), err)
		}
		v.views = append(v.views, w)
	}
	return v, nil
}

// Share has views run by whichever node holds their leases. It comes before Run. The
// holder is a name that no other process has.
func (v *Views) Share(leases Leases, holder string) { v.leases, v.holder = leases, holder }

// retired are views that an earlier Alur kept. What they hold is nobody's to scrub
// any more, so it goes.
var retired = []string{"holding"}

func (v *Views) drop(ctx context.Context, names []string) error {
	for _, name := range names {
		for _, statement := range []string{`DROP TABLE IF EXISTS ` + name, `DELETE FROM checkpoint WHERE projection = '` + name + `'`} {
			if err := execute(ctx, v.store, statement); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepare finds where the view stands, after emptying it if its rows are of another
// log. Of several processes, one does that: the row of the checkpoint is what the
// others wait for.
func (v *Views) prepare(ctx context.Context, w *view) error {
	tx, err := v.store.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.Exec(ctx, `INSERT INTO checkpoint (projection, shape, position, event) VALUES ($1, '', 0, '') ON CONFLICT DO NOTHING`, w.Name()); err != nil {
		return err
	}
	c, err := lockCheckpoint(ctx, tx, "checkpoint", w.Name())
	if err != nil {
		return err
	}
	if c.shape != "" && c.position != 0 {
		same, err := v.sameLog(ctx, c)
		if err != nil || same && c.shape == w.shape {
			w.see(c)
			return err
		}
		if same {
			w.see(c) // which finds that it is stale
			return nil
		}
		v.logger.WarnContext(ctx, "the view belongs to another log and is built anew", "view", w.Name())
	}
	if c.shape == w.shape && c.position == 0 && c.fault == nil {
		w.see(c)
		return nil
	}
	if err := w.empty(ctx, tx, &c); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	w.see(c)
	return nil
}

// empty makes the table anew, without rows, and puts the checkpoint to the beginning.
func (w *view) empty(ctx context.Context, tx Tx, c *checkpoint) error {
	for _, statement := range append([]string{`DROP TABLE IF EXISTS ` + w.Name()}, statements(w.Schema())...) {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if err := c.move(ctx, tx, "checkpoint", 0, ""); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE checkpoint SET shape = $1 WHERE projection = $2`, w.shape, w.Name()); err != nil {
		return err
	}
	*c = checkpoint{projection: w.Name(), shape: w.shape, paused: c.paused}
	return nil
}

// statements are those of a schema.
func statements(schema string) []string {
	var all []string
	for _, s := range strings.SplitAfter(schema, ";\n") {
		for line := range strings.Lines(s) { // a comment alone is none
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
				all = append(all, s)
				break
			}
		}
	}
	return all
}

// sameLog reports whether the log has the event that the checkpoint names, at
// its position.
func (v *Views) sameLog(ctx context.Context, c checkpoint) (bool, error) {
	if c.position == 0 {
		return true, nil
	}
	for e, err := range v.log.ReadAll(ctx, c.position-1) {
		return err == nil && e.Position == c.position && e.ID.String() == c.event, err
	}
	return false, nil
}

// see takes what a checkpoint says.
func (w *view) see(c checkpoint) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at, w.stale = c, c.shape != w.shape
	w.ours = w.ours || !w.stale
	w.wake()
}

// foreign reports whether a node with another version of the program built the view
// anew while this one ran. It is left to that.
func (w *view) foreign() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stale && w.ours
}

var errForeign = errors.New("another version of the program has built the view anew for itself: update this one")

// seen is what was last seen of the checkpoint.
func (w *view) seen() checkpoint {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *view) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
}

func (w *view) wake() {
	close(w.moved)
	w.moved = make(chan struct{})
}

// look sees the checkpoints as they are now, if that was not done a moment ago. Other
// processes move them, too.
func (v *Views) look(ctx context.Context, recent time.Duration) error {
	select { // the one before may hang
	case v.looked <- struct{}{}:
		defer func() { <-v.looked }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if time.Since(v.asked) < recent {
		return nil
	}
	began := clock()
	all, err := checkpoints(ctx, v.store)
	if err != nil {
		return fmt.Errorf("look how far the views are: %w", err)
	}
	v.asked = began
	for _, w := range v.views {
		if c, ok := all[w.Name()]; ok && c != w.seen() {
			w.see(c)
		}
	}
	return nil
}

// PausedError is a view that does not advance because somebody paused it.
type PausedError struct {
	View     string
	Position domain.Position
}

func (e *PausedError) Error() string {
	return fmt.Sprintf("the view %s is paused at position %d", e.View, e.Position)
}

// StoppedError is a view that does not advance because it cannot fold an event.
type StoppedError struct {
	View string
	At   Event
	Err  error
}

func (e *StoppedError) Error() string {
	return fmt.Sprintf("the view %s stops before position %d (%s %s): %v", e.View, e.At.Position, e.At.Type, e.At.ID, e.Err)
}

func (e *StoppedError) Unwrap() error { return e.Err }

// CatchUp folds everything that the log holds now. Of a view that stands still, it
// says so by a [*PausedError] or a [*StoppedError]; the others are caught up all the
// same.
func (v *Views) CatchUp(ctx context.Context) error {
	if err := v.look(ctx, 0); err != nil {
		return err
	}
	if err := v.Renew(ctx); err != nil {
		return err
	}
	t := newTape(ctx, v.log)
	var wg sync.WaitGroup
	errs := make([]error, len(v.views))
	for _, w := range v.views {
		t.join(w, w.seen().position)
	}
	for i, w := range v.views {
		wg.Go(func() {
			defer t.leave(w)
			errs[i] = v.catchUp(ctx, t, w)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (v *Views) catchUp(ctx context.Context, t *tape, w *view) error {
	for {
		more, err := v.advance(ctx, t, w)
		if ctx.Err() == nil {
			w.note(err)
		}
		var stopped *StoppedError
		var paused *PausedError
		if errors.As(err, &stopped) || errors.As(err, &paused) {
			return err
		}
		if err != nil {
			return fmt.Errorf("view %s: %w", w.Name(), err)
		}
		if !more {
			return nil
		}
	}
}

// advance folds one batch, and reports whether there may be more.
func (v *Views) advance(ctx context.Context, t *tape, w *view) (more bool, err error) {
	w.step.Lock()
	defer w.step.Unlock()
	c := w.seen()
	switch {
	case c.paused:
		return false, &PausedError{w.Name(), c.position}
	case w.foreign():
		return false, errForeign
	}
	head, err := v.log.Head(ctx)
	if err != nil || head == c.position {
		return false, err
	}
	p, err := t.next(ctx, w, c.position, c.event)
	if err != nil {
		return false, err
	}
	if p.lost {
		return false, v.missing(ctx, w, head < c.position)
	}
	w.short = false
	if len(p.events) > 0 {
		if err := v.fold(ctx, w, c, p.events); err != nil {
			if errors.Is(err, errMoved) {
				return true, v.look(ctx, 0) // by another process, which is as well
			}
			return false, err
		}
	}
	if p.bad != nil {
		name := Event{Position: p.bad.Position, ID: p.bad.ID.String(), Type: p.bad.Type}
		return false, v.stop(ctx, w, &StoppedError{w.Name(), name, p.err})
	}
	return p.full, p.err
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
	if err := v.prepare(ctx, w); err != nil {
		return err
	}
	return errRestored
}

var errRestored = errors.New("the log no longer has events that the view had folded: the view is built anew")

// fold folds events that follow a checkpoint. Where it cannot fold one, what comes
// before it is kept, and the checkpoint names it.
func (v *Views) fold(ctx context.Context, w *view, from checkpoint, events []domain.Recorded) error {
	bad, err := foldable(events, func(some []domain.Recorded) error {
		if err := v.foldTogether(ctx, w, from, some); err != nil {
			return err
		}
		from.position, from.event = lastOf(some)
		return nil
	})
	if bad == nil {
		return err
	}
	return v.stop(ctx, w, &StoppedError{w.Name(), eventOf(*bad), err})
}

func lastOf(events []domain.Recorded) (domain.Position, string) {
	last := events[len(events)-1]
	return last.Position, last.ID.String()
}

// foldingError is an error of folding, which may be for the events: not one of the
// database that it was to be done in.
type foldingError struct{ error }

func (e *foldingError) Unwrap() error { return e.error }

// foldable folds as many events as can be folded, together where that goes. An event
// that cannot be is returned with the reason; without one, an error is of something
// else than the events.
func foldable(events []domain.Recorded, fold func([]domain.Recorded) error) (bad *domain.Recorded, err error) {
	for len(events) > 0 {
		some := events
		for {
			if err = fold(some); err == nil {
				break
			}
			var folding *foldingError
			var fault *FoldError
			switch {
			case !errors.As(err, &folding), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
				return nil, err
			case len(some) == 1:
				return &some[0], err
			case errors.As(err, &fault) && fault.Event.Position > some[0].Position:
				n := 0
				for some[n].Position < fault.Event.Position {
					n++
				}
				some = some[:n]
			default: // it is one of them
				some = some[:len(some)/2]
			}
		}
		events = events[len(some):]
	}
	return nil, nil
}

// foldTogether folds events in one transaction. They are those that follow a checkpoint
// that was seen when they were read: what the view has come to since then does not
// matter, only whether it is still there.
func (v *Views) foldTogether(ctx context.Context, w *view, from checkpoint, events []domain.Recorded) error {
	tx, err := v.store.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	c, err := lockCheckpoint(ctx, tx, "checkpoint", w.Name())
	if err != nil {
		return err
	}
	if c.position != from.position || c.event != from.event || c.shape != w.shape || c.paused {
		return errMoved
	}
	if err := w.Apply(ctx, tx, events); err != nil {
		return &foldingError{err}
	}
	position, event := lastOf(events)
	if err := c.move(ctx, tx, "checkpoint", position, event); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	c.position, c.event, c.fault = position, event, nil
	w.see(c)
	return nil
}

// stop writes down which event a view cannot fold. If even that cannot be written, it
// is the database that fails and not the view.
func (v *Views) stop(ctx context.Context, w *view, fault *StoppedError) error {
	c := w.seen()
	err := execute(ctx, v.store, `UPDATE checkpoint SET fault_position = $1, fault_event = $2, fault_type = $3 WHERE projection = $4 AND position = $5`,
		int64(fault.At.Position), fault.At.ID, fault.At.Type, w.Name(), int64(c.position))
	if err != nil {
		return errors.Join(fault.Err, err)
	}
	c.fault = &fault.At
	w.see(c)
	return fault
}
