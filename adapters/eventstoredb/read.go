package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/status"

	"github.com/alur-id/alur/domain"
)

// A page is what is read in one call: so many events or, if they are large, so
// many bytes, but always more than the one event it may share with the page
// before.
const (
	pageEvents = 512
	pageBytes  = 4 << 20
)

// page is a part of a stream, or of all streams.
type page struct {
	events []*esdb.RecordedEvent
	more   bool // there may be
}

// opener begins to read.
type opener func(context.Context, *esdb.Client) (*esdb.ReadStream, error)

// read reads a page of at most count events. A stream that does not exist is an
// empty page.
func (l *Log) read(ctx context.Context, count int, open opener) (page, error) {
	return ask(ctx, l.healer, func(ctx context.Context, c *esdb.Client) (page, error) {
		s, err := open(ctx, c)
		if err != nil {
			return page{}, err
		}
		defer s.Close()
		var p page
		size := 0
		for {
			e, err := s.Recv()
			switch {
			case errors.Is(err, io.EOF):
				p.more = len(p.events) >= count
				return p, nil
			case isMissing(err):
				return page{}, nil
			case err != nil:
				return page{}, err
			}
			p.events = append(p.events, e.Event)
			if size += len(e.Event.Data) + len(e.Event.UserMetadata); size > pageBytes && len(p.events) > 1 {
				p.more = true
				return p, nil
			}
		}
	})
}

// isMissing reports whether the server said that a stream does not exist. The
// library has the same code for that and for calls that failed with NotFound,
// but only the latter have a gRPC status.
func isMissing(err error) bool {
	var e *esdb.Error
	_, failed := status.FromError(err)
	return errors.As(err, &e) && e.Code() == esdb.ErrorCodeResourceNotFound && !failed
}

// ReadStream implements [domain.EventLog].
func (l *Log) ReadStream(ctx context.Context, stream string, after domain.Version) iter.Seq2[domain.Entry, error] {
	return func(yield func(domain.Entry, error) bool) {
		next := after + 1
		for {
			p, err := l.readStream(ctx, stream, esdb.Forwards, esdb.Revision(uint64(next-1)), pageEvents)
			for i := 0; err == nil && i < len(p.events); i++ {
				var e domain.Entry
				if e, err = l.member(p.events[i], next); err == nil {
					if !yield(e, nil) {
						return
					}
					next++
					err = ctx.Err()
				}
			}
			if err != nil {
				yield(domain.Entry{}, fmt.Errorf("read stream %s: %w", stream, err))
				return
			}
			if !p.more {
				return
			}
		}
	}
}

// member is the entry of an event read from its stream, where it must be the next
// one and Alur's.
func (l *Log) member(recorded *esdb.RecordedEvent, next domain.Version) (domain.Entry, error) {
	e, ours, err := l.entry(recorded)
	switch {
	case err != nil:
		return domain.Entry{}, err
	case !ours:
		return domain.Entry{}, fmt.Errorf("version %d was not written by Alur", recorded.EventNumber+1)
	case e.Version != next:
		return domain.Entry{}, fmt.Errorf("version %d is gone: the stream was cut or deleted on the server", next)
	}
	return e, nil
}

func (l *Log) readStream(ctx context.Context, stream string, direction esdb.Direction, from esdb.StreamPosition, count int) (page, error) {
	return l.read(ctx, count, func(ctx context.Context, c *esdb.Client) (*esdb.ReadStream, error) {
		options := esdb.ReadStreamOptions{Direction: direction, From: from}
		return c.ReadStream(ctx, l.set.prefix+stream, options, uint64(count))
	})
}

func (l *Log) readAll(ctx context.Context, direction esdb.Direction, from esdb.AllPosition, count int) (page, error) {
	return l.read(ctx, count, func(ctx context.Context, c *esdb.Client) (*esdb.ReadStream, error) {
		return c.ReadAll(ctx, esdb.ReadAllOptions{Direction: direction, From: from}, uint64(count))
	})
}

// ReadAll implements [domain.EventLog].
func (l *Log) ReadAll(ctx context.Context, after domain.Position) iter.Seq2[domain.Entry, error] {
	return func(yield func(domain.Entry, error) bool) {
		at := place(after)
		for {
			p, err := l.readAll(ctx, esdb.Forwards, from(at), pageEvents)
			for i := 0; err == nil && i < len(p.events); i++ {
				// The server begins with the event at the position, which was seen.
				if !later(p.events[i].Position, at) {
					continue
				}
				at = p.events[i].Position
				e, ours, damage := l.entry(p.events[i])
				if err = damage; ours && err == nil {
					if !yield(e, nil) {
						return
					}
					err = ctx.Err()
				}
			}
			if err != nil {
				yield(domain.Entry{}, fmt.Errorf("read event log: %w", err))
				return
			}
			if !p.more {
				return
			}
		}
	}
}

// place is where an event of Alur's stands: such events are committed by
// themselves, so that both halves of the server's position are the same.
func place(p domain.Position) esdb.Position {
	return esdb.Position{Commit: uint64(max(p, 0)), Prepare: uint64(max(p, 0))}
}

func from(p esdb.Position) esdb.AllPosition {
	if p.Commit == 0 {
		return esdb.Start{}
	}
	return p
}

func later(a, b esdb.Position) bool {
	return a.Commit > b.Commit || a.Commit == b.Commit && a.Prepare > b.Prepare
}

// Head implements [domain.EventLog]. It looks backwards from the end for an event
// of Alur's, as far as the last one that is known; so its cost is what other
// programs have written since.
func (l *Log) Head(ctx context.Context) (domain.Position, error) {
	count := 16 // few, for mostly the last one is it
	for at := esdb.AllPosition(esdb.End{}); ; count = pageEvents {
		p, err := l.readAll(ctx, esdb.Backwards, at, count)
		if err != nil {
			return 0, fmt.Errorf("head of the event log: %w", err)
		}
		known, _ := l.tail.position()
		for _, recorded := range p.events {
			if recorded.Position.Commit <= uint64(known) {
				return known, nil
			}
			// Damaged counts too: whoever reads must come and find it.
			if _, ours, _ := l.entry(recorded); ours {
				return l.tail.raise(domain.Position(recorded.Position.Commit)), nil
			}
		}
		if !p.more || len(p.events) == 0 {
			return known, nil
		}
		at = p.events[len(p.events)-1].Position
	}
}
