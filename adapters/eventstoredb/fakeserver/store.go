package fakeserver

import (
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// record is a recorded event.
type record struct {
	id          uuid.UUID
	stream      string
	revision    int64
	position    uint64
	kind        string
	contentType string
	data, meta  []byte
	created     time.Time
}

// store is what a server has recorded. Positions are byte offsets with gaps, and
// the server's own events stand between those of its clients.
type store struct {
	mu      sync.Mutex
	all     []record         // by position
	streams map[string][]int // indexes into all
	ids     map[uuid.UUID]int
	next    uint64
	appends int
	grown   chan struct{} // closed and replaced at each append
}

func newStore() *store {
	s := &store{streams: map[string][]int{}, ids: map[uuid.UUID]int{}, next: 1543, grown: make(chan struct{})}
	s.add([]record{{stream: "$users", kind: "$UserCreated", data: []byte("{}")}})
	return s
}

// The server's numbers for the revisions that an append may expect.
const (
	expectNone   int64 = -1
	expectAny    int64 = -2
	expectExists int64 = -4
)

// decision is what the server makes of an append.
type decision int

const (
	write decision = iota
	wrong
	again // idempotent
)

// append checks and records events. It returns the revision the stream is at, or
// was at after the append of the first time, and the position of the last event.
func (s *store) append(stream string, expected int64, events []record) (decision, int64, uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, last := s.check(stream, expected, events)
	switch d {
	case wrong:
		return wrong, int64(len(s.streams[stream])) - 1, 0
	case again:
		return again, s.all[last].revision, s.all[last].position
	case write:
	}
	for i := range events {
		events[i].stream = stream
	}
	s.add(events)
	r := s.all[len(s.all)-1]
	s.appends++
	if s.appends%3 == 0 { // a projection's link, and statistics
		s.add([]record{{stream: "$ce-" + category(stream), kind: "$>", data: fmt.Appendf(nil, "%d@%s", r.revision, stream)}})
	}
	if s.appends%7 == 0 {
		s.add([]record{{stream: "$stats-127.0.0.1:2113", kind: "$statsCollected", data: []byte("{}")}, {stream: "$$$stats-127.0.0.1:2113", kind: "$metadata", data: []byte(`{"$maxAge":86400}`)}})
	}
	return write, r.revision, r.position
}

// check follows IndexWriter.CheckCommit. With again it returns the index of the
// last of the recorded events.
func (s *store) check(stream string, expected int64, events []record) (decision, int) {
	at := s.streams[stream]
	current := int64(len(at)) - 1
	if expected == expectExists && current < 0 {
		return wrong, 0
	}
	if expected == expectAny || expected == expectExists {
		last := -1
		for i, e := range events {
			index, known := s.ids[e.id]
			if !known || s.all[index].stream != stream {
				if i == 0 {
					return write, 0
				}
				return wrong, 0 // corrupted idempotency
			}
			last = index
		}
		if last < 0 {
			return write, 0
		}
		return again, last
	}
	if expected == current {
		return write, 0
	}
	if expected > current || len(events) == 0 {
		return wrong, 0
	}
	for i, e := range events {
		revision := expected + 1 + int64(i)
		if revision > current || s.all[at[revision]].id != e.id {
			return wrong, 0 // or corrupted idempotency, which reads the same
		}
	}
	return again, at[expected+int64(len(events))]
}

// add records events side by side.
func (s *store) add(events []record) {
	for _, r := range events {
		r.position, r.revision, r.created = s.next, int64(len(s.streams[r.stream])), time.Now()
		if r.contentType == "" {
			r.contentType = "application/json"
		}
		s.next += uint64(len(r.stream)+len(r.kind)+len(r.data)+len(r.meta)) + 97
		s.streams[r.stream] = append(s.streams[r.stream], len(s.all))
		if r.id != uuid.Nil {
			if _, known := s.ids[r.id]; !known {
				s.ids[r.id] = len(s.all)
			}
		}
		s.all = append(s.all, r)
	}
	close(s.grown)
	s.grown = make(chan struct{})
}

func category(stream string) string {
	c, _, _ := strings.Cut(stream, "-")
	return c
}

// snapshot is all records as they are now, and a channel that is closed when
// there are more. The records are never changed.
func (s *store) snapshot() ([]record, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all, s.grown
}

// of is the records of a stream.
func (s *store) of(stream string) []record {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.streams[stream]
	records := make([]record, len(at))
	for i, index := range at {
		records[i] = s.all[index]
	}
	return records
}

// Write records an event as any other program might, whatever its stream holds.
func (s *Server) Write(stream, kind, metadata, data string) {
	s.data.mu.Lock()
	defer s.data.mu.Unlock()
	s.data.add([]record{{id: uuid.New(), stream: stream, kind: kind, data: []byte(data), meta: []byte(metadata)}})
}

// Clients is how many events of clients there are.
func (s *Server) Clients() int {
	clients, _ := s.Recorded()
	return clients
}

// Recorded is how many events of clients there are, and how many of the server's
// own.
func (s *Server) Recorded() (clients, system int) {
	all, _ := s.data.snapshot()
	for _, r := range all {
		if strings.HasPrefix(r.kind, "$") {
			system++
		} else {
			clients++
		}
	}
	return clients, system
}

// atOrAbove is the index of the first record at or above a position.
func atOrAbove(all []record, position uint64) int {
	return sort.Search(len(all), func(i int) bool { return all[i].position >= position })
}
