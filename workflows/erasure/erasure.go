// Package erasure makes somebody's personal data unreadable, when the law lets it: it
// destroys the keys that the engine sealed it under, and records that it did.
package erasure

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// Keyring is a vault whose keys can be listed and destroyed; the methods are those
// of [domain.KeyStore].
type Keyring interface {
	workflows.Vault
	All(ctx context.Context, subject domain.SubjectID) iter.Seq2[domain.StoredKey, error]
	Mark(ctx context.Context, erasure uuid.UUID, ids []uuid.UUID) (int, error)
	Unmark(ctx context.Context, erasure uuid.UUID) error
	Destroy(ctx context.Context, erasure uuid.UUID) (int, error)
	// State is what has become of a key, as the store has it now, and the erasure
	// that it is part of.
	State(ctx context.Context, id uuid.UUID) (domain.KeyState, uuid.UUID, error)
}

// Eraser destroys somebody's keys, when the law lets it.
type Eraser struct {
	Log     domain.EventLog
	Engine  *workflows.Engine
	Library *workflows.Library
	Keys    Keyring
	Now     func() time.Time
	// Settle waits until no process seals under keys that were just marked. It is
	// nil where no other process writes: keys that another erasure has marked are
	// then those of one that was cut off, and are given back.
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

// Kept is a key that was not destroyed, and the request or the mandate that stands
// against it.
type Kept struct {
	Class     domain.RetentionClass `json:"class"`
	Reference domain.Reference      `json:"reference,omitempty"`
	Mandate   uuid.UUID             `json:"mandate,omitzero"`
	Until     time.Time             `json:"until,omitzero"` // zero: the request is open, or the mandate holds
	Ground    workflows.Text        `json:"ground"`
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
	out, held, stuck, err := e.sort(ctx, x)
	if err != nil {
		return Erased{}, err
	}
	for _, k := range out.Kept {
		// Else requests that are erased would name a mandate that says whose they were.
		if k.Mandate != uuid.Nil {
			return Erased{}, keptRefusal(k)
		}
	}
	for erasure, keys := range stuck {
		other := x
		other.ID = erasure
		if err := e.carryOut(ctx, other, keys, held); err != nil {
			return Erased{}, err
		}
	}
	if len(out.Erased) > 0 {
		if err := e.carryOut(ctx, x, out.Erased, held); err != nil {
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
// for. A key that lives again, because an older key store was put back, may have
// sealed more since: it is judged like any other.
func (e *Eraser) repeat(ctx context.Context, x Erasure, first domain.Recorded) (Erased, error) {
	b, _ := first.Body.(domain.SubjectErased)
	reused := domain.NewRefusal(domain.RuleCommandReused, "this id is that of another erasure", "leave it out: a new one is made")
	if b.Ground != x.Ground || b.Note != x.Note || first.Actor != x.Actor {
		return Erased{}, reused
	}
	var again []domain.ErasedKey
	for _, k := range b.Keys {
		state, _, err := e.Keys.State(ctx, k.ID)
		if err != nil && !errors.Is(err, domain.ErrNotFound) { // an older store may never have had it
			return Erased{}, fmt.Errorf("key %s: %w", k.ID, err)
		}
		if state == domain.KeyLive {
			again = append(again, k)
		}
	}
	if len(again) > 0 {
		if err := e.eraseAgain(ctx, x, again); err != nil {
			return Erased{}, err
		}
	}
	if err := e.destroy(ctx, x, b.Keys); err != nil {
		return Erased{}, err
	}
	left, _, stuck, err := e.sort(ctx, x)
	switch {
	case errors.Is(err, domain.ErrNotFound):
	case err != nil:
		return Erased{}, err
	case len(left.Erased)+len(stuck) > 0: // what this erasure would have covered
		return Erased{}, reused
	}
	return Erased{Erased: b.Keys, Kept: append([]Kept{}, left.Kept...)}, nil
}

// eraseAgain marks keys that live although their erasure is recorded, unless what
// was sealed since must be kept.
func (e *Eraser) eraseAgain(ctx context.Context, x Erasure, again []domain.ErasedKey) error {
	held, err := HeldUnder(ctx, e.Log, keyIDs(again))
	if err != nil {
		return err
	}
	for _, k := range again {
		kept, err := e.kept(ctx, held, k, x.Ground)
		if err != nil {
			return err
		}
		if len(kept) > 0 {
			return keptRefusal(kept[0])
		}
	}
	return e.mark(ctx, x, again, held)
}

// sort tells which of the subject's keys may be destroyed and which are kept. Keys
// that an erasure which was cut off has marked are given back first; those whose
// place is taken by then are stuck in that erasure, and are ended under its id.
func (e *Eraser) sort(ctx context.Context, x Erasure) (Erased, Held, map[uuid.UUID][]domain.ErasedKey, error) {
	keys, err := e.living(ctx, x)
	if err != nil {
		return Erased{}, Held{}, nil, err
	}
	if len(keys) == 0 {
		return Erased{}, Held{}, nil, fmt.Errorf("keys of the subject: %w", domain.ErrNotFound)
	}
	ids := make([]uuid.UUID, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	held, err := HeldUnder(ctx, e.Log, ids)
	if err != nil {
		return Erased{}, Held{}, nil, err
	}
	out := Erased{Erased: []domain.ErasedKey{}, Kept: []Kept{}}
	stuck := map[uuid.UUID][]domain.ErasedKey{}
	for _, k := range keys {
		key := domain.ErasedKey{ID: k.ID, Class: k.Class}
		kept, err := e.kept(ctx, held, key, x.Ground)
		if err != nil {
			return Erased{}, Held{}, nil, err
		}
		switch {
		case len(kept) > 0:
			out.Kept = append(out.Kept, kept...)
		case k.State == domain.KeyErasing && k.Erasure != x.ID:
			stuck[k.Erasure] = append(stuck[k.Erasure], key)
		default:
			out.Erased = append(out.Erased, key)
		}
	}
	return out, held, stuck, nil
}

// living lists the subject's keys that are not destroyed, after what other erasures
// began was ended: those that are recorded are carried out; those that are not are
// given back, where nobody else can be at it.
func (e *Eraser) living(ctx context.Context, x Erasure) ([]domain.StoredKey, error) {
	others := map[uuid.UUID]bool{}
	for k, err := range e.Keys.All(ctx, x.Subject) {
		if err != nil {
			return nil, err
		}
		if k.State == domain.KeyErasing && k.Erasure != x.ID {
			others[k.Erasure] = true
		}
	}
	for erasure := range others {
		if err := e.end(ctx, erasure); err != nil {
			return nil, err
		}
	}
	var keys []domain.StoredKey
	for k, err := range e.Keys.All(ctx, x.Subject) {
		if err != nil {
			return nil, err
		}
		if k.State != domain.KeyDestroyed {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// end ends another erasure, unless it may be under way.
func (e *Eraser) end(ctx context.Context, erasure uuid.UUID) error {
	_, recorded, err := e.recorded(ctx, erasure)
	if err != nil {
		return err
	}
	if !recorded && e.Settle != nil {
		return domain.NewRefusal(domain.RuleErased, fmt.Sprintf("erasure %s of the same person was begun and is not recorded", erasure),
			"wait until it is done; if nobody carries it out any more, repeat it under its id, or give it up (alur subject release)")
	}
	return e.resume(ctx, erasure)
}

func keptRefusal(k Kept) error {
	if k.Mandate != uuid.Nil {
		return domain.NewRefusal(domain.RuleRetention, fmt.Sprintf("mandate %s holds: who gave it must be known", k.Mandate), "end it first (alur mandate end)")
	}
	if k.Until.IsZero() {
		return domain.NewRefusal(domain.RuleRetention, fmt.Sprintf("request %s is open: what it rests on must be kept", k.Reference), "decide or withdraw it first")
	}
	return domain.NewRefusal(domain.RuleRetention,
		fmt.Sprintf("request %s must be kept until %s (%s)", k.Reference, k.Until.Format(time.DateOnly), k.Ground.EN), "ask again after that day")
}

// kept says what stands against destroying a key.
func (e *Eraser) kept(ctx context.Context, held Held, k domain.ErasedKey, g domain.Ground) ([]Kept, error) {
	if g.BeforeItsTime() {
		return nil, nil
	}
	var kept []Kept
	for _, id := range held.Mandates[k.ID] {
		m, err := e.Engine.Mandate(ctx, id)
		if err != nil {
			return nil, err
		}
		if !m.Over(e.Now()) {
			kept = append(kept, Kept{Class: k.Class, Mandate: id})
		}
	}
	for _, id := range held.Requests[k.ID] {
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
// when their erasure is recorded, and given back when it is not; but where other
// processes write, one that is not recorded may be under way, and is left alone.
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
		if _, recorded, err := e.recorded(ctx, erasure); err != nil || !recorded && e.Settle != nil {
			faults = append(faults, err)
			continue
		}
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
		return e.destroy(ctx, Erasure{ID: erasure, Ground: b.Ground, Note: b.Note, Actor: r.Actor}, b.Keys)
	}
	return e.Keys.Unmark(ctx, erasure)
}

// Release gives the keys of an erasure back that was begun and never recorded, when
// nobody carries it out any more.
func (e *Eraser) Release(ctx context.Context, erasure uuid.UUID) error {
	_, recorded, err := e.recorded(ctx, erasure)
	if err != nil {
		return err
	}
	if recorded {
		return domain.NewRefusal(domain.RuleErased, "this erasure is recorded", "repeat it under its id: it is to be ended, not given up")
	}
	return e.Keys.Unmark(ctx, erasure)
}
