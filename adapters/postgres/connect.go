package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
)

// Each connection is told how long to wait and how to plan, whatever the defaults
// of the server, the database and the role are.
var (
	session = map[string]string{
		"client_encoding":                     "UTF8",
		"timezone":                            "UTC",
		"default_transaction_isolation":       "read committed",
		"lock_timeout":                        "30s",
		"statement_timeout":                   "60s",
		"idle_in_transaction_session_timeout": "60s",
		// The server, too, must notice that nobody is there any more: a backend
		// that waits for the rest of a message may hold locks.
		"tcp_keepalives_idle":     "5",
		"tcp_keepalives_interval": "2",
		"tcp_keepalives_count":    "3",
	}
	// Statements of the log have one good plan, by an index. A plan that is made
	// and kept while the table is small must not be another.
	planning = map[string]string{
		"plan_cache_mode": "force_generic_plan", "jit": "off", "max_parallel_workers_per_gather": "0",
		"enable_seqscan": "off", "enable_bitmapscan": "off",
	}
)

// purpose is what connections are for.
type purpose int

const (
	forWriting purpose = iota // on the server that takes writes, also what is read there
	forReading                // on any server, and unable to write
	forScratch                // on the server that takes writes, and nothing needs to be kept
)

// configured reads a connection string, a URL or key=value pairs as libpq takes
// them, environment included, and says how long to wait for the server.
func configured(dsn string, p purpose, settings ...map[string]string) (*pgx.ConnConfig, time.Duration, error) {
	config, wait, err := parse(dsn)
	if err != nil {
		return nil, 0, err
	}
	for _, s := range append([]map[string]string{session}, settings...) {
		maps.Copy(config.RuntimeParams, s)
	}
	if _, ok := config.RuntimeParams["application_name"]; !ok {
		config.RuntimeParams["application_name"] = "alur"
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = firstPatience
	}
	switch p {
	case forReading:
		config.AfterConnect = heard
		config.RuntimeParams["default_transaction_read_only"] = "on"
	case forWriting, forScratch:
		config.AfterConnect = makeDurable
		if p == forScratch {
			config.AfterConnect = heard
		}
		if config.ValidateConnect == nil {
			config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
		}
	}
	return config, wait, nil
}

// parse reads a connection string, and says what is wrong with one that cannot be
// read without telling it: a password is only known for one where the rest is right.
func parse(dsn string) (*pgx.ConnConfig, time.Duration, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		why := err.Error()
		why = why[strings.LastIndex(why, "`")+1:] // which ends the string
		return nil, 0, errors.New("cannot read the connection string" + why)
	}
	wait, err := takeOpenTimeout(config)
	if err != nil {
		return nil, 0, err
	}
	return config, wait, nil
}

// guard makes a connection end when its context does: at once, and leaving
// nothing behind. By itself the library would go on for seconds in the background
// and ask the server to cancel what runs, with which a commit that waits for a
// standby ends as if the standby had it. The configuration is of one connection.
func guard(config *pgconn.Config) {
	var up atomic.Bool
	dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}}
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if up.Load() {
			return nil, errors.New("nothing is cancelled") // the only reason to dial again
		}
		return dialer.DialContext(ctx, network, address)
	}
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler { return hangUp{c, &up} }
	then := config.AfterConnect
	config.AfterConnect = func(ctx context.Context, c *pgconn.PgConn) error {
		up.Store(true)
		if then == nil {
			return nil
		}
		return then(ctx, c)
	}
}

// hangUp closes a connection whose context ends.
type hangUp struct {
	*pgconn.PgConn
	up *atomic.Bool
}

func (h hangUp) HandleCancel(context.Context) { _ = h.Conn().Close() }

// HandleUnwatchAfterCancel says so to whoever has the connection: the context may have
// ended just after the answer came, and a pool would hand it on.
func (h hangUp) HandleUnwatchAfterCancel() {
	if h.up.Load() {
		_ = h.Close(context.Background()) // closed it is already
	}
}

// conn is a connection and the statements that are prepared on it.
type conn struct {
	*pgconn.PgConn
	prepared map[string]bool
}

func connect(ctx context.Context, config *pgx.ConnConfig) (*conn, error) {
	own := config.Config.Copy()
	guard(own)
	c, err := pgconn.ConnectConfig(ctx, own)
	if err != nil {
		return nil, err
	}
	return &conn{PgConn: c, prepared: map[string]bool{}}, nil
}

// statement is one that is prepared when a connection first runs it. The server
// tells names apart by their first 63 bytes.
type statement struct{ name, text string }

// run starts a statement whose parameters and results are binary. The result must
// be closed.
func (c *conn) run(ctx context.Context, s statement, parameters ...[]byte) (*pgconn.ResultReader, error) {
	if err := c.prepare(ctx, s); err != nil {
		return nil, err
	}
	return c.ExecPrepared(ctx, s.name, parameters, binaryFormat, binaryFormat), nil
}

// binaryFormat is of all parameters or columns.
var binaryFormat = []int16{1}

func (c *conn) prepare(ctx context.Context, s statement) error {
	if c.prepared[s.name] {
		return nil
	}
	if _, err := c.Prepare(ctx, s.name, s.text, nil); err != nil {
		return err
	}
	c.prepared[s.name] = true
	return nil
}

// texts runs statements without parameters and returns the one row of the last.
func texts(ctx context.Context, c *pgconn.PgConn, statements string) ([]string, error) {
	results, err := c.Exec(ctx, statements).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(results) == 0 || len(results[len(results)-1].Rows) != 1 {
		return nil, fmt.Errorf("%w: not one row of %s", errDamaged, statements)
	}
	columns := results[len(results)-1].Rows[0]
	row := make([]string, len(columns))
	for i, column := range columns {
		row[i] = string(column)
	}
	return row, nil
}

// part ends a connection as the protocol has it.
func (c *conn) part() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.Close(ctx) // the server notices anyhow
}

// drop ends a connection of which nothing good is to be expected.
func (c *conn) drop() {
	_ = c.Conn().Close()
	c.part()
}
