package workflows_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/alur-id/alur/workflows"
)

// What was paid counts towards what is due after a correction; the rest is owed.
func TestACorrectionAfterPaymentOwesTheDifference(t *testing.T) {
	source := []byte(`alur: 1
id: stall
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
facts:
  - {id: area, type: number, title: {id: Luas, en: Area}, required: true}
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
  - {id: bank, title: {id: Bank, en: Bank}, capacities: [system]}
submit: [applicant]
payers: [bank]
fees:
  - id: fee
    title: {id: Retribusi, en: Fee}
    formula: facts.area * 10.0
    due_in: [paying]
    basis: {id: Perda, en: By-law}
states:
  - {id: paying, kind: start, public: waiting_payment, owner: applicant, title: {id: Bayar, en: Pay}}
  - {id: checking, kind: work, public: in_process, owner: clerk, title: {id: Periksa, en: Check}}
  - {id: issued, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Issued}}
actions:
  - {id: settled, title: {id: Lunas, en: Settled}}
  - {id: correct, title: {id: Perbaiki, en: Correct}}
  - {id: issue, title: {id: Terbitkan, en: Issue}}
transitions:
  - {action: settled, from: [paying], to: checking, automatic: true, needs: {fees: [fee]}}
  - {action: correct, kind: correct, from: [checking], to: paying, roles: [applicant]}
  - {action: issue, from: [checking], to: issued, roles: [clerk], needs: {fees: [fee]}}
tests:
  - name: larger than it was paid for
    given: {facts: {area: 5}}
    when:
      - {pay: fee, amount: 50}
      - {act: correct, facts: {area: 8}}
      - {act: issue, refused: not_from_here}
      - {pay: fee, amount: 80, refused: fee}
      - {pay: fee, amount: 30}
      - {act: issue}
    then: {state: issued, fees: {fee: 80}}
  - name: smaller than it was paid for
    given: {facts: {area: 5}}
    when:
      - {pay: fee, amount: 50}
      - {act: correct, facts: {area: 2}}
    then: {state: checking, fees: {fee: 20}}
`)
	d, err := workflows.Read("stall.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	if run := workflows.RunTests("stall.yaml", source, d); run.Failed > 0 || run.Passed != 2 {
		t.Errorf("%d passed\n%v", run.Passed, run.Problems)
	}
}

// A payment that settles two fees comes to where no payment of one and then the other
// does, for then the request has moved on in between.
func TestTheProofsKnowOfPaymentsForSeveralFees(t *testing.T) {
	source := `alur: 1
id: stall
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: bank, title: {id: Bank, en: Bank}, capacities: [system]}
submit: [applicant]
payers: [bank]
fees:
  - {id: stall, title: {id: Lapak, en: Stall}, amount: 100, due_in: [paying], basis: {id: Perda, en: By-law}}
  - {id: waste, title: {id: Sampah, en: Waste}, amount: 30, due_in: [paying], basis: {id: Perda, en: By-law}}
states:
  - {id: paying, kind: start, public: waiting_payment, owner: applicant, title: {id: Bayar, en: Pay}}
  - {id: half, kind: end, outcome: closed, public: completed, title: {id: Sebagian, en: In part}}
  - {id: issued, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Issued}}
actions:
  - {id: settled, title: {id: Lunas, en: Settled}}
transitions:
  - {action: settled, from: [paying], to: issued, automatic: true, needs: {fees: [stall, waste]}}
  - {action: settled, from: [paying], to: half, automatic: true, when: history.paid("stall") || history.paid("waste")}
invariants:
  - {never: outcome == "approved", because: {id: tidak, en: 'it never is'}}
`
	_, findings, err := workflows.Check("stall.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	told := false
	for _, f := range findings {
		if f.Rule == workflows.FindingDead || f.Rule == workflows.FindingStuck {
			t.Errorf("%s", f.Message)
		}
		told = told || strings.Contains(fmt.Sprint(f), `Fees "Stall", "Waste" are paid together.`)
	}
	if !told {
		t.Errorf("the way to an approval is not told:\n%v", findings)
	}
}
