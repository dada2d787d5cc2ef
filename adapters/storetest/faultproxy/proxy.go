// Package faultproxy stands between a client and a server in a test, and does to
// their connections what networks do.
package faultproxy

import (
	"net"
	"sync"
	"testing"
)

// Proxy forwards connections to a target until it is told to do otherwise.
type Proxy struct {
	network, target string
	listener        net.Listener
	work            sync.WaitGroup

	mu      sync.Mutex
	links   map[*link]struct{}
	thawed  chan struct{} // closed while bytes pass
	refuse  bool
	stopped bool
}

// Start listens on a free port of this machine and forwards to the target, a
// "tcp" address or the path of a "unix" socket. It stops when the test ends.
func Start(t testing.TB, network, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{network: network, target: target, listener: listener, links: map[*link]struct{}{}, thawed: make(chan struct{})}
	close(p.thawed)
	p.work.Go(p.accept)
	t.Cleanup(p.stop)
	return p
}

// Addr is the host and port that the proxy listens on.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Drop cuts all open connections, so that both ends see a reset.
func (p *Proxy) Drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut()
	}
}

// Freeze makes connections half-open: they stay, and new ones are accepted, but no
// byte passes either way, nor does the news that an end was closed. What was sent
// meanwhile passes when the proxy thaws.
func (p *Proxy) Freeze(frozen bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch passing := p.passing(); {
	case frozen && passing:
		p.thawed = make(chan struct{})
	case !frozen && !passing:
		close(p.thawed)
	}
}

// passing reports whether bytes pass. The caller holds the lock.
func (p *Proxy) passing() bool {
	select {
	case <-p.thawed:
		return true
	default:
		return false
	}
}

// Stall makes the connections that are open now half-open for good, as a router does
// that forgot them. New ones pass.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.stall()
	}
}

// Refuse makes new connections end at once. Those that are open stay.
func (p *Proxy) Refuse(refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = refuse
}

func (p *Proxy) stop() {
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	_ = p.listener.Close() // nobody is left to be told
	p.Drop()
	p.work.Wait()
}

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return // the listener was closed
		}
		l := &link{proxy: p, ends: []net.Conn{conn}, gone: make(chan struct{}), stalled: make(chan struct{})}
		if !p.admit(l) {
			reset(conn)
			continue
		}
		p.work.Go(l.forward)
	}
}

func (p *Proxy) admit(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse || p.stopped {
		return false
	}
	p.links[l] = struct{}{}
	return true
}

// gate is what closes when bytes may pass.
func (p *Proxy) gate() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.thawed
}

func (p *Proxy) forget(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}
