// Package pgserver runs a throw-away PostgreSQL server for tests: a real one, with
// fsync on, reached by a Unix socket that only this user can open.
//
// There is one server a test process, started when a test first asks for it, and
// one empty database a test. The server ends with the process, however that
// ends: a small shell watches a pipe that the kernel closes then, stops the
// server and removes its files.
//
// Restart and Kill are felt by every database of the server: tests that use them
// must not run beside others of the same package.
package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// superuser is who the tests connect as. The socket's directory is what keeps
// others out, so there is no password.
const superuser = "alur"

// Server is a running PostgreSQL server.
type Server struct {
	dir   string // the socket's directory, and what is removed at the end
	tools tools
	watch io.Closer // held open for as long as the process lives
	count atomic.Int64
}

var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Start returns the server of this test process. Where PostgreSQL is not
// installed the test is skipped, or fails if the environment has CI set.
func Start(t testing.TB) *Server {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.err = start(context.Background()) })
	if errors.Is(shared.err, errNotInstalled) && os.Getenv("CI") == "" {
		t.Skip("SKIPPED: POSTGRESQL IS NOT INSTALLED. INSTALL ITS SERVER (debian: apt install postgresql; macOS: brew install postgresql) OR PUT initdb AND pg_ctl ON THE PATH")
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// settings make the server small. What makes it durable stays as it is shipped.
const settings = `
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 64MB
max_wal_size = 1GB
log_min_messages = warning
timezone = 'UTC'
`

func start(ctx context.Context) (*Server, error) {
	found, err := findTools()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(shortTempDir(), "alurpg")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, tools: found}
	if err := s.create(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("make a PostgreSQL server: %w", err), os.RemoveAll(dir))
	}
	return s, nil
}

func (s *Server) create(ctx context.Context) error {
	if err := s.tools.give(s.dir); err != nil {
		return err
	}
	if err := s.supervise(); err != nil {
		return err
	}
	if err := s.run(ctx, "initdb", "-D", s.data(), "-U", superuser, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"); err != nil {
		return err
	}
	conf, err := os.OpenFile(filepath.Join(s.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(conf, "%sunix_socket_directories = '%s'\n", settings, s.dir)
	if err := errors.Join(err, conf.Close()); err != nil {
		return err
	}
	return s.up(ctx)
}

// shortTempDir is a temporary directory in whose subdirectories a socket fits: its
// path may be about 100 bytes long.
func shortTempDir() string {
	if dir := os.TempDir(); len(dir) < 60 {
		return dir
	}
	return "/tmp"
}

// supervise starts the shell that cleans up after this process.
func (s *Server) supervise() error {
	const script = `cat >/dev/null; d=$1; p=$(head -n 1 "$d/data/postmaster.pid" 2>/dev/null)
[ -n "$p" ] && kill -QUIT "$p" 2>/dev/null
i=0; while [ -n "$p" ] && kill -0 "$p" 2>/dev/null && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done
rm -rf "$d"`
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd := exec.Command("/bin/sh", "-c", script, "sh", s.dir)
	cmd.Stdin = r
	detach(cmd) // a terminal's interrupt is for the tests, not for who cleans up
	if err := cmd.Start(); err != nil {
		return errors.Join(err, r.Close(), w.Close())
	}
	s.watch = w
	return errors.Join(r.Close(), cmd.Process.Release())
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// run runs one of PostgreSQL's programs as the server's user.
func (s *Server) run(ctx context.Context, program string, args ...string) error {
	out, err := os.CreateTemp(s.dir, program)
	if err != nil {
		return err
	}
	defer out.Close()
	// Not a pipe: the server inherits it and would keep it open for ever.
	cmd := exec.CommandContext(ctx, filepath.Join(s.tools.bin, program), args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = out, out, s.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	s.tools.as(cmd)
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		log, _ := os.ReadFile(s.log())
		return fmt.Errorf("%s: %w\n%s\n%s", program, err, said, tail(log))
	}
	return nil
}

func (s *Server) log() string { return filepath.Join(s.dir, "log") }

func tail(log []byte) string {
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

func (s *Server) up(ctx context.Context) error {
	return s.run(ctx, "pg_ctl", "-D", s.data(), "-l", s.log(), "-w", "-t", "60", "start")
}

// Restart stops the server as an operator does, cutting its connections, and
// starts it again.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	s.Resume(t)
}

// Stop stops the server as an operator does, cutting its connections.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.run(context.Background(), "pg_ctl", "-D", s.data(), "-m", "fast", "-w", "-t", "60", "stop"); err != nil {
		t.Fatal(err)
	}
}

// Resume starts the server again after Stop or Kill, and recovers if need be.
func (s *Server) Resume(t testing.TB) {
	t.Helper()
	if err := s.up(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// Kill kills the server and all its children at one stroke, as the end of the
// machine would but for what is in the page cache. Resume starts it again.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := s.kill(); err != nil {
		t.Fatal(err)
	}
}

// NewDatabase makes an empty database, which is dropped when the test ends, and
// returns its connection string.
func (s *Server) NewDatabase(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", s.count.Add(1))
	s.admin(t, `CREATE DATABASE `+name+` TEMPLATE template0 ENCODING 'UTF8'`)
	t.Cleanup(func() { s.admin(t, `DROP DATABASE `+name+` WITH (FORCE)`) })
	return s.DSN(name)
}

// DSN is the connection string of a database.
func (s *Server) DSN(database string) string {
	return "postgres:///" + database + "?" + url.Values{"host": {s.dir}, "user": {superuser}}.Encode()
}

// Socket is the path of the server's Unix socket, for a proxy in front of it.
func (s *Server) Socket() string { return filepath.Join(s.dir, ".s.PGSQL.5432") }

// Data is the server's data directory.
func (s *Server) Data() string { return s.data() }

// Proxied is a connection string of the same database by another address, that
// of a proxy.
func Proxied(t testing.TB, dsn, address string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = address
	u.RawQuery = url.Values{"user": {superuser}, "sslmode": {"disable"}}.Encode()
	return u.String()
}

func (s *Server) admin(t testing.TB, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
