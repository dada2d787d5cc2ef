package eventstoredb

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

// TestStrangersAreSkipped: the server's own events and those of other programs
// are in no sequence, are no head, and wake nobody.
func TestStrangersAreSkipped(t *testing.T) {
	s := serve(t)
	write := func() {
		for range 40 { // more than Head looks at first
			s.Write("$stats", "$statsCollected", "", "{}")
			s.Write("orders-1", "OrderPlaced", `{"trace":1}`, "{}")
			s.Write("orders-1", "OrderPaid", "", "{}")
			s.Write("$ce-a", "$>", ofAlur, "0@a")
			s.Write("a-link", "$>", ofAlur, "0@a")
		}
	}
	write()
	l := opened(t, s.ConnectionString(), idle())
	if head, err := l.Head(limited(t)); head != 0 || err != nil {
		t.Errorf("head %d, %v; want none", head, err)
	}
	done := record(t, l, "a", 3)
	write()
	for _, l := range []*Log{l, opened(t, s.ConnectionString(), idle())} {
		wantEntries(t, l, 3)
		if head, err := l.Head(limited(t)); head != done.Position || err != nil {
			t.Errorf("head %d, %v; want %d", head, err, done.Position)
		}
		if err := l.Wait(soon(t), done.Position); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait: got %v", err)
		}
	}
}

// TestPagesOfStrangers: a page without anything of Alur's is not the end.
func TestPagesOfStrangers(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	first := record(t, l, "a", 1)
	for range 2*pageEvents + 7 {
		s.Write("orders-1", "OrderPlaced", "", "{}")
	}
	other := opened(t, s.ConnectionString(), idle())
	if head, err := other.Head(limited(t)); head != first.Position || err != nil {
		t.Errorf("head %d, %v; want %d", head, err, first.Position)
	}
	record(t, l, "b", 1)
	wantEntries(t, l, 2)
}

func TestStrangerInAStream(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	record(t, l, "a", 2)
	s.Write("a", "Done", "", "{}")
	read := 0
	var last error
	for _, err := range l.ReadStream(limited(t), "a", 0) {
		if last = err; err == nil {
			read++
		}
	}
	if read != 2 || last == nil || !strings.Contains(last.Error(), "not written by Alur") {
		t.Errorf("%d events, then %v", read, last)
	}
	var conflict *domain.ConflictError
	if _, err := l.Append(limited(t), storetest.New(t, "a", 2, 1)); !errors.As(err, &conflict) || conflict.Actual != 3 {
		t.Errorf("append: %v", err)
	}
}

// TestDamagedEvent: a damaged event is found by whoever reads, and does not keep
// the log from being opened.
func TestDamagedEvent(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString(), idle())
	done := record(t, l, "a", 1)
	for _, damaged := range []string{frameHead + `x,"meta":{}}`, frameHead + `1,"meta":{}`, frameHead + `1}`} {
		s.Write("b-"+damaged, "Done", damaged, "{}")
	}
	if err := l.Wait(limited(t), done.Position); err != nil {
		t.Error(err)
	}
	again := opened(t, s.ConnectionString(), idle())
	if head, err := again.Head(limited(t)); head <= done.Position || err != nil {
		t.Errorf("head %d, %v", head, err)
	}
	read := 0
	var last error
	for _, err := range again.ReadAll(limited(t), 0) {
		if last = err; err == nil {
			read++
		}
	}
	if read != 1 || last == nil || !strings.Contains(last.Error(), "damaged") {
		t.Errorf("%d events, then %v", read, last)
	}
}

func TestNamesOfTheServer(t *testing.T) {
	l := opened(t, serve(t).ConnectionString(), idle())
	own := storetest.New(t, "a", 0, 1)
	own.Entries[0].Type = "$metadata"
	nameless := storetest.New(t, "a", 0, 1)
	nameless.Entries[0].ID = [16]byte{}
	for _, a := range []domain.Append{storetest.New(t, "$a", 0, 1), own, nameless} {
		if _, err := l.Append(limited(t), a); err == nil {
			t.Errorf("appended: %+v", a.Entries[0])
		}
	}
	wantEntries(t, l, 0)
}
