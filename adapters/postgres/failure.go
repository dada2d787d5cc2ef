package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alur-id/alur/domain"
)

// Why something failed that PostgreSQL did not refuse.
var (
	errUnsafe  = errors.New("the server does not keep what it commits")
	errDamaged = errors.New("the database does not hold what it should")
	errTaken   = errors.New("it is not the subject's")
	errPooled  = errors.New("a connection pooler, such as PgBouncer, is between here and the server and loses what the server is told of a connection; connect to the server itself")
)

// verdict is what an error means for what was tried.
type verdict int

const (
	lasting verdict = iota // it would fail again
	passing                // try again
	trouble                // the server cannot now: the caller is told at once
)

// weigh judges an error of an attempt. What is not an answer of the server is the
// connection's, and passes: whether the server did what it was asked is then not
// known, and asking again does no harm.
func weigh(err error) verdict {
	for _, own := range []error{errUnsafe, errDamaged, errTaken, errPooled, errGivenUp, domain.ErrStopped} {
		if errors.Is(err, own) {
			return lasting
		}
	}
	var p *pgconn.PgError
	if !errors.As(err, &p) || len(p.Code) < 2 {
		return passing
	}
	switch p.Code {
	case "53300", // too many connections
		"55P03", // a lock was not to be had in time
		"25006": // a standby, which a moment ago was the primary
		return passing
	case "57P04": // the database was dropped
		return lasting
	}
	switch p.Code[:2] {
	case "08", "40", "57": // connection, serialization, an operator's or a crash's doing
		return passing
	case "53", "58", "XX": // no resources, the system, a bug
		if p.SeverityUnlocalized == "PANIC" { // the server starts again
			return passing
		}
		return trouble
	}
	return lasting
}

func isUniqueViolation(err error) bool {
	var p *pgconn.PgError
	return errors.As(err, &p) && p.Code == "23505"
}

// How long an attempt and the pause behind it may take. A connection on which
// nothing comes back is given up after the first patience; a server that is only
// slow gets more each time.
const (
	firstPatience = 5 * time.Second
	lastPatience  = time.Minute
	firstPause    = 10 * time.Millisecond
	lastPause     = 500 * time.Millisecond
)

// again makes attempts until one is answered, or the context ends. Whether the
// last one took effect is not known then; so an attempt must be harmless when it
// was made before.
func again(ctx context.Context, patience time.Duration, attempt func(context.Context) error) error {
	limit, pause := max(lastPatience, patience), firstPause
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		try, cancel := context.WithTimeout(ctx, patience)
		err := attempt(try)
		late := try.Err() != nil
		cancel()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ended(ctx, err)
		}
		switch weigh(err) {
		case lasting:
			return err
		case trouble:
			return fmt.Errorf("%w: %w", domain.ErrUnavailable, err)
		case passing:
		}
		if late {
			patience = min(2*patience, limit)
		}
		if !rest(ctx, pause) {
			return ended(ctx, err)
		}
		pause = min(2*pause, lastPause)
	}
}

// rest waits, and tells whether the context lasted.
func rest(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ended is the error of a context that ended before there was an answer.
func ended(ctx context.Context, last error) error {
	if last == nil || errors.Is(last, ctx.Err()) {
		return fmt.Errorf("%w: %w", ctx.Err(), domain.ErrUnavailable)
	}
	return fmt.Errorf("%w: %w: %w", ctx.Err(), domain.ErrUnavailable, last)
}
