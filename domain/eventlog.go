package domain

import (
	"context"
	"iter"
)

// EventLog is the store of everything that happened. It is safe for concurrent
// use.
//
// Durability: when Append returns without an error the events survive the
// sudden death of the process and of the machine. Whether an append that
// returned another error than a [*ConflictError] was recorded is not known; it
// may be repeated as it is.
//
// Order: the versions of a stream run 1, 2, 3 without gaps. Positions grow in
// the order in which events become readable: once a reader has seen a position,
// no event will appear before it. That is what lets a view keep one number as
// its checkpoint and miss nothing.
//
// Idempotency: an append whose events are all recorded already, at the very
// versions it asks for and with the same ids, succeeds again with the first
// answer, says so, and records nothing. The log compares ids, not content: whoever
// appends has to look whether what is recorded is what was meant.
type EventLog interface {
	// Append records events in one stream: all of them or none. Expected is the
	// version of the stream before them, 0 for a new stream; if the stream is
	// elsewhere the error is a [*ConflictError].
	Append(ctx context.Context, a Append) (Appended, error)

	// ReadStream yields the events of a stream with a version above after, in
	// order. A stream that does not exist yields nothing. An error ends the
	// sequence.
	ReadStream(ctx context.Context, stream string, after Version) iter.Seq2[Recorded, error]

	// ReadAll yields the events of all streams with a position above after, in
	// order, up to the end of the log as it was at some moment of the call.
	ReadAll(ctx context.Context, after Position) iter.Seq2[Recorded, error]

	// Head is the position of the last event, 0 for an empty log.
	Head(ctx context.Context) (Position, error)

	// Wait returns nil when the log has an event above after, at once or when it
	// appears, and ctx.Err() when the context ends first.
	Wait(ctx context.Context, after Position) error
}

// Append is what [EventLog.Append] is asked to record.
type Append struct {
	Stream   string
	Expected Version
	Events   []Event
}

// Appended is what became of it: the version and position of its last event, and
// whether the events were there already.
type Appended struct {
	Version  Version
	Position Position
	Repeated bool
}
