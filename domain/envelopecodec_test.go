package domain

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// What is written by hand is what encoding/json writes, and is read back the same
// by hand and by encoding/json.
func TestEnvelopeAsEncodingJSONHasIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringMatching(`[a-z0-9.-]{0,12}`), rapid.String())
		id := func(label string) (u uuid.UUID) {
			copy(u[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, label))
			return u
		}
		moment := func(label string) time.Time {
			return time.Unix(rapid.Int64Range(-2e9, 2e11).Draw(t, label), rapid.Int64Range(0, 999_999_999).Draw(t, label)).UTC()
		}
		hash := func(label string) (h Hash) {
			copy(h[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, label))
			return h
		}
		e := Envelope{
			Tenant: TenantCode(text.Draw(t, "tenant")), Service: text.Draw(t, "service"), Office: text.Draw(t, "office"),
			Actor:    Actor{ID: text.Draw(t, "actor"), Role: RoleID(text.Draw(t, "role")), Capacity: Capacity(text.Draw(t, "capacity"))},
			Workflow: WorkflowRef{ID: text.Draw(t, "workflow"), Version: rapid.IntRange(0, 1e9).Draw(t, "version")},
			Command:  id("command"), Correlation: id("correlation"), Occurred: moment("occurred"),
		}
		if rapid.Bool().Draw(t, "recorded") {
			e.At, e.Prev = moment("at"), hash("prev")
		}
		if rapid.Bool().Draw(t, "sealed") {
			e.Box = &Box{Key: id("key"), Sealed: rapid.SliceOf(rapid.Byte()).Draw(t, "box"), Commit: hash("commit")}
		}
		v := 2
		if rapid.Bool().Draw(t, "mandated") {
			e.Actor.Mandate = id("mandate")
			e.Actor.Mandate[0] |= 1 // none is Nil
			v = 3
		}
		want, err := json.Marshal(storedEnvelope{V: v, Envelope: e})
		if err != nil {
			t.Skip("a time out of range")
		}
		got, err := appendEnvelope(nil, &e)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Fatalf("written (-encoding/json +by hand)\n%s", d)
		}
		var s storedEnvelope
		if err := json.Unmarshal(got, &s); err != nil {
			t.Fatal(err)
		}
		back, err := readEnvelope(got)
		if d := cmp.Diff(s.Envelope, back); err != nil || d != "" {
			t.Fatalf("read: %v (-encoding/json +by hand)\n%s", err, d)
		}
	})
}

// Whatever the fast reader takes, encoding/json takes too, and reads the same.
func FuzzReadEnvelope(f *testing.F) {
	e := Envelope{Tenant: "11.71", Service: "s", Actor: Actor{ID: "a"}, Occurred: time.Unix(0, 0).UTC(), At: time.Unix(1, 0).UTC(), Prev: Hash{1}, Box: &Box{Sealed: []byte("x")}}
	meta, err := appendEnvelope(nil, &e)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(meta))
	e.Actor.Mandate = uuid.UUID{1}
	if meta, err = appendEnvelope(nil, &e); err != nil {
		f.Fatal(err)
	}
	f.Add(string(meta))
	f.Fuzz(func(t *testing.T, meta string) {
		fast, ok := readWritten(meta)
		if !ok {
			return
		}
		var s storedEnvelope
		if err := json.Unmarshal([]byte(meta), &s); err != nil {
			t.Fatalf("only the fast reader takes %q: %v", meta, err)
		}
		if d := cmp.Diff(s.Envelope, fast); d != "" {
			t.Fatalf("%q (-encoding/json +fast)\n%s", meta, d)
		}
	})
}
