package bus_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
)

func next(t testing.TB, messages <-chan *message.Message) *message.Message {
	t.Helper()
	select {
	case m, ok := <-messages:
		if !ok {
			t.Fatal("the channel is closed")
		}
		return m
	case <-time.After(time.Minute):
		t.Fatal("no message came in a minute")
	}
	return nil
}

func subscribe(t testing.TB, s message.Subscriber) <-chan *message.Message {
	t.Helper()
	messages, err := s.Subscribe(t.Context(), bus.All)
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

// plain is how a group of the tests consumes the log's own events.
func (p place) plain() bus.Config {
	c := p.config("g")
	c.Message = nil
	return c
}

// What is under way when the subscriber closes is finished, and does not come again.
func TestCloseWaitsForWhatIsUnderWay(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			at := p.open(t)
			ids := at.events(t, 2)
			c := at.plain()
			c.Grace = time.Minute
			s := at.subscriber(t, c)
			messages := subscribe(t, s)
			m := next(t, messages)
			closed := make(chan struct{})
			go func() { closeAll(t, s); close(closed) }()
			until(t, "it takes no more subscriptions", func() bool {
				_, err := s.Subscribe(t.Context(), bus.All)
				return errors.Is(err, bus.ErrClosed)
			})
			if m.Context().Err() != nil {
				t.Error("the context of the message under way has ended")
			}
			m.Ack()
			<-closed
			if _, ok := <-messages; ok {
				t.Error("another message came, or the channel is open")
			}
			closeAll(t, s)
			again := next(t, subscribe(t, at.subscriber(t, at.plain())))
			if again.UUID != ids[1] {
				t.Errorf("then %s came, want %s", again.UUID, ids[1])
			}
		})
	}
}

// Work that was done in its transaction is not done again, though its process ended
// before it could say so.
func TestCloseBetweenTheWorkAndItsAcknowledgement(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			at := p.open(t)
			ids := at.events(t, 3)
			if _, err := at.store.DB().ExecContext(t.Context(), `CREATE TABLE work (event TEXT NOT NULL)`); err != nil {
				t.Fatal(err)
			}
			work := func(m *message.Message) {
				t.Helper()
				if err := bus.Once(m, func(ctx context.Context, tx *sql.Tx) error {
					_, err := tx.ExecContext(ctx, `INSERT INTO work (event) VALUES ($1)`, m.UUID)
					return err
				}); err != nil {
					t.Fatal(err)
				}
			}
			c := at.plain()
			c.Linger = time.Hour
			s := at.subscriber(t, c)
			messages := subscribe(t, s)
			next(t, messages).Ack() // which is not durable yet
			work(next(t, messages))
			closeAll(t, s)
			messages = subscribe(t, at.subscriber(t, c))
			m := next(t, messages)
			work(m)
			m.Ack()
			want := []string{"[" + ids[1] + "]", "[" + ids[2] + "]"}
			slices.Sort(want)
			same(t, want, storetest.Rows(t, at.store.DB(), `SELECT event FROM work ORDER BY event`))
		})
	}
}

// A lease that somebody takes by force ends what is under way under it: it can record
// nothing any more.
func TestLostLease(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			at := p.open(t)
			ids := at.events(t, 1)
			c := at.plain()
			c.Lease = 600 * time.Millisecond
			a := at.subscriber(t, c)
			messages := subscribe(t, a)
			m := next(t, messages)
			if _, err := at.store.DB().ExecContext(t.Context(), `UPDATE consumer SET holder = 'thief', instance = 'thief'`); err != nil {
				t.Fatal(err)
			}
			err := bus.Once(m, func(ctx context.Context, tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, `CREATE TABLE work (event TEXT)`)
				return err
			})
			if err == nil {
				t.Error("work was done under a lease that is somebody else's")
			}
			<-m.Context().Done()
			m.Ack()
			// The thief does not renew: it is taken back, and nothing was recorded.
			again := next(t, messages)
			if again.UUID != ids[0] {
				t.Errorf("then %s came, want %s", again.UUID, ids[0])
			}
			if err := bus.Once(again, func(ctx context.Context, tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, `CREATE TABLE work (event TEXT)`) // not there yet
				return err
			}); err != nil {
				t.Error(err)
			}
			again.Ack()
		})
	}
}

// A message whose acknowledgement could not be recorded, since the lease was lost by
// the database's absence, does not come again to the same subscriber, nor to another
// after it closed.
func TestAcknowledgedWhileTheDatabaseWasGone(t *testing.T) {
	server := pgserver.Start(t)
	at := openPostgres(t, server.NewDatabase(t))
	ids := at.events(t, 2)
	c := at.plain()
	c.Lease = time.Second
	s := at.subscriber(t, c)
	messages := subscribe(t, s)
	m := next(t, messages)
	server.Stop(t)
	<-m.Context().Done() // the lease is lost
	m.Ack()
	server.Resume(t)
	m = next(t, messages)
	if m.UUID != ids[1] {
		t.Errorf("then %s came, want %s", m.UUID, ids[1])
	}
	closeAll(t, s) // while the second is under way
	if again := next(t, subscribe(t, at.subscriber(t, c))); again.UUID != ids[1] {
		t.Errorf("to another %s came, want %s", again.UUID, ids[1])
	}
}

// Of many subscribers one gets messages; when it goes, another does, at once.
func TestOneOfAGroupIsActive(t *testing.T) {
	at := onSQLite(t)
	ids := at.events(t, 200)
	o := newTold()
	var mu sync.Mutex
	active := 0
	var subscribers []*bus.Subscriber
	for range 5 {
		s := at.subscriber(t, at.plain())
		subscribers = append(subscribers, s)
		messages := subscribe(t, s)
		go func() {
			for m := range messages {
				mu.Lock()
				if active++; active > 1 {
					t.Error("two are at work")
				}
				mu.Unlock()
				o.add(m.UUID)
				mu.Lock()
				active--
				mu.Unlock()
				m.Ack()
			}
		}()
	}
	for _, s := range subscribers[:4] {
		o.wait(t, 20)
		closeAll(t, s)
	}
	o.wait(t, 120)
	same(t, ids, o.all())
}

// flaky is a log that fails while it is told to.
type flaky struct {
	domain.EventLog
	mu     sync.Mutex
	broken bool
}

func (f *flaky) set(broken bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = broken
}

func (f *flaky) fault() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken {
		return domain.ErrUnavailable
	}
	return nil
}

func (f *flaky) ReadAll(ctx context.Context, after domain.Position) iter.Seq2[domain.Entry, error] {
	return func(yield func(domain.Entry, error) bool) {
		for e, err := range f.EventLog.ReadAll(ctx, after) {
			if fault := f.fault(); fault != nil {
				yield(domain.Entry{}, fault)
				return
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func (f *flaky) Wait(ctx context.Context, after domain.Position) error {
	if err := f.fault(); err != nil {
		return err
	}
	return f.EventLog.Wait(ctx, after)
}

func TestOutageOfTheLog(t *testing.T) {
	at := onSQLite(t)
	ids := at.events(t, 400)
	log := &flaky{EventLog: at.log}
	c := at.plain()
	c.Log = log
	var logged bytes.Buffer
	var mu sync.Mutex
	c.Logger = slog.New(slog.NewTextHandler(locked{&mu, &logged}, nil))
	messages := subscribe(t, at.subscriber(t, c))
	var got []string
	for i := range 400 {
		m := next(t, messages)
		got = append(got, m.UUID)
		if i == 100 || i == 300 { // what was read is given out
			log.set(true)
		}
		m.Ack()
		if i == 255 || i == 399 {
			until(t, "the outage is told of", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return strings.Count(logged.String(), "does not advance") == i/250
			})
			log.set(false)
		}
	}
	same(t, ids, got)
}

type locked struct {
	mu *sync.Mutex
	w  *bytes.Buffer
}

func (l locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// The database goes and comes back, also under a message: nothing is left out, and the
// channel stays open.
func TestOutageOfTheDatabase(t *testing.T) {
	server := pgserver.Start(t)
	at := openPostgres(t, server.NewDatabase(t))
	ids := at.events(t, 60)
	c := at.plain()
	c.Lease = 2 * time.Second
	messages := subscribe(t, at.subscriber(t, c))
	seen := map[string]int{}
	order := []string{}
	for len(order) < 60 {
		m := next(t, messages)
		if seen[m.UUID]++; seen[m.UUID] == 1 {
			order = append(order, m.UUID)
		}
		switch {
		case seen[m.UUID] > 1: // it comes again after an outage
		case len(order) == 20:
			server.Restart(t)
		case len(order) == 40:
			server.Stop(t)
			m.Ack() // which cannot be recorded
			<-m.Context().Done()
			server.Resume(t)
			continue
		}
		m.Ack()
	}
	same(t, ids, order)
	again := 0
	for _, n := range seen {
		again += n - 1
	}
	t.Logf("%d came again", again)
}

// swapped is a log whose server is replaced by another.
type swapped struct {
	mu sync.Mutex
	domain.EventLog
}

func (s *swapped) to(log domain.EventLog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.EventLog = log
}

func (s *swapped) now() domain.EventLog {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.EventLog
}

func (s *swapped) ReadAll(ctx context.Context, after domain.Position) iter.Seq2[domain.Entry, error] {
	return s.now().ReadAll(ctx, after)
}
func (s *swapped) Head(ctx context.Context) (domain.Position, error) { return s.now().Head(ctx) }
func (s *swapped) Wait(ctx context.Context, after domain.Position) error {
	return s.now().Wait(ctx, after)
}

// A standby takes over without the newest events, and others are recorded in their
// place: none of those is left out, and little of what came before comes again.
func TestALogThatLostEvents(t *testing.T) {
	first, second := memory.New(), memory.New()
	var want []string
	for i := range 1000 {
		a := storetest.New(t, "request-"+uuid.NewString(), 0, 1)
		if _, err := first.Append(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if i < 950 {
			if _, err := second.Append(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
	}
	at := onSQLite(t)
	log := &swapped{EventLog: first}
	c := at.plain()
	c.Log, c.Lease = log, 300*time.Millisecond
	messages := subscribe(t, at.subscriber(t, c))
	for range 1000 {
		next(t, messages).Ack()
	}
	log.to(second) // 950 of them
	for range 100 {
		a := storetest.New(t, "request-"+uuid.NewString(), 0, 1)
		if _, err := second.Append(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		want = append(want, a.Entries[0].ID.String())
	}
	var got []string
	for len(got) < len(want) || got[len(got)-1] != want[len(want)-1] {
		m := next(t, messages)
		got = append(got, m.UUID)
		m.Ack()
	}
	again := len(got) - len(want)
	if again < 0 || again > 400 {
		t.Errorf("%d messages came again", again)
	}
	same(t, want, got[max(again, 0):])
}

// A message that is refused rests longer and longer, up to a bound.
func TestRefusedMessagesRest(t *testing.T) {
	at := onSQLite(t)
	at.events(t, 1)
	c := at.plain()
	c.Backoff.First, c.Backoff.Most = 20*time.Millisecond, 80*time.Millisecond
	messages := subscribe(t, at.subscriber(t, c))
	began := time.Now()
	for range 5 {
		next(t, messages).Nack()
	}
	next(t, messages).Ack()
	if took := time.Since(began); took < (20+40+80+80+80)*time.Millisecond {
		t.Errorf("five refusals took %s", took) // a lower bound, whatever the machine does
	}
}
