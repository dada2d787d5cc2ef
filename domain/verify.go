package domain

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// FaultKind names what can be wrong with a log.
type FaultKind string

// The kinds of fault.
const (
	FaultOrder      FaultKind = "order"      // positions do not grow
	FaultGap        FaultKind = "gap"        // positions leave one out, in a log that leaves none out
	FaultVersion    FaultKind = "version"    // a stream's versions do not run 1, 2, 3
	FaultChain      FaultKind = "chain"      // an event does not carry the hash of the one before it
	FaultDouble     FaultKind = "double"     // an event id stands twice
	FaultUnreadable FaultKind = "unreadable" // envelope or body does not decode
	FaultDamage     FaultKind = "damage"     // the store's files are not what they were
	FaultCommitment FaultKind = "commitment" // sealed data does not open, or is not what was committed to
	FaultDraw       FaultKind = "draw"       // work went to another than its rule and its seed say
	FaultKey        FaultKind = "key"        // a key is gone without an erasure, or there in spite of one
	FaultMandate    FaultKind = "mandate"    // it was done under a mandate that does not cover it
)

// Fault is one thing that is wrong, and where. Detail holds no personal data.
type Fault struct {
	Kind     FaultKind `json:"kind"`
	Position Position  `json:"position,omitempty"`
	Stream   string    `json:"stream,omitempty"`
	Version  Version   `json:"version,omitempty"`
	Detail   string    `json:"detail"`
}

// Verifier checks a log entry by entry, in the order of positions. It finds every
// fault, not the first. It remembers the tip of each stream and eight bytes of
// each event, some 30 bytes an event in all.
type Verifier struct {
	// Gapless says that the log's positions run 1, 2, 3.
	Gapless bool
	// Open opens a box, as a vault does: nil, [ErrErased], [ErrUnsealed],
	// [ErrNotFound] for a key that is in no store. An empty box only asks for its
	// key. Nil where no keys are at hand: what is sealed is then not looked into.
	Open func(Box, Place) error
	// Found is told each fault as it is found.
	Found func(Fault)

	// Err is why something sealed could not be looked into, which says nothing of
	// it. What was checked is then not the whole: Unlooked events were left out.
	Err      error
	Unlooked int

	Events  int
	Streams map[string]Tip
	Boxes   int
	Faults  int
	// Digest stands for all entries in their order, but not for their positions: a
	// faithful copy in another store has the same.
	Digest Hash
	Last   Position

	seen    map[uint64]bool
	erased  map[uuid.UUID]bool  // by an event
	gone    map[uuid.UUID]Fault // by key: the last event that could not be opened
	opened  map[uuid.UUID]Fault // or could; without details
	damaged map[uuid.UUID]Fault

	mandates map[uuid.UUID]Mandate
}

// Check checks the next entry.
func (v *Verifier) Check(e Entry) {
	if v.Streams == nil {
		v.Streams, v.seen = map[string]Tip{}, map[uint64]bool{}
		v.erased, v.gone, v.opened = map[uuid.UUID]bool{}, map[uuid.UUID]Fault{}, map[uuid.UUID]Fault{}
		v.damaged, v.mandates = map[uuid.UUID]Fault{}, map[uuid.UUID]Mandate{}
	}
	v.Events++
	v.place(e)
	r, err := Decode(e)
	if err != nil {
		v.found(e, FaultUnreadable, "%v", err)
	} else {
		v.content(e, r)
	}
	tip := e.Tip()
	v.Streams[e.Stream] = tip
	v.Digest = sha256.Sum256(append(v.Digest[:], tip.Hash[:]...))
}

// place checks where the entry stands.
func (v *Verifier) place(e Entry) {
	switch {
	case e.Position <= v.Last:
		v.found(e, FaultOrder, "position %d comes after %d", e.Position, v.Last)
	case v.Gapless && e.Position != v.Last+1:
		v.found(e, FaultGap, "positions %d to %d are missing", v.Last+1, e.Position-1)
	}
	v.Last = max(v.Last, e.Position)
	if tip := v.Streams[e.Stream]; e.Version != tip.Version+1 {
		v.found(e, FaultVersion, "version %d comes after %d", e.Version, tip.Version)
	}
	short := binary.BigEndian.Uint64(e.ID[8:])
	if v.seen[short] {
		v.found(e, FaultDouble, "event id %s was there before", e.ID)
	}
	v.seen[short] = true
}

// content checks what the entry says.
func (v *Verifier) content(e Entry, r Recorded) {
	if want := v.Streams[e.Stream].Hash; r.Prev != want {
		v.found(e, FaultChain, "it does not follow from what stands before it: it carries hash %s, that one has %s", orNone(r.Prev), orNone(want))
	}
	if err := sound(r); err != nil {
		v.found(e, FaultUnreadable, "%v", err)
	}
	switch b := r.Body.(type) {
	case SubjectErased:
		for _, k := range b.Keys {
			v.erased[k.ID] = true
		}
	case WorkflowPublished:
		if !b.Intact() {
			v.found(e, FaultCommitment, "the definition is not the one that was published: it has another hash")
		}
	case TaskAllocated:
		request, _ := uuid.Parse(strings.TrimPrefix(e.Stream, "request-"))
		if drawn := b.Drawn(request); drawn != b.To {
			v.found(e, FaultDraw, "the work was given to %q; by rule %s and its seed it goes to %q", b.To, b.Rule, drawn)
		}
	case DecreeAdded:
		if !b.Intact() {
			v.found(e, FaultCommitment, "the decree is not the one that was added: it has another hash")
		}
	}
	v.mandated(e, r)
	if r.Box == nil {
		return
	}
	v.Boxes++
	if v.Open == nil {
		return
	}
	if v.erased[r.Box.Key] {
		v.found(e, FaultKey, "it was sealed under key %s, whose erasure was recorded before", r.Box.Key)
		return
	}
	key, at := r.Box.Key, Fault{Kind: FaultKey, Position: e.Position, Stream: e.Stream, Version: e.Version}
	switch err := v.Open(*r.Box, r.Place()); {
	case err == nil:
		v.opened[key] = at
	case errors.Is(err, ErrErased), errors.Is(err, ErrNotFound):
		v.gone[key] = at
	case errors.Is(err, ErrUnsealed):
		v.found(e, FaultCommitment, "key %s: %v", key, err)
	case errors.Is(err, ErrDamagedKey), errors.Is(err, ErrDamaged):
		at.Detail = fmt.Sprintf("key %s is damaged: %v", key, ErrDamagedKey)
		v.damaged[key] = at
	default: // of the key store, not of the log
		v.Unlooked++
		v.Err = cmp.Or(v.Err, fmt.Errorf("position %d: key %s: %w", e.Position, key, err))
	}
}

// overlap is how long after the end of a mandate something may be recorded under it: what
// was being decided as it ended, on a node whose clock may be another.
const overlap = time.Minute

// mandated checks what was done under a mandate. Whose it is, is sealed, and not looked at.
func (v *Verifier) mandated(e Entry, r Recorded) {
	switch r.Body.(type) {
	case MandateGranted, MandateEnded:
		if id, err := uuid.Parse(strings.TrimPrefix(e.Stream, "mandate-")); err == nil {
			v.mandates[id] = EvolveMandate(v.mandates[id], r)
		}
	}
	if r.Actor.Mandate == uuid.Nil {
		return
	}
	m := v.mandates[r.Actor.Mandate]
	if r.Occurred.Before(m.Ended.Add(overlap)) {
		m.End = ""
	}
	if why := m.uncovered(r.Actor, r.Tenant, r.Service, r.Occurred); why != "" {
		v.found(e, FaultMandate, "it names mandate %s: %s", r.Actor.Mandate, why)
	}
}

// Damage reports what the store says of itself; behind a position that it could
// still read, or 0.
func (v *Verifier) Damage(after Position, detail string) {
	v.tell(Fault{Kind: FaultDamage, Position: after, Detail: detail})
}

// sound holds what every event of a type says, wherever it stands.
func sound(r Recorded) error {
	request := strings.HasPrefix(r.Stream, "request-")
	switch b := r.Body.(type) {
	case RequestSubmitted:
		if !request || r.Version != 1 || b.Request == uuid.Nil || b.State == "" || b.Public == "" {
			return errors.New("a submission that begins no request")
		}
	case ActionTaken:
		if !request || r.Version == 1 || b.Action == "" || b.From == "" || b.To == "" || b.Public == "" {
			return errors.New("an action that leads from nowhere to nowhere")
		}
	case SubjectErased:
		if len(b.Keys) == 0 {
			return errors.New("an erasure of nothing")
		}
	}
	return nil
}

// Finish checks what can be known only at the end: keys against erasures. A key
// that was erased while the log was read is given another look.
func (v *Verifier) Finish() {
	faults := slices.Collect(maps.Values(v.damaged))
	for key, f := range v.gone {
		if !v.erased[key] {
			f.Detail = fmt.Sprintf("key %s is gone, and no erasure says so", key)
			faults = append(faults, f)
		}
	}
	for key, f := range v.opened {
		if !v.erased[key] {
			continue
		}
		switch err := v.Open(Box{Key: key}, Place{}); {
		case err == nil, errors.Is(err, ErrUnsealed):
			f.Detail = fmt.Sprintf("key %s was erased, but is still there", key)
			faults = append(faults, f)
		case !errors.Is(err, ErrErased) && !errors.Is(err, ErrNotFound):
			v.Err = cmp.Or(v.Err, fmt.Errorf("key %s: %w", key, err))
		}
	}
	slices.SortFunc(faults, func(a, b Fault) int { return cmp.Compare(a.Position, b.Position) })
	for _, f := range faults {
		v.tell(f)
	}
}

func (v *Verifier) found(e Entry, kind FaultKind, format string, args ...any) {
	v.tell(Fault{Kind: kind, Position: e.Position, Stream: e.Stream, Version: e.Version, Detail: fmt.Sprintf(format, args...)})
}

func (v *Verifier) tell(f Fault) {
	v.Faults++
	if v.Found != nil {
		v.Found(f)
	}
}

func orNone(h Hash) string {
	if h.IsZero() {
		return "none"
	}
	return h.String()
}
