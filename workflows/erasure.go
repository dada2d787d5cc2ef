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
	// State is what has become of a key, as the store has it now.
	State(ctx context.Context, id uuid.UUID) (domain.KeyState, error)
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
	// Settle waits until no process seals under keys that were just marked. It may
	// be nil where there is no other process.
	Settle func(ctx context.Context) error
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
	if err := errors.Join((domain.SubjectErased{Ground: x.Ground, Note: x.Note}).Check(), x.Actor.Check()); err != nil {
		return Erased{}, err
	}
	first, again, err := e.recorded(ctx, x.ID)
	if err != nil {
		return Erased{}, err
	}
	if again {
		return e.repeat(ctx, x, first)
	}
	out, stuck, err := e.sort(ctx, x)
	if err != nil {
		return Erased{}, err
	}
	for erasure, keys := range stuck {
		other := x
		other.ID = erasure
		if err := e.carryOut(ctx, other, keys); err != nil {
			return Erased{}, err
		}
	}
	if len(out.Erased) > 0 {
		if err := e.carryOut(ctx, x, out.Erased); err != nil {
			return Erased{}, err
		}
	}
	for _, keys := range stuck {
		out.Erased = append(out.Erased, keys...)
	}
	if len(out.Erased) == 0 {
		return out, keptRefusal(out.Kept[0])
	}
	return out, nil
}

// repeat ends an erasure that was recorded before, if it is the one that is asked
// for.
func (e *Eraser) repeat(ctx context.Context, x Erasure, first domain.Recorded) (Erased, error) {
	b, _ := first.Body.(domain.SubjectErased)
	reused := domain.NewRefusal(domain.RuleCommandReused, "this id is that of another erasure", "leave it out: a new one is made")
	if b.Ground != x.Ground || b.Note != x.Note || first.Actor != x.Actor {
		return Erased{}, reused
	}
	if err := e.destroy(ctx, x.ID, b.Keys); err != nil {
		return Erased{}, err
	}
	left, stuck, err := e.sort(ctx, x)
	switch {
	case errors.Is(err, domain.ErrNotFound):
	case err != nil:
		return Erased{}, err
	case len(left.Erased)+len(stuck) > 0: // what this erasure would have covered
		return Erased{}, reused
	}
	return Erased{Erased: b.Keys, Kept: append([]Kept{}, left.Kept...)}, nil
}

// sort tells which of the subject's keys may be destroyed and which are kept. Keys
// that an erasure which was cut off has marked are given back first; those whose
// place is taken by then are stuck in that erasure, and are ended under its id.
func (e *Eraser) sort(ctx context.Context, x Erasure) (Erased, map[uuid.UUID][]domain.ErasedKey, error) {
	others := map[uuid.UUID]bool{}
	for k, err := range e.Keys.All(ctx, x.Subject) {
		if err != nil {
			return Erased{}, nil, err
		}
		if k.State == domain.KeyErasing && k.Erasure != x.ID {
			others[k.Erasure] = true
		}
	}
	for erasure := range others {
		if err := e.resume(ctx, erasure); err != nil {
			return Erased{}, nil, err
		}
	}
	out := Erased{Erased: []domain.ErasedKey{}, Kept: []Kept{}}
	stuck := map[uuid.UUID][]domain.ErasedKey{}
	found := false
	for k, err := range e.Keys.All(ctx, x.Subject) {
		if err != nil {
			return Erased{}, nil, err
		}
		if k.State == domain.KeyDestroyed {
			continue
		}
		found = true
		kept, err := e.kept(ctx, k.ID, k.Class, x.Ground)
		if err != nil {
			return Erased{}, nil, err
		}
		key := domain.ErasedKey{ID: k.ID, Class: k.Class}
		switch {
		case len(kept) > 0:
			out.Kept = append(out.Kept, kept...)
		case k.State == domain.KeyErasing && k.Erasure != x.ID:
			stuck[k.Erasure] = append(stuck[k.Erasure], key)
		default:
			out.Erased = append(out.Erased, key)
		}
	}
	if !found {
		return Erased{}, nil, fmt.Errorf("keys of the subject: %w", domain.ErrNotFound)
	}
	return out, stuck, nil
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
	if err := e.mark(ctx, x, erased); err != nil {
		return errors.Join(err, e.Keys.Unmark(ctx, x.ID))
	}
	if _, err := e.Log.Append(ctx, a); err != nil {
		return fmt.Errorf("record the erasure: %w", err) // marked keys are given back by Resume
	}
	return e.destroy(ctx, x.ID, erased)
}

// mark makes sure that nothing more is sealed under the keys, and that nothing was
// in the meantime that must be kept.
func (e *Eraser) mark(ctx context.Context, x Erasure, erased []domain.ErasedKey) error {
	if _, err := e.Keys.Mark(ctx, x.ID, keyIDs(erased)); err != nil {
		return fmt.Errorf("mark keys: %w", err)
	}
	if e.Settle != nil {
		if err := e.Settle(ctx); err != nil {
			return err
		}
	}
	for _, k := range erased {
		state, err := e.Keys.State(ctx, k.ID)
		if err != nil {
			return fmt.Errorf("key %s: %w", k.ID, err)
		}
		if state != domain.KeyErasing {
			return fmt.Errorf("key %s is %s: another erasure of it is under way", k.ID, state)
		}
		kept, err := e.kept(ctx, k.ID, k.Class, x.Ground)
		if err != nil {
			return err
		}
		if len(kept) > 0 {
			return keptRefusal(kept[0])
		}
	}
	return nil
}

// destroy ends an erasure whose event is recorded. The keys are marked again: a
// process that started meanwhile may have given them back. It succeeds only when
// every key is seen to be gone.
func (e *Eraser) destroy(ctx context.Context, erasure uuid.UUID, erased []domain.ErasedKey) error {
	if _, err := e.Keys.Mark(ctx, erasure, keyIDs(erased)); err != nil {
		return fmt.Errorf("mark keys: %w", err)
	}
	if _, err := e.Keys.Destroy(ctx, erasure); err != nil {
		return fmt.Errorf("the erasure is recorded, but its keys are not destroyed yet; repeat it, or restart: %w", err)
	}
	for _, k := range erased {
		state, err := e.Keys.State(ctx, k.ID)
		if err != nil {
			return fmt.Errorf("key %s: %w", k.ID, err)
		}
		if state != domain.KeyDestroyed {
			return fmt.Errorf("the erasure is recorded, but key %s is still %s: another erasure of it is under way; repeat this one", k.ID, state)
		}
	}
	return nil
}

// kept says what stands against destroying a key.
func (e *Eraser) kept(ctx context.Context, key uuid.UUID, class domain.RetentionClass, g domain.Ground) ([]Kept, error) {
	if g.BeforeItsTime() {
		return nil, nil
	}
	requests, err := e.Holdings.Requests(ctx, key)
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
		one := Kept{Class: class, Reference: r.Reference, Ground: rule.Ground}
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
func (e *Eraser) recorded(ctx context.Context, erasure uuid.UUID) (domain.Recorded, bool, error) {
	for r, err := range domain.Events(e.Log.ReadStream(ctx, domain.ErasureStream(erasure), 0)) {
		if err != nil {
			return domain.Recorded{}, false, fmt.Errorf("read erasure: %w", err)
		}
		if _, ok := r.Body.(domain.SubjectErased); ok {
			return r, true, nil
		}
	}
	return domain.Recorded{}, false, nil
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
		faults = append(faults, e.resume(ctx, erasure))
	}
	return errors.Join(faults...)
}

func (e *Eraser) resume(ctx context.Context, erasure uuid.UUID) error {
	r, found, err := e.recorded(ctx, erasure)
	if err != nil {
		return err
	}
	if b, ok := r.Body.(domain.SubjectErased); found && ok {
		return e.destroy(ctx, erasure, b.Keys)
	}
	return e.Keys.Unmark(ctx, erasure)
}
