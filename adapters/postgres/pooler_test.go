package postgres_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/alur-id/alur/adapters/postgres"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
)

// pooler greets as one does that was told to ignore what it does not know: of what
// a connection is told, the server learns its user and its database. Where it was
// not, it refuses. What comes then it only passes on.
func pooler(t *testing.T, socket string, refuses bool) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // closed
			}
			work.Go(func() {
				defer client.Close()
				if refuses {
					turnAway(client)
					return
				}
				passOn(client, socket)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		work.Wait()
	})
	return listener.Addr().String()
}

func turnAway(client net.Conn) {
	p := pgproto3.NewBackend(client, client)
	if _, err := p.ReceiveStartupMessage(); err != nil {
		return
	}
	p.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "08P01", Message: "unsupported startup parameter: lock_timeout"})
	_ = p.Flush() // who has gone needs no answer
}

func passOn(client net.Conn, socket string) {
	message, err := pgproto3.NewBackend(client, client).ReceiveStartupMessage()
	startup, ok := message.(*pgproto3.StartupMessage)
	if err != nil || !ok {
		return
	}
	server, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer server.Close()
	user, database := startup.Parameters["user"], startup.Parameters["database"]
	startup.Parameters = map[string]string{"user": user, "database": database}
	greeting, err := startup.Encode(nil)
	if err != nil {
		return
	}
	if _, err := server.Write(greeting); err != nil {
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(client, server) // until either goes
		client.Close()
	})
	_, _ = io.Copy(server, client)
	server.Close()
	back.Wait()
}

// A pooler between here and the server loses what connections are told. It would
// work for a while.
func TestPoolersAreRefused(t *testing.T) {
	server := pgserver.Start(t)
	dsn := server.NewDatabase(t)
	open(t, dsn)
	openKeys(t, dsn)
	all := map[string]func(context.Context, string) (interface{ Close() error }, error){
		"the log, to read": func(ctx context.Context, dsn string) (interface{ Close() error }, error) {
			return postgres.OpenLogReadOnly(ctx, dsn)
		},
		"the keys, to read": func(ctx context.Context, dsn string) (interface{ Close() error }, error) {
			return postgres.OpenKeysReadOnly(ctx, dsn)
		},
	}
	for name, opener := range openers {
		all[name] = opener
	}
	for _, refuses := range []bool{false, true} {
		address := pooler(t, server.Socket(), refuses)
		for name, opener := range all {
			s, err := opener(t.Context(), pgserver.Proxied(t, dsn, address))
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "pooler") || strings.Contains(err.Error(), "waited") {
				t.Errorf("%s, pooler refuses %v: %v", name, refuses, err)
			}
		}
	}
}
