package sqlite

import (
	"context"
	"fmt"
	"iter"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/alur-id/alur/domain"
)

// format1 is a log as the first Alur wrote it: its events carried no hash, and
// when they were recorded stood beside them.
var format1 = kind{name: logKind.name, id: logKind.id, version: 1}

// ReadFormat1 yields the events of a log that the first Alur wrote, in the order
// of their positions, as [domain.EventLog] yields events. The file is not changed.
func ReadFormat1(ctx context.Context, path string) iter.Seq2[domain.Recorded, error] {
	return func(yield func(domain.Recorded, error) bool) {
		real, readers, err := openReadOnly(ctx, path, format1)
		if err != nil {
			yield(domain.Recorded{}, err)
			return
		}
		defer readers.close()
		after := int64(0)
		for page := []domain.Recorded{{}}; len(page) > 0; {
			err := readers.use(ctx, func(conn *sqlite.Conn) (err error) {
				page, err = format1Page(conn, after)
				return err
			})
			for _, r := range page {
				if after = int64(r.Position); !yield(r, nil) {
					return
				}
			}
			if err != nil {
				yield(domain.Recorded{}, fmt.Errorf("read %s: %w", real, err))
				return
			}
		}
	}
}

func format1Page(conn *sqlite.Conn, after int64) ([]domain.Recorded, error) {
	stmt, err := conn.Prepare(`SELECT position, stream, version, id, type, schema, envelope, body, recorded FROM event WHERE position > ? ORDER BY position LIMIT ?`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stmt.Reset() }() // it repeats the error of Step
	stmt.BindInt64(1, after)
	stmt.BindInt64(2, pageEvents)
	var list []domain.Recorded
	p := page{types: map[string]string{}}
	for {
		ok, err := stmt.Step()
		if err != nil || !ok {
			return list, err
		}
		e, err := p.entry(stmt)
		if err != nil {
			return list, err
		}
		r, err := domain.Decode(e)
		if err != nil {
			return list, err
		}
		r.At = time.UnixMicro(stmt.ColumnInt64(8)).UTC()
		list = append(list, r)
	}
}
