package postgres

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// putting is the keys that wait to be stored. Those that come at the same moment
// are stored by one transaction: each by its own, they would wait for the disk one
// after the other, and the log with them.
type putting struct {
	mu      sync.Mutex
	waiting []*put
	storing bool // a goroutine takes them
}

// put is a key that waits.
type put struct {
	ctx    context.Context
	key    domain.StoredKey
	stored bool // and not kept out by another
	err    error
	done   chan struct{}
}

// add has a key stored, unless its subject has a live one in its class or its id is
// taken, and tells whether it was. When the context ends before, it may yet be.
func (s *KeyStore) add(ctx context.Context, k domain.StoredKey) (bool, error) {
	p := &put{ctx: ctx, key: k, done: make(chan struct{})}
	s.putting.mu.Lock()
	s.putting.waiting = append(s.putting.waiting, p)
	if !s.putting.storing {
		s.putting.storing = true
		go s.storeWaiting()
	}
	s.putting.mu.Unlock()
	select {
	case <-p.done:
		return p.stored, p.err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// storeWaiting stores group after group until nobody waits.
func (s *KeyStore) storeWaiting() {
	for {
		runtime.Gosched() // those who are just about to wait come too
		s.putting.mu.Lock()
		group := s.putting.waiting
		s.putting.waiting = nil
		if len(group) == 0 {
			s.putting.storing = false
		}
		s.putting.mu.Unlock()
		if len(group) == 0 {
			return
		}
		s.store(group)
	}
}

// store tries until there is an answer, or nobody is left who waits for one.
func (s *KeyStore) store(group []*put) {
	err := again(s.closing, firstPatience, func(ctx context.Context) error {
		group = slices.DeleteFunc(group, func(p *put) bool { return p.ctx.Err() != nil })
		if len(group) == 0 {
			return nil
		}
		return s.insert(ctx, group)
	})
	if err != nil && len(group) > 1 && weigh(err) == lasting && s.closing.Err() == nil {
		for i := range group { // no neighbour is to suffer for what one of them holds
			s.store(group[i : i+1 : i+1])
		}
		return
	}
	for _, p := range group {
		p.err = err
		close(p.done)
	}
}

// insert makes one attempt to store a group. What an attempt before said of a key
// does not count: it was said before its transaction ended.
func (s *KeyStore) insert(ctx context.Context, group []*put) error {
	byID := make(map[uuid.UUID]*put, len(group))
	var ids, subjects, classes, keks []string
	var wrapped [][]byte
	var created []int64
	for _, p := range group {
		byID[p.key.ID], p.stored = p, false
		ids, subjects, classes = append(ids, p.key.ID.String()), append(subjects, string(p.key.Subject)), append(classes, string(p.key.Class))
		keks, wrapped, created = append(keks, p.key.KEK), append(wrapped, p.key.Wrapped), append(created, p.key.Created.UnixMicro())
	}
	rows, err := s.db.QueryContext(ctx, `INSERT INTO alur_keys.key (id, subject, class, state, kek, wrapped, created)
		SELECT id, subject, class, 'live', kek, wrapped, created
		FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bigint[]) AS k (id, subject, class, kek, wrapped, created)
		ON CONFLICT DO NOTHING RETURNING id`, ids, subjects, classes, keks, wrapped, created)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return fmt.Errorf("%w: id of a key: %w", errDamaged, err)
		}
		byID[id].stored = true
	}
	return rows.Err()
}
