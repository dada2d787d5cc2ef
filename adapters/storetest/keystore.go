package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// RunKeys runs the contract of [domain.KeyStore]. Open returns an empty store and
// closes it when the test ends.
func RunKeys(t *testing.T, open func(t *testing.T) domain.KeyStore) {
	for name, test := range map[string]func(*testing.T, domain.KeyStore){
		"keeps a key":                            keptKey,
		"has one live key for subject and class": oneLiveKey,
		"gives many at once the same key":        manyPut,
		"destroys what was marked":               destroyed,
		"gives up an erasure":                    unmarked,
		"rewraps only what it should":            rewrapped,
		"keeps secrets":                          secrets,
		"lists in order while it changes":        listed,
		"ends with its context":                  keyContext,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// Key makes a wrapped key.
func Key(subject domain.SubjectID, class domain.RetentionClass) domain.StoredKey {
	id := uuid.Must(uuid.NewV7())
	return domain.StoredKey{
		ID: id, Subject: subject, Class: class, State: domain.KeyLive, KEK: "kek-1",
		Wrapped: bytes.Repeat(id[8:], 8), Created: Epoch,
	}
}

func put(t *testing.T, s domain.KeyStore, k domain.StoredKey) domain.StoredKey {
	t.Helper()
	got, err := s.Put(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func wantKey(t *testing.T, s domain.KeyStore, want domain.StoredKey) {
	t.Helper()
	got, err := s.Get(t.Context(), want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("key (-want +got)\n%s", d)
	}
}

func keptKey(t *testing.T, s domain.KeyStore) {
	k := Key("s-1", "permit")
	if d := cmp.Diff(k, put(t, s, k)); d != "" {
		t.Errorf("put (-want +got)\n%s", d)
	}
	wantKey(t, s, k)
	if got, err := s.Find(t.Context(), "s-1", "permit"); err != nil || got.ID != k.ID {
		t.Errorf("found %v, %v", got.ID, err)
	}
	if _, err := s.Find(t.Context(), "s-1", "contact"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("another class: %v", err)
	}
	if _, err := s.Get(t.Context(), uuid.Must(uuid.NewV7())); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("no such key: %v", err)
	}
}

func oneLiveKey(t *testing.T, s domain.KeyStore) {
	first := put(t, s, Key("s-1", "permit"))
	if again := put(t, s, Key("s-1", "permit")); again.ID != first.ID {
		t.Errorf("a second live key %s beside %s", again.ID, first.ID)
	}
	if other := put(t, s, Key("s-2", "permit")); other.ID == first.ID {
		t.Error("two subjects share a key")
	}
}

func manyPut(t *testing.T, s domain.KeyStore) {
	const clients, subjects = 16, 5
	got := make([][]uuid.UUID, clients)
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := range subjects {
				k, err := s.Put(context.Background(), Key(domain.SubjectID(fmt.Sprint("s-", i)), "permit"))
				if err != nil {
					t.Error(err)
					return
				}
				got[c] = append(got[c], k.ID)
			}
		})
	}
	wg.Wait()
	for c := range clients {
		if d := cmp.Diff(got[0], got[c]); d != "" {
			t.Errorf("client %d got other keys\n%s", c, d)
		}
	}
}

func destroyed(t *testing.T, s domain.KeyStore) {
	a, b, other := put(t, s, Key("s-1", "permit")), put(t, s, Key("s-1", "contact")), put(t, s, Key("s-2", "permit"))
	erasure := uuid.Must(uuid.NewV7())
	if n, err := s.Mark(t.Context(), erasure, []uuid.UUID{a.ID, b.ID, uuid.Must(uuid.NewV7())}); err != nil || n != 2 {
		t.Fatalf("marked %d, %v; want 2", n, err)
	}
	if n, err := s.Mark(t.Context(), uuid.Must(uuid.NewV7()), []uuid.UUID{a.ID}); err != nil || n != 0 {
		t.Errorf("a second erasure marked %d, %v; want 0", n, err)
	}
	marked := a
	marked.State, marked.Erasure = domain.KeyErasing, erasure
	wantKey(t, s, marked)
	if _, err := s.Find(t.Context(), "s-1", "permit"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("an erasing key still seals: %v", err)
	}
	ended := Epoch.Add(time.Hour)
	if n, err := s.Destroy(t.Context(), erasure, ended); err != nil || n != 2 {
		t.Fatalf("destroyed %d, %v; want 2", n, err)
	}
	if n, err := s.Destroy(t.Context(), erasure, ended); err != nil || n != 0 {
		t.Errorf("destroyed %d again, %v", n, err)
	}
	gone := a
	gone.State, gone.Erasure, gone.Ended, gone.Wrapped, gone.Subject = domain.KeyDestroyed, erasure, ended, nil, ""
	wantKey(t, s, gone)
	wantKey(t, s, other)
	if next := put(t, s, Key("s-1", "permit")); next.ID == a.ID {
		t.Error("a destroyed key came back")
	}
	if left := allKeys(t, s, "s-1"); len(left) != 1 {
		t.Errorf("%d keys of the subject, want the new one", len(left))
	}
}

func unmarked(t *testing.T, s domain.KeyStore) {
	k := put(t, s, Key("s-1", "permit"))
	erasure := uuid.Must(uuid.NewV7())
	if _, err := s.Mark(t.Context(), erasure, []uuid.UUID{k.ID}); err != nil {
		t.Fatal(err)
	}
	if err := s.Unmark(t.Context(), uuid.Must(uuid.NewV7())); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), k.ID); err != nil || got.State != domain.KeyErasing {
		t.Errorf("another erasure gave this one up: %v, %v", got.State, err)
	}
	if err := s.Unmark(t.Context(), erasure); err != nil {
		t.Fatal(err)
	}
	wantKey(t, s, k)
	// A subject that came back in between has a new live key, and keeps it.
	if _, err := s.Mark(t.Context(), erasure, []uuid.UUID{k.ID}); err != nil {
		t.Fatal(err)
	}
	next := put(t, s, Key("s-1", "permit"))
	if next.ID == k.ID {
		t.Fatal("an erasing key was given out")
	}
}

func rewrapped(t *testing.T, s domain.KeyStore) {
	k := put(t, s, Key("s-1", "permit"))
	if done, err := s.Rewrap(t.Context(), k.ID, "other", "kek-2", []byte("x")); err != nil || done {
		t.Errorf("rewrapped from another key-encryption key: %v, %v", done, err)
	}
	wrapped := bytes.Repeat([]byte("w"), 60)
	if done, err := s.Rewrap(t.Context(), k.ID, "kek-1", "kek-2", wrapped); err != nil || !done {
		t.Errorf("not rewrapped: %v, %v", done, err)
	}
	k.KEK, k.Wrapped = "kek-2", wrapped
	wantKey(t, s, k)
}

func secrets(t *testing.T, s domain.KeyStore) {
	if _, err := s.Secret(t.Context(), "pepper", nil); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("a secret that was never stored: %v", err)
	}
	for _, offer := range [][]byte{[]byte("one"), []byte("two"), nil} {
		if got, err := s.Secret(t.Context(), "pepper", offer); err != nil || string(got) != "one" {
			t.Errorf("secret %q, %v; want the first", got, err)
		}
	}
	if done, err := s.ReplaceSecret(t.Context(), "pepper", []byte("x"), []byte("y")); err != nil || done {
		t.Errorf("replaced another secret: %v, %v", done, err)
	}
	if done, err := s.ReplaceSecret(t.Context(), "pepper", []byte("one"), []byte("three")); err != nil || !done {
		t.Errorf("not replaced: %v, %v", done, err)
	}
	if got, err := s.Secret(t.Context(), "pepper", nil); err != nil || string(got) != "three" {
		t.Errorf("secret %q, %v", got, err)
	}
}

func listed(t *testing.T, s domain.KeyStore) {
	const n = 1200
	for i := range n {
		put(t, s, Key(domain.SubjectID(fmt.Sprint("s-", i)), "permit"))
	}
	last, seen := uuid.Nil, 0
	for k, err := range s.All(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Compare(last[:], k.ID[:]) >= 0 {
			t.Fatalf("%s after %s", k.ID, last)
		}
		last, seen = k.ID, seen+1
		if _, err := s.Rewrap(t.Context(), k.ID, "kek-1", "kek-2", k.Wrapped); err != nil {
			t.Fatal(err)
		}
	}
	if seen != n {
		t.Errorf("%d keys, want %d", seen, n)
	}
}

func keyContext(t *testing.T, s domain.KeyStore) {
	k := put(t, s, Key("s-1", "permit"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, getErr := s.Get(ctx, k.ID)
	_, putErr := s.Put(ctx, Key("s-9", "permit"))
	var listErr error
	for _, listErr = range s.All(ctx, "") {
		continue
	}
	for name, err := range map[string]error{"Get": getErr, "Put": putErr, "All": listErr} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want context.Canceled", name, err)
		}
	}
}

func allKeys(t *testing.T, s domain.KeyStore, subject domain.SubjectID) []domain.StoredKey {
	t.Helper()
	var keys []domain.StoredKey
	for k, err := range s.All(t.Context(), subject) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	return keys
}
