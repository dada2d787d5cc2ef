package domain

import (
	"errors"
	"time"
)

// Undelivered is why something was not taken by the system that it was sent to.
type Undelivered struct {
	Text string // names nobody, so that it may be kept and shown
	Err  error  // for the program; its text is not shown

	Unreachable bool          // the other system is to blame, and not what was sent: [ErrUnavailable]
	Lasting     bool          // another attempt would end the same
	Gone        bool          // the other system wants nothing any more
	Wait        time.Duration // it asks for as much time before another attempt; 0: it does not say
}

func (u *Undelivered) Error() string {
	if u.Err == nil {
		return u.Text
	}
	return u.Text + ": " + u.Err.Error()
}

func (u *Undelivered) Unwrap() error { return u.Err }

// Is makes [ErrUnavailable] of what is unreachable.
func (u *Undelivered) Is(target error) bool { return u.Unreachable && target == ErrUnavailable }

// FaultOf is what an applicant was not told for, by the error of the last attempt.
func FaultOf(err error) NoticeFault {
	var u *Undelivered
	switch {
	case !errors.As(err, &u):
		return NoticeFailed
	case u.Unreachable:
		return NoticeUnreachable
	case u.Lasting:
		return NoticeRefused
	}
	return NoticeFailed
}

// Postponed is an error that says that it is not the time to send something.
type Postponed struct{ Until time.Time }

func (p *Postponed) Error() string { return "it waits until " + p.Until.Format(time.RFC3339) }
