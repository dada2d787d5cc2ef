package domain

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// values draws what a form can hold once it was read from JSON.
func values(depth int) *rapid.Generator[any] {
	plain := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.String().AsAny(), rapid.StringMatching(`[ -~]{0,20}`).AsAny(), rapid.Bool().AsAny(),
		rapid.Float64Range(-1e12, 1e12).AsAny(), rapid.SampledFrom([]string{"<a>", "\xff", "\u2028", "\"", "\x00", "é"}).AsAny(),
	}
	if depth > 0 {
		inner := values(depth - 1)
		plain = append(plain,
			rapid.Custom(func(t *rapid.T) any { return rapid.SliceOfN(inner, 0, 4).Draw(t, "list") }),
			rapid.Custom(func(t *rapid.T) any { return rapid.MapOfN(rapid.String(), inner, 0, 12).Draw(t, "object") }))
	}
	return rapid.OneOf(plain...)
}

func TestPersonalDataIsWrittenAsEncodingJSONWritesIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Personal(rapid.MapOfN(rapid.String(), values(3), 0, 12).Draw(t, "personal"))
		got, err := appendMap([]byte("before"), p)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(p)
		if err != nil || string(got) != "before"+string(want) {
			t.Errorf("got %s, want before%s (%v)", got, want, err)
		}
	})
	for _, p := range []Personal{nil, {}, {"form": map[string]any(nil), "list": []any(nil)}} {
		got, err := appendMap(nil, p)
		if want, _ := json.Marshal(p); err != nil || string(got) != string(want) {
			t.Errorf("got %s, want %s (%v)", got, want, err)
		}
	}
	for _, wrong := range []any{math.NaN(), func() {}} {
		if _, err := appendMap(nil, Personal{"form": map[string]any{"a": wrong}}); err == nil {
			t.Errorf("%T was written", wrong)
		}
	}
}
