package domain_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
)

// recorded is a log of two requests and an erasure, with sealed data in the first
// event of each request: the first under dataKey, the second under lostKey.
func recorded(t *testing.T) []domain.Entry {
	t.Helper()
	var log []domain.Entry
	enter := func(stream string, tip domain.Tip, events ...domain.Event) {
		a, _, err := domain.Enter(stream, tip, noon, events)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range a.Entries {
			e.Position = domain.Position(len(log) + 1)
			log = append(log, e)
		}
	}
	box := func(k domain.DataKey, stream string) *domain.Box {
		b, err := domain.Seal(k, domain.Place{Stream: stream, Version: 1, Type: "RequestSubmitted"}, domain.Salt{1}, domain.Nonce{1}, sealed)
		if err != nil {
			t.Fatal(err)
		}
		return &b
	}
	first, second := submitted(), event(5, applicant, submitted().Body)
	first.Box, second.Box = box(dataKey, "request-1"), box(lostKey, "request-2")
	enter("request-1", domain.Tip{}, first, checked(1))
	enter("request-2", domain.Tip{}, second)
	enter("erasure-1", domain.Tip{}, event(6, head, domain.SubjectErased{Keys: []domain.ErasedKey{{ID: lostKey.ID}}}))
	enter("request-1", log[1].Tip(), refused())
	return log
}

var lostKey = domain.DataKey{ID: id(41), Key: [32]byte{4}}

// vault has dataKey; lostKey was destroyed.
func vault(b domain.Box, at domain.Place) error {
	switch b.Key {
	case dataKey.ID:
		_, err := b.Open(dataKey, at)
		return err
	case lostKey.ID:
		return domain.ErrErased
	}
	return domain.ErrNotFound
}

func faults(log []domain.Entry, open func(domain.Box, domain.Place) error) (*domain.Verifier, []domain.FaultKind) {
	kinds := []domain.FaultKind{}
	v := &domain.Verifier{Gapless: true, Open: open, Found: func(f domain.Fault) { kinds = append(kinds, f.Kind) }}
	for _, e := range log {
		v.Check(e)
	}
	v.Finish()
	return v, kinds
}

func TestVerifyFindsEveryFault(t *testing.T) {
	type log = []domain.Entry
	replace := func(e *domain.Entry, old, with string) {
		e.Meta, e.Data = bytes.Replace(e.Meta, []byte(old), []byte(with), 1), bytes.Replace(e.Data, []byte(old), []byte(with), 1)
	}
	for name, c := range map[string]struct {
		change func(log) log
		open   func(domain.Box, domain.Place) error
		want   []domain.FaultKind
	}{
		"nothing":                    {want: []domain.FaultKind{}},
		"an event taken out":         {change: func(l log) log { return slices.Delete(l, 1, 2) }, want: []domain.FaultKind{"gap", "version", "chain"}},
		"an event taken out, closed": {change: func(l log) log { l[4].Version = 2; return renumber(slices.Delete(l, 1, 2)) }, want: []domain.FaultKind{"chain"}},
		"two changed places":         {change: func(l log) log { l[1], l[2] = l[2], l[1]; return l }, want: []domain.FaultKind{"gap", "order"}},
		"an event twice":             {change: func(l log) log { return renumber(slices.Insert(l, 2, l[1])) }, want: []domain.FaultKind{"version", "double", "chain"}},
		"a changed actor":            {change: func(l log) log { replace(&l[1], "c-1", "c-2"); return l }, want: []domain.FaultKind{"chain"}},
		"a changed reason, at the end": {
			change: func(l log) log { replace(&l[4], "late", "fate"); return l }, want: []domain.FaultKind{}, // nothing follows it: see the digest
		},
		"a body that does not decode": {change: func(l log) log { l[1].Data = []byte(`{"action":`); return l }, want: []domain.FaultKind{"unreadable", "chain"}},
		"a type of the future":        {change: func(l log) log { l[4].Schema = 9; return l }, want: []domain.FaultKind{"unreadable"}},
		"a moved box": {
			change: func(l log) log { l[2].Stream = "request-3"; return l },
			open:   func(b domain.Box, at domain.Place) error { _, err := b.Open(lostKey, at); return err },
			want:   []domain.FaultKind{"commitment", "commitment"},
		},
		"a key lost":                 {open: func(domain.Box, domain.Place) error { return domain.ErrNotFound }, want: []domain.FaultKind{"key"}},
		"a key erased but not in it": {open: func(domain.Box, domain.Place) error { return domain.ErrErased }, want: []domain.FaultKind{"key"}},
		"a key that is damaged":      {open: func(domain.Box, domain.Place) error { return domain.ErrDamagedKey }, want: []domain.FaultKind{"key", "key"}},
		"an action of nothing, last": {change: func(l log) log { l[4].Data = []byte(`null`); return l }, want: []domain.FaultKind{"unreadable"}},
		"an end that is a beginning": {change: func(l log) log { l[4].Type, l[4].Schema = "RequestSubmitted", 1; return l }, want: []domain.FaultKind{"unreadable"}},
		"another definition": {
			change: func(l log) log {
				a, _, err := domain.Enter("workflow-1", domain.Tip{}, noon, []domain.Event{event(9, head, domain.WorkflowPublished{Source: "alur: 1", Hash: domain.HashOf("alur: 2")})})
				if err != nil {
					panic(err)
				}
				return renumber(append(l, a.Entries...))
			}, want: []domain.FaultKind{"commitment"},
		},
		"an erased key that opens": {open: func(domain.Box, domain.Place) error { return nil }, want: []domain.FaultKind{"key"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := recorded(t)
			if c.change != nil {
				l = c.change(l)
			}
			open := vault
			if c.open != nil {
				open = c.open
			}
			v, got := faults(l, open)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("faults (-want +got)\n%s", d)
			}
			if v.Faults != len(got) || v.Events != len(l) {
				t.Errorf("%d faults of %d events counted", v.Faults, v.Events)
			}
			whole, _ := faults(recorded(t), vault)
			if (c.change == nil) != (v.Digest == whole.Digest) {
				t.Error("the digest does not tell the changed log from the whole one")
			}
		})
	}
}

func renumber(l []domain.Entry) []domain.Entry {
	for i := range l {
		l[i].Position = domain.Position(i + 1)
	}
	return l
}

func TestTheDigestOfACopyIsTheSame(t *testing.T) {
	l := recorded(t)
	a, _ := faults(l, nil)
	for i := range l {
		l[i].Position *= 1000
	}
	v := &domain.Verifier{}
	for _, e := range l {
		v.Check(e)
	}
	if v.Finish(); v.Digest != a.Digest || v.Faults != 0 {
		t.Errorf("%d faults in the copy, or another digest", v.Faults)
	}
}

// What only says that a key store cannot be asked is no fault of the log.
func TestVerifyTellsAFaultFromWhatItCouldNotLookInto(t *testing.T) {
	l := recorded(t)
	gone := errors.New("interrupted")
	v, got := faults(l, func(domain.Box, domain.Place) error { return gone })
	if len(got) != 0 || !errors.Is(v.Err, gone) || v.Unlooked != 2 {
		t.Errorf("faults %v, error %v", got, v.Err)
	}
	if v, _ := faults(l, vault); v.Err != nil {
		t.Error(v.Err)
	}
}
