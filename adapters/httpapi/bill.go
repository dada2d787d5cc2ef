package httpapi

import (
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// billShown is all that a request has to pay.
type billShown struct {
	Lines    []billLine    `json:"lines"`
	Accounts []billAccount `json:"accounts" doc:"the sums by whose the fees are"`
	Owed     int64         `json:"owed" doc:"rupiah; one payment may settle all of it"`
}

type billLine struct {
	Fee      domain.FeeID `json:"fee"`
	Title    title        `json:"title"`
	Account  title        `json:"account" doc:"whose it is"`
	Assessed int64        `json:"assessed"`
	Received int64        `json:"received"`
	Owed     int64        `json:"owed"`
	Stale    bool         `json:"stale,omitempty" doc:"the facts were corrected: it is assessed anew, and nothing is owed of it until then"`
}

type billAccount struct {
	Account  title `json:"account"`
	Received int64 `json:"received"`
	Owed     int64 `json:"owed"`
}

func billOf(b workflows.Bill) billShown {
	shown := billShown{Lines: []billLine{}, Accounts: []billAccount{}, Owed: b.Owed}
	for _, l := range b.Lines {
		shown.Lines = append(shown.Lines, billLine{
			Fee: l.Fee.ID, Title: titleOf(l.Fee.Title), Account: titleOf(l.Account), Assessed: l.Assessed, Received: l.Received, Owed: l.Owed, Stale: l.Stale,
		})
	}
	for _, a := range b.Accounts {
		shown.Accounts = append(shown.Accounts, billAccount{titleOf(a.Account), a.Received, a.Owed})
	}
	return shown
}
