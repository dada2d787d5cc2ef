package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// openTimeout in a connection string is for how many seconds opening goes on trying
// while the server is not there yet; 0 is one attempt. Nodes and their server are
// often started at the same moment, and a server that recovers takes its time.
const (
	openTimeout = "open_timeout"
	openWait    = 30 * time.Second
)

// takeOpenTimeout removes what is not for the server.
func takeOpenTimeout(config *pgx.ConnConfig) (time.Duration, error) {
	text, given := config.RuntimeParams[openTimeout]
	if !given {
		return openWait, nil
	}
	delete(config.RuntimeParams, openTimeout)
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 0 {
		return 0, fmt.Errorf("%s is %q, which is not a number of seconds", openTimeout, text)
	}
	return time.Duration(seconds) * time.Second, nil
}

// waitFor makes attempts until one is answered, the server's answer would stay the
// same, or it has waited long enough. It begins no attempt after that, but lets one
// that is on its way finish: a migration may take longer.
func waitFor(ctx context.Context, wait time.Duration, attempt func(context.Context) error) error {
	until, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := attempt(ctx)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ended(ctx, err)
		case unheard(err):
			return fmt.Errorf("%w: %w", errPooled, err)
		case !starting(err) || wait == 0:
			return err
		}
		if !rest(until, pause) {
			if ctx.Err() != nil {
				return ended(ctx, err)
			}
			return fmt.Errorf("waited %v for the server: %w", wait, err)
		}
	}
}

// protocolViolation is said by who does not speak as we do, or does not want to.
const protocolViolation = "08P01"

// unheard reports whether a pooler refused what a connection is told: servers know
// all of it.
func unheard(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && said.Code == protocolViolation && strings.Contains(said.Message, "startup parameter")
}

// starting reports whether an error is that of a server which may be there in a
// moment: nothing listens, nobody knows its name yet, it recovers, it is about to
// become the primary. Unlike weigh it takes nothing for passing that it does not
// know: somebody waits who may have mistyped.
func starting(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return weigh(err) == passing && said.Code != protocolViolation
	}
	var operation *net.OpError
	if errors.As(err, &operation) {
		switch operation.Op {
		case "dial", "read", "write": // others are those of TLS
			return !errors.Is(err, fs.ErrPermission)
		}
	}
	var name *net.DNSError
	return errors.As(err, &name) || pgconn.Timeout(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, pgconn.ErrReadOnlyConnection) || errors.Is(err, pgconn.ErrStandbyConnection)
}
