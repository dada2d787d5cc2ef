package fakeserver

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Read reads or subscribes.
func (s *Server) Read(request *streams.ReadReq, out streams.Streams_ReadServer) error {
	o := request.GetOptions()
	if _, subscribes := o.GetCountOption().(*streams.ReadReq_Options_Subscription); subscribes {
		if o.GetAll() == nil {
			return status.Error(codes.Unimplemented, "the fake server subscribes to $all only")
		}
		return s.subscribe(o, out)
	}
	if o.GetFilter() != nil {
		return status.Error(codes.Unimplemented, "the fake server filters subscriptions only")
	}
	records, step, found := s.selected(o)
	if !found {
		return s.send(out, &streams.ReadResp{Content: &streams.ReadResp_StreamNotFound_{StreamNotFound: &streams.ReadResp_StreamNotFound{
			StreamIdentifier: o.GetStream().GetStreamIdentifier(),
		}}})
	}
	at := 0
	if step < 0 {
		at = len(records) - 1
	}
	for n := uint64(0); n < o.GetCount() && at >= 0 && at < len(records); n++ {
		if err := s.send(out, event(records[at])); err != nil {
			return err
		}
		at += step
	}
	return nil
}

// selected is what a read asks for, its count aside, and the step from one to the
// next: backwards from the last of them. Forwards the first is the one at the place
// that was given, backwards in all streams the one before it: a place is the
// beginning of an event.
func (s *Server) selected(o *streams.ReadReq_Options) (records []record, step int, found bool) {
	backwards := o.GetReadDirection() == streams.ReadReq_Options_Backwards
	var at int
	if all := o.GetAll(); all != nil {
		records, _ = s.data.snapshot()
		at = place(all, records)
	} else {
		records = s.data.of(string(o.GetStream().GetStreamIdentifier().GetStreamName()))
		if len(records) == 0 {
			return nil, 0, false
		}
		at = revision(o.GetStream(), len(records), backwards)
	}
	if !backwards {
		return records[at:], 1, true
	}
	return records[:at], -1, true
}

func place(all *streams.ReadReq_Options_AllOptions, records []record) int {
	switch p := all.GetAllOption().(type) {
	case *streams.ReadReq_Options_AllOptions_End:
		return len(records)
	case *streams.ReadReq_Options_AllOptions_Position:
		return atOrAbove(records, p.Position.GetCommitPosition())
	default:
		return 0
	}
}

func revision(o *streams.ReadReq_Options_StreamOptions, n int, backwards bool) int {
	switch r := o.GetRevisionOption().(type) {
	case *streams.ReadReq_Options_StreamOptions_End:
		return n
	case *streams.ReadReq_Options_StreamOptions_Revision:
		at := int(min(r.Revision, uint64(n)))
		if backwards {
			at = min(at+1, n)
		}
		return at
	default:
		return 0
	}
}

// subscribe gives everything after a place, then what comes, until it is dropped.
func (s *Server) subscribe(o *streams.ReadReq_Options, out streams.Streams_ReadServer) error {
	wanted, err := filter(o.GetFilter())
	if err != nil {
		return err
	}
	window := int(o.GetFilter().GetMax() * max(o.GetFilter().GetCheckpointIntervalMultiplier(), 1))
	dropped := s.dropped()
	confirmed := &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: uuid.NewString()}
	if err := s.send(out, &streams.ReadResp{Content: &streams.ReadResp_Confirmation{Confirmation: confirmed}}); err != nil {
		return err
	}
	records, grown := s.data.snapshot()
	at := place(o.GetAll(), records)
	if _, exact := o.GetAll().GetAllOption().(*streams.ReadReq_Options_AllOptions_Position); exact && at < len(records) &&
		records[at].position == o.GetAll().GetPosition().GetCommitPosition() {
		at++ // exclusive
	}
	caughtUp, looked := false, 0
	for {
		for ; at < len(records) && !s.isSilent(); at++ {
			var next *streams.ReadResp
			if looked++; wanted(records[at]) {
				next = event(records[at])
			} else if window > 0 && looked >= window {
				next, looked = checkpoint(records[at]), 0
			}
			if next == nil {
				continue
			}
			if err := s.send(out, next); err != nil {
				return err
			}
		}
		if !caughtUp && at == len(records) {
			caughtUp = true
			if err := s.send(out, &streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}}); err != nil {
				return err
			}
		}
		select {
		case <-grown:
		case <-dropped:
			return status.Error(codes.Aborted, "subscription was dropped: the consumer is too slow")
		case <-out.Context().Done():
			return status.FromContextError(out.Context().Err()).Err()
		}
		if err := s.hang(out.Context()); err != nil {
			return err
		}
		records, grown = s.data.snapshot()
	}
}

func checkpoint(r record) *streams.ReadResp {
	return &streams.ReadResp{Content: &streams.ReadResp_Checkpoint_{Checkpoint: &streams.ReadResp_Checkpoint{
		CommitPosition: r.position, PreparePosition: r.position,
	}}}
}

func filter(o *streams.ReadReq_Options_FilterOptions) (func(record) bool, error) {
	if o == nil {
		return func(record) bool { return true }, nil
	}
	name, e := func(r record) string { return r.kind }, o.GetEventType()
	if e == nil {
		name, e = func(r record) string { return r.stream }, o.GetStreamIdentifier()
	}
	if e.GetRegex() == "" {
		return func(r record) bool {
			return slices.ContainsFunc(e.GetPrefix(), func(p string) bool { return strings.HasPrefix(name(r), p) })
		}, nil
	}
	pattern, err := regexp.Compile(e.GetRegex())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return func(r record) bool { return pattern.MatchString(name(r)) }, nil
}

func (s *Server) send(out streams.Streams_ReadServer, r *streams.ReadResp) error {
	if r = s.mangled(r); r == nil {
		return nil
	}
	return out.Send(r)
}

func event(r record) *streams.ReadResp {
	const ticks = 100 // nanoseconds
	position := r.position
	if position > math.MaxInt64 {
		position = math.MaxInt64
	}
	return &streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
		Event: &streams.ReadResp_ReadEvent_RecordedEvent{
			Id: message(r.id), StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(r.stream)},
			StreamRevision: uint64(r.revision), CommitPosition: position, PreparePosition: position,
			Metadata: map[string]string{
				"type": r.kind, "content-type": r.contentType, "created": strconv.FormatInt(r.created.UnixNano()/ticks, 10),
			},
			CustomMetadata: r.meta, Data: r.data,
		},
		Position: &streams.ReadResp_ReadEvent_CommitPosition{CommitPosition: position},
	}}}
}
