package erasure_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/keys"
	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/erasure"
	"github.com/alur-id/alur/workflows/sample"
)

const nik = "nik:1171010101900001"

var now = time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)

// bench is an engine that seals, over a log in memory, with one published workflow.
type bench struct {
	log     *memory.Log
	library *workflows.Library
	engine  *workflows.Engine
	store   *memory.KeyStore
	ring    keys.Ring
	vault   *keys.Vault
	clock   time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{log: memory.New(), store: memory.NewKeyStore(), ring: keys.Ring{keys.NewKEK()}, clock: now}
	b.library = workflows.NewLibrary(b.log)
	d, err := workflows.Read("w.yaml", sample.Licence)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.library.Publish(t.Context(), workflows.Publication{
		Tenant: sample.Tenant, Source: sample.Licence, Definition: d, Occurred: now, At: now, Why: "test", Trial: "to be tried",
		Actor: domain.Actor{ID: "admin-1", Role: "admin", Capacity: domain.CapacityOfficer},
	}); err != nil {
		t.Fatal(err)
	}
	b.vault, err = keys.Open(t.Context(), b.store, keys.Config{Ring: b.ring, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	b.engine = b.sealing()
	return b
}

func newHeader(role domain.RoleID) domain.Header {
	capacity := domain.CapacityOfficer
	if role == "applicant" {
		capacity = domain.CapacitySelf
	}
	return domain.Header{ID: uuid.Must(uuid.NewV7()), Actor: domain.Actor{ID: string(role) + "-1", Role: role, Capacity: capacity}}
}

func (b *bench) submission() domain.Submit {
	return domain.Submit{Header: newHeader("applicant"), Tenant: sample.Tenant, Service: "sip-dokter", Facts: domain.Facts{"kind": "new"}}
}

func (b *bench) sealing() *workflows.Engine {
	var drawn uint64
	return workflows.NewEngine(b.log, b.library, workflows.EngineConfig{
		Now: func() time.Time { return b.clock }, Vault: b.vault,
		Random: func() uint64 { drawn += 0x9E3779B97F4A7C15; return drawn },
	})
}

func (b *bench) apply(t *testing.T, identity domain.Identity) domain.Request {
	t.Helper()
	s := b.submission()
	s.Identity, s.Form = identity, domain.Personal{"name": "Cut Invented", "phone": "0811-000-0000"}
	answer, err := b.engine.Submit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return answer.Request
}

func (b *bench) remark(t *testing.T, r domain.Request, role domain.RoleID, action domain.ActionID) error {
	t.Helper()
	_, err := b.engine.Act(t.Context(), r.ID, domain.Act{Header: newHeader(role), Action: action, Remark: "call back"})
	return err
}

func (b *bench) verify(t *testing.T) {
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

func (b *bench) opened(t *testing.T, r domain.Request) []domain.Personal {
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

func isRule(err error, rule domain.Rule) bool {
	var refusal *domain.Refusal
	return errors.As(err, &refusal) && refusal.Rule == rule
}

func (b *bench) eraser() *erasure.Eraser {
	return &erasure.Eraser{
		Log: b.log, Engine: b.engine, Library: b.library, Keys: b.vault,
		Now: func() time.Time { return b.clock },
	}
}

func (b *bench) erasure(ground domain.Ground) erasure.Erasure {
	return erasure.Erasure{
		ID: uuid.Must(uuid.NewV7()), Subject: b.vault.Subject(nik), Ground: ground, Note: "letter 12/2026",
		Actor: domain.Actor{ID: "dpo-1", Role: "data-protection", Capacity: domain.CapacityOfficer},
	}
}

func (b *bench) finish(t *testing.T, r domain.Request) {
	t.Helper()
	answer, err := b.engine.Act(t.Context(), r.ID, domain.Act{Header: newHeader("applicant"), Action: "withdraw"})
	if err != nil || answer.Request.Outcome == "" {
		t.Fatalf("%+v, %v", answer.Request, err)
	}
}

func (b *bench) state(t *testing.T, key uuid.UUID) domain.KeyState {
	t.Helper()
	s, _, err := b.vault.State(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// restored is a key store in which a destroyed key lives again, as after an older
// backup was put back.
func (b *bench) restored(t *testing.T, was ...domain.StoredKey) {
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
