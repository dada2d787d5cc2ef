package postgres

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/alur-id/alur/domain"
)

// maxReaders is how many read at the same moment.
const maxReaders = 8

// pool keeps the connections that read. They are opened when first needed and
// keep their prepared statements.
type pool struct {
	config  *pgx.ConnConfig
	free    chan *conn // holds nil for one that is not open
	closing context.Context
	close   context.CancelFunc
	once    sync.Once
}

func newPool(config *pgx.ConnConfig) *pool {
	p := &pool{config: config, free: make(chan *conn, maxReaders)}
	p.closing, p.close = context.WithCancel(context.Background())
	for range maxReaders {
		p.free <- nil
	}
	return p
}

// use runs read with a connection until it is answered: when the connection is
// lost, again with another. What read returns is what the last run made.
func (p *pool) use(ctx context.Context, read func(context.Context, *conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	both, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.closing, cancel)()
	err := again(both, firstPatience, func(ctx context.Context) error { return p.attempt(ctx, read) })
	if err != nil && ctx.Err() == nil && p.closing.Err() != nil {
		return domain.ErrClosed
	}
	return err
}

func (p *pool) attempt(ctx context.Context, read func(context.Context, *conn) error) error {
	c, err := p.take(ctx)
	if err != nil {
		return err
	}
	if c == nil {
		if c, err = connect(ctx, p.config); err != nil {
			p.free <- nil
			return err
		}
	}
	if err = read(ctx, c); ctx.Err() != nil || err != nil && weigh(err) == passing || c.IsClosed() || c.IsBusy() {
		c.drop()
		c = nil
	}
	p.free <- c
	return err
}

// take waits for a connection, or the place of one. It fails only with the
// context.
func (p *pool) take(ctx context.Context) (*conn, error) {
	select {
	case c := <-p.free:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// end waits for those who read and closes the connections.
func (p *pool) end() {
	p.once.Do(func() {
		p.close()
		for range maxReaders {
			if c := <-p.free; c != nil {
				c.part()
			}
		}
	})
}
