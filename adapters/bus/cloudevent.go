package bus

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
)

// CloudEvent is an integration event by CloudEvents 1.0. Its data is JSON.
type CloudEvent struct {
	ID          string // of the event; with Source, what a repetition is known by
	Source      string
	Type        string
	Subject     string // what it happened to; may be empty
	Time        time.Time
	DataSchema  string // may be empty
	Correlation string // by the correlation extension; may be empty
	Data        json.RawMessage
}

// ContentMode is how a CloudEvent stands in a message.
type ContentMode string

// In structured mode the payload holds all of the event; in binary mode it holds the
// data, and the headers the rest.
const (
	Structured ContentMode = "structured"
	Binary     ContentMode = "binary"
)

// ContentModes lists every mode.
func ContentModes() []ContentMode { return []ContentMode{Structured, Binary} }

const (
	structuredType = "application/cloudevents+json; charset=UTF-8"
	dataType       = "application/json"
	contentType    = "Content-Type"
	prefix         = "ce-"
)

// envelope is the JSON event format.
type envelope struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject,omitempty"`
	Time            time.Time       `json:"time,omitzero"`
	DataContentType string          `json:"datacontenttype,omitempty"`
	DataSchema      string          `json:"dataschema,omitempty"`
	Correlation     string          `json:"correlationid,omitempty"`
	Data            json.RawMessage `json:"data,omitempty"`
}

// MarshalJSON writes the JSON event format.
func (c CloudEvent) MarshalJSON() ([]byte, error) {
	return json.Marshal(envelope{
		SpecVersion: "1.0", ID: c.ID, Source: c.Source, Type: c.Type, Subject: c.Subject, Time: c.Time,
		DataContentType: dataType, DataSchema: c.DataSchema, Correlation: c.Correlation, Data: c.Data,
	})
}

// UnmarshalJSON reads the JSON event format. Attributes that it does not know are left
// out.
func (c *CloudEvent) UnmarshalJSON(text []byte) error {
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return err
	}
	*c = CloudEvent{e.ID, e.Source, e.Type, e.Subject, e.Time, e.DataSchema, e.Correlation, e.Data}
	return c.check(e.SpecVersion)
}

func (c CloudEvent) check(version string) error {
	if !strings.HasPrefix(version, "1.") || c.ID == "" || c.Source == "" || c.Type == "" {
		return errors.New("not a CloudEvent 1.0: specversion, id, source and type are required")
	}
	return nil
}

// Message makes the message of an event, by the NATS protocol binding. Its metadata is
// what stands in the headers.
func (c CloudEvent) Message(mode ContentMode) (*message.Message, error) {
	if mode == Structured {
		text, err := json.Marshal(c)
		if err != nil {
			return nil, fmt.Errorf("event %s: %w", c.ID, err)
		}
		msg := message.NewMessage(c.ID, text)
		msg.Metadata.Set(contentType, structuredType)
		return msg, nil
	}
	moment := ""
	if !c.Time.IsZero() {
		moment = c.Time.Format(time.RFC3339Nano)
	}
	msg := message.NewMessage(c.ID, message.Payload(c.Data))
	for _, a := range [][2]string{
		{"specversion", "1.0"},
		{"id", c.ID},
		{"source", c.Source},
		{"type", c.Type},
		{"subject", c.Subject},
		{"time", moment},
		{"datacontenttype", dataType},
		{"dataschema", c.DataSchema},
		{"correlationid", c.Correlation},
	} {
		if a[1] != "" {
			msg.Metadata.Set(prefix+a[0], encodeHeader(a[1]))
		}
	}
	return msg, nil
}

// FromMessage reads an event out of a message of either mode. Headers are asked for by
// their names in any spelling of capitals.
func FromMessage(header func(name string) string, payload []byte) (CloudEvent, error) {
	if t, _, err := mime.ParseMediaType(header(contentType)); err == nil && strings.HasPrefix(t, "application/cloudevents") {
		var c CloudEvent
		err := json.Unmarshal(payload, &c)
		return c, err
	}
	var c CloudEvent
	var version, moment string
	for name, to := range map[string]*string{
		"specversion": &version, "id": &c.ID, "source": &c.Source, "type": &c.Type, "subject": &c.Subject,
		"time": &moment, "dataschema": &c.DataSchema, "correlationid": &c.Correlation,
	} {
		var err error
		if *to, err = decodeHeader(header(prefix + name)); err != nil {
			return c, fmt.Errorf("attribute %s: %w", name, err)
		}
	}
	if moment != "" {
		var err error
		if c.Time, err = time.Parse(time.RFC3339Nano, moment); err != nil {
			return c, fmt.Errorf("attribute time: %w", err)
		}
	}
	c.Data = payload
	return c, c.check(version)
}

// encodeHeader escapes what a header cannot hold, as the binding says: all but the
// printable ASCII characters, and of those space, double quote and percent.
func encodeHeader(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c > ' ' && c <= '~' && c != '"' && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// decodeHeader reads a header's value, also one in double quotes.
func decodeHeader(s string) (string, error) {
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
		var b strings.Builder
		for inside := s[1 : len(s)-1]; inside != ""; inside = inside[1:] {
			if inside[0] == '\\' && len(inside) > 1 {
				inside = inside[1:]
			}
			b.WriteByte(inside[0])
		}
		s = b.String()
	}
	s, err := url.PathUnescape(s)
	if err == nil && !utf8.ValidString(s) {
		err = errors.New("not UTF-8")
	}
	return s, err
}

// Received makes the message of an event that came from elsewhere: its id is the
// event's, its payload the JSON event format whatever mode it came in.
func Received(header func(name string) string, payload []byte) (*message.Message, error) {
	c, err := FromMessage(header, payload)
	if err != nil {
		return nil, err
	}
	msg, err := c.Message(Structured)
	if err != nil {
		return nil, err
	}
	msg.Metadata.Set(KeyType, c.Type)
	middleware.SetCorrelationID(c.Correlation, msg)
	return msg, nil
}
