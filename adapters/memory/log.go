// Package memory holds an event log in memory: a working fake for tests, and for what
// is looked at once and not kept. It keeps the contract of [domain.EventLog] but for
// durability.
package memory

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"sync"

	"github.com/alur-id/alur/domain"
)

// Log is an event log in memory.
type Log struct {
	mu      sync.Mutex
	entries []domain.Entry   // position n at index n-1
	streams map[string][]int // indexes into entries
	grown   chan struct{}    // closed and replaced at each append
}

var _ domain.EventLog = (*Log)(nil)

// New returns an empty log.
func New() *Log { return &Log{streams: map[string][]int{}, grown: make(chan struct{})} }

// Append implements [domain.EventLog].
func (l *Log) Append(ctx context.Context, a domain.Append) (domain.Appended, error) {
	if err := errors.Join(ctx.Err(), a.Check()); err != nil {
		return domain.Appended{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.streams[a.Stream]
	if len(at) != int(a.Expected) {
		if first, ok := l.recorded(at, a); ok {
			return first, nil
		}
		return domain.Appended{}, &domain.ConflictError{Stream: a.Stream, Expected: a.Expected, Actual: domain.Version(len(at))}
	}
	for _, e := range a.Entries {
		e.Position = domain.Position(len(l.entries) + 1)
		l.streams[a.Stream] = append(l.streams[a.Stream], len(l.entries))
		l.entries = append(l.entries, own(e))
	}
	close(l.grown)
	l.grown = make(chan struct{})
	return domain.Appended{Version: a.Expected + domain.Version(len(a.Entries)), Position: domain.Position(len(l.entries))}, nil
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
	if len(at) < int(a.Expected)+len(a.Entries) {
		return domain.Appended{}, false
	}
	var last domain.Entry
	for i, e := range a.Entries {
		last = l.entries[at[int(a.Expected)+i]]
		if last.ID != e.ID {
			return domain.Appended{}, false
		}
	}
	return domain.Appended{Version: last.Version, Position: last.Position, Repeated: true}, true
}

// ReadStream implements [domain.EventLog].
func (l *Log) ReadStream(ctx context.Context, stream string, after domain.Version) iter.Seq2[domain.Entry, error] {
	return func(yield func(domain.Entry, error) bool) {
		l.mu.Lock()
		at, entries := l.streams[stream], l.entries
		l.mu.Unlock()
		for _, i := range at[min(int(after), len(at)):] {
			if !give(ctx, entries[i], yield) {
				return
			}
		}
	}
}

// ReadAll implements [domain.EventLog].
func (l *Log) ReadAll(ctx context.Context, after domain.Position) iter.Seq2[domain.Entry, error] {
	return func(yield func(domain.Entry, error) bool) {
		l.mu.Lock()
		entries := l.entries
		l.mu.Unlock()
		for _, e := range entries[min(int(after), len(entries)):] {
			if !give(ctx, e, yield) {
				return
			}
		}
	}
}

func give(ctx context.Context, e domain.Entry, yield func(domain.Entry, error) bool) bool {
	if err := ctx.Err(); err != nil {
		yield(domain.Entry{}, err)
		return false
	}
	return yield(own(e), nil)
}

// own is a copy that shares no bytes with the entry.
func own(e domain.Entry) domain.Entry {
	e.Meta, e.Data = bytes.Clone(e.Meta), bytes.Clone(e.Data)
	return e
}

// Head implements [domain.EventLog].
func (l *Log) Head(ctx context.Context) (domain.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return domain.Position(len(l.entries)), ctx.Err()
}

// Wait implements [domain.EventLog].
func (l *Log) Wait(ctx context.Context, after domain.Position) error {
	for {
		l.mu.Lock()
		head, grown := domain.Position(len(l.entries)), l.grown
		l.mu.Unlock()
		if head > after {
			return ctx.Err()
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
