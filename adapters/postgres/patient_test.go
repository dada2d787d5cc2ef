package postgres

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

func TestPatience(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	p := &patient{Conn: here, silence: 20 * time.Millisecond}
	b := make([]byte, 1)
	late := func(when string) {
		t.Helper()
		if _, err := p.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v", when, err)
		}
	}
	late("silence")
	go func() { _, _ = there.Write([]byte("x")) }()
	p.silence = time.Minute
	if _, err := p.Read(b); err != nil {
		t.Errorf("after a silence: %v", err)
	}
	// A deadline that has passed is not put off.
	if err := p.SetDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	late("cancelled")
	if err := p.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	p.silence = 20 * time.Millisecond
	late("silence again")
}
