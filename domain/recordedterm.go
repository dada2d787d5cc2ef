package domain

import "time"

// RecordRule is how the terms of a case that was imported are read from its record.
type RecordRule struct {
	Since string // the fact that says since when a term counts that the submission starts; empty: since then
	Ended bool   // it ends when the record says that the case did, and not with an outcome
}

// TermsOf lists the terms that concern a request as it stands. What was imported is the
// record of another system, and nobody here is late with it: of its terms, those of law
// are counted, and nothing follows when they run out but that this is recorded.
func TermsOf(r Request, w Workflow) []TermRule {
	rules := w.Terms(r.State)
	if r.Imported == nil {
		return rules
	}
	var list []TermRule
	for _, rule := range rules {
		if rule.ID.Legal() {
			list = append(list, rule.Of(r))
		}
	}
	return list
}

// Of is a rule as it is for a request.
func (rule TermRule) Of(r Request) TermRule {
	if r.Imported == nil {
		return rule
	}
	rule.imported = true
	rule.Steps, rule.Remind = []StepRule{{Step: StepExpire}}, ""
	rule.To, rule.Public, rule.Outcome, rule.Ground = "", "", "", ""
	if rule.Record.Ended {
		rule.ends = r.Imported.End()
	}
	return rule
}

// Ends is when a term ends by the record of an imported case; zero when that does not say.
func (rule *TermRule) Ends() time.Time { return rule.ends }

// byRecord reports whether a term ends when the record says so and not otherwise.
func (rule *TermRule) byRecord() bool { return rule.imported && rule.Record.Ended }

// since is when a term began by the record of a case; zero where that does not say, and it
// begins with what is done now.
func (rule *TermRule) since(r *Request) time.Time {
	if !rule.imported {
		return time.Time{}
	}
	if at, ok := r.date(rule.Record.Since); ok && rule.starts(Submitting) {
		return at
	}
	if at := r.started(rule); !at.Equal(r.Changed) {
		return at
	}
	return time.Time{}
}

// started is when what starts a term of law was first done; zero if it was not.
func (r *Request) started(rule *TermRule) time.Time {
	if rule.starts(Submitting) {
		return r.Submitted
	}
	var first time.Time
	for d := r.done; d != nil; d = d.before {
		if d.counts != "" && rule.starts(d.counts) {
			first = d.occurred
		}
	}
	return first
}

// until is the date that a term is due at; false where there is none. One that had passed
// when the request was submitted is none: whoever asks would have made the office late
// with it before it knew.
func (r *Request) until(rule *TermRule) (time.Time, bool) {
	at, ok := r.date(rule.Date)
	return at, ok && (rule.imported || at.After(r.Submitted))
}

// endedBy reports whether a term of an imported case ended as its record says, under
// whatever version.
func (r *Request) endedBy(t Term) bool {
	return r.Imported != nil && !t.Ended.IsZero() && t.Ended.Equal(r.Imported.End())
}

// IsDate reports whether a date is one that is meant. Where there is none, systems write
// the first day of year 1, of 1753 or of 1900, the day before that, or the last of 9999.
func IsDate(at time.Time) bool {
	return at.After(time.Date(1900, 1, 3, 0, 0, 0, 0, time.UTC)) && at.Before(time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC))
}

// exactly is how exactly moments are kept that terms wait for: as every view can.
const exactly = time.Microsecond

// date is what a fact says that holds a time; false where there is none.
func (r *Request) date(fact string) (time.Time, bool) {
	text, _ := r.Facts[fact].(string)
	at, err := time.Parse(time.RFC3339, text)
	return at.UTC().Truncate(exactly), err == nil && IsDate(at)
}
