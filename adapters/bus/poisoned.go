package bus

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Poisoned is a message that a consumer could not handle. It is kept until it was
// handled after all.
type Poisoned struct {
	Consumer string          `json:"consumer"`
	Event    uuid.UUID       `json:"event"`
	Stream   string          `json:"stream"`
	Type     string          `json:"type"`
	Position domain.Position `json:"position"`
	Reason   string          `json:"reason"`   // without personal data: see [Reason]
	Attempts int             `json:"attempts"` // that failed
	Since    time.Time       `json:"since"`    // when it was given up first
	Tried    time.Time       `json:"tried"`    // when last
	State    PoisonState     `json:"state"`
}

// PoisonState is what becomes of a poisoned message.
type PoisonState string

// A poisoned message waits for somebody to look, is to be tried again, or is left out
// for good: it stays listed, and a group that keeps order goes on behind it.
const (
	PoisonWaiting PoisonState = "waiting"
	PoisonAgain   PoisonState = "again"
	PoisonSkipped PoisonState = "skipped"
)

const poisonColumns = `consumer, event, stream, type, position, reason, attempts, since, tried, state`

// Poisoned lists the messages that a consumer could not handle, or all could not if it
// is empty, in the order of the log.
func (s *Store) Poisoned(ctx context.Context, consumer string) ([]Poisoned, error) {
	return s.poisoned(ctx, `SELECT `+poisonColumns+` FROM poison WHERE consumer = $1 OR $1 = '' ORDER BY consumer, position`, consumer)
}

// due is what of a consumer's poisoned messages its next step depends on: those to try
// again, and those ahead of its checkpoint, where a group that keeps order has stopped.
func (s *Store) due(ctx context.Context, consumer string, at domain.Position) ([]Poisoned, error) {
	return s.poisoned(ctx, `SELECT `+poisonColumns+` FROM poison WHERE consumer = $1 AND (state = 'again' OR position > $2) ORDER BY position`, consumer, at)
}

func (s *Store) poisoned(ctx context.Context, query string, args ...any) ([]Poisoned, error) {
	rows, err := s.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list poisoned messages: %w", err)
	}
	defer rows.Close()
	list := []Poisoned{}
	for rows.Next() {
		var p Poisoned
		var since, tried int64
		if err := rows.Scan(&p.Consumer, &p.Event, &p.Stream, &p.Type, &p.Position, &p.Reason, &p.Attempts, &since, &tried, &p.State); err != nil {
			return nil, fmt.Errorf("list poisoned messages: %w", err)
		}
		p.Since, p.Tried = time.UnixMicro(since).UTC(), time.UnixMicro(tried).UTC()
		list = append(list, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list poisoned messages: %w", err)
	}
	return list, nil
}

// Retry has a poisoned message handled again, soon, by whoever does the consumer's
// work. It returns [domain.ErrNotFound] when there is no such message.
func (s *Store) Retry(ctx context.Context, consumer string, event uuid.UUID) error {
	return s.decide(ctx, consumer, event, PoisonAgain)
}

// Skip leaves a poisoned message out for good. It returns [domain.ErrNotFound] when
// there is no such message.
func (s *Store) Skip(ctx context.Context, consumer string, event uuid.UUID) error {
	return s.decide(ctx, consumer, event, PoisonSkipped)
}

func (s *Store) decide(ctx context.Context, consumer string, event uuid.UUID, state PoisonState) error {
	done, err := s.writer.ExecContext(ctx, `UPDATE poison SET state = $1 WHERE consumer = $2 AND event = $3`, string(state), consumer, event.String())
	if err != nil {
		return fmt.Errorf("poisoned message %s: %w", event, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return fmt.Errorf("poisoned message %s of %s: %w", event, consumer, firstOf(err, domain.ErrNotFound))
	}
	return nil
}

func firstOf(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// poison keeps a message that could not be handled, in one transaction with the
// checkpoint of the consumer, which passes it unless the group is to stop.
func (s *Store) poison(ctx context.Context, d *delivery, reason string, stop bool) error {
	now := s.now().UnixMicro()
	return s.tx(ctx, func(tx *sql.Tx) error {
		e := d.entry
		_, err := tx.ExecContext(ctx, `INSERT INTO poison (consumer, position, event, stream, type, reason, attempts, since, tried, state)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting')
			ON CONFLICT (consumer, position) DO UPDATE SET event = excluded.event, reason = excluded.reason,
			attempts = poison.attempts + excluded.attempts, tried = excluded.tried, state = 'waiting'`,
			d.name, e.Position, e.ID.String(), e.Stream, e.Type, reason, d.attempts, now, now)
		if err != nil {
			return err
		}
		return d.fence(ctx, tx, d.passes && !stop)
	})
}

// cure forgets a poisoned message that was handled.
func (s *Store) cure(ctx context.Context, consumer string, e domain.Entry) error {
	_, err := s.writer.ExecContext(ctx, `DELETE FROM poison WHERE consumer = $1 AND position = $2`, consumer, e.Position)
	return err
}

// forget forgets the poisoned messages behind a place: they come again.
func (s *Store) forget(ctx context.Context, consumer string, after domain.Position) error {
	_, err := s.writer.ExecContext(ctx, `DELETE FROM poison WHERE consumer = $1 AND position > $2`, consumer, after)
	return err
}
