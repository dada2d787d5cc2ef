// Package eventstoredb keeps the event log in an EventStoreDB or KurrentDB
// cluster: for those who outgrow one database.
//
// The client library, EventStore-Client-Go, is archived, and its successor
// cannot be linked beside it; so every import of it is in this package (and in
// fakeserver, the server its tests run against). The library also has faults
// that would stop a program for good. What stands between them and Alur is in
// heal.go and client.go (clients are replaced, never repaired), call.go (each call
// is a goroutine that its caller can leave), codec.go (messages that the library
// does not survive are refused) and connect.go (settings that it would ignore are
// too); traps_test.go has a test for each fault.
//
// What the server must be: version 22.6 or newer, for older ones do not tell the
// position of an event read from its stream; $maxCount, $maxAge and deletion
// must not be set on Alur's streams, for a log that forgets is not one.
package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/alur-id/alur/domain"
)

// MaxAppend is the size in bytes, as [domain.Append.Size] has it, above which an
// append is refused before anything is sent. Servers up to 24.10 take 1 MiB,
// counted a little differently, and say so in a way that gets lost in the
// client. Splitting an append would break its atomicity.
const MaxAppend = 900 << 10

// settings are what tests change.
type settings struct {
	// prefix stands before the name of every stream on the server; the log has
	// only the streams that have it. It lets tests share a server that is not
	// empty.
	prefix string
	// attempt is how long one call to the server may take before its client is
	// given up and the call made again.
	attempt time.Duration
	// backoff is the first pause before trying again; it doubles up to patience.
	backoff, patience time.Duration
	// odd is how often an error that should not happen is tried again.
	odd int
	// pulse is how often the head is asked for beside the subscription.
	pulse time.Duration
	// farewell is how long Close waits for calls under way.
	farewell time.Duration
}

func defaults() settings {
	return settings{
		attempt: 10 * time.Second, backoff: 25 * time.Millisecond, patience: time.Second, odd: 20,
		pulse: 10 * time.Second, farewell: 15 * time.Second,
	}
}

// Log is an event log on a server. Any number of processes may have one server.
//
// Outages. Every method waits for the server to come back, until its context
// ends; then the error is the context's and [domain.ErrUnavailable]. So a caller
// that wants an answer in any case gives a deadline. An append is sent again
// after each failure; its event ids make that harmless.
//
// Leaders. Everything is asked of the cluster's leader: what a follower says may
// be old.
//
// Positions are the server's commit positions: byte offsets with large gaps.
//
// Followers keep their own place: a view stores the position it has come to in the
// transaction that stores its rows, waits for more with Wait, and reads from there.
// The log's own catch-up subscription only wakes them. It is filtered, and how far
// it has come, checkpoints included, is kept in memory: when it is dropped, the
// next one goes on from there; a process that starts goes on from the head.
//
// Strangers. The log shows the events that Alur wrote, told by the frame of
// their metadata (see frame.go), and nothing else: the server's own events, whose
// types and streams begin with $, and those of other programs are skipped in
// ReadAll, Head and Wait. In the middle of one of Alur's streams a foreign event
// is an error: the versions would have a gap.
type Log struct {
	healer *healer
	set    settings
	tail   tail
	ctx    context.Context // ends with Close
	stop   context.CancelFunc
	close  sync.Once
	closed error
}

var _ domain.EventLog = (*Log)(nil)

// Open connects to the server that a connection string names, such as
// esdb://host:2113?tls=false or esdb+discover://cluster.example:2113, and returns
// its log. It waits for the server until the context ends.
func Open(ctx context.Context, connectionString string) (*Log, error) {
	return open(ctx, connectionString, defaults())
}

func open(ctx context.Context, connectionString string, set settings) (*Log, error) {
	config, err := parse(connectionString)
	if err != nil {
		return nil, err
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	l := &Log{healer: newHealer(life, *config, set), set: set, ctx: life, stop: stop}
	l.tail.grown = make(chan struct{})
	if _, err := l.Head(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open event log: %w", err), l.Close())
	}
	l.healer.work.Go(l.follow)
	return l, nil
}

// Close ends the connection. Calls under way end with an error soon; Close waits
// for them, and says so if some do not end. Closing again does nothing.
func (l *Log) Close() error {
	l.close.Do(func() {
		l.stop()
		l.closed = l.healer.close()
	})
	return l.closed
}
