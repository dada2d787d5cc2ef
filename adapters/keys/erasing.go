package keys

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// All yields the stored keys in the order of their ids; of one subject, if one is
// named.
func (v *Vault) All(ctx context.Context, subject domain.SubjectID) iter.Seq2[domain.StoredKey, error] {
	return v.store.All(ctx, subject)
}

// Mark moves live keys to erasing. From then on this process seals nothing under
// them.
func (v *Vault) Mark(ctx context.Context, erasure uuid.UUID, ids []uuid.UUID) (int, error) {
	defer v.forget()
	return v.store.Mark(ctx, erasure, ids)
}

// Unmark gives an erasure up before its event was recorded.
func (v *Vault) Unmark(ctx context.Context, erasure uuid.UUID) error {
	defer v.forget()
	return v.store.Unmark(ctx, erasure)
}

// Destroy destroys the keys of an erasure whose event is recorded.
func (v *Vault) Destroy(ctx context.Context, erasure uuid.UUID) (int, error) {
	defer v.forget()
	return v.store.Destroy(ctx, erasure, v.now().UTC())
}

// State is what has become of a key, as the store has it now, and the erasure that
// it is part of.
func (v *Vault) State(ctx context.Context, id uuid.UUID) (domain.KeyState, uuid.UUID, error) {
	k, err := v.store.Get(ctx, id)
	return k.State, k.Erasure, err
}

// Rotate wraps everything that an older key-encryption key of the ring wraps by
// the first one, and returns how many keys it wrapped anew. Cut off, it is simply
// repeated; others may use the store meanwhile, if they have both keys.
func (v *Vault) Rotate(ctx context.Context) (int, error) {
	if err := v.rotateSecret(ctx); err != nil {
		return 0, err
	}
	newest, n := v.ring[0], 0
	for k, err := range v.store.All(ctx, "") {
		if err != nil {
			return n, err
		}
		if k.State == domain.KeyDestroyed || k.KEK == newest.ID() {
			continue
		}
		plain, err := v.ring.unwrap(k.KEK, k.Wrapped, boundTo(k.ID, k.Class))
		if err != nil {
			return n, fmt.Errorf("data key %s: %w", k.ID, err)
		}
		wrapped, err := newest.wrap(plain, boundTo(k.ID, k.Class))
		if err != nil {
			return n, err
		}
		done, err := v.store.Rewrap(ctx, k.ID, k.KEK, newest.ID(), wrapped)
		if err != nil {
			return n, fmt.Errorf("data key %s: %w", k.ID, err)
		}
		if done {
			n++
		}
	}
	return n, nil
}

// Rotated fails while something is still wrapped by another key-encryption key than
// the first of the ring: what other process has been at it, the older keys must not
// be given up.
func (v *Vault) Rotated(ctx context.Context) error {
	newest := v.ring[0].ID()
	secret, err := v.store.Secret(ctx, pepperName, nil)
	if err != nil {
		return err
	}
	if kek, _, _ := strings.Cut(string(secret), ":"); kek != newest {
		return fmt.Errorf("the secret is wrapped by %.20q: another rotation is under way", kek)
	}
	for k, err := range v.store.All(ctx, "") {
		if err != nil {
			return err
		}
		if k.State != domain.KeyDestroyed && k.KEK != newest {
			return fmt.Errorf("data key %s is wrapped by %.20q: a server that has not got the new key is running, or another rotation is under way", k.ID, k.KEK)
		}
	}
	return nil
}

func (v *Vault) rotateSecret(ctx context.Context) error {
	for {
		old, err := v.store.Secret(ctx, pepperName, nil)
		if err != nil {
			return err
		}
		if len(old) > 8 && string(old[:8]) == v.ring[0].ID() {
			return nil
		}
		fresh, err := v.wrapSecret(v.pepper)
		if err != nil {
			return err
		}
		if done, err := v.store.ReplaceSecret(ctx, pepperName, old, fresh); err != nil || done {
			return err
		}
	}
}
