package workflows

import (
	"fmt"
	"slices"
	"time"

	"github.com/alur-id/alur/domain"
)

// Published is a version of a workflow as the log has it.
type Published struct {
	*Workflow
	domain.WorkflowPublished // Effective is never zero

	By      domain.Actor
	At      time.Time // when it was recorded
	Retired *Retired  // nil where it was not
}

// Retired is the end of a version.
type Retired struct {
	From time.Time
	By   domain.Actor
	At   time.Time // when it was recorded
	Why  string
}

// Standing is what a version is to new requests.
type Standing string

// The standings.
const (
	StandingInForce    Standing = "in_force"
	StandingFuture     Standing = "future"     // not yet effective
	StandingSuperseded Standing = "superseded" // another is in force, or it waits for that one to be retired
	StandingRetired    Standing = "retired"
	StandingHistory    Standing = "history" // for imported requests only
)

// published is the version that an event tells of; n is the number it must have.
func published(e domain.Recorded, b domain.WorkflowPublished, n int) (Published, error) {
	switch {
	case !b.Intact():
		return Published{}, fmt.Errorf("version %d is not the definition that was published: it has another hash", n)
	case e.Workflow.Version != n:
		return Published{}, fmt.Errorf("version %d calls itself %d", n, e.Workflow.Version)
	}
	d, err := Read(fmt.Sprintf("%s@%d", e.Stream, n), []byte(b.Source))
	if err != nil {
		return Published{}, fmt.Errorf("published workflow does not load: %w", err)
	}
	recorded := e.At
	if recorded.IsZero() { // the first envelopes did not say
		recorded = e.Occurred
	}
	if b.Effective.IsZero() {
		b.Effective = recorded
	}
	return Published{Workflow: Compile(d, n), WorkflowPublished: b, By: e.Actor, At: recorded}, nil
}

// retired notes the end of some versions. The list is another: who looked at the
// former one keeps it.
func retired(list []Published, e domain.Recorded, b domain.WorkflowRetired) ([]Published, error) {
	list = slices.Clone(list)
	for _, n := range b.Versions {
		if n < 1 || n > len(list) {
			return nil, fmt.Errorf("version %d is retired and was never published", n)
		}
		if v := &list[n-1]; v.Retired == nil || b.Effective.Before(v.Retired.From) {
			v.Retired = &Retired{From: b.Effective, By: e.Actor, At: e.At, Why: b.Why}
		}
	}
	return list, nil
}

// effective reports whether submissions can be judged by a version at a moment.
func (v *Published) effective(at time.Time) bool {
	return !v.History && !v.Effective.After(at) && !v.ended(at)
}

// ended reports whether a version was retired by then.
func (v *Published) ended(at time.Time) bool { return v.Retired != nil && !v.Retired.From.After(at) }

// withdrawn reports whether a version was retired before it could take effect.
func (v *Published) withdrawn() bool { return v.ended(v.Effective) }

// inForce is the version that took effect last of those that are effective; of two
// that took effect together, the later published. Nil where there is none.
func inForce(list []Published, at time.Time) *Published {
	var best *Published
	for i := range list {
		if v := &list[i]; v.effective(at) && (best == nil || !v.Effective.Before(best.Effective)) {
			best = v
		}
	}
	return best
}

// Standings tells of each version what it is to a request that is submitted at a
// moment.
func Standings(list []Published, at time.Time) []Standing {
	now := inForce(list, at)
	all := make([]Standing, len(list))
	for i := range list {
		switch v := &list[i]; {
		case v.History:
			all[i] = StandingHistory
		case v.ended(at) || v.withdrawn():
			all[i] = StandingRetired
		case v == now:
			all[i] = StandingInForce
		case v.Effective.After(at):
			all[i] = StandingFuture
		default:
			all[i] = StandingSuperseded
		}
	}
	return all
}

// NextOf is the version that takes effect first after a moment; nil for none.
func NextOf(list []Published, at time.Time) *Published {
	var next *Published
	for i := range list {
		if v := &list[i]; !v.History && !v.withdrawn() && v.Effective.After(at) && (next == nil || v.Effective.Before(next.Effective)) {
			next = v
		}
	}
	return next
}

// closed is the refusal of a submission where no version is in force.
func closed(list []Published, tenant domain.TenantCode, service string, at time.Time) error {
	var since *Published
	for i := range list {
		v := &list[i]
		switch {
		case v.History, v.withdrawn(), v.Effective.After(at):
		case since == nil || v.Retired.From.After(since.Retired.From): // it is over, or it would be in force
			since = v
		}
	}
	detail := fmt.Sprintf("service %q of tenant %s takes no new requests", service, tenant)
	if since != nil {
		detail += " since " + moment(since.Retired.From, tenant) + ": its workflow was retired"
	}
	remedy := "its office can open it by publishing a version of its workflow; requests that were submitted before go on"
	if opens := NextOf(list, at); opens != nil {
		remedy = "it opens " + moment(opens.Effective, tenant) + ", when version " + fmt.Sprint(opens.Ref().Version) + " takes effect"
	}
	return domain.NewRefusal(domain.RuleClosed, detail, remedy)
}
