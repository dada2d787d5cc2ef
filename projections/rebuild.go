package projections

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alur-id/alur/domain"
)

// building is a view that is built in a generation beside the one that is read.
type building struct {
	*view
	Generation
	position domain.Position
	event    string
	fault    *StoppedError // an event that it cannot fold
}

// Rebuild builds the named views, or all where none is named, anew from the log beside
// those that are read, and puts each in the place of the other in one transaction.
// Readers see the old rows until then. If it ends before, nothing has changed. A view
// that cannot be built as far as the one that is read is left as it is; the error is a
// [*StoppedError] then.
func (v *Views) Rebuild(ctx context.Context, names ...string) error {
	return v.build(ctx, names, false, func(ctx context.Context, t *tape, b *building) error { return v.swap(ctx, t, b, false) })
}

// Renew builds views anew whose tables were made by another version of their
// projection. Until a view is, its rows are those of the other version, and [Views.WaitFor]
// waits. Where there is no room beside them, they are emptied and built up where they
// are read.
func (v *Views) Renew(ctx context.Context) error {
	v.renewing.Lock()
	defer v.renewing.Unlock()
	for {
		err := v.renew(ctx)
		if !errors.Is(err, ErrBuilding) {
			return err
		}
		select { // another process may be doing just that
		case <-time.After(lookEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := v.look(ctx, 0); err != nil {
			return err
		}
	}
}

func (v *Views) renew(ctx context.Context) error {
	var stale []string
	for _, w := range v.views {
		w.mu.Lock()
		if w.stale && !w.ours {
			stale = append(stale, w.Name())
		}
		w.mu.Unlock()
	}
	if stale == nil {
		return nil
	}
	v.logger.InfoContext(ctx, "views are built anew for this version of the program", "views", strings.Join(stale, ", "))
	err := v.build(ctx, stale, false, func(ctx context.Context, t *tape, b *building) error { return v.swap(ctx, t, b, true) })
	if errors.Is(err, ErrNoScratch) {
		v.logger.WarnContext(ctx, "views are emptied and built up again", "reason", err)
		for _, w := range v.views {
			if slices.Contains(stale, w.Name()) {
				if err := v.reset(ctx, w); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return err
}

// reset empties a view where it is read.
func (v *Views) reset(ctx context.Context, w *view) error {
	tx, err := v.store.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	c, err := lockCheckpoint(ctx, tx, "checkpoint", w.Name())
	if err != nil {
		return err
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

// named are the views of these names, or all.
func (v *Views) named(names []string) ([]*view, error) {
	if len(names) == 0 {
		return v.views, nil
	}
	var list []*view
	for _, name := range names {
		i := slices.IndexFunc(v.views, func(w *view) bool { return w.Name() == name })
		if i < 0 {
			return nil, &UnknownError{name, v.Names()}
		}
		list = append(list, v.views[i])
	}
	return list, nil
}

// Names are the names of the views.
func (v *Views) Names() []string {
	names := make([]string, len(v.views))
	for i, w := range v.views {
		names[i] = w.Name()
	}
	return names
}

// UnknownError is a name that no view has.
type UnknownError struct {
	Name  string
	Known []string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("there is no view %q; there are %s", e.Name, strings.Join(e.Known, ", "))
}

// finish is what is done with a view that is built.
type finish func(context.Context, *tape, *building) error

// build builds views side by side, as far as the log goes or as those that are read
// have come, and finishes each while others are built.
func (v *Views) build(ctx context.Context, names []string, asLive bool, finish finish) error {
	list, err := v.named(names)
	if err != nil {
		return err
	}
	scratch, err := v.store.Scratch(ctx)
	if err != nil {
		return fmt.Errorf("build views: %w", err)
	}
	t := newTape(ctx, v.log)
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	all := make([]*building, len(list))
	for i, w := range list {
		all[i] = &building{view: w}
		t.join(all[i], 0)
	}
	for i, w := range list {
		wg.Go(func() {
			b := all[i]
			defer t.leave(b)
			if errs[i] = v.buildOne(ctx, t, scratch, b, asLive, finish); errs[i] != nil {
				errs[i] = fmt.Errorf("build view %s: %w", w.Name(), errs[i])
			}
		})
	}
	wg.Wait()
	return errors.Join(errors.Join(errs...), scratch.Close())
}

func (v *Views) buildOne(ctx context.Context, t *tape, scratch Scratch, b *building, asLive bool, finish finish) (err error) {
	if b.Generation, err = scratch.Generation(ctx, b.Name()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	tables, indexes := apart(b.Schema())
	if err := b.exec(ctx, tables...); err != nil {
		return err
	}
	until := b.seen().position
	if !asLive {
		if until, err = v.log.Head(ctx); err != nil {
			return err
		}
	}
	if err := b.foldUntil(ctx, t, until); err != nil {
		return err
	}
	t.leave(b) // the others need not wait for the indexes
	if err := b.exec(ctx, indexes...); err != nil {
		return err
	}
	return finish(ctx, t, b)
}

// apart are the statements of a schema that make the table, and those that make its
// indexes: these are made faster when the rows are there.
func apart(schema string) (tables, indexes []string) {
	for _, s := range statements(schema) {
		if word := strings.Fields(s); len(word) > 1 && (word[1] == "INDEX" || word[1] == "UNIQUE") {
			indexes = append(indexes, s)
		} else {
			tables = append(tables, s)
		}
	}
	return tables, indexes
}

func (b *building) exec(ctx context.Context, statements ...string) error {
	tx, err := b.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, s := range statements {
		if _, err := tx.Exec(ctx, s); err != nil {
			return err
		}
	}
	return tx.Commit(ctx)
}

// foldUntil folds the events up to a position, or up to one that cannot be folded.
func (b *building) foldUntil(ctx context.Context, t *tape, until domain.Position) error {
	for empty := 0; b.position < until && b.fault == nil; {
		p, err := t.next(ctx, b, b.position, b.event)
		if err != nil {
			return err
		}
		if p.lost {
			return errRestored
		}
		events := p.events
		for len(events) > 0 && events[len(events)-1].Position > until {
			events = events[:len(events)-1]
		}
		bad, err := foldable(events, func(some []domain.Recorded) error { return b.foldTogether(ctx, some) })
		switch {
		case bad != nil:
			b.fault = &StoppedError{b.Name(), eventOf(*bad), err}
		case err != nil:
			return err
		case p.bad != nil && p.bad.Position <= until:
			b.fault = &StoppedError{b.Name(), Event{Position: p.bad.Position, ID: p.bad.ID.String(), Type: p.bad.Type}, p.err}
		case p.err != nil && p.bad == nil:
			return p.err
		case len(events) > 0:
			empty = 0
		default:
			if empty++; empty > 1 { // the first may have been read, for another, before the log was so long
				return nil // the position is of no event
			}
		}
	}
	return nil
}

func (b *building) foldTogether(ctx context.Context, events []domain.Recorded) error {
	tx, err := b.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := b.Apply(ctx, tx, events); err != nil {
		return &foldingError{err}
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	b.position, b.event = lastOf(events)
	return nil
}

// swap puts what was built in the place of what is read: at the checkpoint of that,
// which is held until it is done, or ahead of it. Forced, it does so also where an event
// cannot be folded that the view which is read has got over.
func (v *Views) swap(ctx context.Context, t *tape, b *building, forced bool) error {
	head, err := v.log.Head(ctx)
	if err != nil {
		return err
	}
	if err := b.foldUntil(ctx, t, head); err != nil { // so that little is left to do while it is held
		return err
	}
	t.leave(b)
	tx, err := b.Hold(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	table := b.Live() + "checkpoint"
	c, err := lockCheckpoint(ctx, tx, table, b.Name())
	if err != nil {
		return err
	}
	if err := b.foldHeld(ctx, t, tx, c.position); err != nil {
		return err
	}
	if b.fault != nil && b.position < c.position && !forced {
		return b.fault
	}
	if err := b.Swap(ctx, tx, b.Name()); err != nil {
		return err
	}
	if err := c.move(ctx, tx, table, b.position, b.event); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE `+table+` SET shape = $1 WHERE projection = $2`, b.shape, b.Name()); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	now := checkpoint{projection: b.Name(), shape: b.shape, position: b.position, event: b.event, paused: c.paused}
	b.see(now)
	if b.fault != nil {
		v.logger.ErrorContext(ctx, "the view was built as far as it goes", "view", b.Name(), "error", v.stop(ctx, b.view, b.fault))
	}
	return nil
}

// foldHeld folds what is left up to a position, in a transaction that holds the view.
func (b *building) foldHeld(ctx context.Context, t *tape, tx Tx, until domain.Position) error {
	for empty := 0; b.position < until && b.fault == nil; {
		p, err := t.next(ctx, b, b.position, b.event)
		if err != nil {
			return err
		}
		events := p.events
		for len(events) > 0 && events[len(events)-1].Position > until {
			events = events[:len(events)-1]
		}
		if len(events) == 0 {
			if empty++; empty > 1 || p.err != nil {
				return errors.Join(errMoved, p.err)
			}
			continue
		}
		if err := b.Apply(ctx, tx, events); err != nil {
			return err
		}
		b.position, b.event = lastOf(events)
	}
	t.leave(b)
	return nil
}
