package workflows

import (
	"maps"
	"slices"

	"github.com/alur-id/alur/domain"
)

// Gathered is what a request has gathered beside its state, as it is shown: each list
// by name, and nobody who did anything.
type Gathered struct {
	Documents []GatheredDocument `json:"documents"`
	Checks    []GatheredCheck    `json:"checks" doc:"items of checklists that were answered"`
	Fees      []GatheredFee      `json:"fees"`
	Reviews   []GatheredReview   `json:"reviews"`
	Answers   []GatheredAnswer   `json:"answers" doc:"the last outcome that each system reported"`
	Offered   bool               `json:"offered" doc:"the work of the present state is given out"`
	Picked    bool               `json:"picked" doc:"somebody has taken the work of the present state"`
	Told      []domain.NoticeID  `json:"told" doc:"what was announced since the request came to its state"`
}

// GatheredDocument is the last version of a document.
type GatheredDocument struct {
	Document domain.DocumentID `json:"document"`
	Title    *Text             `json:"title,omitempty"`
	Number   int               `json:"number" doc:"1 for the first that was handed in"`
	Refused  bool              `json:"refused"`
	Reason   domain.ReasonCode `json:"reason,omitempty" doc:"why it was refused"`
}

// GatheredCheck is an answer to an item of a checklist.
type GatheredCheck struct {
	Checklist domain.ChecklistID `json:"checklist"`
	Item      domain.CheckID     `json:"item"`
	Title     *Text              `json:"title,omitempty"`
	Yes       bool               `json:"yes"`
}

// GatheredFee is a fee in rupiah.
type GatheredFee struct {
	Fee      domain.FeeID `json:"fee"`
	Title    *Text        `json:"title,omitempty"`
	Amount   int64        `json:"amount" doc:"rupiah, as it was last assessed"`
	Received int64        `json:"received" doc:"rupiah"`
	Paid     bool         `json:"paid" doc:"or nothing is owed"`
	Stale    bool         `json:"stale,omitempty" doc:"the facts were corrected: it is assessed anew before it counts"`
}

// GatheredReview is the last opinion.
type GatheredReview struct {
	Review  domain.ReviewID   `json:"review"`
	Title   *Text             `json:"title,omitempty"`
	Opinion domain.Opinion    `json:"opinion" enum:"open,approved,refused"`
	Reason  domain.ReasonCode `json:"reason,omitempty" doc:"why it was refused"`
}

// GatheredAnswer is what a system reported.
type GatheredAnswer struct {
	System  domain.SystemID `json:"system"`
	Title   *Text           `json:"title,omitempty"`
	Outcome string          `json:"outcome"`
	Current bool            `json:"current" doc:"reported since the request came to its state"`
}

// Gather lists a dossier. The definition gives the titles; without one there are none.
func Gather(d domain.Dossier, by *Definition) Gathered {
	g := Gathered{
		Documents: []GatheredDocument{}, Checks: []GatheredCheck{}, Fees: []GatheredFee{}, Reviews: []GatheredReview{},
		Answers: []GatheredAnswer{}, Offered: d.Ready > 0, Picked: d.Picked != "", Told: append([]domain.NoticeID{}, d.Told...),
	}
	titles := by.titles()
	for _, id := range slices.Sorted(maps.Keys(d.Documents)) {
		x := d.Documents[id]
		g.Documents = append(g.Documents, GatheredDocument{id, titles["document "+string(id)], x.Version, x.Refused, x.Reason})
	}
	for _, list := range slices.Sorted(maps.Keys(d.Checks)) {
		for _, item := range slices.Sorted(maps.Keys(d.Checks[list])) {
			title := titles["checklist "+string(list)+"/"+string(item)]
			g.Checks = append(g.Checks, GatheredCheck{list, item, title, d.Checks[list][item]})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(d.Fees)) {
		x := d.Fees[id]
		g.Fees = append(g.Fees, GatheredFee{id, titles["fee "+string(id)], x.Amount, x.Received, x.Settled(), x.Stale})
	}
	for _, id := range slices.Sorted(maps.Keys(d.Reviews)) {
		x := d.Reviews[id]
		g.Reviews = append(g.Reviews, GatheredReview{id, titles["review "+string(id)], x.Opinion, x.Reason})
	}
	for _, id := range slices.Sorted(maps.Keys(d.Reported)) {
		g.Answers = append(g.Answers, GatheredAnswer{id, titles["system "+string(id)], d.Reported[id], d.Answers[id] != ""})
	}
	return g
}

// titles are those of what a request gathers, by kind and name.
func (d *Definition) titles() map[string]*Text {
	titles := map[string]*Text{}
	if d == nil {
		return titles
	}
	for i := range d.Documents {
		titles["document "+string(d.Documents[i].ID)] = &d.Documents[i].Title
	}
	for _, c := range d.Checklists {
		for i := range c.Items {
			titles["checklist "+string(c.ID)+"/"+string(c.Items[i].ID)] = &c.Items[i].Title
		}
	}
	for i := range d.Fees {
		titles["fee "+string(d.Fees[i].ID)] = &d.Fees[i].Title
	}
	for i := range d.Reviews {
		titles["review "+string(d.Reviews[i].ID)] = &d.Reviews[i].Title
	}
	for i := range d.Systems {
		titles["system "+string(d.Systems[i].ID)] = &d.Systems[i].Title
	}
	return titles
}
