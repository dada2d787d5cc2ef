package sqlite

import (
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/alur-id/alur/domain"
)

// SQLite with secure_delete overwrites what it frees. Two copies of what was
// destroyed can still be in the files: one in the write-ahead log, and one in the
// unused part of a page whose rows were once moved to a new page. Rebuilding the
// whole file removes the second, but takes as long as the file is large, so it is
// done only where there is such a copy. Whether there is, is seen by looking.
//
// That this is still to be done is in the file, in the transaction that destroys:
// if the process dies in between, it is done when the file is opened.
const (
	destroyed = "destroyed" // clean has not finished
	rewrapped = "rewrapped" // copies may be there that are not known: only rebuilding removes them
)

// leave records that bytes may be left over.
func leave(conn *sqlite.Conn, why string) error {
	stmt, err := conn.Prepare(`INSERT INTO leftover (why) VALUES (?) ON CONFLICT DO NOTHING`)
	if err != nil {
		return err
	}
	stmt.BindText(1, why)
	return run(stmt)
}

// leftovers counts the reasons of a kind that are recorded.
func leftovers(conn *sqlite.Conn, why string) (int64, error) {
	return number(conn, `SELECT count(*) FROM leftover WHERE why = '`+why+`'`)
}

// clean makes sure that the bytes are nowhere in the files, if any were destroyed
// since it last succeeded. Only the writer calls it. An error is as [passing] has
// it: ErrUnavailable for what repeating may mend.
func (s *KeyStore) clean(secrets [][]byte) error {
	err := s.sweep(secrets)
	switch {
	case err == nil || errors.Is(err, domain.ErrStopped) || errors.Is(err, domain.ErrUnavailable):
		return err
	case errors.Is(err, errCheckpoint) || passing(err):
		return fmt.Errorf("%w: %w", domain.ErrUnavailable, err)
	}
	return s.writer.stop(err)
}

func (s *KeyStore) sweep(secrets [][]byte) error {
	pending, err := leftovers(s.writer.conn, destroyed)
	if err != nil || pending == 0 {
		return err
	}
	unknown, err := leftovers(s.writer.conn, rewrapped)
	if err != nil {
		return err
	}
	// Bytes that a cleaning which failed knew are not known any more.
	rebuild := unknown > 0 || s.unfinished
	s.unfinished = true
	if err := s.emptyLog(); err != nil {
		return err
	}
	if !rebuild {
		if rebuild, err = newTraces(secrets).in(s.bytes); err != nil {
			return fmt.Errorf("look for copies in %s: %w", s.path, err)
		}
	}
	if rebuild {
		if err := s.rebuild(); err != nil {
			return err
		}
	}
	s.unfinished = false
	return s.writer.transact(func() error {
		stmt, err := s.writer.conn.Prepare(`DELETE FROM leftover`)
		if err != nil {
			return err
		}
		return run(stmt)
	})
}

// finishCleaning does what a process that died did not come to.
func (s *KeyStore) finishCleaning() error {
	s.unfinished = true // what it looked for, nobody knows
	err := s.clean(nil)
	s.unfinished = err != nil
	return err
}

func (s *KeyStore) rebuild() error {
	stmt, err := s.writer.conn.Prepare(`VACUUM`)
	if err != nil {
		return err
	}
	if err := run(stmt); err != nil {
		return fmt.Errorf("rebuild %s: %w", s.path, err)
	}
	return s.emptyLog()
}

// emptyLog moves the write-ahead log into the file and cuts it to no bytes.
func (s *KeyStore) emptyLog() error {
	if _, err := s.writer.move("TRUNCATE"); err != nil {
		return fmt.Errorf("empty the write-ahead log of %s: %w", s.path, err)
	}
	return nil
}
