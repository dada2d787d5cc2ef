package domain

import "time"

// Mapping is what things of one version of a workflow are called in another: those
// that have another name there. An empty name is one that the other does not have.
type Mapping struct {
	States     map[StateID]StateID                 `json:"states,omitempty"`
	Actions    map[ActionID]ActionID               `json:"actions,omitempty"`
	Roles      map[RoleID]RoleID                   `json:"roles,omitempty"`
	Terms      map[TermID]TermID                   `json:"terms,omitempty"`
	Reviews    map[ReviewID]ReviewID               `json:"reviews,omitempty"`
	Fees       map[FeeID]FeeID                     `json:"fees,omitempty"`
	Documents  map[DocumentID]DocumentID           `json:"documents,omitempty"`
	Checklists map[ChecklistID]ChecklistID         `json:"checklists,omitempty"`
	Items      map[ChecklistID]map[CheckID]CheckID `json:"items,omitempty"` // by the former name of the checklist
	Systems    map[SystemID]SystemID               `json:"systems,omitempty"`
	Facts      map[string]string                   `json:"facts,omitempty"`
}

// MigrationOrdered says that running requests are to go on under another version of
// their workflow, and how. It stands in a stream of its own; each request that is
// moved has a [RequestMigrated].
type MigrationOrdered struct {
	From     int         `json:"from"`
	To       int         `json:"to"`
	Source   string      `json:"source"` // the map as it was written
	Hash     string      `json:"hash"`   // SHA-256 of Source, hex
	Ground   Basis       `json:"ground"`
	Approver string      `json:"approver"`
	Except   []Reference `json:"except,omitempty"` // these stay
	Only     []Reference `json:"only,omitempty"`   // not empty: only these are moved
}

// RequestMigrated moves a running request to another version of its workflow, which
// the envelope names. What the request has gathered is kept; Mapping holds what of it
// has another name from then on.
type RequestMigrated struct {
	FromVersion int            `json:"from_version"`
	ToVersion   int            `json:"to_version"`
	From        StateID        `json:"from"`
	To          StateID        `json:"to"`
	Came        bool           `json:"came,omitempty"` // it came to To as by an action; else To is where it stood, if by another name
	Public      PublicStatus   `json:"public"`
	Outcome     Outcome        `json:"outcome,omitempty"`
	Facts       Facts          `json:"facts,omitempty"` // all, as they are from then on
	Mapping     Mapping        `json:"mapping,omitzero"`
	Steps       map[TermID]int `json:"steps,omitempty"` // of what happens as a term runs out by the new version, how many were taken; by the term's new name
	Ground      Basis          `json:"ground"`
	Closing     Basis          `json:"closing,omitzero"` // why it ends, if it does
	Approver    string         `json:"approver"`
	Map         string         `json:"map"` // hash of the map's text
}

// TermCarried says what a running term comes to under another version of the workflow,
// where that is something else than before. Its budget is its own, unless the migration
// was ordered to give it the new one.
type TermCarried struct {
	Term      TermID    `json:"term"`
	Budget    string    `json:"budget"`
	Promise   string    `json:"promise,omitempty"`
	WasBudget string    `json:"was_budget"`
	Was       time.Time `json:"was,omitzero"` // the due time before
	Reckoning
}

// TermContinued begins a legal term that only the version has which a request is moved
// to. It begins where it would have begun under that version: Since is when what starts it
// was done, or since when the law's time is known to have run. From then on it stood still
// when the term did that Of names; if that is the term itself, a migration of before had
// dropped it.
type TermContinued struct {
	Term    TermID    `json:"term"`
	Budget  string    `json:"budget"`
	Promise string    `json:"promise,omitempty"`
	Of      TermID    `json:"of"`
	Since   time.Time `json:"since"`
	Reckoning
}

// TermDropped says that a term is not counted any more because the version that a
// request is moved to has no such term where the request then stands.
type TermDropped struct {
	Term    TermID `json:"term"`
	Version int    `json:"version"` // that has it not
	Reckoning
}

// Type implements [Body].
func (MigrationOrdered) Type() (string, int) { return "MigrationOrdered", 1 }

// Type implements [Body].
func (RequestMigrated) Type() (string, int) { return "RequestMigrated", 1 }

// Type implements [Body].
func (TermCarried) Type() (string, int) { return "TermCarried", 1 }

// TermID implements [TermEvent].
func (e TermCarried) TermID() TermID { return e.Term }

// Type implements [Body].
func (TermContinued) Type() (string, int) { return "TermContinued", 1 }

// TermID implements [TermEvent].
func (e TermContinued) TermID() TermID { return e.Term }

// from is the term as it begins at a moment, by the ledger of Of.
func (e TermContinued) from(of Term, at time.Time) Term {
	if !of.Open() {
		of = of.run(of.Ended)
	}
	of = of.run(at)
	t := Term{Budget: e.Budget, Promise: e.Promise, Started: e.Since}
	if e.Of == e.Term {
		t = of
		t.Ended, t.Kept, t.Dropped = time.Time{}, "", false
		return t
	}
	for _, s := range of.Stops {
		if s.To.After(e.Since) {
			t.Stops = append(t.Stops, Stop{From: later(s.From, e.Since), To: s.To, Ground: s.Ground})
		}
	}
	return t
}

// Type implements [Body].
func (TermDropped) Type() (string, int) { return "TermDropped", 1 }

// TermID implements [TermEvent].
func (e TermDropped) TermID() TermID { return e.Term }
