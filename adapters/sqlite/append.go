package sqlite

import (
	"context"
	"fmt"

	"github.com/alur-id/alur/domain"
)

// maxAppend is the size of an append, in bytes, that is refused: it would hold up
// all others.
const maxAppend = 256 << 20

// appends is what one caller has in line: some appends, each of its own, to be
// answered together.
type appends struct {
	appends []domain.Append
	answers []domain.Appended
	errs    []error // conflicts
	rows    int
}

func (a *appends) weight() int { return a.rows }

// Append implements [domain.EventLog].
func (l *Log) Append(ctx context.Context, a domain.Append) (domain.Appended, error) {
	answers, errs, err := l.AppendBatch(ctx, []domain.Append{a})
	if err != nil {
		return domain.Appended{}, err
	}
	return answers[0], errs[0]
}

// AppendBatch records several appends in their order, each atomic by itself, in
// one transaction. The i-th error is that of the i-th append, a
// [*domain.ConflictError] or nil; the last one is about the whole: it says that
// none is known to be recorded, as the contract of Append has it.
func (l *Log) AppendBatch(ctx context.Context, batch []domain.Append) ([]domain.Appended, []error, error) {
	if l.queue == nil {
		return nil, nil, fmt.Errorf("append to %s: %w", l.path, domain.ErrReadOnly)
	}
	if len(batch) == 0 {
		return nil, nil, nil
	}
	work := &appends{appends: batch, answers: make([]domain.Appended, len(batch)), errs: make([]error, len(batch))}
	for _, a := range batch {
		if err := a.Check(); err != nil {
			return nil, nil, err
		}
		if size := a.Size(); size > maxAppend {
			return nil, nil, fmt.Errorf("append of %d bytes to %s: %w", size, a.Stream, domain.ErrTooLarge)
		}
		work.rows += len(a.Entries)
	}
	if err := l.queue.do(ctx, work); err != nil {
		return nil, nil, fmt.Errorf("append to log: %w", err)
	}
	return work.answers, work.errs, nil
}

// Grouped has somebody told how many appends each transaction answers, conflicts and
// repetitions included, before it answers them. Tell is called by the one goroutine that
// writes.
func (l *Log) Grouped(tell func(appends int)) { l.grouped.Store(&tell) }

// commit makes a group of appends durable and wakes those who wait for events. It
// is not bound to any caller's context: the others in the group must not fail
// because one went away.
func (l *Log) commit(group []*job[*appends]) error {
	before := l.writer.head
	err := l.writer.transact(func() error {
		for _, j := range group {
			if err := l.writer.record(j.work); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		l.writer.forget()
		return err
	}
	if tell := l.grouped.Load(); tell != nil {
		n := 0
		for _, j := range group {
			n += len(j.work.appends)
		}
		(*tell)(n)
	}
	if l.writer.head > before {
		l.mu.Lock()
		l.head = l.writer.head
		close(l.grown)
		l.grown = make(chan struct{})
		l.mu.Unlock()
	}
	return nil
}
