package workflows_test

import (
	"bytes"
	"errors"
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

func isRule(err error, rule domain.Rule) bool {
	var refusal *domain.Refusal
	return errors.As(err, &refusal) && refusal.Rule == rule
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
