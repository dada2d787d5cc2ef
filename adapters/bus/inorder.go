package bus

import (
	"context"
	"time"
)

// pickedFrom is from how many of those that are due, for each that is to be sent, those
// are picked that are of different streams.
const pickedFrom = 16

// next picks what of the lane is sent now, and says whether there may be more. In a lane
// with an order it is one of each stream.
func (l *laneRun) next(ctx context.Context, most int) (now []Sending, more bool, err error) {
	limit := most
	if l.InOrder > 0 {
		limit *= pickedFrom
	}
	due, err := l.store.dueSendings(ctx, l.Name, l.now(), limit)
	if err != nil || l.InOrder == 0 {
		return due, len(due) > 0, err
	}
	seen := map[string]bool{}
	for _, x := range due {
		if seen[x.Stream] {
			continue
		}
		seen[x.Stream] = true
		first, ok, err := l.first(ctx, x)
		if err != nil {
			return nil, false, err
		}
		if ok {
			now = append(now, first)
		}
		if len(now) == most {
			break
		}
	}
	return now, len(due) > 0, nil
}

// first is what is to be sent of a stream of which something is due: an earlier sending
// that was not tried since, also before its time, else that itself. While an earlier one
// fails it waits, for as long as the lane's order says.
func (l *laneRun) first(ctx context.Context, due Sending) (Sending, bool, error) {
	earlier, err := l.store.waitingBefore(ctx, due)
	if err != nil || len(earlier) == 0 {
		return due, true, err
	}
	now, until := l.now(), due.Since.Add(l.InOrder)
	again := until
	for _, x := range earlier {
		if !x.Due.After(now) || x.Tried.Before(due.Due) {
			return x, true, nil
		}
		again = earlierOf(again, x.Due)
	}
	if !now.Before(until) {
		return due, true, nil
	}
	later := due
	later.Due = again
	return due, false, l.store.keepSending(ctx, due, later)
}

func earlierOf(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// waitingBefore is what waits in the lane and is of earlier events of the same stream, in
// their order.
func (s *Store) waitingBefore(ctx context.Context, x Sending) ([]Sending, error) {
	return s.sendings(ctx, `SELECT `+sendingColumns+` FROM sending WHERE lane = $1 AND stream = $2 AND state = 'waiting' AND position < $3 ORDER BY position, id`,
		x.Lane, x.Stream, x.Position)
}

// postpone postpones a sending, and with it what is of later events of the same stream.
func (s *Store) postpone(ctx context.Context, x Sending, until time.Time) error {
	_, err := s.writer.ExecContext(ctx, `UPDATE sending SET due = $1 WHERE lane = $2 AND stream = $3 AND state = 'waiting' AND due < $1 AND (id = $4 OR position > $5)`,
		until.UnixMicro(), x.Lane, x.Stream, x.ID.String(), x.Position)
	return err
}
