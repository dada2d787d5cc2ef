package domain

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/google/uuid"
)

// SubjectID stands for the person that personal data is about. It is made from
// what identifies them with a secret key, so it tells nobody who they are, and
// the same person is the same subject in every request.
type SubjectID string

// RetentionClass groups personal data that is kept equally long and for the same
// reason. Each subject has a data key in each class.
type RetentionClass string

// KeyState is what has become of a data key.
type KeyState string

// The states of a key. Erasing is between the decision to erase and its event in
// the log: a key in this state no longer seals, and is destroyed as soon as the
// event is found there.
const (
	KeyLive      KeyState = "live"
	KeyErasing   KeyState = "erasing"
	KeyDestroyed KeyState = "destroyed"
)

// StoredKey is a data key as a key store holds it: wrapped by a key-encryption key
// that is not in the store.
type StoredKey struct {
	ID      uuid.UUID
	Subject SubjectID // empty once destroyed: nothing then leads from a person to the key
	Class   RetentionClass
	State   KeyState
	KEK     string // names the key-encryption key
	Wrapped []byte // empty once destroyed
	Created time.Time
	Erasure uuid.UUID // the erasure that it is part of; Nil while live
	Ended   time.Time // when it was destroyed; zero before
}

// ErrErased says that personal data cannot be opened, or sealed, because its key
// was destroyed when the person was erased.
var ErrErased = errors.New("the personal data was erased: its key was destroyed")

// ErrDamagedKey says that a key is in the store, but is not what was stored there.
var ErrDamagedKey = errors.New("a stored key does not unwrap")

// KeyStore keeps wrapped keys. It is apart from the event log, with its own, shorter
// lived, backups: what is destroyed here must not lie in them for years. All
// methods are safe for concurrent use, by several processes too, and durable when
// they return without an error.
type KeyStore interface {
	// Put stores a live key, unless its subject has a live one in its class
	// already: then that one is returned and nothing is stored.
	Put(ctx context.Context, k StoredKey) (StoredKey, error)

	// Get returns a key by its id, destroyed ones too, or [ErrNotFound].
	Get(ctx context.Context, id uuid.UUID) (StoredKey, error)

	// Find returns the live key of a subject in a class, or [ErrNotFound].
	Find(ctx context.Context, subject SubjectID, class RetentionClass) (StoredKey, error)

	// All yields all keys in the order of their ids; of one subject, if one is
	// named. The store may be changed while ranging over it.
	All(ctx context.Context, subject SubjectID) iter.Seq2[StoredKey, error]

	// Mark moves live keys to erasing, as part of an erasure. Keys in any other
	// state stay as they are. It returns how many it moved.
	Mark(ctx context.Context, erasure uuid.UUID, ids []uuid.UUID) (int, error)

	// Unmark moves the erasing keys of an erasure back to live: the erasure was
	// given up before its event was recorded. A key whose subject has another live
	// key in its class by then stays as it is.
	Unmark(ctx context.Context, erasure uuid.UUID) error

	// Destroy overwrites and removes the wrapped bytes and the subject of all
	// erasing keys of an erasure and sets when they ended, so that no byte of them
	// is left in the store's files. It returns how many it destroyed. Destroying
	// again destroys nothing.
	Destroy(ctx context.Context, erasure uuid.UUID, ended time.Time) (int, error)

	// Rewrap replaces the wrapped bytes of a key that is still wrapped by the old
	// key-encryption key; else it does nothing. It tells whether it did.
	Rewrap(ctx context.Context, id uuid.UUID, oldKEK, newKEK string, wrapped []byte) (bool, error)

	// Secret returns a named secret as it was stored, and stores the offered one
	// first if there is none. A nil offer only reads: [ErrNotFound].
	Secret(ctx context.Context, name string, offer []byte) ([]byte, error)

	// ReplaceSecret puts a secret in the place of another, and tells whether the
	// old one was still there.
	ReplaceSecret(ctx context.Context, name string, old, replacement []byte) (bool, error)
}
