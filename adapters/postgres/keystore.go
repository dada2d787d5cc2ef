package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/alur-id/alur/domain"
)

// KeyStore keeps the wrapped keys of personal data in a schema of its own. Any
// number of processes may write to it.
//
// What it destroys is gone from the files of its tables when it says so, and from
// the planner's statistics, where it never was. It is not gone from what
// PostgreSQL keeps for recovery: the write-ahead log, until its segments are
// recycled and written over; its archive, base backups and standbys, for as long
// as the operator keeps them. Nor does the file system write over what it frees.
// All of those bytes are wrapped: without the key-encryption key, which is not in
// the database, they open nothing. So put the key store into a server of its own,
// with archives and backups that live for days, and change the key-encryption key
// after that time.
type KeyStore struct {
	config  *pgx.ConnConfig
	db      *sql.DB
	reading bool // only
	closing context.Context
	cancel  context.CancelFunc
	close   sync.Once
	putting putting
}

var _ domain.KeyStore = (*KeyStore)(nil)

// maxKeyConnections is how many use the key store at once.
const maxKeyConnections = 8

// OpenKeys opens the key store in a database and creates its tables when there are
// none, which needs the right to create a schema. A server that may lose what it
// commits is refused.
func OpenKeys(ctx context.Context, dsn string) (*KeyStore, error) {
	config, wait, err := configured(dsn, forWriting)
	if err != nil {
		return nil, fmt.Errorf("open key store: %w", err)
	}
	s := newKeyStore(config)
	err = waitFor(ctx, wait, func(ctx context.Context) error {
		if err := keySchema.migrate(ctx, config, migrations); err != nil {
			return err
		}
		if err := s.clean(ctx); err != nil {
			return fmt.Errorf("remove what was destroyed: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open key store in %s: %w", config.Database, err), s.Close())
	}
	return s, nil
}

// OpenKeysReadOnly opens a key store for reading, on any server that has it, and
// changes nothing there. What would change it returns [domain.ErrReadOnly].
func OpenKeysReadOnly(ctx context.Context, dsn string) (*KeyStore, error) {
	config, wait, err := configured(dsn, forReading)
	if err != nil {
		return nil, fmt.Errorf("open key store: %w", err)
	}
	if err := waitFor(ctx, wait, func(ctx context.Context) error { return keySchema.check(ctx, config, migrations) }); err != nil {
		return nil, fmt.Errorf("open key store in %s: %w", config.Database, err)
	}
	s := newKeyStore(config)
	s.reading = true
	return s, nil
}

func newKeyStore(config *pgx.ConnConfig) *KeyStore {
	s := &KeyStore{config: config, db: database(config, maxKeyConnections, 0)}
	s.closing, s.cancel = context.WithCancel(context.Background())
	return s
}

// Close ends what is under way and closes the connections. What is called after
// it returns [domain.ErrClosed].
func (s *KeyStore) Close() error {
	var err error
	s.close.Do(func() {
		s.cancel()
		err = s.db.Close()
	})
	return err
}

// ask does what may be done any number of times, until it is answered or the
// context ends.
func (s *KeyStore) ask(ctx context.Context, doing string, attempt func(context.Context) error) error {
	return s.open(ctx, doing, func(ctx context.Context) error { return again(ctx, firstPatience, attempt) })
}

// once does what is done at most once. After an error it is not known whether it
// was, and the caller looks.
func (s *KeyStore) once(ctx context.Context, doing string, patience time.Duration, attempt func(context.Context) error) error {
	return s.open(ctx, doing, func(ctx context.Context) error {
		try, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		err := attempt(try)
		if err != nil && ctx.Err() == nil && weigh(err) != lasting {
			err = fmt.Errorf("%w: %w", domain.ErrUnavailable, err)
		}
		return err
	})
}

func (s *KeyStore) open(ctx context.Context, doing string, do func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	both, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)()
	err := do(both)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = ended(ctx, err)
	case s.closing.Err() != nil:
		err = domain.ErrClosed
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// writable fails for a store that is only read.
func (s *KeyStore) writable(doing string) error {
	if s.reading {
		return fmt.Errorf("%s: %w", doing, domain.ErrReadOnly)
	}
	return nil
}
