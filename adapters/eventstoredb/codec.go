package eventstoredb

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto" // registers the codec that strict stands before
	"google.golang.org/grpc/mem"
)

// init puts a check before gRPC's codec. The client library ends the process
// (log.Fatalf) when an event's creation time is not a number, and offers no place
// to look at a message first; gRPC has one codec a process, and this is its only
// door. Messages of other kinds pass untouched.
func init() { encoding.RegisterCodecV2(strict{encoding.GetCodecV2(proto.Name)}) }

type strict struct{ encoding.CodecV2 }

// Unmarshal refuses a message that the library would not survive; the call then
// ends with an error, as with any other damaged message.
func (s strict) Unmarshal(data mem.BufferSlice, v any) error {
	if err := s.CodecV2.Unmarshal(data, v); err != nil {
		return err
	}
	if r, ok := v.(*streams.ReadResp); ok {
		return survivable(r)
	}
	return nil
}

func survivable(r *streams.ReadResp) error {
	if r.GetEvent() != nil && r.GetEvent().GetEvent() == nil {
		return errors.New("event without an event")
	}
	for _, e := range []*streams.ReadResp_ReadEvent_RecordedEvent{r.GetEvent().GetEvent(), r.GetEvent().GetLink()} {
		if e == nil {
			continue
		}
		if _, err := strconv.ParseInt(e.GetMetadata()["created"], 10, 64); err != nil {
			return fmt.Errorf("event of %q was created at no time: %w", e.GetStreamIdentifier().GetStreamName(), err)
		}
		if e.GetStreamIdentifier() == nil {
			return errors.New("event of no stream")
		}
	}
	return nil
}
