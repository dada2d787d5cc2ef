package domain

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Entry is an event as a log keeps it: where it stands, what it is called, and
// two JSON texts that the log neither reads nor changes. What they say is
// between [Enter], which makes entries of events, and [Decode], which reads them.
type Entry struct {
	Stream   string
	Version  Version
	Position Position // given by the log; 0 in an append
	ID       uuid.UUID
	Type     string
	Schema   int
	Meta     []byte // the envelope
	Data     []byte // the body
}

// Hash is a SHA-256 digest. As text it is unpadded base64url.
type Hash [sha256.Size]byte

// IsZero reports whether there is no hash: the first event of a stream follows
// none.
func (h Hash) IsZero() bool { return h == Hash{} }

func (h Hash) String() string { return base64.RawURLEncoding.EncodeToString(h[:]) }

// MarshalText implements [encoding.TextMarshaler].
func (h Hash) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, h[:]), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (h *Hash) UnmarshalText(text []byte) error {
	if base64.RawURLEncoding.DecodedLen(len(text)) != len(h) {
		return errors.New("not a SHA-256 digest in base64url")
	}
	_, err := base64.RawURLEncoding.Strict().Decode(h[:], text)
	return err
}

// Hash is the digest that the next event of the stream carries. It covers
// everything but the position, which is the log's own: a copy of the log has the
// same hashes. Each part is preceded by its length, so that no two entries read
// alike.
func (e Entry) Hash() Hash {
	const tag = "alur/event/v1"
	var room [2048]byte // most entries fit, and nothing is allocated for them
	b := append(room[:0], tag...)
	b = appendPart(b, e.Stream)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Version))
	b = append(b, e.ID[:]...)
	b = appendPart(b, e.Type)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Schema))
	b = appendPart(b, e.Meta)
	b = appendPart(b, e.Data)
	return sha256.Sum256(b)
}

func appendPart[T string | []byte](b []byte, part T) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
	return append(b, part...)
}

// Size is about how many bytes the entry takes, for limits.
func (e Entry) Size() int {
	return len(e.Stream) + len(e.Type) + len(e.ID) + len(e.Meta) + len(e.Data)
}

// Tip is where a stream stands: the version and the hash of its last event. The
// zero value is a stream that does not exist.
type Tip struct {
	Version Version
	Hash    Hash
}

// Tip is where the stream stands after this entry.
func (e Entry) Tip() Tip { return Tip{Version: e.Version, Hash: e.Hash()} }

// Enter makes the append that records events behind the tip of a stream, each
// chained to the one before it, and returns it with the tip the stream then has.
// At is when they are recorded; a log keeps microseconds. It fails only for a
// value that JSON cannot hold.
func Enter(stream string, tip Tip, at time.Time, events []Event) (Append, Tip, error) {
	a := Append{Stream: stream, Expected: tip.Version, Entries: make([]Entry, len(events))}
	at = at.UTC().Truncate(time.Microsecond)
	for i, e := range events {
		e.At, e.Prev = at, tip.Hash
		entry, err := encode(e)
		if err != nil {
			return Append{}, Tip{}, fmt.Errorf("%s version %d: %w", stream, tip.Version+1, err)
		}
		entry.Stream, entry.Version = stream, tip.Version+1
		a.Entries[i], tip = entry, entry.Tip()
	}
	return a, tip, nil
}
