package fakeserver

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Append records one append.
func (s *Server) Append(stream streams.Streams_AppendServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	options := first.GetOptions()
	if options == nil {
		return status.Error(codes.Unknown, "Exception was thrown by handler.")
	}
	events, err := s.proposed(stream)
	if err != nil {
		return err
	}
	d, revision, position := s.data.append(string(options.GetStreamIdentifier().GetStreamName()), expected(options), events)
	if s.loses() {
		return status.Error(codes.Unavailable, "the answer got lost")
	}
	if d == wrong {
		return stream.SendAndClose(&streams.AppendResp{Result: &streams.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: refusal(options, revision)}})
	}
	return stream.SendAndClose(&streams.AppendResp{Result: &streams.AppendResp_Success_{Success: &streams.AppendResp_Success{
		CurrentRevisionOption: &streams.AppendResp_Success_CurrentRevision{CurrentRevision: uint64(revision)},
		PositionOption:        &streams.AppendResp_Success_Position{Position: &streams.AppendResp_Position{CommitPosition: position, PreparePosition: position}},
	}}})
}

// proposed receives the events. It gives up, without reading on, when they
// become too large.
func (s *Server) proposed(stream streams.Streams_AppendServer) ([]record, error) {
	var events []record
	size := 0
	for {
		next, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return nil, err
		}
		p := next.GetProposedMessage()
		e := record{
			id: identity(p.GetId()), kind: p.GetMetadata()["type"], contentType: p.GetMetadata()["content-type"],
			data: p.GetData(), meta: p.GetCustomMetadata(),
		}
		if e.kind == "" || e.contentType == "" {
			return nil, status.Error(codes.InvalidArgument, "Required Metadata Property is missing")
		}
		if size += len(e.data) + len(e.meta) + 2*len(e.kind); size > s.limit() {
			stream.SetTrailer(metadata.Pairs("exception", "maximum-append-size-exceeded"))
			return nil, status.Errorf(codes.InvalidArgument, "Maximum Append Size of %d Exceeded.", s.limit())
		}
		events = append(events, e)
	}
}

func expected(o *streams.AppendReq_Options) int64 {
	switch e := o.GetExpectedStreamRevision().(type) {
	case *streams.AppendReq_Options_Revision:
		return int64(e.Revision)
	case *streams.AppendReq_Options_NoStream:
		return expectNone
	case *streams.AppendReq_Options_StreamExists:
		return expectExists
	default:
		return expectAny
	}
}

func refusal(o *streams.AppendReq_Options, current int64) *streams.AppendResp_WrongExpectedVersion {
	w := &streams.AppendResp_WrongExpectedVersion{}
	switch e := o.GetExpectedStreamRevision().(type) {
	case *streams.AppendReq_Options_Revision:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: e.Revision}
	case *streams.AppendReq_Options_NoStream:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &shared.Empty{}}
	case *streams.AppendReq_Options_StreamExists:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &shared.Empty{}}
	default:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedAny{ExpectedAny: &shared.Empty{}}
	}
	if current < 0 {
		w.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &shared.Empty{}}
	} else {
		w.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: uint64(current)}
	}
	return w
}

func identity(id *shared.UUID) uuid.UUID {
	var u uuid.UUID
	if t := id.GetStructured(); t != nil {
		binary.BigEndian.PutUint64(u[:8], uint64(t.GetMostSignificantBits()))
		binary.BigEndian.PutUint64(u[8:], uint64(t.GetLeastSignificantBits()))
		return u
	}
	u, _ = uuid.Parse(id.GetString_())
	return u
}

func message(id uuid.UUID) *shared.UUID {
	return &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{
		MostSignificantBits: int64(binary.BigEndian.Uint64(id[:8])), LeastSignificantBits: int64(binary.BigEndian.Uint64(id[8:])),
	}}}
}
