package fakeserver

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Faults are the switches for what goes wrong. All may be thrown at any time.
// Connections are refused by [Server.Stop].
type Faults struct {
	guard       sync.Mutex
	hanging     chan struct{} // closed when it no longer hangs; nil while it does not
	hung        int           // requests that hang
	stuck       chan struct{} // closed and replaced when hung grows
	unavailable int           // so many more requests; below zero all
	losing      int           // so many more appends are recorded but not acknowledged
	rejected    codes.Code    // the answer of unavailable
	dropping    chan struct{} // closed and replaced when subscriptions are dropped
	silent      bool          // subscriptions give nothing more
	maxAppend   int
	refused     int // requests answered by unavailable
	mangle      func(*streams.ReadResp) *streams.ReadResp
}

// Hang lets every request wait, connections being alive, until it is called with
// false.
func (f *Faults) Hang(on bool) {
	f.guard.Lock()
	defer f.guard.Unlock()
	if on == (f.hanging != nil) {
		return
	}
	if on {
		f.hanging = make(chan struct{})
		return
	}
	close(f.hanging)
	f.hanging = nil
}

// Abandon ends Hang, but never answers the requests that hang.
func (f *Faults) Abandon() {
	f.guard.Lock()
	defer f.guard.Unlock()
	f.hanging = nil
}

// WaitHung waits until so many requests hang, or more.
func (f *Faults) WaitHung(ctx context.Context, atLeast int) error {
	for {
		f.guard.Lock()
		n := f.hung
		if f.stuck == nil {
			f.stuck = make(chan struct{})
		}
		stuck := f.stuck
		f.guard.Unlock()
		if n >= atLeast {
			return nil
		}
		select {
		case <-stuck:
		case <-ctx.Done():
			return fmt.Errorf("%d requests hang: %w", n, ctx.Err())
		}
	}
}

// Unavailable answers so many requests, or all if n is below zero, with
// Unavailable. Connections stay. Asking for features and gossip still works.
func (f *Faults) Unavailable(n int) { f.Reject(codes.Unavailable, n) }

// Reject is Unavailable with another code.
func (f *Faults) Reject(code codes.Code, n int) {
	f.guard.Lock()
	defer f.guard.Unlock()
	f.rejected, f.unavailable = code, n
}

// Refused is how many requests were answered so.
func (f *Faults) Refused() int {
	f.guard.Lock()
	defer f.guard.Unlock()
	return f.refused
}

// LoseAnswers records so many appends and answers Unavailable.
func (f *Faults) LoseAnswers(n int) {
	f.guard.Lock()
	defer f.guard.Unlock()
	f.losing = n
}

// DropSubscriptions ends all subscriptions, as for a slow consumer.
func (f *Faults) DropSubscriptions() {
	f.guard.Lock()
	defer f.guard.Unlock()
	if f.dropping != nil {
		close(f.dropping)
	}
	f.dropping = nil
}

// Silence lets subscriptions stand, but give nothing more; new ones too.
func (f *Faults) Silence(on bool) {
	f.guard.Lock()
	defer f.guard.Unlock()
	f.silent = on
}

// MaxAppend sets the size in bytes above which appends are rejected, under way.
func (f *Faults) MaxAppend(bytes int) {
	f.guard.Lock()
	defer f.guard.Unlock()
	f.maxAppend = bytes
}

// Mangle changes what is answered to reads and subscriptions, as a broken server
// or proxy might; nil changes nothing.
func (f *Faults) Mangle(change func(*streams.ReadResp) *streams.ReadResp) {
	f.guard.Lock()
	defer f.guard.Unlock()
	f.mangle = change
}

func (f *Faults) limit() int {
	f.guard.Lock()
	defer f.guard.Unlock()
	if f.maxAppend == 0 {
		return 1 << 20
	}
	return f.maxAppend
}

func (f *Faults) dropped() <-chan struct{} {
	f.guard.Lock()
	defer f.guard.Unlock()
	if f.dropping == nil {
		f.dropping = make(chan struct{})
	}
	return f.dropping
}

func (f *Faults) isSilent() bool {
	f.guard.Lock()
	defer f.guard.Unlock()
	return f.silent
}

// loses tells whether the answer to an append gets lost.
func (f *Faults) loses() bool {
	f.guard.Lock()
	defer f.guard.Unlock()
	if f.losing == 0 {
		return false
	}
	f.losing--
	return true
}

func (f *Faults) mangled(r *streams.ReadResp) *streams.ReadResp {
	f.guard.Lock()
	change := f.mangle
	f.guard.Unlock()
	if change == nil {
		return r
	}
	return change(r)
}

func (s *Server) unary(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := s.hang(ctx); err != nil {
		return nil, err
	}
	return next(ctx, request)
}

func (s *Server) stream(service any, request grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	s.count(request)
	if err := s.hang(request.Context()); err != nil {
		return err
	}
	if err := s.reject(); err != nil {
		return err
	}
	if err := s.turnAway(request, strings.HasSuffix(info.FullMethod, "/Append")); err != nil {
		return err
	}
	return next(service, request)
}

func (f *Faults) hang(ctx context.Context) error {
	f.guard.Lock()
	hanging := f.hanging
	if hanging != nil {
		f.hung++
		if f.stuck != nil {
			close(f.stuck)
			f.stuck = nil
		}
	}
	f.guard.Unlock()
	if hanging == nil {
		return nil
	}
	defer func() {
		f.guard.Lock()
		defer f.guard.Unlock()
		f.hung--
	}()
	select {
	case <-hanging:
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

func (f *Faults) reject() error {
	f.guard.Lock()
	defer f.guard.Unlock()
	if f.unavailable == 0 {
		return nil
	}
	if f.unavailable > 0 {
		f.unavailable--
	}
	f.refused++
	return status.Error(f.rejected, "Server Is Not Ready")
}

func (s *Server) count(request grpc.ServerStream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	m, _ := metadata.FromIncomingContext(request.Context())
	s.credentials = strings.Join(m.Get("authorization"), ", ")
	if requiresLeader(request) {
		s.led++
	}
}

func requiresLeader(request grpc.ServerStream) bool {
	m, _ := metadata.FromIncomingContext(request.Context())
	return len(m.Get("requires-leader")) > 0 && m.Get("requires-leader")[0] == "true"
}

// turnAway is a follower's answer: where the leader is.
func (s *Server) turnAway(request grpc.ServerStream, appending bool) error {
	if s.leader == nil || !requiresLeader(request) && !appending {
		return nil
	}
	host, port := s.leader.endpoint()
	request.SetTrailer(metadata.Pairs("exception", "not-leader",
		"leader-endpoint-host", host, "leader-endpoint-port", strconv.Itoa(int(port))))
	return status.Error(codes.NotFound, "Leader info available")
}
