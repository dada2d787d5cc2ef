package workflows_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/discovery"
	"github.com/alur-id/alur/workflows/sample"
)

var (
	event   = sample.Event
	history = sample.Log
	traces  = sample.Traces
)

// draft discovers a definition and publishes it.
func (b *bench) draft(t *testing.T, list []workflows.Trace) *workflows.Workflow {
	t.Helper()
	draft, err := discovery.Learn(traces(list), discovery.Options{ID: "old-system", Role: "org:resource"})
	if err != nil {
		t.Fatal(err)
	}
	source, err := workflows.Write(draft.Definition, draft.Comment("log.xes"))
	if err != nil {
		t.Fatal(err)
	}
	return b.publish(t, source)
}

// imported is when logs are imported: after all that they say.
var imported = time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)

func (b *bench) importer() *workflows.Importer {
	n := uint64(0)
	return &workflows.Importer{Log: b.log, Engine: workflows.NewEngine(b.log, b.library, workflows.EngineConfig{
		Now: func() time.Time { return imported }, Random: func() uint64 { n++; return n << 20 },
	})}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2011-01-06T09:18:00.000+01:00": time.Date(2011, 1, 6, 8, 18, 0, 0, time.UTC),
		"2011-01-06T09:18:00Z":          time.Date(2011, 1, 6, 9, 18, 0, 0, time.UTC),
		"2011-01-06T09:18:00.250":       time.Date(2011, 1, 6, 9, 18, 0, 250e6, time.UTC),
	} {
		if got, err := workflows.ParseTime(text); err != nil || !got.Equal(want) {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "2011-01-06", "06/01/2011 09:18", "2011-13-06T09:18:00Z"} {
		if got, err := workflows.ParseTime(text); err == nil {
			t.Errorf("%q was read as %s", text, got)
		}
	}
}

// Names that make the same id, no id at all, or a word that YAML reads as
// something else.
func TestDiscoverKeepsNamesApart(t *testing.T) {
	names := []string{"Check it", "check-it", "CHECK IT", "検査", "  ", "yes", "1.0", "Check it ", "a: b # c"}
	list := []workflows.Trace{{Name: "all"}}
	for i, n := range names {
		list[0].Events = append(list[0].Events, event(n, n, i))
	}
	b := newBench(t)
	w := b.draft(t, list)
	got, err := b.importer().Import(t.Context(), "11.71", w, traces(list))
	if err != nil || got.KeptEvents != len(names) {
		t.Errorf("kept %d of %d events: %+v, %v", got.KeptEvents, len(names), got.Refused, err)
	}
}

func TestImport(t *testing.T) {
	b := newBench(t)
	list := history()
	list[2].Events[0].Resource = " R3 " // is R3, and the role recorded so
	w := b.draft(t, list)
	got, err := b.importer().Import(t.Context(), "11.71", w, traces(list))
	if err != nil {
		t.Fatal(err)
	}
	want := workflows.ImportSummary{
		Cases: 3, Events: 6, KeptCases: 3, KeptEvents: 6, Refused: []workflows.RefusedCase{},
		Punctuality: map[string]int{"on_time": 1, "late": 1, "open": 1},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	var steps []string
	for e, err := range domain.Events(b.log.ReadAll(t.Context(), 2)) {
		if err != nil {
			t.Fatal(err)
		}
		switch body := e.Body.(type) {
		case domain.RequestSubmitted:
			if _, ok := body.Facts["responsible"]; ok {
				t.Error("a person was kept as a fact")
			}
			steps = append(steps, fmt.Sprintf("%s by %s as %s", body.Imported.Case, e.Actor.ID, e.Actor.Capacity))
		case domain.ActionTaken:
			steps = append(steps, fmt.Sprintf("%s by %s as %s at +%s", body.Action, e.Actor.ID, e.Actor.Capacity, e.Occurred.Sub(now)))
		}
		if !e.At.Equal(imported) {
			t.Errorf("recorded at %s, not by the engine's clock", e.At)
		}
	}
	wantSteps := []string{
		"one by import as system", "check by R1 as unrecorded at +1h0m0s", "check by R1 as unrecorded at +1h0m0s", "decide by R2 as unrecorded at +0s",
		"two by import as system", "check by R2 as unrecorded at +1h0m0s", "decide by R2 as unrecorded at +2h0m0s",
		"three by import as system", "check by R3 as unrecorded at +3h0m0s",
	}
	if d := cmp.Diff(wantSteps, steps); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestImportingAgainRecordsOnlyWhatIsNew(t *testing.T) {
	b := newBench(t)
	list := history()
	// Two cases of one name that begin at the same time are two cases.
	list = append(list, list[2])
	w := b.draft(t, list)
	if first, err := b.importer().Import(t.Context(), "11.71", w, traces(list[:2])); err != nil || first.WereThere != 0 {
		t.Fatalf("%+v, %v", first, err)
	}
	if head, _ := b.log.Head(t.Context()); head != 2+6+6 {
		t.Errorf("%d events, want 14: two publications and two cases, with what their terms came to", head)
	}
	second, err := b.importer().Import(t.Context(), "11.71", w, traces(list))
	if err != nil || second.KeptCases != 4 || second.WereThere != 2 {
		t.Errorf("%+v, %v; want 4 kept, 2 of them there before", second, err)
	}
	head, _ := b.log.Head(t.Context())
	if head != 14+4+4 {
		t.Errorf("%d events, want 22: two more cases of one name, of which the time has passed", head)
	}
	third, err := b.importer().Import(t.Context(), "11.71", w, traces(list))
	if err != nil || third.KeptCases != 4 || third.WereThere != 4 {
		t.Errorf("%+v, %v; want 4 kept, all there before", third, err)
	}
	if after, _ := b.log.Head(t.Context()); after != head {
		t.Errorf("the third import recorded %d events", after-head)
	}
	// The other system went on with a case: what it says now contradicts what is
	// recorded, and nothing is doubled.
	grown := slices.Clone(list)
	grown[1].Events = append(slices.Clone(grown[1].Events), event("Decide", "R2", 9))
	fourth, err := b.importer().Import(t.Context(), "11.71", b.draft(t, grown), traces(grown))
	if err != nil {
		t.Fatal(err)
	}
	if len(fourth.Refused) != 1 || fourth.Refused[0].Rule != workflows.RuleOtherCase || fourth.Refused[0].Case != "two" {
		t.Errorf("refused %+v; want the second case", fourth.Refused)
	}
}

// The other system corrects what it said of a case that was imported: who, what,
// when or a fact. It meets what is recorded and is refused, not taken for the
// same and not recorded beside it.
func TestImportingAChangedCaseIsRefused(t *testing.T) {
	for name, change := range map[string]func(*workflows.Trace){
		"all times":   func(c *workflows.Trace) { c.Events[0].Time, c.Events[1].Time = now, now },
		"one time":    func(c *workflows.Trace) { c.Events[1].Time = now.Add(99 * time.Hour) },
		"who":         func(c *workflows.Trace) { c.Events[0].Resource = "R1" },
		"what":        func(c *workflows.Trace) { c.Events[1] = c.Events[0] },
		"a fact":      func(c *workflows.Trace) { c.Attributes[0].Value = "Post" },
		"fewer facts": func(c *workflows.Trace) { c.Attributes = c.Attributes[1:] },
		"one more":    func(c *workflows.Trace) { c.Events = append([]workflows.TraceEvent{c.Events[0]}, c.Events...) },
		"one less":    func(c *workflows.Trace) { c.Events = c.Events[:1] },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			w := b.draft(t, history())
			if _, err := b.importer().Import(t.Context(), "11.71", w, traces(history())); err != nil {
				t.Fatal(err)
			}
			head, _ := b.log.Head(t.Context())
			changed := history()
			change(&changed[1])
			got, err := b.importer().Import(t.Context(), "11.71", w, traces(changed))
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Refused) != 1 || got.Refused[0].Case != "two" || got.Refused[0].Rule != workflows.RuleOtherCase || got.WereThere != 2 {
				t.Errorf("%+v", got)
			}
			if after, _ := b.log.Head(t.Context()); after != head {
				t.Errorf("%d events were recorded", after-head)
			}
		})
	}
}

func TestImportRefusesACaseWhole(t *testing.T) {
	good := history()
	for i := range good {
		good[i].Attributes = append(good[i].Attributes, workflows.Attribute{Key: "fee", Kind: workflows.AttributeFloat, Value: "1.5"})
	}
	far := event("Check", "R1", 1)
	far.Time = time.Date(9999, 12, 31, 23, 30, 0, 0, time.FixedZone("", -5*3600))
	untimed, unread := event("Decide", "R2", 2), event("Decide", "R2", 2)
	untimed.Time, unread.Time, unread.TimeText = time.Time{}, time.Time{}, "yesterday"
	anyone, unnamed := event("Check", "", 1), event("", "R1", 1)
	badFact := workflows.Trace{Name: "bad", Attributes: []workflows.Attribute{{Key: "deadline", Kind: "date", Value: "soon"}}, Events: []workflows.TraceEvent{event("Check", "R1", 1)}}
	for name, c := range map[string]struct {
		trace workflows.Trace
		want  workflows.RefusedCase
	}{
		"no events":      {workflows.Trace{Name: "bad"}, workflows.RefusedCase{Rule: workflows.RuleNoEvents, Reason: "the case has no events"}},
		"no time":        {workflows.Trace{Name: "bad", Events: []workflows.TraceEvent{event("Check", "R1", 1), untimed}}, workflows.RefusedCase{Event: 2, Activity: "Decide", Rule: domain.RuleTime, Reason: "the event has no time:timestamp"}},
		"an unread time": {workflows.Trace{Name: "bad", Events: []workflows.TraceEvent{unread}}, workflows.RefusedCase{Event: 1, Activity: "Decide", Rule: domain.RuleTime, Reason: `the event's time:timestamp "yesterday" cannot be read`}},
		"no name":        {workflows.Trace{Name: "bad", Events: []workflows.TraceEvent{unnamed}}, workflows.RefusedCase{Event: 1, Rule: domain.RuleUnknownAction, Reason: "the event has no concept:name"}},
		"another activity": {
			workflows.Trace{Name: "bad", Events: []workflows.TraceEvent{event("Check", "R1", 1), event("Dance", "R1", 2)}},
			workflows.RefusedCase{Event: 2, Activity: "Dance", Rule: domain.RuleUnknownAction, Reason: `workflow old-system has no action recorded as "Dance"`},
		},
		"another person": {
			workflows.Trace{Name: "bad", Events: []workflows.TraceEvent{anyone}},
			workflows.RefusedCase{Event: 1, Activity: "Check", Rule: domain.RuleRole, Reason: `workflow old-system has no role recorded as "unrecorded"`},
		},
		"another order": {
			workflows.Trace{Name: "bad", Events: []workflows.TraceEvent{event("Check", "R1", 1), event("Decide", "R2", 2), event("Check", "R1", 3)}},
			workflows.RefusedCase{Event: 3, Activity: "Check", Rule: domain.RuleNotFromHere, Reason: `action "check" is not possible in state "decide"; nothing leads on from here`},
		},
		"a person in another's role": {
			workflows.Trace{Name: "bad", Events: []workflows.TraceEvent{event("Check", "R1", 1), event("Decide", "R1", 2)}},
			workflows.RefusedCase{Event: 2, Activity: "Decide", Rule: domain.RuleRole, Reason: `role "r1" may not take action "decide"; it belongs to r2`},
		},
		"too many events": {
			workflows.Trace{Name: "bad", Events: slices.Repeat([]workflows.TraceEvent{event("Check", "R1", 1)}, 20_001)},
			workflows.RefusedCase{Rule: workflows.RuleTooLong, Reason: "the case has 20001 events; at most 20000 are taken"},
		},
		"a year that is none": {
			workflows.Trace{Name: "bad", Events: []workflows.TraceEvent{far}},
			workflows.RefusedCase{Event: 1, Activity: "Check", Rule: domain.RuleTime, Reason: "the event's time:timestamp lies outside the years 1900 to 9999"},
		},
		"a number that is none": {
			workflows.Trace{Name: "bad", Attributes: []workflows.Attribute{{Key: "fee", Kind: "float", Value: "NaN"}}, Events: []workflows.TraceEvent{event("Check", "R1", 1)}},
			workflows.RefusedCase{Rule: domain.RuleFacts, Reason: `fact "fee" is not a number; its facts are channel, deadline, enddate, fee`},
		},
		"a fact of another type": {badFact, workflows.RefusedCase{Rule: domain.RuleFacts, Reason: `fact "deadline": "soon" is not a time`}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			w := b.draft(t, good)
			got, err := b.importer().Import(t.Context(), "11.71", w, traces([]workflows.Trace{good[0], c.trace, good[1]}))
			if err != nil {
				t.Fatal(err)
			}
			c.want.Case = "bad"
			if d := cmp.Diff([]workflows.RefusedCase{c.want}, got.Refused); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if got.Cases != 3 || got.KeptCases != 2 {
				t.Errorf("%d cases, %d kept; want 3 and 2", got.Cases, got.KeptCases)
			}
			for e, err := range domain.Events(b.log.ReadAll(t.Context(), 0)) {
				if s, ok := e.Body.(domain.RequestSubmitted); err != nil || ok && s.Imported.Case == "bad" {
					t.Errorf("something of the refused case is kept: %+v, %v", e, err)
				}
			}
		})
	}
}

// A log that is cut off: every whole case before the fault is recorded.
func TestImportOfABrokenLog(t *testing.T) {
	b := newBench(t)
	w := b.draft(t, history())
	fault := errors.New("cut off")
	broken := func(yield func(workflows.Trace, error) bool) {
		for _, trace := range history()[:2] {
			if !yield(trace, nil) {
				return
			}
		}
		yield(workflows.Trace{}, fault)
	}
	got, err := b.importer().Import(t.Context(), "11.71", w, broken)
	if !errors.Is(err, fault) || got.KeptCases != 2 {
		t.Errorf("kept %d cases, %v; want 2 and the fault", got.KeptCases, err)
	}
}

func TestImportNeedsARoleForTheSystem(t *testing.T) {
	b := newBench(t)
	w, err := b.library.InForce(t.Context(), "11.71", "sip-dokter", now)
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.importer().Import(t.Context(), "11.71", w, traces(history()))
	var refusal *domain.Refusal
	if !errors.As(err, &refusal) || refusal.Rule != domain.RuleRole {
		t.Errorf("got %v", err)
	}
}
