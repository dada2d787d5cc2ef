package workflows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// desk is a definition whose work is given out, with tests to be added.
const desk = `alur: 1
id: stall
title: {id: Izin, en: Permit}
agency: {id: Dinas Perdagangan, en: Trade Office}
office: dinas
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
  - {id: head, title: {id: Kepala, en: Head}, capacities: [officer]}
  - {id: bank, title: {id: Bank, en: Bank}, capacities: [system]}
submit: [applicant]
payers: [bank]
reasons:
  - {code: bad, title: {id: Buruk, en: Bad}}
documents:
  - {id: map, title: {id: Peta, en: Map}, formats: [pdf], max_size: 1 MB, by: [applicant], refused_by: [clerk], refused_in: [looking], reasons: [bad]}
checklists:
  - {id: site, title: {id: Lokasi, en: Site}, by: [clerk], items: [{id: clean, title: {id: Bersih, en: Clean}}, {id: safe, title: {id: Aman, en: Safe}}]}
fees:
  - {id: stall, title: {id: Lapak, en: Stall}, amount: 100, due_in: [paying], basis: {id: Perda, en: By-law}}
  - {id: waste, title: {id: Sampah, en: Waste}, amount: 30, due_in: [paying], basis: {id: Perda, en: By-law}, account: {id: Dinas Lingkungan Hidup, en: Environment Office}}
  - {id: sign, title: {id: Papan, en: Sign}, amount: 7, due_in: [paying], basis: {id: Perda, en: By-law}}
states:
  - {id: looking, kind: start, public: verification, owner: clerk, title: {id: A, en: A}, allocate: {rule: RULE, assigner: [head]}}
  - {id: deciding, kind: work, public: in_process, owner: clerk, title: {id: B, en: B}, allocate: {rule: RULE, assigner: [head]}}
  - {id: back, kind: wait, public: needs_correction, owner: applicant, title: {id: C, en: C}}
  - {id: paying, kind: wait, public: waiting_payment, owner: applicant, title: {id: D, en: D}}
  - {id: half, kind: end, outcome: closed, public: completed, title: {id: E, en: E}}
  - {id: issued, kind: end, outcome: approved, public: approved, title: {id: F, en: F}}
actions:
  - {id: verify, title: {id: Verifikasi, en: Verify}}
  - {id: return, title: {id: Kembalikan, en: Return}}
  - {id: again, title: {id: Lagi, en: Again}}
  - {id: approve, title: {id: Setujui, en: Approve}}
  - {id: paid, title: {id: Lunas, en: Paid}}
transitions:
  - {action: verify, from: [looking], to: deciding, roles: [clerk], needs: {checklists: [site]}}
  - {action: return, from: [looking, deciding], to: back, roles: [clerk, head], reasons: [bad], clears: [site]}
  - {action: again, from: [back], to: looking, roles: [applicant]}
  - {action: approve, from: [deciding], to: paying, roles: [clerk], not_by: [verify]}
  - {action: paid, from: [paying], to: issued, automatic: true, needs: {fees: [stall, waste]}}
  - {action: paid, from: [paying], to: half, automatic: true, needs: {fees: [waste]}}
tests:
`

func playDesk(t *testing.T, rule, tests string) {
	t.Helper()
	source := []byte(strings.ReplaceAll(desk, "RULE", rule) + tests)
	d, err := workflows.Read("desk.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	if run := workflows.RunTests("desk.yaml", source, d); run.Failed > 0 || run.Passed == 0 {
		t.Errorf("%d passed\n%v", run.Passed, run.Problems)
	}
}

func TestWorkIsGivenOut(t *testing.T) {
	const tests = `
  - name: to the least loaded
    when:
      - {pick: looking, refused: task}
      - {check: site, person: b, refused: task}
      - {act: verify, person: b, refused: task}
      - {allocate: looking, candidates: {a: 2, b: 1, c: 4}}
      - {check: site, person: b}
      - {act: verify, person: a, refused: task}
      - {act: return, by: head, person: a, reason: bad, refused: task}
      - {allocate: looking, by: head, candidates: {a: 0}, refused: task}
      - {act: verify, person: b}
    then: {state: deciding, outcome: open}
  - name: whoever verified is left out
    when:
      - {allocate: looking, candidates: {a: 2, b: 1}}
      - {check: site, person: b}
      - {act: verify, person: b}
      - {allocate: deciding, candidates: {b: 0}, refused: four_eyes}
      - {allocate: deciding, by: head, candidates: {a: 9, b: 0}}
      - {act: approve, person: b, refused: task}
      - {act: approve, person: a}
    then: {state: paying}
  - name: a head is not bound by the work of a clerk
    when:
      - {allocate: looking, candidates: {a: 2}}
      - {act: return, by: head, person: h, reason: bad}
    then: {state: back}
  - name: whom it goes to can be told
    when:
      - {allocate: looking, candidates: {a: 2, b: 1}}
    then: {state: looking, worker: b}
`
	playDesk(t, "least_loaded", tests)
	playDesk(t, "lottery", `
  - name: by lot
    when:
      - {pick: looking, refused: task}
      - {allocate: looking, by: clerk, candidates: {a: 0}, refused: role}
      - {allocate: looking, candidates: {a: 0, b: 9}, seed: "0000000000000000000000000000000000000000000000000000000000000000"}
    then: {worker: b}
  - name: by another lot
    when:
      - {allocate: looking, candidates: {a: 0, b: 9}, seed: "0202020202020202020202020202020202020202020202020202020202020202"}
    then: {worker: a}
  - name: a seed is 32 bytes
    when:
      - {allocate: looking, candidates: {a: 0}, seed: abc, refused: task}
    then: {state: looking}
`)
	playDesk(t, "order", `
  - name: whoever picks
    when:
      - {allocate: looking, candidates: {a: 0}, refused: task}
      - {pick: looking, person: a}
    then: {worker: a}
`)
}

func TestAChecklistIsAnsweredAnewAfterAReturn(t *testing.T) {
	playDesk(t, "order", `
  - name: cleared
    when:
      - {pick: looking}
      - {check: site}
      - {act: return, reason: bad}
      - {act: again}
      - {pick: looking}
      - {act: verify, refused: checklist}
      - {check: site/clean}
      - {act: verify, refused: checklist}
      - {check: site/safe}
      - {act: verify}
    then: {state: deciding}
`)
}

func TestADocumentIsRefusedWhereItIsLookedAt(t *testing.T) {
	playDesk(t, "order", `
  - name: too late
    when:
      - {attach: map}
      - {pick: looking}
      - {refuse_document: map, reason: bad}
      - {attach: map}
      - {check: site}
      - {act: verify}
      - {refuse_document: map, reason: bad, refused: not_from_here}
    then: {state: deciding}
`)
}

// Paid together, fees come to what no payment of one and then another comes to: the
// request would have moved on in between.
func TestOnePaymentSettlesSeveralFees(t *testing.T) {
	const before = `
      - {pick: looking, person: a}
      - {check: site, person: a}
      - {act: verify, person: a}
      - {pick: deciding, person: b}
      - {act: approve, person: b}
`
	playDesk(t, "order", `
  - name: together
    when:`+before+`
      - {pay: waste, amount: 31, refused: fee}
      - {settle: [waste, stall]}
      - {settle: [sign, stall], refused: not_from_here}
    then: {state: issued, fees: {waste: 30, stall: 100, sign: 7}}
  - name: all of it or nothing
    when:`+before+`
      - {pay: stall}
      - {settle: [sign, stall], refused: fee}
      - {pay: sign}
      - {pay: waste}
    then: {state: issued}
  - name: one before the other
    when:`+before+`
      - {pay: waste}
    then: {state: half}
`)
}

// Not only the actions of a stage are its work: what else the role that owns it does
// there is done by whoever has it.
func TestTheWorkOfAStageIsDoneByWhoHasIt(t *testing.T) {
	playDesk(t, "order", `
  - name: by nobody before it is taken
    when:
      - {attach: map}
      - {check: site, refused: task}
      - {refuse_document: map, reason: bad, refused: task}
      - {pick: looking, person: a}
      - {check: site, person: b, refused: task}
      - {refuse_document: map, reason: bad, person: b, refused: task}
      - {check: site, by: head, person: a, refused: role}
      - {refuse_document: map, reason: bad, person: a}
      - {attach: map}
      - {check: site, person: a}
      - {act: verify, person: a}
    then: {state: deciding}
`)
	source := strings.Replace(strings.ReplaceAll(desk, "RULE", "lottery"), "by: [clerk], items", "by: [clerk, head], items", 1) + `
  - name: nobody gets past them in another role
    when:
      - {allocate: looking, candidates: {a: 0, b: 0}}
      - {check: site, by: head, person: a, refused: task}
      - {check: site, by: head, person: h}
    then: {worker: b}
`
	d, err := workflows.Read("desk.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	if run := workflows.RunTests("desk.yaml", []byte(source), d); run.Failed > 0 {
		t.Error(run.Problems)
	}
}

// A review is work of the role that gives it, where that role owns the state. What four
// eyes keep from whoever has the work, a colleague does.
func TestAReviewIsGivenByWhoHasTheWork(t *testing.T) {
	const gather = "owner: fire, reviews: [fire], title"
	for name, c := range map[string]struct{ change, tests string }{
		"one": {"owner: fire, reviews: [fire], allocate: {rule: lottery, assigner: [boss]}, title", `
  - name: the one who was drawn
    when:
      - {attach: sketch}
      - {act: accept}
      - {review: fire, opinion: approved, refused: task}
      - {allocate: looking, candidates: {ani: 0}}
      - {review: fire, opinion: approved, person: budi, refused: task}
      - {review: fire, opinion: approved, person: ani}
    then: {state: paying}
`},
		"two of one role": {"owner: fire, reviews: [fire, smoke], allocate: {rule: order, assigner: [boss]}, title", `
  - name: a colleague gives the other
    when:
      - {attach: sketch}
      - {act: accept}
      - {pick: looking, person: ani}
      - {review: smoke, opinion: approved, person: budi, refused: task}
      - {review: fire, opinion: approved, person: ani}
      - {review: smoke, opinion: approved, person: ani, refused: four_eyes}
      - {review: smoke, opinion: approved, person: budi}
    then: {state: paying}
`},
		"drawn are those who may": {"owner: fire, reviews: [fire], allocate: {rule: lottery, assigner: [boss]}, title", `
  - name: who accepted gives no review
    when:
      - {attach: sketch}
      - {act: accept, person: ani}
      - {allocate: looking, candidates: {ani: 0}, refused: four_eyes}
      - {allocate: looking, candidates: {ani: 0, budi: 9}}
      - {review: fire, opinion: approved, person: budi}
    then: {state: paying}
`},
		"of another role": {"owner: clerk, reviews: [fire], allocate: {rule: order, assigner: [boss]}, title", `
  - name: the clerk's work is not the fire office's
    when:
      - {attach: sketch}
      - {act: accept}
      - {review: fire, opinion: approved}
    then: {state: paying}
`},
	} {
		source := []byte(signedWith(t, gather, c.change, "role: fire, reasons", "role: fire, not_by: [accept], reasons", "reviews:\n", "reviews:\n  - {id: smoke, title: {id: Asap, en: Smoke}, role: fire, reasons: [bad]}\n") + "tests:" + c.tests)
		d, err := workflows.Read("w.yaml", source)
		if err != nil {
			t.Fatal(err)
		}
		if run := workflows.RunTests("w.yaml", source, d); run.Failed > 0 || run.Passed != 1 {
			t.Error(name, run.Problems)
		}
	}
}

func TestWhoIsDrawnFromDoesNotAssign(t *testing.T) {
	for assigner, want := range map[string]int{"clerk": 2, "head": 0} {
		for _, rule := range []string{"order", "least_loaded", "lottery"} {
			source := strings.ReplaceAll(strings.ReplaceAll(desk, "RULE", rule), "assigner: [head]", "assigner: ["+assigner+"]")
			_, findings, err := workflows.Check("desk.yaml", []byte(strings.TrimSuffix(source, "tests:\n")))
			if err != nil {
				t.Fatal(err)
			}
			found := 0
			for _, f := range findings {
				if f.Rule == workflows.FindingChosen {
					found++
				}
			}
			if rule != "order" && found != want || rule == "order" && found != 0 {
				t.Errorf("%s, assigned by %s: %d findings", rule, assigner, found)
			}
		}
	}
}

// The work of an imported case is given out while its record leaves it open; that of one
// that ended when something is done with it here.
func TestWorkOfAnImportedCaseThatEndedIsNotGivenOut(t *testing.T) {
	for name, record := range map[string]domain.Imported{"open": {Case: "c", Due: now.Add(-time.Hour)}, "ended": {Case: "c", Ended: now.Add(-time.Hour)}} {
		b := newBench(t)
		b.publish(t, []byte(strings.TrimSuffix(strings.ReplaceAll(desk, "RULE", "order"), "tests:\n")))
		h := newHeader(t, "applicant")
		h.Occurred = now.Add(-24 * time.Hour)
		a, err := b.engine.Submit(t.Context(), domain.Submit{Header: h, Tenant: "11.71", Service: "stall", Imported: &record})
		if err != nil {
			t.Fatal(err)
		}
		if given := a.Request.Dossier.Ready > 0; given != (name == "open") {
			t.Errorf("%s: given out: %t", name, given)
		}
		later := workflows.NewEngine(b.log, b.library, workflows.EngineConfig{Now: func() time.Time { return now.Add(time.Hour) }, Random: func() uint64 { return 1 }})
		for _, x := range []struct {
			role   domain.RoleID
			action domain.ActionID
			reason domain.ReasonCode
		}{{"head", "return", "bad"}, {"applicant", "again", ""}} {
			if a, err = later.Act(t.Context(), a.Request.ID, domain.Act{Header: newHeader(t, x.role), Action: x.action, Reason: x.reason}); err != nil {
				t.Fatal(err)
			}
		}
		if a.Request.Dossier.Ready == 0 {
			t.Errorf("%s: sent back and handed in again here, and not given out", name)
		}
	}
}
