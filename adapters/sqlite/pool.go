package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"zombiezen.com/go/sqlite"

	"github.com/alur-id/alur/domain"
)

// maxReaders is how many may read a file at the same moment. More would only
// share the processors.
const maxReaders = 4

// pool keeps the connections that read a file. They are opened when first needed
// and keep their prepared statements.
type pool struct {
	open    func() (*sqlite.Conn, error)
	check   func() error      // whether the file may still be read, or nil
	free    chan *sqlite.Conn // holds nil for one that is not open
	closing chan struct{}
	once    sync.Once
}

func newPool(open func() (*sqlite.Conn, error)) *pool {
	p := &pool{open: open, free: make(chan *sqlite.Conn, maxReaders), closing: make(chan struct{})}
	for range maxReaders {
		p.free <- nil
	}
	return p
}

// openReader opens a connection that cannot write.
func openReader(path string) (*sqlite.Conn, error) { return sqlite.OpenConn(path, sqlite.OpenReadOnly) }

// use runs read with a connection that is interrupted when the context ends.
func (p *pool) use(ctx context.Context, read func(*sqlite.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var conn *sqlite.Conn
	select {
	case <-p.closing:
		return domain.ErrClosed
	default:
	}
	select {
	case conn = <-p.free:
	case <-p.closing:
		return domain.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	err := p.checked()
	if err == nil {
		err = p.read(ctx, &conn, read)
	}
	p.free <- conn
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (p *pool) checked() error {
	if p.check == nil {
		return nil
	}
	return p.check()
}

// read leaves nil in the place of a connection that failed.
func (p *pool) read(ctx context.Context, conn **sqlite.Conn, read func(*sqlite.Conn) error) error {
	if *conn == nil {
		c, err := p.open()
		if err != nil {
			return err
		}
		*conn = c
	}
	(*conn).SetInterrupt(ctx.Done())
	err := read(*conn)
	(*conn).SetInterrupt(nil)
	if err != nil && sqlite.ErrCode(err) != sqlite.ResultInterrupt {
		err = errors.Join(err, (*conn).Close())
		*conn = nil
	}
	return err
}

// close waits for those who read and closes the connections.
func (p *pool) close() error {
	var err error
	p.once.Do(func() {
		close(p.closing)
		for range maxReaders {
			if conn := <-p.free; conn != nil {
				err = errors.Join(err, conn.Close())
			}
		}
	})
	if err != nil {
		return fmt.Errorf("close readers: %w", err)
	}
	return nil
}
