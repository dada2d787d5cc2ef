package workflows

import (
	"math"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/domain"
)

// Fee is what a request costs, in rupiah: an amount, a table by a fact, or a
// formula. It is assessed when the request comes to a state where it is due.
type Fee struct {
	ID      domain.FeeID     `yaml:"id"`
	Title   Text             `yaml:"title"`
	Amount  int              `yaml:"amount,omitempty"`
	Table   *FeeTable        `yaml:"table,omitempty"`
	Formula *Condition       `yaml:"formula,omitempty"`
	When    *Condition       `yaml:"when,omitempty"` // nothing is due otherwise
	DueIn   []domain.StateID `yaml:"due_in,flow"`
	Basis   Text             `yaml:"basis"`             // the tariff that says so
	Account Text             `yaml:"account,omitempty"` // whose it is; empty: the agency's
	// OnlyAfter lists actions: an approval asks for the fee only after one of them was
	// taken, or where the request came to where it is due all the same.
	OnlyAfter []domain.ActionID `yaml:"only_after,omitempty,flow"`
}

// FeeTable gives an amount by a fact: a number up to a bound, or one of the values
// of a text.
type FeeTable struct {
	Fact string   `yaml:"fact"`
	Rows []FeeRow `yaml:"rows"`
}

// FeeRow is a row of a table. The last row of a table over numbers may have no
// bound.
type FeeRow struct {
	UpTo   *float64 `yaml:"up_to,omitempty"` // including
	Value  string   `yaml:"value,omitempty"`
	Amount int      `yaml:"amount"`
}

// maxFee keeps amounts where a float64 is exact.
const maxFee = 1 << 53

func (r *definitionReader) fee(n ast.Node) Fee {
	var f Fee
	ways := 0
	r.mapping(n, "a fee", []string{"id", "title", "due_in", "basis"}, map[string]func(ast.Node){
		"id":         func(n ast.Node) { f.ID = domain.FeeID(r.id(n, "fee id")) },
		"title":      func(n ast.Node) { f.Title = r.both(n, "fee title") },
		"amount":     func(n ast.Node) { f.Amount, ways = r.rupiah(n, "fee amount"), ways+1 },
		"table":      func(n ast.Node) { f.Table, ways = r.feeTable(n), ways+1 },
		"formula":    func(n ast.Node) { f.Formula, ways = r.condition(n, "fee formula", amountOverFacts), ways+1 },
		"when":       func(n ast.Node) { f.When = r.condition(n, "fee when", overFacts) },
		"due_in":     func(n ast.Node) { f.DueIn = refs(r, n, "fee due_in", "state", r.stateIDs) },
		"basis":      func(n ast.Node) { f.Basis = r.both(n, "fee basis") },
		"only_after": func(n ast.Node) { f.OnlyAfter = refs(r, n, "fee only_after", "action", r.actionIDs) },
		"account":    func(n ast.Node) { f.Account = r.both(n, "fee account") },
	})
	if ways != 1 {
		r.problem(n, "fee %q: say one of amount, table and formula", f.ID)
	}
	return f
}

func (r *definitionReader) rupiah(n ast.Node, what string) int {
	v := r.integer(n, what)
	if v < 0 || v > maxFee {
		r.problem(n, "%s: %d is no amount in rupiah", what, v)
	}
	return v
}

func (r *definitionReader) feeTable(n ast.Node) *FeeTable {
	t := &FeeTable{}
	r.mapping(n, "fee table", []string{"fact", "rows"}, map[string]func(ast.Node){
		"fact": func(n ast.Node) { t.Fact = ref(r, n, "fee table fact", "fact", r.factIDs) },
		"rows": func(n ast.Node) { t.Rows = each(r, n, "fee table rows", r.feeRow) },
	})
	r.later = append(r.later, func() { r.checkTable(n, t) })
	return t
}

func (r *definitionReader) feeRow(n ast.Node) FeeRow {
	var row FeeRow
	r.mapping(n, "a row", []string{"amount"}, map[string]func(ast.Node){
		"up_to": func(n ast.Node) {
			v := r.number(n, "row up_to")
			row.UpTo = &v
		},
		"value":  func(n ast.Node) { row.Value = r.text(n, "row value") },
		"amount": func(n ast.Node) { row.Amount = r.rupiah(n, "row amount") },
	})
	return row
}

// checkTable holds that a table has an amount for every value that its fact may
// have, and one only.
func (r *definitionReader) checkTable(n ast.Node, t *FeeTable) {
	f := r.d.fact(t.Fact)
	if f == nil {
		return
	}
	if !f.sure() {
		r.problem(n, "fee table: fact %q may be missing; make it required, or give it a default", f.ID)
	}
	switch {
	case f.Type == FactString && len(f.Values) > 0:
		seen := map[string]bool{}
		for _, row := range t.Rows {
			if row.UpTo != nil || seen[row.Value] {
				r.problem(n, "fee table over %q: want one row for each of its values", f.ID)
				return
			}
			seen[row.Value] = true
		}
		for _, v := range f.Values {
			if !seen[v] {
				r.problem(n, "fee table over %q: value %q has no row", f.ID, v)
			}
		}
	case f.Type == FactNumber:
		last := math.Inf(-1)
		for i, row := range t.Rows {
			switch {
			case row.Value != "" || row.UpTo == nil && i < len(t.Rows)-1:
				r.problem(n, "fee table over %q: each row but the last needs an up_to", f.ID)
				return
			case row.UpTo != nil && *row.UpTo <= last:
				r.problem(n, "fee table over %q: the rows do not grow", f.ID)
				return
			case row.UpTo != nil:
				last = *row.UpTo
			}
		}
		if len(t.Rows) > 0 && t.Rows[len(t.Rows)-1].UpTo != nil {
			r.problem(n, "fee table over %q: what is above %v has no row; leave up_to out of the last", f.ID, last)
		}
	default:
		r.problem(n, "fee table: fact %q is no number and has no list of values", f.ID)
	}
}

// assess is what a request owes of a fee.
func (f *Fee) assess(in vars) (int64, error) {
	if f.When != nil {
		due, err := f.When.holds(in)
		if err != nil || !due {
			return 0, err
		}
	}
	switch {
	case f.Formula != nil:
		return f.Formula.amount(in)
	case f.Table != nil:
		return f.Table.amount(in.facts), nil
	}
	return int64(f.Amount), nil
}

// By is the title of the fact that the table goes by.
func (t *FeeTable) By(d *Definition) Text {
	if f := d.fact(t.Fact); f != nil {
		return f.Title
	}
	return Text{}
}

func (t *FeeTable) amount(facts domain.Facts) int64 {
	switch v := facts[t.Fact].(type) {
	case float64:
		for _, row := range t.Rows {
			if row.UpTo == nil || v <= *row.UpTo {
				return int64(row.Amount)
			}
		}
	case string:
		for _, row := range t.Rows {
			if row.Value == v {
				return int64(row.Amount)
			}
		}
	}
	return 0 // unreachable: see checkTable
}
