package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/sqlite"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

// appendOnCommand opens a log for writing and says "ready". Its arguments are the
// path, the number of clients, and the events of an append. Each line of input
// has every client try that many appends to a stream of its own, 0 for no end,
// and is answered by "done" when the writer rests. It prints
//
//	ack <stream> <version> <id of the last event>
//	fail <kind> <text>
//
// An append that failed is what the client tries next, byte for byte. At the end
// of its input it closes the log.
func appendOnCommand(args []string, out io.Writer) error {
	log, err := sqlite.Open(context.Background(), args[0])
	if err != nil {
		return err
	}
	numbers, err := integers(args[1:])
	if err != nil {
		return err
	}
	clients := make([]*appender, numbers[0])
	for i := range clients {
		clients[i] = &appender{log: log, out: out, stream: fmt.Sprint("client-", i), events: numbers[1]}
		for e, err := range log.ReadStream(context.Background(), clients[i].stream, 0) {
			if err != nil {
				return err
			}
			clients[i].tip = e.Tip()
		}
	}
	fmt.Fprintln(out, "ready")
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		attempts, err := strconv.Atoi(commands.Text())
		if err != nil {
			return err
		}
		var wg sync.WaitGroup
		for _, c := range clients {
			wg.Go(func() {
				for n := 0; n < attempts || attempts == 0; n++ {
					c.attempt()
				}
			})
		}
		wg.Wait()
		rest(log)
		fmt.Fprintln(out, "done")
	}
	return log.Close()
}

// rest waits until the writer has nothing to do. It moves what it wrote on when its
// callers have their answers; a disk that was mended in the middle of that would
// be one that nobody has. What is asked of it here writes nothing: the stream does
// not exist.
func rest(log domain.EventLog) {
	a, _, err := domain.Enter("rest", domain.Tip{Version: 7}, storetest.Epoch, storetest.Events(1))
	if err != nil {
		panic(err)
	}
	_, _ = log.Append(context.Background(), a) // a conflict, or that the log has stopped
}

func integers(args []string) ([]int, error) {
	numbers := make([]int, len(args))
	for i, a := range args {
		var err error
		if numbers[i], err = strconv.Atoi(a); err != nil {
			return nil, err
		}
	}
	return numbers, nil
}

// appender is a client with a stream of its own.
type appender struct {
	log    domain.EventLog
	out    io.Writer
	stream string
	events int

	tip, next domain.Tip
	pending   *domain.Append
}

func (c *appender) attempt() {
	if c.pending == nil {
		a, next, err := domain.Enter(c.stream, c.tip, storetest.Epoch, storetest.Events(c.events))
		if err != nil {
			panic(err)
		}
		c.pending, c.next = &a, next
	}
	if _, err := c.log.Append(context.Background(), *c.pending); err != nil {
		fmt.Fprintf(c.out, "fail %s %v\n", errorKind(err), err)
		return
	}
	last := c.pending.Entries[len(c.pending.Entries)-1]
	c.tip, c.pending = c.next, nil
	// Who reads this line believes that the event is kept.
	fmt.Fprintf(c.out, "ack %s %d %s\n", c.stream, last.Version, last.ID)
}

// errorKind is what a caller is told by a kind of error.
func errorKind(err error) string {
	for kind, target := range map[string]error{
		"stopped": domain.ErrStopped, "unavailable": domain.ErrUnavailable, "read-only": domain.ErrReadOnly, "closed": domain.ErrClosed,
	} {
		if errors.Is(err, target) {
			return kind
		}
	}
	return "other"
}

// acknowledged collects what a child was told that it is kept.
type acknowledged struct {
	events   map[uuid.UUID]string // "stream version" of each
	failures []string
}

// listen reads what the child says up to "done", or up to its end. It reports
// whether the child was done.
func (a *acknowledged) listen(t testing.TB, c child) (done bool) {
	t.Helper()
	for {
		line := c.line()
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "ack":
			a.add(t, rest)
		case "fail":
			a.failures = append(a.failures, rest)
		default:
			return line == "done"
		}
	}
}

func (a *acknowledged) add(t testing.TB, ack string) {
	t.Helper()
	at := strings.LastIndexByte(ack, ' ')
	id, err := uuid.Parse(ack[at+1:])
	if err != nil { // the last words of a child that was killed
		return
	}
	if a.events == nil {
		a.events = map[uuid.UUID]string{}
	}
	if _, twice := a.events[id]; twice {
		t.Errorf("%s was acknowledged twice", id)
	}
	a.events[id] = ack[:at]
}

// want checks that a log holds everything that was acknowledged, and each event
// once.
func (a *acknowledged) want(t testing.TB, log domain.EventLog) {
	t.Helper()
	storetest.Verify(t, features, log)
	seen := map[uuid.UUID]bool{}
	missing := len(a.events)
	for e, err := range log.ReadAll(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if seen[e.ID] {
			t.Errorf("%s is there twice", e.ID)
		}
		seen[e.ID] = true
		place, ok := a.events[e.ID]
		if !ok {
			continue
		}
		missing--
		if got := fmt.Sprint(e.Stream, " ", e.Version); got != place {
			t.Errorf("%s is at %s, acknowledged at %s", e.ID, got, place)
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d acknowledged events are lost", missing, len(a.events))
	}
}
