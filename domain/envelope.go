package domain

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Version counts the events of one stream; the first event has version 1, so 0
// means "the stream does not exist".
type Version int

// Position orders all events of a log. It is opaque: only comparing two
// positions of one log means anything, and 0 lies before the first event.
type Position int64

// WorkflowRef is a workflow version: what a request is judged by from its
// submission to its end.
type WorkflowRef struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
}

// Envelope is the clear part of an event that is the same for all types. It
// holds no personal data: Actor.ID is a pseudonym.
type Envelope struct {
	ID          uuid.UUID   `json:"-"` // from EventID: command and index, so that a retried append cannot double
	Tenant      TenantCode  `json:"tenant"`
	Service     string      `json:"service"`
	Office      string      `json:"office,omitempty"`
	Actor       Actor       `json:"actor"`
	Workflow    WorkflowRef `json:"workflow"`
	Command     uuid.UUID   `json:"command"`     // what caused it
	Correlation uuid.UUID   `json:"correlation"` // the whole it is part of: an import, a batch; else the command
	Occurred    time.Time   `json:"occurred"`    // when it happened, by whoever told it

	// What [Enter] adds as the event is recorded.
	At   time.Time `json:"recorded,omitzero"` // when, by the clock of the engine that recorded it; an imported event occurred long before
	Prev Hash      `json:"prev,omitzero"`     // hash of the event before it in the stream
	Box  *Box      `json:"box,omitempty"`     // what is personal, sealed
}

// Event is what happened: who, when, under which rules, and the body that says
// what. Personal is what only some may see: it is sealed into the Box before the
// event is recorded, and is never stored as it is.
type Event struct {
	Envelope
	Body     Body
	Personal Personal
}

// Recorded is an event that was read from a log, with the place it has there.
type Recorded struct {
	Event
	Stream   string
	Version  Version
	Position Position
}

// EventID derives the id of the index-th event of a command, so that the same
// command always makes the same ids.
func EventID(command uuid.UUID, index int) uuid.UUID {
	return derive(command, "event", uint64(index))
}

// RequestID derives the id of the request that a submission begins. The same
// submission sent twice therefore meets itself in the same stream, on any store
// that checks versions.
func RequestID(command uuid.UUID) uuid.UUID { return derive(command, "request", 0) }

// CommandID derives a command id from text that is unique in its scope: an
// idempotency key together with who sent it, or a case of an imported log.
// moment goes into the time part of the id and must be the same each time.
func CommandID(moment time.Time, parts ...string) uuid.UUID {
	h := sha256.New()
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	var id uuid.UUID
	copy(id[:], h.Sum(nil))
	ms := max(moment.UnixMilli(), 0)
	var t [8]byte
	binary.BigEndian.PutUint64(t[:], uint64(ms)<<16)
	copy(id[:6], t[:6])
	return stampV7(id)
}

// derive keeps the time part of a version 7 id and replaces the random part by
// a digest, so the derived id sorts beside its origin and is still a version 7
// id (RFC 9562 leaves open where the random bits come from).
func derive(origin uuid.UUID, label string, index uint64) uuid.UUID {
	var whole [64]byte // room for all of it
	b := append(append(whole[:0], origin[:]...), label...)
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(b, index))
	id := uuid.UUID(sum[:16])
	copy(id[:6], origin[:6])
	return stampV7(id)
}

func stampV7(id uuid.UUID) uuid.UUID {
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// RequestStream names the stream of a request. It says nothing about a person.
func RequestStream(id uuid.UUID) string { return "request-" + id.String() }

// WorkflowStream names the stream of a workflow's published versions.
func WorkflowStream(tenant TenantCode, id string) string {
	return "workflow-" + string(tenant) + "-" + id
}

// MigrationStream names the stream of the migrations from one version of a workflow to
// another.
func MigrationStream(tenant TenantCode, id string, from, to int) string {
	return "migration-" + string(tenant) + "-" + id + "-" + strconv.Itoa(from) + "-" + strconv.Itoa(to)
}

// StreamKind is what a stream is of: the first word of its name.
func StreamKind(stream string) string {
	kind, _, _ := strings.Cut(stream, "-")
	return kind
}
