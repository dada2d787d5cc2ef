package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/adapters/notify"
	"github.com/alur-id/alur/domain"
)

// linger is how long what was queued may not yet be noted as such. After a crash it is
// looked at again, and found queued.
const linger = 100 * time.Millisecond

// webhookOff is how long nothing but failures may come from an endpoint before it is
// disabled.
const webhookOff = 5 * 24 * time.Hour

const noticesReactor = "notices"

// noticesInOrder is how long what an applicant is told later waits for what they were to
// be told before and what is not taken: three attempts.
const noticesInOrder = 10 * time.Minute

// noticesLane is where what applicants are told by a channel waits. The last message to an
// address that was replaced has a lane of its own: it may have been replaced because nothing
// arrives there, and what goes to the new one does not wait for that.
func noticesLane(c domain.Channel, former bool) string {
	lane := noticesReactor + "/" + string(c)
	if former {
		lane += "/former"
	}
	return lane
}

// notices is the reactor that tells applicants what becomes of their requests. What is to
// be told waits in lanes for each channel, so that no gateway holds up another.
func notices(n *notify.Notifier, store *bus.Store) bus.Reactor {
	r := bus.Reactor{Name: noticesReactor, Topic: bus.All, FromNow: true, Linger: linger}
	r.Handle = func(msg *message.Message) error {
		e, err := bus.Event(msg)
		if err != nil {
			return err
		}
		due, err := n.Due(msg.Context(), e)
		if err != nil {
			return err
		}
		moved, err := rerouted(msg.Context(), n, store, e, len(due) > 0)
		if err != nil || len(due)+len(moved) == 0 {
			return err
		}
		return bus.Once(msg, func(ctx context.Context, tx *sql.Tx) error {
			for _, x := range moved { // before what comes after it
				if err := store.Move(ctx, tx, x.sending, x.to...); err != nil {
					return err
				}
			}
			for _, m := range due {
				if err := store.Queue(ctx, tx, e, noticesLane(m.Channel, m.Former), m.ID); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for _, c := range domain.Channels() {
		if n.Gateways[c] == nil {
			continue
		}
		of := func(s bus.Sending) notify.Notice { return noticeOf(c, s) }
		l := bus.Lane{
			Name: noticesLane(c, false), Pauses: bus.UsualPauses(), AtOnce: 4, InOrder: noticesInOrder,
			Send: func(ctx context.Context, s bus.Sending) error {
				err := n.Send(ctx, of(s))
				var other *notify.Rerouted
				if !errors.As(err, &other) {
					return err
				}
				if err := store.MoveNow(ctx, s, sendingsOf(other.To)...); err != nil {
					return err
				}
				return bus.ErrMoved
			},
			GiveUp: func(ctx context.Context, s bus.Sending, err error) error { return n.GiveUp(ctx, of(s), err) },
		}
		former := l
		former.Name, former.InOrder = noticesLane(c, true), 0 // each is the only one to its address
		r.Lanes = append(r.Lanes, l, former)
	}
	return r
}

func noticeOf(c domain.Channel, s bus.Sending) notify.Notice {
	return notify.Notice{ID: s.ID, Stream: s.Stream, Version: s.Version, Channel: c, Attempts: s.Attempts}
}

func sendingsOf(messages []domain.Message) []bus.Sending {
	list := make([]bus.Sending, len(messages))
	for i, m := range messages {
		list[i] = bus.Sending{Lane: noticesLane(m.Channel, m.Former), ID: m.ID}
	}
	return list
}

// otherwise is a sending that goes by others instead.
type otherwise struct {
	sending bus.Sending
	to      []bus.Sending
}

// rerouted finds what waits to be told of a request and is to go by other channels, now that
// its applicant prefers others, or that something else is to be told: so it comes there in
// its order.
func rerouted(ctx context.Context, n *notify.Notifier, store *bus.Store, e domain.Recorded, due bool) (list []otherwise, err error) {
	stream := e.Stream
	if _, preferred := e.Body.(domain.NoticesPreferred); preferred {
		stream = strings.Replace(stream, "notice-", "request-", 1)
	} else if !due {
		return nil, nil
	}
	for _, c := range domain.Channels() {
		waiting, err := store.Waiting(ctx, noticesLane(c, false), stream)
		if err != nil {
			return nil, err
		}
		for _, x := range waiting {
			to, other, err := n.Reroute(ctx, noticeOf(c, x))
			if err != nil {
				return nil, err
			}
			if other {
				list = append(list, otherwise{x, sendingsOf(to)})
			}
		}
	}
	return list, nil
}

const officesReactor = "offices"

// offices is the reactor that tells offices that terms run out, and what their workflows
// have a text for. Quiet hours are the applicants'.
func offices(o *notify.Offices, log domain.EventLog, store *bus.Store) bus.Reactor {
	const lane = officesReactor + "/" + string(domain.ChannelEmail)
	return bus.Reactor{
		Name: officesReactor, Topic: bus.All, FromNow: true, Linger: linger,
		Handle: func(msg *message.Message) error {
			e, err := bus.Event(msg)
			if err != nil {
				return err
			}
			due, err := o.Due(msg.Context(), e)
			if err != nil || len(due) == 0 {
				return err
			}
			return bus.Once(msg, func(ctx context.Context, tx *sql.Tx) error { return store.Queue(ctx, tx, e, lane, due...) })
		},
		Lanes: []bus.Lane{{
			Name: lane, Pauses: bus.UsualPauses(), AtOnce: 4,
			Send: func(ctx context.Context, s bus.Sending) error {
				e, err := eventAt(ctx, log, s)
				if errors.Is(err, domain.ErrNotFound) {
					return nil // the log lost it: it did not happen
				}
				if err != nil {
					return err
				}
				return o.Send(ctx, e, s.ID, s.Attempts)
			},
			GiveUp: func(ctx context.Context, s bus.Sending, fault error) error {
				e, err := eventAt(ctx, log, s)
				if errors.Is(err, domain.ErrNotFound) {
					return nil
				}
				if err != nil {
					return err
				}
				return o.GiveUp(ctx, e, s.ID, s.Attempts, fault)
			},
		}},
	}
}

// webhooks is the reactor that tells one other system of integration events.
func webhooks(e endpoint, log domain.EventLog, store *bus.Store, public string) bus.Reactor {
	name := "webhook/" + e.Name
	told := func(r domain.Recorded) (bus.CloudEvent, bool, error) {
		c, ok, err := bus.Outward(r, public)
		return c, ok && e.wants(r.Tenant, c.Type), err
	}
	return bus.Reactor{
		Name: name, Topic: bus.All, FromNow: true, Linger: linger,
		Handle: func(msg *message.Message) error {
			r, err := bus.Event(msg)
			if err != nil {
				return err
			}
			if _, ok, err := told(r); err != nil || !ok {
				return err
			}
			if err := store.Disabled(msg.Context(), name); err != nil {
				return err // what comes meanwhile stays in the log, and the checkpoint where it is
			}
			return bus.Once(msg, func(ctx context.Context, tx *sql.Tx) error { return store.Queue(ctx, tx, r, name, r.ID) })
		},
		Lanes: []bus.Lane{{
			Name: name, Pauses: bus.UsualPauses(), AtOnce: 4, Disable: webhookOff,
			Send: func(ctx context.Context, s bus.Sending) error {
				r, err := recordedAt(ctx, log, s)
				if errors.Is(err, domain.ErrNotFound) {
					return nil // the log lost it: it did not happen
				}
				if err != nil {
					return err
				}
				c, ok, err := told(r)
				if err != nil || !ok {
					return err
				}
				m, err := c.Message(bus.Structured)
				if err != nil {
					return err
				}
				return e.client.Send(ctx, c.ID, m.Metadata.Get("Content-Type"), m.Payload)
			},
		}},
	}
}

// recordedAt reads the event of a sending. It is [domain.ErrNotFound] where the log has
// another in its place.
func recordedAt(ctx context.Context, log domain.EventLog, s bus.Sending) (domain.Recorded, error) {
	r, err := eventAt(ctx, log, s)
	if err == nil && r.ID != s.ID {
		return domain.Recorded{}, fmt.Errorf("event %s: %w", s.ID, domain.ErrNotFound)
	}
	return r, err
}

// eventAt reads the event in the place of a sending's.
func eventAt(ctx context.Context, log domain.EventLog, s bus.Sending) (domain.Recorded, error) {
	for r, err := range domain.Events(log.ReadStream(ctx, s.Stream, s.Version-1)) {
		if err != nil || r.Version == s.Version {
			return r, err
		}
		break
	}
	return domain.Recorded{}, fmt.Errorf("%s version %d: %w", s.Stream, s.Version, domain.ErrNotFound)
}
