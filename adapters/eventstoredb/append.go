package eventstoredb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/alur-id/alur/domain"
)

// atOnce is how many streams of a batch are appended to at the same time.
const atOnce = 32

// Append implements [domain.EventLog].
//
// Repeated appends. The server compares event ids as the contract asks, but
// answers an append that it has already in the same words as a new one. So the
// last event is read back after every success, which also gives its position:
//
//   - It was at or below the head that was known before this call: it was
//     Repeated, for it was there before anything was sent.
//   - Its bytes differ from ours: it was Repeated, recorded by somebody who
//     decided the same at another time or behind another event. As each event
//     holds the hash of the one before, the last one speaks for the whole.
//   - Else the bytes that were asked for stand where they were asked for, as of
//     lately. Then it cannot be known, and is not needed to know what the log
//     holds, whether this call recorded them or the very same append, byte for
//     byte, just did: sent before by a call that did not learn of its success, or
//     by another process at the same time. Repeated is then false.
//
// So when Repeated is false, the log holds this append's bytes; when it is true,
// the append was there before or holds other bytes. The library gives the version
// that a stream is at only as text; a conflict's Actual is read from the stream.
func (l *Log) Append(ctx context.Context, a domain.Append) (domain.Appended, error) {
	if err := l.check(a); err != nil {
		return domain.Appended{}, err
	}
	return l.append(ctx, a)
}

// AppendBatch records several appends, each atomic by itself: those to one stream
// in their order, those to different streams side by side. The i-th error is that
// of the i-th append, a [*domain.ConflictError] or nil. The last one is about the
// whole: it says that none is known to be recorded. Some may be; the batch can be
// repeated as it is.
func (l *Log) AppendBatch(ctx context.Context, appends []domain.Append) ([]domain.Appended, []error, error) {
	if len(appends) == 0 {
		return nil, nil, nil
	}
	streams := map[string][]int{}
	for i, a := range appends {
		if err := l.check(a); err != nil {
			return nil, nil, fmt.Errorf("append %d: %w", i, err)
		}
		streams[a.Stream] = append(streams[a.Stream], i)
	}
	if l.ctx.Err() != nil {
		return nil, nil, domain.ErrClosed
	}
	answers, errs := make([]domain.Appended, len(appends)), make([]error, len(appends))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, indexes := range streams {
		group.Go(func() error {
			for _, i := range indexes {
				var conflict *domain.ConflictError
				answers[i], errs[i] = l.append(ctx, appends[i])
				if errs[i] != nil && !errors.As(errs[i], &conflict) {
					return errs[i]
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, closedAfter(err)
	}
	return answers, errs, nil
}

// serverMax is what servers up to 24.10 take: 1 MiB of data, metadata and types,
// these counted in UTF-16.
const serverMax = 1 << 20

// check returns why an append cannot be sent.
func (l *Log) check(a domain.Append) error {
	if err := a.Check(); err != nil {
		return err
	}
	if isSystem(l.set.prefix + a.Stream) {
		return errors.New("append to a stream of the server's own: " + a.Stream)
	}
	onServer := 0
	for _, e := range a.Entries {
		switch {
		case isSystem(e.Type):
			return errors.New("append of an event of the server's own: " + e.Type)
		case e.ID == uuid.Nil:
			return errors.New("append of an event without an id")
		}
		onServer += len(e.Data) + len(e.Meta) + len(frameHead) + 20 + len(frameMeta) + len(frameTail) + 2*len(e.Type)
	}
	if size := a.Size(); size > MaxAppend || onServer > serverMax {
		return fmt.Errorf("%w: %d bytes in %d events, the most are %d", domain.ErrTooLarge, size, len(a.Entries), MaxAppend)
	}
	return nil
}

// isTooLarge reports whether the server said so: one that was set to take less.
// It does when it has read the append whole; else the library loses what it said.
func isTooLarge(err error) bool {
	return status.Code(err) == codes.InvalidArgument && strings.Contains(err.Error(), "Maximum Append Size")
}

// append records an append that was checked.
func (l *Log) append(ctx context.Context, a domain.Append) (domain.Appended, error) {
	events := make([]esdb.EventData, len(a.Entries))
	for i, e := range a.Entries {
		// A copy, because a call that was given up may still read it.
		events[i] = esdb.EventData{
			EventID: e.ID, EventType: e.Type, ContentType: esdb.ContentTypeJson, Data: bytes.Clone(e.Data), Metadata: frame(e),
		}
	}
	expected := esdb.ExpectedRevision(esdb.NoStream{})
	if a.Expected > 0 {
		expected = esdb.Revision(uint64(a.Expected) - 1)
	}
	known, _ := l.tail.position()
	sent, pause := false, l.healer.pause()
	for {
		_, err := ask(ctx, l.healer, func(ctx context.Context, c *esdb.Client) (*esdb.WriteResult, error) {
			return c.AppendToStream(ctx, l.set.prefix+a.Stream, esdb.AppendToStreamOptions{ExpectedRevision: expected, Deadline: &l.set.attempt}, events...)
		})
		var refused *esdb.Error
		switch {
		case err == nil:
			done, err := l.settle(ctx, a, events[len(events)-1], known)
			if err != nil {
				return domain.Appended{}, fmt.Errorf("append to %s: recorded, but: %w", a.Stream, closedAfter(err))
			}
			return done, nil
		case !errors.As(err, &refused) || refused.Code() != esdb.ErrorCodeWrongExpectedVersion:
			if isTooLarge(err) {
				err = fmt.Errorf("%w: %w", domain.ErrTooLarge, err)
			} else if sent {
				err = closedAfter(err)
			}
			return domain.Appended{}, fmt.Errorf("append to %s: %w", a.Stream, err)
		}
		sent = true
		actual, err := l.version(ctx, a.Stream)
		if err != nil {
			return domain.Appended{}, fmt.Errorf("append to %s: refused, but: %w", a.Stream, closedAfter(err))
		}
		if actual != a.Expected {
			return domain.Appended{}, &domain.ConflictError{Stream: a.Stream, Expected: a.Expected, Actual: actual}
		}
		// It has come to the expected version since it was refused.
		if pause.wait(ctx) != nil {
			return domain.Appended{}, fmt.Errorf("append to %s: %w", a.Stream, unavailable(ctx, err))
		}
	}
}

// settle reads back the last event of an append that succeeded. Known is the head
// that was known before it was sent.
func (l *Log) settle(ctx context.Context, a domain.Append, sent esdb.EventData, known domain.Position) (domain.Appended, error) {
	version := a.Entries[len(a.Entries)-1].Version
	found, err := ask(ctx, l.healer, func(ctx context.Context, c *esdb.Client) (*esdb.RecordedEvent, error) {
		s, err := c.ReadStream(ctx, l.set.prefix+a.Stream, esdb.ReadStreamOptions{Direction: esdb.Forwards, From: esdb.Revision(uint64(version) - 1)}, 1)
		if err != nil {
			return nil, err
		}
		defer s.Close()
		e, err := s.Recv()
		if errors.Is(err, io.EOF) || isMissing(err) {
			return nil, errStale
		}
		if err != nil {
			return nil, err
		}
		return e.Event, nil
	})
	if err != nil {
		return domain.Appended{}, err
	}
	e, ours, err := l.entry(found)
	if err != nil {
		return domain.Appended{}, err
	}
	if !ours || e.ID != sent.EventID || e.Version != version {
		return domain.Appended{}, fmt.Errorf("version %d is another event: the stream was cut or deleted on the server", version)
	}
	l.tail.raise(e.Position)
	same := bytes.Equal(found.Data, sent.Data) && bytes.Equal(found.UserMetadata, sent.Metadata) && found.EventType == sent.EventType
	return domain.Appended{Version: version, Position: e.Position, Repeated: e.Position <= known || !same}, nil
}

// version is the version that a stream is at.
func (l *Log) version(ctx context.Context, stream string) (domain.Version, error) {
	p, err := l.readStream(ctx, stream, esdb.Backwards, esdb.End{}, 1)
	if err != nil || len(p.events) == 0 {
		return 0, err
	}
	return domain.Version(p.events[0].EventNumber) + 1, nil
}

// closedAfter is the error of a call that the log was closed under: ErrClosed
// would say that nothing was recorded.
func closedAfter(err error) error {
	if errors.Is(err, domain.ErrClosed) {
		return fmt.Errorf("%w: closed under way", domain.ErrUnavailable)
	}
	return err
}
