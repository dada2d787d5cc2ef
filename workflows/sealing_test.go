package workflows_test

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
)

const nik = "nik:1171010101900001"

// sealedBench is a bench whose engine seals.
type sealedBench struct {
	*bench
	store *memory.KeyStore
	ring  keys.Ring
	vault *keys.Vault
	clock time.Time
}

func newSealedBench(t *testing.T) *sealedBench {
	t.Helper()
	b := &sealedBench{bench: newBench(t), store: memory.NewKeyStore(), ring: keys.Ring{keys.NewKEK()}, clock: now}
	var err error
	b.vault, err = keys.Open(t.Context(), b.store, keys.Config{Ring: b.ring, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	b.engine = b.sealing()
	return b
}

func (b *sealedBench) sealing() *workflows.Engine {
	var drawn uint64
	return workflows.NewEngine(b.log, b.library, workflows.EngineConfig{
		Now: func() time.Time { return b.clock }, Vault: b.vault,
		Random: func() uint64 { drawn += 0x9E3779B97F4A7C15; return drawn },
	})
}

func (b *sealedBench) apply(t *testing.T, identity domain.Identity) domain.Request {
	t.Helper()
	s := b.submission(t)
	s.Identity, s.Form = identity, domain.Personal{"name": "Cut Invented", "phone": "0811-000-0000"}
	answer, err := b.engine.Submit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return answer.Request
}

func (b *sealedBench) remark(t *testing.T, r domain.Request, role domain.RoleID, action domain.ActionID) error {
	t.Helper()
	_, err := b.engine.Act(t.Context(), r.ID, domain.Act{Header: newHeader(t, role), Action: action, Remark: "call back"})
	return err
}

func (b *sealedBench) verify(t *testing.T) {
	t.Helper()
	v := domain.Verifier{Gapless: true, Found: func(f domain.Fault) { t.Errorf("verify: %+v", f) }, Open: func(box domain.Box, at domain.Place) error {
		_, err := b.vault.Open(t.Context(), box, at)
		return err
	}}
	for e, err := range b.log.ReadAll(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		v.Check(e)
		for _, word := range []string{"Invented", "0811-000", "1171010101900001", "call back"} {
			if bytes.Contains(e.Meta, []byte(word)) || bytes.Contains(e.Data, []byte(word)) || strings.Contains(e.Stream, word) {
				t.Errorf("%s version %d has %q in the clear", e.Stream, e.Version, word)
			}
		}
	}
	v.Finish()
}

func (b *sealedBench) opened(t *testing.T, r domain.Request) []domain.Personal {
	t.Helper()
	var list []domain.Personal
	for e, err := range domain.Events(b.log.ReadStream(t.Context(), domain.RequestStream(r.ID), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Box == nil {
			continue
		}
		p, err := b.vault.Open(t.Context(), *e.Box, e.Place())
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func TestFormAndRemarkAreSealed(t *testing.T) {
	b := newSealedBench(t)
	r := b.apply(t, nik)
	if err := b.remark(t, r, "front-office", "accept"); err != nil {
		t.Fatal(err)
	}
	want := []domain.Personal{
		{"identity": nik, "form": map[string]any{"name": "Cut Invented", "phone": "0811-000-0000"}},
		{"remark": "call back"},
	}
	if d := cmp.Diff(want, b.opened(t, r)); d != "" {
		t.Errorf("opened (-want +got)\n%s", d)
	}
	other := b.apply(t, "NIK: 1171 0101 0190 0001")
	if other.Key != r.Key {
		t.Error("one person, one class, two keys")
	}
	if third := b.apply(t, "nik:1171010101900002"); third.Key == r.Key {
		t.Error("two persons share a key")
	}
	if first, second := b.apply(t, ""), b.apply(t, ""); first.Key == second.Key {
		t.Error("two requests of nobody named share a key")
	}
	b.verify(t)
}

func TestARemarkOnARequestWithoutAForm(t *testing.T) {
	b := newSealedBench(t)
	r := b.submit(t)
	if err := b.remark(t, r, "front-office", "accept"); err != nil {
		t.Fatal(err)
	}
	if err := b.remark(t, r, "health-office", "recommend"); err != nil {
		t.Fatal(err)
	}
	got, err := b.engine.Load(t.Context(), r.ID)
	if err != nil || got.Key == uuid.Nil || len(b.opened(t, r)) != 2 {
		t.Errorf("key %s, %v", got.Key, err)
	}
	b.verify(t)
}

func TestPersonalDataIsRefused(t *testing.T) {
	b := newSealedBench(t)
	for name, c := range map[string]struct {
		change func(*domain.Submit)
		rule   domain.Rule
	}{
		"an identity of no kind":  {func(s *domain.Submit) { s.Identity = "1171010101900001" }, domain.RuleIdentity},
		"a NIK that is too short": {func(s *domain.Submit) { s.Identity = "nik:117101" }, domain.RuleIdentity},
		"a form that is too large": {
			func(s *domain.Submit) { s.Form = domain.Personal{"x": strings.Repeat("x", 70_000)} }, domain.RulePersonalData,
		},
	} {
		s := b.submission(t)
		c.change(&s)
		_, err := b.engine.Submit(t.Context(), s)
		var refusal *domain.Refusal
		if !errors.As(err, &refusal) || refusal.Rule != c.rule || strings.Contains(err.Error(), "117101") {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.engine = b.newEngine(nil)
	s := b.submission(t)
	s.Identity = nik
	var refusal *domain.Refusal
	if _, err := b.engine.Submit(t.Context(), s); !errors.As(err, &refusal) || refusal.Rule != domain.RulePersonalData {
		t.Errorf("without a vault: %v", err)
	}
}

func (b *sealedBench) eraser() *workflows.Eraser {
	return &workflows.Eraser{
		Log: b.log, Engine: b.engine, Library: b.library, Keys: b.vault,
		Now: func() time.Time { return b.clock },
	}
}

func (b *sealedBench) erasure(ground domain.Ground) workflows.Erasure {
	return workflows.Erasure{
		ID: uuid.Must(uuid.NewV7()), Subject: b.vault.Subject(nik), Ground: ground, Note: "letter 12/2026",
		Actor: domain.Actor{ID: "dpo-1", Role: "data-protection", Capacity: domain.CapacityOfficer},
	}
}

func (b *sealedBench) finish(t *testing.T, r domain.Request) {
	t.Helper()
	answer, err := b.engine.Act(t.Context(), r.ID, domain.Act{Header: newHeader(t, "applicant"), Action: "withdraw"})
	if err != nil || answer.Request.Outcome == "" {
		t.Fatalf("%+v, %v", answer.Request, err)
	}
}

func TestWhatMustBeKeptIsNotErased(t *testing.T) {
	b := newSealedBench(t)
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
	b := newSealedBench(t)
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
	b.act(t, r, "health-office", "recommend")
}

func isRule(err error, rule domain.Rule) bool {
	var refusal *domain.Refusal
	return errors.As(err, &refusal) && refusal.Rule == rule
}

// A process died between two steps of an erasure.
func TestResume(t *testing.T) {
	b := newSealedBench(t)
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

// Two engines on one log: what one remembers is out of date, and refuses nothing.
func TestAnEngineDoesNotRefuseByWhatItRemembers(t *testing.T) {
	b := newSealedBench(t)
	a, other := b.engine, b.sealing()
	r := b.submit(t)
	if _, err := other.Act(t.Context(), r.ID, domain.Act{Header: newHeader(t, "front-office"), Action: "accept"}); err != nil {
		t.Fatal(err)
	}
	answer, err := a.Act(t.Context(), r.ID, domain.Act{Header: newHeader(t, "health-office"), Action: "recommend", Expected: 2})
	if err != nil || answer.Request.Version != 3 {
		t.Errorf("%+v, %v", answer.Request, err)
	}
	h := newHeader(t, "licensing")
	first, err := other.Act(t.Context(), r.ID, domain.Act{Header: h, Action: "assign-number"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := a.Act(t.Context(), r.ID, domain.Act{Header: h, Action: "assign-number"})
	if err != nil || !again.Repeated || again.Position != first.Position {
		t.Errorf("%+v, %v", again, err)
	}
	b.verify(t)
}
