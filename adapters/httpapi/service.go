package httpapi

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

type serviceInput struct {
	Tenant string `path:"tenant" example:"11.71"`
	ID     string `path:"id" example:"sip-dokter"`
}

// offered is a service as the public is told of it. The page of the service is made of
// the same.
type offered struct {
	Body struct {
		Tenant     domain.TenantCode `json:"tenant"`
		Service    string            `json:"service"`
		Title      title             `json:"title"`
		Agency     title             `json:"agency"`
		Open       bool              `json:"open" doc:"it takes new requests"`
		Opens      time.Time         `json:"opens,omitzero" doc:"when it will, where it does not and that is known"`
		Version    int               `json:"version" doc:"of the workflow that is told of: the one in force; of a service that is closed, the last that was"`
		Effective  time.Time         `json:"effective" doc:"in force from then on"`
		Hash       string            `json:"hash" doc:"SHA-256 of the definition"`
		Promise    *title            `json:"promise,omitempty"`
		Fee        *title            `json:"fee,omitempty" doc:"what it costs, in words"`
		Standard   []component       `json:"standard" doc:"the fourteen components of the service standard (UU 25/2009 art. 21, PermenPANRB 15/2014)"`
		Documents  []serviceDocument `json:"documents" doc:"what is handed in"`
		Fees       []serviceFee      `json:"fees"`
		Terms      []serviceTerm     `json:"terms" doc:"the time that the law gives"`
		LegalBases []title           `json:"legal_bases" doc:"of terms and fees"`
	}
}

type component struct {
	Component string `json:"component"`
	Name      title  `json:"name"`
	Text      *title `json:"text,omitempty" doc:"none: the definition does not say"`
}

type serviceDocument struct {
	Document  domain.DocumentID `json:"document"`
	Title     title             `json:"title"`
	Formats   []string          `json:"formats" doc:"any of these"`
	MaxSize   string            `json:"max_size" example:"5 MB"`
	Required  string            `json:"required" enum:"always,sometimes,no"`
	DependsOn []title           `json:"depends_on,omitempty" doc:"what decides whether it is required"`
	By        []domain.RoleID   `json:"by" doc:"who hands it in"`
}

type serviceFee struct {
	Fee       domain.FeeID `json:"fee"`
	Title     title        `json:"title"`
	Amount    *int         `json:"amount,omitempty" doc:"rupiah, where it is the same for all"`
	Table     []feeRow     `json:"table,omitempty" doc:"rupiah by the first of depends_on"`
	Formula   string       `json:"formula,omitempty" doc:"rupiah, as the definition reckons it"`
	Sometimes bool         `json:"sometimes,omitempty" doc:"not every request owes it"`
	DependsOn []title      `json:"depends_on,omitempty" doc:"what decides whether it is owed, and how much"`
	Basis     title        `json:"basis"`
	Account   title        `json:"account" doc:"whose it is"`
}

type feeRow struct {
	UpTo   *float64 `json:"up_to,omitempty" doc:"including; none in the last row of numbers: above"`
	Value  string   `json:"value,omitempty"`
	Amount int      `json:"amount"`
}

type serviceTerm struct {
	Term    string              `json:"term"`
	Title   title               `json:"title"`
	Time    title               `json:"time" doc:"how long it is, or until what date of the application"`
	Promise *title              `json:"promise,omitempty"`
	Ground  domain.ExpiryGround `json:"ground,omitempty" doc:"what the law makes of it when it runs out"`
	Basis   title               `json:"basis"`
}

func (a *api) service(ctx context.Context, in *serviceInput) (*offered, error) {
	o, err := a.Library.Offer(ctx, domain.TenantCode(in.Tenant), in.ID, time.Now())
	if err != nil {
		return nil, a.fault(ctx, err, false)
	}
	d := o.Version.Definition
	out := &offered{}
	b := &out.Body
	b.Tenant, b.Service, b.Title, b.Agency = o.Tenant, d.ID, titleOf(d.Title), titleOf(d.Agency)
	b.Open, b.Opens = o.Open, o.Opens
	b.Version, b.Effective, b.Hash = o.Version.Ref().Version, o.Version.Effective, o.Version.Hash
	b.Promise, b.Fee = said(d.Promise), said(d.Fee)
	standard := d.Standard
	if standard == nil {
		standard = &workflows.Standard{}
	}
	for _, c := range standard.Components() {
		b.Standard = append(b.Standard, component{c.Key, titleOf(c.Name), said(*c.Text)})
	}
	b.Documents, b.Fees, b.Terms = []serviceDocument{}, []serviceFee{}, []serviceTerm{}
	for i := range d.Documents {
		b.Documents = append(b.Documents, documentOf(d, &d.Documents[i]))
	}
	for i := range d.Fees {
		b.Fees = append(b.Fees, feeOf(d, &d.Fees[i]))
	}
	for i := range d.Terms {
		t := &d.Terms[i]
		one := serviceTerm{Term: t.ID, Title: titleOf(t.Title), Time: titleOf(d.Lasts(t)), Basis: titleOf(t.Basis)}
		if t.Promise != nil {
			promise := budgetOf(*t.Promise)
			one.Promise = &promise
		}
		if t.Expires != nil {
			one.Ground = t.Expires.Ground
		}
		b.Terms = append(b.Terms, one)
	}
	b.LegalBases = titlesOf(d.LegalBases())
	return out, nil
}

func documentOf(d *workflows.Definition, x *workflows.Document) serviceDocument {
	one := serviceDocument{Document: x.ID, Title: titleOf(x.Title), Formats: x.Formats, MaxSize: x.MaxSize, Required: "no", By: x.By}
	switch {
	case x.RequiredWhen != nil:
		one.Required, one.DependsOn = "sometimes", titlesOf(d.Asks(x.RequiredWhen))
	case x.Required:
		one.Required = "always"
	}
	return one
}

func feeOf(d *workflows.Definition, f *workflows.Fee) serviceFee {
	one := serviceFee{Fee: f.ID, Title: titleOf(f.Title), Sometimes: f.When != nil, Basis: titleOf(f.Basis), Account: titleOf(f.Account)}
	if f.Account.IsZero() {
		one.Account = titleOf(d.Agency)
	}
	var on []workflows.Text
	switch {
	case f.Table != nil:
		for _, row := range f.Table.Rows {
			one.Table = append(one.Table, feeRow{row.UpTo, row.Value, row.Amount})
		}
		on = append(on, f.Table.By(d))
	case f.Formula != nil:
		one.Formula, on = f.Formula.Text, d.Asks(f.Formula)
	default:
		one.Amount = &f.Amount
	}
	for _, t := range d.Asks(f.When) {
		if !slices.Contains(on, t) {
			on = append(on, t)
		}
	}
	one.DependsOn = titlesOf(on)
	return one
}

func titlesOf(list []workflows.Text) []title {
	all := []title{}
	for _, t := range list {
		all = append(all, titleOf(t))
	}
	return all
}

func budgetOf(b workflows.Budget) title { return title{ID: b.In("id"), EN: b.In("en")} }

// said is a text that may be left out.
func said(t workflows.Text) *title {
	if t.IsZero() {
		return nil
	}
	s := titleOf(t)
	return &s
}

func (a *api) registerService(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "get-service", Method: http.MethodGet, Path: "/api/v1/services/{tenant}/{id}",
		Summary: "What a service asks for, costs and promises, by the version in force", Errors: []int{http.StatusNotFound},
	}, a.service)
}
