package workflows_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/keys"
	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// A command that repeats another in all but what is sealed is another command:
// answered as the first, it would be lost, and its sender told of somebody else's
// request.
func TestACommandWithOtherPersonalDataIsNoRepetition(t *testing.T) {
	b := newSealedBench(t)
	s := b.submission(t)
	s.Identity, s.Form = nik, domain.Personal{"name": "Cut Invented", "children": 2.0}
	first, err := b.engine.Submit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := b.engine.Submit(t.Context(), s); err != nil || !again.Repeated || again.Request.ID != first.Request.ID {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	for name, change := range map[string]func(*domain.Submit){
		"another person": func(s *domain.Submit) { s.Identity = "nik:1171010101900002" },
		"another form":   func(s *domain.Submit) { s.Form = domain.Personal{"name": "Budi Invented", "children": 2.0} },
		"no form":        func(s *domain.Submit) { s.Form = nil },
		"nothing":        func(s *domain.Submit) { s.Identity, s.Form = "", nil },
	} {
		other := s
		change(&other)
		if _, err := b.engine.Submit(t.Context(), other); !isRule(err, domain.RuleCommandReused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	act := domain.Act{Header: newHeader(t, "front-office"), Action: "accept", Remark: "first"}
	if _, err := b.engine.Act(t.Context(), first.Request.ID, act); err != nil {
		t.Fatal(err)
	}
	if again, err := b.engine.Act(t.Context(), first.Request.ID, act); err != nil || !again.Repeated {
		t.Errorf("the same action again: %+v, %v", again, err)
	}
	for _, remark := range []string{"second", ""} {
		act.Remark = remark
		if _, err := b.engine.Act(t.Context(), first.Request.ID, act); !isRule(err, domain.RuleCommandReused) {
			t.Errorf("remark %q: %v", remark, err)
		}
	}
	b.verify(t)
}

func TestNumbersThatWouldBeAlteredAreRefused(t *testing.T) {
	b := newSealedBench(t)
	for _, form := range []domain.Personal{
		{"nik": 9471010101900001.0}, {"list": []any{1.0, map[string]any{"n": -9471010101900001.0}}},
	} {
		s := b.submission(t)
		s.Form = form
		if _, err := b.engine.Submit(t.Context(), s); !isRule(err, domain.RulePersonalData) {
			t.Errorf("%v: %v", form, err)
		}
	}
}

func (b *sealedBench) state(t *testing.T, key uuid.UUID) domain.KeyState {
	t.Helper()
	s, _, err := b.vault.State(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The id of a finished erasure erases nobody else, and does not say that it did.
func TestTheIDOfAnotherErasureIsRefused(t *testing.T) {
	b := newSealedBench(t)
	b.apply(t, nik)
	other := b.apply(t, "nik:1171010101900002")
	x := b.erasure(domain.GroundCourtOrder)
	if _, err := b.eraser().Erase(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	copied := x
	copied.Subject = b.vault.Subject("nik:1171010101900002")
	if _, err := b.eraser().Erase(t.Context(), copied); !isRule(err, domain.RuleCommandReused) {
		t.Errorf("another person: %v", err)
	}
	copied = x
	copied.Note = "another letter"
	if _, err := b.eraser().Erase(t.Context(), copied); !isRule(err, domain.RuleCommandReused) {
		t.Errorf("another note: %v", err)
	}
	if got := b.state(t, other.Key); got != domain.KeyLive {
		t.Errorf("the other person's key is %s", got)
	}
}

// An erasure that was cut off leaves a marked key, and the person applies again:
// both keys are gone when the next erasure says that they are.
func TestErasureTakesOverWhatAnotherLeft(t *testing.T) {
	b := newSealedBench(t)
	r := b.apply(t, nik)
	left := uuid.Must(uuid.NewV7())
	if _, err := b.vault.Mark(t.Context(), left, []uuid.UUID{r.Key}); err != nil {
		t.Fatal(err)
	}
	next := b.apply(t, nik)
	if next.Key == r.Key {
		t.Fatal("a marked key was sealed under")
	}
	done, err := b.eraser().Erase(t.Context(), b.erasure(domain.GroundCourtOrder))
	if err != nil || len(done.Erased) != 2 {
		t.Fatalf("%+v, %v", done, err)
	}
	for _, key := range []uuid.UUID{r.Key, next.Key} {
		if got := b.state(t, key); got != domain.KeyDestroyed {
			t.Errorf("key %s is %s", key, got)
		}
	}
	if err := b.eraser().Resume(t.Context()); err != nil {
		t.Error(err)
	}
	b.verify(t)
}

// What another node seals while the keys are being marked is looked at again: a
// request that must be kept is not erased, and the keys live on.
func TestErasureLooksAgainAfterMarking(t *testing.T) {
	b := newSealedBench(t)
	r := b.apply(t, nik)
	b.finish(t, r)
	b.clock = now.AddDate(5, 0, 1)
	e := b.eraser()
	settled := false
	e.Settle = func(context.Context) error {
		settled = true
		b.clock = now // as if the request had ended just now
		return nil
	}
	_, err := e.Erase(t.Context(), b.erasure(domain.GroundRetentionEnded))
	if !settled || !isRule(err, domain.RuleRetention) {
		t.Errorf("settled %t, %v", settled, err)
	}
	if got := b.state(t, r.Key); got != domain.KeyLive {
		t.Errorf("the key is %s", got)
	}
	stopped := errors.New("stopped")
	b.clock = now.AddDate(5, 0, 1)
	e.Settle = func(context.Context) error { return stopped }
	if _, err := e.Erase(t.Context(), b.erasure(domain.GroundRetentionEnded)); !errors.Is(err, stopped) {
		t.Errorf("an erasure that could not settle: %v", err)
	}
	if len(b.opened(t, r)) != 1 {
		t.Error("it was erased all the same")
	}
}

// slow is a log on whose appends something happens in the meantime.
type slow struct {
	domain.EventLog
	meanwhile func()
}

func (s *slow) Append(ctx context.Context, a domain.Append) (domain.Appended, error) {
	if f := s.meanwhile; f != nil {
		s.meanwhile = nil
		f()
	}
	return s.EventLog.Append(ctx, a)
}

// A node that is slower than an erasure waits records personal data that nobody
// can open. It does not say that all is well, and verifying finds it.
func TestARecordedButErasedCommandIsNotAcknowledged(t *testing.T) {
	for name, late := range map[string]time.Duration{"too late": time.Second, "in time": 0} {
		t.Run(name, func(t *testing.T) {
			b := newSealedBench(t)
			clock, ring := now, keys.Ring{keys.NewKEK()}
			store := memory.NewKeyStore()
			node := func() *keys.Vault {
				v, err := keys.Open(t.Context(), store, keys.Config{Ring: ring, Trust: time.Second, Now: func() time.Time { return clock }})
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			b.vault = node()
			b.engine = b.sealing()
			first := b.apply(t, nik)
			log := &slow{EventLog: b.log}
			other := workflows.NewEngine(log, b.library, workflows.EngineConfig{Now: func() time.Time { return b.clock }, Random: func() uint64 { return 7 }, Vault: node()})
			s := b.submission(t)
			s.Identity = nik
			log.meanwhile = func() {
				if late > 0 {
					if _, err := b.eraser().Erase(t.Context(), b.erasure(domain.GroundCourtOrder)); err != nil {
						t.Error(err)
					}
				}
				clock = clock.Add(late)
			}
			_, err := other.Submit(t.Context(), s)
			if late == 0 {
				if err != nil || b.state(t, first.Key) != domain.KeyLive {
					t.Errorf("%v", err)
				}
				b.verify(t)
				return
			}
			if !isRule(err, domain.RuleErased) {
				t.Errorf("acknowledged: %v", err)
			}
			var faults []domain.Fault
			v := domain.Verifier{Gapless: true, Found: func(f domain.Fault) { faults = append(faults, f) }, Open: func(box domain.Box, at domain.Place) error {
				_, err := b.vault.Open(t.Context(), box, at)
				return err
			}}
			for e, err := range b.log.ReadAll(t.Context(), 0) {
				if err != nil {
					t.Fatal(err)
				}
				v.Check(e)
			}
			v.Finish()
			if len(faults) != 1 || faults[0].Kind != domain.FaultKey || faults[0].Position != v.Last {
				t.Errorf("verify: %+v", faults)
			}
		})
	}
}

// stopping is a key ring that somebody interrupts while a key is marked.
type stopping struct {
	*keys.Vault
	stop context.CancelFunc
}

func (s stopping) Mark(ctx context.Context, erasure uuid.UUID, ids []uuid.UUID) (int, error) {
	defer s.stop()
	return s.Vault.Mark(ctx, erasure, ids)
}

func (s stopping) Unmark(ctx context.Context, erasure uuid.UUID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.Vault.Unmark(ctx, erasure)
}

// Who interrupts an erasure before it is recorded finds the key as it was.
func TestAnInterruptedErasureGivesTheKeyBack(t *testing.T) {
	b := newSealedBench(t)
	r := b.apply(t, nik)
	ctx, stop := context.WithCancel(t.Context())
	e := b.eraser()
	e.Keys = stopping{b.vault, stop}
	e.Settle = func(ctx context.Context) error { return ctx.Err() }
	if _, err := e.Erase(ctx, b.erasure(domain.GroundCourtOrder)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if got := b.state(t, r.Key); got != domain.KeyLive {
		t.Errorf("the key is %s", got)
	}
}

// Where other processes write, an erasure that is not recorded may be under way: it
// is not taken from whoever carries it out, but its id is told.
func TestAnErasureUnderWayIsLeftAlone(t *testing.T) {
	b := newSealedBench(t)
	r := b.apply(t, nik)
	other := b.erasure(domain.GroundCourtOrder)
	if _, err := b.vault.Mark(t.Context(), other.ID, []uuid.UUID{r.Key}); err != nil {
		t.Fatal(err)
	}
	e := b.eraser()
	e.Settle = func(context.Context) error { return nil }
	if _, err := e.Erase(t.Context(), b.erasure(domain.GroundCourtOrder)); !isRule(err, domain.RuleErased) || !strings.Contains(err.Error(), other.ID.String()) {
		t.Errorf("%v", err)
	}
	if got := b.state(t, r.Key); got != domain.KeyErasing {
		t.Errorf("the key is %s", got)
	}
	if done, err := e.Erase(t.Context(), other); err != nil || len(done.Erased) != 1 {
		t.Errorf("under its id: %+v, %v", done, err)
	}
	b.verify(t)
}

// restored is a key store in which a destroyed key lives again, as after an older
// backup was put back.
func (b *sealedBench) restored(t *testing.T, was ...domain.StoredKey) {
	t.Helper()
	store := memory.NewKeyStore()
	secret, err := b.store.Secret(t.Context(), "subject", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Secret(t.Context(), "subject", secret); err != nil {
		t.Fatal(err)
	}
	for _, k := range was {
		if _, err := store.Put(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	b.store = store
	if b.vault, err = keys.Open(t.Context(), store, keys.Config{Ring: b.ring, Now: func() time.Time { return now }}); err != nil {
		t.Fatal(err)
	}
	b.engine = b.sealing()
}

// Repeating an erasure whose key lives again destroys what it destroyed before, and
// not what was sealed since and must be kept.
func TestARepeatedErasureKeepsWhatMustBeKept(t *testing.T) {
	for name, open := range map[string]bool{"an open request since": true, "nothing since": false} {
		t.Run(name, func(t *testing.T) {
			b := newSealedBench(t)
			r := b.apply(t, nik)
			was, err := b.store.Get(t.Context(), r.Key)
			if err != nil {
				t.Fatal(err)
			}
			was.Wrapped = bytes.Clone(was.Wrapped) // the store overwrites its own
			b.finish(t, r)
			b.clock = now.AddDate(5, 0, 1)
			x := b.erasure(domain.GroundRetentionEnded)
			if _, err := b.eraser().Erase(t.Context(), x); err != nil {
				t.Fatal(err)
			}
			b.restored(t, was)
			want := domain.KeyDestroyed
			if open {
				b.apply(t, nik)
				want = domain.KeyLive
			}
			if _, err := b.eraser().Erase(t.Context(), x); isRule(err, domain.RuleRetention) != open || err != nil && !open {
				t.Errorf("%v", err)
			}
			if got := b.state(t, r.Key); got != want {
				t.Errorf("the key is %s, want %s", got, want)
			}
		})
	}
}

// A node that starts ends erasures that are recorded, and leaves those alone that
// another may be carrying out; one that is given up gives its keys back, one that is
// recorded is not given up.
func TestResumeAndReleaseBesideOthers(t *testing.T) {
	b := newSealedBench(t)
	r := b.apply(t, nik)
	e := b.eraser()
	e.Settle = func(context.Context) error { return nil }
	x := b.erasure(domain.GroundCourtOrder)
	if _, err := b.vault.Mark(t.Context(), x.ID, []uuid.UUID{r.Key}); err != nil {
		t.Fatal(err)
	}
	if err := e.Resume(t.Context()); err != nil || b.state(t, r.Key) != domain.KeyErasing {
		t.Errorf("a node that starts: %v, key is %s", err, b.state(t, r.Key))
	}
	if err := e.Release(t.Context(), x.ID); err != nil || b.state(t, r.Key) != domain.KeyLive {
		t.Errorf("given up: %v, key is %s", err, b.state(t, r.Key))
	}
	failing := *e
	failing.Keys = noDestruction{b.vault}
	if _, err := failing.Erase(t.Context(), x); err == nil {
		t.Fatal("the keys are there, and nobody is told")
	}
	if err := e.Release(t.Context(), x.ID); !isRule(err, domain.RuleErased) {
		t.Errorf("a recorded one was given up: %v", err)
	}
	if err := e.Resume(t.Context()); err != nil || b.state(t, r.Key) != domain.KeyDestroyed {
		t.Errorf("a recorded one: %v, key is %s", err, b.state(t, r.Key))
	}
}

// An older key store that never had a key is as good as one in which it is destroyed.
func TestARepeatedErasureOfAKeyThatTheStoreNeverHad(t *testing.T) {
	b := newSealedBench(t)
	r := b.apply(t, nik)
	x := b.erasure(domain.GroundCourtOrder)
	if _, err := b.eraser().Erase(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	b.restored(t)
	if done, err := b.eraser().Erase(t.Context(), x); err != nil || len(done.Erased) != 1 || done.Erased[0].ID != r.Key {
		t.Errorf("%+v, %v", done, err)
	}
}
