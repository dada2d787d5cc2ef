package bus

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/alur-id/alur/domain"
)

// turn is a message whose turn it is.
type turn struct {
	entry  domain.Entry
	again  bool // it was poisoned before
	passes bool // handling it moves the checkpoint: it is not one that was passed before
}

// delivery is one attempt to have one message handled. Its message carries it in its
// context.
type delivery struct {
	turn
	store    *Store
	name     string // of the consumer
	holder   string // of the lease that it is under
	event    domain.Recorded
	attempts int // that failed; of the handler

	mu     sync.Mutex
	became outcome
	poison bool // it is kept as poisoned
}

// outcome is what became of a message.
type outcome int

const (
	handled outcome = iota // it was acknowledged
	settled                // and the checkpoint moved with what its handler did
	refused                // it comes again
	halted                 // it is poisoned, and the group stops there
)

func (d *delivery) set(o outcome, poison bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.became, d.poison = o, poison
}

// get is what became of the message, and that in a word.
func (d *delivery) get(acked bool) (outcome, string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case !acked:
		return refused, "refused"
	case d.poison:
		return d.became, "poisoned"
	}
	return d.became, "handled"
}

type deliveryKey struct{}

func deliveryOf(ctx context.Context) (*delivery, error) {
	d, ok := ctx.Value(deliveryKey{}).(*delivery)
	if !ok {
		return nil, errors.New("the message does not come from a subscriber of the event log")
	}
	return d, nil
}

// Once has a consumer do its work in one transaction with the mark that the message is
// done, in the database of the [Store]. So it is done once, whenever the process dies,
// and not at all by one whose lease was lost: then, and for a message that is done, the
// work is undone. It does nothing but SQL, little of it: nobody else's checkpoint moves
// meanwhile on SQLite.
//
// What is done outside of that database can come twice. Whoever calls a gateway gives
// it the event's id.
func Once(msg *message.Message, work func(ctx context.Context, tx *sql.Tx) error) error {
	ctx := msg.Context()
	d, err := deliveryOf(ctx)
	if err != nil {
		return err
	}
	err = d.store.tx(ctx, func(tx *sql.Tx) error {
		if err := d.open(ctx, tx); err != nil {
			return err
		}
		if err := work(ctx, tx); err != nil {
			return err
		}
		if d.again {
			if _, err := tx.ExecContext(ctx, `DELETE FROM poison WHERE consumer = $1 AND position = $2`, d.name, d.entry.Position); err != nil {
				return err
			}
		}
		// Last, since others of this process wait for the row from here on.
		return d.fence(ctx, tx, d.passes)
	})
	if err != nil && !errors.Is(err, errDone) {
		return fmt.Errorf("event %s: %w", d.entry.ID, err)
	}
	d.set(settled, false)
	return nil
}

// errDone says that the message was handled already.
var errDone = errors.New("the message was handled already")

// open says whether the message is still to be done.
func (d *delivery) open(ctx context.Context, tx *sql.Tx) error {
	var position domain.Position
	var poisoned int
	err := tx.QueryRowContext(ctx, `SELECT position, (SELECT COUNT(*) FROM poison WHERE consumer = $1 AND position = $2)
		FROM consumer WHERE name = $3`, d.name, d.entry.Position, d.name).Scan(&position, &poisoned)
	switch {
	case err != nil:
		return err
	case d.passes && position >= d.entry.Position, d.again && poisoned == 0:
		return errDone
	}
	return nil
}

// fence moves the checkpoint, or leaves it, and is errLost when the lease is somebody
// else's.
func (d *delivery) fence(ctx context.Context, tx *sql.Tx, pass bool) error {
	if !pass {
		return held(tx.ExecContext(ctx, `UPDATE consumer SET beat = beat + 1 WHERE name = $1 AND holder = $2`, d.name, d.holder))
	}
	at := markOf(d.entry)
	return held(tx.ExecContext(ctx, `UPDATE consumer SET position = $1, event = $2 WHERE name = $3 AND holder = $4`,
		at.position, at.event, d.name, d.holder))
}

// deliver gives a message out until it is acknowledged, with pauses that grow.
func (s *subscription) deliver(ctx context.Context, l *lease, t turn) (outcome, error) {
	for pause := s.Backoff.First; ; pause = min(2*pause, s.Backoff.Most) {
		d := &delivery{turn: t, store: s.Store, name: s.name, holder: l.holder}
		msg, err := s.Message(d.entry)
		if err != nil {
			return 0, fmt.Errorf("position %d: %w", d.entry.Position, err)
		}
		became, err := s.hand(ctx, l, msg, d)
		if err != nil || became != refused {
			return became, err
		}
		rest(ctx, pause)
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
}

// hand gives a message out once and waits for what becomes of it. Its context ends
// with that, when the lease is lost, and some time after nobody wants messages any
// more.
func (s *subscription) hand(ctx context.Context, l *lease, msg *message.Message, d *delivery) (outcome, error) {
	d.event, _ = msg.Context().Value(eventKey{}).(domain.Recorded)
	own, cancel := context.WithCancel(s.values)
	defer cancel()
	defer context.AfterFunc(l.ctx, cancel)()
	msg.SetContext(context.WithValue(own, deliveryKey{}, d))
	select {
	case s.out <- msg:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	began := time.Now()
	acked, over := s.await(msg, cancel)
	if !over {
		return 0, s.life.Err()
	}
	became, word := d.get(acked)
	s.Metrics.message(s.name, word, time.Since(began))
	return became, nil
}

// await waits until a message is acknowledged or refused. One whose handler does not
// end is waited for, also when its lease is lost: two are never at work in one
// subscription. At the end it gets some time, then its context ends, then it is left.
func (s *subscription) await(msg *message.Message, cancel func()) (acked, over bool) {
	ended := s.life.Done()
	var late <-chan time.Time
	for patience := 2; ; {
		select {
		case <-msg.Acked():
			return true, true
		case <-msg.Nacked():
			return false, true
		case <-ended:
			ended, late = nil, time.After(s.Grace)
		case <-late:
			if patience == 2 {
				s.Logger.WarnContext(s.values, "what is done about a message is cut off, since the program ends: the message comes again", "consumer", s.name, "event", msg.UUID)
			}
			cancel()
			if patience--; patience == 0 {
				return false, false
			}
			late = time.After(min(s.Grace, time.Second))
		}
	}
}
