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
		rule.ends = r.Imported.Ended.Truncate(exactly)
	}
	return rule
}

// Ends is when a term ends by the record of an imported case; zero when that does not say.
func (rule *TermRule) Ends() time.Time { return rule.ends }

// byRecord reports whether a term ends when the record says so and not otherwise.
func (rule *TermRule) byRecord() bool { return rule.imported && rule.Record.Ended }

// since is when a term began by the record; zero where that does not say.
func (rule *TermRule) since(r *Request) time.Time {
	if !rule.imported || !rule.starts(Submitting) {
		return time.Time{}
	}
	at, _ := r.date(rule.Record.Since)
	return at
}

// exactly is how exactly moments are kept that terms wait for: as every view can.
const exactly = time.Microsecond

// date is what a fact says that holds a time; false for one that there is not.
func (r *Request) date(fact string) (time.Time, bool) {
	text, _ := r.Facts[fact].(string)
	at, err := time.Parse(time.RFC3339, text)
	return at.UTC().Truncate(exactly), err == nil && !at.IsZero()
}
