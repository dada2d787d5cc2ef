package domain

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
)

// decoders has one line for each shape ever stored; it reads that shape into the
// type as it is now, which is where an old shape is brought up to date. Lines are
// added, never changed.
var decoders = map[string]map[int]func([]byte) (Body, error){
	"RequestSubmitted":  {1: decode[RequestSubmitted]},
	"ActionTaken":       {1: decodeActionTaken, 2: decodeActionTaken},
	"WorkflowPublished": {1: decode[WorkflowPublished], 2: decode[WorkflowPublished]},
	"WorkflowRetired":   {1: decode[WorkflowRetired]},
	"SubjectErased":     {1: decode[SubjectErased]},
	"DocumentAttached":  {1: decode[DocumentAttached]},
	"DocumentRefused":   {1: decode[DocumentRefused]},
	"CheckAnswered":     {1: decode[CheckAnswered]},
	"ChecklistCleared":  {1: decode[ChecklistCleared]},
	"FeeAssessed":       {1: decode[FeeAssessed]},
	"FeePaid":           {1: decode[FeePaid]},
	"ReviewRequested":   {1: decode[ReviewRequested]},
	"ReviewGiven":       {1: decode[ReviewGiven]},
	"AnswerReported":    {1: decode[AnswerReported]},
	"TaskReady":         {1: decode[TaskReady]},
	"TaskPicked":        {1: decode[TaskPicked]},
	"TaskAllocated":     {1: decode[TaskAllocated]},
	"TaskReassigned":    {1: decode[TaskReassigned]},
	"NoticeDue":         {1: decode[NoticeDue]},
	"FactsRecorded":     {1: decode[FactsRecorded]},
	"RequestCorrected":  {1: decode[RequestCorrected]},
	"ReturnConsented":   {1: decode[ReturnConsented]},
	"SuspensionLifted":  {1: decode[SuspensionLifted]},
	"SuspensionOrdered": {1: decode[SuspensionOrdered]},
	"RequestLapsed":     {1: decode[RequestLapsed]},
	"DecisionDeemed":    {1: decode[DecisionDeemed]},
	"TermEnded":         {1: decode[TermEnded]},
	"TermEscalated":     {1: decode[TermEscalated]},
	"TermExpired":       {1: decode[TermExpired]},
	"TermReminded":      {1: decode[TermReminded]},
	"TermRecomputed":    {1: decode[TermRecomputed]},
	"TermExtended":      {1: decode[TermExtended]},
	"TermResumed":       {1: decode[TermResumed]},
	"TermSuspended":     {1: decode[TermSuspended]},
	"TermStarted":       {1: decode[TermStarted], 2: decode[TermStarted]},
	"DecreeAdded":       {1: decode[DecreeAdded]},
	"MigrationOrdered":  {1: decode[MigrationOrdered]},
	"RequestMigrated":   {1: decode[RequestMigrated]},
	"TermCarried":       {1: decode[TermCarried]},
	"TermContinued":     {1: decode[TermContinued]},
	"TermDropped":       {1: decode[TermDropped]},

	"ApplicantNotified":    {1: decode[ApplicantNotified]},
	"ApplicantNotNotified": {1: decode[ApplicantNotNotified]},
	"NoticesPreferred":     {1: decode[NoticesPreferred]},
	"OfficeNotNotified":    {1: decode[OfficeNotNotified]},
	"OfficeNotified":       {1: decode[OfficeNotified]},

	"MandateGranted": {1: decode[MandateGranted]},
	"MandateEnded":   {1: decode[MandateEnded]},
}

// EventTypes lists the names of all events that a log may hold, in their order.
func EventTypes() []string { return slices.Sorted(maps.Keys(decoders)) }

func decode[B Body](data []byte) (Body, error) {
	var b B
	err := json.Unmarshal(data, &b)
	return b, err
}

// decodeActionTaken reads the event of which a log holds most as it was written;
// any other text is left to encoding/json.
func decodeActionTaken(data []byte) (Body, error) {
	r := written{rest: string(data)}
	var b ActionTaken
	r.literal(`{"action":`)
	b.Action = ActionID(r.text())
	r.literal(`,"from":`)
	b.From = StateID(r.text())
	r.literal(`,"to":`)
	b.To = StateID(r.text())
	r.literal(`,"public":`)
	b.Public = PublicStatus(r.text())
	if r.has(`,"outcome":`) {
		b.Outcome = Outcome(r.text())
	}
	if r.has(`,"reason":`) {
		b.Reason = ReasonCode(r.text())
	}
	if r.has(`,"kind":`) {
		b.Kind = ActionKind(r.text())
	}
	r.literal(`}`)
	if !r.failed && r.rest == "" {
		return b, nil
	}
	return decode[ActionTaken](data)
}

func encode(e Event) (Entry, error) {
	name, schema := e.Body.Type()
	size := 512
	if e.Box != nil {
		size += 200 + base64.StdEncoding.EncodedLen(len(e.Box.Sealed))
	}
	meta, err := appendEnvelope(make([]byte, 0, size), &e.Envelope)
	if err != nil {
		return Entry{}, fmt.Errorf("encode envelope of %s: %w", name, err)
	}
	data, err := json.Marshal(e.Body)
	if err != nil {
		return Entry{}, fmt.Errorf("encode %s: %w", name, err)
	}
	return Entry{ID: e.ID, Type: name, Schema: schema, Meta: meta, Data: data}, nil
}

// Decode reads an entry. It fails for a type or schema that this program does not
// know and for texts that are not what [Enter] wrote.
func Decode(e Entry) (Recorded, error) {
	read, ok := decoders[e.Type][e.Schema]
	if !ok {
		return Recorded{}, fmt.Errorf("position %d, %s version %d: event type %s schema %d is not known to this program: it was written by a newer one",
			e.Position, e.Stream, e.Version, e.Type, e.Schema)
	}
	r := Recorded{Stream: e.Stream, Version: e.Version, Position: e.Position}
	var err error
	if r.Envelope, err = readEnvelope(e.Meta); err != nil {
		return Recorded{}, fmt.Errorf("position %d, %s version %d: decode envelope of %s: %w", e.Position, e.Stream, e.Version, e.Type, err)
	}
	body, err := read(e.Data)
	if err != nil {
		return Recorded{}, fmt.Errorf("position %d, %s version %d: decode %s: %w", e.Position, e.Stream, e.Version, e.Type, err)
	}
	r.ID, r.Body = e.ID, body
	return r, nil
}

// Events decodes entries as they are read. It ends at the first error.
func Events(entries iter.Seq2[Entry, error]) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		for e, err := range entries {
			var r Recorded
			if err == nil {
				r, err = Decode(e)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}
