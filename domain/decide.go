package domain

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Decide is what a command leads to: the events that follow from it, no events
// when the command is already part of the request, or a [*Refusal] that says
// which rule stands against it and what would satisfy that rule. A command that
// names a version the request is not at gets a [*ConflictError].
//
// The rules apply in this order: is the actor fit to be recorded, was the
// command given before, does the workflow have such an edge here, may this role
// take it, in this capacity, for this reason.
func Decide(r Request, c Command, w Workflow) ([]Event, error) {
	h := c.Head()
	if err := h.Actor.Check(); err != nil {
		return nil, err
	}
	// What JSON and RFC 3339 can hold, in UTC as it is recorded.
	if year := h.Occurred.UTC().Year(); h.Occurred.IsZero() || year < 1900 || year > 9999 {
		return nil, refuse(RuleTime, "the command does not say when it happened, or no time it can have happened", "give it a time of occurrence between 1900 and 9999")
	}
	if d := r.find(h.ID); d != nil {
		return nil, repeated(r, d, c, w)
	}
	personal, err := PersonalOf(c)
	if err != nil {
		return nil, err
	}
	if c, ok := c.(Submit); ok {
		r.Tenant, r.Service = c.Tenant, c.Service
	}
	if err := inTime(r, c); err != nil {
		return nil, err
	}
	bodies, err := decide(r, c, w)
	if err != nil {
		return nil, err
	}
	correlation := h.Correlation
	if correlation == [16]byte{} {
		correlation = h.ID
	}
	envelope := Envelope{
		Tenant: r.Tenant, Service: r.Service, Office: w.Office(),
		Actor: h.Actor, Workflow: w.Ref(), Command: h.ID, Correlation: correlation,
		Occurred: h.Occurred.UTC(),
	}
	events, err := followed(r, envelope, said(envelope, bodies, personal), w)
	var why *Refusal
	if _, expires := c.(Expire); expires && errors.As(err, &why) {
		if instead, ok := barred(bodies, why); ok {
			return followed(r, envelope, said(envelope, instead, nil), w)
		}
	}
	if _, migrates := c.(Migrate); migrates && err == nil {
		err = refilled(r, events)
	}
	if err != nil {
		return nil, err
	}
	return events, nil
}

// said is what a command itself led to, as events.
func said(e Envelope, bodies []Body, personal Personal) []Event {
	events := make([]Event, 0, len(bodies)+1)
	for _, body := range bodies {
		e.ID = EventID(e.Command, len(events))
		events = append(events, Event{Envelope: e, Body: body})
	}
	events[0].Personal = personal
	return events
}

// decide is what a command itself says.
func decide(r Request, c Command, w Workflow) ([]Body, error) {
	switch c := c.(type) {
	case Submit:
		return submit(r, c, w)
	case Act:
		return act(r, c, w)
	case Expire:
		return expire(r, c, w)
	case RecomputeTerms:
		return recomputeTerms(r, c, w)
	case ExtendTerm:
		return extendTerm(r, c, w)
	case Pay:
		return pay(r, c, w)
	case Migrate:
		return migrate(r, c, w)
	}
	body, err := add(r, c, w)
	if err != nil {
		return nil, err
	}
	return []Body{body}, nil
}

// follower is who acts when something follows by itself.
var follower = Actor{ID: "alur", Role: "system", Capacity: CapacitySystem}

// MaxFollowing is how many events one command may lead to. That a definition leads to
// more, as where its automatic transitions run in a circle, is found when it is checked.
const MaxFollowing = 100

// followed adds what follows by itself from events that were decided, under the
// same command.
func followed(r Request, e Envelope, events []Event, w Workflow) ([]Event, error) {
	for _, ev := range events {
		r = Evolve(r, Recorded{Event: ev, Version: r.Version + 1})
	}
	for {
		body, err := tick(&r, w)
		if body == nil && err == nil {
			body, err = w.Next(r)
			if unjudged(err) && !moves(events) {
				// It stood here before. What does not follow of that is no reason to refuse
				// what asks nothing of the condition.
				body, err = nil, nil
			}
		}
		if err != nil {
			return nil, err
		}
		// What must never be is looked for when all that a state brings with it is
		// there, such as the fees that are due in it.
		if _, moves := MoveOf(body); moves || body == nil {
			if err := w.Broken(r); err != nil {
				return nil, err
			}
		}
		if body == nil {
			return events, nil
		}
		if len(events) >= MaxFollowing {
			return nil, refuse(RuleEndless, "what follows by itself does not come to rest", "mend the automatic transitions of the workflow")
		}
		e.ID, e.Actor = EventID(e.Command, len(events)), follower
		events = append(events, Event{Envelope: e, Body: body})
		r = Evolve(r, Recorded{Event: events[len(events)-1], Version: r.Version + 1})
	}
}

// unjudged tells a refusal because a condition failed from others.
func unjudged(err error) bool {
	var refusal *Refusal
	return errors.As(err, &refusal) && refusal.Rule == RuleCondition
}

// moves reports whether events bring a request to a state, or change its facts: what
// follows from that has to be known before they are recorded.
func moves(events []Event) bool {
	return slices.ContainsFunc(events, func(e Event) bool {
		switch b := e.Body.(type) {
		case RequestSubmitted, RequestCorrected, FactsRecorded, RequestMigrated:
			return true
		default:
			m, ok := MoveOf(b)
			return ok && m.From != m.To
		}
	})
}

// maxPersonal and maxRemark are how much personal data one command may bring, in
// bytes of JSON and of text.
const (
	maxPersonal = 64 << 10
	maxRemark   = 4 << 10
)

// PersonalOf is what a command brings that has to be sealed; nil when nothing. The
// error is a [*Refusal].
func PersonalOf(c Command) (Personal, error) {
	p, remark := Personal{}, ""
	switch c := c.(type) {
	case Submit:
		if c.Identity != "" {
			identity, err := ParseIdentity(string(c.Identity))
			if err != nil {
				return nil, err
			}
			p["identity"] = string(identity)
		}
		if len(c.Form) > 0 {
			p["form"] = map[string]any(c.Form)
		}
	case Act:
		remark = c.Remark
		if len(c.Form) > 0 {
			p["form"] = map[string]any(c.Form)
		}
	case GiveReview:
		remark = c.Remark
	}
	if !utf8.ValidString(remark) || len(remark) > maxRemark {
		return nil, refuse(RulePersonalData, "the remark is too long or not text", fmt.Sprintf("write at most %d bytes", maxRemark))
	}
	if remark != "" {
		p["remark"] = remark
	}
	if len(p) == 0 {
		return nil, nil
	}
	if !exact(p) {
		return nil, refuse(RulePersonalData, "the form holds a number that is too large to be kept exactly", "send it as text, as every number that names somebody")
	}
	if text, err := appendMap(make([]byte, 0, 256), p); err != nil || len(text) > maxPersonal {
		return nil, refuse(RulePersonalData, "the form is too large or holds what JSON cannot", fmt.Sprintf("send at most %d bytes of JSON", maxPersonal))
	}
	return p, nil
}

// exact reports whether every number in a value is the one that was sent: beyond 2
// to the 53rd, a float64 is only near it.
func exact(v any) bool {
	switch v := v.(type) {
	case Personal:
		return exact(map[string]any(v))
	case map[string]any:
		for _, part := range v {
			if !exact(part) {
				return false
			}
		}
	case []any:
		return !slices.ContainsFunc(v, func(part any) bool { return !exact(part) })
	case float64:
		return v > -1<<53 && v < 1<<53
	}
	return true
}

func submit(r Request, c Submit, w Workflow) ([]Body, error) {
	if r.Exists() {
		return nil, refuse(RuleAlreadySubmitted, "this request was already submitted", "submit a new one under a new command id")
	}
	start := w.Submission()
	if err := mayAct(c.Actor, start.Roles, w, "submit a request"); err != nil {
		return nil, err
	}
	facts, err := clearFacts(c.Facts, c.Form, c.Imported, w)
	if err != nil {
		return nil, err
	}
	return []Body{RequestSubmitted{
		Request: RequestID(c.ID), Reference: c.Reference,
		State: start.State, Public: start.Public, Facts: facts, Imported: c.Imported,
	}}, nil
}

// clearFacts is what will stand in the clear.
func clearFacts(given Facts, form Personal, i *Imported, w Workflow) (Facts, error) {
	facts, err := w.CheckFacts(given, form)
	if err == nil && i == nil { // another system's times are what they are
		err = w.CheckTimes(facts)
	}
	if err != nil {
		return nil, err
	}
	return facts, nothingPersonal(facts, i)
}

// as says whether a command may be judged by the request as it is: it exists, and
// is at the version that the actor saw, if they saw one.
func (r Request) as(seen Version) error {
	if !r.Exists() {
		return refuse(RuleNotSubmitted, "there is no such request", "submit it first")
	}
	if seen != 0 && seen != r.Version {
		return &ConflictError{Stream: RequestStream(r.ID), Expected: seen, Actual: r.Version}
	}
	return nil
}

func act(r Request, c Act, w Workflow) ([]Body, error) {
	if err := r.as(c.Expected); err != nil {
		return nil, err
	}
	t, err := w.Fire(r, c.Action)
	if err != nil {
		return nil, err
	}
	if err := mayAct(c.Actor, t.Roles, w, fmt.Sprintf("take action %q", c.Action)); err != nil {
		return nil, err
	}
	if err := mayTake(r, c, t, w); err != nil {
		return nil, err
	}
	var anew Facts
	if t.Kind == ActionCorrect {
		if anew, t.Needs, err = correction(r, c, t, w); err != nil {
			return nil, err
		}
	}
	if err := lacking(r.Dossier, t.Needs); err != nil {
		return nil, err
	}
	taken := ActionTaken{
		Action: c.Action, From: t.From, To: t.To, Public: t.Public, Outcome: t.Outcome, Reason: c.Reason, Kind: t.Kind,
	}
	bodies := []Body{taken}
	if len(t.Records) > 0 {
		facts, err := w.RecordFacts(t.Records, c.Facts)
		if err == nil {
			err = cmp.Or(w.CheckTimes(facts), nothingPersonal(facts, nil))
		}
		if err != nil {
			return nil, err
		}
		bodies, c.Facts = append(bodies, FactsRecorded{Facts: facts}), nil
	}
	bodies = append(bodies, r.cleared(t.Clears)...)
	if t.Kind != ActionCorrect {
		if len(c.Facts)+len(c.Form) > 0 {
			return nil, refuse(RuleFacts, fmt.Sprintf("action %q does not correct the request", c.Action), "leave facts and form out")
		}
		return bodies, nil
	}
	return append([]Body{RequestCorrected{Facts: anew}}, bodies...), nil
}

// correction is the facts that a request is corrected to, and what the edge needs by
// them: whoever makes another request of theirs hands in what that asks for.
func correction(r Request, c Act, t Transition, w Workflow) (Facts, Needs, error) {
	facts, err := clearFacts(c.Facts, c.Form, nil, w)
	if err != nil {
		return nil, Needs{}, err
	}
	for name, v := range r.Facts {
		if w.Recorded(name) { // not the applicant's to correct
			facts[name] = v
		}
	}
	r.Facts = facts
	needs, err := w.Needs(r, t)
	return facts, needs, err
}

// cleared takes back what was answered of some checklists.
func (r Request) cleared(lists []ChecklistID) []Body {
	var bodies []Body
	for _, list := range lists {
		if len(r.Dossier.Checks[list]) > 0 {
			bodies = append(bodies, ChecklistCleared{Checklist: list})
		}
	}
	return bodies
}

// mayTake holds the rules of one edge beside those of role and capacity, and what the
// edge needs: the task is not somebody else's, four eyes, reason.
func mayTake(r Request, c Act, t Transition, w Workflow) error {
	if err := atWork(r, c.Actor, w); err != nil {
		return err
	}
	if err := fourEyes(r, c.Actor, t.NotBy, fmt.Sprintf("take %q", c.Action)); err != nil {
		return err
	}
	if err := reasonGiven(c, t); err != nil {
		return err
	}
	if err := mayReturn(r, c, t); err != nil {
		return err
	}
	if t.Kind == ActionOverride && c.Remark == "" {
		return refuse(RuleReason, fmt.Sprintf("action %q goes past what the step demands", c.Action), "say in the remark why")
	}
	return nil
}

// fourEyes refuses what somebody may not do who did something else before.
func fourEyes(r Request, a Actor, notBy []ActionID, what string) error {
	did, ok := r.acted(a.ID, notBy)
	if !ok {
		return nil
	}
	who := fmt.Sprintf("whoever took action %q", did)
	if did == Submitting {
		who = "whoever submitted the request"
	} else if id, given := strings.CutPrefix(string(did), string(Reviewing(""))); given {
		who = fmt.Sprintf("whoever gave review %q", id)
	}
	return refuse(RuleFourEyes, who+" may not "+what, "let somebody else do it")
}

// nothingPersonal refuses what is plainly personal data, whatever a definition
// declares: it would stand in the clear for ever.
func nothingPersonal(f Facts, i *Imported) error {
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if n, ok := f[name].(float64); ok {
			if found := personalNumber(n); found != "" {
				return refuse(RulePersonalData, fmt.Sprintf("fact %q looks like %s", name, found),
					"facts are kept in the clear: a number that is nobody's and only looks like one is given in another unit, such as thousands")
			}
			continue
		}
		text := fmt.Sprint(f[name])
		if looksPersonal(text) {
			found := cmp.Or(personalIn(text), "a NIK or an e-mail address")
			return refuse(RulePersonalData, fmt.Sprintf("fact %q looks like %s", name, found), "facts are kept in the clear: leave it out")
		}
		if err := CheckImpersonal(fmt.Sprintf("fact %q", name), text); err != nil {
			return err
		}
	}
	if i == nil {
		return nil
	}
	if looksPersonal(i.Case) {
		return refuse(RulePersonalData, "the case is named by what looks like a NIK or an e-mail address", "give the case another name: it is kept in the clear")
	}
	return CheckImpersonal("the name of the case", i.Case)
}

// mayAct is the rule of who may do what: the actor's role must be one that the
// edge names, and the workflow must let that role act in the actor's capacity.
func mayAct(a Actor, roles []RoleID, w Workflow, what string) error {
	if !slices.Contains(roles, a.Role) {
		whose := "no role may"
		if len(roles) > 0 {
			whose = "it belongs to " + Listed(roles)
		}
		return refuse(RuleRole, fmt.Sprintf("role %q may not %s", a.Role, what), whose)
	}
	if allowed := w.Capacities(a.Role); !slices.Contains(allowed, a.Capacity) {
		return refuse(RuleCapacity, fmt.Sprintf("role %q may not act in capacity %q", a.Role, a.Capacity),
			"it acts as "+Listed(allowed))
	}
	return nil
}

func reasonGiven(c Act, t Transition) error {
	switch {
	case len(t.Reasons) > 0 && c.Reason == "":
		return refuse(RuleReason, fmt.Sprintf("action %q needs a reason code", c.Action), "give one of "+Listed(t.Reasons))
	case len(t.Reasons) > 0 && !slices.Contains(t.Reasons, c.Reason):
		return refuse(RuleReason, fmt.Sprintf("%q is not a reason for action %q", c.Reason, c.Action), "give one of "+Listed(t.Reasons))
	case len(t.Reasons) == 0 && c.Reason != "":
		return refuse(RuleReason, fmt.Sprintf("action %q takes no reason code", c.Action), "leave the reason out")
	}
	return nil
}

// repeated is nil when the command asks for what it did the first time.
func repeated(r Request, d *done, c Command, w Workflow) error {
	same := d.actor == c.Head().Actor
	switch c := c.(type) {
	case Submit:
		b, submitted := d.body.(RequestSubmitted)
		facts, err := w.CheckFacts(c.Facts, c.Form)
		same = same && err == nil && submitted && maps.Equal(facts, b.Facts) && c.Tenant == r.Tenant && c.Service == r.Service
	case Act:
		if b, ok := d.body.(RequestCorrected); ok {
			facts, err := w.CheckFacts(c.Facts, c.Form)
			same = same && err == nil && maps.Equal(given(facts, w), given(b.Facts, w))
			d = r.after(d)
		} else if b, ok := r.after(d).body.(FactsRecorded); ok && r.after(d).command == d.command {
			same = same && len(c.Form) == 0 && sameRecorded(b, c.Facts, w)
		} else {
			same = same && len(c.Facts)+len(c.Form) == 0
		}
		same = same && d.action != "" && d.action == c.Action && d.reason == c.Reason
	case ExtendTerm:
		if _, ok := d.body.(TermRecomputed); ok {
			d = r.after(d)
		}
		same = same && d.body != nil && asks(d.body, c)
	case Pay:
		same = same && slices.Equal(r.paid(d, c.Receipt), c.payments())
	default:
		same = same && d.body != nil && asks(d.body, c)
	}
	if !same {
		return refuse(RuleCommandReused, "this command id was used for another command", "use a new id for each command")
	}
	return nil
}

// given is facts without those that are recorded while the request runs.
func given(f Facts, w Workflow) Facts {
	f = maps.Clone(f)
	maps.DeleteFunc(f, func(name string, _ any) bool { return w.Recorded(name) })
	return f
}

// sameRecorded reports whether facts that were sent again are those that were recorded.
func sameRecorded(b FactsRecorded, sent Facts, w Workflow) bool {
	facts, err := w.RecordFacts(slices.Sorted(maps.Keys(b.Facts)), sent)
	return err == nil && maps.Equal(facts, b.Facts)
}
