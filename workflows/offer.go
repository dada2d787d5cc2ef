package workflows

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/alur-id/alur/domain"
)

// Offer is a service as the public is told of it: by the version that a submission is
// judged by, or, where it takes no new requests, by the one that was last in force or is
// the next to be.
type Offer struct {
	Tenant  domain.TenantCode
	Version Published
	Open    bool      // it takes new requests
	Opens   time.Time // when it will, if that is known and it does not
}

// Offer is a service of a tenant at a moment. The error is [domain.ErrNotFound] for one
// that there is not, or of which only imported requests are known.
func (l *Library) Offer(ctx context.Context, tenant domain.TenantCode, service string, at time.Time) (Offer, error) {
	o := Offer{Tenant: tenant}
	err := l.look(ctx, tenant, service, func(list []Published) error {
		if v := inForce(list, at); v != nil {
			o.Version, o.Open = *v, true
			return nil
		}
		var last, next *Published
		for i := range list {
			v := &list[i]
			switch {
			case v.History, v.withdrawn():
			case v.Effective.After(at):
				if next == nil || v.Effective.Before(next.Effective) {
					next = v
				}
			case last == nil || !v.Effective.Before(last.Effective):
				last = v
			}
		}
		if next != nil {
			o.Opens = next.Effective
			last = cmp.Or(last, next)
		}
		if last == nil {
			return fmt.Errorf("service %s of tenant %s: %w", service, tenant, domain.ErrNotFound)
		}
		o.Version = *last
		return nil
	})
	return o, err
}

// LegalBases lists what a definition rests on: the bases of its terms, of what follows
// when they run out, of what stops and extends them, and of its fees; each once, in the
// order in which they stand.
func (d *Definition) LegalBases() []Text {
	var list []Text
	add := func(t Text) {
		if !t.IsZero() && !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	for i := range d.Terms {
		t := &d.Terms[i]
		add(t.Basis)
		if t.Expires != nil {
			add(t.Expires.Basis)
		}
		if t.Extension != nil {
			add(t.Extension.Basis)
		}
	}
	for _, s := range d.States {
		if s.Term != nil && s.Term.Expires != nil {
			add(s.Term.Expires.Basis)
		}
	}
	for i := range d.Suspensions {
		add(d.Suspensions[i].Basis)
	}
	for i := range d.Fees {
		add(d.Fees[i].Basis)
	}
	return list
}

// Asks lists the titles of the facts that a condition asks for, in the definition's order:
// what it depends on, for people.
func (d *Definition) Asks(c *Condition) []Text {
	var list []Text
	for i := range d.Facts {
		if c != nil && slices.Contains(c.uses.facts, d.Facts[i].ID) {
			list = append(list, d.Facts[i].Title)
		}
	}
	return list
}
