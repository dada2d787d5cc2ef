package memory

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// KeyStore is a key store in memory: a working fake for tests.
type KeyStore struct {
	mu      sync.Mutex
	keys    map[uuid.UUID]domain.StoredKey
	secrets map[string][]byte
}

var _ domain.KeyStore = (*KeyStore)(nil)

// NewKeyStore returns an empty key store.
func NewKeyStore() *KeyStore {
	return &KeyStore{keys: map[uuid.UUID]domain.StoredKey{}, secrets: map[string][]byte{}}
}

// Put implements [domain.KeyStore].
func (s *KeyStore) Put(ctx context.Context, k domain.StoredKey) (domain.StoredKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.live(k.Subject, k.Class); ok {
		return old, ctx.Err()
	}
	if ctx.Err() == nil {
		s.keys[k.ID] = k
	}
	return k, ctx.Err()
}

func (s *KeyStore) live(subject domain.SubjectID, class domain.RetentionClass) (domain.StoredKey, bool) {
	for _, k := range s.keys {
		if k.Subject == subject && k.Class == class && k.State == domain.KeyLive {
			return k, true
		}
	}
	return domain.StoredKey{}, false
}

// Get implements [domain.KeyStore].
func (s *KeyStore) Get(ctx context.Context, id uuid.UUID) (domain.StoredKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.keys[id]
	return k, found(ctx, ok)
}

// Find implements [domain.KeyStore].
func (s *KeyStore) Find(ctx context.Context, subject domain.SubjectID, class domain.RetentionClass) (domain.StoredKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.live(subject, class)
	return k, found(ctx, ok)
}

func found(ctx context.Context, ok bool) error {
	if ctx.Err() == nil && !ok {
		return domain.ErrNotFound
	}
	return ctx.Err()
}

// All implements [domain.KeyStore].
func (s *KeyStore) All(ctx context.Context, subject domain.SubjectID) iter.Seq2[domain.StoredKey, error] {
	return func(yield func(domain.StoredKey, error) bool) {
		s.mu.Lock()
		var list []domain.StoredKey
		for _, k := range s.keys {
			if subject == "" || k.Subject == subject {
				list = append(list, k)
			}
		}
		s.mu.Unlock()
		slices.SortFunc(list, func(a, b domain.StoredKey) int { return bytes.Compare(a.ID[:], b.ID[:]) })
		if ctx.Err() != nil {
			yield(domain.StoredKey{}, ctx.Err())
			return
		}
		for _, k := range list {
			if !yield(k, nil) {
				return
			}
		}
	}
}

// change changes the keys for which it returns true, and counts them.
func (s *KeyStore) change(ctx context.Context, change func(*domain.StoredKey) bool) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	n := 0
	for id, k := range s.keys {
		if change(&k) {
			s.keys[id] = k
			n++
		}
	}
	return n, nil
}

// Mark implements [domain.KeyStore].
func (s *KeyStore) Mark(ctx context.Context, erasure uuid.UUID, ids []uuid.UUID) (int, error) {
	return s.change(ctx, func(k *domain.StoredKey) bool {
		if k.State != domain.KeyLive || !slices.Contains(ids, k.ID) {
			return false
		}
		k.State, k.Erasure = domain.KeyErasing, erasure
		return true
	})
}

// Unmark implements [domain.KeyStore].
func (s *KeyStore) Unmark(ctx context.Context, erasure uuid.UUID) error {
	_, err := s.change(ctx, func(k *domain.StoredKey) bool {
		if _, other := s.live(k.Subject, k.Class); k.State != domain.KeyErasing || k.Erasure != erasure || other {
			return false
		}
		k.State, k.Erasure = domain.KeyLive, uuid.Nil
		return true
	})
	return err
}

// Destroy implements [domain.KeyStore].
func (s *KeyStore) Destroy(ctx context.Context, erasure uuid.UUID, ended time.Time) (int, error) {
	return s.change(ctx, func(k *domain.StoredKey) bool {
		if k.State != domain.KeyErasing || k.Erasure != erasure {
			return false
		}
		clear(k.Wrapped)
		k.State, k.Subject, k.Wrapped, k.Ended = domain.KeyDestroyed, "", nil, ended
		return true
	})
}

// Rewrap implements [domain.KeyStore].
func (s *KeyStore) Rewrap(ctx context.Context, id uuid.UUID, oldKEK, newKEK string, wrapped []byte) (bool, error) {
	n, err := s.change(ctx, func(k *domain.StoredKey) bool {
		if k.ID != id || k.KEK != oldKEK || k.State == domain.KeyDestroyed {
			return false
		}
		k.KEK, k.Wrapped = newKEK, bytes.Clone(wrapped)
		return true
	})
	return n == 1, err
}

// Secret implements [domain.KeyStore].
func (s *KeyStore) Secret(ctx context.Context, name string, offer []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.secrets[name]; !ok && offer != nil && ctx.Err() == nil {
		s.secrets[name] = bytes.Clone(offer)
	}
	secret, ok := s.secrets[name]
	return bytes.Clone(secret), found(ctx, ok)
}

// ReplaceSecret implements [domain.KeyStore].
func (s *KeyStore) ReplaceSecret(ctx context.Context, name string, old, replacement []byte) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil || !bytes.Equal(s.secrets[name], old) {
		return false, ctx.Err()
	}
	s.secrets[name] = bytes.Clone(replacement)
	return true, nil
}
