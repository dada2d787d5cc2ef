package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/alur-id/alur/domain"
)

// Limits of one group commit. More would not be faster, and the callers at the
// front would wait longer.
const (
	maxRequests = 512
	maxRows     = 4096
)

// request is a caller waiting in line: some appends, each of its own, to be
// answered together.
type request struct {
	appends []domain.Append
	results []result
	err     error // of the transaction: holds for all
	done    chan struct{}
}

type result struct {
	domain.Appended
	conflict error
}

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
func (l *Log) AppendBatch(ctx context.Context, appends []domain.Append) ([]domain.Appended, []error, error) {
	if len(appends) == 0 {
		return nil, nil, nil
	}
	r := &request{appends: appends, results: make([]result, len(appends)), done: make(chan struct{})}
	for _, a := range appends {
		if err := a.Check(); err != nil {
			return nil, nil, err
		}
	}
	select {
	case <-l.closing:
		return nil, nil, domain.ErrClosed
	default:
	}
	select {
	case l.requests <- r:
	case <-l.closing:
		return nil, nil, domain.ErrClosed
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	select {
	case <-r.done:
	case <-l.stopped:
		select {
		case <-r.done:
		default:
			return nil, nil, domain.ErrClosed
		}
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	if r.err != nil {
		return nil, nil, r.err
	}
	answers, errs := make([]domain.Appended, len(appends)), make([]error, len(appends))
	for i, x := range r.results {
		answers[i], errs[i] = x.Appended, x.conflict
	}
	return answers, errs, nil
}

// write is the one goroutine that writes. It takes what waits in line, commits
// it as one transaction, and only then answers.
func (l *Log) write() {
	defer close(l.stopped)
	for {
		var batch []*request
		select {
		case r := <-l.requests:
			batch = l.gather(r)
		case <-l.closing:
			select {
			case r := <-l.requests:
				batch = l.gather(r)
			default:
				return
			}
		}
		err := l.commit(batch)
		if err == nil {
			l.mu.Lock()
			close(l.grown)
			l.grown = make(chan struct{})
			l.mu.Unlock()
		}
		for _, r := range batch {
			r.err = err
			close(r.done)
		}
	}
}

// gather takes the requests that wait already, without waiting for more.
func (l *Log) gather(first *request) []*request {
	batch := []*request{first}
	rows := first.size()
	for len(batch) < maxRequests && rows < maxRows {
		select {
		case r := <-l.requests:
			batch = append(batch, r)
			rows += r.size()
		default:
			return batch
		}
	}
	return batch
}

func (r *request) size() int {
	n := 0
	for _, a := range r.appends {
		n += len(a.Entries)
	}
	return n
}

// commit runs one transaction. It is not bound to any caller's context: the
// others in the batch must not fail because one went away.
func (l *Log) commit(batch []*request) error {
	ctx := context.Background()
	tx, err := l.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("append to log: %w", err)
	}
	w, err := newInserter(ctx, tx)
	for i := 0; err == nil && i < len(batch); i++ {
		for j, a := range batch[i].appends {
			if batch[i].results[j], err = w.append(ctx, a); err != nil {
				break
			}
		}
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return fmt.Errorf("append to log: %w", errors.Join(err, ignoreDone(tx.Rollback())))
	}
	return nil
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// inserter writes appends inside one transaction.
type inserter struct {
	tx      *sql.Tx
	head    domain.Position
	version *sql.Stmt
	insert  *sql.Stmt
}

func newInserter(ctx context.Context, tx *sql.Tx) (*inserter, error) {
	w := &inserter{tx: tx}
	err := tx.QueryRowContext(ctx, `SELECT coalesce(max(position), 0) FROM event`).Scan(&w.head)
	if err != nil {
		return nil, err
	}
	if w.version, err = tx.PrepareContext(ctx, `SELECT coalesce(max(version), 0) FROM event WHERE stream = ?`); err != nil {
		return nil, err
	}
	w.insert, err = tx.PrepareContext(ctx, `INSERT INTO event (`+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
	return w, err
}

// append records one append, or says why it conflicts. An error is the end of
// the whole transaction.
func (w *inserter) append(ctx context.Context, a domain.Append) (result, error) {
	var actual domain.Version
	if err := w.version.QueryRowContext(ctx, a.Stream).Scan(&actual); err != nil {
		return result{}, err
	}
	if actual != a.Expected {
		return w.repeated(ctx, a, actual)
	}
	for _, e := range a.Entries {
		w.head++
		_, err := w.insert.ExecContext(ctx, w.head, e.Stream, e.Version, e.ID[:], e.Type, e.Schema, e.Meta, e.Data)
		if err != nil {
			return result{}, err
		}
	}
	return result{Appended: domain.Appended{Version: a.Expected + domain.Version(len(a.Entries)), Position: w.head}}, nil
}

// repeated is the first answer when the very events stand where the append wants
// them, and a conflict otherwise.
func (w *inserter) repeated(ctx context.Context, a domain.Append, actual domain.Version) (result, error) {
	conflict := result{conflict: &domain.ConflictError{Stream: a.Stream, Expected: a.Expected, Actual: actual}}
	rows, err := w.tx.QueryContext(ctx, `SELECT position, version, id FROM event WHERE stream = ? AND version > ? ORDER BY version LIMIT ?`,
		a.Stream, a.Expected, len(a.Entries))
	if err != nil {
		return result{}, err
	}
	defer rows.Close()
	last := domain.Appended{Repeated: true}
	n := 0
	for ; rows.Next(); n++ {
		var id []byte
		if err := rows.Scan(&last.Position, &last.Version, &id); err != nil {
			return result{}, err
		}
		if string(id) != string(a.Entries[n].ID[:]) {
			return conflict, nil
		}
	}
	if err := rows.Err(); err != nil {
		return result{}, err
	}
	if n < len(a.Entries) {
		return conflict, nil
	}
	return result{Appended: last}, nil
}
