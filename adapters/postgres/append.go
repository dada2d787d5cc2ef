package postgres

import (
	"context"
	"fmt"

	"github.com/alur-id/alur/domain"
)

// maxAppend is the size of an append, in bytes, that is refused: it would hold up
// all others. PostgreSQL takes a message, which is the whole append, of up to 1 GB.
const maxAppend = 256 << 20

// job is what one caller has in line: some appends, each of its own, to be
// answered together.
type job struct {
	ctx     context.Context
	appends []domain.Append
	answers []domain.Appended
	errs    []error // conflicts
	left    int     // how many have no answer
	err     error   // of the whole
	done    chan struct{}
}

// item is one append of a job.
type item struct {
	*job
	n    int
	size int
}

func (i item) append() domain.Append { return i.appends[i.n] }

// Append implements [domain.EventLog].
func (l *Log) Append(ctx context.Context, a domain.Append) (domain.Appended, error) {
	answers, errs, err := l.AppendBatch(ctx, []domain.Append{a})
	if err != nil {
		return domain.Appended{}, err
	}
	return answers[0], errs[0]
}

// Grouped has somebody told how many appends each transaction answers, conflicts and
// repetitions included, before it answers them; nothing of a log that is
// only read. Tell is called by the one goroutine that writes.
func (l *Log) Grouped(tell func(appends int)) {
	if l.committer != nil {
		l.committer.grouped.Store(&tell)
	}
}

// AppendBatch records several appends in their order, each atomic by itself, in as
// few transactions as will do. The i-th error is that of the i-th append, a
// [*domain.ConflictError] or nil; the last one is about the whole: it says that
// none is known to be recorded, as the contract of Append has it.
func (l *Log) AppendBatch(ctx context.Context, batch []domain.Append) ([]domain.Appended, []error, error) {
	if l.committer == nil {
		return nil, nil, fmt.Errorf("append to log: %w", domain.ErrReadOnly)
	}
	if len(batch) == 0 {
		return nil, nil, nil
	}
	j := &job{
		ctx: ctx, appends: batch, answers: make([]domain.Appended, len(batch)), errs: make([]error, len(batch)),
		left: len(batch), done: make(chan struct{}),
	}
	for _, a := range batch {
		if err := a.Check(); err != nil {
			return nil, nil, err
		}
		if size := a.Size(); size > maxAppend {
			return nil, nil, fmt.Errorf("append of %d bytes to %s: %w", size, a.Stream, domain.ErrTooLarge)
		}
	}
	if err := l.committer.do(j); err != nil {
		return nil, nil, fmt.Errorf("append to log: %w", err)
	}
	return j.answers, j.errs, nil
}
