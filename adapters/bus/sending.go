package bus

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Sending is something that is to be sent to another system because of an event. It is
// kept until it was taken.
type Sending struct {
	Lane     string          `json:"lane"`
	ID       uuid.UUID       `json:"id"` // of the message: the same each time that it is sent
	Stream   string          `json:"stream"`
	Version  domain.Version  `json:"version"` // of the event
	Position domain.Position `json:"position"`
	Due      time.Time       `json:"due"`      // when it is tried next
	Attempts int             `json:"attempts"` // that failed
	Since    time.Time       `json:"since"`    // when it was put here
	Tried    time.Time       `json:"tried,omitzero"`
	Reason   string          `json:"reason,omitempty"` // of the last attempt, without personal data
	State    SendingState    `json:"state"`
}

// SendingState is what becomes of a sending.
type SendingState string

// A sending waits for its time, or was given up and waits for somebody to look.
const (
	SendingWaiting SendingState = "waiting"
	SendingFailed  SendingState = "failed"
)

// Queue puts sendings of an event into lanes, in the transaction of the consumer's work
// ([Once]), to be sent at once. One that is there already stays as it is.
func (s *Store) Queue(ctx context.Context, tx *sql.Tx, e domain.Recorded, lane string, ids ...uuid.UUID) error {
	now := s.now().UnixMicro()
	for _, id := range ids {
		_, err := tx.ExecContext(ctx, `INSERT INTO sending (lane, id, stream, version, position, due, attempts, since, tried, reason, state)
			VALUES ($1, $2, $3, $4, $5, $6, 0, $6, 0, '', 'waiting') ON CONFLICT DO NOTHING`, lane, id.String(), e.Stream, e.Version, e.Position, now)
		if err != nil {
			return fmt.Errorf("queue for %s: %w", lane, err)
		}
	}
	return nil
}

// Waiting lists what waits in a lane and is of a stream, in the order of the log, without
// what is being sent at this moment: the lanes of a consumer are in its process.
func (s *Store) Waiting(ctx context.Context, lane, stream string) ([]Sending, error) {
	list, err := s.sendings(ctx, `SELECT `+sendingColumns+` FROM sending WHERE lane = $1 AND stream = $2 AND state = 'waiting' ORDER BY position, id`, lane, stream)
	return slices.DeleteFunc(list, func(x Sending) bool {
		_, sent := s.underWay.Load(x.Lane + " " + x.ID.String())
		return sent
	}), err
}

// begin notes that something is being sent, until what it returns is called.
func (s *Store) begin(x Sending) (end func()) {
	key := x.Lane + " " + x.ID.String()
	s.underWay.Store(key, true)
	return func() { s.underWay.Delete(key) }
}

// Move has a sending that waits go by others instead, of which a lane and an id are said,
// at once; one that is gone by now was sent. Those that wait there already stay as they are;
// those that were given up there are tried again.
func (s *Store) Move(ctx context.Context, tx *sql.Tx, x Sending, to ...Sending) error {
	left, err := tx.ExecContext(ctx, `DELETE FROM sending WHERE lane = $1 AND id = $2 AND state = 'waiting'`, x.Lane, x.ID.String())
	if err != nil {
		return fmt.Errorf("move from %s: %w", x.Lane, err)
	}
	if n, err := left.RowsAffected(); err != nil || n == 0 {
		return err
	}
	now := s.now().UnixMicro()
	for _, y := range to {
		_, err := tx.ExecContext(ctx, `INSERT INTO sending (lane, id, stream, version, position, due, attempts, since, tried, reason, state)
			VALUES ($1, $2, $3, $4, $5, $6, 0, $6, 0, '', 'waiting')
			ON CONFLICT (lane, id) DO UPDATE SET due = excluded.due, attempts = 0, state = 'waiting' WHERE sending.state = 'failed'`,
			y.Lane, y.ID.String(), x.Stream, x.Version, x.Position, now)
		if err != nil {
			return fmt.Errorf("move to %s: %w", y.Lane, err)
		}
	}
	return nil
}

// ErrMoved is what a lane is told of a sending that was moved to another.
var ErrMoved = errors.New("it goes by another lane")

// MoveNow is [Store.Move] in a transaction of its own.
func (s *Store) MoveNow(ctx context.Context, x Sending, to ...Sending) error {
	return s.tx(ctx, func(tx *sql.Tx) error { return s.Move(ctx, tx, x, to...) })
}

// Replay puts events into a lane anew, whether they were sent or not. Each has the id
// that its sending had.
func (s *Store) Replay(ctx context.Context, lane string, events []domain.Recorded) error {
	now := s.now().UnixMicro()
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, e := range events {
			_, err := tx.ExecContext(ctx, `INSERT INTO sending (lane, id, stream, version, position, due, attempts, since, tried, reason, state)
				VALUES ($1, $2, $3, $4, $5, $6, 0, $6, 0, '', 'waiting')
				ON CONFLICT (lane, id) DO UPDATE SET due = excluded.due, attempts = 0, state = 'waiting'`, lane, e.ID.String(), e.Stream, e.Version, e.Position, now)
			if err != nil {
				return fmt.Errorf("replay to %s: %w", lane, err)
			}
		}
		return nil
	})
}

const sendingColumns = `lane, id, stream, version, position, due, attempts, since, tried, reason, state`

// Sendings lists what is in a lane, or in all if it is empty: what was given up, or all
// that was not sent, up to a limit, in the order of the log.
func (s *Store) Sendings(ctx context.Context, lane string, all bool, limit int) ([]Sending, error) {
	return s.sendings(ctx, `SELECT `+sendingColumns+` FROM sending WHERE (lane = $1 OR $1 = '') AND (state = 'failed' OR $2 = 1) ORDER BY lane, position, id LIMIT $3`,
		lane, flag(all), limit)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// dueSendings is what of a lane is to be sent now.
func (s *Store) dueSendings(ctx context.Context, lane string, at time.Time, limit int) ([]Sending, error) {
	return s.sendings(ctx, `SELECT `+sendingColumns+` FROM sending WHERE lane = $1 AND state = 'waiting' AND due <= $2 ORDER BY due, position LIMIT $3`,
		lane, at.UnixMicro(), limit)
}

func (s *Store) sendings(ctx context.Context, query string, args ...any) ([]Sending, error) {
	rows, err := s.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list sendings: %w", err)
	}
	defer rows.Close()
	list := []Sending{}
	for rows.Next() {
		var x Sending
		var due, since, tried int64
		if err := rows.Scan(&x.Lane, &x.ID, &x.Stream, &x.Version, &x.Position, &due, &x.Attempts, &since, &tried, &x.Reason, &x.State); err != nil {
			return nil, fmt.Errorf("list sendings: %w", err)
		}
		x.Due, x.Since = time.UnixMicro(due).UTC(), time.UnixMicro(since).UTC()
		if tried > 0 {
			x.Tried = time.UnixMicro(tried).UTC()
		}
		list = append(list, x)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list sendings: %w", err)
	}
	return list, nil
}

// sent forgets a sending.
func (s *Store) sent(ctx context.Context, x Sending) error {
	_, err := s.writer.ExecContext(ctx, `DELETE FROM sending WHERE lane = $1 AND id = $2`, x.Lane, x.ID.String())
	return err
}

// keepSending keeps what became of a sending, unless somebody decided otherwise since it
// was read: then it is due at another time.
func (s *Store) keepSending(ctx context.Context, was, x Sending) error {
	tried := int64(0)
	if !x.Tried.IsZero() {
		tried = x.Tried.UnixMicro()
	}
	_, err := s.writer.ExecContext(ctx, `UPDATE sending SET due = $1, attempts = $2, tried = $3, reason = $4, state = $5
		WHERE lane = $6 AND id = $7 AND state = 'waiting' AND due = $8`,
		x.Due.UnixMicro(), x.Attempts, tried, x.Reason, string(x.State), x.Lane, x.ID.String(), was.Due.UnixMicro())
	return err
}

// RetrySending has what was given up of a lane, or one sending of it, sent again from the
// beginning, and what waits at once; a lane that was disabled goes on. It tells how many;
// [domain.ErrNotFound] for an id that is not there.
func (s *Store) RetrySending(ctx context.Context, lane string, id uuid.UUID) (n int, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		one := ""
		if id != uuid.Nil {
			one = id.String()
		}
		done, err := tx.ExecContext(ctx, `UPDATE sending SET state = 'waiting', attempts = 0, due = $1 WHERE lane = $2 AND (id = $3 OR $3 = '')`, s.now().UnixMicro(), lane, one)
		if err != nil {
			return err
		}
		changed, err := done.RowsAffected()
		if n = int(changed); err == nil && n == 0 && one != "" {
			err = domain.ErrNotFound
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE lane SET state = '', failing = 0, reason = '' WHERE name = $1`, lane)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("retry %s: %w", lane, err)
	}
	return n, nil
}

// Drop leaves out for good what was given up. It returns [domain.ErrNotFound] for what
// was not.
func (s *Store) Drop(ctx context.Context, lane string, id uuid.UUID) error {
	done, err := s.writer.ExecContext(ctx, `DELETE FROM sending WHERE lane = $1 AND id = $2 AND state = 'failed'`, lane, id.String())
	if err == nil {
		var n int64
		if n, err = done.RowsAffected(); err == nil && n == 0 {
			err = domain.ErrNotFound
		}
	}
	if err != nil {
		return fmt.Errorf("leave out %s of %s: %w", id, lane, err)
	}
	return nil
}

// LaneState is how a lane is.
type LaneState struct {
	Name     string    `json:"name"`
	Disabled bool      `json:"disabled,omitempty"` // nothing is sent until somebody says so
	Failing  time.Time `json:"failing,omitzero"`   // since when every attempt failed
	Reason   string    `json:"reason,omitempty"`   // of the last that failed
	Waiting  int       `json:"waiting"`
	Failed   int       `json:"failed"` // given up
}

// LaneStates lists the lanes by their names.
func (s *Store) LaneStates(ctx context.Context) ([]LaneState, error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT name, state, failing, reason,
		(SELECT COUNT(*) FROM sending WHERE lane = name AND sending.state = 'waiting'), (SELECT COUNT(*) FROM sending WHERE lane = name AND sending.state = 'failed')
		FROM lane ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("list lanes: %w", err)
	}
	defer rows.Close()
	list := []LaneState{}
	for rows.Next() {
		var l LaneState
		var state string
		var failing int64
		if err := rows.Scan(&l.Name, &state, &failing, &l.Reason, &l.Waiting, &l.Failed); err != nil {
			return nil, fmt.Errorf("list lanes: %w", err)
		}
		if l.Disabled = state == disabled; failing > 0 {
			l.Failing = time.UnixMicro(failing).UTC()
		}
		list = append(list, l)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list lanes: %w", err)
	}
	return list, nil
}

const disabled = "disabled"

var errDisabled = fmt.Errorf("the lane is disabled: %w", domain.ErrUnavailable)

// Disabled is a [*Fault] while nothing is sent in a lane until somebody says so: since
// when, why, and what has it go on. Elsewhere it is nil, or an error of the store.
func (s *Store) Disabled(ctx context.Context, lane string) error {
	var state, reason string
	var failing int64
	err := s.reader.QueryRowContext(ctx, `SELECT state, failing, reason FROM lane WHERE name = $1`, lane).Scan(&state, &failing, &reason)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && state != disabled:
		return nil
	case err != nil:
		return err
	}
	text := fmt.Sprintf("%s is disabled, since nothing but failures came from it from %s on, the last: %s; alur reactor retry %[1]s has it go on",
		lane, time.UnixMicro(failing).UTC().Format(time.RFC3339), reason)
	return &Fault{Text: text, Err: errDisabled}
}

// openLane makes a lane known.
func (s *Store) openLane(ctx context.Context, lane string) error {
	_, err := s.writer.ExecContext(ctx, `INSERT INTO lane (name, state, failing, reason) VALUES ($1, '', 0, '') ON CONFLICT DO NOTHING`, lane)
	return err
}

// took says that the other system took something.
func (s *Store) took(ctx context.Context, lane string) error {
	_, err := s.writer.ExecContext(ctx, `UPDATE lane SET failing = 0, reason = '' WHERE name = $1 AND (failing > 0 OR reason <> '')`, lane)
	return err
}

// failing says that it did not, and disables the lane when that went on for long enough
// (0 is never) or is to be the end.
func (s *Store) failing(ctx context.Context, lane, reason string, at time.Time, most time.Duration, end bool) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		var since int64
		if err := tx.QueryRowContext(ctx, `UPDATE lane SET reason = $1, failing = CASE WHEN failing = 0 THEN $2 ELSE failing END WHERE name = $3 RETURNING failing`,
			reason, at.UnixMicro(), lane).Scan(&since); err != nil {
			return err
		}
		if !end && (most == 0 || at.Sub(time.UnixMicro(since)) < most) {
			return nil
		}
		_, err := tx.ExecContext(ctx, `UPDATE lane SET state = $1 WHERE name = $2`, disabled, lane)
		return err
	})
}
