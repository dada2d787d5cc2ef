package domain

import (
	"context"
	"errors"
	"iter"
)

// EventLog is the store of everything that happened: streams of entries, and one
// order over all of them. This comment is the contract; adapters/storetest holds
// it as a test, in which a store says what it cannot do. All methods are safe for
// concurrent use.
//
// Durability. When Append returns without an error, the entries survive the
// sudden death of the process, of the store's own process, and of the machine.
// A store that could not make something durable does not go on as if it had: it
// refuses further appends with [ErrStopped] until it is opened anew.
//
// Atomicity. An append is recorded whole or not at all, and no reader sees a part
// of it. Two appends, to whatever streams, have nothing to do with each other: a
// store may make many durable together, but the conflict of one fails none of
// its neighbours.
//
// Versions. The versions of a stream run 1, 2, 3 without gaps. An append names
// the version that it expects the stream to be at, 0 for a stream that does not
// exist; when the stream is elsewhere, nothing is recorded and the error is a
// [*ConflictError] that names the version where it is. Of any number of appends
// to one version, one wins.
//
// Positions are opaque but ordered: only comparing two of one log means anything.
// They may have gaps. They grow in the order in which entries become readable:
// once a reader has seen a position, no entry will ever appear before it. So one
// number is all a follower has to remember to miss nothing and see nothing twice.
// The entries of one append stand beside each other, in order.
//
// Idempotency. An append whose entries are all recorded already, at the very
// versions it asks for and under the same event ids, succeeds again with the
// version and position of the first time, and says that it was [Appended.Repeated].
// The log compares ids, not content: whoever appends looks whether what is
// recorded is what was meant.
//
// Errors. A [*ConflictError], [ErrTooLarge], [ErrReadOnly] and [ErrClosed] mean
// that nothing was recorded. After any other error, the end of the context
// included, it is not known whether the append was recorded. It may be repeated
// as it is, byte for byte, any number of times: idempotency makes that harmless,
// and [ErrUnavailable] says that it may well succeed later. An append that was
// not yet acknowledged may be recorded after its context ended.
//
// Contexts. Every method returns soon after its context ends, whatever the store
// is doing, with an error for which errors.Is(err, ctx.Err()).
type EventLog interface {
	// Append records the entries of one stream. An append without entries is a
	// mistake of the caller and is refused.
	Append(ctx context.Context, a Append) (Appended, error)

	// ReadStream yields the entries of a stream with a version above after, in
	// order, up to its end as it was at some moment of the call. A stream that
	// does not exist yields nothing. An error is yielded once, with a zero entry,
	// and ends the sequence; what came before it was true. The sequence may be
	// ranged over again. The entries' bytes are the reader's own.
	ReadStream(ctx context.Context, stream string, after Version) iter.Seq2[Entry, error]

	// ReadAll does the same for the entries of all streams with a position above
	// after, in the order of positions. Memory used does not grow with the log.
	ReadAll(ctx context.Context, after Position) iter.Seq2[Entry, error]

	// Head is the position of the last entry, 0 for an empty log.
	Head(ctx context.Context) (Position, error)

	// Wait returns nil when the log has an entry above after, at once or soon
	// after it appears, whichever process recorded it.
	Wait(ctx context.Context, after Position) error
}

// Append is what [EventLog.Append] is asked to record. [Enter] makes it: the
// entries carry the same stream and the versions after Expected.
type Append struct {
	Stream   string
	Expected Version
	Entries  []Entry
}

// Size is about how many bytes the append takes, for limits.
func (a Append) Size() int {
	n := 0
	for _, e := range a.Entries {
		n += e.Size()
	}
	return n
}

// Check returns an error for an append that no log takes, because its caller made
// it wrongly.
func (a Append) Check() error {
	if a.Stream == "" || a.Expected < 0 || len(a.Entries) == 0 {
		return errors.New("append without a stream, a version or entries")
	}
	for i, e := range a.Entries {
		if e.Stream != a.Stream || e.Version != a.Expected+Version(i+1) {
			return errors.New("append whose entries belong elsewhere: " + e.Stream)
		}
	}
	return nil
}

// Appended is what became of an append: the version and position of its last
// entry, and whether the entries were there already.
type Appended struct {
	Version  Version
	Position Position
	Repeated bool
}

// What a log can say of an append beside a [*ConflictError]. Test with
// errors.Is; the text around them says more.
var (
	ErrUnavailable = errors.New("the store cannot be reached; trying again may help")
	ErrTooLarge    = errors.New("more than the event log takes in one append")
	ErrReadOnly    = errors.New("the event log can only be read here")
	ErrStopped     = errors.New("the event log takes no more appends: it could not make an earlier one durable")
	ErrClosed      = errors.New("the event log is closed")
	// ErrDamaged is an error of reading: what is stored there is no longer what was
	// written. What lies behind it may still be read.
	ErrDamaged = errors.New("the store is damaged")
)
