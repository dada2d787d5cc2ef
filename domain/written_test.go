package domain

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// An action is read as encoding/json reads it, whatever its texts hold and however
// the JSON is written.
func TestActionTakenAsEncodingJSONReadsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringMatching(`[a-z0-9.-]{0,12}`), rapid.String())
		data, err := json.Marshal(ActionTaken{
			Action: ActionID(text.Draw(t, "action")), From: StateID(text.Draw(t, "from")), To: StateID(text.Draw(t, "to")),
			Public: PublicStatus(text.Draw(t, "public")), Outcome: Outcome(text.Draw(t, "outcome")), Reason: ReasonCode(text.Draw(t, "reason")),
		})
		if err != nil {
			t.Fatal(err)
		}
		if cut := rapid.IntRange(0, 2*len(data)).Draw(t, "cut"); cut < len(data) {
			data = append(data[:cut:cut], rapid.SampledFrom([]string{"", " ", "}", `"`, `,"to":"x"`, "x"}).Draw(t, "tail")...)
		}
		got, err := decodeActionTaken(data)
		want, wantErr := decode[ActionTaken](data)
		if d := cmp.Diff(want, got); d != "" || (err == nil) != (wantErr == nil) {
			t.Fatalf("%s: %v, encoding/json: %v (-encoding/json +by hand)\n%s", data, err, wantErr, d)
		}
	})
}
