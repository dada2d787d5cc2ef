package workflows

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Keyring is a vault whose keys can be listed and destroyed; the methods are those
// of [domain.KeyStore].
type Keyring interface {
	Vault
	All(ctx context.Context, subject domain.SubjectID) iter.Seq2[domain.StoredKey, error]
	Mark(ctx context.Context, erasure uuid.UUID, ids []uuid.UUID) (int, error)
	Unmark(ctx context.Context, erasure uuid.UUID) error
	Destroy(ctx context.Context, erasure uuid.UUID) (int, error)
}

// Holdings tells which requests hold data sealed under a key, as of the log's head
// or later.
type Holdings interface {
	Requests(ctx context.Context, key uuid.UUID) ([]uuid.UUID, error)
}

// Eraser destroys somebody's keys, when the law lets it.
type Eraser struct {
	Log      domain.EventLog
	Engine   *Engine
	Library  *Library
	Keys     Keyring
	Holdings Holdings
	Now      func() time.Time
}

// Erasure asks for one subject's data to be made unreadable. ID is its
// idempotency key.
type Erasure struct {
	ID      uuid.UUID
	Subject domain.SubjectID
	Ground  domain.Ground
	Note    string // where the decision is on file; nothing personal
	Actor   domain.Actor
}

// Erased is what came of it.
type Erased struct {
	Erased []domain.ErasedKey `json:"erased"`
	Kept   []Kept             `json:"kept"`
}

// Kept is a key that was not destroyed, and the request that stands against it.
type Kept struct {
	Class     domain.RetentionClass `json:"class"`
	Reference domain.Reference      `json:"reference"`
	Until     time.Time             `json:"until,omitzero"` // zero: the request is open
	Ground    Text                  `json:"ground"`
}

// Erase destroys the subject's keys that need not be kept. The order is: the keys
// are marked, the event is recorded, the keys are destroyed; whoever dies in
// between is finished by [Eraser.Resume]. Errors: [*domain.Refusal] when nothing
// may be erased; [domain.ErrNotFound] when the subject has no key.
func (e *Eraser) Erase(ctx context.Context, x Erasure) (Erased, error) {
	done, again, err := e.recorded(ctx, x.ID)
	if err != nil || again {
		if err == nil {
			err = e.destroy(ctx, x.ID, done.Erased)
		}
		return done, err
	}
	if err := errors.Join((domain.SubjectErased{Ground: x.Ground, Note: x.Note}).Check(), x.Actor.Check()); err != nil {
		return Erased{}, err
	}
	out := Erased{Erased: []domain.ErasedKey{}, Kept: []Kept{}}
	any := false
	for k, err := range e.Keys.All(ctx, x.Subject) {
		if err != nil {
			return Erased{}, err
		}
		if k.State == domain.KeyDestroyed {
			continue
		}
		any = true
		kept, err := e.kept(ctx, k, x.Ground)
		if err != nil {
			return Erased{}, err
		}
		if out.Kept = append(out.Kept, kept...); len(kept) == 0 {
			out.Erased = append(out.Erased, domain.ErasedKey{ID: k.ID, Class: k.Class})
		}
	}
	switch {
	case !any:
		return Erased{}, fmt.Errorf("keys of the subject: %w", domain.ErrNotFound)
	case len(out.Erased) == 0:
		return out, keptRefusal(out.Kept[0])
	}
	return out, e.carryOut(ctx, x, out.Erased)
}

func keptRefusal(k Kept) error {
	if k.Until.IsZero() {
		return domain.NewRefusal(domain.RuleRetention, fmt.Sprintf("request %s is open: what it rests on must be kept", k.Reference), "decide or withdraw it first")
	}
	return domain.NewRefusal(domain.RuleRetention,
		fmt.Sprintf("request %s must be kept until %s (%s)", k.Reference, k.Until.Format(time.DateOnly), k.Ground.EN), "ask again after that day")
}

func (e *Eraser) carryOut(ctx context.Context, x Erasure, erased []domain.ErasedKey) error {
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
	if _, err := e.Keys.Mark(ctx, x.ID, keyIDs(erased)); err != nil {
		return fmt.Errorf("mark keys: %w", err)
	}
	if _, err := e.Log.Append(ctx, a); err != nil {
		return fmt.Errorf("record the erasure: %w", err) // marked keys are given back by Resume
	}
	return e.destroy(ctx, x.ID, erased)
}

// destroy ends an erasure whose event is recorded. The keys are marked again: a
// process that started meanwhile may have given them back.
func (e *Eraser) destroy(ctx context.Context, erasure uuid.UUID, erased []domain.ErasedKey) error {
	if _, err := e.Keys.Mark(ctx, erasure, keyIDs(erased)); err != nil {
		return fmt.Errorf("mark keys: %w", err)
	}
	if _, err := e.Keys.Destroy(ctx, erasure); err != nil {
		return fmt.Errorf("the erasure is recorded, but its keys are not destroyed yet; repeat it, or restart: %w", err)
	}
	return nil
}

// kept says what stands against destroying a key.
func (e *Eraser) kept(ctx context.Context, k domain.StoredKey, g domain.Ground) ([]Kept, error) {
	if g.BeforeItsTime() {
		return nil, nil
	}
	requests, err := e.Holdings.Requests(ctx, k.ID)
	if err != nil {
		return nil, err
	}
	var kept []Kept
	for _, id := range requests {
		r, err := e.Engine.Load(ctx, id)
		if err != nil {
			return nil, err
		}
		w, err := e.Library.Version(ctx, r.Tenant, r.Workflow)
		if err != nil {
			return nil, err
		}
		rule := w.Definition.Retention
		one := Kept{Class: k.Class, Reference: r.Reference, Ground: rule.Ground}
		if r.Outcome != "" {
			one.Until = r.Changed.AddDate(rule.Years, 0, 0)
		}
		if r.Outcome == "" || e.Now().Before(one.Until) {
			kept = append(kept, one)
		}
	}
	return kept, nil
}

func keyIDs(list []domain.ErasedKey) []uuid.UUID {
	out := make([]uuid.UUID, len(list))
	for i, k := range list {
		out[i] = k.ID
	}
	return out
}

// recorded is an erasure whose event is in the log.
func (e *Eraser) recorded(ctx context.Context, erasure uuid.UUID) (Erased, bool, error) {
	for r, err := range domain.Events(e.Log.ReadStream(ctx, domain.ErasureStream(erasure), 0)) {
		if err != nil {
			return Erased{}, false, fmt.Errorf("read erasure: %w", err)
		}
		if b, ok := r.Body.(domain.SubjectErased); ok {
			return Erased{Erased: b.Keys, Kept: []Kept{}}, true, nil
		}
	}
	return Erased{}, false, nil
}

// Resume ends what an earlier process began: keys that were marked are destroyed
// when their erasure is recorded, and given back when it is not.
func (e *Eraser) Resume(ctx context.Context) error {
	pending := map[uuid.UUID]bool{}
	for k, err := range e.Keys.All(ctx, "") {
		if err != nil {
			return err
		}
		if k.State == domain.KeyErasing {
			pending[k.Erasure] = true
		}
	}
	var faults []error
	for erasure := range pending {
		done, found, err := e.recorded(ctx, erasure)
		switch {
		case err != nil:
		case found:
			err = e.destroy(ctx, erasure, done.Erased)
		default:
			err = e.Keys.Unmark(ctx, erasure)
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}
