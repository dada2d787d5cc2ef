package domain_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
)

var basis = domain.Basis{ID: "UU 30/2014 Ps. 53", EN: "Law 30/2014 art. 53"}

var reckoning = domain.Reckoning{
	Consumed: 2_400_000, Remaining: 2_600_000, Suspended: 1_000_000, Provisional: true,
	Due: noon.Add(time.Hour).UTC(), Promised: noon.UTC(), Wakes: noon.UTC(), Calendar: "0.1-3fa9c1d2e4b5",
}

var message = domain.Message{
	ID: domain.MessageID(id(3), domain.ChannelEmail, false), Event: id(3), Version: 3, Channel: domain.ChannelEmail, Language: "id", Notices: []domain.NoticeID{"returned"}, Attempts: 2,
}

var office = domain.OfficeMessage{
	ID: domain.OfficeMessageID(id(3), "office@example.test"), Event: id(3), Version: 3, Role: "head", Term: "state:review", Notice: "filed", Attempts: 2,
}

// samples has each event as it is recorded now; beside its name, a variant.
func samples(t *testing.T) map[string]domain.Event {
	box, err := domain.Seal(dataKey, domain.Place{Stream: "request-1", Version: 1, Type: "ActionTaken"}, domain.Salt{1}, domain.Nonce{2}, domain.Personal{"remark": "call back"})
	if err != nil {
		t.Fatal(err)
	}
	sealed := refused()
	sealed.Box, sealed.Office, sealed.Actor.ID = &box, "kantor <\"A&B\"> \u2028 é", "p\u0001-1"
	fee := int64(150_000)
	proxied := submitted()
	proxied.Actor = domain.Actor{ID: "agent-1", Role: "applicant", Capacity: domain.CapacityProxy, Mandate: domain.MandateID(id(9))}
	return map[string]domain.Event{
		"RequestSubmitted":         submitted(),
		"RequestSubmitted-mandate": proxied,
		"MandateGranted": event(9, clerk, domain.MandateGranted{
			Holder: "agent-1", Services: []string{"sip-dokter", "pbg"}, From: "2026-11-28", Until: "2027-02-28", Document: strings.Repeat("ab", 32), Fee: &fee,
		}),
		"MandateEnded":       event(10, clerk, domain.MandateEnded{End: domain.MandateRevoked}),
		"ActionTaken":        refused(),
		"ActionTaken-sealed": sealed,
		"ActionTaken-kind": event(3, head, domain.ActionTaken{
			Action: "reopen", From: "refused", To: "checked", Public: domain.StatusInProcess, Kind: domain.ActionReopen,
		}),
		"DocumentAttached":  event(3, applicant, domain.DocumentAttached{Document: "land-title", Number: 2, Format: "pdf", Bytes: 70_000, SHA256: strings.Repeat("ab", 32)}),
		"DocumentRefused":   event(3, clerk, domain.DocumentRefused{Document: "land-title", Number: 2, Reason: "unreadable"}),
		"CheckAnswered":     event(3, clerk, domain.CheckAnswered{Checklist: "site", Item: "boundary", Yes: true}),
		"FeeAssessed":       event(3, clerk, domain.FeeAssessed{Fee: "retribution", Amount: 1_250_000}),
		"FeePaid":           event(3, clerk, domain.FeePaid{Fee: "retribution", Amount: 1_250_000, Receipt: "SSRD-1"}),
		"ReviewRequested":   event(3, clerk, domain.ReviewRequested{Review: "fire", Role: "fire-brigade"}),
		"ReviewGiven":       event(3, clerk, domain.ReviewGiven{Review: "fire", Opinion: domain.OpinionRefused, Reason: "no-exit"}),
		"AnswerReported":    event(3, clerk, domain.AnswerReported{System: "dukcapil", Outcome: "duplicate"}),
		"TaskReady":         event(3, clerk, domain.TaskReady{State: "checked", Role: "clerk", Rule: "order"}),
		"TaskPicked":        event(3, clerk, domain.TaskPicked{State: "checked"}),
		"TaskReassigned":    event(3, head, domain.TaskReassigned{State: "checked", To: "c-2", Reason: "absent"}),
		"NoticeDue":         event(3, clerk, domain.NoticeDue{Notice: "returned", State: "returned", To: "applicant"}),
		"RequestCorrected":  event(3, applicant, domain.RequestCorrected{Facts: domain.Facts{"area": 40.0, "kind": "new"}}),
		"TermStarted":       event(3, domain.System(), domain.TermStarted{Term: "processing", Budget: "5 working days", Promise: "3 working days", Reckoning: reckoning}),
		"TermStarted-dated": event(3, domain.System(), domain.TermStarted{Term: "deadline", Date: "deadline", Since: noon.UTC(), Reckoning: reckoning}),
		"TermSuspended":     event(3, domain.System(), domain.TermSuspended{Term: "processing", Ground: domain.StopApplicant, Reckoning: domain.Reckoning{Consumed: 2_400_000, Remaining: 2_600_000, Calendar: "0.1-3fa9c1d2e4b5"}}),
		"TermResumed":       event(3, domain.System(), domain.TermResumed{Term: "state:check", Away: noon.UTC(), Ground: domain.StopAway, Reckoning: reckoning}),
		"TermExtended":      event(3, head, domain.TermExtended{Term: "processing", By: "3 working days", Reason: "complex", Basis: basis, Reckoning: reckoning}),
		"TermRecomputed":    event(3, domain.System(), domain.TermRecomputed{Term: "processing", Was: noon.UTC(), Reckoning: reckoning}),
		"TermReminded":      event(3, domain.System(), domain.TermReminded{Term: "processing", Role: "clerk", Reckoning: reckoning}),
		"TermExpired":       event(3, domain.System(), domain.TermExpired{Term: "processing", Ground: domain.DeemedApproval, Reckoning: reckoning}),
		"TermEscalated":     event(3, domain.System(), domain.TermEscalated{Term: "state:check", Step: domain.StepEscalate, Role: "head", Reckoning: reckoning}),
		"TermEnded":         event(3, domain.System(), domain.TermEnded{Term: "processing", Late: true, Reckoning: reckoning}),
		"DecisionDeemed": event(3, domain.System(), domain.DecisionDeemed{
			Term: "processing", Ground: domain.DeemedApproval, Basis: basis, From: "checked", To: "issued", Public: domain.StatusApproved, Outcome: domain.OutcomeApproved,
		}),
		"RequestLapsed": event(3, domain.System(), domain.RequestLapsed{
			Term: "state:returned", Basis: basis, From: "returned", To: "lapsed", Public: domain.StatusRejected, Outcome: domain.OutcomeClosed,
		}),
		"SuspensionOrdered": event(3, head, domain.SuspensionOrdered{Ground: domain.StopForceMajeure, Reason: "flood", Basis: basis}),
		"SuspensionLifted":  event(3, head, domain.SuspensionLifted{Ground: domain.StopForceMajeure}),
		"ReturnConsented":   event(3, head, domain.ReturnConsented{Action: "return", Reason: "new-law"}),
		"TaskAllocated": event(3, clerk, domain.TaskAllocated{
			State: "checked", To: "c-2", Rule: "least_loaded", Ready: 4, Seed: strings.Repeat("ab", 32),
			Candidates: []domain.Candidate{{Officer: "c-1"}, {Officer: "c-2", Load: 3}}, Barred: []string{"c-1"},
		}),
		"ChecklistCleared": event(3, clerk, domain.ChecklistCleared{Checklist: "site"}),
		"FactsRecorded":    event(3, clerk, domain.FactsRecorded{Facts: domain.Facts{"measured": 41.5, "clean": true}}),
		"WorkflowPublished": event(3, head, domain.WorkflowPublished{
			Source: "alur: 1\n", Hash: "ab", Why: "first", Effective: noon.Add(time.Hour).UTC(),
			Check:   &domain.Checked{Program: "v1.2.3", Findings: 1, GaveUp: true, Tests: 4},
			Waivers: []domain.Waiver{{Rule: "gave_up", Place: "3:1", Finding: "a proof was not finished", Ground: "decree 7/2026"}},
		}),
		"WorkflowPublished-history": event(3, head, domain.WorkflowPublished{Source: "alur: 1\n", Hash: "ab", Why: "import", Effective: noon.UTC(), History: true}),
		"WorkflowRetired":           event(3, head, domain.WorkflowRetired{Versions: []int{1, 2}, Effective: noon.Add(time.Hour).UTC(), Why: "decree 8/2026"}),
		"DecreeAdded":               event(3, head, domain.DecreeAdded{Number: "SKB 1/2026", Source: "decree: 1\n", Hash: "ab", Why: "holidays of 2027"}),
		"MigrationOrdered": event(3, head, domain.MigrationOrdered{
			From: 1, To: 2, Source: "migration: 1\n", Hash: "ab", Ground: basis, Approver: "legal-2",
			Except: []domain.Reference{"7K3M-Q9XT-2WPN"}, Only: []domain.Reference{"7K3M-Q9XT-2WPN"},
		}),
		"RequestMigrated": event(3, head, domain.RequestMigrated{
			FromVersion: 2, ToVersion: 3, From: "checked", To: "closed", Came: true, Public: domain.StatusCompleted, Outcome: domain.OutcomeClosed,
			Facts: domain.Facts{"area": 40.0}, Mapping: domain.Mapping{
				States: map[domain.StateID]domain.StateID{"checked": "closed"}, Actions: map[domain.ActionID]domain.ActionID{"check": "verify", "note": ""},
				Roles: map[domain.RoleID]domain.RoleID{"clerk": "verifier"}, Terms: map[domain.TermID]domain.TermID{"processing": "decision", "state:checked": ""},
				Reviews: map[domain.ReviewID]domain.ReviewID{"fire": "safety"}, Fees: map[domain.FeeID]domain.FeeID{"retribution": ""},
				Documents: map[domain.DocumentID]domain.DocumentID{"land-title": "title"}, Checklists: map[domain.ChecklistID]domain.ChecklistID{"site": "survey"},
				Items:   map[domain.ChecklistID]map[domain.CheckID]domain.CheckID{"site": {"boundary": "edge"}},
				Systems: map[domain.SystemID]domain.SystemID{"dukcapil": "register"}, Facts: map[string]string{"size": "area"},
			},
			Steps: map[domain.TermID]int{"decision": 1}, Ground: basis, Closing: basis, Approver: "legal-2", Map: "ab",
		}),
		"TermContinued":        event(3, head, domain.TermContinued{Term: "processing", Budget: "5 working days", Promise: "3 working days", Of: "verdict", Since: noon.UTC(), Reckoning: reckoning}),
		"TermCarried":          event(3, head, domain.TermCarried{Term: "processing", Budget: "3 working days", Promise: "2 working days", WasBudget: "5 working days", Was: noon.UTC(), Reckoning: reckoning}),
		"TermDropped":          event(3, head, domain.TermDropped{Term: "processing", Version: 3, Reckoning: reckoning}),
		"ApplicantNotified":    event(5, domain.System(), domain.ApplicantNotified{Message: message}),
		"OfficeNotified":       event(5, domain.System(), domain.OfficeNotified{OfficeMessage: office}),
		"OfficeNotNotified":    event(5, domain.System(), domain.OfficeNotNotified{OfficeMessage: office, Fault: domain.NoticeUnaddressed}),
		"ApplicantNotNotified": event(5, domain.System(), domain.ApplicantNotNotified{Message: message, Fault: domain.NoticeUnreachable}),
		"NoticesPreferred": event(5, applicant, domain.NoticesPreferred{
			Language: "en", Channels: []domain.Channel{domain.ChannelEmail, domain.ChannelSMS}, Quiet: &domain.Quiet{From: 20 * 60, To: 7*60 + 30},
		}),
		"SubjectErased": event(5, head, domain.SubjectErased{
			Keys: []domain.ErasedKey{{ID: dataKey.ID, Class: "permit"}}, Ground: domain.GroundConsentWithdrawn, Note: "letter 12/2026",
		}),
		"RequestSubmitted-imported": event(4, applicant, domain.RequestSubmitted{
			Request: domain.RequestID(id(4)), Reference: "7K3M-Q9XT-2WPN", State: "new", Public: domain.StatusReceived,
			Imported: &domain.Imported{Case: "case-1", Due: noon.UTC(), Ended: noon.Add(time.Hour).UTC()},
		}),
	}
}

// The files in testdata/events are what stores hold: type, schema version and
// envelope version in the name; envelope and body inside. A shape that changes
// needs a new version, a decoder that still reads the old files, and new files
// beside them; an old file is never edited.
func TestStoredShapes(t *testing.T) {
	for name, want := range samples(t) {
		t.Run(name, func(t *testing.T) {
			a, _, err := domain.Enter("request-1", domain.Tip{Version: 4, Hash: domain.Hash{7}}, noon, []domain.Event{want})
			if err != nil {
				t.Fatal(err)
			}
			entry := a.Entries[0]
			got := fmt.Sprintf("%s\n%s\n", entry.Meta, entry.Data)
			var envelope struct{ V int }
			if err := json.Unmarshal(entry.Meta, &envelope); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", "events", fmt.Sprintf("%s.v%d.e%d.txt", name, entry.Schema, envelope.V))
			stored, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v; a new shape is stored as\n%s", err, got)
			}
			if d := cmp.Diff(string(stored), got); d != "" {
				t.Errorf("the stored shape changed without a new version (-stored +now)\n%s", d)
			}
			back, err := domain.Decode(entry)
			if err != nil {
				t.Fatal(err)
			}
			want.At, want.Prev = noon.UTC(), domain.Hash{7}
			if d := cmp.Diff(domain.Recorded{Event: want, Stream: "request-1", Version: 5}, back); d != "" {
				t.Errorf("read back (-want +got)\n%s", d)
			}
		})
	}
}

// Every file that was ever written decodes, into the type as it is now.
func TestEveryStoredShapeDecodes(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "events", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		parts := strings.Split(filepath.Base(file), ".")
		schema, err := strconv.Atoi(strings.TrimPrefix(parts[1], "v"))
		if err != nil {
			t.Fatal(err)
		}
		stored, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		meta, data, _ := bytes.Cut(bytes.TrimSuffix(stored, []byte("\n")), []byte("\n"))
		name, _, _ := strings.Cut(parts[0], "-")
		r, err := domain.Decode(domain.Entry{Type: name, Schema: schema, Meta: meta, Data: data})
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if got, _ := r.Body.Type(); got != name || r.Tenant != "11.71" || r.Occurred.IsZero() {
			t.Errorf("%s: read as %+v", file, r)
		}
	}
}

// Whoever goes through what terms came to sees each event that says it.
func TestEveryReckoningIsATermEvent(t *testing.T) {
	n := 0
	for name, e := range samples(t) {
		field, carries := reflect.TypeOf(e.Body).FieldByName("Reckoning")
		b, is := e.Body.(domain.TermEvent)
		if carries != is {
			t.Errorf("%s: carries a reckoning: %v; is a term event: %v", name, carries, is)
		}
		if !carries || !is {
			continue
		}
		n++
		v := reflect.ValueOf(e.Body)
		if got, want := b.Reckoned(), v.FieldByIndex(field.Index).Interface(); got != want {
			t.Errorf("%s: reckoned %v, want %v", name, got, want)
		}
		if got, want := b.TermID(), v.FieldByName("Term").Interface(); got != want {
			t.Errorf("%s: term %q, want %q", name, got, want)
		}
	}
	if n < 11 {
		t.Errorf("only %d term events", n)
	}
}

// A sample holds only the fields it fills. The lists of fields are therefore
// stored too, each under the version of its shape: one more field, another name
// or another type is a new shape.
func TestShapesChangeOnlyWithTheirVersion(t *testing.T) {
	lists := map[string]string{fmt.Sprintf("Envelope %d", domain.EnvelopeVersion): fields(reflect.TypeFor[domain.Envelope]())}
	for _, e := range samples(t) {
		name, schema := e.Body.Type()
		lists[fmt.Sprintf("%s %d", name, schema)] = fields(reflect.TypeOf(e.Body))
	}
	stored, err := os.ReadFile(filepath.Join("testdata", "shapes.txt"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for line := range strings.Lines(string(stored)) {
		name, list, _ := strings.Cut(strings.TrimSpace(line), ": ")
		known[name] = list
	}
	for name, list := range lists {
		if known[name] != list {
			t.Errorf("the shape of %s is\n%s: %s\nbut testdata/shapes.txt has\n%s", name, name, list, known[name])
		}
	}
}

// fields lists what encoding/json stores of a type.
func fields(t reflect.Type) string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.PkgPath() == "time" {
		return t.String()
	}
	var list []string
	for i := range t.NumField() {
		f := t.Field(i)
		if tag := f.Tag.Get("json"); tag != "-" {
			list = append(list, tag+" "+fields(f.Type))
		}
	}
	slices.Sort(list)
	return "{" + strings.Join(list, "; ") + "}"
}

func TestDecodeRefusesWhatItDoesNotKnow(t *testing.T) {
	a, _, err := domain.Enter("request-1", domain.Tip{}, noon, []domain.Event{submitted()})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*domain.Entry){
		"a type":           func(e *domain.Entry) { e.Type = "RequestEaten" },
		"a schema":         func(e *domain.Entry) { e.Schema = 99 },
		"a newer envelope": func(e *domain.Entry) { e.Meta = bytes.Replace(e.Meta, []byte(`{"v":2`), []byte(`{"v":4`), 1) },
		"a broken body":    func(e *domain.Entry) { e.Data = []byte("{") },
		"no envelope":      func(e *domain.Entry) { e.Meta = nil },
		"half an envelope": func(e *domain.Entry) { e.Meta = e.Meta[:len(e.Meta)/2] },
		"more than a body": func(e *domain.Entry) { e.Data = append(e.Data, '}') },
		"a wrong hash": func(e *domain.Entry) {
			e.Meta = bytes.Replace(e.Meta, []byte(`"office"`), []byte(`"prev":"x","office"`), 1)
		},
		"a time of no kind": func(e *domain.Entry) {
			e.Meta = bytes.Replace(e.Meta, []byte(`"occurred":"2`), []byte(`"occurred":"x`), 1)
		},
	} {
		e := a.Entries[0]
		e.Meta, e.Data = bytes.Clone(e.Meta), bytes.Clone(e.Data)
		change(&e)
		if r, err := domain.Decode(e); err == nil {
			t.Errorf("%s was decoded as %+v", name, r)
		}
	}
}
