package domain_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
)

func TestDerivedIDs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		command := domain.CommandID(time.UnixMilli(rapid.Int64Range(0, 1<<47).Draw(t, "ms")), rapid.String().Draw(t, "key"))
		all := map[uuid.UUID]bool{command: true}
		for i := range 5 {
			all[domain.EventID(command, i)] = true
		}
		all[domain.RequestID(command)] = true
		if len(all) != 7 {
			t.Fatalf("7 ids, %d of them different", len(all))
		}
		for id := range all {
			if id.Version() != 7 || id.Variant() != uuid.RFC4122 {
				t.Fatalf("%s has version %s, variant %s", id, id.Version(), id.Variant())
			}
			if [6]byte(id[:6]) != [6]byte(command[:6]) {
				t.Fatalf("%s does not have the time of %s", id, command)
			}
		}
	})
}

func TestCommandIDKeepsItsPartsApart(t *testing.T) {
	if domain.CommandID(noon, "ab", "c") == domain.CommandID(noon, "a", "bc") {
		t.Error("parts run into each other")
	}
	first, again := domain.CommandID(time.Time{}, "a"), domain.CommandID(time.Time{}, "a")
	if first != again {
		t.Error("the same parts gave two ids")
	}
}

// The files in testdata/events are what stores hold. A shape that changes needs a
// new schema version, a decoder that still reads the old files, and new files
// beside them; an old file is never edited.
func TestStoredShapes(t *testing.T) {
	for _, want := range []domain.Event{
		submitted(),
		refused(2),
		event(3, head, domain.WorkflowPublished{Source: "alur: 1\n", Hash: "ab", Why: "first"}),
		event(4, applicant, domain.RequestSubmitted{
			Request: domain.RequestID(id(4)), Reference: "7K3M-Q9XT-2WPN", State: "new", Public: domain.StatusReceived,
			Imported: &domain.Imported{Case: "case-1", Due: noon.UTC(), Ended: noon.Add(time.Hour).UTC()},
		}),
	} {
		name, schema := want.Body.Type()
		if b, ok := want.Body.(domain.RequestSubmitted); ok && b.Imported != nil {
			name += "-imported"
		}
		t.Run(name, func(t *testing.T) {
			encoded, err := domain.Encode(want)
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprintf("%s\n%s\n", encoded.Envelope, encoded.Body)
			file := filepath.Join("testdata", "events", fmt.Sprintf("%s.v%d.txt", name, schema))
			stored, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v; a new shape is stored as\n%s", err, got)
			}
			if d := cmp.Diff(string(stored), got); d != "" {
				t.Errorf("the stored shape changed without a new version (-stored +now)\n%s", d)
			}
			envelope, body, _ := strings.Cut(string(stored), "\n")
			back, err := domain.Decode(domain.Encoded{Type: encoded.Type, Schema: schema, Envelope: []byte(envelope), Body: []byte(body)})
			if err != nil {
				t.Fatal(err)
			}
			back.ID = want.ID
			if d := cmp.Diff(want, back); d != "" {
				t.Errorf("read back (-want +got)\n%s", d)
			}
		})
	}
}

func TestDecodeRefusesWhatItDoesNotKnow(t *testing.T) {
	good, err := domain.Encode(submitted())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]domain.Encoded{
		"a type":        {Type: "RequestEaten", Schema: 1, Envelope: good.Envelope, Body: good.Body},
		"a schema":      {Type: good.Type, Schema: 99, Envelope: good.Envelope, Body: good.Body},
		"a broken body": {Type: good.Type, Schema: good.Schema, Envelope: good.Envelope, Body: []byte("{")},
		"no envelope":   {Type: good.Type, Schema: good.Schema, Body: good.Body},
	} {
		if e, err := domain.Decode(c); err == nil {
			t.Errorf("%s was decoded as %+v", name, e)
		}
	}
}
