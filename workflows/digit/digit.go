// Package digit imports workflows in the format of DIGIT (egov-workflow-v2): it makes a
// definition of a BusinessService and tells what it had to drop and to guess.
package digit

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// Fault is something of a DIGIT BusinessService that was dropped, that had to
// be guessed, or that is wrong, and where. State is "null" for what stands before
// the submission.
type Fault struct {
	Kind    string `json:"kind"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	State   string `json:"state,omitempty"`
	Action  string `json:"action,omitempty"`
	Message string `json:"message"`
}

// The kinds of fault. What [workflows.Check] finds in the definition is not told twice.
const (
	FaultAgency          = "agency"           // the format names no agency and no office
	FaultStart           = "start"            // no start, several, or submitting leads several ways
	FaultDuplicateState  = "duplicate_state"  // a state is there twice
	FaultDuplicateAction = "duplicate_action" // an action is there twice in a state
	FaultInactive        = "inactive"         // an action is switched off
	FaultNoRoles         = "no_roles"         // an action that nobody may take
	FaultAllRoles        = "all_roles"        // an action for the role *
	FaultDangling        = "dangling"         // an action leads to a state that is defined nowhere
	FaultSelfLoop        = "self_loop"        // an action leads back to its own state
	FaultEndWithActions  = "end_with_actions" // a state is marked as an end and has actions
	FaultNotAnEnd        = "not_an_end"       // a state is named like an end and not marked as one
	FaultUnreachable     = "unreachable"      // a state that no request can come to
	FaultNoEnd           = "no_end"           // a state from which no end can be reached
	FaultLeftOut         = "left_out"         // an action leads to a state that was left out
	FaultMissingTerm     = "missing_term"     // a state, or the service, has no sla
	FaultTermSum         = "term_sum"         // the states together may take longer than the service
	FaultTermStart       = "term_start"       // the term of the service counts from the submission
	FaultTermChanged     = "term_changed"     // an sla that could not be kept as it is
	FaultStatusDiffers   = "status_differs"   // applicationStatus is not the state's name
	FaultStatusGuessed   = "status_guessed"   // no word for the citizen is known
	FaultOutcomeGuessed  = "outcome_guessed"  // how a request ended, by the name of the end
	FaultOwnerGuessed    = "owner_guessed"    // several roles act in a state
	FaultRoleGuessed     = "role_guessed"     // no word of a role's name is known
	FaultDocumentGuessed = "document_guessed" // some document must be there, of what kind is not said
	FaultPayment         = "payment"          // an action says that it was paid, and there is no fee
	FaultDropped         = "dropped"          // what the language has no place for
	FaultNoDefinition    = "no_definition"    // nothing that could be run is left
)

// Imported is what became of a DIGIT BusinessService. Definition is the written
// definition, empty if there can be none: one that [workflows.Read] accepts, whatever was
// wrong with its source.
type Imported struct {
	Service    string              `json:"service"`
	ID         string              `json:"id"`
	Faults     []Fault             `json:"faults"`
	Findings   []workflows.Finding `json:"findings"` // of workflows.Check, in the definition
	Definition string              `json:"definition"`
}

// digitImport is an import at work.
type digitImport struct {
	jsonReader
	service     digitService
	roles       []string // in the order in which they are named
	faults      []Fault
	dropped     map[string]*dropped
	droppedKeys []string

	before *digitState   // what stands for before the submission, if there is one
	begin  *digitState   // where a submitted request begins
	submit []string      // the roles that may submit
	kept   []*digitState // those that get into the definition

	d       *workflows.Definition
	ids     map[*digitState]domain.StateID
	actions map[string]domain.ActionID
	roleIDs map[string]domain.RoleID
}

// Import makes a definition of a workflow in the DIGIT BusinessService format
// (egov-workflow-v2). Nothing is repaired in silence: what is dropped or guessed is
// a fault. Service says which of several is taken. File is only used to name places.
// The error is [workflows.Problems] for a file that is not in the format.
func Import(file string, source []byte, service string) (*Imported, error) {
	x := &digitImport{
		jsonReader: jsonReader{file: file, source: bytes.TrimPrefix(source, []byte("\uFEFF"))},
		faults:     []Fault{}, dropped: map[string]*dropped{},
	}
	if len(source) > workflows.MaxDefinition {
		return nil, workflows.Problems{{File: file, Line: 1, Column: 1, Message: fmt.Sprintf("the file is too large: at most %d bytes are read", workflows.MaxDefinition)}}
	}
	if root := x.parse(); root != nil {
		if n := x.choose(root, service); n != nil {
			x.readService(n)
		}
	}
	if len(x.problems) > 0 {
		x.problems.Sort()
		return nil, x.problems
	}
	x.tellDropped()
	out := &Imported{Service: x.service.name, ID: workflows.Slug(x.service.name), Findings: []workflows.Finding{}}
	if x.resolve(); x.starts() && x.prune() {
		x.draft(out.ID)
		written, err := workflows.Write(x.d, x.comment())
		if err != nil {
			return nil, fmt.Errorf("import %s: %w", x.service.name, err)
		}
		_, findings, err := workflows.Check(out.ID+".yaml", written)
		if err != nil {
			return nil, fmt.Errorf("import %s: %w", x.service.name, err)
		}
		out.Definition, out.Findings = string(written), append(out.Findings, findings...)
	}
	x.sortFaults()
	out.Faults = x.faults
	return out, nil
}

func (x *digitImport) fault(kind string, at int, s *digitState, a *digitAction, format string, args ...any) {
	f := Fault{Kind: kind, File: x.file, Message: fmt.Sprintf(format, args...)}
	f.Line, f.Column = x.place(at)
	if s != nil {
		f.State = s.String()
	}
	if a != nil {
		f.Action = a.name
	}
	x.faults = append(x.faults, f)
}

func (x *digitImport) sortFaults() {
	slices.SortStableFunc(x.faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// String is the fault on one line, file:line:column first, as editors expect.
func (f Fault) String() string {
	at := ""
	if f.State != "" {
		at = "state " + f.State + ": "
	}
	if f.Action != "" {
		at = "state " + f.State + ", action " + f.Action + ": "
	}
	return fmt.Sprintf("%s:%d:%d: %s%s (%s)", f.File, f.Line, f.Column, at, f.Message, f.Kind)
}

// comment is what stands above the definition.
func (x *digitImport) comment() string {
	s := &x.service
	edges, all := 0, 0
	for _, st := range s.states {
		all += len(st.actions)
	}
	for _, t := range x.d.Transitions {
		edges += len(t.From)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Imported from the DIGIT BusinessService %s", s.name)
	if s.module != "" {
		fmt.Fprintf(&b, " of %s", s.module)
	}
	fmt.Fprintf(&b, ": %d states of %d, %d transitions of %d actions.\n", len(x.d.States), len(s.states), edges, all)
	b.WriteString("The titles are DIGIT's own words in both languages; they are not translated.\n")
	b.WriteString("DIGIT's format has no agency, service standard, form, fees, conditions, reason codes,\n")
	b.WriteString("calendar or expiry: alur workflow check says what has to be added before it is used.\n")
	counts := map[string]int{}
	var kinds []string
	for _, f := range x.faults {
		if counts[f.Kind]++; counts[f.Kind] == 1 {
			kinds = append(kinds, f.Kind)
		}
	}
	slices.Sort(kinds)
	b.WriteString("Told at the import:")
	for i, k := range kinds {
		if i%6 == 0 {
			b.WriteString("\n ")
		}
		fmt.Fprintf(&b, " %s %d", k, counts[k])
	}
	b.WriteByte('\n')
	return b.String()
}
