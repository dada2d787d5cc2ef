package projections

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/alur-id/alur/domain"
)

// tape is the log as views read it: a batch that several of them need is read and
// decoded once, by a goroutine of its own, and the next one meanwhile. Who is
// elsewhere in the log than the others reads there.
type tape struct {
	ctx context.Context // of those who read, for what is read ahead
	log domain.EventLog

	mu      sync.Mutex
	pieces  []*piece                // the last ones, oldest first
	readers map[any]domain.Position // where each stands
	moved   chan struct{}           // closed and replaced when a reader moves on
}

// piece is a batch of the log, complete when ready is closed. At the end of it stands
// why there is no more: an entry that cannot be decoded, or that the log cannot be
// read.
type piece struct {
	after  domain.Position
	event  string // which is there, empty for the beginning
	ready  chan struct{}
	events []domain.Recorded
	lost   bool          // the log does not have that event any more
	bad    *domain.Entry // cannot be decoded
	full   bool          // there may be more behind it
	err    error         // of reading or of decoding
}

// A piece is what one transaction folds.
const (
	pieceEvents = 4000
	pieceBytes  = 8 << 20
	firstEvents = 64
	keptPieces  = 8
)

// readersPatience is how long readers who are ahead wait for one who is so far behind that it
// would have to read for itself.
const readersPatience = 2 * time.Second

func newTape(ctx context.Context, log domain.EventLog) *tape {
	return &tape{ctx: ctx, log: log, readers: map[any]domain.Position{}, moved: make(chan struct{})}
}

// next is the batch after an event. Pieces that end in nothing new are not kept.
func (t *tape) next(ctx context.Context, reader any, after domain.Position, event string) (*piece, error) {
	if err := t.wait(ctx, reader, after); err != nil {
		return nil, err
	}
	p := t.piece(after, event)
	select {
	case <-p.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if p.full {
		last := p.events[len(p.events)-1]
		t.piece(last.Position, last.ID.String()) // is read while this one is folded
	}
	return p, nil
}

// join announces a reader, so that what it will need is kept.
func (t *tape) join(reader any, at domain.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.readers[reader] = at
}

// leave forgets a reader, who nobody waits for then.
func (t *tape) leave(reader any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, there := t.readers[reader]; there {
		delete(t.readers, reader)
		t.drop()
		t.wake()
	}
}

// drop drops what all readers have behind them.
func (t *tape) drop() {
	t.pieces = slices.DeleteFunc(t.pieces, func(p *piece) bool {
		for _, at := range t.readers {
			if at <= p.after {
				return false
			}
		}
		return true
	})
}

func (t *tape) wake() {
	close(t.moved)
	t.moved = make(chan struct{})
}

// wait lets those who are behind come nearer before their pieces are dropped.
func (t *tape) wait(ctx context.Context, reader any, after domain.Position) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.readers[reader] = after
	t.drop()
	t.wake()
	enough := time.NewTimer(readersPatience)
	defer enough.Stop()
	for t.crowded(after) {
		moved := t.moved
		t.mu.Unlock()
		var late bool
		select {
		case <-moved:
		case <-enough.C:
			late = true
		case <-ctx.Done():
		}
		t.mu.Lock()
		if late || ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// crowded reports whether a piece that has to be made would displace one that another
// reader still needs.
func (t *tape) crowded(after domain.Position) bool {
	if len(t.pieces) < keptPieces || slices.ContainsFunc(t.pieces, func(p *piece) bool { return p.after == after }) {
		return false
	}
	for _, at := range t.readers {
		if at == t.pieces[0].after && at < after {
			return true
		}
	}
	return false
}

// piece finds a piece, or has it read.
func (t *tape) piece(after domain.Position, event string) *piece {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.pieces {
		if p.after == after && p.event == event {
			return p
		}
	}
	p := &piece{after: after, event: event, ready: make(chan struct{})}
	t.pieces = append(t.pieces, p)
	if len(t.pieces) > keptPieces {
		t.pieces = slices.Delete(t.pieces, 0, 1)
	}
	go t.read(p)
	return p
}

// read fills a piece. What is not all good is read again by whoever asks next.
func (t *tape) read(p *piece) {
	defer close(p.ready)
	p.fill(t.ctx, t.log)
	if len(p.events) > 0 && p.err == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pieces = slices.DeleteFunc(t.pieces, func(other *piece) bool { return other == p })
}

// fill begins with the event of the checkpoint itself: a log that does not have it any
// more, because its server lost what it had acknowledged, is not the one that was
// folded.
func (p *piece) fill(ctx context.Context, log domain.EventLog) {
	found, size := p.after == 0, 0
	p.lost = !found
	for entry, err := range log.ReadAll(ctx, max(p.after-1, 0)) {
		if err != nil {
			p.err, p.lost = err, false
			return
		}
		if !found {
			if entry.Position != p.after || entry.ID.String() != p.event {
				return
			}
			found, p.lost = true, false
			continue
		}
		e, err := domain.Decode(entry)
		if err != nil {
			p.err, p.bad = err, &entry
			return
		}
		if len(p.events) == firstEvents { // it is a long one
			p.events = append(make([]domain.Recorded, 0, pieceEvents), p.events...)
		}
		p.events = append(p.events, e)
		if size += entry.Size(); len(p.events) == pieceEvents || size >= pieceBytes {
			p.full = true
			return
		}
	}
}
