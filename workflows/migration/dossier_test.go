package migration_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/migration"
)

// A permit that has everything a dossier can hold.
const permit = `alur: 1
id: permit
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
facts:
  - {id: size, type: number, title: {id: Luas, en: Size}, required: true}
  - {id: kind, type: string, title: {id: Jenis, en: Kind}, values: [new, old], required: true}
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
  - {id: head, title: {id: Kepala, en: Head}, capacities: [officer]}
  - {id: fire, title: {id: Damkar, en: Fire brigade}, capacities: [officer]}
  - {id: planning, title: {id: Tata ruang, en: Planning}, capacities: [officer]}
submit: [applicant]
payers: [clerk]
reasons:
  - {code: bad, title: {id: Buruk, en: Bad}}
documents:
  - {id: title-deed, title: {id: Sertifikat, en: Deed}, formats: [pdf], max_size: 5 MB, required: true, by: [applicant]}
  - {id: sketch, title: {id: Denah, en: Sketch}, formats: [pdf], max_size: 5 MB, required: true, by: [applicant]}
checklists:
  - {id: site, title: {id: Lokasi, en: Site}, by: [clerk], items: [{id: boundary, title: {id: Batas, en: Boundary}}, {id: road, title: {id: Jalan, en: Road}}]}
fees:
  - {id: retribution, title: {id: Retribusi, en: Retribution}, amount: 100000, due_in: [gathering], basis: {id: Perda, en: By-law}}
  - {id: stamp, title: {id: Meterai, en: Stamp}, amount: 10000, due_in: [gathering], basis: {id: Perda, en: By-law}}
reviews:
  - {id: fire-safety, title: {id: Kebakaran, en: Fire}, role: fire, reasons: [bad]}
  - {id: zoning, title: {id: Zonasi, en: Zoning}, role: planning, reasons: [bad]}
states:
  - {id: submitted, kind: start, public: verification, owner: clerk, title: {id: Masuk, en: Submitted}}
  - {id: gathering, kind: gather, public: in_process, owner: clerk, reviews: [fire-safety, zoning], title: {id: Menunggu, en: Gathering}}
  - {id: issued, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Issued}}
  - {id: refused, kind: end, outcome: rejected, public: rejected, title: {id: Ditolak, en: Refused}}
actions:
  - {id: verify, title: {id: Periksa, en: Verify}}
  - {id: issue, title: {id: Terbitkan, en: Issue}}
  - {id: refuse, title: {id: Tolak, en: Refuse}}
transitions:
  - {action: verify, from: [submitted], to: gathering, roles: [clerk, head], needs: {documents: [title-deed], checklists: [site]}}
  - {action: issue, from: [gathering], to: issued, roles: [clerk, head], not_by: [verify], needs: {reviews: approved, fees: [retribution, stamp]}}
  - {action: refuse, from: [gathering], to: refused, roles: [head], reasons: [bad], needs: {reviews: refused}}
`

// next is the permit under other names: a review and a fee are gone, others are new.
func next() []byte {
	return []byte(strings.NewReplacer(
		"id: size", "id: area", "{id: kind, type: string, title: {id: Jenis, en: Kind}, values: [new, old], required: true}", "{id: risk, type: string, title: {id: Risiko, en: Risk}, values: [low, high], required: true}",
		"title-deed", "deed", "id: sketch", "id: drawing", "id: site,", "id: survey,", "[site]", "[survey]", "id: boundary", "id: edge",
		"id: retribution", "id: charge", "retribution, stamp", "charge, copy", "id: stamp", "id: copy", "amount: 10000,", "amount: 5000,",
		"id: fire-safety", "id: safety", "[fire-safety, zoning]", "[safety, traffic]", "id: zoning", "id: traffic",
		"id: verify", "id: check", "action: verify", "action: check", "not_by: [verify]", "not_by: [check]", "id: gathering", "id: collecting", "[gathering]", "[collecting]", "to: gathering", "to: collecting",
		"id: clerk", "id: officer", "clerk", "officer",
	).Replace(permit))
}

const permitMap = `migration: 1
states: {gathering: collecting}
actions: {verify: check}
roles: {clerk: officer}
reviews: {fire-safety: safety, zoning: ~}
fees: {retribution: charge, stamp: ~}
documents: {title-deed: deed, sketch: drawing}
checklists:
  site: {to: survey, items: {boundary: edge}}
facts: {size: area, kind: ~}
values: {risk: low}
`

// gathered is a request that has everything.
func gathered(t *testing.T) (*bench, domain.Request) {
	t.Helper()
	b := newBench(t, memory.New())
	d := b.publish([]byte(permit)).Definition
	r := b.submit(d, domain.Facts{"size": 40.0, "kind": "new"})
	b.give(r.ID, domain.Attach{Header: b.header(d, "applicant"), Document: "title-deed", Format: "pdf", Bytes: 7, SHA256: strings.Repeat("ab", 32)})
	for _, item := range []domain.CheckID{"boundary", "road"} {
		b.give(r.ID, domain.AnswerCheck{Header: b.header(d, "clerk"), Check: domain.Check{Checklist: "site", Item: item}, Yes: true})
	}
	b.act(d, r.ID, "clerk", "verify", "")
	b.give(r.ID, domain.Pay{Header: b.header(d, "clerk"), Fee: "retribution", Amount: 100_000, Receipt: "R-1"})
	b.give(r.ID, domain.Pay{Header: b.header(d, "clerk"), Fee: "stamp", Amount: 10_000, Receipt: "R-2"})
	r = b.give(r.ID, domain.GiveReview{Header: b.header(d, "fire"), Review: "fire-safety", Opinion: domain.OpinionApproved})
	b.now = b.now.AddDate(0, 0, 1)
	b.publish(next())
	return b, r
}

func (b *bench) foresee(t *testing.T, id, text string) migration.Report {
	t.Helper()
	report, err := b.migrator().Forecast(t.Context(), b.prepare(id, text))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// What a request gathered goes on under the other names; what is gained and lost is told.
func TestADossierIsMigrated(t *testing.T) {
	b, r := gathered(t)
	report := b.foresee(t, "permit", permitMap)
	if done, err := b.migrator().Run(t.Context(), b.prepare("permit", permitMap)); err != nil || done.Migrated != 1 {
		t.Fatalf("%+v, %v, %+v", done, err, report)
	}
	b.foreseenIs(t, report, map[uuid.UUID]domain.Version{r.ID: r.Version})
	is := b.load(r.ID)
	if d := cmp.Diff(domain.Facts{"area": 40.0, "risk": "low"}, is.Facts); d != "" {
		t.Error(d)
	}
	if is.State != "collecting" || is.Dossier.Documents["deed"].Version != 1 || !is.Dossier.Checks["survey"]["edge"] || !is.Dossier.Checks["survey"]["road"] ||
		is.Dossier.Fees["charge"].Received != 100_000 || is.Dossier.Fees["copy"].Owed() != 5000 || len(is.Dossier.Fees) != 2 ||
		is.Dossier.Reviews["safety"].Opinion != domain.OpinionApproved || is.Dossier.Reviews["traffic"].Opinion != domain.OpinionOpen || len(is.Dossier.Reviews) != 2 {
		t.Errorf("%+v", is)
	}
	var told []migration.Change
	for _, c := range report.Requests[0].Changes {
		told = append(told, migration.Change{Kind: c.Kind, ID: c.ID, Was: c.Was, What: c.What, Rupiah: c.Rupiah})
	}
	if d := cmp.Diff([]migration.Change{
		{Kind: "fee", ID: "stamp", What: migration.Lost},
		{Kind: "fee", ID: "stamp", Was: "paid", What: migration.Lost, Rupiah: 10_000},
		{Kind: "fee", ID: "copy", What: migration.Gained, Rupiah: 5000},
		{Kind: "review", ID: "zoning", Was: "open", What: migration.Lost},
		{Kind: "review", ID: "traffic", What: migration.Gained},
		{Kind: "fact", ID: "kind", What: migration.Lost},
		{Kind: "fact", ID: "risk", What: migration.Gained},
	}, told); d != "" {
		t.Errorf("told (-want +got)\n%s", d)
	}
}

// Four eyes see through another name: who verified may not issue, though the action is
// called check now and the role officer.
func TestFourEyesSeeThroughAMigration(t *testing.T) {
	b, r := gathered(t)
	if _, err := b.migrator().Run(t.Context(), b.prepare("permit", permitMap)); err != nil {
		t.Fatal(err)
	}
	d, err := workflows.Read("w", next())
	if err != nil {
		t.Fatal(err)
	}
	b.give(r.ID, domain.Pay{Header: b.header(d, "officer"), Fee: "copy", Amount: 5000, Receipt: "R-3"})
	b.give(r.ID, domain.GiveReview{Header: b.header(d, "planning"), Review: "traffic", Opinion: domain.OpinionApproved})
	same := b.header(d, "officer")
	same.Actor.ID = "clerk-1"
	var refusal *domain.Refusal
	if _, err := b.engine.Act(t.Context(), r.ID, domain.Act{Header: same, Action: "issue"}); !errors.As(err, &refusal) || refusal.Rule != domain.RuleFourEyes {
		t.Errorf("who verified issues: %v", err)
	}
	if is := b.act(d, r.ID, "head", "issue", ""); is.Outcome != domain.OutcomeApproved {
		t.Errorf("%+v", is)
	}
	// A command of before that is sent again is still the same command.
	first, _ := b.engine.Load(t.Context(), r.ID)
	for _, e := range b.events(domain.RequestStream(r.ID), 0) {
		if _, ok := e.Body.(domain.RequestSubmitted); ok {
			a, err := b.engine.Submit(t.Context(), domain.Submit{
				Header: domain.Header{ID: e.Command, Actor: e.Actor}, Tenant: tenant, Service: "permit", Facts: domain.Facts{"size": 40.0, "kind": "new"},
			})
			if err != nil || !a.Repeated || a.Request.Version != 1 {
				t.Errorf("%+v, %v", a, err)
			}
		}
		if taken, ok := e.Body.(domain.ActionTaken); ok && taken.Action == "verify" {
			a, err := b.engine.Act(t.Context(), r.ID, domain.Act{Header: domain.Header{ID: e.Command, Actor: e.Actor}, Action: "verify"})
			if err != nil || !a.Repeated || a.Request.Version >= first.Version {
				t.Errorf("%+v, %v", a, err)
			}
		}
	}
}

// What the other version asks for and nobody can give a value of is told of the request,
// and nothing is recorded.
func TestFactsThatAreMissing(t *testing.T) {
	b, r := gathered(t)
	text := strings.Replace(permitMap, "values: {risk: low}\n", "", 1)
	report := b.foresee(t, "permit", text)
	if report.Refused != 1 || !strings.Contains(report.Requests[0].Refusal, `fact "risk" is missing`) {
		t.Errorf("%+v", report)
	}
	_, err := b.migrator().Run(t.Context(), b.prepare("permit", text))
	if unfit := new(migration.UnfitError); !errors.As(err, &unfit) || len(b.events(domain.RequestStream(r.ID), r.Version)) > 0 {
		t.Errorf("%v", err)
	}
}

// Every mistake in a map is told at its place, with what may have been meant.
func TestMistakesInAMap(t *testing.T) {
	b, _ := gathered(t)
	for name, c := range map[string]struct{ text, want string }{
		"nothing mapped":        {"migration: 1\n", "states: version 2 has no gathering; say for each"},
		"all that is lost":      {"migration: 1\nstates: {gathering: collecting}\n", "documents: version 2 has no title-deed, sketch; say what each is called now"},
		"items too":             {strings.Replace(permitMap, ", items: {boundary: edge}", "", 1), "items of checklist site: version 2 has no boundary"},
		"a state misspelt":      {strings.Replace(permitMap, "gathering: collecting", "gathering: colecting", 1), `map.yaml:2:21: state: version 2 has no "colecting"; did you mean "collecting"?`},
		"a former misspelt":     {strings.Replace(permitMap, "gathering: collecting", "gatherin: collecting", 1), `"gatherin"; did you mean "gathering"?`},
		"an unknown key":        {permitMap + "state: {}\n", `the map has no key "state"; did you mean "states"?`},
		"two become one":        {strings.Replace(permitMap, "sketch: drawing", "sketch: deed", 1), `"title-deed" and "sketch" of version 1 cannot both be "deed"`},
		"an end":                {strings.Replace(permitMap, "gathering: collecting", "gathering: issued", 1), `state "issued" is an end: say under ground`},
		"a ground for no end":   {strings.Replace(permitMap, "gathering: collecting", "gathering: {to: collecting, ground: {id: x, en: x}}", 1), "leave ground out"},
		"a value that is not":   {strings.Replace(permitMap, "risk: low", "risk: lo", 1), `fact "risk" is none of low, high`},
		"a wrong reference":     {permitMap + "except: [7K3M-Q9XT-2WPX]\n", "except:"},
		"both":                  {permitMap + "except: [7K3M-Q9XT-2WPN]\nonly: [7K3M-Q9XT-2WPN]\n", "say except or only"},
		"a past that is denied": {strings.Replace(permitMap, "verify: check", "verify: check, issue: ~", 1), `"issue" cannot be dropped, for version 2 has it too`},
		"no form":               {strings.Replace(permitMap, "migration: 1", "migration: 2", 1), "form 2 is not known"},
		"no budget to take":     {permitMap + "terms: {x: {take: new}}\n", `has no key "x"`},
		"somebody in a comment": {permitMap + "# asked by budi@example.org\n", "this line looks as if it held an e-mail address"},
		"somebody in a ground":  {strings.Replace(permitMap, "gathering: collecting", "gathering: {to: issued, ground: {id: x, en: \"call 0812\\\n  34567890\"}}", 1), "the ground in English looks as if it held a telephone number"},
		"a ground of two lines": {strings.Replace(permitMap, "gathering: collecting", `gathering: {to: issued, ground: {id: "x\ny", en: x}}`, 1), "the ground in Indonesian holds a line break"},
		"not YAML":              {"migration: [1\n", "map.yaml:1"},
	} {
		_, err := b.prepared("permit", c.text)
		var problems workflows.Problems
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "^") && name != "not YAML" {
			t.Errorf("%s: want %q, got\n%v", name, c.want, err)
		}
	}
}
