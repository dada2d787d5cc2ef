package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/ThreeDotsLabs/watermill/message/router/middleware"

	"github.com/alur-id/alur/domain"
)

// Fault is an error whose text may be kept and shown: it names nobody.
type Fault struct {
	Text    string
	Err     error // for the program; its text is not shown
	Lasting bool  // to try again at once does not help
}

func (f *Fault) Error() string {
	if f.Err == nil {
		return f.Text
	}
	return f.Text + ": " + f.Err.Error()
}

func (f *Fault) Unwrap() error { return f.Err }

// known are errors whose text is ours and names nobody.
var known = []error{
	domain.ErrUnavailable, domain.ErrTooLarge, domain.ErrReadOnly, domain.ErrStopped, domain.ErrClosed, domain.ErrDamaged,
	domain.ErrNotFound, errLost, errDone, errAbsent, context.Canceled, context.DeadlineExceeded,
}

// Reason is what may be kept and shown of an error: the text of a [Fault], of a
// [domain.Undelivered] or of an error of our own, else only the kind of error it is. What a mail server answers names
// the person.
func Reason(err error) string {
	var fault *Fault
	var undelivered *domain.Undelivered
	var panicked middleware.RecoveredPanicError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &fault):
		return fault.Text
	case errors.As(err, &undelivered):
		return undelivered.Text
	case errors.As(err, &panicked):
		return fmt.Sprintf("a panic (%T)", panicked.V)
	}
	for _, k := range known {
		if errors.Is(err, k) {
			return k.Error()
		}
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return Reason(joined.Unwrap()[0]) // the others mostly follow from it
	}
	return fmt.Sprintf("an error of the kind %T", err)
}
