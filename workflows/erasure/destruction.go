package erasure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alur-id/alur/domain"
)

// carryOut marks keys, records their erasure, and destroys them.
func (e *Eraser) carryOut(ctx context.Context, x Erasure, erased []domain.ErasedKey, held Held) error {
	event := domain.Event{
		Envelope: domain.Envelope{
			ID: domain.EventID(x.ID, 0), Actor: x.Actor, Command: x.ID, Correlation: x.ID, Occurred: e.Now().UTC(),
		},
		Body: domain.SubjectErased{Keys: erased, Ground: x.Ground, Note: x.Note},
	}
	a, _, err := domain.Enter(domain.ErasureStream(x.ID), domain.Tip{}, e.Now(), []domain.Event{event})
	if err != nil {
		return err
	}
	if err := e.mark(ctx, x, erased, held); err != nil {
		return err
	}
	// From here on it is carried to its end, whoever has lost patience.
	ctx, cancel := detached(ctx)
	defer cancel()
	if _, err := e.Log.Append(ctx, a); err != nil {
		return fmt.Errorf("record the erasure: %w", err) // marked keys are given back by Resume
	}
	return e.destroy(ctx, x, erased)
}

// detached is a context for what should not be left half done.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
}

// mark makes sure that nothing more is sealed under the keys, and that nothing was
// in the meantime that must be kept. Keys that are not to be erased after all are
// given back.
func (e *Eraser) mark(ctx context.Context, x Erasure, erased []domain.ErasedKey, held Held) error {
	err := e.marked(ctx, x, erased, held)
	if err == nil {
		return nil
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	if back := e.Keys.Unmark(ctx, x.ID); back != nil {
		err = errors.Join(err, fmt.Errorf("the keys are marked and not given back; repeat erasure %s, or restart: %w", x.ID, back))
	}
	return err
}

func (e *Eraser) marked(ctx context.Context, x Erasure, erased []domain.ErasedKey, held Held) error {
	if _, err := e.Keys.Mark(ctx, x.ID, keyIDs(erased)); err != nil {
		return fmt.Errorf("mark keys: %w", err)
	}
	return e.settled(ctx, x, erased, &held)
}

// settled waits for other processes and looks at the keys again.
func (e *Eraser) settled(ctx context.Context, x Erasure, erased []domain.ErasedKey, held *Held) error {
	if e.Settle != nil {
		if err := e.Settle(ctx); err != nil {
			return err
		}
	}
	if err := held.readOn(ctx, e.Log); err != nil {
		return err
	}
	for _, k := range erased {
		state, erasure, err := e.Keys.State(ctx, k.ID)
		if errors.Is(err, domain.ErrNotFound) {
			continue // gone: see destroy
		}
		if err != nil {
			return fmt.Errorf("key %s: %w", k.ID, err)
		}
		if state == domain.KeyDestroyed && erasure == x.ID {
			continue
		}
		if state != domain.KeyErasing || erasure != x.ID {
			return fmt.Errorf("key %s is %s: another erasure of it is under way", k.ID, state)
		}
		kept, err := e.kept(ctx, *held, k, x.Ground)
		if err != nil {
			return err
		}
		if len(kept) > 0 {
			return keptRefusal(kept[0])
		}
	}
	return nil
}

// destroy ends an erasure whose event is recorded. It succeeds only when every key
// is seen to be gone. Keys that somebody gave back meanwhile are marked and looked
// at again: more may have been sealed under them.
func (e *Eraser) destroy(ctx context.Context, x Erasure, erased []domain.ErasedKey) error {
	given, err := e.Keys.Mark(ctx, x.ID, keyIDs(erased))
	if err != nil {
		return fmt.Errorf("mark keys: %w", err)
	}
	if given > 0 && e.Settle != nil {
		held, err := HeldUnder(ctx, e.Log, keyIDs(erased))
		if err == nil {
			err = e.settled(ctx, x, erased, &held)
		}
		if err != nil {
			return fmt.Errorf("the erasure is recorded, but its keys are not destroyed: %w", err)
		}
	}
	if _, err := e.Keys.Destroy(ctx, x.ID); err != nil {
		return fmt.Errorf("the erasure is recorded, but its keys are not destroyed yet; repeat it, or restart: %w", err)
	}
	for _, k := range erased {
		state, _, err := e.Keys.State(ctx, k.ID)
		if errors.Is(err, domain.ErrNotFound) {
			continue // gone, too: an older store was put back that never had it
		}
		if err != nil {
			return fmt.Errorf("key %s: %w", k.ID, err)
		}
		if state != domain.KeyDestroyed {
			return fmt.Errorf("the erasure is recorded, but key %s is still %s: another erasure of it is under way; repeat this one", k.ID, state)
		}
	}
	return nil
}
