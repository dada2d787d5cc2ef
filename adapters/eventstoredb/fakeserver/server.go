// Package fakeserver is an EventStoreDB in memory for tests: it speaks the real
// gRPC protocol, over real connections, and can fail in the ways that a real
// server and the net before it do. What it answers follows the server's source
// (IndexWriter, AllReader, Streams.Append, Streams.Read and RpcExceptions of
// KurrentDB), not a trial of a running one.
package fakeserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/stats"
)

// Server is one node. Its data outlives Stop.
type Server struct {
	streams.UnimplementedStreamsServer
	serverfeatures.UnimplementedServerFeaturesServer
	gossip.UnimplementedGossipServer
	Faults

	data   *store
	leader *Server // nil for the leader

	mu      sync.Mutex
	address string
	secure  *tls.Certificate // nil without TLS
	running *grpc.Server
	served  chan error

	connections int
	changed     chan struct{} // closed and replaced when connections changes
	requests    int           // to read, subscribe or append
	led         int           // those that required a leader
	credentials string        // of the last of them
}

// Start starts a leader, alone, on a free port of this machine.
func Start() (*Server, error) {
	s := &Server{data: newStore(), changed: make(chan struct{})}
	return s, s.Start()
}

// StartTLS is Start for a server that speaks TLS only.
func StartTLS(certificate tls.Certificate) (*Server, error) {
	s := &Server{data: newStore(), changed: make(chan struct{}), secure: &certificate}
	return s, s.Start()
}

// StartFollower starts a node that follows another. It has the same data, but
// turns away what requires a leader and every append.
func StartFollower(leader *Server) (*Server, error) {
	s := &Server{data: leader.data, leader: leader, changed: make(chan struct{})}
	return s, s.Start()
}

// Start starts a stopped server again, with its data, on the port it had.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		return errors.New("the server is running")
	}
	at := s.address
	if at == "" {
		at = "127.0.0.1:0"
	}
	var config net.ListenConfig
	l, err := config.Listen(context.Background(), "tcp", at)
	if err != nil {
		return fmt.Errorf("start server: %w", err)
	}
	s.address = l.Addr().String()
	options := []grpc.ServerOption{
		grpc.StatsHandler(counter{s}), grpc.MaxRecvMsgSize(32 << 20), grpc.UnaryInterceptor(s.unary), grpc.StreamInterceptor(s.stream),
	}
	if s.secure != nil {
		options = append(options, grpc.Creds(credentials.NewServerTLSFromCert(s.secure)))
	}
	s.running = grpc.NewServer(options...)
	streams.RegisterStreamsServer(s.running, s)
	serverfeatures.RegisterServerFeaturesServer(s.running, s)
	gossip.RegisterGossipServer(s.running, members{s: s})
	s.served = make(chan error, 1)
	go func(running *grpc.Server, served chan<- error) { served <- running.Serve(l) }(s.running, s.served)
	return nil
}

// Stop ends all connections at once, as a sudden death does; then connections
// are refused. Stopping a stopped server does nothing.
func (s *Server) Stop() error {
	s.mu.Lock()
	running, served := s.running, s.served
	s.running = nil
	s.mu.Unlock()
	if running == nil {
		return nil
	}
	running.Stop()
	if err := <-served; !errors.Is(err, grpc.ErrServerStopped) { // before it had begun
		return err
	}
	return nil
}

// Address is the host and port of the server.
func (s *Server) Address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

// ConnectionString names this node, and no other.
func (s *Server) ConnectionString() string { return "esdb://" + s.Address() + "?tls=false" }

// GossipString names this node as one to ask which others there are.
func (s *Server) GossipString() string { return "esdb+discover://" + s.Address() + "?tls=false" }

// RequiredLeader is how many requests said that they require a leader.
func (s *Server) RequiredLeader() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.led
}

// Requests is how many requests there were to read, subscribe or append.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Credentials is what the last request to read, subscribe or append said of who
// asks.
func (s *Server) Credentials() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.credentials
}

// GetSupportedMethods implements the first request of a client.
func (s *Server) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	return &serverfeatures.SupportedMethods{EventStoreServerVersion: "24.10.0"}, nil
}

// members is apart from Server because both would have a method Read.
type members struct {
	gossip.UnimplementedGossipServer
	s *Server
}

// Read lists the node and its leader.
func (m members) Read(context.Context, *shared.Empty) (*gossip.ClusterInfo, error) {
	if m.s.leader == nil {
		return &gossip.ClusterInfo{Members: []*gossip.MemberInfo{m.s.member(gossip.MemberInfo_Leader)}}, nil
	}
	return &gossip.ClusterInfo{Members: []*gossip.MemberInfo{
		m.s.member(gossip.MemberInfo_Follower), m.s.leader.member(gossip.MemberInfo_Leader),
	}}, nil
}

func (s *Server) member(state gossip.MemberInfo_VNodeState) *gossip.MemberInfo {
	host, port := s.endpoint()
	return &gossip.MemberInfo{
		State: state, IsAlive: true, HttpEndPoint: &gossip.EndPoint{Address: host, Port: port},
	}
}

func (s *Server) endpoint() (host string, port uint32) {
	host, digits, _ := strings.Cut(s.Address(), ":")
	for _, d := range digits {
		port = port*10 + uint32(d-'0')
	}
	return host, port
}

// WaitConnections waits until so many connections are open, or fewer.
func (s *Server) WaitConnections(ctx context.Context, atMost int) error {
	for {
		s.mu.Lock()
		n, changed := s.connections, s.changed
		s.mu.Unlock()
		if n <= atMost {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d connections are open: %w", n, ctx.Err())
		}
	}
}

// counter counts connections.
type counter struct{ s *Server }

func (c counter) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (c counter) HandleRPC(context.Context, stats.RPCStats)                         {}
func (c counter) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (c counter) HandleConn(_ context.Context, e stats.ConnStats) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	switch e.(type) {
	case *stats.ConnBegin:
		c.s.connections++
	case *stats.ConnEnd:
		c.s.connections--
	}
	close(c.s.changed)
	c.s.changed = make(chan struct{})
}
