package workflows

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// plainSource is a permit that is checked and issued, with nothing that stands against it
// but that it has no service standard. Changes are made to it by [changed].
const plainSource = `alur: 1
id: permit
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
facts:
  - {id: n, type: number, title: {id: N, en: N}, default: 1}
  - {id: at, type: time, title: {id: Waktu, en: Time}, required: true}
roles:
  - {id: citizen, title: {id: Pemohon, en: Citizen}, capacities: [self]}
  - {id: desk, title: {id: Loket, en: Desk}, capacities: [counter]}
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
  - {id: head, title: {id: Kepala, en: Head}, capacities: [officer]}
submit: [citizen, desk]
payers: [clerk]
reasons:
  - {code: law, title: {id: Aturan, en: The law}}
documents:
  - {id: deed, title: {id: Akta, en: Deed}, formats: [pdf], max_size: 1 KB, by: [citizen]}
fees:
  - {id: fee, title: {id: Biaya, en: Fee}, amount: 10, due_in: [sent], basis: {id: Perda, en: By-law}}
reviews:
  - {id: fire, title: {id: Api, en: Fire}, role: head, reasons: [law], term: {budget: 2 days, expires: {escalate: [head], ombudsman: true}}}
states:
  - {id: sent, kind: start, public: received, owner: clerk, title: {id: Masuk, en: Sent}, term: {budget: 2 days, expires: {escalate: [head]}}}
  - {id: opinions, kind: gather, public: in_process, owner: head, reviews: [fire], title: {id: Pendapat, en: Opinions}, term: {budget: 2 days, expires: {escalate: [head]}}}
  - {id: signing, kind: work, public: in_process, owner: head, title: {id: Tanda tangan, en: Signing}, term: {budget: 2 days, expires: {escalate: [head], ombudsman: true}}}
  - {id: issued, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Issued}}
  - {id: refused, kind: end, outcome: rejected, public: rejected, title: {id: Ditolak, en: Refused}}
actions:
  - {id: pass, title: {id: Terima, en: Pass}}
  - {id: opined, title: {id: Setuju, en: Opined}}
  - {id: advise, title: {id: Tolak saran, en: Advised against}}
  - {id: sign, title: {id: Tanda tangan, en: Sign}}
transitions:
  - {action: pass, from: [sent], to: opinions, roles: [clerk], needs: {fees: [fee], required_documents: true}}
  - {action: opined, from: [opinions], to: signing, automatic: true, needs: {reviews: approved}}
  - {action: advise, from: [opinions], to: refused, automatic: true, needs: {reviews: refused}}
  - {action: sign, from: [signing], to: issued, roles: [head]}
`

// changed is the plainSource permit with lines more in some lists, one that is new where
// there is none, and other words.
func changed(t *testing.T, changes ...string) string {
	t.Helper()
	return edited(t, plainSource, changes...)
}

// edited is a definition with such changes.
func edited(t *testing.T, source string, changes ...string) string {
	t.Helper()
	for _, c := range changes {
		if old, now, ok := strings.Cut(c, " => "); ok {
			if !strings.Contains(source, old) {
				t.Fatalf("%q stands nowhere", old)
			}
			source = strings.Replace(source, old, now, 1)
			continue
		}
		list, item, ok := strings.Cut(c, ": ")
		switch {
		case ok && strings.Contains(source, "\n"+list+":\n"):
			source = strings.Replace(source, "\n"+list+":\n", "\n"+list+":\n  - "+item+"\n", 1)
		default:
			source += list + ":\n  - " + item + "\n"
		}
	}
	return source
}

func action(id string) string {
	return fmt.Sprintf("actions: {id: %s, title: {id: %[1]s, en: %[1]s}}", id)
}

// appeal is a panel that is asked when somebody objects to a refusal.
func appeal(only string) []string {
	const term = "term: {budget: 2 days, expires: {escalate: [head]}}"
	return []string{
		action("object"), action("upheld"), action("turned"),
		"reviews: {id: elders, title: {id: Tua, en: Elders}, role: clerk, reasons: [law], " + term + "}",
		"states: {id: panel, kind: gather, public: in_process, owner: head, reviews: [elders], " + only + "title: {id: Panel, en: Panel}, " + term + "}",
		"transitions: {action: object, from: [refused], to: panel, roles: [citizen], kind: reopen}",
		"transitions: {action: upheld, from: [panel], to: opinions, automatic: true, needs: {reviews: approved}}",
		"transitions: {action: turned, from: [panel], to: refused, automatic: true, needs: {reviews: refused}}",
	}
}

// survey is a trip that some requests need and that is paid for.
func survey(only, needs string) []string {
	return []string{
		action("survey"), action("report"),
		"fees: {id: trip, title: {id: Jalan, en: Trip}, amount: 10, due_in: [site], " + only + "basis: {id: Perda, en: By-law}}",
		"states: {id: site, kind: work, public: in_process, owner: clerk, title: {id: Lapangan, en: Site}, term: {budget: 2 days, expires: {escalate: [head]}}}",
		"transitions: {action: survey, from: [signing], to: site, roles: [head]}",
		"transitions: {action: report, from: [site], to: signing, roles: [clerk], " + needs + "}",
	}
}

// returning is a state that is come to after a return, or else without, and that only a
// return leads on from.
func returning(direct, consent string) []string {
	to, look := "resubmit, from: [back], to: odd, roles: [citizen]", action("return")
	if direct != "" {
		to = "resubmit, from: [back], to: sent, roles: [citizen]}\n  - {action: look, from: [sent], to: odd, roles: [head], when: '!history.did(\"return\")'"
		look = "actions: {id: return, title: {id: R, en: R}}\n  - {id: look, title: {id: L, en: L}}"
	}
	return []string{
		look, action("resubmit"),
		"states: {id: back, kind: wait, public: needs_correction, owner: citizen, title: {id: B, en: B}, term: {budget: 2 days, expires: {to: refused, ground: lapse}}}",
		"states: {id: odd, kind: work, public: in_process, owner: clerk, title: {id: O, en: O}, term: {budget: 2 days, expires: {escalate: [head]}}}",
		"transitions: {action: return, kind: return, from: [sent, odd], to: back, roles: [clerk], reasons: [law]" + consent + "}",
		"transitions: {action: " + to + "}",
	}
}

// formed is a fact from a form whose field has some bound, and a way under a condition.
func formed(bound, when string, more ...string) []string {
	return append([]string{
		"facts: => form: {type: object, required: [n], properties: {n: {type: number, personal: false, " + bound + "}}}\nfacts:",
		"title: {id: N, en: N}, default: 1 => title: {id: N, en: N}, required: true, from: form.n",
		action("rush"),
		"transitions: {action: rush, from: [sent], to: refused, roles: [head], reasons: [law], when: '" + when + "'}",
	}, more...)
}

// chosenOf is a fact from a form whose field has some values, and a way under a condition.
func chosenOf(kind, values, when string) []string {
	otherwise := map[string]string{"boolean": "false", "time": "2020-01-01T00:00:00Z"}[kind]
	field := map[string]string{"boolean": "boolean", "time": "string"}[kind]
	return []string{
		"facts: => form: {type: object, properties: {c: {type: " + field + ", personal: false, " + values + "}}}\nfacts:",
		"facts: {id: c, type: " + kind + ", title: {id: C, en: C}, from: form.c, default: " + otherwise + "} # c",
		action("rush"),
		"transitions: {action: rush, from: [sent], to: refused, roles: [head], reasons: [law], when: '" + when + "'}",
	}
}

// lasting is a fact about two moments that are filled in, and a way under it.
func lasting(from string) []string {
	const moment = "{type: string, format: date-time, personal: false}"
	return []string{
		"facts: => form: {type: object, required: [begins, ends], properties: {begins: " + moment + ", ends: " + moment + "}}\nfacts:",
		"facts: {id: odd, type: boolean, title: {id: O, en: O}, required: true, from: '" + from + "'}",
		action("rush"), "transitions: {action: rush, from: [sent], to: refused, roles: [head], reasons: [law], when: facts.odd}",
	}
}

// bouncing is a correction that leads to where a paid fee leads on from by itself: what
// else leads on from there is for those who owe it.
func bouncing(amount string) []string {
	return []string{
		"amount: 10 => " + amount, "needs: {fees: [fee], required_documents: true} => needs: {required_documents: true}", "to: issued, roles: [head] => to: issued, roles: [head], needs: {fees: [fee]}",
		action("settled"), action("redo"), action("give-up"),
		"states: {id: back, kind: wait, public: needs_correction, owner: citizen, title: {id: Kembali, en: Back}, term: {budget: 2 days, expires: {escalate: [head]}}}",
		"transitions: {action: settled, from: [sent], to: back, automatic: true, needs: {fees: [fee]}, because: {id: Lunas, en: Paid}}",
		"transitions: {action: redo, from: [back], to: sent, roles: [citizen], kind: correct}",
		"transitions: {action: give-up, from: [sent], to: refused, roles: [clerk], reasons: [law]}",
	}
}

// second is another review beside the first.
var second = []string{
	"reviews: {id: water, title: {id: W, en: W}, role: head, reasons: [law], term: {budget: 2 days, expires: {escalate: [head], ombudsman: true}}}", "reviews: [fire] => reviews: [fire, water]",
}

// aside is where a request lies for a while with its review open, which is asked for anew
// when it is taken up again; whoever takes a note there does not review later on.
func aside(noted string) []string {
	return []string{
		"reviews: [fire], => reviews: [fire], join: {again: all},", "role: head, reasons: [law], => role: head, reasons: [law], not_by: [note],", "separate: ['review:fire', note]",
		action("put-aside"), action("note"), action("take-up"),
		"states: {id: aside, kind: work, public: in_process, owner: clerk, title: {id: S, en: Aside}, term: {budget: 2 days, expires: {escalate: [head]}}}",
		"transitions: {action: put-aside, from: [opinions], to: aside, roles: [clerk]}",
		"transitions: {action: note, from: [aside], to: aside, roles: [clerk], " + noted + "}",
		"transitions: {action: take-up, from: [aside], to: opinions, roles: [clerk]}",
	}
}

// headAlone has a head pass and review and sign, with something that the signature needs.
func headAlone(needs string, more ...string) []string {
	if needs != "" {
		needs = ", needs: {" + needs + "}"
	}
	return append([]string{"to: opinions, roles: [clerk], => to: opinions, roles: [clerk, head],", "to: issued, roles: [head]} => to: issued, roles: [head]" + needs + "}"}, more...)
}

// silent says what follows when the review of the permit is not given.
func silent(expires string) string {
	return "role: head, reasons: [law], term: {budget: 2 days, expires: {escalate: [head], ombudsman: true}} => role: head, reasons: [law], term: {budget: 2 days, expires: {" + expires + "}}"
}

// asking is a wait that a clerk may send a request to.
func asking(owner, more string) []string {
	return []string{
		action("ask"), action("answer"), "transitions: {action: ask, from: [sent], to: asked, roles: [clerk]}", "transitions: {action: answer, from: [asked], to: sent, roles: [" + owner + "]}",
		"states: {id: asked, kind: wait, public: in_process, owner: " + owner + ", " + more + "title: {id: T, en: A}, term: {budget: 2 days, expires: {escalate: [head]}}}",
	}
}

// recording is a visit that finds something out, without which nobody signs.
func recording(when string, more ...string) []string {
	return append([]string{
		action("visit"), "facts: {id: ok, type: boolean, title: {id: O, en: O}, recorded: true, default: false}",
		"transitions: {action: visit, from: [sent, signing], to: sent, roles: [head], records: [ok]}",
		"roles: [head]}\n => roles: [head], when: 'facts.ok" + when + "'}\n",
	}, more...)
}

// ticked is a checklist that some role answers.
func ticked(role string) []string {
	return []string{
		"checklists: {id: list, title: {id: L, en: L}, by: [" + role + "], items: [{id: i, title: {id: I, en: I}}]}",
		"required_documents: true} => required_documents: true, checklists: [list]}",
	}
}

func findingsOf(t *testing.T, source string) []Finding {
	t.Helper()
	_, findings := findingsIn(t, source)
	return findings
}

// What is found of the plainSource permit when it is changed: a rule and words of the
// message, or nothing at all.
func TestFindingsOfAPermit(t *testing.T) {
	back := "transitions: {action: redo, from: [signing], to: sent, roles: [citizen], kind: correct}"
	for name, c := range map[string]struct {
		changes []string
		rule    string // nothing is found where it is empty
		says    string
		without string // where it is, this rule is not broken, whatever else is
	}{
		"as it is": {},

		// What is issued by an end that is no approval is outside of all that is proved of one.
		"a permit whose issue is said to be a closing": {
			changes: []string{"outcome: approved, public: approved => outcome: closed, public: completed"}, rule: FindingNoGrant, says: "nothing was proved about what is issued",
		},

		// Those at the counter are staff: they act for somebody, and are somebody.
		"a desk that passes a gate and decides": {
			changes: []string{action("enter"), "transitions: {action: enter, from: [sent], to: sent, roles: [desk]}", "separate: [enter, sign]"},
			rule:    FindingSeparated,
		},
		"a role of citizens and of the desk that passes a gate": {
			changes: []string{"capacities: [self] => capacities: [self, counter]", action("enter"), "transitions: {action: enter, from: [sent], to: sent, roles: [citizen]}", "separate: [enter, sign]"},
			rule:    FindingSeparated,
		},
		"citizens who pass a gate": { // they may be of the staff, asking for themselves
			changes: []string{action("enter"), "transitions: {action: enter, from: [sent], to: sent, roles: [citizen]}", "separate: [enter, sign]"},
			rule:    FindingSeparated,
		},
		"an expert who passes a gate": {
			changes: []string{"capacities: [self] => capacities: [professional]", action("enter"), "transitions: {action: enter, from: [sent], to: sent, roles: [citizen]}", "separate: [enter, sign]"},
			rule:    FindingSeparated,
		},
		"a system that passes a gate": {
			changes: []string{"roles: {id: bot, title: {id: B, en: B}, capacities: [system]}", action("enter"), "transitions: {action: enter, from: [sent], to: sent, roles: [bot]}", "separate: [enter, sign]"},
		},
		"a gate that nobody takes":                               {changes: []string{"separate: [opined, sign]"}, rule: FindingSeparated, says: `"opined", which nobody takes`},
		"not by who takes what nobody takes":                     {changes: []string{"to: issued, roles: [head] => to: issued, roles: [head], not_by: [opined]"}, rule: FindingSeparated, says: `"opined", which nobody takes`},
		"not by who did what comes later":                        {changes: []string{"to: opinions, roles: [clerk], => to: opinions, roles: [clerk], not_by: [sign],"}, rule: FindingUnused, says: `"sign"`},
		"not by who did what comes later, whichever comes first": {changes: []string{"to: opinions, roles: [clerk], => to: opinions, roles: [clerk], not_by: [sign],", "to: issued, roles: [head] => to: issued, roles: [head], not_by: [pass]", "separate: [pass, sign]"}},
		"whoever reviews and signs":                              {changes: []string{"separate: ['review:fire', sign]"}, rule: FindingSeparated, says: "review:fire"},
		"whoever reviews and is kept from signing":               {changes: []string{"separate: ['review:fire', sign]", "to: issued, roles: [head] => to: issued, roles: [head], not_by: [review:fire]"}},
		"whoever passes and reviews":                             {changes: []string{"separate: ['review:fire', pass]"}, rule: FindingSeparated, says: "review:fire"},
		"whoever passes and is kept from reviewing": {
			changes: []string{"separate: ['review:fire', pass]", "role: head, reasons: [law], => role: head, reasons: [law], not_by: [pass],"},
		},
		"whoever reviews late and notes": { // where what the review comes to does not count
			changes: aside(""), rule: FindingSeparated, says: "review:fire",
		},
		"whoever reviews late and is kept from noting": {
			changes: aside("not_by: ['review:fire']"), without: FindingSeparated,
		},
		"whoever gives two reviews of one state": {
			changes: append(second, "separate: ['review:fire', 'review:water']"), // that is held apart without a word
		},
		"a desk that is kept from the other gate": {
			changes: []string{action("enter"), "transitions: {action: enter, from: [sent], to: sent, roles: [desk]}", "separate: [enter, sign]", "to: issued, roles: [head] => to: issued, roles: [head], not_by: [enter]"},
		},
		"a desk that decides": {
			changes: []string{"title: {id: Kepala, en: Head}, capacities: [officer] => title: {id: Kepala, en: Head}, capacities: [officer, counter]"},
			rule:    FindingCapacity, says: `role "head"`,
		},

		// Whoever submits may be one of the staff, at the counter or for themselves.
		"a desk that files and decides": {
			changes: []string{"separate: [submit, sign]"}, rule: FindingSeparated, says: "submit",
		},
		"a desk that files and is kept from deciding": {
			changes: []string{"separate: [submit, sign]", "to: issued, roles: [head] => to: issued, roles: [head], not_by: [submit]"},
		},
		"an action that is called submit": {
			changes: []string{action("submit"), "transitions: {action: submit, from: [sent], to: sent, roles: [citizen]}", "separate: [submit, sign]", "to: issued, roles: [head] => to: issued, roles: [head], not_by: [submit]"},
		},

		// What was received of a fee counts after a correction.
		"a way out only while a fee is owed": {
			changes: bouncing("amount: 10"), rule: FindingStuck, says: `"back"`,
		},
		"a way out while a fee may be owed again": {
			changes: bouncing("table: {fact: n, rows: [{up_to: 5, amount: 10}, {amount: 20}]}"),
		},
		"a way out for a fee that is due no more": {
			changes: bouncing("table: {fact: n, rows: [{up_to: 5, amount: 10}, {amount: 0}]}"), rule: FindingStuck, says: `"back"`,
		},

		// An override stands in for what the state that it leaves asks for.
		"an override past the reviews": {
			changes: []string{action("order"), "transitions: {action: order, from: [opinions], to: signing, roles: [head], kind: override}"},
		},
		"an override past the reviews to the end": {
			changes: []string{action("order"), "transitions: {action: order, from: [opinions], to: issued, roles: [head], kind: override}"},
		},
		"an override past the gate before the reviews": {
			changes: []string{action("order"), "transitions: {action: order, from: [sent], to: opinions, roles: [clerk], kind: override}"},
		},
		"an override past the gate and the reviews": {
			changes: []string{action("order"), "transitions: {action: order, from: [sent], to: signing, roles: [head], kind: override}"},
			rule:    FindingReview, says: `"opinions"`,
		},
		"an override back, and then no second opinion": {
			changes: []string{
				action("order"), action("skip"), "transitions: {action: order, from: [opinions], to: sent, roles: [head], kind: override}",
				"transitions: {action: skip, from: [sent], to: signing, roles: [clerk], when: 'history.did(\"order\")', needs: {fees: [fee]}}",
			},
			rule: FindingReview, says: `"opinions"`,
		},
		"an override that stays, and then past the reviews": {
			changes: []string{
				action("order"), action("skip"), "transitions: {action: order, from: [opinions], to: opinions, roles: [head], kind: override}",
				"transitions: {action: skip, from: [opinions], to: signing, roles: [clerk], when: 'history.did(\"order\")'}",
			},
			rule: FindingReview, says: `"opinions"`,
		},
		"an override that stays, and then past the fee": {
			changes: []string{
				action("order"), action("skip"), "transitions: {action: order, from: [sent], to: sent, roles: [head], kind: override}",
				"transitions: {action: skip, from: [sent], to: opinions, roles: [clerk], when: 'history.did(\"order\")'}",
			},
			rule: FindingUnpaid, says: `"fee"`,
		},
		"an override past the reviews to the end, which is reopened": {
			changes: []string{
				action("order"), action("reopen"), "transitions: {action: order, from: [opinions], to: issued, roles: [head], kind: override}",
				"transitions: {action: reopen, from: [issued], to: signing, roles: [clerk], kind: reopen}",
			},
			rule: FindingReview, says: `"opinions"`,
		},

		// Whoever is late knows.
		"a term of which only who is late is told":   {changes: []string{"[head], ombudsman: true}}}\n  - {id: issued => [head]}}}\n  - {id: issued"}, rule: FindingExpiry, says: "state signing: nobody is told but head"},
		"a term of which somebody else is told, too": {changes: []string{"[head], ombudsman: true}}}\n  - {id: issued => [head, clerk]}}}\n  - {id: issued"}},
		"a review of which only who is late is told": {changes: []string{silent("escalate: [head]")}, rule: FindingExpiry, says: "review fire: nobody is told but head"},

		"a term of which a machine is told": {
			changes: []string{"roles: {id: bot, title: {id: B, en: B}, capacities: [system]}", "public: received, owner: clerk, title: {id: Masuk, en: Sent}, term: {budget: 2 days, expires: {escalate: [head]}} => public: received, owner: clerk, title: {id: Masuk, en: Sent}, term: {budget: 2 days, expires: {escalate: [bot]}}"},
			rule:    FindingExpiry, says: "state sent: nobody is told but bot, in which nobody but machines acts",
		},
		"a term of which a machine and who is late are told": {
			changes: []string{"roles: {id: bot, title: {id: B, en: B}, capacities: [system]}", "public: received, owner: clerk, title: {id: Masuk, en: Sent}, term: {budget: 2 days, expires: {escalate: [head]}} => public: received, owner: clerk, title: {id: Masuk, en: Sent}, term: {budget: 2 days, expires: {escalate: [bot, clerk]}}"},
			rule:    FindingExpiry, says: "state sent: nobody is told but clerk",
		},
		"a wait for others of which a machine is told": {
			changes: []string{"roles: {id: bot, title: {id: B, en: B}, capacities: [system]}", "title: {id: Pendapat, en: Opinions}, term: {budget: 2 days, expires: {escalate: [head]}} => title: {id: Pendapat, en: Opinions}, term: {budget: 2 days, expires: {escalate: [bot]}}"},
			rule:    FindingExpiry, says: "state opinions: nobody is told but bot",
		},
		"a term of which a machine and somebody else are told": {
			changes: []string{"roles: {id: bot, title: {id: B, en: B}, capacities: [system]}", "public: received, owner: clerk, title: {id: Masuk, en: Sent}, term: {budget: 2 days, expires: {escalate: [head]}} => public: received, owner: clerk, title: {id: Masuk, en: Sent}, term: {budget: 2 days, expires: {escalate: [bot, head]}}"},
		},
		"a term of the law of which a machine is told": {
			changes: []string{"roles: {id: bot, title: {id: B, en: B}, capacities: [system]}", "terms: {id: legal, title: {id: L, en: L}, budget: 5 days, starts: [pass], expires: {escalate: [bot]}, basis: {id: UU, en: Law}}"},
			rule:    FindingExpiry, says: "term legal: nobody is told but bot",
		},

		// Whoever needs what another brings is not alone.
		"a head who passes and signs": {changes: headAlone(""), rule: FindingAlone, says: `role "head" alone`},
		"a head who needs what a clerk checks": {
			changes: headAlone("checklists: [list]", "checklists: {id: list, title: {id: L, en: L}, by: [clerk], items: [{id: i, title: {id: I, en: I}}]}"), without: FindingAlone,
		},
		"a head who needs what they may check": {
			changes: headAlone("checklists: [list]", "checklists: {id: list, title: {id: L, en: L}, by: [clerk, head], items: [{id: i, title: {id: I, en: I}}]}"), rule: FindingAlone,
		},
		"a head who needs what a citizen ticks": {
			changes: headAlone("checklists: [list]", "checklists: {id: list, title: {id: L, en: L}, by: [citizen], items: [{id: i, title: {id: I, en: I}}]}"), rule: FindingAlone,
		},
		"a head who needs a paper of a clerk": {
			changes: headAlone("documents: [report]", "documents: {id: report, title: {id: R, en: R}, formats: [pdf], max_size: 1 KB, by: [clerk]}"), without: FindingAlone,
		},
		"a head who needs all papers, one of a clerk": {
			changes: headAlone("required_documents: true", "documents: {id: report, title: {id: R, en: R}, formats: [pdf], max_size: 1 KB, required: true, by: [clerk]}"), without: FindingAlone,
		},
		"a head who needs all papers, one of a clerk at times": {
			changes: headAlone("required_documents: true", "documents: {id: report, title: {id: R, en: R}, formats: [pdf], max_size: 1 KB, required_when: facts.n > 5.0, by: [clerk]}"), rule: FindingAlone,
		},

		// The term of a review moves the request while the review is open.
		"a review whose silence is an approval, which a rule forbids": {
			changes: []string{
				silent("to: issued, ground: deemed_approval"),
				"invariants: {never: 'state == \"issued\" && history.review(\"fire\") != \"approved\"', because: {id: A, en: A}}",
			},
			rule: FindingInvariant,
		},
		"a review whose silence lapses to an approval":            {changes: []string{silent("to: issued, ground: lapse")}, rule: FindingExpiry, says: `"issued"`},
		"a review whose silence is said to approve, and does not": {changes: []string{silent("to: sent, ground: deemed_approval")}, rule: FindingExpiry, says: `"sent"`},
		"an approval by silence against a review": {
			changes: []string{
				"to: refused, automatic: true, needs: {reviews: refused}} => to: signing, automatic: true, needs: {reviews: refused}}",
				"roles: [head]}\n => roles: [head], when: 'history.review(\"fire\") == \"approved\"'}\n", action("reject"),
				"transitions: {action: reject, from: [signing], to: refused, roles: [head], reasons: [law]}",
				"title: {id: Tanda tangan, en: Signing}, term: {budget: 2 days, expires: {escalate: [head], ombudsman: true}} => title: {id: Tanda tangan, en: Signing}, term: {budget: 2 days, expires: {to: issued, ground: deemed_approval}}",
			},
			rule: FindingReview, says: "refused",
		},
		"an approval by silence after a review": {
			changes: []string{
				"title: {id: Tanda tangan, en: Signing}, term: {budget: 2 days, expires: {escalate: [head], ombudsman: true}} => title: {id: Tanda tangan, en: Signing}, term: {budget: 2 days, expires: {to: issued, ground: deemed_approval}}",
			},
			without: FindingReview,
		},
		"an approval by the applicant's silence": {
			changes: []string{
				action("ask"), action("answer"), "transitions: {action: ask, from: [sent], to: asked, roles: [clerk]}", "transitions: {action: answer, from: [asked], to: sent, roles: [citizen]}",
				"states: {id: asked, kind: wait, public: in_process, owner: citizen, title: {id: T, en: A}, term: {budget: 2 days, expires: {to: issued, ground: deemed_approval}}}",
			},
			rule: FindingExpiry, says: `"asked" is their own`,
		},
		"a legal term that approves while the applicant is asked": {
			changes: append(asking("citizen", ""), "terms: {id: legal, title: {id: L, en: L}, budget: 5 days, starts: [ask], expires: {to: issued, ground: deemed_approval}, basis: {id: UU, en: Law}}"),
			rule:    FindingExpiry, says: "suspended_in",
		},
		"a legal term that stands still while the applicant is asked": {
			changes: append(asking("citizen", ""), "terms: {id: legal, title: {id: L, en: L}, budget: 5 days, starts: [ask], suspended_in: [asked], expires: {to: issued, ground: deemed_approval}, basis: {id: UU, en: Law}}"),
			without: FindingExpiry,
		},
		"a legal term that approves while another is asked": {
			changes: append(asking("clerk", ""), "terms: {id: legal, title: {id: L, en: L}, budget: 5 days, starts: [ask], expires: {to: issued, ground: deemed_approval}, basis: {id: UU, en: Law}}"),
			without: FindingExpiry,
		},

		// What is recorded while the request runs is one thing or another.
		"a fact that is recorded, and asked for": {changes: recording("")},
		"a rule about a fact that is recorded": {
			changes: recording("", "invariants: {never: 'state == \"issued\" && !facts.ok', because: {id: A, en: A}}"),
		},
		"a rule about a fact that is recorded, which is broken": {
			changes: recording("", "invariants: {never: 'state == \"opinions\" && !facts.ok', because: {id: A, en: A}}"), rule: FindingInvariant,
		},
		"a fact that can be recorded no more": {
			changes: append(recording(""), "from: [sent, signing], to: sent => from: [sent], to: sent"), rule: FindingStuck, says: `"signing"`,
		},
		"a fact that is never what is asked for": {
			changes: recording(" && !facts.ok"), rule: FindingDead, says: `"sign"`,
		},
		"a fact that a correction leaves as it is": {
			changes: recording("", action("redo"), "reviews: [fire], => reviews: [fire], join: {again: all},", "transitions: {action: redo, from: [sent], to: sent, roles: [citizen], kind: correct}",
				"invariants: {never: 'state == \"sent\" && facts.ok && !history.did(\"visit\")', because: {id: A, en: A}}"),
		},

		// A condition over the past may fail, too.
		"a share of what never was": {
			changes: []string{action("rush"), "transitions: {action: rush, from: [sent], to: refused, roles: [head], reasons: [law], when: 'history.times(\"pass\") / history.times(\"sign\") < 3'}"},
			rule:    FindingCondition, says: "divides by zero",
		},
		"a share of what was": {
			changes: []string{action("rush"), "transitions: {action: rush, from: [signing], to: refused, roles: [head], reasons: [law], when: '3 / history.times(\"pass\") < 3'}"},
			rule:    FindingDead, says: `"rush"`,
		},
		"a share that nobody has at the start": {
			changes: []string{action("rush"), "transitions: {action: rush, from: [sent], to: refused, roles: [head], reasons: [law], when: 'int(facts.n) / history.times(\"sign\") < 3'}"},
			rule:    FindingCondition, says: "divides by zero",
		},
		"a fee that comes out negative":               {changes: []string{"amount: 10 => formula: '(facts.n - 36.0) * 5000.0'"}, rule: FindingCondition, says: `fee "fee"`},
		"a fee that comes out larger than any amount": {changes: []string{"amount: 10 => formula: 'facts.n > 0.0 ? facts.n * 5000.0 : 0.0'"}, rule: FindingCondition, says: `fee "fee" comes to no amount in rupiah for some requests, such as with n 9`},
		"a fee that comes out larger than any amount, within the form": {
			changes: formed("minimum: 0, maximum: 1000000000000000", "facts.n > 36.0", "amount: 10 => formula: 'facts.n * 5000.0'"),
			rule:    FindingCondition, says: `fee "fee" comes to no amount`,
		},
		"a fee that comes out negative, of much": {changes: []string{"amount: 10 => formula: '(100.0 - facts.n) * 50.0', when: 'facts.n > 0.0'"}, rule: FindingCondition, says: `fee "fee"`},
		"a fee that does not, when it is due": {
			changes: []string{"amount: 10 => formula: '(facts.n - 36.0) * 5000.0', when: 'facts.n > 36.0 && facts.n < 1000000.0'"},
		},
		"a fee that does not, within the form": {
			changes: formed("minimum: 36, maximum: 1000000", "facts.n > 36.0", "amount: 10 => formula: '(facts.n - 36.0) * 5000.0'"),
		},

		// What is shown is text.
		"a title that clears the screen":   {changes: []string{`title: {id: Tanda tangan, en: Signing} => title: {id: Tanda tangan, en: "Sign\e[2Jing"}`}, rule: FindingText, says: "U+001B after 4 characters"},
		"a title that is read backwards":   {changes: []string{`title: {id: Tanda tangan, en: Signing} => title: {id: Tanda tangan, en: "Sign\u202Eing"}`}, rule: FindingText, says: "U+202E"},
		"a title of two lines on the page": {changes: []string{`title: {id: Tanda tangan, en: Signing} => title: {id: Tanda tangan, en: "Sign\u2028ing"}`}, rule: FindingText, says: "a line break"},
		"a title of lines in the file":     {changes: []string{`title: {id: Tanda tangan, en: Signing} => title: {id: Tanda tangan, en: "Sign\ting\nit"}`}},

		// What is declared is used.
		"a role that does nothing":        {changes: []string{"roles: {id: idle, title: {id: I, en: I}, capacities: [officer]}"}, rule: FindingUnused, says: `role "idle"`},
		"a reason that nobody gives":      {changes: []string{"reasons: {code: idle, title: {id: I, en: I}}"}, rule: FindingUnused, says: `reason "idle"`},
		"a system that nothing waits for": {changes: []string{"systems: {id: idle, title: {id: I, en: I}, role: clerk, outcomes: [ok]}"}, rule: FindingUnused, says: `system "idle"`},
		"a checklist that nothing needs":  {changes: []string{"checklists: {id: idle, title: {id: L, en: L}, by: [clerk], items: [{id: i, title: {id: I, en: I}}]}"}, rule: FindingUnused, says: `checklist "idle"`},
		"time that is refused":            {changes: []string{"tests: {name: x, when: [{pass: 1 day, refused: term}], then: {state: sent}}"}, rule: FindingUnused, says: "refused, which does not belong to pass"},
		"a document with a reason":        {changes: []string{"tests: {name: x, when: [{attach: deed, reason: law}], then: {state: sent}}"}, rule: FindingUnused, says: "reason, which does not belong to attach"},
		"an action with a reason":         {changes: []string{"tests: {name: x, when: [{act: sign, reason: law, remark: why, by: head, person: p, as: officer, refused: not_from_here}], then: {state: sent}}"}},

		// Whoever asks does not decide for themselves.
		"an applicant who gives the opinion":  {changes: []string{"en: Fire}, role: head => en: Fire}, role: citizen"}, rule: FindingCapacity, says: `review "fire"`},
		"an applicant who records payments":   {changes: []string{"payers: [clerk] => payers: [citizen]"}, rule: FindingCapacity, says: "payers"},
		"a desk that records payments":        {changes: []string{"payers: [clerk] => payers: [desk]"}},
		"an applicant who ticks the list":     {changes: ticked("citizen"), rule: FindingCapacity, says: `checklist "list"`},
		"a clerk who ticks the list":          {changes: ticked("clerk")},
		"an applicant who refuses a document": {changes: []string{"by: [citizen]} => by: [citizen], refused_by: [citizen], reasons: [law]}"}, rule: FindingCapacity, says: `document "deed"`},
		"an applicant who gives work out": {
			changes: []string{"title: {id: Tanda tangan, en: Signing}, => title: {id: Tanda tangan, en: Signing}, allocate: {rule: order, assigner: [citizen]},"},
			rule:    FindingCapacity, says: `"signing"`,
		},
		"an applicant who answers for a system": {
			changes: append(asking("clerk", "waits_for: data, "), "systems: {id: data, title: {id: D, en: D}, role: citizen, outcomes: [ok]}",
				action("found"), "transitions: {action: found, from: [asked], to: sent, automatic: true, needs: {answer: ok}}"),
			rule: FindingCapacity, says: `system "data"`,
		},

		"a state that only the silence of a review leads to": {
			changes: []string{
				silent("to: late, ground: deemed_refusal"),
				"states: {id: late, kind: end, outcome: rejected, public: rejected, title: {id: L, en: L}}",
			},
			without: FindingDead,
		},
		"a state that only the silence of a review leads to, which never is": {
			changes: []string{
				silent("to: late, ground: deemed_refusal"), "reviews: {id: water, title: {id: W, en: W}, role: head, reasons: [law], when: 'facts.n > 1.0 && facts.n < 0.0', term: {budget: 2 days, expires: {to: late, ground: deemed_refusal}}}",
				"reviews: [fire] => reviews: [fire, water]", action("reopen"),
				"states: {id: late, kind: end, outcome: rejected, public: rejected, title: {id: L, en: L}}",
				"transitions: {action: reopen, from: [late], to: sent, roles: [clerk], kind: reopen, when: 'history.review(\"water\") == \"open\"'}",
			},
			rule: FindingDead, says: `"reopen"`,
		},
		"an override back, and then past the reviews without one": {
			changes: []string{
				action("order"), action("skip"), "transitions: {action: order, from: [opinions], to: sent, roles: [head], kind: override}",
				"transitions: {action: skip, from: [opinions], to: signing, roles: [clerk], when: 'history.did(\"order\")'}",
			},
			rule: FindingReview, says: `"opinions"`,
		},
		"a reopened end that an override led to": {
			changes: []string{
				action("order"), action("reopen"), "transitions: {action: order, from: [sent], to: issued, roles: [head], kind: override}",
				"transitions: {action: reopen, from: [issued], to: signing, roles: [clerk], kind: reopen}",
			},
			rule: FindingReview, says: `"opinions"`,
		},

		// Work that is given out can be given on.
		"work that nobody gives on": {
			changes: []string{"title: {id: Tanda tangan, en: Signing}, => title: {id: Tanda tangan, en: Signing}, allocate: {rule: order},"},
			rule:    FindingAllocation, says: `"signing"`,
		},
		"work that is given on": {
			changes: []string{"title: {id: Tanda tangan, en: Signing}, => title: {id: Tanda tangan, en: Signing}, allocate: {rule: order, assigner: [head]},"},
		},

		// A legal term covers what comes after its start.
		"a legal term before which nothing runs": {
			changes: []string{
				"title: {id: Masuk, en: Sent}, term: {budget: 2 days, expires: {escalate: [head]}} => title: {id: Masuk, en: Sent}",
				"terms: {id: legal, title: {id: L, en: L}, budget: 5 days, starts: [pass], expires: {escalate: [head]}, basis: {id: UU, en: Law}}",
			},
			rule: FindingTerm, says: `"sent"`,
		},
		"a legal term after its start": {
			changes: []string{
				"title: {id: Tanda tangan, en: Signing}, term: {budget: 2 days, expires: {escalate: [head], ombudsman: true}} => title: {id: Tanda tangan, en: Signing}",
				"terms: {id: legal, title: {id: L, en: L}, budget: 5 days, starts: [pass], expires: {escalate: [head], ombudsman: true}, basis: {id: UU, en: Law}}",
			},
		},
		"a legal term on one of two ways": {
			changes: []string{
				"title: {id: Tanda tangan, en: Signing}, term: {budget: 2 days, expires: {escalate: [head], ombudsman: true}} => title: {id: Tanda tangan, en: Signing}",
				"terms: {id: legal, title: {id: L, en: L}, budget: 5 days, starts: [pass], expires: {escalate: [head]}, basis: {id: UU, en: Law}}",
				action("order"), "transitions: {action: order, from: [sent], to: signing, roles: [head], kind: override}",
			},
			rule: FindingTerm, says: `"signing"`,
		},
		"a legal term that starts anew and was not started at first": {
			changes: []string{
				"title: {id: Masuk, en: Sent}, term: {budget: 2 days, expires: {escalate: [head]}} => title: {id: Masuk, en: Sent}",
				"terms: {id: legal, title: {id: L, en: L}, budget: 5 days, starts: [pass], expires: {escalate: [head]}, basis: {id: UU, en: Law}}",
				action("redo"), "transitions: {action: redo, from: [signing], to: sent, roles: [head]}",
			},
			rule: FindingTerm, says: `"sent"`,
		},
		"a legal term that expires, behind a state's own that does not": {
			changes: []string{
				"title: {id: Masuk, en: Sent}, term: {budget: 2 days, expires: {escalate: [head]}} => title: {id: Masuk, en: Sent}, term: {budget: 2 days}",
				"terms: {id: legal, title: {id: L, en: L}, budget: 5 days, starts: [pass], expires: {escalate: [head]}, basis: {id: UU, en: Law}}",
			},
			rule: FindingExpiry, says: `"sent"`,
		},

		// A review was given on what was asked for then.
		"a correction behind the reviews": {
			changes: []string{action("redo"), "transitions: {action: redo, from: [signing], to: signing, roles: [citizen], kind: correct}"},
			rule:    FindingReview, says: "again",
		},
		"a correction before the reviews": {
			changes: []string{action("redo"), "transitions: {action: redo, from: [sent], to: sent, roles: [citizen], kind: correct}"},
		},
		"a correction, and the reviews of before": {
			changes: []string{action("redo"), back}, rule: FindingReview, says: "again",
		},
		"a correction, and the reviews anew": {
			changes: []string{action("redo"), back, "reviews: [fire], => reviews: [fire], join: {again: all},"},
		},
		"a correction, and the reviews of before on purpose": {
			changes: []string{action("redo"), back, "reviews: [fire], => reviews: [fire], join: {again: refused},"},
		},

		// What is asked for only on some ways is said to be.
		"a panel on one way, which all approvals are said to need": {
			changes: appeal(""), rule: FindingReview, says: `"panel"`,
		},
		"a panel on one way": {changes: appeal("only_after: [object], ")},
		"a panel on one way, which somebody may go past": {
			changes: append(appeal("only_after: [object], "), action("skip"), "transitions: {action: skip, from: [panel], to: signing, roles: [clerk]}"),
			rule:    FindingReview, says: `"panel"`,
		},
		"a panel that is gone round": {
			changes: append(appeal("only_after: [object], "), "transitions: {action: object, from: [signing], to: signing, roles: [citizen]}"),
			rule:    FindingReview, says: `"panel"`,
		},
		"a panel that is come to otherwise and gone past": {
			changes: append(appeal("only_after: [object], "), action("send"), action("skip"), "transitions: {action: send, from: [signing], to: panel, roles: [clerk]}",
				"transitions: {action: skip, from: [panel], to: signing, roles: [clerk], when: '!history.did(\"object\")'}"),
			rule: FindingReview, says: `"panel"`,
		},
		"a fee on one way, which all approvals are said to need": {
			changes: survey("", "needs: {fees: [trip]}"), rule: FindingUnpaid, says: `"trip"`,
		},
		"a fee on one way": {changes: survey("only_after: [survey], ", "needs: {fees: [trip]}")},
		"a fee on one way that nobody asks for": {
			changes: survey("only_after: [survey], ", "not_by: [pass]"), rule: FindingUnpaid, says: `"trip"`,
		},

		// What a form does not let be filled in is no fact.
		"a number that is too small": {changes: formed("minimum: 5", "facts.n < 5.0"), rule: FindingDead},
		"a number at the bound":      {changes: formed("minimum: 5", "facts.n <= 5.0")},
		"a number that is too large": {changes: formed("maximum: 5", "facts.n > 5.0"), rule: FindingDead},
		"a number below the bound":   {changes: formed("maximum: 5", "facts.n < 5.0")},
		"a bound that is not reached": {
			changes: formed("exclusiveMaximum: 5", "facts.n >= 5.0"), rule: FindingDead,
		},
		"a number between whole ones": {
			changes: formed("minimum: 0", "facts.n > 5.0 && facts.n < 6.0", "type: number => type: integer"), rule: FindingDead,
		},
		"a default on the list":                 {changes: formed("enum: [3, 4.5], default: 3", "facts.n == 4.5")},
		"a default not on the list":             {changes: formed("enum: [3, 4.5], default: 4", "facts.n == 4.5"), rule: FindingForm, says: `field "n"`},
		"a default that is too small":           {changes: formed("minimum: 5, default: 1", "facts.n > 5.0"), rule: FindingForm, says: `field "n"`},
		"a default not on the list, further in": {changes: []string{"facts: => form: {type: object, properties: {of: {type: object, properties: {kind: {enum: [a, b], default: c}}}}}\nfacts:"}, rule: FindingForm, says: `field "of.kind"`},

		// A second return is refused: of a state that has only that way on, there is none.
		"a state that only a second return leads on from": {
			changes: returning("", ""), rule: FindingStuck, says: `"odd"`,
		},
		"one from which somebody may consent to another": {changes: returning("", ", consent: [head]")},
		"one that a request comes to without a return":   {changes: returning("desk: ", "")},

		// A review that runs out may move a request too.
		"a review that grants when it runs out": {
			changes: []string{"role: head, reasons: [law], term: {budget: 2 days, expires: {escalate: [head], ombudsman: true}} => role: head, reasons: [law], term: {budget: 2 days, expires: {to: issued, ground: lapse}}"},
			rule:    FindingReview,
		},

		"the only whole number":    {changes: formed("minimum: 0", "facts.n > 5.0 && facts.n < 7.0", "type: number => type: integer")},
		"a number on the list":     {changes: formed("enum: [3, 4.5]", "facts.n == 4.5")},
		"a number not on the list": {changes: formed("enum: [3, 4.5]", "facts.n == 4.0"), rule: FindingDead},
		"what stands where nothing is filled in": {
			changes: formed("minimum: 5", "facts.n < 5.0", "required: true, from: form.n => from: form.n, default: 1"),
		},
		"yes or no on the list":       {changes: chosenOf("boolean", "enum: [true, false]", "facts.c")},
		"yes where only yes is taken": {changes: chosenOf("boolean", "const: true", "facts.c")},
		"no where only yes is taken":  {changes: append(chosenOf("boolean", "const: true", "!facts.c"), "default: false} # c => required: true}"), rule: FindingDead},
		"a time on the list":          {changes: chosenOf("time", `enum: ["2026-01-01T07:00:00+07:00"]`, `facts.c == "2026-01-01T00:00:00Z"`)},
		"a time not on the list":      {changes: chosenOf("time", `enum: ["2026-01-01T07:00:00+07:00"]`, `facts.c == "2027-01-01T00:00:00Z"`), rule: FindingDead},
		"a computed number":           {changes: formed("minimum: 5", "facts.n < 5.0", "from: form.n => from: form.n - 1.0")},
		"a condition that fails outside the form": {
			changes: formed("minimum: 1", "6 / int(facts.n) == 2"),
		},
		"a condition that fails within the form": {
			changes: formed("minimum: 0", "6 / int(facts.n) == 2"), rule: FindingCondition,
		},

		// A time stands as it is recorded, in UTC.
		"a time elsewhere": {
			changes: []string{action("rush"), "transitions: {action: rush, from: [sent], to: refused, roles: [head], reasons: [law], when: 'facts.at == \"2026-01-01T07:00:00+07:00\"'}"},
			rule:    FindingDead, says: `"rush"`,
		},
		"before a time elsewhere": {
			changes: []string{action("rush"), "transitions: {action: rush, from: [sent], to: refused, roles: [head], reasons: [law], when: 'facts.at < \"2026-01-01T07:00:00+07:00\"'}"},
			rule:    FindingCondition, says: "write timestamp(...) on both sides",
		},
		"before a time as it is recorded": {
			changes: []string{action("rush"), "transitions: {action: rush, from: [sent], to: refused, roles: [head], reasons: [law], when: 'facts.at < \"2026-01-01T00:00:00Z\"'}"},
		},
		"before a time elsewhere, in time": {
			changes: []string{action("rush"), "transitions: {action: rush, from: [sent], to: refused, roles: [head], reasons: [law], when: 'timestamp(facts.at) < timestamp(\"2026-01-01T07:00:00+07:00\")'}"},
		},
		"times of a form as they were written": {changes: lasting("form.begins > form.ends"), rule: FindingCondition, says: "each with an offset of its own"},
		"times of a form":                      {changes: lasting("timestamp(form.begins) > timestamp(form.ends)")},
		"days of a form":                       {changes: append(lasting("form.begins > form.ends"), "format: date-time => format: date", "format: date-time => format: date")},
		"a time as it is recorded": {
			changes: []string{action("rush"), "transitions: {action: rush, from: [sent], to: refused, roles: [head], reasons: [law], when: 'facts.at == \"2026-01-01T00:00:00Z\"'}"},
		},
		"a time and a while later": {
			changes: []string{action("rush"), "transitions: {action: rush, from: [sent], to: refused, roles: [head], reasons: [law], when: 'timestamp(facts.at) + duration(\"24h\") == timestamp(\"2026-01-01T07:00:00+07:00\")'}"},
		},
		"a time and itself": {
			changes: []string{action("rush"), "transitions: {action: rush, from: [sent], to: refused, roles: [head], reasons: [law], when: 'timestamp(facts.at) + duration(\"24h\") == timestamp(facts.at)'}"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := findingsOf(t, changed(t, c.changes...))
			if c.rule == "" {
				if c.without != "" {
					got = slices.DeleteFunc(got, func(f Finding) bool { return f.Rule != c.without })
				}
				if len(got) > 0 {
					t.Errorf("found %v", got)
				}
				return
			}
			if !slices.ContainsFunc(got, func(f Finding) bool { return f.Rule == c.rule && strings.Contains(f.Message, c.says) }) {
				t.Errorf("no finding %s of %s, but %v", c.rule, c.says, got)
			}
		})
	}
}

// A story says what happens, as often as it must, and what it supposes where that
// cannot be told.
func TestAStoryIsTrue(t *testing.T) {
	rush := func(when string) []string {
		return []string{
			action("note"), action("rush"), "transitions: {action: note, from: [sent], to: sent, roles: [clerk]}",
			"transitions: {action: rush, from: [sent], to: issued, roles: [head], when: '" + when + "'}",
		}
	}
	for name, c := range map[string]struct {
		changes  []string
		notes    int // in the story
		supposed string
	}{
		"often":                   {changes: rush(`history.times("note") >= 20`), notes: 20},
		"at the bound":            {changes: rush(`history.times("note") == 99`), notes: 99},
		"one oftener than other":  {changes: rush(`history.times("note") > history.times("pass") + 2`), notes: 3},
		"together":                {changes: rush(`history.times("note") + history.times("pass") >= 4`), notes: 4},
		"oftener than is counted": {changes: rush(`history.times("note") >= 500`), notes: 101, supposed: `supposing that "history.times(\"note\") >= 500" holds`},
		"by what facts come to":   {changes: rush(`facts.n * 2.0 > 15.0`), supposed: `supposing that "facts.n * 2.0 > 15.0" holds`},
		"by facts and counts":     {changes: rush(`facts.n * 2.0 > double(history.times("note"))`), supposed: `holds`},
	} {
		t.Run(name, func(t *testing.T) {
			got := findingsOf(t, changed(t, c.changes...))
			i := slices.IndexFunc(got, func(f Finding) bool { return f.Rule == FindingReview })
			if i < 0 {
				t.Fatalf("no finding, but %v", got)
			}
			story := strings.Join(got[i].Story, "\n")
			if n := strings.Count(story, `takes "note"`); n != c.notes {
				t.Errorf("%d notes, want %d:\n%s", n, c.notes, story)
			}
			if !strings.Contains(story, c.supposed) || c.supposed == "" && strings.Contains(story, "supposing") {
				t.Errorf("it does not say what it supposes (%q):\n%s", c.supposed, story)
			}
		})
	}
}

// Who is given up on is told by which bound, and what would help.
func TestWhatIsTooMuchIsNamed(t *testing.T) {
	reviews, counts, facts := []string{}, []string{}, []string{}
	for i := range 32 {
		reviews = append(reviews, fmt.Sprintf("reviews: {id: r%d, title: {id: R, en: R}, role: head, reasons: [law], term: {budget: 2 days, expires: {escalate: [head], ombudsman: true}}}", i))
	}
	for i := range 10 {
		id := fmt.Sprint("note", i)
		counts = append(counts, action(id), fmt.Sprintf("transitions: {action: %s, from: [sent], to: sent, roles: [clerk], when: 'history.times(%q) < 90'}", id, id))
	}
	for i := range 13 {
		facts = append(facts, fmt.Sprintf("facts: {id: f%d, type: boolean, title: {id: F, en: F}, default: false}", i), action(fmt.Sprint("go", i)),
			fmt.Sprintf("transitions: {action: go%d, from: [sent], to: sent, roles: [clerk], when: facts.f%d}", i, i))
	}
	for says, changes := range map[string][]string{
		"more than 32 reviews, which a proof cannot hold: make two services of it":                                                       reviews,
		"more than 64 bits of counts of actions in conditions, which a proof cannot hold: ask history.did":                               counts,
		"more than 4096 combinations of facts that conditions tell apart, which a proof cannot hold: compare facts with fewer constants": facts,
	} {
		got := findingsOf(t, changed(t, changes...))
		if !slices.ContainsFunc(got, func(f Finding) bool { return f.Rule == FindingGaveUp && strings.Contains(f.Message, says) }) {
			t.Errorf("it is not said that there are %s, but %v", says, got)
		}
	}
}
