package erasure_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/keys"
	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/sample"
)

func TestWhatMustBeKeptIsNotErased(t *testing.T) {
	b := newBench(t)
	r := b.apply(t, nik)
	var refusal *domain.Refusal
	_, err := b.eraser().Erase(t.Context(), b.erasure(domain.GroundSubjectRequest))
	if !errors.As(err, &refusal) || refusal.Rule != domain.RuleRetention || !strings.Contains(refusal.Detail, "open") {
		t.Errorf("an open request was erased: %v", err)
	}
	b.finish(t, r)
	out, err := b.eraser().Erase(t.Context(), b.erasure(domain.GroundSubjectRequest))
	if !errors.As(err, &refusal) || !strings.Contains(refusal.Detail, now.AddDate(5, 0, 0).Format(time.DateOnly)) || len(out.Kept) != 1 {
		t.Errorf("a request in its retention time was erased: %v", err)
	}
	if _, err := b.eraser().Erase(t.Context(), b.erasure("mood")); !errors.As(err, &refusal) || refusal.Rule != domain.RuleGround {
		t.Errorf("erased on no ground: %v", err)
	}
	for note, rule := range map[string]domain.Rule{"letter of budi@example.org": domain.RulePersonalData, "he asked: 0812-3456-7890": domain.RulePersonalData, "letter\n12/2026": domain.RuleText} {
		x := b.erasure(domain.GroundCourtOrder)
		x.Note = note
		if _, err := b.eraser().Erase(t.Context(), x); !errors.As(err, &refusal) || refusal.Rule != rule {
			t.Errorf("note %q: %v", note, err)
		}
	}
	if len(b.opened(t, r)) != 1 {
		t.Error("a refused erasure erased")
	}
	b.clock = now.AddDate(5, 0, 1)
	if _, err := b.eraser().Erase(t.Context(), b.erasure(domain.GroundRetentionEnded)); err != nil {
		t.Errorf("after the retention time: %v", err)
	}
	b.verify(t)
}

// After an erasure, and after the loss of every key, every request folds to the
// same state and every command is decided the same.
func TestReplayWithAllKeysGone(t *testing.T) {
	b := newBench(t)
	r, bystander := b.apply(t, nik), b.apply(t, "nik:1171010101900002")
	if err := b.remark(t, r, "front-office", "accept"); err != nil {
		t.Fatal(err)
	}
	before, err := b.engine.Load(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	x := b.erasure(domain.GroundCourtOrder)
	out, err := b.eraser().Erase(t.Context(), x)
	if err != nil || len(out.Erased) != 1 || out.Erased[0].ID != r.Key {
		t.Fatalf("%+v, %v", out, err)
	}
	again, err := b.eraser().Erase(t.Context(), x)
	if d := cmp.Diff(out, again); err != nil || d != "" {
		t.Errorf("repeated: %v (-first +again)\n%s", err, d)
	}
	if _, err := b.eraser().Erase(t.Context(), b.erasure(domain.GroundCourtOrder)); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("nothing is left to erase: %v", err)
	}
	if err := b.remark(t, r, "health-office", "recommend"); !isRule(err, domain.RuleErased) {
		t.Errorf("a remark under a destroyed key: %v", err)
	}
	if len(b.opened(t, bystander)) != 1 {
		t.Error("somebody else was erased")
	}
	b.verify(t)

	b.store = memory.NewKeyStore() // not one key left
	b.vault, err = keys.Open(t.Context(), b.store, keys.Config{Ring: keys.Ring{keys.NewKEK()}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	b.engine = b.sealing()
	after, err := b.engine.Load(t.Context(), r.ID)
	if d := cmp.Diff(before, after, cmp.AllowUnexported(domain.Request{}), cmp.Exporter(func(reflect.Type) bool { return true })); err != nil || d != "" {
		t.Errorf("folded without keys: %v (-before +after)\n%s", err, d)
	}
	if _, err := b.engine.Act(t.Context(), r.ID, domain.Act{Header: newHeader("health-office"), Action: "recommend"}); err != nil {
		t.Error(err)
	}
}

// A process died between two steps of an erasure.
func TestResume(t *testing.T) {
	b := newBench(t)
	r := b.apply(t, nik)
	x := b.erasure(domain.GroundUnlawful)
	if _, err := b.vault.Mark(t.Context(), x.ID, []uuid.UUID{r.Key}); err != nil {
		t.Fatal(err)
	}
	if err := b.eraser().Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if k, err := b.store.Get(t.Context(), r.Key); err != nil || k.State != domain.KeyLive {
		t.Errorf("an erasure that was never recorded: key is %s, %v", k.State, err)
	}
	failing := *b.eraser()
	failing.Keys = noDestruction{b.vault}
	if _, err := failing.Erase(t.Context(), x); err == nil {
		t.Fatal("the keys are there, and nobody is told")
	}
	if err := b.eraser().Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if k, err := b.store.Get(t.Context(), r.Key); err != nil || k.State != domain.KeyDestroyed {
		t.Errorf("a recorded erasure: key is %s, %v", k.State, err)
	}
	b.verify(t)
}

// noDestruction is a key ring whose store fails at the last step.
type noDestruction struct{ *keys.Vault }

func (noDestruction) Destroy(context.Context, uuid.UUID) (int, error) {
	return 0, fmt.Errorf("disk on fire")
}

// The id of a finished erasure erases nobody else, and does not say that it did.
func TestTheIDOfAnotherErasureIsRefused(t *testing.T) {
	b := newBench(t)
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
	b := newBench(t)
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
	b := newBench(t)
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
			b := newBench(t)
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
			s := b.submission()
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
	b := newBench(t)
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
	b := newBench(t)
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

// Repeating an erasure whose key lives again destroys what it destroyed before, and
// not what was sealed since and must be kept.
func TestARepeatedErasureKeepsWhatMustBeKept(t *testing.T) {
	for name, open := range map[string]bool{"an open request since": true, "nothing since": false} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
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
	b := newBench(t)
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
	b := newBench(t)
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

// Who gave a mandate stays known while it holds, and no longer; what was done under it
// stays as it is.
func TestAMandateThatHoldsIsKept(t *testing.T) {
	b := newBench(t)
	m, err := b.engine.Grant(t.Context(), domain.GrantMandate{
		Header: newHeader("front-office"), Tenant: sample.Tenant, Principal: nik, MandateGranted: domain.MandateGranted{
			Holder: "agent-1", Services: []string{"sip-dokter"}, From: "2026-11-23", Until: "2026-12-31", Document: strings.Repeat("ab", 32),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.eraser().Erase(t.Context(), b.erasure(domain.GroundSubjectRequest))
	if !isRule(err, domain.RuleRetention) || !strings.Contains(err.Error(), m.ID.String()) {
		t.Errorf("while it holds: %v", err)
	}
	if _, err := b.engine.EndMandate(t.Context(), m.ID, domain.EndMandate{Header: newHeader("front-office"), End: domain.MandateRevoked}); err != nil {
		t.Fatal(err)
	}
	done, err := b.eraser().Erase(t.Context(), b.erasure(domain.GroundSubjectRequest))
	if err != nil || len(done.Erased) != 1 || done.Erased[0].Class != domain.MandateClass {
		t.Errorf("when it has ended: %+v, %v", done, err)
	}
	if again, err := b.engine.Mandate(t.Context(), m.ID); err != nil || again.Holder != "agent-1" {
		t.Errorf("then: %+v, %v", again, err)
	}
}

// A request that was filed under a mandate is over, its time of keeping is too, and its
// applicant wants it erased. While the mandate holds it is not: the request names it, and it
// is known who gave it.
func TestAnErasedRequestNamesNoMandateThatSaysWhoseItWas(t *testing.T) {
	b := newBench(t)
	source := bytes.Replace(sample.Licence, []byte("[self, counter]"), []byte("[self, counter, proxy]"), 1)
	d, err := workflows.Read("w.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.library.Publish(t.Context(), workflows.Publication{
		Tenant: sample.Tenant, Source: source, Definition: d, Occurred: now, At: now, Why: "test", Trial: "to be tried",
		Actor: domain.Actor{ID: "admin-1", Role: "admin", Capacity: domain.CapacityOfficer},
	}); err != nil {
		t.Fatal(err)
	}
	b.engine = b.sealing()
	m, err := b.engine.Grant(t.Context(), domain.GrantMandate{
		Header: newHeader("front-office"), Tenant: sample.Tenant, Principal: nik, MandateGranted: domain.MandateGranted{
			Holder: "agent-1", Services: []string{"sip-dokter"}, From: "2026-11-23", Until: "2036-11-20", Document: strings.Repeat("ab", 32),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	agent := domain.Actor{ID: "agent-1", Role: "applicant", Capacity: domain.CapacityProxy, Mandate: m.ID}
	s := b.submission()
	s.Actor, s.Identity, s.Form = agent, nik, domain.Personal{"name": "Cut Invented"}
	a, err := b.engine.Submit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.engine.Act(t.Context(), a.Request.ID, domain.Act{Header: domain.Header{ID: uuid.Must(uuid.NewV7()), Actor: agent}, Action: "withdraw"}); err != nil {
		t.Fatal(err)
	}
	b.clock = now.AddDate(6, 0, 0)
	e := b.eraser()
	clock := b.clock
	e.Now = func() time.Time { return clock }
	if done, err := e.Erase(t.Context(), b.erasure(domain.GroundSubjectRequest)); !isRule(err, domain.RuleRetention) || len(done.Erased) > 0 {
		t.Errorf("while the mandate holds: %+v, %v", done, err)
	}
	if _, err := b.engine.EndMandate(t.Context(), m.ID, domain.EndMandate{Header: newHeader("front-office"), End: domain.MandateRevoked}); err != nil {
		t.Fatal(err)
	}
	if done, err := e.Erase(t.Context(), b.erasure(domain.GroundSubjectRequest)); err != nil || len(done.Erased) != 2 {
		t.Fatalf("%+v, %v", done, err)
	}
	for ev, err := range domain.Events(b.log.ReadStream(t.Context(), domain.RequestStream(a.Request.ID), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		if ev.Box != nil {
			if _, err := b.vault.Open(t.Context(), *ev.Box, ev.Place()); err == nil {
				t.Error("not erased")
			}
		}
		if ev.Actor.Mandate == uuid.Nil {
			continue
		}
		for g, err := range domain.Events(b.log.ReadStream(t.Context(), domain.MandateStream(ev.Actor.Mandate), 0)) {
			if err != nil {
				t.Fatal(err)
			}
			if p, err := b.vault.Open(t.Context(), *g.Box, g.Place()); err == nil {
				t.Errorf("version %d of the erased request leads to %v", ev.Version, p["identity"])
			}
			break
		}
	}
}
