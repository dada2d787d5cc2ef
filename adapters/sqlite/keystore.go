package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/alur-id/alur/domain"
)

// KeyStore keeps the wrapped keys of personal data in a SQLite file of its own.
// One process at a time writes to it, through one goroutine, as to the log; any
// number may read.
type KeyStore struct {
	path    string
	readers *pool
	queue   *queue[*keyWork]
	writer  *writer
	bytes   *os.File // the file itself, to look for what should be gone; see [KeyStore.clean]
	lock    lock
	close   sync.Once

	unfinished bool // a cleaning failed; of the writer alone
}

var _ domain.KeyStore = (*KeyStore)(nil)

var keyKind = kind{name: "a key store of Alur", id: 0x416c754b, version: 1, schema: `
CREATE TABLE key (
	n       INTEGER PRIMARY KEY,
	id      BLOB    NOT NULL UNIQUE,
	subject TEXT    NOT NULL, -- '' once destroyed
	class   TEXT    NOT NULL,
	state   TEXT    NOT NULL,
	kek     TEXT    NOT NULL,
	wrapped BLOB    NOT NULL, -- x'' once destroyed
	created INTEGER NOT NULL, -- microseconds since 1970, as all times here
	erasure BLOB,
	ended   INTEGER
) STRICT;
CREATE UNIQUE INDEX one_live_key ON key (subject, class) WHERE state = 'live';
CREATE INDEX keys_of_erasure ON key (erasure) WHERE state = 'erasing';
CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
-- Why bytes of what was overwritten may still be in the file: see clean.go.
CREATE TABLE leftover (why TEXT PRIMARY KEY) STRICT;
`}

// keyIndexes is what a file of an earlier build lacks, and has too much. The keys of
// a subject that live are found by one_live_key: to hold them a second time made a
// new key half as expensive again.
const keyIndexes = `
DROP INDEX IF EXISTS keys_of_subject;
CREATE INDEX IF NOT EXISTS ended_keys_of_subject ON key (subject, id) WHERE subject <> '' AND state <> 'live';
`

// OpenKeysReadOnly opens a key store for reading, while another process writes to
// it or while none does. What would change it returns [domain.ErrReadOnly].
func OpenKeysReadOnly(ctx context.Context, path string) (*KeyStore, error) {
	real, readers, err := openReadOnly(ctx, path, keyKind)
	if err != nil {
		return nil, err
	}
	return &KeyStore{path: real, readers: readers}, nil
}

// OpenKeys opens the key store in a file and creates it when there is none. It
// returns [ErrInUse] when another process has it open for writing, or this one.
func OpenKeys(ctx context.Context, path string) (*KeyStore, error) {
	real, err := realPath(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	held, err := acquire(real)
	if err != nil {
		return nil, err
	}
	s, err := openKeys(ctx, real)
	if err != nil {
		return nil, errors.Join(err, held.release())
	}
	s.lock = held
	return s, nil
}

func openKeys(ctx context.Context, path string) (*KeyStore, error) {
	// What a rebuilding of the file sets aside must not lie in another folder.
	conn, err := openWriter(ctx, path, keyKind, "secure_delete = ON", "temp_store = MEMORY")
	if err != nil {
		return nil, err
	}
	if err := sqlitex.ExecuteScript(conn, keyIndexes, nil); err != nil {
		return nil, closeAfter(fmt.Errorf("open %s: %w", path, err), conn)
	}
	s := &KeyStore{path: path, readers: newPool(func() (*sqlite.Conn, error) { return openReader(path) })}
	if s.writer, err = newWriter(path, conn); err != nil {
		return nil, closeAfter(err, conn)
	}
	if s.bytes, err = os.Open(path); err != nil {
		return nil, closeAfter(err, conn)
	}
	if err := s.finishCleaning(); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: remove what was destroyed: %w", path, err), conn.Close(), s.bytes.Close())
	}
	s.queue = newQueue(s.commit, s.writer.checkpoint)
	return s, nil
}

// Close waits for what is under way and closes the file.
func (s *KeyStore) Close() error {
	var err error
	s.close.Do(func() {
		if s.queue == nil {
			err = s.readers.close()
			return
		}
		s.queue.close()
		// The bytes come after SQLite, whose locks on the file go with them.
		err = errors.Join(s.readers.close(), s.writer.conn.Close(), s.bytes.Close(), s.lock.release())
	})
	if err != nil {
		return fmt.Errorf("close %s: %w", s.path, err)
	}
	return nil
}

// keyWork is a change in line for the writer, run inside the transaction of its
// group. An error of run is the end of the whole transaction; what concerns only
// this caller, it keeps to itself.
type keyWork struct {
	run func(conn *sqlite.Conn) error

	// Of work that destroys something; see [KeyStore.clean].
	erases    bool
	destroyed [][]byte // set by run: what must be found nowhere in the files any more
	uncleaned error    // why some of it may still be there, when all else went well
}

func (*keyWork) weight() int { return 1 }

func (s *KeyStore) commit(group []*job[*keyWork]) error {
	err := s.writer.transact(func() error {
		for _, j := range group {
			if err := j.work.run(s.writer.conn); err != nil {
				return err
			}
			s.writer.wrote(1, 1024)
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.cleanAfter(group)
	return nil
}

// cleanAfter cleans once for a whole group: by itself, the first to be done would
// strike out what the others left.
func (s *KeyStore) cleanAfter(group []*job[*keyWork]) {
	var destroyed [][]byte
	erases := false
	for _, j := range group {
		erases = erases || j.work.erases
		destroyed = append(destroyed, j.work.destroyed...)
	}
	if !erases {
		return
	}
	uncleaned := s.clean(destroyed)
	for _, j := range group {
		j.work.uncleaned = uncleaned
	}
}

// change has the writer run some work, and says what was being done if it fails.
func (s *KeyStore) change(ctx context.Context, doing string, work *keyWork) error {
	if s.queue == nil {
		return fmt.Errorf("%s in %s: %w", doing, s.path, domain.ErrReadOnly)
	}
	if err := s.queue.do(ctx, work); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// erase is change for work that destroys something: it fails too when copies of
// the bytes may be left.
func (s *KeyStore) erase(ctx context.Context, doing string, work *keyWork) error {
	work.erases = true
	if err := s.change(ctx, doing, work); err != nil {
		return err
	}
	if work.uncleaned != nil {
		return fmt.Errorf("%s: remove the last copies of their bytes: %w", doing, work.uncleaned)
	}
	return nil
}
