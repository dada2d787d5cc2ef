package eventstoredb

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/alur-id/alur/domain"
)

// An event's metadata on the server is a JSON object in exactly this form, so
// that anybody's tools can read it:
//
//	{"alur":1,"schema":2,"meta":{...}}
//
// Between "meta": and the last brace stand the bytes of [domain.Entry.Meta] as
// they are. They are cut out again, not parsed: hashes are taken over them, so
// not even a space may change. The server keeps metadata as opaque bytes. What
// begins otherwise was not written by Alur.
const (
	frameHead = `{"alur":1,"schema":`
	frameMeta = `,"meta":`
	frameTail = `}`
)

func frame(e domain.Entry) []byte {
	b := make([]byte, 0, len(frameHead)+20+len(frameMeta)+len(e.Meta)+len(frameTail))
	b = append(b, frameHead...)
	b = strconv.AppendInt(b, int64(e.Schema), 10)
	b = append(b, frameMeta...)
	b = append(b, e.Meta...)
	return append(b, frameTail...)
}

// unframe returns what frame was given. Ours is false for the metadata of
// somebody else's event.
func unframe(b []byte) (schema int, meta []byte, ours bool, err error) {
	rest, ours := bytes.CutPrefix(b, []byte(frameHead))
	if !ours {
		return 0, nil, false, nil
	}
	number, rest, found := bytes.Cut(rest, []byte(frameMeta))
	meta, ended := bytes.CutSuffix(rest, []byte(frameTail))
	schema, err = strconv.Atoi(string(number))
	if !found || !ended || err != nil {
		return 0, nil, true, errors.Join(errors.New("damaged metadata"), err)
	}
	return schema, bytes.Clone(meta), true, nil
}

// entry is the entry that a recorded event is. Ours is false for a system event
// or one of another program.
func (l *Log) entry(e *esdb.RecordedEvent) (entry domain.Entry, ours bool, err error) {
	stream, ours := strings.CutPrefix(e.StreamID, l.set.prefix)
	if !ours || isSystem(e.StreamID) || isSystem(e.EventType) {
		return domain.Entry{}, false, nil
	}
	schema, meta, ours, err := unframe(e.UserMetadata)
	if !ours {
		return domain.Entry{}, false, nil
	}
	if err == nil && (e.Position.Commit == 0 || e.Position.Commit > math.MaxInt64) {
		err = errors.New("the server does not tell its position; it must be version 22.6 or newer")
	}
	if err != nil {
		return domain.Entry{}, true, fmt.Errorf("%s revision %d: %w", e.StreamID, e.EventNumber, err)
	}
	return domain.Entry{
		Stream: stream, Version: domain.Version(e.EventNumber) + 1, Position: domain.Position(e.Position.Commit),
		ID: e.EventID, Type: e.EventType, Schema: schema, Meta: meta, Data: e.Data,
	}, true, nil
}

func isSystem(name string) bool { return strings.HasPrefix(name, "$") }
