package domain

import (
	"encoding/json"
	"fmt"
)

// Encoded is an event as every store keeps it: two JSON texts beside the name
// and schema version that say how to read them.
type Encoded struct {
	Type     string
	Schema   int
	Envelope []byte
	Body     []byte
}

// decoders has one line for each shape ever stored. Lines are added, never
// changed.
var decoders = map[string]map[int]func([]byte) (Body, error){
	"RequestSubmitted":  {1: decode[RequestSubmitted]},
	"ActionTaken":       {1: decode[ActionTaken]},
	"WorkflowPublished": {1: decode[WorkflowPublished]},
}

func decode[B Body](data []byte) (Body, error) {
	var b B
	err := json.Unmarshal(data, &b)
	return b, err
}

// Encode turns an event into what a store keeps. It fails only for a value that
// JSON cannot hold.
func Encode(e Event) (Encoded, error) {
	name, schema := e.Body.Type()
	envelope, err := json.Marshal(e.Envelope)
	if err != nil {
		return Encoded{}, fmt.Errorf("encode envelope of %s: %w", name, err)
	}
	body, err := json.Marshal(e.Body)
	if err != nil {
		return Encoded{}, fmt.Errorf("encode %s: %w", name, err)
	}
	return Encoded{Type: name, Schema: schema, Envelope: envelope, Body: body}, nil
}

// Decode reads what a store kept. The event's id is the store's to fill in.
func Decode(c Encoded) (Event, error) {
	read, ok := decoders[c.Type][c.Schema]
	if !ok {
		return Event{}, fmt.Errorf("event type %s schema %d is not known to this program: it was written by a newer one", c.Type, c.Schema)
	}
	var e Event
	if err := json.Unmarshal(c.Envelope, &e.Envelope); err != nil {
		return Event{}, fmt.Errorf("decode envelope of %s: %w", c.Type, err)
	}
	body, err := read(c.Body)
	if err != nil {
		return Event{}, fmt.Errorf("decode %s: %w", c.Type, err)
	}
	e.Body = body
	return e, nil
}
