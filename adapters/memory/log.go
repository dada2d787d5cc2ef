// Package memory holds an event log in memory: a working fake for tests. It
// keeps the contract of [domain.EventLog] but for durability.
package memory

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/alur-id/alur/domain"
)

// Log is an event log in memory.
type Log struct {
	now func() time.Time

	mu      sync.Mutex
	events  []domain.Recorded // position n at index n-1
	streams map[string][]int  // indexes into events
	grown   chan struct{}     // closed and replaced at each append
}

var _ domain.EventLog = (*Log)(nil)

// New returns an empty log that dates its events by a clock.
func New(now func() time.Time) *Log {
	return &Log{now: now, streams: map[string][]int{}, grown: make(chan struct{})}
}

// Append implements [domain.EventLog].
func (l *Log) Append(ctx context.Context, a domain.Append) (domain.Appended, error) {
	if err := ctx.Err(); err != nil {
		return domain.Appended{}, err
	}
	// Through the codec, so that what a test reads is what a store would return.
	decoded := make([]domain.Event, len(a.Events))
	for i, e := range a.Events {
		enc, err := domain.Encode(e)
		if err != nil {
			return domain.Appended{}, err
		}
		if decoded[i], err = domain.Decode(enc); err != nil {
			return domain.Appended{}, err
		}
		decoded[i].ID = e.ID
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.streams[a.Stream]
	if len(at) != int(a.Expected) {
		if last, ok := l.recorded(at, a); ok {
			return last, nil
		}
		return domain.Appended{}, &domain.ConflictError{Stream: a.Stream, Expected: a.Expected, Actual: domain.Version(len(at))}
	}
	for i, e := range decoded {
		l.events = append(l.events, domain.Recorded{
			Event: e, Stream: a.Stream, Version: a.Expected + domain.Version(i+1),
			Position: domain.Position(len(l.events) + 1), At: l.now().UTC(),
		})
		l.streams[a.Stream] = append(l.streams[a.Stream], len(l.events)-1)
	}
	close(l.grown)
	l.grown = make(chan struct{})
	return domain.Appended{Version: a.Expected + domain.Version(len(a.Events)), Position: domain.Position(len(l.events))}, nil
}

// AppendBatch records several appends, each atomic by itself.
func (l *Log) AppendBatch(ctx context.Context, appends []domain.Append) ([]domain.Appended, []error, error) {
	answers, errs := make([]domain.Appended, len(appends)), make([]error, len(appends))
	for i, a := range appends {
		var conflict *domain.ConflictError
		answers[i], errs[i] = l.Append(ctx, a)
		if errs[i] != nil && !errors.As(errs[i], &conflict) {
			return nil, nil, errs[i]
		}
	}
	return answers, errs, nil
}

// recorded is the first answer to an append that is in the stream already.
func (l *Log) recorded(at []int, a domain.Append) (domain.Appended, bool) {
	if len(a.Events) == 0 || len(at) < int(a.Expected)+len(a.Events) {
		return domain.Appended{}, false
	}
	var last domain.Recorded
	for i, e := range a.Events {
		last = l.events[at[int(a.Expected)+i]]
		if last.ID != e.ID {
			return domain.Appended{}, false
		}
	}
	return domain.Appended{Version: last.Version, Position: last.Position, Repeated: true}, true
}

// ReadStream implements [domain.EventLog].
func (l *Log) ReadStream(ctx context.Context, stream string, after domain.Version) iter.Seq2[domain.Recorded, error] {
	return func(yield func(domain.Recorded, error) bool) {
		l.mu.Lock()
		at := l.streams[stream]
		events := l.events
		l.mu.Unlock()
		for _, i := range at[min(int(after), len(at)):] {
			if err := ctx.Err(); err != nil {
				yield(domain.Recorded{}, err)
				return
			}
			if !yield(events[i], nil) {
				return
			}
		}
	}
}

// ReadAll implements [domain.EventLog].
func (l *Log) ReadAll(ctx context.Context, after domain.Position) iter.Seq2[domain.Recorded, error] {
	return func(yield func(domain.Recorded, error) bool) {
		l.mu.Lock()
		events := l.events
		l.mu.Unlock()
		for _, e := range events[min(int(after), len(events)):] {
			if err := ctx.Err(); err != nil {
				yield(domain.Recorded{}, err)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Head implements [domain.EventLog].
func (l *Log) Head(context.Context) (domain.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return domain.Position(len(l.events)), nil
}

// Wait implements [domain.EventLog].
func (l *Log) Wait(ctx context.Context, after domain.Position) error {
	for {
		l.mu.Lock()
		head, grown := domain.Position(len(l.events)), l.grown
		l.mu.Unlock()
		if head > after {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
