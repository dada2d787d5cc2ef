package projections

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/alur-id/alur/domain"
)

// lookWhileWaiting is how often a reader who waits for its own write looks how far a
// view is that another node runs.
const lookWhileWaiting = 20 * time.Millisecond

// WaitFor returns when the named views, or all where none is named, have folded
// the event at a position, whichever process folds it, or with the context's error. Of
// one that is paused before it, it says so by a [*PausedError]. It is how a reader sees
// its own write.
func (v *Views) WaitFor(ctx context.Context, position domain.Position, names ...string) error {
	tick := time.NewTicker(lookWhileWaiting)
	defer tick.Stop()
	for _, w := range v.views {
		for len(names) == 0 || slices.Contains(names, w.Name()) {
			w.mu.Lock()
			at, stale, moved := w.at, w.stale, w.moved
			w.mu.Unlock()
			if at.position >= position && !stale {
				break
			}
			if at.paused {
				return &PausedError{w.Name(), at.position}
			}
			select {
			case <-moved:
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
				switch err := v.look(ctx, lookWhileWaiting); {
				case err == nil:
				case ctx.Err() != nil: // drivers tell an interrupted question in other words
					return ctx.Err()
				default:
					return err
				}
			}
		}
	}
	return nil
}

// Lag is how far a view is behind the log.
type Lag struct {
	View     string          `json:"view"`
	Position domain.Position `json:"position"`
	Head     domain.Position `json:"head"`
	Events   int64           `json:"events"`            // that are not folded; MostCounted stands for that many or more
	Seconds  float64         `json:"seconds"`           // since the first of these was recorded
	Here     bool            `json:"here"`              // it is run by this process
	Paused   bool            `json:"paused,omitempty"`  // somebody paused it
	Stopped  *Event          `json:"stopped,omitempty"` // it cannot fold this event
	Anew     bool            `json:"anew,omitempty"`    // it is of another version of the program and has to be built anew
	Fault    string          `json:"fault,omitempty"`   // why it does not advance, if it was not paused
}

// What a view does, as [Lag.State] names it.
const (
	StateCurrent = "current"
	StateBehind  = "behind"
	StatePaused  = "paused"
	StateStopped = "stopped"
	StateAnew    = "to be built anew"
	StateFailing = "failing"
)

// State is what the view does, in few words.
func (l Lag) State() string {
	switch {
	case l.Paused:
		return StatePaused
	case l.Stopped != nil:
		return StateStopped
	case l.Anew:
		return StateAnew
	case l.Fault != "":
		return StateFailing
	case l.Position < l.Head:
		return StateBehind
	}
	return StateCurrent
}

// MostCounted is how many events a lag is counted to.
const MostCounted = 100_000

// Lags tells how far each view is behind.
func (v *Views) Lags(ctx context.Context) ([]Lag, error) {
	head, err := v.log.Head(ctx)
	if err != nil {
		return nil, err
	}
	if err := v.look(ctx, lookWhileWaiting); err != nil {
		return nil, err
	}
	lags := make([]Lag, len(v.views))
	behind := map[domain.Position]Lag{} // several are often at the same place
	for i, w := range v.views {
		w.mu.Lock()
		at, failed := w.at, w.err
		l := Lag{View: w.Name(), Position: at.position, Head: max(head, at.position), Paused: at.paused, Stopped: at.fault, Anew: w.stale}
		w.mu.Unlock()
		l.Here = v.running.Load() && v.mine(w)
		switch {
		case at.paused:
		case at.fault != nil:
			l.Fault = fmt.Sprintf("the view cannot fold the %s at position %d; the reason is in the server's log", at.fault.Type, at.fault.Position)
		case failed != nil:
			l.Fault = "the view does not advance; the reason is in the server's log"
		}
		if at.position < head {
			b, ok := behind[at.position]
			if !ok {
				if b, err = v.behind(ctx, at.position, head); err != nil {
					return nil, err
				}
				behind[at.position] = b
			}
			l.Events, l.Seconds = b.Events, b.Seconds
		}
		lags[i] = l
	}
	return lags, nil
}

// count is how many events were counted behind a position, up to another, and when the
// first of them was recorded.
type count struct {
	events  int64
	through domain.Position
	first   time.Time
}

// behind counts the events between two positions, which need not be numbered without
// gaps, and says how old the first is. What was counted before is not read again, so that
// one may ask often of a view that stands still.
func (v *Views) behind(ctx context.Context, after, head domain.Position) (Lag, error) {
	v.counting.Lock()
	c, counted := v.counts[after]
	v.counting.Unlock()
	if !counted || c.through > head { // or an older log was restored
		c = count{through: after}
	}
	var failed error
	for entry, err := range v.log.ReadAll(ctx, c.through) {
		if err != nil {
			failed = err
			break
		}
		if entry.Position > head || c.events == MostCounted {
			break
		}
		if c.events++; c.events == 1 {
			if e, err := domain.Decode(entry); err == nil { // else the view stops there, and says so
				c.first = e.At
			}
		}
		c.through = entry.Position
	}
	v.keepCount(after, c)
	l := Lag{Events: c.events}
	if !c.first.IsZero() {
		l.Seconds = max(0, time.Since(c.first).Seconds())
	}
	return l, failed
}

// keepCount remembers a count as long as a view is there.
func (v *Views) keepCount(after domain.Position, c count) {
	places := map[domain.Position]bool{}
	for _, w := range v.views {
		places[w.seen().position] = true
	}
	v.counting.Lock()
	defer v.counting.Unlock()
	if v.counts == nil {
		v.counts = map[domain.Position]count{}
	}
	v.counts[after] = c
	maps.DeleteFunc(v.counts, func(at domain.Position, _ count) bool { return !places[at] })
}
