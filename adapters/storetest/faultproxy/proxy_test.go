package faultproxy_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/alur-id/alur/adapters/storetest/faultproxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a server that says what it hears.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-ended
	})
	return listener.Addr().String()
}

func dial(t *testing.T, p *faultproxy.Proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func say(t *testing.T, conn net.Conn, word string) {
	t.Helper()
	if _, err := io.WriteString(conn, word); err != nil {
		t.Fatal(err)
	}
}

// hear reads as much as a word has.
func hear(conn net.Conn, word string, patience time.Duration) (string, error) {
	b := make([]byte, len(word))
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	n, err := io.ReadFull(conn, b)
	return string(b[:n]), err
}

func wantEcho(t *testing.T, conn net.Conn, word string) {
	t.Helper()
	if got, err := hear(conn, word, time.Minute); err != nil || got != word {
		t.Fatalf("heard %q, %v; want %q", got, err, word)
	}
}

func wantSilence(t *testing.T, conn net.Conn) {
	t.Helper()
	if got, err := hear(conn, "x", 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("heard %q, %v; want silence", got, err)
	}
}

// wantEnd wants a new connection to end at once: the dialler may see that already.
func wantEnd(t *testing.T, p *faultproxy.Proxy) {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		return
	}
	defer conn.Close()
	if got, err := hear(conn, "x", time.Minute); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("heard %q, %v on a connection that should have ended", got, err)
	}
}

func TestForwards(t *testing.T) {
	conn := dial(t, faultproxy.Start(t, "tcp", echo(t)))
	say(t, conn, "hello")
	wantEcho(t, conn, "hello")
}

func TestDropCuts(t *testing.T) {
	p := faultproxy.Start(t, "tcp", echo(t))
	conn := dial(t, p)
	say(t, conn, "hello")
	wantEcho(t, conn, "hello")
	p.Drop()
	if got, err := hear(conn, "x", time.Minute); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("heard %q, %v on a connection that was cut", got, err)
	}
	again := dial(t, p)
	say(t, again, "hello")
	wantEcho(t, again, "hello")
}

func TestFreezeIsSilent(t *testing.T) {
	p := faultproxy.Start(t, "tcp", echo(t))
	before := dial(t, p)
	say(t, before, "one")
	wantEcho(t, before, "one")
	p.Freeze(true)
	during := dial(t, p)
	for _, conn := range []net.Conn{before, during} {
		say(t, conn, "two")
		wantSilence(t, conn)
	}
	p.Freeze(false)
	wantEcho(t, before, "two")
	wantEcho(t, during, "two")
	p.Freeze(true)
	p.Drop()
	if _, err := hear(before, "x", time.Minute); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%v on a connection that was cut while frozen", err)
	}
}

func TestStallIsForThoseThatAreOpen(t *testing.T) {
	p := faultproxy.Start(t, "tcp", echo(t))
	before := dial(t, p)
	say(t, before, "one")
	wantEcho(t, before, "one")
	p.Stall()
	say(t, before, "two")
	wantSilence(t, before)
	after := dial(t, p)
	say(t, after, "two")
	wantEcho(t, after, "two")
	wantSilence(t, before)
}

func TestRefuse(t *testing.T) {
	p := faultproxy.Start(t, "tcp", echo(t))
	open := dial(t, p)
	say(t, open, "hello")
	wantEcho(t, open, "hello")
	p.Refuse(true)
	wantEnd(t, p)
	say(t, open, "still here")
	wantEcho(t, open, "still here")
	p.Refuse(false)
	again := dial(t, p)
	say(t, again, "hello")
	wantEcho(t, again, "hello")
}

func TestTargetThatIsNotThere(t *testing.T) {
	p := faultproxy.Start(t, "unix", "/nowhere/at/all")
	wantEnd(t, p)
}
