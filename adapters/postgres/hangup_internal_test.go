package postgres

import (
	"context"
	"database/sql"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/alur-id/alur/adapters/storetest/pgserver"
)

// late is a connection on which something happens when an answer has come and before
// anybody has read it.
type late struct {
	net.Conn
	happens *atomic.Pointer[func()]
	closed  chan struct{}
}

func (c late) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if do := c.happens.Swap(nil); do != nil {
		(*do)()
		select {
		case <-c.closed:
		case <-time.After(10 * time.Second):
		}
	}
	return n, err
}

func (c late) Close() error {
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	return c.Conn.Close()
}

// A context that ends just as the answer comes leaves no closed connection behind for
// whoever is next.
func TestAContextThatEndsWithTheAnswerSpoilsNoConnection(t *testing.T) {
	config, _, err := configured(pgserver.Start(t).NewDatabase(t), forWriting, nil)
	if err != nil {
		t.Fatal(err)
	}
	var happens atomic.Pointer[func()]
	db := sql.OpenDB(stdlib.GetConnector(*config, stdlib.OptionBeforeConnect(func(_ context.Context, c *pgx.ConnConfig) error {
		guard(&c.Config)
		dial := c.DialFunc
		c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			return late{conn, &happens, make(chan struct{})}, err
		}
		return nil
	})))
	defer db.Close()
	db.SetMaxOpenConns(1)
	for name, do := range map[string]func(context.Context) error{
		"a statement": func(ctx context.Context) error {
			_, err := db.ExecContext(ctx, `SELECT 1`)
			return err
		},
		"a row": func(ctx context.Context) error {
			var one int
			return db.QueryRowContext(ctx, `SELECT 1`).Scan(&one)
		},
		"a transaction": func(ctx context.Context) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			return tx.Rollback()
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range 5 {
				if err := do(t.Context()); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				end := func() { cancel() }
				happens.Store(&end)
				if err := do(ctx); err != nil {
					t.Logf("it was cut off: %v", err) // also right
				}
				if happens.Load() != nil || ctx.Err() == nil {
					t.Fatal("the context did not end with the answer")
				}
				if err := do(t.Context()); err != nil {
					t.Errorf("whoever was next: %v", err)
				}
			}
		})
	}
}
