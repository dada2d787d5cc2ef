package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"
)

// Bare is rows in a table like a log's, written by the same connection, queue and
// group commit, without what makes a log of them: nothing is compared, remembered
// or answered. It is what a log is measured against.
type Bare struct {
	queue  *queue[bareRow]
	writer *writer
	insert *sqlite.Stmt
}

type bareRow struct {
	stream string
	data   []byte
}

func (bareRow) weight() int { return 1 }

// OpenBare makes a new file.
func OpenBare(ctx context.Context, path string) (*Bare, error) {
	k := kind{name: "a table of bare rows", id: 0x416c7562, version: 1, schema: `
CREATE TABLE bare (
	position INTEGER PRIMARY KEY,
	stream   TEXT    NOT NULL,
	version  INTEGER NOT NULL,
	data     BLOB    NOT NULL,
	UNIQUE (stream, version)
) STRICT;
`}
	conn, err := openWriter(ctx, path, k, "cache_size = -16384")
	if err != nil {
		return nil, err
	}
	b := &Bare{}
	if b.writer, err = newWriter(path, conn); err == nil {
		b.insert, err = conn.Prepare(`INSERT INTO bare (stream, version, data) VALUES (?, 1, ?)`)
	}
	if err != nil {
		return nil, closeAfter(fmt.Errorf("open %s: %w", path, err), conn)
	}
	b.queue = newQueue(b.commit, b.writer.checkpoint)
	return b, nil
}

// Append adds a row of a stream that has none. It is durable when Append returns
// nil.
func (b *Bare) Append(ctx context.Context, stream string, data []byte) error {
	return b.queue.do(ctx, bareRow{stream, data})
}

func (b *Bare) commit(group []*job[bareRow]) error {
	return b.writer.transact(func() error {
		for _, j := range group {
			b.insert.BindText(1, j.work.stream)
			b.insert.BindBytes(2, j.work.data)
			b.writer.wrote(1, len(j.work.data))
			if err := run(b.insert); err != nil {
				return err
			}
		}
		return nil
	})
}

// Close waits for what is under way and closes the file.
func (b *Bare) Close() error {
	b.queue.close()
	return b.writer.conn.Close()
}
