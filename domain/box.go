package domain

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"
)

// Personal is the personal data of one event before it is sealed or after it was
// opened: names of fields and what JSON can hold.
type Personal map[string]any

// Box is the sealed personal data of one event. Whoever lacks the key sees only
// that there is something, how long it is, and the commitment, by which it can
// later be shown what was inside.
type Box struct {
	Key    uuid.UUID `json:"key"`    // names the data key; says nothing about whose it is
	Sealed []byte    `json:"sealed"` // nonce, then AES-256-GCM of the salt and the JSON of the personal data
	Commit Hash      `json:"commit"` // SHA-256 of a tag, the salt and the JSON
}

// DataKey opens the boxes of one subject in one retention class.
type DataKey struct {
	ID  uuid.UUID
	Key [32]byte // AES-256

	ready cipher.AEAD // of Key, or nil
}

// Ready is the same key, made ready to be used more than once.
func (k DataKey) Ready() (DataKey, error) {
	var err error
	k.ready, err = k.cipher()
	return k, err
}

// Nonce is a box's number used once, to be drawn from a cryptographic source.
type Nonce [12]byte

// Salt keeps what is in a box from being guessed by its commitment; it is drawn
// from a cryptographic source.
type Salt [32]byte

// Place is the stream, version and type of an event: what a box is bound to, so
// that it cannot be moved to another event unseen.
type Place struct {
	Stream  string
	Version Version
	Type    string
}

// bytes is "stream|version|type".
func (p Place) bytes() []byte {
	b := append(make([]byte, 0, len(p.Stream)+len(p.Type)+22), p.Stream...)
	b = strconv.AppendInt(append(b, '|'), int64(p.Version), 10)
	return append(append(b, '|'), p.Type...)
}

// Place is where the event stands and what it is.
func (r Recorded) Place() Place {
	name, _ := r.Body.Type()
	return Place{Stream: r.Stream, Version: r.Version, Type: name}
}

// ErrUnsealed says that a box is not what its key and place say it should be: it
// was changed, moved, or belongs to another key.
var ErrUnsealed = errors.New("the sealed data does not open: it was changed, moved or sealed under another key")

// Seal closes personal data into a box for one place. It fails only for values
// that JSON cannot hold.
func Seal(k DataKey, at Place, salt Salt, nonce Nonce, p Personal) (Box, error) {
	tagged, err := appendMap(append(append(make([]byte, 0, 256), commitTag...), salt[:]...), p)
	if err != nil {
		return Box{}, fmt.Errorf("seal personal data: %w", err)
	}
	gcm, err := k.cipher()
	if err != nil {
		return Box{}, err
	}
	plain := tagged[len(commitTag):]
	sealed := make([]byte, len(nonce), len(nonce)+len(plain)+gcm.Overhead())
	copy(sealed, nonce[:])
	return Box{Key: k.ID, Sealed: gcm.Seal(sealed, nonce[:], plain, at.bytes()), Commit: sha256.Sum256(tagged)}, nil
}

// Open opens a box and checks it against its commitment. The error is
// [ErrUnsealed].
func (b Box) Open(k DataKey, at Place) (Personal, error) {
	gcm, err := k.cipher()
	if err != nil {
		return nil, err
	}
	n := gcm.NonceSize()
	if k.ID != b.Key || len(b.Sealed) < n {
		return nil, ErrUnsealed
	}
	plain, err := gcm.Open(nil, b.Sealed[:n], b.Sealed[n:], at.bytes())
	// GCM alone does not commit to its key: the commitment does.
	if err != nil || len(plain) < len(Salt{}) || commitment(plain) != b.Commit {
		return nil, ErrUnsealed
	}
	var p Personal
	if err := json.Unmarshal(plain[len(Salt{}):], &p); err != nil {
		return nil, ErrUnsealed
	}
	return p, nil
}

func (k DataKey) cipher() (cipher.AEAD, error) {
	if k.ready != nil {
		return k.ready, nil
	}
	block, err := aes.NewCipher(k.Key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

const commitTag = "alur/commit/v1"

func commitment(plain []byte) Hash {
	return sha256.Sum256(append(append(make([]byte, 0, len(commitTag)+len(plain)), commitTag...), plain...))
}
