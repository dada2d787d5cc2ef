package projections

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/alur-id/alur/domain"
)

// asking is somebody who wants to know whether a reference is in use.
type asking struct {
	ref   domain.Reference
	taken bool
	err   error
	done  chan struct{}
}

// askedAtOnce is how many references one query of Taken names.
const askedAtOnce = 16

// Taken reports whether a reference is in use. Every submission asks: those that
// do at the same moment are answered by one query, for on a server each is a round
// trip.
func (v *StatusView) Taken(ctx context.Context, ref domain.Reference) (bool, error) {
	a := &asking{ref: ref, done: make(chan struct{})}
	v.mu.Lock()
	v.asking = append(v.asking, a)
	if len(v.asking) == 1 {
		go v.answer(context.WithoutCancel(ctx)) // the others must not fail because one went away
	}
	v.mu.Unlock()
	select {
	case <-a.done:
		return a.taken, a.err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func (v *StatusView) answer(ctx context.Context) {
	runtime.Gosched() // those who are just about to ask come too
	v.mu.Lock()
	all := v.asking
	v.asking = nil
	v.mu.Unlock()
	for group := range slices.Chunk(all, askedAtOnce) {
		taken, err := v.takenAmong(ctx, group)
		for _, a := range group {
			a.taken, a.err = slices.Contains(taken, a.ref), err
			close(a.done)
		}
	}
}

func (v *StatusView) takenAmong(ctx context.Context, group []*asking) (taken []domain.Reference, err error) {
	stmt, err := v.among.on(ctx, v.db) //nolint:sqlclosecheck // it is kept
	if err != nil {
		return nil, fmt.Errorf("read status: %w", err)
	}
	refs := make([]any, askedAtOnce)
	for i := range refs {
		refs[i] = group[min(i, len(group)-1)].ref
	}
	rows, err := stmt.QueryContext(ctx, refs...)
	if err != nil {
		return nil, fmt.Errorf("read status: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var ref domain.Reference
		if err := rows.Scan(&ref); err != nil {
			return nil, fmt.Errorf("read status: %w", err)
		}
		taken = append(taken, ref)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read status: %w", err)
	}
	return taken, nil
}

// placeholders are those of n parameters: $1, $2 and so on.
func placeholders(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = "$" + strconv.Itoa(i+1)
	}
	return strings.Join(all, ", ")
}

// lasting is a statement that is prepared when first used and ends with its
// database.
type lasting struct {
	text string
	mu   sync.Mutex
	stmt *sql.Stmt
}

func (l *lasting) on(ctx context.Context, db *sql.DB) (*sql.Stmt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stmt != nil {
		return l.stmt, nil
	}
	var err error
	l.stmt, err = db.PrepareContext(ctx, l.text)
	return l.stmt, err
}
