package projections

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/alur-id/alur/domain"
)

// InboxProjection keeps one row for each open request, which is the work of the state
// that it stands in, and one for each review that it waits for: whose work it is, who
// has it, and until when there is time.
type InboxProjection struct {
	// Owner is the role that has to act in a state, and whether that is the applicant,
	// by a version that was published: what it says never changes, and each event that
	// is under a version comes after it in every log. Nobody, where there is no such
	// version or state. An error is for a version that cannot be read now.
	Owner func(domain.TenantCode, domain.WorkflowRef, domain.StateID) (role domain.RoleID, applicant bool, err error)
	// Task is in the same way how its work is given out; false where it is not.
	Task func(domain.TenantCode, domain.WorkflowRef, domain.StateID) (domain.TaskRule, bool, error)
}

var _ Projection = InboxProjection{}

// Name implements [Projection].
func (InboxProjection) Name() string { return "inbox" }

// Schema implements [Projection]. Times are microseconds since 1970, UTC. Each pair of
// indexes has a condition of its own, which is always true and which a statement states
// that wants it: else SQLite takes one that has the order, and reads all of it.
func (InboxProjection) Schema() string {
	return `
CREATE TABLE inbox (
	request          TEXT   NOT NULL,
	review           TEXT   NOT NULL, -- empty for the work of the state
	kind             TEXT   NOT NULL, -- an InboxKind
	tenant           TEXT   NOT NULL,
	service          TEXT   NOT NULL,
	desk             TEXT   NOT NULL, -- office/role
	place            TEXT   NOT NULL, -- service/state/office/role
	workflow_version BIGINT NOT NULL,
	rule             TEXT   NOT NULL, -- of allocation, by that version; empty where the work is not given out
	holder           TEXT   NOT NULL, -- who has it; empty for nobody
	claimant         TEXT   NOT NULL, -- the same person whichever way they are written
	taken            BIGINT NOT NULL,
	since            BIGINT NOT NULL,
	due              BIGINT, -- by the term of the state or the review
	stopped          TEXT   NOT NULL, -- why that stands still
	legal            BIGINT, -- by the terms of law, the first
	halted           TEXT   NOT NULL, -- why one of these stands still
	first            BIGINT NOT NULL, -- of both, or the end of time: the order
	clock            TEXT   NOT NULL, -- the terms that are open, in the row of the state; and the next two there alone
	told             BIGINT, -- of an imported case with which nothing was done here (domain.DoneHere): when it was recorded
	over             BIGINT NOT NULL, -- while it is told by its record: 1, by that it has ended; 2, it stands at an end
	PRIMARY KEY (request, review)
);
CREATE INDEX inbox_due ON inbox (tenant, taken, first, request, review) WHERE kind <> 'wait' AND tenant <> '';
CREATE INDEX inbox_since ON inbox (tenant, taken, since, request, review) WHERE kind <> 'wait' AND tenant <> '';
CREATE INDEX inbox_desk_due ON inbox (tenant, desk, taken, first, request, review) WHERE kind <> 'wait' AND desk <> '';
CREATE INDEX inbox_desk_since ON inbox (tenant, desk, taken, since, request, review) WHERE kind <> 'wait' AND desk <> '';
CREATE INDEX inbox_place_due ON inbox (tenant, service, place, taken, first, request, review) WHERE kind <> 'wait' AND place <> '';
CREATE INDEX inbox_place_since ON inbox (tenant, service, place, taken, since, request, review) WHERE kind <> 'wait' AND place <> '';
CREATE INDEX inbox_holder_due ON inbox (tenant, claimant, first, request, review) WHERE kind <> 'wait' AND holder <> '';
CREATE INDEX inbox_holder_since ON inbox (tenant, claimant, since, request, review) WHERE kind <> 'wait' AND holder <> '';
CREATE INDEX inbox_claimant_due ON inbox (tenant, claimant, place, first, request, review) WHERE kind <> 'wait' AND claimant <> '';
CREATE INDEX inbox_claimant_since ON inbox (tenant, claimant, place, since, request, review) WHERE kind <> 'wait' AND claimant <> '';
`
}

// InboxKind is what a row of the inbox is.
type InboxKind string

// The kinds of row.
const (
	InboxState  InboxKind = "state"  // the work of a state
	InboxReview InboxKind = "review" // an opinion that was asked for
	InboxWait   InboxKind = "wait"   // in nobody's inbox: it is the applicant who has to act; or an imported case has ended, by its record or by what it came to
)

// never is the order of what has no due time: behind all that has.
const never = math.MaxInt64

type inboxRow struct {
	Request         string
	Review          domain.ReviewID
	Kind            InboxKind
	Tenant          domain.TenantCode
	Service         string
	Desk            string
	Place           string
	WorkflowVersion int
	Rule            string
	Holder          string
	Claimant        string
	Taken           bool
	Since           Micros
	Due             Micros
	Stopped         domain.StopGround
	Legal           Micros
	Halted          domain.StopGround
	First           int64
	Clock           string
	Told            Micros
	Over            int
}

// Why an imported case is over while it is told by its record.
const overByRecord, overAtEnd = 1, 2

// Apply implements [Projection].
func (p InboxProjection) Apply(ctx context.Context, tx Tx, events []domain.Recorded) error {
	table := &Table[inboxRow]{Name: "inbox", Key: 2, Group: 1, Concerns: concernsInbox, Fold: p.fold}
	return table.Apply(ctx, tx, events)
}

func concernsInbox(c *Concerned, e domain.Recorded) {
	if inInbox(e) {
		OfRequest(c, e)
	}
}

// inInbox reports whether an event can change the inbox.
func inInbox(e domain.Recorded) bool {
	switch e.Body.(type) {
	case domain.TermEvent, domain.ReviewRequested, domain.ReviewGiven, domain.TaskReady, domain.TaskPicked, domain.TaskAllocated, domain.TaskReassigned:
		return true
	}
	_, moves := domain.MoveOf(e.Body)
	return moves || e.Version == 1
}

func (p InboxProjection) fold(rows *Rows[inboxRow], e domain.Recorded) error {
	key := Key{RequestOf(e.Stream)}
	if key == (Key{}) || !inInbox(e) {
		return nil
	}
	if b, ok := e.Body.(domain.RequestSubmitted); ok {
		row := rows.Add(inboxRow{Request: key[0], First: never})
		if err := p.stand(row, e, b.State, e.Workflow); err != nil || b.Imported == nil {
			return err
		}
		row.Told = MicrosOf(e.At)
		if !b.Imported.End().IsZero() {
			row.Over = overByRecord
		}
		row.rest(row.Over)
		return nil
	}
	if m, moves := domain.MoveOf(e.Body); moves {
		return p.move(rows, key, e, m)
	}
	row := inboxOf(rows, key, "")
	if row == nil { // it has ended, or was never submitted
		return nil
	}
	switch b := e.Body.(type) {
	case domain.ReviewRequested:
		if was := inboxOf(rows, key, b.Review); was != nil {
			rows.Remove(key, was)
		}
		_, state, office, _ := splitPlace(row.Place)
		asked := rows.Add(inboxRow{Request: key[0], Review: b.Review, Kind: InboxReview, Tenant: row.Tenant, WorkflowVersion: row.WorkflowVersion, Since: MicrosOf(e.Occurred)})
		asked.put(e.Service, state, office, b.Role)
		asked.rest(row.Over)
		row.reckon(rows, key)
	case domain.ReviewGiven:
		if was := inboxOf(rows, key, b.Review); was != nil {
			rows.Remove(key, was)
		}
		row.run(rows, key, func(open openTerms) { delete(open, domain.ReviewTerm(b.Review)) })
	case domain.TaskReady:
		service, state, office, _ := splitPlace(row.Place)
		row.put(service, state, office, b.Role)
		row.Rule, row.Since = b.Rule, MicrosOf(e.Occurred)
	case domain.TaskPicked:
		row.give(e.Actor.ID)
	case domain.TaskAllocated:
		row.give(b.To)
	case domain.TaskReassigned:
		row.give(b.To)
	case domain.TermEvent:
		row.run(rows, key, func(open openTerms) { open.note(b) })
	}
	return nil
}

func inboxOf(rows *Rows[inboxRow], key Key, review domain.ReviewID) *inboxRow {
	for row := range rows.All(key) {
		if row.Review == review {
			return row
		}
	}
	return nil
}

// move takes a request elsewhere. One that ends has no rows any more; one that is
// reopened has them again. An imported case keeps them while nothing was done with it
// here, for it may have ended otherwise, or go on.
func (p InboxProjection) move(rows *Rows[inboxRow], key Key, e domain.Recorded, m domain.Move) error {
	b, migrates := e.Body.(domain.RequestMigrated)
	comes := m.From != m.To
	if migrates {
		comes = b.Came
	}
	row := inboxOf(rows, key, "")
	rested := row != nil && row.Over != 0
	row.revive(e)
	told := row != nil && row.Told != 0
	for other := range rows.All(key) {
		if m.Outcome != "" && !told || comes && other.Review != "" {
			rows.Remove(key, other)
		}
	}
	switch {
	case m.Outcome != "" && !told:
		return nil
	case row == nil:
		return p.stand(rows.Add(inboxRow{Request: key[0], First: never}), e, m.To, e.Workflow)
	}
	open := row.terms()
	open.leave(e.Body, comes)
	switch {
	case migrates:
		if err := p.migrate(rows, key, e, b, row); err != nil {
			return err
		}
	case comes || rested:
		was := *row
		if err := p.stand(row, e, m.To, e.Workflow); err != nil {
			return err
		}
		if !comes {
			row.Rule, row.Holder, row.Claimant, row.Taken = was.Rule, was.Holder, was.Claimant, was.Taken
		}
	}
	if row.Over &^= overAtEnd; m.Outcome != "" {
		row.Over |= overAtEnd
	}
	row.rest(row.Over)
	for asked := range rows.All(key) {
		if asked.Review != "" {
			asked.Kind = InboxReview
			asked.rest(row.Over)
		}
	}
	row.Clock = open.String()
	row.reckon(rows, key)
	return nil
}

// revive has what is told by its record be worked on again, with the first that is done
// with it here.
func (r *inboxRow) revive(e domain.Recorded) {
	if r != nil && r.Told != 0 && domain.DoneHere(e, r.Told.Time()) {
		r.Told, r.Over = 0, 0
	}
}

// rest leaves a row to nobody.
func (r *inboxRow) rest(over int) {
	if over != 0 {
		r.Kind = InboxWait
	}
}

// migrate puts a request under another version.
func (p InboxProjection) migrate(rows *Rows[inboxRow], key Key, e domain.Recorded, b domain.RequestMigrated, row *inboxRow) error {
	ref := domain.WorkflowRef{ID: e.Workflow.ID, Version: b.ToVersion}
	was := *row
	if err := p.stand(row, e, b.To, ref); err != nil {
		return err
	}
	if !b.Came { // it stands where it stood, and who has the work keeps it
		row.Rule, row.Holder, row.Claimant, row.Taken, row.Since = was.Rule, was.Holder, was.Claimant, was.Taken, was.Since
		if p.Task != nil {
			task, _, err := p.Task(e.Tenant, ref, b.To)
			if err != nil {
				return fmt.Errorf("how the work of state %q is given out: %w", b.To, err)
			}
			row.Rule = task.Rule
		}
	}
	renameReviews(rows, key, e, b, row)
	return nil
}

// stand puts the work of a state before its owner.
func (p InboxProjection) stand(row *inboxRow, e domain.Recorded, state domain.StateID, ref domain.WorkflowRef) error {
	var role domain.RoleID
	var applicant bool
	if p.Owner != nil {
		var err error
		if role, applicant, err = p.Owner(e.Tenant, ref, state); err != nil {
			return fmt.Errorf("who works on state %q: %w", state, err)
		}
	}
	row.Kind, row.Tenant, row.WorkflowVersion, row.Rule, row.Since = InboxState, e.Tenant, ref.Version, "", MicrosOf(e.Occurred)
	if applicant {
		row.Kind = InboxWait
	}
	row.put(e.Service, state, e.Office, role)
	row.give("")
	return nil
}

// renameReviews has open reviews go by the names of another version.
func renameReviews(rows *Rows[inboxRow], key Key, e domain.Recorded, b domain.RequestMigrated, row *inboxRow) {
	_, state, office, _ := splitPlace(row.Place)
	taken := map[domain.ReviewID]bool{"": true}
	for _, asked := range slices.SortedFunc(rows.All(key), func(x, y *inboxRow) int { return cmp.Compare(x.Review, y.Review) }) {
		if asked.Review == "" {
			continue
		}
		now, mapped := b.Mapping.Reviews[asked.Review]
		if !mapped {
			now = asked.Review
		}
		if taken[now] { // of no name any more, or another has it
			rows.Remove(key, asked)
			continue
		}
		taken[now] = true
		_, _, _, role := splitPlace(asked.Place)
		asked.Review, asked.WorkflowVersion = now, b.ToVersion
		asked.put(e.Service, state, office, cmp.Or(b.Mapping.Roles[role], role))
	}
}

func (r *inboxRow) put(service string, state domain.StateID, office string, role domain.RoleID) {
	r.Service, r.Desk = service, office+"/"+string(role)
	r.Place = service + "/" + string(state) + "/" + r.Desk
}

// splitPlace is what a place is made of. No name has a slash in it.
func splitPlace(place string) (service string, state domain.StateID, office string, role domain.RoleID) {
	parts := append(strings.SplitN(place, "/", 4), "", "", "")
	return parts[0], domain.StateID(parts[1]), parts[2], domain.RoleID(parts[3])
}

func (r *inboxRow) give(to string) {
	r.Holder, r.Claimant, r.Taken = to, claimant(to), to != ""
}

// claimant is a pseudonym as it is looked for: neither capitals nor spaces around it make
// it somebody else's.
func claimant(id string) string { return strings.ToLower(strings.TrimSpace(id)) }
