package domain

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// EnvelopeVersion is the newest version of the envelope's shape. The version is stored
// with each. The first, which had no number, knew neither when an event was recorded nor
// what it followed; the second knew no mandates.
const EnvelopeVersion = 3

// shape is the oldest version but the first that holds an envelope, in which it is
// written: programs of before read what they can.
func (e *Envelope) shape() int {
	if e.Actor.Mandate == uuid.Nil {
		return 2
	}
	return EnvelopeVersion
}

// storedEnvelope is the envelope as encoding/json reads it.
type storedEnvelope struct {
	V int `json:"v"`
	Envelope
}

// appendEnvelope writes what encoding/json would write. Every event that is
// written or read passes here: written out, this is five times as fast.
func appendEnvelope(b []byte, e *Envelope) ([]byte, error) {
	for _, t := range []time.Time{e.Occurred, e.At} {
		if y := t.Year(); y < 0 || y > 9999 {
			return nil, errors.New("a time that RFC 3339 cannot hold")
		}
	}
	b = strconv.AppendInt(append(b, `{"v":`...), int64(e.shape()), 10)
	b = appendText(append(b, `,"tenant":`...), string(e.Tenant))
	b = appendText(append(b, `,"service":`...), e.Service)
	if e.Office != "" {
		b = appendText(append(b, `,"office":`...), e.Office)
	}
	b = appendText(append(b, `,"actor":{"id":`...), e.Actor.ID)
	b = appendText(append(b, `,"role":`...), string(e.Actor.Role))
	b = appendText(append(b, `,"capacity":`...), string(e.Actor.Capacity))
	if e.Actor.Mandate != uuid.Nil {
		b = appendUUID(append(b, `,"mandate":`...), e.Actor.Mandate)
	}
	b = appendText(append(b, `},"workflow":{"id":`...), e.Workflow.ID)
	b = strconv.AppendInt(append(b, `,"version":`...), int64(e.Workflow.Version), 10)
	b = appendUUID(append(b, `},"command":`...), e.Command)
	b = appendUUID(append(b, `,"correlation":`...), e.Correlation)
	b = appendTime(append(b, `,"occurred":`...), e.Occurred)
	if !e.At.IsZero() {
		b = appendTime(append(b, `,"recorded":`...), e.At)
	}
	if !e.Prev.IsZero() {
		b = appendHash(append(b, `,"prev":`...), e.Prev)
	}
	if e.Box != nil {
		b = appendUUID(append(b, `,"box":{"key":`...), e.Box.Key)
		b = append(b, `,"sealed":"`...)
		b = base64.StdEncoding.AppendEncode(b, e.Box.Sealed)
		b = appendHash(append(b, `","commit":`...), e.Box.Commit)
		b = append(b, '}')
	}
	return append(b, '}'), nil
}

func appendTime(b []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

func appendUUID(b []byte, id uuid.UUID) []byte {
	b = hex.AppendEncode(append(b, '"'), id[:4])
	b = hex.AppendEncode(append(b, '-'), id[4:6])
	b = hex.AppendEncode(append(b, '-'), id[6:8])
	b = hex.AppendEncode(append(b, '-'), id[8:10])
	b = hex.AppendEncode(append(b, '-'), id[10:])
	return append(b, '"')
}

func appendHash(b []byte, h Hash) []byte {
	return append(base64.RawURLEncoding.AppendEncode(append(b, '"'), h[:]), '"')
}

// appendPlain writes a text that needs no escapes.
func appendPlain(b []byte, s string) []byte { return append(append(append(b, '"'), s...), '"') }

func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s) // a string cannot fail
			return append(b, quoted...)
		}
	}
	return appendPlain(b, s)
}

// readEnvelope reads an envelope of any version. What appendEnvelope wrote is read
// as it was written; anything else, older envelopes and escaped texts among them,
// is left to encoding/json.
func readEnvelope(meta []byte) (Envelope, error) {
	if e, ok := readWritten(string(meta)); ok {
		return e, nil
	}
	s := storedEnvelope{V: 1}
	if err := json.Unmarshal(meta, &s); err != nil {
		return Envelope{}, err
	}
	if s.V < 1 || s.V > EnvelopeVersion {
		return Envelope{}, fmt.Errorf("envelope version %d is not known to this program: it was written by a newer one", s.V)
	}
	return s.Envelope, nil
}

// readWritten reads an envelope that appendEnvelope wrote, and is false for every
// other.
func readWritten(meta string) (e Envelope, ok bool) {
	r := written{rest: meta}
	newest := r.has(`{"v":3,"tenant":`)
	if !newest {
		r.literal(`{"v":2,"tenant":`)
	}
	e.Tenant = TenantCode(r.text())
	r.literal(`,"service":`)
	e.Service = r.text()
	if r.has(`,"office":`) {
		e.Office = r.text()
	}
	r.literal(`,"actor":{"id":`)
	e.Actor.ID = r.text()
	r.literal(`,"role":`)
	e.Actor.Role = RoleID(r.text())
	r.literal(`,"capacity":`)
	e.Actor.Capacity = Capacity(r.text())
	if newest {
		r.literal(`,"mandate":`)
		e.Actor.Mandate = r.uuid()
	}
	r.literal(`},"workflow":{"id":`)
	e.Workflow.ID = r.text()
	r.literal(`,"version":`)
	e.Workflow.Version = r.number()
	r.literal(`},"command":`)
	e.Command = r.uuid()
	r.literal(`,"correlation":`)
	e.Correlation = r.uuid()
	r.literal(`,"occurred":`)
	e.Occurred = r.time()
	if r.has(`,"recorded":`) {
		e.At = r.time()
	}
	if r.has(`,"prev":`) {
		e.Prev = r.hash()
	}
	if r.has(`,"box":{"key":`) {
		e.Box = &Box{Key: r.uuid()}
		r.literal(`,"sealed":`)
		e.Box.Sealed = r.bytes()
		r.literal(`,"commit":`)
		e.Box.Commit = r.hash()
		r.literal(`}`)
	}
	r.literal(`}`)
	return e, !r.failed && r.rest == ""
}
