package sqlite

import (
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
)

// writer is the connection that writes to a file, and the state it is in. Only
// the goroutine of a queue uses it.
type writer struct {
	path                    string
	conn                    *sqlite.Conn
	begin, commit, rollback *sqlite.Stmt
	stopped                 error // set for good by a failure that leaves the disk in doubt

	unsaved int // about how many bytes the write-ahead log got since the last checkpoint
	waited  int // the pages in it when a checkpoint last waited for readers
}

// Checkpoints move what the write-ahead log holds into the file, so that the log
// starts again at its beginning. Rarely is cheaper, but each then takes longer.
const (
	checkpointBytes = 4 << 20
	longLog         = 8192 // pages; above it a checkpoint waits a little for readers
	readerPatience  = 50 * time.Millisecond
)

func newWriter(path string, conn *sqlite.Conn) (*writer, error) {
	w := &writer{path: path, conn: conn}
	for text, to := range map[string]**sqlite.Stmt{"BEGIN IMMEDIATE": &w.begin, "COMMIT": &w.commit, "ROLLBACK": &w.rollback} {
		var err error
		if *to, err = conn.Prepare(text); err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
	}
	return w, nil
}

// transact runs work as one transaction that is durable when it returns nil. An
// error is as [passing] has it.
func (w *writer) transact(work func() error) error {
	if w.stopped != nil {
		return w.stopped
	}
	err := run(w.begin)
	if err == nil {
		err = work()
	}
	if err != nil {
		return w.failed(err, passing(err))
	}
	if err := run(w.commit); err != nil {
		return w.failed(err, passingCommit(err))
	}
	return nil
}

// failed ends a transaction that failed.
func (w *writer) failed(err error, passing bool) error {
	if !w.conn.AutocommitEnabled() { // SQLite rolls back by itself after some errors
		if undone := run(w.rollback); undone != nil {
			return w.stop(errors.Join(err, undone))
		}
	}
	if !passing {
		return w.stop(err)
	}
	w.unsaved = checkpointBytes // on a full disk, a log that is empty can be filled again
	return unavailable(err)
}

func (w *writer) stop(err error) error {
	w.stopped = &stoppedError{w.path, err}
	return w.stopped
}

// wrote counts towards the next checkpoint. A row changes about one page of an
// index beside its own.
func (w *writer) wrote(rows, bytes int) { w.unsaved += bytes + rows*4096 }

// checkpoint moves what the log holds into the file, when that is due.
func (w *writer) checkpoint() {
	if w.unsaved < checkpointBytes || w.stopped != nil {
		return
	}
	w.unsaved = 0
	pages, err := w.move("PASSIVE")
	if err == nil && pages > w.waited+longLog {
		w.waited = pages
		w.conn.SetBusyTimeout(readerPatience)
		pages, err = w.move("RESTART")
		w.conn.SetBusyTimeout(busyTimeout)
	}
	if pages < longLog {
		w.waited = 0
	}
	if err != nil && !errors.Is(err, errCheckpoint) && !passing(err) {
		_ = w.stop(err) // the next caller is told
	}
}

// move runs a checkpoint and returns how many pages the log has.
func (w *writer) move(mode string) (pages int, err error) {
	stmt, err := w.conn.Prepare("PRAGMA wal_checkpoint(" + mode + ")")
	if err != nil {
		return 0, err
	}
	if _, err = stmt.Step(); err != nil {
		return 0, err
	}
	busy, pages := stmt.ColumnInt(0), stmt.ColumnInt(1)
	if err := stmt.Reset(); err != nil {
		return pages, err
	}
	if busy != 0 {
		return pages, errCheckpoint
	}
	return pages, nil
}

// run executes a statement that returns nothing.
func run(stmt *sqlite.Stmt) error {
	_, err := stmt.Step()
	if reset := stmt.Reset(); err == nil {
		err = reset
	}
	return err
}
