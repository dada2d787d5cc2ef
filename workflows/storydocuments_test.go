package workflows

import (
	"slices"
	"strings"
	"testing"
)

// A story names each document of those that no rule tells apart, for all of them have to be
// there; one that a finding is about is named by itself.
func TestStoriesNameEveryDocument(t *testing.T) {
	const sketch = "documents: {id: sketch, title: {id: Denah, en: Sketch}, formats: [pdf], max_size: 1 KB, required: true, by: [citizen], refused_by: [clerk], reasons: [law]}"
	deed := "max_size: 1 KB, by: [citizen]} => max_size: 1 KB, required: true, by: [citizen], refused_by: [clerk], reasons: [law]}"
	both := []string{deed, sketch}
	for name, c := range map[string]struct {
		changes []string
		rule    string
		says    string // of the finding
		story   []string
	}{
		"what has to be there for another": {
			changes: append([]string{"needs: {fees: [fee], required_documents: true} => needs: {required_documents: true}"}, both...), rule: FindingUnpaid,
			story: []string{`Documents "Sketch" and "Deed" are handed in.`},
		},
		"the one that is refused": {
			changes: both, rule: FindingDocuments, says: `"deed"`,
			story: []string{`Documents "Sketch" and "Deed" are handed in.`, `Document "Deed" is refused.`},
		},
		"the other one that is refused": {
			changes: both, rule: FindingDocuments, says: `"sketch"`,
			story: []string{`Documents "Sketch" and "Deed" are handed in.`, `Document "Sketch" is refused.`},
		},
		"the one that nobody asked for": {
			changes: append([]string{"needs: {fees: [fee], required_documents: true} => needs: {fees: [fee]}"}, both...), rule: FindingDocuments, says: `"deed"`,
			story: []string{`Document "Deed" is missing.`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := findingsOf(t, changed(t, c.changes...))
			i := slices.IndexFunc(got, func(f Finding) bool { return f.Rule == c.rule && strings.Contains(f.Message, c.says) })
			if i < 0 {
				t.Fatalf("no such finding, but %v", got)
			}
			for _, want := range c.story {
				if !slices.Contains(got[i].Story, want) {
					t.Errorf("%s is not in\n%s", want, strings.Join(got[i].Story, "\n"))
				}
			}
		})
	}
}

// That an amount is taken to come to nothing is said of the fee, and not of its formula.
func TestStoriesTellAnAmountByItsFee(t *testing.T) {
	for holds, want := range map[bool]string{false: `(supposing that fee "Fee" comes to nothing)`, true: `(supposing that fee "Fee" comes to more than nothing)`} {
		changes := []string{"amount: 10, => formula: 'facts.n * 2.0',", "max_size: 1 KB, by: [citizen]} => max_size: 1 KB, required: true, by: [citizen], refused_by: [clerk], reasons: [law]}"}
		if holds {
			changes = append(changes, "needs: {fees: [fee], required_documents: true} => needs: {required_documents: true}")
		}
		got := findingsOf(t, changed(t, changes...))
		i := slices.IndexFunc(got, func(f Finding) bool { return f.Rule == FindingDocuments && !holds || f.Rule == FindingUnpaid && holds })
		if i < 0 {
			t.Fatalf("no such finding, but %v", got)
		}
		if !strings.Contains(got[i].Story[0], want) {
			t.Errorf("%s is not in %s", want, got[i].Story[0])
		}
	}
}

// What only a broken invariant leads to does not happen, for the engine refuses it: the
// invariant is told, and nothing that lies behind it.
func TestNothingIsToldBehindABrokenInvariant(t *testing.T) {
	never := func(state string) string {
		return "invariants: {never: 'state == \"" + state + "\" && !history.paid(\"fee\")', because: {id: A, en: A}}"
	}
	unpaid := "needs: {fees: [fee], required_documents: true} => needs: {required_documents: true}"
	for name, c := range map[string]struct {
		changes  []string
		findings []string
	}{
		"no invariant":                       {[]string{unpaid}, []string{FindingUnpaid}},
		"where it is issued":                 {[]string{unpaid, never("issued")}, []string{FindingInvariant}},
		"before it is issued":                {[]string{unpaid, never("signing")}, []string{FindingInvariant}},
		"after it is issued, and of another": {[]string{unpaid, never("refused")}, []string{FindingUnpaid, FindingInvariant}},
		"that cannot be told":                {[]string{unpaid, "invariants: {never: 'state == \"issued\" && facts.n * 2.0 > 15.0', because: {id: A, en: A}}"}, []string{FindingUnpaid, FindingInvariant}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range findingsOf(t, changed(t, c.changes...)) {
				if f.Rule != FindingStandard {
					got = append(got, f.Rule)
				}
			}
			if !slices.Equal(got, c.findings) {
				t.Errorf("%v, want %v", got, c.findings)
			}
		})
	}
}
