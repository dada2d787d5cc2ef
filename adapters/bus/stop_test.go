package bus_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/alur-id/alur/adapters/bus"
)

// slow is a gateway that answers after a while, by the bubble's clock.
func slow(began chan<- struct{}, takes time.Duration, answer error) func(context.Context, bus.Sending) error {
	return func(ctx context.Context, _ bus.Sending) error {
		began <- struct{}{}
		select {
		case <-time.After(takes):
			return answer
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// A node that stops waits for the attempt under way, and keeps what became of it. The other
// node begins when it has ended, and not with what was taken.
func TestAStopWaitsForTheAttemptUnderWay(t *testing.T) {
	for name, answer := range map[string]error{"taken": nil, "not taken": errors.New("no room")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := onSQLite(t)
				began, other := make(chan struct{}, 1), newTold()
				stop := run(t, p.quick(), p.sender("notices", map[string]func(context.Context, bus.Sending) error{"sms": slow(began, 20*time.Second, answer)}))
				first := p.events(t, 1)
				<-began
				run(t, p.quick(), p.sender("notices", map[string]func(context.Context, bus.Sending) error{"sms": func(_ context.Context, s bus.Sending) error {
					other.add(s.ID.String())
					return nil
				}}))
				later := p.events(t, 1)
				time.Sleep(2 * time.Second)
				asked := time.Now()
				stop()
				if took := time.Since(asked); took < 18*time.Second || took > 20*time.Second {
					t.Errorf("it stopped after %s", took)
				}
				left, err := p.store.Sendings(t.Context(), "notices/sms", true, 10)
				if err != nil {
					t.Fatal(err)
				}
				kept := map[string]int{}
				for _, x := range left {
					kept[x.ID.String()] = x.Attempts
				}
				if attempts, waits := kept[first[0]]; waits != (answer != nil) || waits && attempts != 1 {
					t.Errorf("of what was under way is kept: %+v", left)
				}
				other.wait(t, 1)
				same(t, later, other.all())
			})
		})
	}
}

// What a reactor does not end in time is cut off, and that is told.
func TestAStopTellsWhatItCutsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := onSQLite(t)
		var said bytes.Buffer
		c := p.quick()
		c.Logger = slog.New(slog.NewTextHandler(&said, nil))
		began := make(chan struct{}, 1)
		stop := run(t, c, bus.Reactor{Name: "hangs", Topic: bus.All, Handle: func(msg *message.Message) error {
			began <- struct{}{}
			<-msg.Context().Done()
			return msg.Context().Err()
		}})
		ids := p.events(t, 1)
		<-began
		stop()
		if !strings.Contains(said.String(), "cut off") || !strings.Contains(said.String(), ids[0]) {
			t.Errorf("it said\n%s", &said)
		}
	})
}

// Who lost the lease meanwhile does not go on, and says so.
func TestAStopEndsWithTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := onSQLite(t)
		var said bytes.Buffer
		c := p.quick()
		c.Logger = slog.New(slog.NewTextHandler(&said, nil))
		began := make(chan struct{}, 1)
		stop := run(t, c, p.sender("notices", map[string]func(context.Context, bus.Sending) error{"sms": slow(began, 20*time.Second, nil)}))
		p.events(t, 1)
		<-began
		time.AfterFunc(2*time.Second, func() {
			if _, err := p.store.DB().ExecContext(t.Context(), `UPDATE consumer SET holder = 'another', instance = 'another'`); err != nil {
				t.Error(err)
			}
		})
		asked := time.Now()
		stop()
		if took := time.Since(asked); took > 4*time.Second {
			t.Errorf("it stopped after %s", took)
		}
		if !strings.Contains(said.String(), "an attempt was cut off") {
			t.Errorf("it said\n%s", &said)
		}
	})
}
