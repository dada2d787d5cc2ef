package workflows

import (
	"slices"
	"strings"
	"testing"
)

// sorted is a permit that goes on by itself by one of two conditions.
func sorted(first, second string) []string {
	return []string{
		action("big"), action("small"), "to: signing, automatic => to: sorting, automatic",
		"states: {id: sorting, kind: work, public: in_process, owner: head, title: {id: Pilah, en: Sorting}, term: {budget: 2 days, expires: {escalate: [head], ombudsman: true}}}",
		"transitions: {action: small, from: [sorting], to: refused, automatic: true, when: '" + second + "', because: {id: Kecil, en: Small}}",
		"transitions: {action: big, from: [sorting], to: signing, automatic: true, when: '" + first + "'}",
	}
}

// Of two conditions that say opposite things of what cannot be told, one holds, and not
// both; of others, nothing is known.
func TestOppositeConditionsDoNotHoldTogether(t *testing.T) {
	// What cannot be told is told, and bars nothing: so it is seen that requests come there.
	never := "invariants: {never: 'state == \"sorting\" && facts.n * 7.0 > 1.0', because: {id: P, en: P}}"
	for name, c := range map[string]struct {
		first, second string
		rule          string // no request is stuck where it is empty
	}{
		"opposite":            {first: `facts.n * 2.0 > 15.0`, second: `facts.n * 2.0 <= 15.0`},
		"from the other side": {first: `facts.n * 2.0 >= 15.0`, second: `15 > facts.n * 2.0`},
		"not so":              {first: `facts.n * 2.0 > 15.0`, second: `!(facts.n * 2.0 > 15.0)`},
		"not equal":           {first: `facts.n * 2.0 == 15.0`, second: `facts.n * 2.0 != 15.0`},
		"by facts and counts": {first: `facts.n * 2.0 > double(history.times("pass"))`, second: `facts.n * 2.0 <= double(history.times("pass"))`},
		"not what was done":   {first: `facts.n * 2.0 > 15.0 && history.did("pass")`, second: `!(facts.n * 2.0 > 15.0 && history.did("pass"))`},
		"a gap":               {first: `facts.n * 2.0 > 15.0`, second: `facts.n * 2.0 < 15.0`, rule: FindingStuck},
		"something else":      {first: `facts.n * 2.0 > 15.0`, second: `facts.n * 3.0 <= 15.0`, rule: FindingStuck},
	} {
		t.Run(name, func(t *testing.T) {
			got := findingsOf(t, changed(t, append(sorted(c.first, c.second), never)...))
			stays := slices.ContainsFunc(got, func(f Finding) bool { return f.Rule == FindingInvariant && len(f.Story) > 0 })
			if is := slices.ContainsFunc(got, func(f Finding) bool { return f.Rule == FindingStuck }); is != (c.rule == FindingStuck) || !stays {
				t.Errorf("stuck: %v, and it comes there: %v; %v", is, stays, got)
			}
		})
	}
	third := append(sorted(`facts.n * 2.0 > 15.0`, `facts.n * 2.0 <= 15.0`), action("never"), "transitions: {action: never, from: [sorting], to: issued, roles: [head]}")
	if got := findingsOf(t, changed(t, third...)); !slices.ContainsFunc(got, func(f Finding) bool { return f.Rule == FindingDead && strings.Contains(f.Message, `"never"`) }) {
		t.Errorf("what only somebody takes where neither holds is not found: %v", got)
	}
}

// A story comes in the language that is asked for, with the titles in it.
func TestStoriesInALanguage(t *testing.T) {
	source := []byte(changed(t, "needs: {fees: [fee], required_documents: true} => needs: {required_documents: true}", "roles: [head]}\n => roles: [head], when: 'facts.n * 2.0 > 15.0'}\n"))
	for lang, want := range map[string]string{
		"en": `A request is submitted (supposing that "facts.n * 2.0 > 15.0" holds). It is at "Sent".|Somebody, as Clerk, takes "Pass". It is at "Opinions".|Review "Fire" is approved.|By itself, "Opined" follows. It is at "Signing".|Somebody, as Head, takes "Sign". It is at "Issued".`,
		"id": `Permohonan diajukan (andaikan "facts.n * 2.0 > 15.0" terpenuhi). Permohonan berada di "Masuk".|Seseorang, sebagai Petugas, mengambil tindakan "Terima". Permohonan berada di "Pendapat".|Penilaian "Api" disetujui.|Dengan sendirinya menyusul "Setuju". Permohonan berada di "Tanda tangan".|Seseorang, sebagai Kepala, mengambil tindakan "Tanda tangan". Permohonan berada di "Terbit".`,
	} {
		_, got, err := CheckIn(lang, "w.yaml", source)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(got, func(f Finding) bool { return f.Rule == FindingUnpaid })
		if i < 0 || strings.Join(got[i].Story, "|") != want {
			t.Errorf("%s: %v", lang, got)
		}
	}
	for key, text := range storyWords {
		if text.ID == "" || text.EN == "" || strings.Count(text.ID, "%") != strings.Count(text.EN, "%") {
			t.Errorf("%s: %q and %q do not have the same places", key, text.ID, text.EN)
		}
	}
}
