package discovery_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/discovery"
	"github.com/alur-id/alur/workflows/sample"
)

var (
	now     = sample.Began
	event   = sample.Event
	history = sample.Log
	traces  = sample.Traces
)

func TestLearn(t *testing.T) {
	draft, err := discovery.Learn(traces(history()), discovery.Options{ID: "old-system", Role: "org:resource"})
	if err != nil {
		t.Fatal(err)
	}
	want := discovery.Draft{Cases: 3, Events: 6, Activities: 2, Resources: 3, Roles: 3, Edges: 2, LeftOut: []string{"responsible: names people"}}
	want.Definition, want.Learnt = draft.Definition, draft.Learnt
	if d := cmp.Diff(&want, draft); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	d := draft.Definition
	wantTransitions := []workflows.Transition{
		{Action: "check", From: []domain.StateID{"check", "submitted"}, To: "check", Roles: []domain.RoleID{"r1", "r2", "r3"}},
		{Action: "decide", From: []domain.StateID{"check"}, To: "decide", Roles: []domain.RoleID{"r2"}},
	}
	if diff := cmp.Diff(wantTransitions, d.Transitions); diff != "" {
		t.Errorf("transitions (-want +got)\n%s", diff)
	}
	kinds := map[domain.StateID]workflows.Kind{}
	for _, s := range d.States {
		kinds[s.ID] = s.Kind
	}
	if diff := cmp.Diff(map[domain.StateID]workflows.Kind{"submitted": "start", "check": "work", "decide": "end"}, kinds); diff != "" {
		t.Errorf("states (-want +got)\n%s", diff)
	}
	if d.History.Due != "deadline" || d.History.Ended != "enddate" {
		t.Errorf("history %+v", d.History)
	}
}

// The due dates of a log become a term that is due at them; nothing is called as the
// submission is, which starts it. Where there are none, there is no term.
func TestDueDatesBecomeATerm(t *testing.T) {
	list := history()
	for i := range list {
		list[i].Attributes = append(list[i].Attributes, workflows.Attribute{Key: "startDate", Kind: workflows.AttributeDate, Value: "2026-11-20T00:00:00Z"})
		list[i].Events = append(list[i].Events, event("Submit", "R1", 50))
	}
	draft, err := discovery.Learn(traces(list), discovery.Options{ID: "x", Role: "org:resource"})
	if err != nil {
		t.Fatal(err)
	}
	d := draft.Definition
	want := []workflows.LegalTerm{{
		ID: "deadline", Title: workflows.Text{ID: "deadline", EN: "deadline"}, Due: "deadline", Starts: []domain.ActionID{"submit"},
		Basis: workflows.Text{ID: "(belum diisi)", EN: "(to be filled in)"},
	}}
	if diff := cmp.Diff(want, d.Terms); diff != "" {
		t.Errorf("terms (-want +got)\n%s", diff)
	}
	if !d.Submits("submit") || d.History.Started != "startdate" {
		t.Errorf("actions %+v, history %+v", d.Actions, d.History)
	}
	if !strings.Contains(draft.Comment("log.xes"), "Term deadline is due when each case says (deadline)") {
		t.Error(draft.Comment("log.xes"))
	}
	for i := range list {
		list[i].Attributes = nil
	}
	if draft, err = discovery.Learn(traces(list), discovery.Options{ID: "x", Role: "org:resource"}); err != nil || len(draft.Definition.Terms) > 0 {
		t.Errorf("%v %+v", err, draft.Definition.Terms)
	}
}

func TestLearnLeavesOutWhatMayBePersonal(t *testing.T) {
	list := history()
	for i := range list {
		list[i].Attributes = append(list[i].Attributes,
			workflows.Attribute{Key: "Nama pemohon", Kind: "string", Value: "X"},
			workflows.Attribute{Key: "tanggal_lahir", Kind: "date", Value: "1990-01-01T00:00:00Z"},
			workflows.Attribute{Key: "parcel", Kind: "int", Value: fmt.Sprint(i)},
			workflows.Attribute{Key: "zone", Kind: "int", Value: "7"})
	}
	draft, err := discovery.Learn(traces(list), discovery.Options{ID: "x", Role: "org:resource"})
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, f := range draft.Definition.Facts {
		kept = append(kept, f.RecordedAs)
	}
	if d := cmp.Diff([]string{"channel", "deadline", "enddate", "zone"}, kept); d != "" {
		t.Errorf("(-want +kept)\n%s", d)
	}
	want := []string{"Nama pemohon: may be about a person", "parcel: hardly any two cases share a value", "responsible: names people", "tanggal_lahir: may be about a person"}
	if d := cmp.Diff(want, draft.LeftOut); d != "" {
		t.Errorf("left out (-want +got)\n%s", d)
	}
}

func TestLearnRefusesWhatIsNoProcess(t *testing.T) {
	long := []workflows.Trace{{Name: "x", Events: []workflows.TraceEvent{event(strings.Repeat("x", 501), "R", 1)}}}
	var many []workflows.Trace
	for i := range 10_001 {
		many = append(many, workflows.Trace{Name: "x", Events: []workflows.TraceEvent{event(fmt.Sprint("a", i), "R", 1)}})
	}
	for name, list := range map[string][]workflows.Trace{"a long name": long, "many names": many} {
		if _, err := discovery.Learn(traces(list), discovery.Options{ID: "x"}); err == nil {
			t.Errorf("%s: a definition was drafted", name)
		}
	}
}

func TestLearnNothing(t *testing.T) {
	for name, list := range map[string][]workflows.Trace{"no cases": nil, "no events": {{Name: "x"}}, "no names": {{Events: []workflows.TraceEvent{{Resource: "R"}}}}} {
		if _, err := discovery.Learn(traces(list), discovery.Options{ID: "x"}); !errors.Is(err, discovery.ErrEmptyLog) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
