package domain_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
)

const symbols = "0123456789BCDFGHJKMNPQRTVWXYZ"

func drawReference(t *rapid.T) domain.Reference {
	return domain.NewReference(rapid.Uint64().Draw(t, "bits"))
}

func TestReferenceIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ref := drawReference(t)
		spoken := strings.NewReplacer("0", "o", "1", "l", "5", "S", "-", " ").Replace(strings.ToLower(string(ref)))
		for _, typed := range []string{string(ref), strings.ReplaceAll(string(ref), "-", ""), spoken} {
			if got, err := domain.ParseReference(typed); err != nil || got != ref {
				t.Fatalf("%q was read as %q, %v; want %q", typed, got, err, ref)
			}
		}
	})
}

func TestReferenceNoticesEveryWrongSymbol(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(strings.ReplaceAll(string(drawReference(t)), "-", ""))
		i := rapid.IntRange(0, len(b)-1).Draw(t, "place")
		was := b[i]
		b[i] = symbols[rapid.IntRange(0, len(symbols)-1).Draw(t, "symbol")]
		if b[i] == was {
			t.Skip("the same symbol")
		}
		if got, err := domain.ParseReference(string(b)); err == nil {
			t.Fatalf("%s with %c for %c was read as %s", b, b[i], was, got)
		}
	})
}

func TestReferenceNoticesEveryExchange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(strings.ReplaceAll(string(drawReference(t)), "-", ""))
		i := rapid.IntRange(0, len(b)-1).Draw(t, "one place")
		j := rapid.IntRange(0, len(b)-1).Draw(t, "other place")
		if b[i] == b[j] {
			t.Skip("the same symbol")
		}
		b[i], b[j] = b[j], b[i]
		if got, err := domain.ParseReference(string(b)); err == nil {
			t.Fatalf("%s was read as %s", b, got)
		}
	})
}

func TestReferenceUsesAllItsBits(t *testing.T) {
	seen := map[domain.Reference]bool{}
	for i := range uint64(10_000) {
		seen[domain.NewReference(i*0x9E3779B97F4A7C15)] = true
	}
	if len(seen) != 10_000 {
		t.Errorf("10000 draws gave %d references", len(seen))
	}
}

func TestParseReferenceRefuses(t *testing.T) {
	for _, s := range []string{"", "7K3M", "7K3M-Q9XT-2WPN-0", "7K3M-Q9XT-2WP!", "AAAA-AAAA-AAAA", "7K3M-Q9XT-2WPC", strings.Repeat("0", 1000), "\x00"} {
		if got, err := domain.ParseReference(s); !errors.Is(err, domain.ErrNotReference) {
			t.Errorf("%q was read as %q, %v", s, got, err)
		}
	}
}
