package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alur-id/alur/domain"
)

// pollInterval is how soon an append by another process is noticed of which the
// notification did not come: it goes over a connection that may just be lost, and
// a standby has none.
const pollInterval = 500 * time.Millisecond

// tail knows how far the log is at least. One connection listens for all who wait.
type tail struct {
	config  *pgx.ConnConfig
	own     func() uint32   // the server's process that appends for this log, 0 for none
	ctx     context.Context // ends with the tail
	cancel  context.CancelFunc
	stopped chan struct{}

	mu    sync.Mutex
	head  domain.Position
	grown chan struct{} // closed and replaced when head changes
}

func newTail(config *pgx.ConnConfig, own func() uint32) *tail {
	t := &tail{config: config, own: own, stopped: make(chan struct{}), grown: make(chan struct{})}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	go t.run()
	return t
}

func (t *tail) close() {
	t.cancel()
	<-t.stopped
}

// saw is told of a position that is in the log.
func (t *tail) saw(p domain.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p > t.head {
		t.set(p)
	}
}

// found is told of the head as a new connection has it. Lower than what was seen
// before, it is that of a server that lost events, such as a standby that became
// the primary, and is believed.
func (t *tail) found(p domain.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p != t.head {
		t.set(p)
	}
}

// set has the lock.
func (t *tail) set(p domain.Position) {
	t.head = p
	close(t.grown)
	t.grown = make(chan struct{})
}

func (t *tail) wait(ctx context.Context, after domain.Position) error {
	for {
		t.mu.Lock()
		head, grown := t.head, t.grown
		t.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return err
		}
		if t.ctx.Err() != nil {
			return domain.ErrClosed
		}
		if head > after {
			return nil
		}
		select {
		case <-grown:
		case <-t.ctx.Done():
		case <-ctx.Done():
		}
	}
}

// run listens until the tail is closed, each time on a new connection.
func (t *tail) run() {
	defer close(t.stopped)
	for pause := firstPause; t.ctx.Err() == nil; pause = min(2*pause, lastPause) {
		began := time.Now()
		_ = t.listen() // those who wait go on waiting
		if time.Since(began) > 2*lastPause {
			pause = firstPause
		}
		rest(t.ctx, pause)
	}
}

// listen returns when the connection is lost.
func (t *tail) listen() error {
	try, cancel := context.WithTimeout(t.ctx, firstPatience)
	defer cancel()
	config, news := t.config.Copy(), false
	config.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) {
		// The head that this log's own append led to, it is told without asking for
		// it: see [tail.saw]. If the answer to that append is lost, the poll finds it.
		news = news || n.PID != t.own()
	}
	c, err := connect(try, config)
	if err != nil {
		return err
	}
	defer c.drop()
	defer context.AfterFunc(t.ctx, func() { _ = c.Conn().Close() })()
	// From here on nothing is missed: what was committed before is in the head
	// that is read below, and of what comes after there is a notification.
	_, deaf := texts(try, c.PgConn, `LISTEN alur_log; SELECT 1`)
	var refused *pgconn.PgError // a standby refuses
	if deaf != nil && !errors.As(deaf, &refused) {
		return deaf
	}
	for first := true; ; first = false {
		news = false
		head, err := t.ask(c)
		switch {
		case err != nil:
			return err
		case first:
			t.found(head)
		default:
			t.saw(head)
		}
		if news { // it came with the head, which may be from before it
			continue
		}
		if err := t.sleep(c, deaf == nil, &news); err != nil {
			return err
		}
	}
}

// ask reads the head, and notices a connection that is half open.
func (t *tail) ask(c *conn) (domain.Position, error) {
	try, cancel := context.WithTimeout(t.ctx, firstPatience)
	defer cancel()
	return readHead(try, c)
}

// sleep waits for news, or until it is time to ask without any.
func (t *tail) sleep(c *conn, listening bool, news *bool) error {
	if !listening {
		rest(t.ctx, pollInterval)
		return t.ctx.Err()
	}
	if err := c.Conn().SetReadDeadline(time.Now().Add(pollInterval)); err != nil {
		return err
	}
	for !*news {
		// Without a context: when one ends, so does the connection.
		err := c.WaitForNotification(context.Background())
		if pgconn.Timeout(err) {
			break
		}
		if err != nil {
			return err
		}
	}
	return c.Conn().SetReadDeadline(time.Time{})
}
