package bus

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/alur-id/alur/domain"
)

// outward says as what each event is told to other systems. What is not here stands in
// inward; a test holds that every event is in one of them.
var outward = map[string]string{
	"RequestSubmitted":  "alur.request.submitted",
	"ActionTaken":       "alur.request.moved", // or ended: see outwardType
	"DecisionDeemed":    "alur.request.decision_deemed",
	"RequestLapsed":     "alur.request.lapsed",
	"RequestMigrated":   "alur.request.migrated",
	"RequestCorrected":  "alur.request.corrected",
	"FactsRecorded":     "alur.request.facts_recorded",
	"DocumentAttached":  "alur.request.document_attached",
	"DocumentRefused":   "alur.request.document_refused",
	"FeeAssessed":       "alur.request.fee_assessed",
	"FeePaid":           "alur.request.fee_paid",
	"ReviewRequested":   "alur.request.review_requested",
	"ReviewGiven":       "alur.request.review_given",
	"TermStarted":       "alur.request.term_changed", // as all that moves a due time
	"TermSuspended":     "alur.request.term_changed",
	"TermResumed":       "alur.request.term_changed",
	"TermExtended":      "alur.request.term_changed",
	"TermRecomputed":    "alur.request.term_changed",
	"TermCarried":       "alur.request.term_changed",
	"TermContinued":     "alur.request.term_changed",
	"TermDropped":       "alur.request.term_changed",
	"TermEnded":         "alur.request.term_changed",
	"TermExpired":       "alur.request.term_expired",
	"TermEscalated":     "alur.request.term_escalated",
	"SuspensionOrdered": "alur.request.suspended",
	"SuspensionLifted":  "alur.request.resumed",
	"WorkflowPublished": "alur.workflow.published",
	"WorkflowRetired":   "alur.workflow.retired",
	"MigrationOrdered":  "alur.workflow.migration_ordered",
	"DecreeAdded":       "alur.calendar.decree_added",
}

// inward says of the events that are told to nobody outside why not.
var inward = map[string]string{
	"CheckAnswered":    "work inside an office",
	"ChecklistCleared": "work inside an office",
	"TaskReady":        "work inside an office",
	"TaskPicked":       "work inside an office",
	"TaskAllocated":    "work inside an office",
	"TaskReassigned":   "work inside an office",
	"ReturnConsented":  "work inside an office",
	"TermReminded":     "a reminder to an office",
	"NoticeDue":        "what is due is sent by a reactor, and recorded as sent",
	"AnswerReported":   "the system that answered knows it; what follows from it is told",
	"SubjectErased":    "nothing leads from it to a person or a request",

	"ApplicantNotified":    "between the office and the applicant",
	"ApplicantNotNotified": "between the office and the applicant",
	"OfficeNotified":       "work inside an office",
	"OfficeNotNotified":    "work inside an office",
	"NoticesPreferred":     "between the office and the applicant",

	"MandateGranted": "between whoever gives it and whoever holds it",
	"MandateEnded":   "between whoever gives it and whoever holds it",
}

// outwardType is as what an event is told, false for one that is not.
func outwardType(e domain.Recorded) (string, bool) {
	name, _ := e.Body.Type()
	told, ok := outward[name]
	if a, is := e.Body.(domain.ActionTaken); is {
		switch {
		case a.Outcome != "":
			told = "alur.request.ended"
		case a.From == a.To:
			return "", false // a step in place: work inside an office
		}
	}
	return told, ok
}

// OutwardTypes are the types of integration events, each with the events that are told
// as it.
func OutwardTypes() map[string][]string {
	types := map[string][]string{"alur.request.ended": {"ActionTaken"}}
	for _, name := range domain.EventTypes() {
		if told, ok := outward[name]; ok {
			types[told] = append(types[told], name)
		}
	}
	return types
}

// Told is the data of an integration event: who asks the API for more, and is asked
// there who they are, learns it.
type Told struct {
	Tenant   domain.TenantCode   `json:"tenant"`
	Service  string              `json:"service,omitempty"`
	Request  string              `json:"request,omitempty"` // its id, which opens nothing by itself
	Workflow *domain.WorkflowRef `json:"workflow,omitempty"`
	Version  domain.Version      `json:"version"`        // of the request or the other thing that it happened to
	Link     string              `json:"link,omitempty"` // to the request, as it is from this event on
}

// Schema describes [Told], and is what dataschema names.
const Schema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "What an integration event of Alur says",
  "type": "object",
  "required": ["tenant", "version"],
  "properties": {
    "tenant": {"type": "string", "description": "the regency or city, by its code; empty for the nation"},
    "service": {"type": "string"},
    "request": {"type": "string", "format": "uuid"},
    "workflow": {
      "type": "object",
      "required": ["id", "version"],
      "properties": {"id": {"type": "string"}, "version": {"type": "integer", "minimum": 0}}
    },
    "version": {"type": "integer", "minimum": 1, "description": "of the request, or of the other thing that it happened to; grows by one with each event, told or not"},
    "link": {"type": "string", "format": "uri-reference"}
  }
}
`

// SchemaPath is where the API serves [Schema].
const SchemaPath = "/api/v1/events/schema"

// Outward makes the integration event of what happened, false where there is none.
// Public is the address that links begin with, such as https://alur.example; it may be
// empty, and links are then paths.
//
// The request is named by its id. Its reference is what a citizen holds: whoever knows
// it sees where the request stands, without a log-in.
func Outward(e domain.Recorded, public string) (CloudEvent, bool, error) {
	told, ok := outwardType(e)
	if !ok {
		return CloudEvent{}, false, nil
	}
	public = strings.TrimSuffix(public, "/")
	data := Told{Tenant: e.Tenant, Service: e.Service, Version: e.Version}
	if e.Workflow.ID != "" {
		data.Workflow = &e.Workflow
	}
	subject := e.Workflow.ID
	if kind, id, _ := strings.Cut(e.Stream, "-"); kind == "request" {
		subject, data.Request = id, id
		data.Link = public + "/api/v1/requests/" + id + "?position=" + strconv.FormatInt(int64(e.Position), 10)
	}
	text, err := json.Marshal(data)
	if err != nil {
		return CloudEvent{}, false, fmt.Errorf("integration event of %s: %w", e.ID, err)
	}
	c := CloudEvent{
		ID: e.ID.String(), Source: "/alur/tenants/" + string(e.Tenant), Type: told, Subject: subject,
		Time: e.Occurred.UTC(), Correlation: e.Correlation.String(), Data: text,
	}
	if public != "" {
		c.DataSchema = public + SchemaPath
	}
	return c, true, nil
}

// forwarderLinger is how long what was forwarded may not yet be noted. After a crash
// that much is sent again, and whoever takes it knows it by its id.
const forwarderLinger = 100 * time.Millisecond

// Forwarder is a reactor that tells other systems: it publishes each integration event
// to the subject "alur.TENANT.SERVICE.TYPE". Events come in the order of the log, at
// least once, and a publisher that is gone is waited for.
func Forwarder(publisher message.Publisher, mode ContentMode, public string) Reactor {
	return Reactor{Name: "forwarder", Topic: All, Linger: forwarderLinger, Handle: func(msg *message.Message) error {
		e, err := Event(msg)
		if err != nil {
			return err
		}
		c, ok, err := Outward(e, public)
		if err != nil || !ok {
			return err
		}
		out, err := c.Message(mode)
		if err != nil {
			return err
		}
		out.SetContext(msg.Context())
		return publisher.Publish(c.subject(e), out)
	}}
}

// subject is what a subscriber chooses by; a * stands for one of its words.
func (c CloudEvent) subject(e domain.Recorded) string {
	return "alur." + word(string(e.Tenant)) + "." + word(e.Service) + "." + strings.TrimPrefix(c.Type, "alur.")
}

// word is a text as one word of a subject: "11.71" is 11-71.
func word(s string) string {
	if s == "" {
		return "-"
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '-'
	}, s)
}

// Inward says of the events that are told to nobody outside why not.
func Inward() map[string]string { return maps.Clone(inward) }
