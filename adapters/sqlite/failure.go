package sqlite

import (
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/alur-id/alur/domain"
)

// How a failed write goes on.
//
// Nothing is recorded of a group whose transaction fails before its commit is
// written because the disk is full, the file is locked by another tool, memory is
// short or a constraint of the tables is violated: the group fails with
// ErrUnavailable, and the next may succeed.
//
// After any other failure the writer stops for good with ErrStopped. After a
// failed fsync the operating system may have dropped what it could not write and
// report success the next time; after a failed write the disk is not to be
// trusted. Opening anew recovers what was acknowledged from the disk.
func passing(err error) bool {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull, sqlite.ResultBusy, sqlite.ResultLocked, sqlite.ResultNoMem, sqlite.ResultConstraint, sqlite.ResultTooBig:
		return true
	default:
		return false
	}
}

// passingCommit is passing for a failed COMMIT. SQLite reports a full disk there
// before the frame that ends the transaction is whole; of the others it is not
// known how far they got.
func passingCommit(err error) bool {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull, sqlite.ResultBusy:
		return true
	default:
		return false
	}
}

func unavailable(err error) error {
	if sqlite.ErrCode(err).ToPrimary() == sqlite.ResultFull {
		return fmt.Errorf("the disk is full: nothing was recorded: %w: %w", domain.ErrUnavailable, err)
	}
	return fmt.Errorf("nothing was recorded: %w: %w", domain.ErrUnavailable, err)
}

// stoppedError is why a file takes no more writes. It is domain.ErrStopped.
type stoppedError struct {
	path  string
	cause error
}

func (e *stoppedError) Error() string {
	return fmt.Sprintf("%s takes no more writes, because one may not have reached the disk (%v): look to the disk, then start again", e.path, e.cause)
}

func (e *stoppedError) Unwrap() []error { return []error{domain.ErrStopped, e.cause} }

// errCheckpoint tells a checkpoint that could not be finished because of readers.
var errCheckpoint = errors.New("readers keep the write-ahead log from being emptied")
