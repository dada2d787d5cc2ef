package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
)

// Of each action out of a state it is known what stands against it now, and whoever then
// takes it is refused for that; what nothing stands against, somebody is let do.
func TestWhatStandsAgainstAnAction(t *testing.T) {
	const sign = "- {action: sign, from: [signing], to: issued, roles: [head], not_by: [accept], needs: {required_documents: true}}"
	allocated := []string{"owner: clerk, title: {id: Masuk", "owner: clerk, allocate: {rule: lottery, assigner: [boss]}, title: {id: Masuk"}
	back := []string{
		"actions:\n", "actions:\n  - {id: return, title: {id: Kembali, en: Return}}\n  - {id: again, title: {id: Lagi, en: Again}}\n",
		sign, sign + "\n  - {action: return, from: [submitted], to: paying, roles: [clerk], kind: return, reasons: [bad], consent: [boss]}\n  - {action: again, from: [paying], to: submitted, roles: [applicant]}",
		", documents: [proof]", "",
	}
	for name, c := range map[string]struct {
		change []string
		steps  func(*single)
		want   map[domain.ActionID]domain.Rule
	}{
		"a document is missing": {want: map[domain.ActionID]domain.Rule{"accept": domain.RuleIncomplete, "reject": ""}},
		"it is there":           {steps: func(d *single) { d.attach("sketch") }, want: map[domain.ActionID]domain.Rule{"accept": "", "reject": ""}},
		"nobody has the work":   {change: allocated, steps: func(d *single) { d.attach("sketch") }, want: map[domain.ActionID]domain.Rule{"accept": domain.RuleTask, "reject": domain.RuleTask}},
		"what must never be": {
			change: []string{sign, sign + "\ninvariants:\n  - {never: 'outcome == \"rejected\"', because: {id: Larangan, en: Rule}}"},
			want:   map[domain.ActionID]domain.Rule{"accept": domain.RuleIncomplete, "reject": domain.RuleInvariant},
		},
		"sent back once": {
			change: back,
			steps: func(d *single) {
				d.do(domain.Act{Header: d.header("c-1", "clerk"), Action: "return", Reason: "bad"})
				d.act("p-1", "applicant", "again")
			},
			want: map[domain.ActionID]domain.Rule{"accept": domain.RuleIncomplete, "reject": "", "return": domain.RuleReturn},
		},
	} {
		d := &single{t: t, w: compiled(t, signedWith(t, c.change...))}
		d.submit(nil)
		if c.steps != nil {
			c.steps(d)
		}
		got := map[domain.ActionID]domain.Rule{}
		for _, id := range d.w.Leaving(d.r.State) {
			edge, err := d.w.Fire(d.r, id)
			if err != nil {
				t.Fatal(name, err)
			}
			got[id] = ruleOf(domain.Against(d.r, edge, d.w, d.r.Changed.Add(time.Minute)))
			command := domain.Act{Header: d.header("c-9", "clerk"), Action: id}
			if len(edge.Reasons) > 0 {
				command.Reason = edge.Reasons[0]
			}
			_, err = domain.Decide(d.r, command, d.w)
			if ruleOf(err) != got[id] {
				t.Errorf("%s: %s is refused by %q, and %q stands against it", name, id, ruleOf(err), got[id])
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

// ruleOf is the rule that refused something; empty where nothing did.
func ruleOf(err error) domain.Rule {
	var refusal *domain.Refusal
	if errors.As(err, &refusal) {
		return refusal.Rule
	}
	return ""
}
