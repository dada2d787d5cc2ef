package workflows_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

const computed = `alur: 1
id: permit
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
form:
  type: object
  properties:
    floors: {type: number, personal: false}
    area: {type: number, personal: false}
    code: {type: string, personal: false}
    kind: {type: [string, 'null'], personal: false}
facts:
  - {id: share, type: number, title: {id: Bagian, en: Share}, from: form.area / form.floors, default: 1}
  - {id: odd, type: boolean, title: {id: Ganjil, en: Odd}, from: int(form.floors) % int(form.area) == 1, default: false}
  - {id: number, type: number, title: {id: Nomor, en: Number}, from: double(form.code)}
  - {id: code, type: string, title: {id: Kode, en: Code}, from: form.code, required: true}
  - {id: free, type: string, title: {id: Bebas, en: Free}}
roles:
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
submit: [clerk]
states:
  - {id: a, kind: start, public: verification, owner: clerk, title: {id: A, en: A}}
  - {id: c, kind: end, outcome: approved, public: approved, title: {id: C, en: C}}
actions:
  - {id: go, title: {id: Maju, en: Go}}
transitions:
  - {action: go, from: [a], to: c, roles: [clerk]}
`

// Why a fact could not be computed is told as what it is, and nothing that was filled
// in is told with it.
func TestWhyAFactIsNotThere(t *testing.T) {
	d, err := workflows.Read("w.yaml", []byte(computed))
	if err != nil {
		t.Fatal(err)
	}
	w := workflows.Compile(d, 1)
	long := strings.Repeat("é", 1000)
	for name, x := range map[string]struct {
		given domain.Facts
		form  domain.Personal
		want  string // part of the refusal; empty: none
	}{
		"all is there":               {form: domain.Personal{"floors": 2.0, "area": 40.0, "code": "12"}},
		"a default where it is not":  {form: domain.Personal{"floors": 2.0, "code": "12"}},
		"a field is missing":         {form: domain.Personal{"floors": 2.0, "area": 40.0}, want: `fact "code" is missing: field "code" of the form is not filled in`},
		"a division by zero":         {form: domain.Personal{"floors": 2.0, "area": 0.0, "code": "12"}, want: `fact "odd" cannot be computed by "int(form.floors) % int(form.area) == 1": it divides by zero`},
		"a number that is endless":   {form: domain.Personal{"floors": 0.0, "area": 40.0, "code": "12"}, want: `fact "share" cannot be computed by "form.area / form.floors": it divides by zero`},
		"a number too large":         {form: domain.Personal{"floors": 1e30, "area": 40.0, "code": "12"}, want: `fact "odd" cannot be computed by "int(form.floors) % int(form.area) == 1": a number is too large`},
		"what is no number":          {form: domain.Personal{"floors": 2.0, "area": 40.0, "code": "Sekarwangi"}, want: `fact "number" cannot be computed by "double(form.code)": what was filled in does not fit`},
		"as long as a text may be":   {given: domain.Facts{"free": long}, form: domain.Personal{"code": "12"}},
		"longer than a text may be":  {given: domain.Facts{"free": long + "x"}, form: domain.Personal{"code": "12"}, want: `fact "free" has 1001 characters; at most 1000 are kept`},
		"a computed one that is too": {form: domain.Personal{"code": strings.Repeat("1", 1001)}, want: `fact "code" has 1001 characters; at most 1000 are kept`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.CheckFacts(x.given, x.form)
			var refusal *domain.Refusal
			switch {
			case x.want == "" && err != nil:
				t.Error(err)
			case x.want != "" && (!errors.As(err, &refusal) || refusal.Rule != domain.RuleFacts || !strings.Contains(refusal.Detail, x.want)):
				t.Errorf("want %s\n got %v", x.want, err)
			case err != nil && strings.Contains(err.Error(), "Sekarwangi"):
				t.Errorf("what was filled in is told: %v", err)
			}
		})
	}
}
