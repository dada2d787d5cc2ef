package eventstoredb

import (
	"runtime"
	"strings"
	"sync"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// client is one client of the library, and how many calls are inside.
type client struct {
	inner *esdb.Client
	work  *sync.WaitGroup

	mu      sync.Mutex
	calls   int
	retired bool
	why     error
	leader  string        // where a follower said the leader is
	gone    chan struct{} // closed when retired
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

// retire lets nobody start another call. The calls inside go on; those that have no
// connection yet are told that it was lost.
func (c *client) retire(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.retired {
		return
	}
	c.retired, c.why = true, why
	close(c.gone)
	if c.calls > 0 {
		c.work.Go(func() { answerAll(c.inner) })
	}
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

// overhear is the client's logger, and prints nothing. It is there because the
// library logs what went wrong before it sets out to mend itself; the client is
// retired right there, and the goroutine that logged ends. So the library never
// comes to look for a server a second time, which is what makes it hang, die and
// leak its connection.
//
// That goroutine is the one of a call that found the server unavailable, whose
// caller is answered by launch; or, when the server does not lead, the library's
// own, which has just closed its connection: then answerAll is in its place.
func (c *client) overhear(_ esdb.LogLevel, format string, args ...any) {
	if len(args) == 0 {
		return
	}
	switch about := args[0].(type) {
	case error:
		if strings.HasPrefix(format, "unexpected exception") && status.Code(about) == codes.Unavailable {
			c.retire(about)
			runtime.Goexit()
		}
	case esdb.EndPoint:
		if strings.HasPrefix(format, "not leader exception") { // a call was told so
			c.misled(about.String())
		}
	case string:
		if strings.HasPrefix(format, "Connecting to leader node") {
			c.misled(about)
			runtime.Goexit()
		}
	}
}

// misled retires the client and notes where the leader is.
func (c *client) misled(leader string) {
	c.mu.Lock()
	c.leader = leader
	c.mu.Unlock()
	c.retire(errMisled)
}

// told is where a follower said the leader is.
func (c *client) told() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leader
}
