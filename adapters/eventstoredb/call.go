package eventstoredb

import (
	"context"
	"errors"
	"fmt"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/alur-id/alur/domain"
)

// Why an attempt failed, where the library has no error for it.
var (
	errLost  = errors.New("the connection was lost")
	errSlow  = errors.New("the server did not answer in time")
	errPanic = errors.New("the client failed")
	errStale = errors.New("what was just recorded cannot be read yet")

	errMisled = errors.New("another server leads")
)

type answer[T any] struct {
	value T
	err   error
}

// ask makes a call, again and again until there is an answer or the context
// ends. The function may run several times, even at the same time, and after ask
// has returned: it shares nothing that anybody writes to.
func ask[T any](ctx context.Context, h *healer, f func(context.Context, *esdb.Client) (T, error)) (T, error) {
	var none T
	var before error
	if ctx.Err() != nil {
		return none, unavailable(ctx, nil)
	}
	pause := h.pause()
	for odd := 0; ; {
		c, err := h.take(ctx)
		switch {
		case errors.Is(err, domain.ErrClosed) && before != nil:
			return none, fmt.Errorf("%w: closed while trying again after: %w", domain.ErrUnavailable, before)
		case err != nil:
			return none, err
		}
		value, err := once(ctx, h, c, f)
		v := weigh(err)
		if v > lasting && ctx.Err() != nil {
			return none, unavailable(ctx, err) // says nothing of the client
		}
		switch v {
		case answered, lasting:
			return value, err
		case strange:
			odd++
			c.retire(err)
			if odd > h.set.odd {
				return none, fmt.Errorf("tried %d times: %w", odd, err)
			}
		case lost:
			c.retire(err)
		case passing:
		}
		before = err
		if pause.wait(ctx) != nil {
			return none, unavailable(ctx, before)
		}
	}
}

// once makes one attempt on a client that was taken.
func once[T any](ctx context.Context, h *healer, c *client, f func(context.Context, *esdb.Client) (T, error)) (T, error) {
	var none T
	attempt, cancel := context.WithTimeout(ctx, h.set.attempt)
	defer cancel()
	answers := launch(attempt, h, c, f)
	select {
	case a := <-answers:
		if a.err != nil && ctx.Err() == nil && attempt.Err() != nil {
			return none, fmt.Errorf("%w: %w", errSlow, a.err)
		}
		return a.value, a.err
	case <-attempt.Done():
		if ctx.Err() != nil {
			return none, unavailable(ctx, nil)
		}
		return none, errSlow
	case <-h.ctx.Done():
		return none, errLost
	}
}

// launch runs a function in a goroutine that its caller may leave behind: the
// library does not heed contexts everywhere. It ends the call that take began.
func launch[T any](ctx context.Context, h *healer, c *client, f func(context.Context, *esdb.Client) (T, error)) <-chan answer[T] {
	answers := make(chan answer[T], 1)
	ctx, cancel := context.WithCancel(ctx)
	end := context.AfterFunc(h.ctx, cancel)
	// The library writes this into the wrong metadata and never sends it.
	ctx = metadata.AppendToOutgoingContext(ctx, "requires-leader", "true")
	go func() {
		defer h.work.Done()
		defer c.leave()
		defer cancel()
		defer end()
		a := answer[T]{err: errLost} // stays if the goroutine is ended: see overhear
		defer func() {
			if p := recover(); p != nil {
				a.err = fmt.Errorf("%w: %v", errPanic, p)
			} else if errors.Is(a.err, errLost) && c.cause() != nil {
				a.err = fmt.Errorf("%w: %w", errLost, c.cause())
			}
			answers <- a
		}()
		a.value, a.err = f(ctx, c.inner)
	}()
	return answers
}

// verdict is what an error means for the call and its client.
type verdict int

const (
	answered verdict = iota
	lasting          // the server's answer is an error
	passing          // try again
	lost             // try again, with another client
	strange          // try again, with another client, but not for ever
)

func weigh(err error) verdict {
	if err == nil {
		return answered
	}
	if errors.Is(err, errLost) || errors.Is(err, errSlow) {
		return lost
	}
	var e *esdb.Error
	if errors.As(err, &e) {
		switch e.Code() {
		case esdb.ErrorCodeConnectionClosed, esdb.ErrorCodeNotLeader:
			return lost
		case esdb.ErrorCodeWrongExpectedVersion, esdb.ErrorCodeStreamDeleted, esdb.ErrorCodeParsing:
			return lasting
		default:
		}
	}
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded:
		return lost
	case codes.Aborted, codes.Canceled:
		return passing
	case codes.PermissionDenied, codes.Unauthenticated, codes.InvalidArgument, codes.Unimplemented, codes.NotFound,
		codes.FailedPrecondition, codes.OutOfRange, codes.AlreadyExists, codes.ResourceExhausted:
		return lasting
	default: // an election gives Unknown for some seconds
		return strange
	}
}
