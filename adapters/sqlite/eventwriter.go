package sqlite

import (
	"fmt"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"

	"github.com/alur-id/alur/domain"
)

// eventWriter records events. Because nobody else writes to the file, it knows
// the head, and remembers the versions of the streams it met lately.
type eventWriter struct {
	*writer
	head            domain.Position
	headKnown       bool
	versions        recent
	insert, version *sqlite.Stmt
	recorded        *sqlite.Stmt
}

func newEventWriter(path string, conn *sqlite.Conn) (*eventWriter, error) {
	w, err := newWriter(path, conn)
	if err != nil {
		return nil, err
	}
	e := &eventWriter{writer: w}
	for text, to := range map[string]**sqlite.Stmt{
		`INSERT INTO event (` + columns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`:                                 &e.insert,
		`SELECT coalesce(max(version), 0) FROM event WHERE stream = +?`:                                       &e.version,
		`SELECT position, version, id FROM event WHERE stream = +? AND version > +? ORDER BY version LIMIT ?`: &e.recorded,
	} {
		if *to, err = conn.Prepare(text); err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
	}
	if err := e.findHead(); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return e, nil
}

// forget drops what was remembered: the transaction that it came from is undone.
func (w *eventWriter) forget() { w.versions, w.headKnown = recent{}, false }

func (w *eventWriter) findHead() error {
	if w.headKnown {
		return nil
	}
	head, err := number(w.conn, `SELECT coalesce(max(position), 0) FROM event`)
	w.head, w.headKnown = domain.Position(head), err == nil
	return err
}

// record writes the appends of one caller inside a transaction. An error is the
// end of the whole transaction.
func (w *eventWriter) record(work *appends) error {
	if err := w.findHead(); err != nil {
		return err
	}
	for i, a := range work.appends {
		actual, err := w.versionOf(a.Stream)
		if err != nil {
			return err
		}
		if actual != a.Expected {
			if work.answers[i], work.errs[i], err = w.repeated(a, actual); err != nil {
				return err
			}
			continue
		}
		for _, e := range a.Entries {
			if err := w.add(e); err != nil {
				return err
			}
		}
		last := a.Expected + domain.Version(len(a.Entries))
		w.versions.put(a.Stream, last)
		work.answers[i] = domain.Appended{Version: last, Position: w.head}
	}
	return nil
}

func (w *eventWriter) add(e domain.Entry) error {
	w.head++
	s := w.insert
	s.BindInt64(1, int64(w.head))
	s.BindText(2, e.Stream)
	s.BindInt64(3, int64(e.Version))
	s.BindBytes(4, e.ID[:])
	s.BindText(5, e.Type)
	s.BindInt64(6, int64(e.Schema))
	s.BindBytes(7, e.Meta)
	s.BindBytes(8, e.Data)
	w.wrote(1, e.Size())
	return run(s)
}

func (w *eventWriter) versionOf(stream string) (domain.Version, error) {
	if v, ok := w.versions.get(stream); ok {
		return v, nil
	}
	w.version.BindText(1, stream)
	if _, err := w.version.Step(); err != nil {
		return 0, err
	}
	v := domain.Version(w.version.ColumnInt64(0))
	w.versions.put(stream, v)
	return v, w.version.Reset()
}

// repeated is the first answer when the very events stand where the append wants
// them, and a conflict otherwise.
func (w *eventWriter) repeated(a domain.Append, actual domain.Version) (domain.Appended, error, error) {
	conflict := &domain.ConflictError{Stream: a.Stream, Expected: a.Expected, Actual: actual}
	s := w.recorded
	defer func() { _ = s.Reset() }() // it repeats the error of Step
	s.BindText(1, a.Stream)
	s.BindInt64(2, int64(a.Expected))
	s.BindInt64(3, int64(len(a.Entries)))
	answer := domain.Appended{Repeated: true}
	for _, e := range a.Entries {
		ok, err := s.Step()
		if err != nil {
			return domain.Appended{}, nil, err
		}
		var id uuid.UUID
		if ok {
			s.ColumnBytes(2, id[:])
		}
		if !ok || id != e.ID {
			return domain.Appended{}, conflict, nil
		}
		answer.Position, answer.Version = domain.Position(s.ColumnInt64(0)), domain.Version(s.ColumnInt64(1))
	}
	return answer, nil, nil
}
