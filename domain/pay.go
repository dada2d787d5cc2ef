package domain

import (
	"fmt"
	"slices"
	"strings"
)

const maxReceipt = 100 // bytes

// pay is one event for each fee that a payment settles, all under its receipt.
func pay(r Request, c Pay, w Workflow) ([]Body, error) {
	if err := r.open(c.Expected, nil, "a payment"); err != nil {
		return nil, err
	}
	if len(w.Payers()) == 0 {
		return nil, refuse(RuleFee, "this service takes no payments: nothing is ever owed for it", "give the money back, or look whether it was paid for another request")
	}
	if err := mayAct(c.Actor, w.Payers(), w, "record a payment"); err != nil {
		return nil, err
	}
	var bodies []Body
	seen := map[FeeID]bool{}
	for _, p := range c.payments() {
		if seen[p.Fee] {
			return nil, refuse(RuleFee, fmt.Sprintf("fee %q is named twice", p.Fee), "name each fee once, with the whole of what is owed of it")
		}
		seen[p.Fee] = true
		if err := r.Dossier.settles(p); err != nil {
			return nil, err
		}
		bodies = append(bodies, FeePaid{Fee: p.Fee, Amount: p.Amount, Receipt: c.Receipt})
	}
	if strings.TrimSpace(c.Receipt) == "" || len(c.Receipt) > maxReceipt || looksPersonal(c.Receipt) || CheckClear("the receipt", c.Receipt) != nil {
		return nil, refuse(RuleFee, "the payment has no receipt number, or none that may be kept in the clear", "give the number of the payment itself")
	}
	return bodies, nil
}

// settles holds that a payment is for what is owed of a fee, and for the whole of it.
func (d Dossier) settles(p Payment) error {
	fee, ok := d.Fees[p.Fee]
	switch {
	case !ok, fee.Stale:
		return refuse(RuleFee, fmt.Sprintf("fee %q was not assessed", p.Fee), "wait until it is")
	case fee.Settled():
		return refuse(RuleFee, fmt.Sprintf("nothing is owed of fee %q", p.Fee), "give the money back")
	case p.Amount != fee.Owed():
		return refuse(RuleFee, fmt.Sprintf("of fee %q Rp %d is owed, not Rp %d", p.Fee, fee.Owed(), p.Amount), "record the payment of the whole amount")
	}
	return nil
}

// paid lists what a command that is part of the request settled under a receipt; d is
// its first event.
func (r Request) paid(d *done, receipt string) []Payment {
	var list []Payment
	for at := r.done; at != nil; at = at.before {
		if b, ok := at.body.(FeePaid); ok && at.command == d.command && b.Receipt == receipt {
			list = append(list, Payment{b.Fee, b.Amount})
		}
		if at == d {
			break
		}
	}
	slices.Reverse(list)
	return list
}
