package bus_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/domain"
)

var (
	request = uuid.MustParse("01939d0b-64c8-7000-8000-0000000000aa")
	noon    = time.Date(2026, 11, 25, 12, 0, 0, 0, time.FixedZone("WIB", 7*3600))
)

// recorded is an event of a request, with all that must not get out.
func recorded(b domain.Body) domain.Recorded {
	command := uuid.MustParse("01939d0b-64c8-7000-8000-0000000000bb")
	return domain.Recorded{
		Event: domain.Event{
			Envelope: domain.Envelope{
				ID: domain.EventID(command, 0), Tenant: "11.71", Service: "sip-dokter", Office: "dpmptsp",
				Actor:    domain.Actor{ID: "pseudonym-7", Role: "applicant", Capacity: domain.CapacitySelf},
				Workflow: domain.WorkflowRef{ID: "sip-dokter", Version: 3}, Command: command, Correlation: command, Occurred: noon,
			},
			Body: b, Personal: domain.Personal{"identity": "nik:1171019999990001"},
		},
		Stream: domain.RequestStream(request), Version: 4, Position: 77,
	}
}

// What is written, to the byte: other systems rely on it.
func TestIntegrationEventAsItIsWritten(t *testing.T) {
	e := recorded(domain.RequestSubmitted{Request: request, Reference: "ABCD-EFGH", State: "submitted", Facts: domain.Facts{"kind": "new"}})
	c, ok, err := bus.Outward(e, "https://alur.example/")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	const data = `{"tenant":"11.71","service":"sip-dokter","request":"01939d0b-64c8-7000-8000-0000000000aa","workflow":{"id":"sip-dokter","version":3},"version":4,"link":"https://alur.example/api/v1/requests/01939d0b-64c8-7000-8000-0000000000aa?position=77"}`
	id := e.ID.String()
	for mode, want := range map[bus.ContentMode]struct {
		payload string
		headers map[string]string
	}{
		bus.Structured: {
			`{"specversion":"1.0","id":"` + id + `","source":"/alur/tenants/11.71","type":"alur.request.submitted","subject":"01939d0b-64c8-7000-8000-0000000000aa",` +
				`"time":"2026-11-25T05:00:00Z","datacontenttype":"application/json","dataschema":"https://alur.example/api/v1/events/schema","correlationid":"01939d0b-64c8-7000-8000-0000000000bb","data":` + data + `}`,
			map[string]string{"Content-Type": "application/cloudevents+json; charset=UTF-8"},
		},
		bus.Binary: {data, map[string]string{
			"ce-specversion": "1.0", "ce-id": id, "ce-source": "/alur/tenants/11.71", "ce-type": "alur.request.submitted",
			"ce-subject": "01939d0b-64c8-7000-8000-0000000000aa", "ce-time": "2026-11-25T05:00:00Z", "ce-datacontenttype": "application/json",
			"ce-dataschema": "https://alur.example/api/v1/events/schema", "ce-correlationid": "01939d0b-64c8-7000-8000-0000000000bb",
		}},
	} {
		msg, err := c.Message(mode)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want.payload, string(msg.Payload)); d != "" {
			t.Errorf("%s payload (-want +got)\n%s", mode, d)
		}
		if d := cmp.Diff(want.headers, map[string]string(msg.Metadata)); d != "" {
			t.Errorf("%s headers (-want +got)\n%s", mode, d)
		}
		if msg.UUID != id {
			t.Errorf("%s id %s", mode, msg.UUID)
		}
	}
}

// Every event is told to other systems as something, or it is said why it is not.
func TestEveryEventGoesOutwardOrNot(t *testing.T) {
	told := map[string]bool{}
	for _, names := range bus.OutwardTypes() {
		for _, name := range names {
			told[name] = true
		}
	}
	kept := bus.Inward()
	for _, name := range domain.EventTypes() {
		if _, inside := kept[name]; told[name] == inside {
			t.Errorf("%s: told %v, kept inside %v", name, told[name], inside)
		}
		delete(told, name)
		delete(kept, name)
	}
	if len(told)+len(kept) > 0 {
		t.Errorf("there are no such events: %v %v", told, kept)
	}
}

func TestWhatAnActionIsToldAs(t *testing.T) {
	for _, c := range []struct {
		body domain.Body
		want string
	}{
		{domain.ActionTaken{Action: "accept", From: "submitted", To: "checked"}, "alur.request.moved"},
		{domain.ActionTaken{Action: "issue", From: "checked", To: "issued", Outcome: domain.OutcomeApproved}, "alur.request.ended"},
		{domain.ActionTaken{Action: "note", From: "checked", To: "checked"}, ""},
		{domain.TaskPicked{State: "checked"}, ""},
		{domain.FeePaid{Fee: "levy", Amount: 1, Receipt: "NTPN-1"}, "alur.request.fee_paid"},
	} {
		got, ok, err := bus.Outward(recorded(c.body), "")
		if err != nil || ok != (c.want != "") || got.Type != c.want {
			t.Errorf("%T is told as %q, %v; want %q", c.body, got.Type, err, c.want)
		}
	}
}

// Integration events hold nothing but ids: not the reference, with which anybody sees
// the request, nobody's pseudonym, no fact, nothing personal. What they say is as the
// schema says.
func TestIntegrationEventsAreThin(t *testing.T) {
	schema, err := jsonschema.UnmarshalJSON(strings.NewReader(bus.Schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("told.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("told.json")
	if err != nil {
		t.Fatal(err)
	}
	decree := recorded(domain.DecreeAdded{Number: "SKB-1", Why: "secret-why"})
	decree.Tenant, decree.Service, decree.Office, decree.Workflow, decree.Stream = "", "", "", domain.WorkflowRef{}, domain.CalendarStream("")
	published := recorded(domain.WorkflowPublished{Source: "secret-source", Why: "secret-why"})
	published.Stream = domain.WorkflowStream("11.71", "sip-dokter")
	for _, e := range []domain.Recorded{
		recorded(domain.RequestSubmitted{Reference: "ABCD-EFGH", Facts: domain.Facts{"kind": "secret-fact"}}),
		recorded(domain.RequestCorrected{Facts: domain.Facts{"kind": "secret-fact"}}),
		recorded(domain.ActionTaken{From: "a", To: "b", Reason: "secret-reason"}),
		recorded(domain.FeePaid{Fee: "levy", Amount: 1, Receipt: "secret-receipt"}),
		decree, published,
	} {
		c, ok, err := bus.Outward(e, "")
		if err != nil || !ok {
			t.Fatalf("%T: %v, %v", e.Body, ok, err)
		}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, no := range []string{"ABCD", "secret", "pseudonym", "applicant", "nik", "dpmptsp"} {
			if strings.Contains(string(text), no) {
				t.Errorf("%T tells %q: %s", e.Body, no, text)
			}
		}
		data, err := jsonschema.UnmarshalJSON(strings.NewReader(string(c.Data)))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(data); err != nil {
			t.Errorf("%T: %v", e.Body, err)
		}
	}
}

// Both modes say the same, whatever an attribute holds.
func TestModesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[^\x00-\x1f\x7f-\x{9f}]{1,20}`)
		c := bus.CloudEvent{
			ID: text.Draw(t, "id"), Source: text.Draw(t, "source"), Type: text.Draw(t, "type"), Subject: text.Draw(t, "subject"),
			Time: noon.Add(time.Duration(rapid.Int64Range(0, 1e15).Draw(t, "ns"))).UTC(), Correlation: text.Draw(t, "correlation"), Data: json.RawMessage(`{"a":1}`),
		}
		for _, mode := range bus.ContentModes() {
			msg, err := c.Message(mode)
			if err != nil {
				t.Fatal(err)
			}
			h := http.Header{}
			for k, v := range msg.Metadata {
				for _, r := range v {
					if r < 0x20 || r > 0x7e {
						t.Errorf("header %s holds %q", k, v)
					}
				}
				h.Set(k, v)
			}
			got, err := bus.FromMessage(h.Get, msg.Payload)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c, got); d != "" {
				t.Errorf("%s (-want +got)\n%s", mode, d)
			}
		}
	})
}

// The cases that the binding gives for headers.
func TestHeaders(t *testing.T) {
	c := bus.CloudEvent{ID: "Euro € 😀", Source: `"100%"`, Type: "t", Data: json.RawMessage("1")}
	msg, err := c.Message(bus.Binary)
	if err != nil {
		t.Fatal(err)
	}
	if got := msg.Metadata["ce-id"]; got != "Euro%20%E2%82%AC%20%F0%9F%98%80" {
		t.Errorf("ce-id: %s", got)
	}
	if got := msg.Metadata["ce-source"]; got != "%22100%25%22" {
		t.Errorf("ce-source: %s", got)
	}
	for value, want := range map[string]string{
		"plain":               "plain",
		"Euro%20%e2%82%ac":    "Euro €",    // small letters
		"%70lain":             "plain",     // needlessly
		`"in quotes"`:         "in quotes", // by older versions
		`"a \"b\" c\\d"`:      `a "b" c\d`,
		"%C0%A0":              "!", // an overlong space
		"50%":                 "!",
		"":                    "!", // it is required
		"a+b":                 "a+b",
		`"quoted%20and%20so"`: "quoted and so",
	} {
		h := http.Header{"Ce-Specversion": {"1.0"}, "Ce-Id": {value}, "Ce-Source": {"s"}, "Ce-Type": {"t"}}
		got, err := bus.FromMessage(h.Get, []byte("{}"))
		if want == "!" && err == nil || want != "!" && (err != nil || got.ID != want) {
			t.Errorf("%s is read as %q, %v; want %q", value, got.ID, err, want)
		}
	}
}
