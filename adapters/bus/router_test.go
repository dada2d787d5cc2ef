package bus_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

// events records n events, each in a stream of its own, and returns their ids.
func (p place) events(t testing.TB, n int) []string {
	t.Helper()
	ids := make([]string, n)
	appends := make([]domain.Append, n)
	for i := range ids {
		appends[i] = storetest.New(t, "request-"+uuid.NewString(), 0, 1)
		ids[i] = appends[i].Entries[0].ID.String()
	}
	if _, _, err := p.log.AppendBatch(t.Context(), appends); err != nil {
		t.Fatal(err)
	}
	return ids
}

// told is what a reactor was told, in order.
type told struct {
	mu  sync.Mutex
	ids []string
	got chan struct{} // one for each
}

func newTold() *told { return &told{got: make(chan struct{}, 100_000)} }

func (o *told) add(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ids = append(o.ids, id)
	o.got <- struct{}{}
}

// wait waits until n more were told.
func (o *told) wait(t testing.TB, n int) {
	t.Helper()
	for range n {
		select {
		case <-o.got:
		case <-time.After(time.Minute):
			t.Fatalf("after a minute, of %d messages these are missing", n)
		}
	}
}

func (o *told) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string{}, o.ids...)
}

// quick makes a router whose pauses are short.
func (p place) quick() bus.RouterConfig {
	return bus.RouterConfig{
		Log: p.log, Store: p.store, Logger: quiet(), Retries: 2, First: time.Millisecond, Most: 2 * time.Millisecond,
		Tune: func(c *bus.Config) { c.Backoff.First, c.Backoff.Most = time.Millisecond, 20*time.Millisecond },
	}
}

// run runs reactors until the test ends, or stop is called.
func run(t testing.TB, c bus.RouterConfig, reactors ...bus.Reactor) (stop func()) {
	t.Helper()
	r := bus.NewRouter(c)
	for _, re := range reactors {
		if err := r.Add(re); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func same(t testing.TB, want, got []string) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("messages (-want +got)\n%s", d)
	}
}

func (p place) poisoned(t testing.TB, consumer string) []bus.Poisoned {
	t.Helper()
	list, err := p.store.Poisoned(t.Context(), consumer)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// until looks again and again whether something has become true.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for late := time.After(time.Minute); !is(); {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-late:
			t.Fatalf("a minute has passed without: %s", what)
		}
	}
}

func TestReactorGetsEveryEventOnceAndInOrder(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			at := p.open(t)
			want := at.events(t, 300) // more than is read at once
			o := newTold()
			re := bus.Reactor{Name: "r", Topic: "request", Handle: func(msg *message.Message) error {
				e, err := bus.Event(msg)
				if err != nil {
					return err
				}
				if e.ID.String() != msg.UUID || msg.Metadata.Get(bus.KeyCorrelation) != e.Correlation.String() || msg.Metadata.Get(bus.KeyType) != "ActionTaken" {
					t.Errorf("message %s %v of event %s", msg.UUID, msg.Metadata, e.ID)
				}
				o.add(msg.UUID)
				return nil
			}}
			stop := run(t, at.quick(), re)
			o.wait(t, 300)
			stop()
			want = append(want, at.events(t, 3)...)
			run(t, at.quick(), re)
			o.wait(t, 3)
			want = append(want, at.events(t, 2)...)
			o.wait(t, 2)
			same(t, want, o.all())
		})
	}
}

func TestReactorsOfOtherTopicsAndFromNow(t *testing.T) {
	at := onSQLite(t)
	at.events(t, 5)
	all, workflows, fresh := newTold(), newTold(), newTold()
	to := func(o *told) func(*message.Message) error {
		return func(msg *message.Message) error { o.add(msg.UUID); return nil }
	}
	re := bus.Reactor{Name: "fresh", Topic: bus.All, FromNow: true, Handle: to(fresh)}
	stop := run(t, at.quick(), re, bus.Reactor{Name: "all", Topic: bus.All, Handle: to(all)},
		bus.Reactor{Name: "work", Topic: "workflow-11.7", Handle: to(workflows)})
	all.wait(t, 5)
	until(t, "the new group is known", func() bool {
		list, err := at.store.Consumers(t.Context())
		return err == nil && len(list) == 3
	})
	stop()
	ids := at.events(t, 2) // while nobody looks
	a, b := storetest.New(t, "workflow-11.71-sip", 0, 1), storetest.New(t, "workflow-11.7-sip", 0, 1)
	for _, x := range []domain.Append{a, b} {
		if _, err := at.log.Append(t.Context(), x); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, x.Entries[0].ID.String())
	}
	run(t, at.quick(), re, bus.Reactor{Name: "work", Topic: "workflow-11.7", Handle: to(workflows)})
	fresh.wait(t, 4)
	workflows.wait(t, 1)
	same(t, ids, fresh.all())
	same(t, ids[3:4], workflows.all())
}

// secret is what no log and no list may hold.
const secret = "siti@example.com"

// fails is a handler that fails as told for one event, until it is mended.
type fails struct {
	*told
	mu sync.Mutex
	at string
	as func() error
	n  int
}

func (f *fails) handle(msg *message.Message) error {
	f.mu.Lock()
	if msg.UUID == f.at && f.as != nil {
		f.n++
		as := f.as
		f.mu.Unlock()
		return as()
	}
	f.mu.Unlock()
	f.add(msg.UUID)
	return nil
}

func (f *fails) mend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.as = nil
}

func (f *fails) times() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

func TestPoisonedMessagesAreKeptAndTriedAgain(t *testing.T) {
	for _, p := range places {
		for _, c := range []struct {
			name, reason string
			as           func() error
			tries        int
		}{
			{"an error", "an error of the kind *errors.errorString", func() error { return errors.New("no such mailbox: " + secret) }, 3},
			{"a wrapped error", "an error of the kind *errors.errorString", func() error { return fmt.Errorf("send: %w", errors.New(secret)) }, 3},
			{"a fault", "the gateway refused it", func() error { return &bus.Fault{Text: "the gateway refused it", Err: errors.New(secret)} }, 3},
			{"a lasting fault", "no address", func() error { return fmt.Errorf(secret+": %w", &bus.Fault{Text: "no address", Lasting: true}) }, 1},
			{"a panic", "a panic (string)", func() error { panic(secret) }, 3},
		} {
			t.Run(p.name+"/"+c.name, func(t *testing.T) {
				t.Parallel() // each waits for seconds in all
				at := p.open(t)
				ids := at.events(t, 5)
				var logged bytes.Buffer
				var mu sync.Mutex // Watermill logs its end when it has ended
				config := at.quick()
				config.Logger = slog.New(slog.NewTextHandler(locked{&mu, &logged}, &slog.HandlerOptions{Level: slog.LevelDebug}))
				f := &fails{told: newTold(), at: ids[2], as: c.as}
				stop := run(t, config, bus.Reactor{Name: "r", Topic: bus.All, Handle: f.handle})
				f.wait(t, 4)
				same(t, []string{ids[0], ids[1], ids[3], ids[4]}, f.all())
				list := at.poisoned(t, "r")
				if len(list) != 1 || list[0].Event.String() != ids[2] || list[0].Reason != c.reason || list[0].Attempts != c.tries || list[0].State != bus.PoisonWaiting || list[0].Type != "ActionTaken" {
					t.Fatalf("poisoned: %+v", list)
				}
				if f.times() != c.tries {
					t.Errorf("it was tried %d times, want %d", f.times(), c.tries)
				}

				// Again, and in vain.
				if err := at.store.Retry(t.Context(), "r", list[0].Event); err != nil {
					t.Fatal(err)
				}
				until(t, "it fails again", func() bool { return at.poisoned(t, "r")[0].Attempts == 2*c.tries })
				if got := at.poisoned(t, "r")[0]; got.State != bus.PoisonWaiting || !got.Since.Equal(list[0].Since) || got.Tried.Before(list[0].Tried) {
					t.Errorf("after another attempt: %+v", got)
				}

				f.mend()
				if err := at.store.Retry(t.Context(), "r", list[0].Event); err != nil {
					t.Fatal(err)
				}
				f.wait(t, 1)
				until(t, "it is forgotten", func() bool { return len(at.poisoned(t, "r")) == 0 })
				after := at.events(t, 1)
				f.wait(t, 1)
				same(t, []string{ids[0], ids[1], ids[3], ids[4], ids[2], after[0]}, f.all())
				if err := at.store.Retry(t.Context(), "r", list[0].Event); !errors.Is(err, domain.ErrNotFound) {
					t.Errorf("retry of what was handled: %v", err)
				}
				stop()
				mu.Lock()
				defer mu.Unlock()
				if text := logged.String(); strings.Contains(text, secret) || !strings.Contains(text, "is kept apart") {
					t.Errorf("the log holds what the error said, or not that it was poisoned:\n%s", text)
				}
			})
		}
	}
}

func TestOrderedReactorStopsAtAPoisonedMessage(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			at := p.open(t)
			ids := at.events(t, 3)
			f := &fails{told: newTold(), at: ids[1], as: func() error { return errors.New(secret) }}
			re := bus.Reactor{Name: "r", Topic: bus.All, Ordered: true, Handle: f.handle}
			stop := run(t, at.quick(), re)
			until(t, "it is poisoned", func() bool { return len(at.poisoned(t, "r")) == 1 })
			stop()
			stop = run(t, at.quick(), re) // a new process stops there too
			event := at.poisoned(t, "")[0].Event
			if err := at.store.Retry(t.Context(), "r", event); err != nil {
				t.Fatal(err)
			}
			until(t, "it fails again", func() bool { return at.poisoned(t, "r")[0].Attempts == 6 })
			same(t, ids[:1], f.all())
			if f.times() != 6 {
				t.Errorf("it was tried %d times, want 6", f.times())
			}
			f.mend()
			if err := at.store.Retry(t.Context(), "r", event); err != nil {
				t.Fatal(err)
			}
			f.wait(t, 3)
			same(t, ids, f.all())
			until(t, "it is forgotten", func() bool { return len(at.poisoned(t, "r")) == 0 })
			stop()
		})
	}
}

func TestOrderedReactorGoesOnBehindWhatIsSkipped(t *testing.T) {
	at := onSQLite(t)
	ids := at.events(t, 3)
	f := &fails{told: newTold(), at: ids[1], as: func() error { return errors.New(secret) }}
	run(t, at.quick(), bus.Reactor{Name: "r", Topic: bus.All, Ordered: true, Handle: f.handle})
	until(t, "it is poisoned", func() bool { return len(at.poisoned(t, "r")) == 1 })
	if err := at.store.Skip(t.Context(), "r", at.poisoned(t, "r")[0].Event); err != nil {
		t.Fatal(err)
	}
	f.wait(t, 2)
	same(t, []string{ids[0], ids[2]}, f.all())
	if list := at.poisoned(t, "r"); len(list) != 1 || list[0].State != bus.PoisonSkipped {
		t.Errorf("what was skipped is not listed: %+v", list)
	}
	// It can be had after all, out of its order.
	f.mend()
	if err := at.store.Retry(t.Context(), "r", uuid.MustParse(ids[1])); err != nil {
		t.Fatal(err)
	}
	f.wait(t, 1)
	same(t, []string{ids[0], ids[2], ids[1]}, f.all())
}

// A gateway that is gone poisons nothing, however long.
func TestUnavailableIsWaitedFor(t *testing.T) {
	at := onSQLite(t)
	ids := at.events(t, 3)
	f := &fails{told: newTold(), at: ids[1], as: func() error { return fmt.Errorf("%w: %s", domain.ErrUnavailable, secret) }}
	run(t, at.quick(), bus.Reactor{Name: "r", Topic: bus.All, Handle: f.handle})
	until(t, "it was tried often", func() bool { return f.times() > 20 })
	if list := at.poisoned(t, ""); len(list) > 0 {
		t.Errorf("poisoned: %+v", list)
	}
	f.mend()
	f.wait(t, 3)
	same(t, ids, f.all())
}

// What a reactor does in its transaction is done once, however often it is called.
func TestOnce(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			at := p.open(t)
			ids := at.events(t, 20)
			var mu sync.Mutex
			calls := map[string]int{}
			o := newTold()
			handle := func(msg *message.Message) error {
				mu.Lock()
				calls[msg.UUID]++
				n := calls[msg.UUID]
				mu.Unlock()
				err := bus.Once(msg, func(ctx context.Context, tx *sql.Tx) error {
					_, err := tx.ExecContext(ctx, `INSERT INTO work (event) VALUES ($1)`, msg.UUID)
					if err == nil && n == 1 && msg.UUID == ids[5] {
						return errors.New("it fails after its statement")
					}
					return err
				})
				if err == nil && n == 1 {
					return errors.New("it fails after its work is done")
				}
				if err == nil {
					o.add(msg.UUID)
				}
				return err
			}
			if _, err := at.store.DB().ExecContext(t.Context(), `CREATE TABLE work (event TEXT NOT NULL)`); err != nil {
				t.Fatal(err)
			}
			run(t, at.quick(), bus.Reactor{Name: "r", Topic: bus.All, Handle: handle})
			o.wait(t, 20)
			same(t, ids, o.all())
			got := storetest.Rows(t, at.store.DB(), `SELECT event FROM work`)
			if len(got) != 20 {
				t.Errorf("%d rows of work, want 20: %v", len(got), got)
			}
		})
	}
}

// A node that could do the work has the counters of it from the start, at 0, and no figure
// that only whoever does it can know; nor when it does it no more.
func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := onSQLite(t)
		ids := at.events(t, 4)
		f := &fails{told: newTold(), at: ids[1], as: func() error { return errors.New("no") }}
		hangs := map[string]func(context.Context, bus.Sending) error{"sms": func(context.Context, bus.Sending) error { return domain.ErrUnavailable }}
		node := func() (*prometheus.Registry, func()) {
			registry, config := prometheus.NewRegistry(), at.quick()
			var err error
			if config.Metrics, err = bus.NewMetrics(registry); err != nil {
				t.Fatal(err)
			}
			return registry, run(t, config, bus.Reactor{Name: "r", Topic: bus.All, Handle: f.handle}, at.sender("s", hangs))
		}
		works, stop := node()
		f.wait(t, 3)
		lines := regexp.MustCompile(`(?m)^alur_(consumer_(active|lag|position|messages_total)|lane_[a-z_]+)\{.*\n`)
		told := func(r *prometheus.Registry) string {
			page := httptest.NewRecorder()
			promhttp.HandlerFor(r, promhttp.HandlerOpts{}).ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
			return strings.Join(lines.FindAllString(page.Body.String(), -1), "")
		}
		for _, figure := range []string{
			`alur_consumer_active{consumer="r"} 1`, `alur_consumer_lag{consumer="r"} 0`, `alur_consumer_position{consumer="r"} 4`, `alur_lane_resting{lane="s/sms"} 1`,
			`alur_consumer_messages_total{became="handled",consumer="r"} 3`, `alur_consumer_messages_total{became="poisoned",consumer="r"} 1`,
		} {
			until(t, figure, func() bool { return strings.Contains(told(works), figure) })
		}
		standby, _ := node()
		const others = `
alur_consumer_active{consumer="r"} 0
alur_consumer_active{consumer="s"} 0
alur_consumer_messages_total{became="handled",consumer="r"} 0
alur_consumer_messages_total{became="handled",consumer="s"} 0
alur_consumer_messages_total{became="poisoned",consumer="r"} 0
alur_consumer_messages_total{became="poisoned",consumer="s"} 0
alur_consumer_messages_total{became="refused",consumer="r"} 0
alur_consumer_messages_total{became="refused",consumer="s"} 0
alur_lane_attempts_total{became="failed",lane="s/sms"} 0
alur_lane_attempts_total{became="given_up",lane="s/sms"} 0
alur_lane_attempts_total{became="moved",lane="s/sms"} 0
alur_lane_attempts_total{became="postponed",lane="s/sms"} 0
alur_lane_attempts_total{became="sent",lane="s/sms"} 0
`
		if d := cmp.Diff(others, "\n"+told(standby)); d != "" {
			t.Errorf("who stands by (-want +got)\n%s", d)
		}
		stop()
		for _, figure := range []string{"alur_consumer_lag", "alur_consumer_position", "alur_lane_resting"} {
			if got := told(works); strings.Contains(got, figure+"{") {
				t.Errorf("who works no more tells\n%s", got)
			}
		}
	})
}
