package faultproxy

import (
	"net"
	"sync"
)

// link is a client's connection and the one that was made to the target for it.
type link struct {
	proxy *Proxy

	mu   sync.Mutex
	ends []net.Conn
	once sync.Once
	gone chan struct{} // closed when the link is cut

	still   sync.Once
	stalled chan struct{} // closed when nothing passes any more
}

func (l *link) forward() {
	defer l.proxy.forget(l)
	defer l.cut()
	client := l.ends[0]
	if !l.wait() {
		return
	}
	server, err := net.Dial(l.proxy.network, l.proxy.target)
	if err != nil || !l.join(server) {
		return
	}
	var back sync.WaitGroup
	back.Go(func() { l.pump(client, server) })
	l.pump(server, client)
	back.Wait()
}

// join makes the other end part of the link, unless the link was cut.
func (l *link) join(server net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.gone:
		reset(server)
		return false
	default:
		l.ends = append(l.ends, server)
		return true
	}
}

// pump moves bytes until an end is closed, which cuts the link as a whole: the
// protocols that are tested here never close only one direction.
func (l *link) pump(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if !l.wait() {
			return
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				l.cut()
				return
			}
		}
		if err != nil {
			l.end()
			return
		}
	}
}

func (l *link) stall() { l.still.Do(func() { close(l.stalled) }) }

// wait returns true when bytes may pass, false when the link was cut.
func (l *link) wait() bool {
	for {
		select {
		case <-l.stalled:
			<-l.gone
			return false
		default:
		}
		gate := l.proxy.gate()
		select {
		case <-gate:
		case <-l.gone:
			return false
		}
		// Frozen again meanwhile?
		if l.proxy.gate() == gate {
			return true
		}
	}
}

// end closes both ends as their programs would.
func (l *link) end() { l.close(func(c net.Conn) { _ = c.Close() }) }

// cut resets both ends.
func (l *link) cut() { l.close(reset) }

func (l *link) close(by func(net.Conn)) {
	l.once.Do(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		close(l.gone)
		for _, end := range l.ends {
			by(end)
		}
	})
}

// reset closes a connection without the polite exchange, where it has one.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // then it is closed politely
	}
	_ = c.Close()
}
