package keys_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/keys"
	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
)

var (
	now      = time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)
	here     = domain.Place{Stream: "request-1", Version: 1, Type: "RequestSubmitted"}
	personal = domain.Personal{"identity": "nik:1171010101900001", "form": map[string]any{"name": "Cut Invented"}}
)

func open(t *testing.T, store domain.KeyStore, ring keys.Ring, change ...func(*keys.Config)) *keys.Vault {
	t.Helper()
	c := keys.Config{Ring: ring, Now: func() time.Time { return now }}
	for _, f := range change {
		f(&c)
	}
	v, err := keys.Open(t.Context(), store, c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sealed(t *testing.T, v *keys.Vault, identity string) domain.Box {
	t.Helper()
	key, err := v.Key(t.Context(), v.Subject(identity), "permit")
	if err != nil {
		t.Fatal(err)
	}
	box, err := v.Seal(t.Context(), key, here, personal)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func TestSealedByOneOpenedByAnother(t *testing.T) {
	store, ring := memory.NewKeyStore(), keys.Ring{keys.NewKEK()}
	box := sealed(t, open(t, store, ring), "nik:1")
	got, err := open(t, store, ring).Open(t.Context(), box, here)
	if d := cmp.Diff(personal, got); err != nil || d != "" {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
	if _, err := keys.Open(t.Context(), store, keys.Config{Ring: keys.Ring{keys.NewKEK()}, Now: time.Now}); err == nil {
		t.Error("another key-encryption key opened the vault")
	}
}

func TestSubjects(t *testing.T) {
	store, ring := memory.NewKeyStore(), keys.Ring{keys.NewKEK()}
	a, b := open(t, store, ring), open(t, store, ring)
	if a.Subject("nik:1") != b.Subject("nik:1") || a.Subject("nik:1") == a.Subject("nik:2") {
		t.Error("a subject is not its identity's")
	}
	other := open(t, memory.NewKeyStore(), ring)
	if a.Subject("nik:1") == other.Subject("nik:1") {
		t.Error("two deployments give one person the same subject")
	}
	if strings.Contains(string(a.Subject("nik:1171010101900001")), "1171") {
		t.Error("the subject shows the identity")
	}
}

func TestOneKeyForManyAtOnce(t *testing.T) {
	v := open(t, memory.NewKeyStore(), keys.Ring{keys.NewKEK()})
	ids := make([]uuid.UUID, 32)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			var err error
			if ids[i], err = v.Key(context.Background(), v.Subject("nik:1"), "permit"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("two keys of one subject: %s and %s", ids[0], id)
		}
	}
}

func TestErasure(t *testing.T) {
	store := memory.NewKeyStore()
	v := open(t, store, keys.Ring{keys.NewKEK()})
	box, other := sealed(t, v, "nik:1"), sealed(t, v, "nik:2")
	erasure := uuid.Must(uuid.NewV7())
	if n, err := v.Mark(t.Context(), erasure, []uuid.UUID{box.Key}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if _, err := v.Seal(t.Context(), box.Key, here, personal); !errors.Is(err, domain.ErrErased) {
		t.Errorf("sealed under a key that is being erased: %v", err)
	}
	if _, err := v.Open(t.Context(), box, here); err != nil {
		t.Errorf("not yet erased, but does not open: %v", err)
	}
	if n, err := v.Destroy(t.Context(), erasure); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if p, err := v.Open(t.Context(), box, here); !errors.Is(err, domain.ErrErased) {
		t.Errorf("opened after the erasure: %v, %v", p, err)
	}
	if _, err := v.Open(t.Context(), other, here); err != nil {
		t.Errorf("another person was erased too: %v", err)
	}
	if next := sealed(t, v, "nik:1"); next.Key == box.Key {
		t.Error("the destroyed key seals again")
	}
}

// A key that another process destroyed is believed to live for a time, not for
// ever.
func TestTrustEnds(t *testing.T) {
	clock := now
	at := func(c *keys.Config) { c.Trust, c.Now = time.Second, func() time.Time { return clock } }
	store, ring := memory.NewKeyStore(), keys.Ring{keys.NewKEK()}
	a, b := open(t, store, ring, at), open(t, store, ring, at)
	box := sealed(t, a, "nik:1")
	erasure := uuid.Must(uuid.NewV7())
	if _, err := b.Mark(t.Context(), erasure, []uuid.UUID{box.Key}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Destroy(t.Context(), erasure); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(time.Second)
	if _, err := a.Open(t.Context(), box, here); !errors.Is(err, domain.ErrErased) {
		t.Errorf("opened a second after: %v", err)
	}
	if next, err := a.Key(t.Context(), a.Subject("nik:1"), "permit"); err != nil || next == box.Key {
		t.Errorf("the destroyed key is given out: %v", err)
	}
}

// slowStore answers after some time on the clock.
type slowStore struct {
	domain.KeyStore
	pass func()
}

func (s slowStore) Get(ctx context.Context, id uuid.UUID) (domain.StoredKey, error) {
	k, err := s.KeyStore.Get(ctx, id)
	s.pass()
	return k, err
}

func (s slowStore) Put(ctx context.Context, k domain.StoredKey) (domain.StoredKey, error) {
	k, err := s.KeyStore.Put(ctx, k)
	s.pass()
	return k, err
}

// Trust runs from when the store was asked: what a slow store says may no longer
// be so when it is heard.
func TestTrustRunsFromTheQuestion(t *testing.T) {
	clock := now
	at := func(c *keys.Config) { c.Trust, c.Now = time.Second, func() time.Time { return clock } }
	store, ring := memory.NewKeyStore(), keys.Ring{keys.NewKEK()}
	slow := open(t, slowStore{store, func() { clock = clock.Add(time.Second) }}, ring, at)
	other := open(t, store, ring, at)
	key := sealed(t, slow, "nik:1").Key
	if err := slow.Alive(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	erasure := uuid.Must(uuid.NewV7())
	if _, err := other.Mark(t.Context(), erasure, []uuid.UUID{key}); err != nil {
		t.Fatal(err)
	}
	if err := slow.Alive(t.Context(), key); !errors.Is(err, domain.ErrErased) {
		t.Errorf("a key that was marked a second after the question: %v", err)
	}
	if next, err := slow.Key(t.Context(), slow.Subject("nik:1"), "permit"); err != nil || next == key {
		t.Errorf("the marked key is given out: %v", err)
	}
}

func TestRotate(t *testing.T) {
	store, old, fresh := memory.NewKeyStore(), keys.NewKEK(), keys.NewKEK()
	box := sealed(t, open(t, store, keys.Ring{old}), "nik:1")
	subject := open(t, store, keys.Ring{old}).Subject("nik:1")
	both := open(t, store, keys.Ring{fresh, old})
	for i, want := range []int{1, 0} {
		if n, err := both.Rotate(t.Context()); err != nil || n != want {
			t.Errorf("rotation %d wrapped %d keys anew, %v; want %d", i+1, n, err, want)
		}
	}
	after := open(t, store, keys.Ring{fresh})
	if got, err := after.Open(t.Context(), box, here); err != nil || cmp.Diff(personal, got) != "" {
		t.Errorf("after the rotation: %v, %v", got, err)
	}
	if after.Subject("nik:1") != subject {
		t.Error("the rotation changed who is who")
	}
	if _, err := keys.Open(t.Context(), store, keys.Config{Ring: keys.Ring{old}, Now: time.Now}); err == nil {
		t.Error("the old key-encryption key still opens the vault")
	}
}

func TestRingText(t *testing.T) {
	ring := keys.Ring{keys.NewKEK(), keys.NewKEK()}
	back, err := keys.ParseRing(ring.Text())
	if d := cmp.Diff(ring, back); err != nil || d != "" {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
	for _, bad := range []string{"", "# nothing", "c2hvcnQ=", "not base64!", ring.Text() + "x"} {
		if _, err := keys.ParseRing(bad); err == nil || strings.Contains(err.Error(), "c2hvcnQ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// The older key-encryption key is not given up while something still needs it.
func TestARotationThatSomebodyElseDisturbed(t *testing.T) {
	store, old, fresh := memory.NewKeyStore(), keys.NewKEK(), keys.NewKEK()
	behind := open(t, store, keys.Ring{old}) // a server that has not got the new key
	sealed(t, behind, "nik:1")
	both := open(t, store, keys.Ring{fresh, old})
	if _, err := both.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := both.Rotated(t.Context()); err != nil {
		t.Errorf("undisturbed: %v", err)
	}
	sealed(t, behind, "nik:2")
	if err := both.Rotated(t.Context()); err == nil {
		t.Error("a key that the old one wraps was overlooked")
	}
}
