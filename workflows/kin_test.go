package workflows

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
)

// proofBy is what the proofs say of a definition, of at most so many situations, with
// documents of kin told apart or not.
func proofBy(source string, apart bool, most int) (*inspection, *search, error) {
	_, r, err := read("w.yaml", []byte(source))
	if err != nil {
		return nil, nil, err
	}
	in := &inspection{definitionReader: r, lang: "en"}
	p, err := newProver(in)
	if err != nil {
		return nil, nil, err
	}
	if apart {
		p.kin = nil
	}
	return in, in.proveBy(p, most), nil
}

// askedFor is a permit that needs a document for each of so many facts, and whose facts the
// applicant may correct.
func askedFor(t *testing.T, documents int, changes ...string) string {
	t.Helper()
	changes = append([]string{
		action("return"), action("resubmit"),
		"states: {id: back, kind: wait, public: needs_correction, owner: citizen, title: {id: B, en: B}, term: {budget: 2 days, expires: {to: refused, ground: lapse}}}",
		"transitions: {action: return, kind: return, from: [sent], to: back, roles: [clerk], reasons: [law]}",
		"transitions: {action: resubmit, kind: correct, from: [back], to: sent, roles: [citizen]}",
	}, changes...)
	for i := range documents {
		changes = append(changes,
			fmt.Sprintf("facts: {id: p%d, type: boolean, title: {id: P%[1]d, en: P%[1]d}, default: false}", i),
			fmt.Sprintf("documents: {id: k%d, title: {id: K%[1]d, en: K%[1]d}, formats: [pdf], max_size: 1 KB, required_when: facts.p%[1]d, by: [citizen], in: [sent, back]}", i))
	}
	return changed(t, changes...)
}

// Documents that are required each by a fact of its own are counted: which of them are
// there is told apart in no proof. Twelve are as many as there may be facts.
func TestDocumentsOfKinAreCounted(t *testing.T) {
	for _, c := range []struct {
		documents, most int
		apart           bool // for comparison
		gaveUp          bool
	}{
		{documents: 4, most: 3000},
		{documents: 4, most: 3000, apart: true, gaveUp: true},
		{documents: 12, most: 20_000},
		{documents: 7, most: 20_000, apart: true, gaveUp: true},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			in, s, err := proofBy(askedFor(t, c.documents), c.apart, c.most)
			if err != nil {
				t.Fatal(err)
			}
			if s.gaveUp != c.gaveUp || len(in.findings) > 0 != c.gaveUp {
				t.Errorf("of %d situations: %v", len(s.points), in.findings)
			}
			t.Log(len(s.points), "situations")
		})
	}
}

// Of documents of kin each is told to be missing, by a way of its own, which a request can
// go.
func TestEachDocumentOfKinIsToldToBeMissing(t *testing.T) {
	source := askedFor(t, 3, "fees: [fee], required_documents: true => fees: [fee]")
	for _, apart := range []bool{false, true} {
		in, _, err := proofBy(source, apart, 20_000)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, f := range in.findings {
			got[f.Message] = f.Story[0]
		}
		want := map[string]string{}
		for i := range 3 {
			facts := []string{"p2 false", "p1 false", "p0 false"}
			facts[2-i] = fmt.Sprintf("p%d true", i)
			want[fmt.Sprintf(`a request can come to "issued" although document "k%d" is missing or was refused`, i)] = fmt.Sprintf(`A request is submitted with %s. It is at "Sent".`, strings.Join(facts, ", "))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("kin told apart: %v\n%s", apart, diff)
		}
	}
	tests := "tests:\n"
	for i := range 3 {
		tests += fmt.Sprintf(`  - name: without k%d
    given: {facts: {at: 2026-01-01T00:00:00Z, p%[1]d: true}}
    when: [{pay: fee}, {act: pass}, {review: fire, opinion: approved}, {act: sign}]
    then: {state: issued}
`, i)
	}
	d, err := Read("w.yaml", []byte(source+tests))
	if err != nil {
		t.Fatal(err)
	}
	if run := RunTests("w.yaml", []byte(source+tests), d); run.Failed > 0 || run.Passed != 3 {
		t.Errorf("a request cannot go the ways that are told: %v", run.Problems)
	}
}

// kindred draws definitions with documents that may be kin, and a correction.
func kindred() *rapid.Generator[sample] {
	return rapid.Custom(func(t *rapid.T) sample {
		d := randomDefinition(t, false, false)
		g := &drawing{t: t, d: d}
		open := slices.DeleteFunc(g.stateIDs(), func(id domain.StateID) bool { return d.state(id).Kind == KindEnd })
		like := Document{Formats: []string{"pdf"}, MaxSize: "1 KB", By: []domain.RoleID{"citizen"}}
		if g.rarely(2, "kin only in") {
			like.In = some(g, "kin in", open)
		}
		if g.rarely(3, "kin can be refused") {
			like.RefusedBy, like.Reasons = []domain.RoleID{"clerk"}, []domain.ReasonCode{"why"}
		}
		for i := range 2 + g.upTo(1, "kin") {
			id, x := fmt.Sprint("p", i), like
			d.Facts = append(d.Facts, Fact{ID: id, Type: FactBoolean, Title: label(id), Default: false})
			x.ID, x.Title = domain.DocumentID(fmt.Sprint("k", i)), label(fmt.Sprint("k", i))
			x.RequiredWhen = &Condition{Text: pick(g, "required", "facts.", "!facts.") + id}
			if g.rarely(5, "other kin") {
				x.In = some(g, "other in", open)
			}
			if g.rarely(5, "of an officer") {
				x.By = []domain.RoleID{"clerk"}
			}
			d.Documents = append(d.Documents, x)
		}
		if i := g.upTo(3*len(d.Transitions), "named"); i < len(d.Transitions) && d.Transitions[i].Kind != domain.ActionOverride {
			if d.Transitions[i].Needs == nil {
				d.Transitions[i].Needs = &Needs{}
			}
			d.Transitions[i].Needs.Documents = append(d.Transitions[i].Needs.Documents, "k0")
		}
		if len(d.Fees) > 0 && g.rarely(5, "asked by a fee") {
			d.Fees[0].When = &Condition{Text: "facts.p1"}
		}
		g.add(Transition{From: some(g, "corrected from", open), To: pick(g, "corrected to", g.stateIDs()...), Kind: domain.ActionCorrect})
		source, err := Write(d, "")
		if err != nil {
			t.Fatal(err)
		}
		if d, err = Read("w.yaml", source); err != nil {
			t.Fatal(err)
		}
		return sample{d, string(source)}
	})
}

// A proof that tells documents of kin apart comes to the same: the same findings by ways
// of the same length, and no situation beside those that stand for them.
func TestDocumentsOfKinChangeNoVerdict(t *testing.T) {
	folded, findings := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		d := kindred().Draw(t, "definition")
		all, walk, err := proofBy(d.source, true, 2000)
		if err != nil || walk.gaveUp {
			t.Skip("too many situations")
		}
		some, less, err := proofBy(d.source, false, 2000)
		if err != nil {
			t.Fatal(err)
		}
		if len(less.p.kin) == 0 {
			t.Skip("there are no documents of kin")
		}
		want := map[point]int{}
		for _, at := range walk.points {
			want[less.p.folded(at)]++
		}
		if len(want) != len(less.points) || len(want) != len(less.known) {
			t.Fatalf("%d situations, want %d", len(less.points), len(want))
		}
		for at := range less.known {
			if want[at] == 0 {
				t.Fatalf("no request comes to %+v", at)
			}
		}
		if diff := cmp.Diff(verdicts(all), verdicts(some)); diff != "" {
			t.Fatal(diff)
		}
		less.walkable(t)
		folded, findings = folded+len(walk.points)-len(less.points), findings+len(all.findings)
	})
	t.Log(folded, "situations folded,", findings, "findings")
}

// listed is the documents that silence may approve without: of several situations that are
// found after as many steps, a proof tells of one.
var listed = regexp.MustCompile(` \([dk]\d[^)]*\)`)

// verdicts are findings with how long the way there is.
func verdicts(in *inspection) map[string]int {
	found := map[string]int{}
	for _, f := range in.findings {
		text := listed.ReplaceAllString(f.Message, "")
		found[fmt.Sprint(f.Line, ":", f.Column, " ", f.Rule, ": ", text, " ", len(f.Story))]++
	}
	return found
}

// walkable holds that a request can go each way that was found, and each in which two
// documents of kin are exchanged.
func (s *search) walkable(t *rapid.T) {
	apart := *s.p
	apart.kin = nil
	for _, kin := range s.p.kin {
		for _, pair := range [][2]int{{kin[0], kin[0]}, {kin[0], kin[1]}} {
			for i, from := range s.from {
				step, to := s.p.exchanged(pair[0], pair[1], s.by[i], s.points[i])
				way := map[point]stepTaken{}
				if from < 0 {
					for _, at := range apart.begin() {
						way[apart.plain(at)] = stepTaken{kind: stepSubmit, person: at.person > 0}
					}
				} else {
					_, at := s.p.exchanged(pair[0], pair[1], s.by[from], s.points[from])
					apart.next(at, func(other stepTaken, at point) {
						if other.kind == step.kind && other.of == step.of && other.person == step.person && other.word == step.word {
							way[apart.plain(at)] = other
						}
					})
				}
				if _, leads := way[to]; !leads {
					t.Fatalf("no %+v leads to %+v, but to %v", step, to, slices.Collect(maps.Keys(way)))
				}
			}
		}
	}
}
