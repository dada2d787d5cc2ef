package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alur-id/alur/adapters/storetest/pgserver"
)

func TestStarting(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", err)} }
	said := func(code string) error { return &pgconn.PgError{Code: code} }
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"nothing listens":         {dial(syscall.ECONNREFUSED), true},
		"no socket":               {dial(syscall.ENOENT), true},
		"no such name yet":        {&net.DNSError{IsNotFound: true}, true},
		"cut off":                 {io.ErrUnexpectedEOF, true},
		"starting up":             {said("57P03"), true},
		"shutting down":           {said("57P01"), true},
		"crashed":                 {said("57P02"), true},
		"no connection is free":   {said("53300"), true},
		"not yet the primary":     {pgconn.ErrReadOnlyConnection, true},
		"one of two hosts starts": {errors.Join(dial(syscall.ECONNREFUSED), said("57P03")), true},
		"may not use the socket":  {dial(syscall.EACCES), false},
		"wrong password":          {said("28P01"), false},
		"wrong password, not two": {errors.Join(dial(syscall.ECONNREFUSED), said("28P01")), false},
		"no such role":            {said("28000"), false},
		"no such database":        {said("3D000"), false},
		"dropped meanwhile":       {said("57P04"), false},
		"no right to":             {said("42501"), false},
		"another protocol":        {said("08P01"), false},
		"not durable":             {errUnsafe, false},
		"no certificate":          {&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}, false},
		"another version":         {errors.New("written by a newer Alur"), false},
	} {
		if got := starting(c.err); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestWaitForAServer(t *testing.T) {
	down := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	tries := 0
	failing := func(err error) func(context.Context) error {
		tries = 0
		return func(context.Context) error { tries++; return err }
	}
	if err := waitFor(t.Context(), 0, failing(down)); !errors.Is(err, down) || tries != 1 {
		t.Errorf("without waiting: %v after %d attempts", err, tries)
	}
	if err := waitFor(t.Context(), time.Hour, failing(errUnsafe)); !errors.Is(err, errUnsafe) || tries != 1 {
		t.Errorf("refused: %v after %d attempts", err, tries)
	}
	if err := waitFor(t.Context(), 50*time.Millisecond, failing(down)); !errors.Is(err, down) || tries < 2 || !strings.Contains(err.Error(), "waited 50ms") {
		t.Errorf("never there: %v after %d attempts", err, tries)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := waitFor(ctx, time.Hour, func(context.Context) error {
		if n++; n == 3 {
			cancel()
		}
		return down
	})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, down) || n != 3 {
		t.Errorf("the context ended: %v after %d attempts", err, n)
	}
	// An attempt may last longer than it is waited.
	err = waitFor(t.Context(), time.Nanosecond, func(ctx context.Context) error {
		_, limited := ctx.Deadline()
		if limited {
			t.Error("the attempt is limited")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestOpenTimeoutInConnectionStrings(t *testing.T) {
	for dsn, want := range map[string]time.Duration{
		"postgres://h/d":                 openWait,
		"postgres://h/d?open_timeout=7":  7 * time.Second,
		"host=h dbname=d open_timeout=0": 0,
	} {
		config, wait, err := configured(dsn, forWriting)
		if err != nil || wait != want {
			t.Errorf("%s: %v, %v; want %v", dsn, wait, err, want)
			continue
		}
		if _, sent := config.RuntimeParams["open_timeout"]; sent {
			t.Errorf("%s: the server is told of it", dsn)
		}
	}
	for _, bad := range []string{"-1", "soon", "7s"} {
		if _, _, err := configured("host=h open_timeout="+bad, forWriting); err == nil || !strings.Contains(err.Error(), "number of seconds") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	// What is not the server's reaches it by none of the ways to open.
	dsn := pgserver.Start(t).NewDatabase(t) + "&open_timeout=0"
	log, err := OpenLog(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	log.Close()
	bare, err := OpenBare(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	bare.Close()
}
