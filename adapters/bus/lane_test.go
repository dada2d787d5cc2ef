package bus_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/alur-id/alur/adapters/bus"
)

// sender is a reactor that puts each event into some lanes, and what each of those sent.
func (p place) sender(name string, send map[string]func(context.Context, bus.Sending) error) bus.Reactor {
	r := bus.Reactor{Name: name, Topic: bus.All}
	for lane, f := range send {
		r.Lanes = append(r.Lanes, bus.Lane{Name: name + "/" + lane, Send: f, Pauses: bus.UsualPauses(), AtOnce: 4})
	}
	r.Handle = func(msg *message.Message) error {
		e, err := bus.Event(msg)
		if err != nil {
			return err
		}
		return bus.Once(msg, func(ctx context.Context, tx *sql.Tx) error {
			for lane := range send {
				if err := p.store.Queue(ctx, tx, e, name+"/"+lane, e.ID); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return r
}

// A gateway that hangs holds up neither another lane, nor another consumer, nor commands;
// and it is not left out: what hung comes again when the program begins anew.
func TestAGatewayThatHangsHoldsUpNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := onSQLite(t)
		const n = 20
		well, other := newTold(), newTold()
		hung := make(chan struct{}, n)
		hang := func(ctx context.Context, _ bus.Sending) error {
			hung <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
		take := func(o *told) func(context.Context, bus.Sending) error {
			return func(_ context.Context, s bus.Sending) error {
				o.add(s.ID.String())
				return nil
			}
		}
		stop := run(t, p.quick(),
			p.sender("notices", map[string]func(context.Context, bus.Sending) error{"hangs": hang, "well": take(well)}),
			p.sender("webhook", map[string]func(context.Context, bus.Sending) error{"other": take(other)}))
		p.events(t, 1)
		<-hung
		ids := p.events(t, n-1) // a command
		well.wait(t, n)
		other.wait(t, n)
		states, err := p.store.LaneStates(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(states[0].Name, states[0].Waiting); got != fmt.Sprint("notices/hangs", n) {
			t.Errorf("the lane that hangs is %+v", states[0])
		}
		stop()
		after := newTold()
		run(t, p.quick(), p.sender("notices", map[string]func(context.Context, bus.Sending) error{"hangs": take(after), "well": take(well)}))
		after.wait(t, n)
		seen := map[string]bool{}
		for _, id := range after.all() {
			seen[id] = true
		}
		for _, id := range ids {
			if !seen[id] {
				t.Errorf("event %s was lost", id)
			}
		}
		if len(well.all()) != n {
			t.Errorf("%d were sent in the lane that is well", len(well.all()))
		}
	})
}

// Of two nodes, the one that has the lease sends; each event goes out once.
func TestOneNodeSends(t *testing.T) {
	p := onSQLite(t)
	const n = 50
	one := newTold()
	take := func(_ context.Context, s bus.Sending) error {
		one.add(s.ID.String())
		return nil
	}
	for range 2 {
		run(t, p.quick(), p.sender("notices", map[string]func(context.Context, bus.Sending) error{"sms": take}))
	}
	p.events(t, n)
	one.wait(t, n)
	seen := map[string]bool{}
	for _, id := range one.all() {
		if seen[id] {
			t.Errorf("event %s went out twice", id)
		}
		seen[id] = true
	}
}

// Whoever begins from now begins when they are added, and not when their work begins.
func TestFromNowIsWhenAReactorIsAdded(t *testing.T) {
	p := onSQLite(t)
	p.events(t, 3)
	o := newTold()
	r := bus.NewRouter(p.quick())
	if err := r.Add(bus.Reactor{Name: "late", Topic: bus.All, FromNow: true, Handle: func(msg *message.Message) error {
		o.add(msg.UUID)
		return nil
	}}); err != nil {
		t.Fatal(err)
	}
	want := p.events(t, 2)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	o.wait(t, 2)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	same(t, want, o.all())
}
