package web

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// servicesPage lists what can be asked for, by tenant and agency.
type servicesPage struct {
	page
	Tenants []tenantServices
}

type tenantServices struct {
	Name     string
	Agencies []agencyServices
}

type agencyServices struct {
	Name     string
	Services []serviceLink
}

type serviceLink struct {
	Title, Link, Promise string
	Open                 bool
}

// servicePage is one service: what it asks for, costs and promises.
type servicePage struct {
	page
	Agency, Tenant string
	Open           bool
	Opens          string // when, if that is known
	Version        int
	Since          moment // of the version
	Future         bool   // that version is not in force yet
	Documents      []serviceDocument
	Fees           []serviceFee
	NoFees         string // what is said of the cost where there are none
	Terms          []serviceTerm
	Standard       []detail // value empty: the definition does not say
	Bases          []string
}

type serviceDocument struct{ Title, When, Taken string }

type serviceFee struct {
	Title, Amount, When, Basis, Account string
	Rows                                []detail
}

type serviceTerm struct{ Title, Time, Promise, After, Basis string }

func (s *site) services(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	all, err := s.Services.All(ctx)
	if err != nil {
		s.fault(w, r, err)
		return
	}
	only := domain.TenantCode(r.PathValue("tenant"))
	path := "/layanan"
	if only != "" {
		path += "/" + string(only)
	}
	p := servicesPage{page: s.open(w, r, path)}
	p.Title = p.T("services.title")
	var last domain.TenantCode
	for _, x := range all {
		if only != "" && x.Tenant != only {
			continue
		}
		o, err := s.Library.Offer(ctx, x.Tenant, x.Service, s.Now())
		if errors.Is(err, domain.ErrNotFound) {
			continue // known from imported requests only
		}
		if err != nil {
			s.fault(w, r, err)
			return
		}
		if len(p.Tenants) == 0 || x.Tenant != last {
			p.Tenants, last = append(p.Tenants, tenantServices{Name: s.tenant(x.Tenant, p.Lang)}), x.Tenant
		}
		p.Tenants[len(p.Tenants)-1].add(p.Lang, o)
	}
	if only != "" && len(p.Tenants) == 0 {
		s.missing(w, r)
		return
	}
	s.write(w, r, http.StatusOK, "services", p)
}

func (t *tenantServices) add(lang string, o workflows.Offer) {
	d := o.Version.Definition
	agency := d.Agency.In(lang)
	i := slices.IndexFunc(t.Agencies, func(a agencyServices) bool { return a.Name == agency })
	if i < 0 {
		i = len(t.Agencies)
		t.Agencies = append(t.Agencies, agencyServices{Name: agency})
	}
	a := &t.Agencies[i]
	a.Services = append(a.Services, serviceLink{
		Title: d.Title.In(lang), Link: serviceLinkOf(o.Tenant, d.ID), Promise: d.Promise.In(lang), Open: o.Open,
	})
}

func serviceLinkOf(tenant domain.TenantCode, service string) string {
	return "/layanan/" + string(tenant) + "/" + service
}

// tenant is a tenant's name, or its code where no name is known.
func (s *site) tenant(code domain.TenantCode, lang string) string {
	if name, ok := s.Tenants[code]; ok {
		return name.In(lang)
	}
	return string(code)
}

func (s *site) service(w http.ResponseWriter, r *http.Request) {
	o, err := s.Library.Offer(r.Context(), domain.TenantCode(r.PathValue("tenant")), r.PathValue("service"), s.Now())
	if errors.Is(err, domain.ErrNotFound) {
		s.missing(w, r)
		return
	}
	if err != nil {
		s.fault(w, r, err)
		return
	}
	d := o.Version.Definition
	p := servicePage{page: s.open(w, r, serviceLinkOf(o.Tenant, d.ID)), Open: o.Open, Version: o.Version.Ref().Version}
	p.Tenant = s.tenant(o.Tenant, p.Lang)
	p.Title, p.Agency = d.Title.In(p.Lang), d.Agency.In(p.Lang)
	p.Since = momentOf(o.Version.Effective, o.Tenant, p.Lang)
	p.Future = o.Version.Effective.After(s.Now())
	if !o.Opens.IsZero() {
		p.Opens = momentOf(o.Opens, o.Tenant, p.Lang).Text
	}
	for i := range d.Documents {
		if doc := &d.Documents[i]; slices.ContainsFunc(doc.By, d.IsApplicant) {
			p.Documents = append(p.Documents, serviceDocument{doc.Title.In(p.Lang), required(p.page, d, doc), taken(p.page, doc)})
		}
	}
	for i := range d.Fees {
		p.Fees = append(p.Fees, feeOf(p.page, d, &d.Fees[i]))
	}
	p.NoFees = cmp.Or(d.Fee.In(p.Lang), p.T("service.nofees"))
	for i := range d.Terms {
		p.Terms = append(p.Terms, termOf(p.page, d, &d.Terms[i]))
	}
	standard := d.Standard
	if standard == nil {
		standard = &workflows.Standard{}
	}
	for _, c := range standard.Components() {
		p.Standard = append(p.Standard, detail{c.Name.In(p.Lang), c.Text.In(p.Lang)})
	}
	for _, t := range d.LegalBases() {
		p.Bases = append(p.Bases, t.In(p.Lang))
	}
	s.write(w, r, http.StatusOK, "service", p)
}

// required says whether a document has to be handed in, and what that depends on.
func required(p page, d *workflows.Definition, doc *workflows.Document) string {
	switch {
	case doc.RequiredWhen != nil:
		return p.T("document.sometimes") + " " + titles(p, d.Asks(doc.RequiredWhen))
	case doc.Required:
		return p.T("document.always")
	}
	return p.T("document.optional")
}

func titles(p page, list []workflows.Text) string {
	var names []string
	for _, t := range list {
		names = append(names, t.In(p.Lang))
	}
	return strings.Join(names, ", ")
}

func feeOf(p page, d *workflows.Definition, f *workflows.Fee) serviceFee {
	one := serviceFee{Title: f.Title.In(p.Lang), Basis: f.Basis.In(p.Lang), Account: f.Account.In(p.Lang)}
	switch {
	case f.Table != nil:
		one.Amount = p.T("fee.by") + " " + f.Table.By(d).In(p.Lang)
		for _, row := range f.Table.Rows {
			name := row.Value
			if name == "" && row.UpTo != nil {
				name = p.T("fee.upto") + " " + strconv.FormatFloat(*row.UpTo, 'f', -1, 64)
			} else if name == "" {
				name = p.T("fee.above")
			}
			one.Rows = append(one.Rows, detail{name, rupiah(int64(row.Amount), p.Lang)})
		}
	case f.Formula != nil:
		one.Amount = p.T("fee.by") + " " + titles(p, d.Asks(f.Formula))
	default:
		one.Amount = rupiah(int64(f.Amount), p.Lang)
	}
	if f.When != nil {
		one.When = p.T("fee.sometimes") + " " + titles(p, d.Asks(f.When))
	}
	return one
}

func termOf(p page, d *workflows.Definition, t *workflows.LegalTerm) serviceTerm {
	one := serviceTerm{Title: t.Title.In(p.Lang), Time: d.Lasts(t).In(p.Lang), Basis: t.Basis.In(p.Lang)}
	if t.Promise != nil {
		one.Promise = t.Promise.In(p.Lang)
	}
	if t.Expires != nil && t.Expires.Ground != "" {
		one.After = p.T("after." + string(t.Expires.Ground))
	}
	return one
}
