package eventstoredb

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// client is one client of the library, and how many calls are inside.
type client struct {
	inner *esdb.Client

	mu      sync.Mutex
	calls   int
	retired bool
	why     error
	leader  string        // where a follower said the leader is
	gone    chan struct{} // closed when retired
	gate    chan struct{} // holds one value while a call asks for the connection
}

// enter begins a call, unless the client is retired.
func (c *client) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.retired {
		return false
	}
	c.calls++
	return true
}

func (c *client) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls--
	c.closeIfEmpty()
}

// retire lets nobody start another call. The calls inside go on.
func (c *client) retire(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.retired {
		return
	}
	c.retired, c.why = true, why
	close(c.gone)
	c.closeIfEmpty()
}

// closeIfEmpty closes the client when the last call has left: closing it under a
// call would make that call panic.
func (c *client) closeIfEmpty() {
	if c.retired && c.calls == 0 {
		_ = c.inner.Close() // always nil
	}
}

func (c *client) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

func (c *client) told() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leader
}

// approach waits for the gate, through which one call at a time asks the library
// for its connection, and returns how to leave it again. When the library dies,
// the call that it is busy with is told; all others who have asked would hang for
// ever. Thus there are none.
func (c *client) approach(ctx context.Context) (leave func(), err error) {
	select {
	case c.gate <- struct{}{}:
		return sync.OnceFunc(func() { <-c.gate }), nil
	case <-c.gone:
		return nil, errLost
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// passage is a context that tells when it is first made use of. The library does
// that when it has the connection, and not before.
type passage struct {
	context.Context
	used func()
}

// Deadline implements [context.Context]: to set a deadline for the call, the
// library's first use, it is asked for its own.
func (p passage) Deadline() (time.Time, bool) {
	p.used()
	return p.Context.Deadline()
}

// overhear is the client's logger, and prints nothing. It is there because the
// library, in the goroutine of a call, logs what went wrong before it sets out to
// mend itself. The client is retired right there.
//
// If the server was unavailable, the goroutine ends too, and launch answers its
// caller: so the library never comes to look for a server a second time, which is
// what makes it hang, die and leak its connection. If the server does not lead,
// the library has already begun to go to the leader. It may; but the next client
// goes there by itself, for the library hangs or leaks when that leader is gone.
func (c *client) overhear(level esdb.LogLevel, format string, args ...any) {
	if level != esdb.LogError || len(args) == 0 {
		return
	}
	switch about := args[0].(type) {
	case error:
		if strings.HasPrefix(format, "unexpected exception") && status.Code(about) == codes.Unavailable {
			c.retire(about)
			runtime.Goexit()
		}
	case esdb.EndPoint:
		if strings.HasPrefix(format, "not leader") {
			c.mu.Lock()
			c.leader = about.String()
			c.mu.Unlock()
			c.retire(errMisled)
		}
	}
}
