package digit

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// digitService is a BusinessService as its file has it.
type digitService struct {
	at           int
	name, module string
	sla          int64 // milliseconds; 0 where there is none
	states       []*digitState
}

type digitState struct {
	at         int
	name       string // "" stands for before the submission
	status     string
	uuid       string
	sla        int64
	start, end bool // as they are marked
	document   bool
	actions    []*digitAction

	open bool           // its mark as an end was not followed; see digitImport.ends
	ways []*digitAction // those of its actions that can be taken
}

type digitAction struct {
	at         int
	name, next string
	roles      []string
	active     bool

	to *digitState // where it leads
}

// Limits beyond which a file is no workflow: the largest real one has 18 states
// and 28 actions.
const (
	maxDigitStates = 200
	maxDigitRoles  = 100
	maxDigitNames  = 5_000 // roles, counted wherever they are named
	maxDigitName   = 200   // bytes
)

// choose returns the service to import. A definition is one file, so that of
// several one has to be named.
func (x *digitImport) choose(root *jsonNode, service string) *jsonNode {
	list := []*jsonNode{root}
	switch inner := root.get("BusinessServices"); {
	case root.kind == "list":
		list = root.list
	case inner != nil:
		x.drop(root, "beside the services", "BusinessServices")
		list = x.items(inner, "BusinessServices")
	case root.kind != "object" || root.get("businessService") == nil:
		x.problem(root.at, "want BusinessServices, a list of them, or one of them here")
		return nil
	}
	var names []string
	var found []*jsonNode
	for _, n := range list {
		if !x.object(n, "a service") {
			continue
		}
		name := x.text(n.get("businessService"), "businessService")
		names = append(names, name)
		if service == "" || name == service {
			found = append(found, n)
		}
	}
	switch {
	case len(x.problems) > 0:
		return nil
	case len(list) == 0:
		x.problem(root.at, "there is no service in the file")
		return nil
	case len(found) == 0:
		x.problem(root.at, "there is no service %q; there are %s", service, strings.Join(names, ", "))
		return nil
	case len(found) > 1 && service == "":
		x.problem(root.at, "there are %d services, and a definition is one: name one of %s", len(found), strings.Join(names, ", "))
		return nil
	case len(found) > 1:
		x.fault(FaultDropped, found[1].at, nil, nil, "%d services are named %q; the first is taken", len(found), service)
	}
	return found[0]
}

// drop tells which keys say something that nobody reads, each key once.
func (x *digitImport) drop(n *jsonNode, where string, known ...string) {
	seen := map[string]bool{}
	for _, f := range n.fields {
		if seen[f.key] {
			x.fault(FaultDropped, f.value.at, nil, nil, "key %q stands twice %s; the last counts", f.key, where)
		}
		seen[f.key] = true
		if slices.Contains(known, f.key) || !f.value.says() {
			continue
		}
		if at, ok := x.dropped[f.key]; ok {
			at.where = append(at.where, where)
			continue
		}
		x.dropped[f.key] = &dropped{f.value.at, []string{where}}
		x.droppedKeys = append(x.droppedKeys, f.key)
	}
}

// dropped is where a key stands that the language has no place for.
type dropped struct {
	at    int
	where []string
}

// shownPlaces are enough to find the others by.
const shownPlaces = 6

func (x *digitImport) tellDropped() {
	for _, key := range x.droppedKeys {
		d := x.dropped[key]
		more := ""
		if n := len(d.where) - shownPlaces; n > 0 {
			d.where, more = d.where[:shownPlaces], fmt.Sprintf(" and %d more", n)
		}
		x.fault(FaultDropped, d.at, nil, nil, "key %q is not kept (%s%s)", key, strings.Join(d.where, ", "), more)
	}
}

func (x *digitImport) readService(n *jsonNode) {
	s := &x.service
	s.at = n.at
	s.name = x.name(n.get("businessService"), n.at, "businessService")
	s.module = x.name(n.get("business"), -1, "business")
	x.drop(n, "service", "tenantId", "businessService", "business", "businessServiceSla", "states")
	s.sla = x.milliseconds(n.get("businessServiceSla"), "businessServiceSla", nil)
	states := x.items(n.get("states"), "states")
	if len(states) > maxDigitStates {
		x.problem(n.at, "%d states; at most %d are read", len(states), maxDigitStates)
		return
	}
	for _, item := range states {
		if x.object(item, "a state") {
			s.states = append(s.states, x.readState(item))
		}
	}
	names := 0
	for _, st := range s.states {
		for _, a := range st.actions {
			names += max(1, len(a.roles))
			if slices.Contains(a.roles, "*") {
				names += len(x.roles)
			}
		}
	}
	if len(x.roles) > maxDigitRoles || names > maxDigitNames {
		x.problem(n.at, "%d roles, named %d times; at most %d and %d are read", len(x.roles), names, maxDigitRoles, maxDigitNames)
	}
}

func (x *digitImport) readState(n *jsonNode) *digitState {
	s := &digitState{at: n.at}
	s.name = x.name(n.get("state"), -1, "state")
	x.drop(n, s.String(), "state", "applicationStatus", "uuid", "sla", "docUploadRequired", "isStartState", "isTerminateState", "actions")
	s.status = x.name(n.get("applicationStatus"), -1, "applicationStatus")
	s.uuid = x.text(n.get("uuid"), "uuid")
	s.document = x.flag(n.get("docUploadRequired"), "docUploadRequired", false)
	s.start = x.flag(n.get("isStartState"), "isStartState", false)
	s.end = x.flag(n.get("isTerminateState"), "isTerminateState", false)
	s.sla = x.milliseconds(n.get("sla"), "sla", s)
	for _, item := range x.items(n.get("actions"), "actions") {
		if x.object(item, "an action") {
			s.actions = append(s.actions, x.readAction(item, s))
		}
	}
	return s
}

func (x *digitImport) readAction(n *jsonNode, s *digitState) *digitAction {
	a := &digitAction{at: n.at}
	a.name = x.name(n.get("action"), n.at, "action")
	x.drop(n, s.String()+"/"+a.name, "action", "nextState", "roles", "active")
	a.next = x.name(n.get("nextState"), -1, "nextState")
	a.active = x.flag(n.get("active"), "active", true)
	for _, item := range x.items(n.get("roles"), "roles") {
		role := x.name(item, item.at, "role")
		if slices.Contains(a.roles, role) {
			x.fault(FaultDropped, item.at, s, a, "role %s is named twice; once is enough", role)
			continue
		}
		a.roles = append(a.roles, role)
		if role != "*" && !slices.Contains(x.roles, role) {
			x.roles = append(x.roles, role)
		}
	}
	return a
}

// name reads a name that ends up in titles and comments. It must be there unless
// must is -1; must is where that is told.
func (x *digitImport) name(n *jsonNode, must int, what string) string {
	s := x.text(n, what)
	switch {
	case strings.TrimSpace(s) == "" && must >= 0:
		x.problem(must, "%s: there is no name", what)
	case strings.TrimSpace(s) == "":
		return "" // as null: some files have empty texts
	case len(s) > maxDigitName || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		x.problem(n.at, "%s: want a name of at most %d bytes that can be printed", what, maxDigitName)
	}
	return s
}

// milliseconds reads a time. Real files also have "" for none, and 0.
func (x *digitImport) milliseconds(n *jsonNode, what string, s *digitState) int64 {
	if n == nil {
		return 0
	}
	number, ok := n.value.(json.Number)
	if text, isText := n.value.(string); isText {
		if text == "" {
			return 0
		}
		number, ok = json.Number(text), true
		x.fault(FaultTermChanged, n.at, s, nil, "%s is the text %q; it is read as a number", what, text)
	}
	if !ok && n.kind != "nothing" {
		x.problem(n.at, "%s: want milliseconds here, found %s", what, n.kind)
	}
	if !ok {
		return 0
	}
	v, err := strconv.ParseFloat(string(number), 64)
	switch {
	case err != nil || v != math.Trunc(v) || math.Abs(v) > 1<<53:
		x.problem(n.at, "%s: %q are no milliseconds", what, string(number))
	case v < 0:
		x.fault(FaultTermChanged, n.at, s, nil, "%s is negative: it is left out", what)
	default:
		return int64(v)
	}
	return 0
}

// String names a state as faults do.
func (s *digitState) String() string {
	if s.name == "" {
		return "null"
	}
	return s.name
}

func (a *digitAction) String() string {
	return fmt.Sprintf("%s to %s by %s", a.name, a.next, strings.Join(a.roles, ", "))
}
