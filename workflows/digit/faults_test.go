package digit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/digit"
)

// digitSource is a sound service with more states.
func digitSource(more string) string {
	return `{"tenantId": "pb", "businessService": "TRY", "business": "tests", "businessServiceSla": 864000000, "states": [
{"state": null, "isStartState": true, "actions": [{"action": "APPLY", "nextState": "APPLIED", "roles": ["CITIZEN"]}]},
{"state": "APPLIED", "applicationStatus": "APPLIED", "sla": 86400000, "actions": [
 {"action": "APPROVE", "nextState": "APPROVED", "roles": ["OFFICER"]},
 {"action": "REJECT", "nextState": "REJECTED", "roles": ["OFFICER"]}]},
{"state": "APPROVED", "applicationStatus": "APPROVED", "isTerminateState": true},
{"state": "REJECTED", "applicationStatus": "REJECTED", "isTerminateState": true}` + more + `]}`
}

// The faults that even a sound service has.
var alwaysDigit = []string{digit.FaultAgency, digit.FaultTermStart, digit.FaultOutcomeGuessed}

// swapDigit is the sound service with something else in it.
func swapDigit(pairs ...string) string {
	sound := digitSource("")
	out := strings.NewReplacer(pairs...).Replace(sound)
	if out == sound {
		panic(fmt.Sprint("nothing replaced: ", pairs))
	}
	return out
}

const (
	digitApprove = ` {"action": "APPROVE", "nextState": "APPROVED", "roles": ["OFFICER"]},`
	digitOfficer = `"nextState": "APPROVED", "roles": ["OFFICER"]`
)

// Each service, and its faults beside those that every one has.
var digitFaults = map[string]struct {
	source string
	want   []string
}{
	"sound":            {digitSource(""), nil},
	"bare key":         {swapDigit(`"tenantId"`, `"uuid"`), []string{"dropped"}},
	"empty keys":       {swapDigit(`"tenantId": "pb"`, `"getUri": null, "postUri": "", "live": false`), nil},
	"a key twice":      {swapDigit(`"tenantId": "pb"`, `"business": "x"`), []string{"dropped"}},
	"dangling":         {swapDigit(digitApprove, digitApprove+`{"action": "X", "nextState": "04752227-e267-43e3-bfd8-6e48bdbfd97a", "roles": ["OFFICER"]},`), []string{"dangling APPLIED/X"}},
	"no next state":    {swapDigit(digitApprove, digitApprove+`{"action": "X", "roles": ["OFFICER"]},`), []string{"dangling APPLIED/X"}},
	"by uuid":          {swapDigit(`"nextState": "APPROVED"`, `"nextState": "u-1"`, `{"state": "APPROVED"`, `{"uuid": "u-1", "state": "APPROVED"`), nil},
	"self-loop":        {swapDigit(digitApprove, digitApprove+`{"action": "COMMENT", "nextState": "APPLIED", "roles": ["OFFICER"]},`), []string{"self_loop APPLIED/COMMENT"}},
	"duplicate action": {swapDigit(digitApprove, digitApprove+digitApprove), []string{"duplicate_action APPLIED/APPROVE"}},
	"inactive":         {swapDigit(digitApprove, digitApprove+`{"active": false, "action": "X", "nextState": "APPROVED", "roles": ["OFFICER"]},`), []string{"inactive APPLIED/X"}},
	"active by null":   {swapDigit(digitOfficer, digitOfficer+`, "active": null`), nil},
	"no roles":         {swapDigit(digitApprove, digitApprove+`{"action": "X", "nextState": "APPROVED", "roles": []},`), []string{"no_roles APPLIED/X"}},
	"null roles":       {swapDigit(digitApprove, digitApprove+`{"action": "X", "nextState": "APPROVED", "roles": null},`), []string{"no_roles APPLIED/X"}},
	"all roles":        {swapDigit(digitApprove, digitApprove+`{"action": "X", "nextState": "APPROVED", "roles": ["*"]},`), []string{"all_roles APPLIED/X", "owner_guessed APPLIED"}},
	"a role twice":     {swapDigit(digitOfficer, `"nextState": "APPROVED", "roles": ["OFFICER", "OFFICER"]`), []string{"dropped APPLIED/APPROVE"}},
	"unknown role":     {swapDigit(`"OFFICER"`, `"XYZ"`), []string{"role_guessed"}},
	"two owners":       {swapDigit(digitOfficer, `"nextState": "APPROVED", "roles": ["CLERK"]`), []string{"owner_guessed APPLIED"}},
	"payment":          {swapDigit("APPROVE\"", "PAY\""), []string{"payment APPLIED/PAY"}},
	"duplicate state":  {digitSource(`,{"state": "APPLIED", "applicationStatus": "APPLIED"}`), []string{"duplicate_state APPLIED"}},
	"unreachable":      {digitSource(`,{"state": "LOST", "applicationStatus": "LOST", "actions": [{"action": "X", "nextState": "APPROVED", "roles": ["OFFICER"]}]}`), []string{"unreachable LOST"}},
	"unreachable end":  {digitSource(`,{"state": "CLOSED", "applicationStatus": "CLOSED", "isTerminateState": true}`), []string{"unreachable CLOSED"}},
	"no end": {swapDigit(digitApprove, digitApprove+`{"action": "X", "nextState": "STUCK", "roles": ["OFFICER"]},`, `]}`+"]}", `]}]}`, `,
{"state": "APPROVED"`, `,{"state": "STUCK", "applicationStatus": "STUCK"},
{"state": "APPROVED"`), []string{"left_out APPLIED/X", "no_end STUCK"}},
	"status":            {swapDigit(`"applicationStatus": "APPLIED"`, `"applicationStatus": "INWORKFLOW"`), []string{"status_differs APPLIED"}},
	"unknown status":    {swapDigit("APPLIED", "XYZ"), []string{"status_guessed XYZ"}},
	"no state term":     {swapDigit(`"sla": 86400000`, `"sla": ""`), []string{"missing_term APPLIED"}},
	"state term 0":      {swapDigit(`"sla": 86400000`, `"sla": 0`), []string{"missing_term APPLIED"}},
	"no total":          {swapDigit(`864000000`, `null`), []string{"missing_term"}},
	"total too small":   {swapDigit(`864000000`, `3600000`), []string{"term_sum"}},
	"total as text":     {swapDigit(`864000000`, `"864000000"`), []string{"term_changed"}},
	"negative":          {swapDigit(`"sla": 86400000`, `"sla": -1`), []string{"missing_term APPLIED", "term_changed APPLIED"}},
	"odd milliseconds":  {swapDigit(`"sla": 86400000`, `"sla": 86400001`), []string{"term_changed APPLIED"}},
	"for ever":          {swapDigit(`"sla": 86400000`, `"sla": 9007199254740992`), []string{"missing_term APPLIED", "term_changed APPLIED", "term_sum"}},
	"end with a term":   {swapDigit(`"APPROVED", "isTerm`, `"APPROVED", "sla": 1000, "isTerm`), []string{"term_changed APPROVED"}},
	"reopened end":      {swapDigit(`"REJECTED", "isTerm`, `"REJECTED", "actions": [{"action": "REOPEN", "nextState": "APPLIED", "roles": ["OFFICER"]}], "isTerm`), []string{"end_with_actions REJECTED"}},
	"end that is none":  {swapDigit(`"sla": 86400000`, `"sla": 86400000, "isTerminateState": true`), []string{"end_with_actions APPLIED"}},
	"end before":        {swapDigit(`"isStartState": true`, `"isStartState": true, "isTerminateState": true`), []string{"end_with_actions null"}},
	"named like an end": {swapDigit(`"APPLIED"`, `"ISSUED"`), []string{"not_an_end ISSUED", "status_guessed ISSUED"}},
	"outcome not known": {swapDigit(`"REJECTED"`, `"XYZ"`), nil},
	"document":          {swapDigit(`"sla": 86400000`, `"sla": 86400000, "docUploadRequired": true`), []string{"document_guessed APPLIED"}},
	"no start marked":   {swapDigit(`"isStartState": true, `, ``), []string{"start"}},
	"another start":     {swapDigit(`"isStartState": true`, `"isStartState": false`, `{"state": "REJECTED"`, `{"isStartState": true, "state": "REJECTED"`), []string{"start"}},
	"a uuid twice":      {swapDigit(`{"state": "APPROVED"`, `{"uuid": "u-1", "state": "APPROVED"`, `{"state": "REJECTED"`, `{"uuid": "u-1", "state": "REJECTED"`), []string{"duplicate_state REJECTED"}},
	"two starts":        {swapDigit(`"sla": 86400000`, `"sla": 86400000, "isStartState": true`), []string{"start"}},
	"nothing before":    {swapDigit(`{"state": null`, `{"state": "FIRST"`, `"isStartState": true`, `"applicationStatus": "FIRST", "isStartState": true`), []string{"missing_term FIRST", "start FIRST", "status_guessed FIRST"}},
	"two ways in":       {swapDigit(`"roles": ["CITIZEN"]}`, `"roles": ["CITIZEN"]}, {"action": "FILE", "nextState": "REJECTED", "roles": ["CITIZEN"]}`), []string{"missing_term null", "start null"}},
	"two names of one":  {swapDigit(`"roles": ["CITIZEN"]}`, `"roles": ["CITIZEN"]}, {"action": "FILE", "nextState": "APPLIED", "roles": ["CITIZEN"]}`), []string{"start null"}},
	"an end at once":    {swapDigit(`"nextState": "APPLIED"`, `"nextState": "APPROVED"`), []string{"missing_term null", "start null", "unreachable APPLIED", "unreachable REJECTED"}},
	"sla before":        {swapDigit(`"isStartState": true`, `"isStartState": true, "sla": 1000`), []string{"term_changed null"}},
	"no states":         {`{"businessService": "TRY", "states": []}`, []string{"no_definition", "start"}},
	"no way in":         {swapDigit(`"nextState": "APPLIED"`, `"nextState": "X"`), []string{"dangling null/APPLY", "no_definition"}},
	"nobody may submit": {swapDigit(`["CITIZEN"]`, `[]`), []string{"no_definition", "no_roles null/APPLY"}},
	"an end only":       {`{"businessService": "TRY", "states": [{"state": "CLOSED", "isTerminateState": true, "isStartState": true}]}`, []string{"no_definition CLOSED", "start CLOSED"}},
	"nothing ends":      {swapDigit(`"isTerminateState": true`, `"x": 0`), []string{"dropped", "no_definition APPLIED", "no_end APPLIED", "no_end APPROVED", "no_end REJECTED", "not_an_end APPROVED", "not_an_end REJECTED"}},
}

func TestFaults(t *testing.T) {
	for name, c := range digitFaults {
		t.Run(name, func(t *testing.T) {
			made := importDigit(t, "f.json", c.source)
			got := []string{}
			for _, f := range made.Faults {
				if !slices.Contains(alwaysDigit, f.Kind) {
					got = append(got, strings.TrimSuffix(strings.TrimRight(f.Kind+" "+f.State+"/"+f.Action, "/"), " "))
				}
			}
			slices.Sort(got)
			if d := cmp.Diff(c.want, got, cmp.Transformer("", func(s []string) string { return strings.Join(s, "\n") })); d != "" {
				t.Errorf("(-want +got)\n%s\n%v", d, made.Faults)
			}
			none := slices.ContainsFunc(c.want, func(k string) bool { return strings.HasPrefix(k, digit.FaultNoDefinition) })
			if none != (made.Definition == "") {
				t.Fatalf("the definition is %q", made.Definition)
			}
			if !none {
				d, err := workflows.Read("f.yaml", []byte(made.Definition))
				if err != nil {
					t.Fatal(err)
				}
				playAll(t, name, d)
			}
		})
	}
}

// What is guessed is told with what it was guessed from.
func TestFaultsSayWhatTheyGoBy(t *testing.T) {
	for says, source := range map[string]string{
		"from the submission and without a pause":                            digitSource(""),
		"the outcome is rejected, by its name":                               digitSource(""),
		"the outcome is rejected, by its applicationStatus":                  swapDigit(`{"state": "REJECTED"`, `{"state": "XYZ"`, `"nextState": "REJECTED"`, `"nextState": "XYZ"`),
		"the outcome is closed, for nothing says which":                      swapDigit(`"REJECTED"`, `"XYZ"`),
		"its name says that the request has ended (approved)":                swapDigit(`"APPLIED"`, `"ISSUED"`),
		"its applicationStatus says that the request has ended (approved), ": swapDigit(`"applicationStatus": "APPLIED"`, `"applicationStatus": "ISSUED"`),
	} {
		made := importDigit(t, "f.json", source)
		if !slices.ContainsFunc(made.Faults, func(f digit.Fault) bool { return strings.Contains(f.Message, says) }) {
			t.Errorf("nothing says %q, but %v", says, made.Faults)
		}
	}
}

// What a sound service becomes, word for word.
func TestImportWrites(t *testing.T) {
	made := importDigit(t, "f.json", digitSource(""))
	d, err := workflows.Read("f.yaml", []byte(made.Definition))
	if err != nil {
		t.Fatal(err)
	}
	if got := d.States[0]; got.ID != "applied" || got.Kind != workflows.KindStart || got.Public != domain.StatusReceived || got.Owner != "officer" || got.Term.Budget.String() != "1 day" {
		t.Errorf("got %+v", got)
	}
	if got := d.Terms[0]; got.Budget.String() != "10 days" || !slices.Equal(got.Starts, []domain.ActionID{"submit"}) {
		t.Errorf("got %+v", got)
	}
	if got := d.States[1:]; got[0].Outcome != domain.OutcomeApproved || got[1].Outcome != domain.OutcomeRejected || got[1].Public != domain.StatusRejected {
		t.Errorf("got %+v", got)
	}
	for _, tr := range d.Transitions {
		if len(tr.Reasons) > 0 {
			t.Errorf("reasons were invented: %+v", tr)
		}
	}
	rules := []string{}
	for _, f := range made.Findings {
		rules = append(rules, f.Rule)
	}
	slices.Sort(rules)
	if d := cmp.Diff([]string{"alone", "expiry", "reason", "standard"}, rules); d != "" {
		t.Errorf("findings (-want +got)\n%s", d)
	}
}

// The citizens' states are waits, and what comes back to them is told so.
func TestDigitStatesOfTheApplicantAreWaits(t *testing.T) {
	made := importDigit(t, "f.json", strings.Replace(digitSource(`,
{"state": "PENDING_FOR_PAYMENT", "applicationStatus": "PENDING_FOR_PAYMENT", "sla": 43200000, "actions": [{"action": "PAY", "nextState": "APPROVED", "roles": ["SYSTEM_PAYMENT", "TL_CEMP", "BPA_ARCHITECT"]}]}`),
		`"nextState": "APPROVED"`, `"nextState": "PENDING_FOR_PAYMENT"`, 1))
	d, err := workflows.Read("f.yaml", []byte(made.Definition))
	if err != nil {
		t.Fatal(err)
	}
	got := d.States[3]
	if got.Kind != workflows.KindWait || got.Public != domain.StatusWaitingPayment || got.Owner != "bpa-architect" || got.Term.Budget.String() != "12 hours" {
		t.Errorf("got %+v", got)
	}
	capacities := map[domain.RoleID]string{}
	for _, r := range d.Roles {
		capacities[r.ID] = domain.Listed(r.Capacities)
	}
	want := map[domain.RoleID]string{
		"citizen": "self, proxy", "officer": "officer", "system-payment": "system", "tl-cemp": "counter, officer", "bpa-architect": "professional",
	}
	if d := cmp.Diff(want, capacities); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// Whatever is in the file: no panic, and what is written can be read.
func FuzzImport(f *testing.F) {
	f.Add([]byte(digitSource("")))
	f.Add([]byte(`{"BusinessServices": [` + digitSource(`, {"state": "", "sla": "1"}`) + "]}"))
	f.Add([]byte(`[{"businessService": "\u0085", "states": [{"state": "null", "uuid": "u", "actions": [{"action": "* ?!", "nextState": "u", "roles": ["*", "#"]}]}]}]`))
	f.Add([]byte(`{"businessService": "A", "states": [{"actions": [{"action": "-", "nextState": "É", "roles": ["~"]}]}, {"state": "É", "docUploadRequired": true, "actions": [{"action": "=", "nextState": "0x1", "roles": ["%"]}]}, {"state": "0x1", "isTerminateState": true}]}`))
	f.Fuzz(func(t *testing.T, source []byte) {
		made, err := digit.Import("f.json", source, "")
		var problems workflows.Problems
		switch {
		case err == nil && made.Definition == "":
			if !slices.ContainsFunc(made.Faults, func(f digit.Fault) bool { return f.Kind == digit.FaultNoDefinition }) {
				t.Errorf("no definition, and nothing says why: %v", made.Faults)
			}
		case err == nil:
			if _, err := workflows.Read("f.yaml", []byte(made.Definition)); err != nil {
				t.Error(err)
			}
		case !errors.As(err, &problems) || strings.HasPrefix(err.Error(), "import "):
			t.Error(err)
		}
	})
}

// Whatever a service looks like: what is written can be read, and each of its
// transitions can be taken. Bytes that mutate hardly ever get past the parser.
func TestImportProperty(t *testing.T) {
	names := rapid.SampledFrom([]string{"A", "B", "REJECTED", "APPROVED", "PENDING_PAYMENT", "a", "É", "null", "0x1", "~", "* ?!", "- x: #", "'\"", "\\", "@", "1e5", "y"})
	roles := rapid.SampledFrom([]string{"CITIZEN", "TL_CEMP", "BPA_ENGINEER", "SYSTEM", "*", "tl-cemp", "?"})
	made, all := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		all++
		flag := rapid.Custom(func(t *rapid.T) bool { return rapid.IntRange(0, 3).Draw(t, "flag") == 0 })
		sla := rapid.SampledFrom([]any{nil, "", 0, -5, 1, 60000, 86400000, "3600000", int64(1) << 53})
		action := func(next *rapid.Generator[string]) map[string]any {
			return map[string]any{
				"action": names.Draw(rt, "action"), "nextState": next.Draw(rt, "next"), "active": rapid.IntRange(0, 9).Draw(rt, "active") > 0,
				"roles": rapid.OneOf(rapid.SliceOfN(roles, 1, 2), rapid.SliceOfN(roles, 0, 3)).Draw(rt, "roles"),
			}
		}
		states := []any{}
		own := rapid.SliceOfNDistinct(names, 1, 8, rapid.ID).Draw(rt, "names")
		next := rapid.OneOf(rapid.SampledFrom(own), rapid.SampledFrom(own), names)
		for i := range rapid.IntRange(1, 8).Draw(rt, "states") {
			s := map[string]any{
				"state": next.Draw(rt, "state"), "applicationStatus": names.Draw(rt, "status"), "sla": sla.Draw(rt, "sla"),
				"docUploadRequired": flag.Draw(rt, "document"), "isStartState": flag.Draw(rt, "start"), "isTerminateState": rapid.Bool().Draw(rt, "end"),
			}
			switch {
			case flag.Draw(rt, "any name"):
			case i == 0:
				s["state"] = nil
			case i <= len(own):
				s["state"] = own[i-1]
			}
			actions := []any{}
			for range rapid.IntRange(0, 5).Draw(rt, "actions") {
				actions = append(actions, action(next))
			}
			s["actions"] = actions
			states = append(states, s)
		}
		source, err := json.Marshal(map[string]any{"businessService": names.Draw(rt, "service"), "businessServiceSla": sla.Draw(rt, "total"), "states": states})
		if err != nil {
			rt.Fatal(err)
		}
		out, err := digit.Import("f.json", source, "")
		if err != nil {
			rt.Fatalf("%s\n%v", source, err)
		}
		if out.Definition == "" {
			return
		}
		made++
		d, err := workflows.Read("f.yaml", []byte(out.Definition))
		if err != nil {
			rt.Fatal(err)
		}
		playAll(rt, string(source), d)
	})
	if 20*made < all { // about one in five does
		t.Errorf("only %d of %d services gave a definition: this tests little", made, all)
	}
}

// The time of a service counts from the submission, as DIGIT counts it: also where one of
// its actions is called so, which is called otherwise here.
func TestTheTermOfTheServiceCountsFromTheSubmission(t *testing.T) {
	source := swapDigit(`"APPROVE"`, `"SUBMIT"`)
	for _, file := range digitFiles(t) {
		more, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		made := importDigit(t, filepath.Base(file), string(more))
		checkService(t, file, made)
	}
	made := importDigit(t, "f.json", source)
	checkService(t, "an action called SUBMIT", made)
	d, err := workflows.Read("f.yaml", []byte(made.Definition))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(d.Actions, func(a workflows.Action) bool { return a.ID == "submit-2" && a.RecordedAs == "SUBMIT" }) {
		t.Errorf("%+v", d.Actions)
	}
}

func checkService(t *testing.T, name string, made *digit.Imported) {
	t.Helper()
	d, findings, err := workflows.Check(name, []byte(made.Definition))
	if err != nil {
		t.Fatal(err)
	}
	for _, term := range d.Terms {
		if !slices.ContainsFunc(term.Starts, d.Submits) {
			t.Errorf("%s: the term starts with %s", name, term.Starts)
		}
	}
	for _, f := range findings {
		if strings.Contains(f.Message, "is counted before a request is closed") {
			t.Errorf("%s: %s", name, f)
		}
	}
}
