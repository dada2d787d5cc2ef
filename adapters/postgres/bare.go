package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/jackc/pgx/v5"
)

// Bare is rows in a table like a log's, gathered into transactions as a log gathers
// its appends, without what makes a log of them: no lock, no positions in order,
// nothing compared or answered. It is what a log is measured against.
type Bare struct {
	conn    *pgx.Conn
	rows    chan *bareRow
	stopped sync.WaitGroup
}

type bareRow struct {
	stream string
	data   []byte
	done   chan error
}

// OpenBare makes a table of its own, in the place of an earlier one.
func OpenBare(ctx context.Context, url string) (*Bare, error) {
	config, _, err := parse(url)
	if err != nil {
		return nil, fmt.Errorf("open bare table: %w", err)
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open bare table: %w", err)
	}
	_, err = conn.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS alur_bench; DROP TABLE IF EXISTS alur_bench.bare;
		CREATE TABLE alur_bench.bare (position bigserial PRIMARY KEY, stream text NOT NULL, version bigint NOT NULL, data bytea NOT NULL, UNIQUE (stream, version));
		SET synchronous_commit = on`)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open bare table: %w", err), conn.Close(ctx))
	}
	b := &Bare{conn: conn, rows: make(chan *bareRow, maxJobs)}
	b.stopped.Go(b.run)
	return b, nil
}

// Append adds a row of a stream that has none. It is durable when Append returns
// nil, for which it waits whatever becomes of the context.
func (b *Bare) Append(_ context.Context, stream string, data []byte) error {
	r := &bareRow{stream, data, make(chan error, 1)}
	b.rows <- r
	return <-r.done
}

// run writes group after group.
func (b *Bare) run() {
	var group []*bareRow
	for r := range b.rows {
		group = append(group[:0], r)
		for before := 0; len(group) > before; {
			before = len(group)
			runtime.Gosched()
			for more := true; more && len(group) < maxJobs; {
				select {
				case r, more = <-b.rows:
					if more {
						group = append(group, r)
					}
				default:
					more = false
				}
			}
		}
		err := b.insert(group)
		for _, r := range group {
			r.done <- err
		}
	}
}

func (b *Bare) insert(group []*bareRow) error {
	streams, data := make([]string, len(group)), make([][]byte, len(group))
	for i, r := range group {
		streams[i], data[i] = r.stream, r.data
	}
	_, err := b.conn.Exec(context.Background(), `INSERT INTO alur_bench.bare (stream, version, data) SELECT s, 1, d FROM unnest($1::text[], $2::bytea[]) t(s, d)`, streams, data)
	return err
}

// Close waits for what is under way and ends the connection. Nobody may append any
// more.
func (b *Bare) Close() error {
	close(b.rows)
	b.stopped.Wait()
	return b.conn.Close(context.Background())
}
