package migration_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/migration"
)

// A permit in whose course a request comes to hold all that a request can.
const whole = `alur: 1
id: whole
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
facts:
  - {id: size, type: number, title: {id: Luas, en: Size}, required: true}
  - {id: day, type: time, title: {id: Hari, en: Day}}
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
  - {id: head, title: {id: Kepala, en: Head}, capacities: [officer]}
  - {id: fire, title: {id: Damkar, en: Fire brigade}, capacities: [officer]}
  - {id: registry, title: {id: Dukcapil, en: Registry}, capacities: [system]}
submit: [applicant]
payers: [clerk]
reasons:
  - {code: bad, title: {id: Buruk, en: Bad}}
  - {code: flood, title: {id: Banjir, en: Flood}}
  - {code: late, title: {id: Terlambat, en: Late}}
documents:
  - {id: title-deed, title: {id: Sertifikat, en: Deed}, formats: [pdf], max_size: 5 MB, required: true, by: [applicant]}
  - {id: sketch, title: {id: Denah, en: Sketch}, formats: [pdf], max_size: 5 MB, by: [applicant], refused_by: [clerk], reasons: [bad]}
checklists:
  - {id: site, title: {id: Lokasi, en: Site}, by: [clerk], items: [{id: boundary, title: {id: Batas, en: Boundary}}, {id: road, title: {id: Jalan, en: Road}}]}
fees:
  - {id: retribution, title: {id: Retribusi, en: Retribution}, amount: 100000, due_in: [gathering], basis: {id: Perda, en: By-law}}
reviews:
  - {id: safety, title: {id: Keselamatan, en: Safety}, role: fire, reasons: [bad]}
systems:
  - {id: residents, title: {id: Kependudukan, en: Residents}, role: registry, outcomes: [found, missing]}
terms:
  - id: decision
    title: {id: Jangka waktu keputusan, en: Time for the decision}
    budget: 12 working days
    promise: 9 working days
    remind_after: 4 working days
    suspended_in: [returned]
    extension: {by: 3 working days, roles: [head], reasons: [late], basis: {id: andaian, en: assumed}}
    expires: {to: issued-by-law, ground: deemed_approval}
    basis: {id: UU 30/2014 Pasal 53, en: Law 30/2014 art. 53}
  - {id: event, title: {id: Hari acara, en: Day of the event}, due: day, basis: {id: andaian, en: assumed}}
suspensions:
  - {ground: force_majeure, roles: [head], reasons: [flood], basis: {id: andaian, en: assumed}}
notifications:
  - {id: at-work, on: [deciding], to: applicant, text: {id: Dikerjakan, en: At work}}
states:
  - {id: submitted, kind: start, public: verification, owner: clerk, title: {id: Masuk, en: Submitted}, term: {budget: 2 working days, remind_after: 1 working day, expires: {escalate: [head]}}}
  - {id: returned, kind: wait, public: needs_correction, owner: applicant, title: {id: Dikembalikan, en: Returned}, term: {budget: 30 days, expires: {to: lapsed, ground: lapse, basis: {id: andaian, en: assumed}}}}
  - {id: gathering, kind: gather, public: in_process, owner: clerk, reviews: [safety], title: {id: Menunggu, en: Gathering}}
  - {id: asking, kind: wait, public: in_process, owner: registry, waits_for: residents, title: {id: Bertanya, en: Asking}, term: {budget: 30 working days, expires: {escalate: [head]}}}
  - {id: deciding, kind: work, public: in_process, owner: clerk, title: {id: Memutuskan, en: Deciding}, allocate: {rule: order, assigner: [head]}, term: {budget: 8 working days, expires: {escalate: [head]}}}
  - {id: issued, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Issued}}
  - {id: issued-by-law, kind: end, outcome: approved, public: approved, title: {id: Terbit karena hukum, en: Issued by law}}
  - {id: refused, kind: end, outcome: rejected, public: rejected, title: {id: Ditolak, en: Refused}}
  - {id: lapsed, kind: end, outcome: closed, public: completed, title: {id: Gugur, en: Lapsed}}
actions:
  - {id: accept, title: {id: Nyatakan lengkap, en: Declare complete}}
  - {id: return, title: {id: Kembalikan, en: Return}}
  - {id: resubmit, title: {id: Ajukan kembali, en: Submit again}}
  - {id: ask, title: {id: Tanyakan, en: Ask}}
  - {id: correct, title: {id: Perbaiki, en: Correct}}
  - {id: decide, title: {id: Putuskan, en: Decide}}
  - {id: issue, title: {id: Terbitkan, en: Issue}}
  - {id: refuse, title: {id: Tolak, en: Refuse}}
  - {id: object, title: {id: Keberatan, en: Object}}
transitions:
  - {action: accept, kind: complete, from: [submitted], to: gathering, roles: [clerk], needs: {documents: [title-deed], checklists: [site]}}
  - {action: return, kind: return, from: [gathering, deciding], to: returned, roles: [clerk], reasons: [bad, late], consent: [head]}
  - {action: resubmit, from: [returned], to: gathering, roles: [applicant]}
  - {action: ask, from: [gathering], to: asking, roles: [clerk], needs: {reviews: approved}}
  - {action: correct, kind: correct, from: [asking], to: asking, roles: [applicant]}
  - {action: decide, from: [asking], to: deciding, roles: [head], needs: {answer: found}}
  - {action: refuse, from: [asking], to: refused, roles: [head], reasons: [bad], needs: {answer: missing}}
  - {action: issue, from: [deciding], to: issued, roles: [clerk]}
  - {action: object, kind: reopen, from: [issued-by-law], to: deciding, roles: [head]}
`

// otherwise is the permit under other names.
func otherwise() []byte {
	return []byte(strings.NewReplacer(
		"id: size", "id: area", "title-deed", "deed", "id: sketch", "id: drawing", "id: site", "id: survey", "[site]", "[survey]", "id: boundary", "id: edge",
		"id: retribution", "id: charge", "id: safety", "id: hazards", "[safety]", "[hazards]", "id: residents", "id: people", "waits_for: residents", "waits_for: people",
		"id: decision", "id: verdict", "id: gathering", "id: collecting", "[gathering", "[collecting", "to: gathering", "to: collecting", "id: deciding", "id: working", "[deciding]", "[working]", ", deciding]", ", working]", "to: deciding", "to: working",
		"id: asking", "id: waiting", "[asking]", "[waiting]", "to: asking", "to: waiting", "id: accept", "id: take", "action: accept", "action: take", "id: return,", "id: send-back,", "action: return,", "action: send-back,",
		"id: clerk", "id: officer", "[clerk]", "[officer]", "owner: clerk", "owner: officer", "id: fire", "id: brigade", "role: fire", "role: brigade",
	).Replace(whole))
}

const otherwiseMap = `migration: 1
facts: {size: area}
documents: {title-deed: deed, sketch: drawing}
checklists: {site: {to: survey, items: {boundary: edge}}}
fees: {retribution: charge}
reviews: {safety: hazards}
systems: {residents: people}
terms: {decision: verdict}
states: {gathering: collecting, deciding: working, asking: waiting}
actions: {accept: take, return: send-back}
roles: {clerk: officer, fire: brigade}
`

// little is a permit that has next to nothing of it, and other times.
const little = `alur: 1
id: whole
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: head, title: {id: Kepala, en: Head}, capacities: [officer]}
  - {id: boss, title: {id: Atasan, en: Boss}, capacities: [officer]}
submit: [applicant]
payers: [head]
reasons:
  - {code: flood, title: {id: Banjir, en: Flood}}
facts:
  - {id: day, type: time, title: {id: Hari, en: Day}}
  - {id: risk, type: string, title: {id: Risiko, en: Risk}, values: [low, high], required: true}
documents:
  - {id: letter, title: {id: Surat, en: Letter}, formats: [pdf], max_size: 5 MB, required: true, by: [applicant]}
fees:
  - {id: stamp, title: {id: Meterai, en: Stamp}, amount: 5000, due_in: [looking], basis: {id: Perda, en: By-law}}
terms:
  - id: verdict
    title: {id: Jangka waktu keputusan, en: Time for the decision}
    budget: 14 working days
    promise: 8 working days
    remind_after: 1 working day
    expires: {to: issued-by-law, ground: deemed_approval}
    basis: {id: UU 30/2014 Pasal 53, en: Law 30/2014 art. 53}
  - {id: event, title: {id: Hari acara, en: Day of the event}, due: day, basis: {id: andaian, en: assumed}}
suspensions:
  - {ground: force_majeure, roles: [head], reasons: [flood], basis: {id: andaian, en: assumed}}
states:
  - {id: submitted, kind: start, public: verification, owner: head, title: {id: Masuk, en: Submitted}}
  - {id: looking, kind: work, public: verification, owner: head, title: {id: Melihat, en: Looking}, term: {budget: 8 working days, expires: {escalate: [boss, head]}}}
  - {id: issued, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Issued}}
  - {id: issued-by-law, kind: end, outcome: approved, public: approved, title: {id: Terbit karena hukum, en: Issued by law}}
actions:
  - {id: check, title: {id: Periksa, en: Check}}
  - {id: issue, title: {id: Terbitkan, en: Issue}}
  - {id: object, title: {id: Keberatan, en: Object}}
transitions:
  - {action: check, kind: complete, from: [submitted], to: looking, roles: [head]}
  - {action: issue, from: [looking], to: issued, roles: [head]}
  - {action: object, kind: reopen, from: [issued-by-law], to: looking, roles: [head]}
`

const littleMap = `migration: 1
facts: {size: ~}
values: {risk: low}
documents: {title-deed: ~, sketch: ~}
checklists: {site: ~}
fees: {retribution: ~}
reviews: {safety: ~}
systems: {residents: ~}
terms: {decision: {to: verdict, take: new}}
states: {gathering: looking, deciding: {to: looking, as: moved}, asking: {to: looking, as: moved}, returned: {to: looking, as: moved}}
actions: {accept: check, return: ~, resubmit: ~, ask: ~, correct: ~, decide: ~, refuse: ~}
roles: {clerk: ~, fire: ~, registry: ~}
`

// filled are requests that hold all that a request can, between them.
func filled(t *testing.T, b *bench) []domain.Request {
	t.Helper()
	d := b.publish([]byte(whole)).Definition
	begin := func() uuid.UUID {
		id := b.submit(d, domain.Facts{"size": 40.0, "day": b.now.AddDate(2, 0, 0).Format(time.RFC3339)}).ID
		b.give(id, domain.Attach{Header: b.header(d, "applicant"), Document: "title-deed", Format: "pdf", Bytes: 7, SHA256: strings.Repeat("ab", 32)})
		b.give(id, domain.Attach{Header: b.header(d, "applicant"), Document: "sketch", Format: "pdf", Bytes: 7, SHA256: strings.Repeat("cd", 32)})
		b.give(id, domain.RefuseDocument{Header: b.header(d, "clerk"), Document: "sketch", Reason: "bad"})
		for _, item := range []domain.CheckID{"boundary", "road"} {
			b.give(id, domain.AnswerCheck{Header: b.header(d, "clerk"), Check: domain.Check{Checklist: "site", Item: item}, Yes: true})
		}
		return id
	}
	asked := func(id uuid.UUID) {
		b.act(d, id, "clerk", "accept", "")
		b.act(d, id, "clerk", "return", "bad")
		b.act(d, id, "applicant", "resubmit", "")
		b.give(id, domain.Pay{Header: b.header(d, "clerk"), Fee: "retribution", Amount: 100_000, Receipt: "R-1"})
		b.give(id, domain.GiveReview{Header: b.header(d, "fire"), Review: "safety", Opinion: domain.OpinionApproved})
		b.act(d, id, "clerk", "ask", "")
		b.give(id, domain.ReportAnswer{Header: b.header(d, "registry"), Answer: domain.Answer{System: "residents", Outcome: "found"}})
	}
	// The first was extended, and reopened after the law had decided.
	reopened := begin()
	asked(reopened)
	b.act(d, reopened, "head", "decide", "")
	b.give(reopened, domain.ExtendTerm{Header: b.header(d, "head"), Term: "decision", Reason: "late"})
	b.now = b.now.AddDate(0, 0, 45)
	b.run(reopened)
	b.act(d, reopened, "head", "object", "")
	// Of the next, time has run out; terms of the next were ordered to stand still.
	late, stopped := begin(), begin()
	b.give(stopped, domain.OrderSuspension{Header: b.header(d, "head"), Ground: domain.StopForceMajeure, Reason: "flood"})
	b.now = b.now.AddDate(0, 0, 5)
	// The next is worked on, and waits to be sent back again.
	working, waiting := begin(), begin()
	asked(working)
	b.act(d, working, "head", "decide", "")
	b.give(working, domain.Pick{Header: b.header(d, "clerk")})
	b.give(working, domain.ConsentReturn{Header: b.header(d, "head"), Action: "return", Reason: "late"})
	// An opinion stands against the next.
	opposed := begin()
	b.act(d, opposed, "clerk", "accept", "")
	b.give(opposed, domain.GiveReview{Header: b.header(d, "fire"), Review: "safety", Opinion: domain.OpinionRefused, Reason: "bad"})
	// In the last a system has answered, and its fees are stale.
	asked(waiting)
	b.give(waiting, domain.Act{Header: b.header(d, "applicant"), Action: "correct", Facts: domain.Facts{"size": 41.0}})
	var list []domain.Request
	for _, id := range []uuid.UUID{reopened, late, stopped, working, opposed, waiting} {
		list = append(list, b.run(id))
	}
	return list
}

// tells says of every field that a request has by which kinds of change the dry run tells
// when a migration makes it another, or why it has not to. A field that is added to a
// request has to be added here, and something has to make it another below.
var tells = map[string]any{
	"ID":        stays,
	"Reference": stays,
	"Tenant":    stays,
	"Service":   stays,
	"Workflow":  because("the migration is just that"),
	"State":     because("the way is told of each group"),
	"Public":    kinds(migration.KindStatus),
	"Outcome":   because("the way is told of each group"),
	"Facts[]":   kinds(migration.KindFact),

	"Dossier.Documents[].Version": kinds(migration.KindHandedIn),
	"Dossier.Documents[].Refused": kinds(migration.KindHandedIn),
	"Dossier.Documents[].Reason":  kinds(migration.KindHandedIn),
	"Dossier.Checks[][]":          kinds(migration.KindCheck),
	"Dossier.Fees[].Amount":       kinds(migration.KindFee),
	"Dossier.Fees[].Received":     kinds(migration.KindFee),
	"Dossier.Fees[].Stale":        kinds(migration.KindFee),
	"Dossier.Reviews[].Opinion":   kinds(migration.KindReview),
	"Dossier.Reviews[].Reason":    kinds(migration.KindReview),
	"Dossier.Reviews[].Asked":     kinds(migration.KindReview),
	"Dossier.Answers[]":           kinds(migration.KindAnswer),
	"Dossier.Reported[]":          kinds(migration.KindAnswer),
	"Dossier.Entered":             because("since when it is in its state: the way is told of each group"),
	"Dossier.Ready":               kinds(migration.KindTask),
	"Dossier.Picked":              kinds(migration.KindTask),
	"Dossier.Told[]":              because("of the state: what is announced anew is told as a notice"),

	"Terms[].Budget":         kinds(migration.KindTerm),
	"Terms[].Until":          stays,
	"Terms[].Promise":        kinds(migration.KindPromise, migration.KindTerm),
	"Terms[].Started":        kinds(migration.KindTerm),
	"Terms[].Stops[].From":   kinds(migration.KindTerm),
	"Terms[].Stops[].To":     kinds(migration.KindTerm),
	"Terms[].Stops[].Ground": kinds(migration.KindTerm),
	"Terms[].Extended[].At":  stays,
	"Terms[].Extended[].By":  stays,
	"Terms[].Steps":          kinds(migration.KindLadder, migration.KindTerm),
	"Terms[].Taken[]":        kinds(migration.KindLadder),
	"Terms[].Expired":        stays, // what has come by then comes before the migration
	"Terms[].Ended":          kinds(migration.KindTerm),
	"Terms[].Kept":           kinds(migration.KindTerm),
	"Terms[].Decided":        stays,
	"Terms[].Dropped":        kinds(migration.KindTerm),
	"Terms[].Left":           kinds(migration.KindTerm, migration.KindLadder),
	"Terms[].Unsure":         kinds(migration.KindTerm),
	"Terms[].Due":            kinds(migration.KindTerm),
	"Terms[].Promised":       kinds(migration.KindPromise, migration.KindTerm),
	"Terms[].Wakes":          kinds(migration.KindLadder, migration.KindTerm),
	"Terms[].Calendar":       because("what a decree moves has an event of its own, and is told as a term"),
	"Halt":                   stays,
	"Returned[]":             stays,
	"Consent.Action":         kinds(migration.KindConsent),
	"Consent.Reason":         stays,
	"Consent.By":             stays,
	"Imported":               because("a history that ran elsewhere: nothing of it is reckoned"),
	"Submitted":              stays,
	"Changed":                because("when the last event was"),
	"Version":                because("how many events there are"),
	"Key":                    because("its personal data stays under its key"),
	"done.actions":           kinds(migration.KindPast),
	"done.roles":             kinds(migration.KindPast),
}

type because string

const stays = because("")

func kinds(list ...migration.Kind) []migration.Kind { return list }

// held are the values of all fields of a request by their names, in a map or list all
// together: what is only called otherwise is the same.
func held(r domain.Request) map[string][]string {
	all := map[string][]string{}
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		switch {
		case v.Kind() == reflect.Pointer && v.Type() == reflect.TypeFor[*domain.Consent]():
			if v.IsNil() {
				v = reflect.New(v.Type().Elem())
			}
			walk(path, v.Elem())
		case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]() && v.Type() != reflect.TypeFor[domain.WorkflowRef]():
			for i := range v.NumField() {
				if f := v.Type().Field(i); f.IsExported() {
					walk(strings.TrimPrefix(path+"."+f.Name, "."), v.Field(i))
				}
			}
		case v.Kind() == reflect.Map, v.Kind() == reflect.Slice:
			if v.Len() == 0 {
				walkType(path+"[]", v.Type().Elem(), all)
			}
			if v.Kind() == reflect.Map {
				for each := v.MapRange(); each.Next(); {
					walk(path+"[]", each.Value())
				}
				return
			}
			for i := range v.Len() {
				walk(path+"[]", v.Index(i))
			}
		default:
			s := fmt.Sprint(v.Interface())
			switch {
			case v.IsZero():
				s = ""
			case v.Type() == reflect.TypeFor[domain.ActionID]():
				s = "named"
			}
			all[path] = append(all[path], s)
		}
	}
	walk("", reflect.ValueOf(r))
	for path := range all {
		all[path] = slices.DeleteFunc(all[path], func(s string) bool { return s == "" })
		slices.Sort(all[path])
	}
	return all
}

// walkType names the fields of what there is none of.
func walkType(path string, t reflect.Type, all map[string][]string) {
	switch {
	case t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]():
		for i := range t.NumField() {
			walkType(path+"."+t.Field(i).Name, t.Field(i).Type, all)
		}
	case t.Kind() == reflect.Map, t.Kind() == reflect.Slice:
		walkType(path+"[]", t.Elem(), all)
	default:
		all[path] = append(all[path], "")
	}
}

// Whatever a request holds and a migration makes another is told before.
func TestNothingIsLostUntold(t *testing.T) {
	moved := strings.Replace(whole, "budget: 12 working days", "budget: 11 working days", 1)
	end := "{to: issued, ground: {id: Perwal 9/2026, en: Regulation 9/2026}}"
	changed, had := map[string]bool{}, map[string]bool{}
	for name, x := range map[string]struct{ next, text string }{
		"renamed": {string(otherwise()), otherwiseMap},
		"lost":    {little, littleMap},
		"moved":   {moved, "migration: 1\nstates: {deciding: {to: submitted, as: moved}, asking: {to: gathering, as: moved}}\n"},
		"ended":   {moved, strings.NewReplacer("END", end).Replace("migration: 1\nstates: {submitted: END, asking: END, deciding: END}\n")},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, memory.New())
			filled(t, b)
			b.now = b.now.AddDate(0, 0, 2)
			b.publish([]byte(x.next))
			m, err := b.migrator().Prepare(t.Context(), tenant, "whole", 1, 2, "map.yaml", []byte(x.text))
			if err != nil {
				t.Fatal(err)
			}
			report, err := b.migrator().Forecast(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range migration.Groups(report.Requests) {
				for i, c := range g.Requests[0].Changes {
					if words := g.Words(i, func(at time.Time) string { return at.Format("02-01") }); len(words) < len(c.ID)+10 || strings.HasSuffix(words, c.ID) {
						t.Errorf("%+v is told as %q", c, words)
					} else {
						t.Log(words)
					}
				}
			}
			for _, f := range report.Requests {
				if f.Refusal != "" {
					if name == "lost" { // one that nobody could lift, and one that was extended
						continue
					}
					t.Fatalf("in %s: %s", f.From, f.Refusal)
				}
				before, after := held(f.Foreseen.Before), held(f.Foreseen.After)
				before["done.actions"], after["done.actions"] = actionsOf(f, m)
				before["done.roles"], after["done.roles"] = rolesOf(f)
				if len(before) != len(tells) {
					t.Errorf("%d fields, and %d are told of", len(before), len(tells))
				}
				for path := range before {
					had[path] = had[path] || len(before[path]) > 0
					if slices.Equal(before[path], after[path]) {
						continue
					}
					changed[path] = true
					told := func(c migration.Change) bool { return slices.Contains(tells[path].([]migration.Kind), c.Kind) }
					switch how := tells[path].(type) {
					case nil:
						t.Errorf("of %s nobody knows how it is told", path)
					case because:
						if how == stays {
							t.Errorf("in %s, %s was %v, and is %v", f.From, path, before[path], after[path])
						}
					case []migration.Kind:
						if !slices.ContainsFunc(f.Changes, told) {
							t.Errorf("in %s, %s was %v, and is %v; told: %+v", f.From, path, before[path], after[path], f.Changes)
						}
					}
				}
			}
		})
	}
	for path, how := range tells {
		if _, moves := how.([]migration.Kind); moves && !changed[path] && path != "Terms[].Unsure" {
			t.Errorf("nothing makes %s another", path)
		}
		if !had[path] && !slices.Contains([]string{"Outcome", "Imported", "Key", "Terms[].Kept", "Terms[].Dropped", "Terms[].Unsure"}, path) {
			t.Errorf("no request has %s", path)
		}
	}
}

// actionsOf counts what was done, by the names before and after.
func actionsOf(f migration.Forecast, m *migration.Migration) (before, after []string) {
	for _, a := range m.From.Definition.Actions {
		for range f.Foreseen.Before.Times(a.ID) {
			before = append(before, "done")
		}
	}
	for _, a := range m.To.Definition.Actions {
		for range f.Foreseen.After.Times(a.ID) {
			after = append(after, "done")
		}
	}
	return before, after
}

// rolesOf are the roles in which somebody acted, as the event maps them.
func rolesOf(f migration.Forecast) (before, after []string) {
	before, after = []string{"x"}, []string{"x"}
	for _, e := range f.Foreseen.Events {
		b, ok := e.Body.(domain.RequestMigrated)
		if !ok {
			continue
		}
		for _, now := range b.Mapping.Roles {
			if before = append(before, "x"); now != "" {
				after = append(after, "x")
			}
		}
	}
	return before, after
}
