// Package keys holds the data keys that personal data is sealed under: it makes
// one when a subject first needs it, wraps it by a key-encryption key that comes
// from outside before it is stored, and remembers those in use.
package keys

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/alur-id/alur/domain"
)

// Vault seals and opens personal data. It is safe for concurrent use, by several
// processes on one store.
type Vault struct {
	store  domain.KeyStore
	ring   Ring
	now    func() time.Time
	trust  time.Duration
	pepper []byte

	keys     *lru.Cache[uuid.UUID, remembered]
	subjects *lru.Cache[owner, remembered]
}

type owner struct {
	subject domain.SubjectID
	class   domain.RetentionClass
}

// remembered is a key that was unwrapped, and until when that it lives is
// believed without asking the store.
type remembered struct {
	key   domain.DataKey
	state domain.KeyState
	until time.Time
}

// cacheSize is how many keys are remembered; one takes about 1,500 bytes.
const cacheSize = 16384

// Config is what a vault needs beside its store.
type Config struct {
	Ring Ring
	Now  func() time.Time
	// Trust is how long a key is believed to live without asking the store: how
	// long after an erasure by another process this one may still open and seal.
	// Zero is for ever, for the only process that writes to the store.
	Trust time.Duration
}

// Open returns a vault over a store. The first one on a new store makes the secret
// that subjects are derived with.
func Open(ctx context.Context, store domain.KeyStore, c Config) (*Vault, error) {
	v := &Vault{store: store, ring: c.Ring, now: c.Now, trust: c.Trust}
	if len(c.Ring) == 0 {
		return nil, errors.New("open vault: no key-encryption key")
	}
	v.keys, _ = lru.New[uuid.UUID, remembered](cacheSize)
	v.subjects, _ = lru.New[owner, remembered](cacheSize) // fails only for a size below one
	secret, err := v.secret(ctx)
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	v.pepper = secret
	return v, nil
}

const pepperName = "subject"

// secret reads the secret, and makes it first where there is none.
func (v *Vault) secret(ctx context.Context) ([]byte, error) {
	stored, err := v.store.Secret(ctx, pepperName, nil)
	if errors.Is(err, domain.ErrNotFound) {
		var fresh [32]byte
		_, _ = rand.Read(fresh[:])
		offer, wrapErr := v.wrapSecret(fresh[:])
		if wrapErr != nil {
			return nil, wrapErr
		}
		stored, err = v.store.Secret(ctx, pepperName, offer)
	}
	if err != nil {
		return nil, err
	}
	kek, wrapped, _ := strings.Cut(string(stored), ":")
	b, err := base64.StdEncoding.DecodeString(wrapped)
	if err != nil {
		return nil, fmt.Errorf("the stored secret: %w: %w", domain.ErrDamagedKey, err)
	}
	return v.ring.unwrap(kek, b, pepperName)
}

func (v *Vault) wrapSecret(secret []byte) ([]byte, error) {
	wrapped, err := v.ring[0].wrap(secret, pepperName)
	return []byte(v.ring[0].ID() + ":" + base64.StdEncoding.EncodeToString(wrapped)), err
}

// Subject is who an identity stands for: an HMAC-SHA-256 of it, cut to 128 bits.
func (v *Vault) Subject(identity string) domain.SubjectID {
	mac := hmac.New(sha256.New, v.pepper)
	mac.Write([]byte(identity))
	return domain.SubjectID("s-" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16]))
}

// Key returns the id of the live data key of a subject in a class, and makes one
// when there is none. It is durable when it returns.
func (v *Vault) Key(ctx context.Context, s domain.SubjectID, c domain.RetentionClass) (uuid.UUID, error) {
	whose := owner{s, c}
	if m, ok := v.subjects.Get(whose); ok && v.believed(m) {
		return m.key.ID, nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, err
	}
	fresh := domain.DataKey{ID: id}
	_, _ = rand.Read(fresh.Key[:])
	wrapped, err := v.ring[0].wrap(fresh.Key[:], boundTo(id, c))
	if err != nil {
		return uuid.Nil, err
	}
	asked := v.now()
	stored, err := v.store.Put(ctx, domain.StoredKey{
		ID: id, Subject: s, Class: c, State: domain.KeyLive, KEK: v.ring[0].ID(), Wrapped: wrapped, Created: asked.UTC().Truncate(time.Microsecond),
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("store data key: %w", err)
	}
	m, err := v.remember(stored, asked)
	if err != nil {
		return uuid.Nil, err
	}
	v.subjects.Add(whose, m)
	return stored.ID, nil
}

// Seal closes personal data under a key. The error is [domain.ErrErased] when the
// key is being destroyed or was.
func (v *Vault) Seal(ctx context.Context, key uuid.UUID, at domain.Place, p domain.Personal) (domain.Box, error) {
	m, err := v.get(ctx, key)
	if err != nil {
		return domain.Box{}, err
	}
	if m.state != domain.KeyLive {
		return domain.Box{}, domain.ErrErased
	}
	var salt domain.Salt
	var nonce domain.Nonce
	_, _ = rand.Read(salt[:])
	_, _ = rand.Read(nonce[:])
	return domain.Seal(m.key, at, salt, nonce, p)
}

// Alive returns [domain.ErrErased] unless the key lives, or did so recently that an
// erasure which began since is still waiting for what was recorded up to now.
func (v *Vault) Alive(ctx context.Context, key uuid.UUID) error {
	m, err := v.get(ctx, key)
	if err == nil && m.state != domain.KeyLive {
		err = domain.ErrErased
	}
	return err
}

// Open opens a box. Errors: [domain.ErrErased], [domain.ErrUnsealed],
// [domain.ErrNotFound] for a key that the store never had.
func (v *Vault) Open(ctx context.Context, b domain.Box, at domain.Place) (domain.Personal, error) {
	m, err := v.get(ctx, b.Key)
	if err != nil {
		return nil, err
	}
	if m.state == domain.KeyDestroyed {
		return nil, domain.ErrErased
	}
	return b.Open(m.key, at)
}

func (v *Vault) get(ctx context.Context, id uuid.UUID) (remembered, error) {
	if m, ok := v.keys.Get(id); ok && v.believed(m) {
		return m, nil
	}
	asked := v.now()
	stored, err := v.store.Get(ctx, id)
	if err != nil {
		return remembered{}, fmt.Errorf("data key %s: %w", id, err)
	}
	return v.remember(stored, asked)
}

func (v *Vault) believed(m remembered) bool { return v.trust == 0 || v.now().Before(m.until) }

// remember unwraps a key that the store was asked for at a time. Trust runs from
// the question: an answer may have been long under way.
func (v *Vault) remember(k domain.StoredKey, asked time.Time) (remembered, error) {
	m := remembered{key: domain.DataKey{ID: k.ID}, state: k.State, until: asked.Add(v.trust)}
	if k.State != domain.KeyDestroyed {
		plain, err := v.ring.unwrap(k.KEK, k.Wrapped, boundTo(k.ID, k.Class))
		if err != nil {
			return remembered{}, fmt.Errorf("data key %s: %w", k.ID, err)
		}
		copy(m.key.Key[:], plain)
		if m.key, err = m.key.Ready(); err != nil {
			return remembered{}, fmt.Errorf("data key %s: %w", k.ID, err)
		}
	}
	v.keys.Add(k.ID, m)
	return m, nil
}

func boundTo(id uuid.UUID, c domain.RetentionClass) string {
	return "alur/key/v1|" + id.String() + "|" + string(c)
}

// forget drops everything remembered: erasures are rare.
func (v *Vault) forget() {
	v.keys.Purge()
	v.subjects.Purge()
}
