package workflows

import "github.com/alur-id/alur/domain"

// Bill is all that a request has to pay: a line for each fee that was assessed, in the
// definition's order, and a sum for each account. One payment may settle several lines;
// each stays on the books of whose it is. Amounts are in rupiah.
type Bill struct {
	Lines    []BillLine
	Accounts []BillAccount // in the order in which the lines first name them
	Owed     int64
}

// BillLine is what became of one fee. A stale one will be assessed anew, by the facts as
// they were corrected; until then nothing is owed of it.
type BillLine struct {
	Fee      *Fee
	Account  Text // the agency, where the fee names no other
	Assessed int64
	Received int64
	Owed     int64
	Stale    bool
}

// BillAccount is the sum of the lines of one account.
type BillAccount struct {
	Account  Text
	Received int64
	Owed     int64
}

// Bill is what a request with this dossier has to pay, and has paid.
func (w *Workflow) Bill(dossier domain.Dossier) Bill {
	var b Bill
	at := map[Text]int{}
	for i := range w.Definition.Fees {
		f := &w.Definition.Fees[i]
		was, assessed := dossier.Fees[f.ID]
		if !assessed {
			continue
		}
		line := BillLine{Fee: f, Account: f.Account, Assessed: was.Amount, Received: was.Received, Stale: was.Stale}
		if line.Account.IsZero() {
			line.Account = w.Definition.Agency
		}
		if !was.Stale {
			line.Owed = was.Owed()
		}
		n, ok := at[line.Account]
		if !ok {
			n = len(b.Accounts)
			at[line.Account] = n
			b.Accounts = append(b.Accounts, BillAccount{Account: line.Account})
		}
		b.Accounts[n].Received += line.Received
		b.Accounts[n].Owed += line.Owed
		b.Lines = append(b.Lines, line)
		b.Owed += line.Owed
	}
	return b
}
