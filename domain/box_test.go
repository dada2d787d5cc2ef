package domain_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
)

var (
	dataKey = domain.DataKey{ID: id(40), Key: [32]byte{1, 2, 3}}
	here    = domain.Place{Stream: "request-1", Version: 3, Type: "ActionTaken"}
	sealed  = domain.Personal{"remark": "call +62 811 0000 0000", "form": map[string]any{"name": "Cut Invented"}}
)

func TestABoxOpensOnlyWithItsKeyInItsPlace(t *testing.T) {
	box, err := domain.Seal(dataKey, here, domain.Salt{9}, domain.Nonce{8}, sealed)
	if err != nil {
		t.Fatal(err)
	}
	got, err := box.Open(dataKey, here)
	if d := cmp.Diff(sealed, got); err != nil || d != "" {
		t.Fatalf("%v (-want +got)\n%s", err, d)
	}
	if bytes.Contains(box.Sealed, []byte("Invented")) {
		t.Error("the name can be read")
	}
	other := domain.DataKey{ID: dataKey.ID, Key: [32]byte{7}}
	for name, open := range map[string]func() (domain.Personal, error){
		"another key":        func() (domain.Personal, error) { return box.Open(other, here) },
		"another key's id":   func() (domain.Personal, error) { return box.Open(domain.DataKey{ID: id(41), Key: dataKey.Key}, here) },
		"another stream":     func() (domain.Personal, error) { p := here; p.Stream = "request-2"; return box.Open(dataKey, p) },
		"another version":    func() (domain.Personal, error) { p := here; p.Version = 4; return box.Open(dataKey, p) },
		"another type":       func() (domain.Personal, error) { p := here; p.Type = "RequestSubmitted"; return box.Open(dataKey, p) },
		"another commitment": func() (domain.Personal, error) { b := box; b.Commit[3] ^= 1; return b.Open(dataKey, here) },
		"a changed byte": func() (domain.Personal, error) {
			b := box
			b.Sealed = bytes.Clone(b.Sealed)
			b.Sealed[20] ^= 1
			return b.Open(dataKey, here)
		},
		"nothing": func() (domain.Personal, error) { return domain.Box{Key: dataKey.ID}.Open(dataKey, here) },
	} {
		if p, err := open(); !errors.Is(err, domain.ErrUnsealed) || p != nil {
			t.Errorf("%s opened it: %v, %v", name, p, err)
		}
	}
}

func TestABoxSaysNothingOfWhatIsInIt(t *testing.T) {
	first, err := domain.Seal(dataKey, here, domain.Salt{1}, domain.Nonce{1}, sealed)
	if err != nil {
		t.Fatal(err)
	}
	second, err := domain.Seal(dataKey, here, domain.Salt{2}, domain.Nonce{2}, sealed)
	if err != nil {
		t.Fatal(err)
	}
	if first.Commit == second.Commit || bytes.Equal(first.Sealed[12:], second.Sealed[12:]) {
		t.Error("the same data under another salt can be recognised")
	}
}

func TestChain(t *testing.T) {
	first, tip, err := domain.Enter("request-1", domain.Tip{}, noon, []domain.Event{submitted(), checked(1)})
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := domain.Enter("request-1", tip, noon, []domain.Event{refused()})
	if err != nil {
		t.Fatal(err)
	}
	var prev domain.Hash
	for i, e := range append(first.Entries, second.Entries...) {
		r, err := domain.Decode(e)
		if err != nil {
			t.Fatal(err)
		}
		if r.Prev != prev || e.Version != domain.Version(i+1) {
			t.Errorf("event %d follows %s, want %s", i+1, r.Prev, prev)
		}
		prev = e.Hash()
		for name, change := range map[string]func(*domain.Entry){
			"stream": func(e *domain.Entry) { e.Stream += "x" }, "version": func(e *domain.Entry) { e.Version++ },
			"id": func(e *domain.Entry) { e.ID[5]++ }, "type": func(e *domain.Entry) { e.Type += "x" },
			"schema": func(e *domain.Entry) { e.Schema++ },
			"meta":   func(e *domain.Entry) { e.Meta = append(bytes.Clone(e.Meta), ' ') },
			"data":   func(e *domain.Entry) { e.Data = append(bytes.Clone(e.Data), ' ') },
			"a byte moved from meta to data": func(e *domain.Entry) {
				e.Meta, e.Data = e.Meta[:len(e.Meta)-1], append([]byte{e.Meta[len(e.Meta)-1]}, e.Data...)
			},
		} {
			changed := e
			if change(&changed); changed.Hash() == prev {
				t.Errorf("a changed %s has the same hash", name)
			}
		}
		moved := e
		if moved.Position = 99; moved.Hash() != prev {
			t.Error("the hash depends on the position, so a copy of the log would differ")
		}
	}
}
