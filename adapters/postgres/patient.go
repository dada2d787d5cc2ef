package postgres

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// patient is a network connection on which a read fails after so long a silence.
// It is for who calls without a deadline: on a connection that is half open, the
// kernel alone would need a quarter of an hour to notice.
type patient struct {
	net.Conn
	silence time.Duration

	mu  sync.Mutex
	set bool // a deadline from elsewhere, which goes before
}

// listenFor makes the connections of a configuration patient.
func listenFor(config *pgconn.Config, silence time.Duration) {
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &patient{Conn: c, silence: silence}, nil
	}
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.wait(); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}

func (p *patient) wait() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.set {
		return nil
	}
	return p.Conn.SetReadDeadline(time.Now().Add(p.silence))
}

func (p *patient) SetDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set = !t.IsZero()
	return p.Conn.SetDeadline(t)
}

func (p *patient) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set = !t.IsZero()
	return p.Conn.SetReadDeadline(t)
}
