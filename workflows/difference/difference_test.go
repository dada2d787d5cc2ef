package difference

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// full fills everything that a definition can say, each with a value of its own.
type full struct{ n int }

func (f *full) fill(v reflect.Value) {
	f.n++
	switch v.Kind() {
	case reflect.String:
		v.SetString("s" + strconv.Itoa(f.n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(f.n))
	case reflect.Float64:
		v.SetFloat(float64(f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Interface:
		v.Set(reflect.ValueOf("any" + strconv.Itoa(f.n)))
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]any{"properties": map[string]any{"name": map[string]any{"type": "string"}, "a": map[string]any{}}}).Convert(v.Type()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if x := v.Type().Field(i); x.IsExported() && x.Type != reflect.TypeFor[[]workflows.Scenario]() {
				f.fill(v.Field(i))
			}
		}
	default:
		panic("the language has a field of a kind that is not known here: " + v.Kind().String())
	}
}

func whole() *workflows.Definition {
	var d workflows.Definition
	(&full{}).fill(reflect.ValueOf(&d).Elem())
	return &d
}

// mutations visits every value of a definition, and changes it in every way that a
// value of its kind can be changed; see is told after each, and it is put back.
func mutations(v reflect.Value, path string, see func(path string)) {
	try := func(how string, to reflect.Value) {
		old := reflect.New(v.Type()).Elem()
		old.Set(v)
		v.Set(to)
		see(path + how)
		v.Set(old)
	}
	made := func(set func(reflect.Value)) reflect.Value {
		n := reflect.New(v.Type()).Elem()
		n.Set(v)
		set(n)
		return n
	}
	switch v.Kind() {
	case reflect.String:
		try(" other", made(func(n reflect.Value) { n.SetString("other") }))
		try(" empty", reflect.Zero(v.Type()))
	case reflect.Int, reflect.Int64:
		try(" other", made(func(n reflect.Value) { n.SetInt(v.Int() + 1) }))
	case reflect.Float64:
		try(" other", made(func(n reflect.Value) { n.SetFloat(v.Float() + 1) }))
	case reflect.Bool:
		try(" other", made(func(n reflect.Value) { n.SetBool(!v.Bool()) }))
	case reflect.Interface:
		try(" other", reflect.ValueOf(any("other")))
		try(" another type", reflect.ValueOf(any(true)))
		try(" none", reflect.Zero(v.Type()))
	case reflect.Map:
		try(" none", reflect.Zero(v.Type()))
		try(" other", reflect.ValueOf(map[string]any{"properties": map[string]any{"name": map[string]any{"type": "number"}, "a": map[string]any{}}}))
	case reflect.Pointer:
		try(" none", reflect.Zero(v.Type()))
		mutations(v.Elem(), path, see)
	case reflect.Slice:
		try(" none", reflect.Zero(v.Type()))
		try(" one less", v.Slice(0, 1))
		try(" one twice", reflect.Append(v.Slice(0, 2), v.Index(0)))
		swapped := reflect.MakeSlice(v.Type(), 2, 2)
		swapped.Index(0).Set(v.Index(1))
		swapped.Index(1).Set(v.Index(0))
		try(" swapped", swapped)
		for i := range v.Len() {
			// A slice shares its items with the definition it is compared with.
			own := reflect.MakeSlice(v.Type(), 2, 2)
			reflect.Copy(own, v)
			old := reflect.ValueOf(v.Interface())
			v.Set(own)
			mutations(v.Index(i), fmt.Sprintf("%s[%d]", path, i), see)
			v.Set(old)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if x := v.Type().Field(i); x.IsExported() && x.Type != reflect.TypeFor[[]workflows.Scenario]() {
				mutations(v.Field(i), path+"."+x.Name, see)
			}
		}
	default:
		panic("the language has a field of a kind that is not known here: " + v.Kind().String())
	}
}

// Whatever is changed in a definition, the report tells of it, in words. A field that
// is added to the language fails here until it has words in fieldWords.
func TestNothingThatDiffersIsLeftOut(t *testing.T) {
	before, after := whole(), whole()
	n := 0
	mutations(reflect.ValueOf(after).Elem(), "Definition", func(path string) {
		n++
		for _, r := range []Report{Between(before, after), Between(after, before)} {
			if len(r.Changes) == 0 {
				t.Errorf("%s: no difference", path)
			}
			for _, c := range r.Changes {
				if c.field != "" {
					t.Errorf("%s: the field %s has no words in fieldWords", path, c.field)
				}
				if c.Text.ID == "" || c.Text.EN == "" || strings.Contains(c.Text.EN+c.Text.ID, "%!") || !known(c.Group) {
					t.Errorf("%s: %+v", path, c)
				}
			}
			if r.Words("en") == "" || r.Words("id") == "" {
				t.Errorf("%s: nothing is said", path)
			}
		}
	})
	if n < 500 {
		t.Errorf("only %d mutations", n)
	}
	if d := cmp.Diff(Report{Changes: []Change{}}, Between(before, whole()), cmp.AllowUnexported(Change{})); d != "" {
		t.Errorf("the mutations did not leave the definition as it was, or nothing is told as something\n%s", d)
	}
}

func known(g Group) bool {
	return slices.ContainsFunc(groups, func(x groupTitle) bool { return x.group == g })
}

// Every field of the language has words, and there are none for fields that are not.
func TestWordsAreThoseOfTheLanguage(t *testing.T) {
	fields := map[string]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice:
			walk(typ.Elem())
		case reflect.Struct:
			switch typ {
			case reflect.TypeFor[workflows.Text](), reflect.TypeFor[workflows.Budget](), reflect.TypeFor[workflows.Condition](),
				reflect.TypeFor[workflows.Form](), reflect.TypeFor[workflows.Scenario]():
				return
			}
			for i := range typ.NumField() {
				if f := typ.Field(i); f.IsExported() && f.Type != reflect.TypeFor[[]workflows.Scenario]() {
					fields[typ.Name()+"."+f.Name] = true
					walk(f.Type)
				}
			}
		default:
		}
	}
	walk(reflect.TypeFor[workflows.Definition]())
	for f := range fields {
		if _, ok := fieldWords[f]; !ok {
			t.Errorf("no words for %s", f)
		}
	}
	for f := range fieldWords {
		if !fields[f] {
			t.Errorf("words for %s, which is no field", f)
		}
	}
}

// shipped are the definitions of the catalogue.
func shipped(t testing.TB) map[string]*workflows.Definition {
	files, err := filepath.Glob("../catalogue/*/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	all := map[string]*workflows.Definition{}
	for _, f := range files {
		source, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if all[filepath.Base(f)], err = workflows.Read(f, source); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func read(t testing.TB, source string) *workflows.Definition {
	t.Helper()
	d, err := workflows.Read("w.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A definition does not differ from itself, however it is written; two services
// differ, and what is new in one direction is gone in the other.
func TestTheCatalogueAgainstItself(t *testing.T) {
	all := shipped(t)
	for name, d := range all {
		text, err := workflows.Write(d, "another comment")
		if err != nil {
			t.Fatal(err)
		}
		if r := Between(d, read(t, string(text))); len(r.Changes) > 0 || r.Words("en") != "" {
			t.Errorf("%s written anew:\n%s", name, r.Words("en"))
		}
	}
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range all {
			if !yield(name) {
				return
			}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SampledFrom(names).Draw(t, "a"), rapid.SampledFrom(names).Draw(t, "b")
		there, back := Between(all[a], all[b]), Between(all[b], all[a])
		if (a == b) != (len(there.Changes) == 0) {
			t.Errorf("%s and %s: %d changes", a, b, len(there.Changes))
		}
		if x, y := count(there, Added), count(back, Removed); x != y {
			t.Errorf("%s to %s: %d new there, %d gone back", a, b, x, y)
		}
		if again := Between(all[a], all[b]); again.Words("id") != there.Words("id") {
			t.Error("the same two give two reports")
		}
	})
}

func count(r Report, k Kind) int {
	n := 0
	for _, c := range r.Changes {
		if c.Kind == k {
			n++
		}
	}
	return n
}

const permit = `alur: 1
id: permit
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
  - {id: head, title: {id: Kepala, en: Head}, capacities: [officer]}
submit: [applicant]
payers: [clerk]
reasons:
  - {code: false-data, title: {id: Data palsu, en: False data}}
fees:
  - {id: retribution, title: {id: Retribusi, en: Retribution}, amount: 100000, due_in: [checked], basis: {id: Perda, en: Bylaw}}
terms:
  - {id: law, title: {id: Hukum, en: Law}, budget: 5 working days, starts: [check], basis: {id: UU, en: Law}}
states:
  - {id: submitted, kind: start, public: verification, owner: clerk, title: {id: Masuk, en: Submitted}}
  - {id: waiting, kind: wait, public: needs_correction, owner: applicant, title: {id: Tunggu, en: Waiting}, term: {budget: 10 days, expires: {to: refused, ground: lapse}}}
  - {id: checked, kind: work, public: in_process, owner: head, title: {id: Diperiksa, en: Checked}}
  - {id: issued, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Issued}}
  - {id: refused, kind: end, outcome: rejected, public: rejected, title: {id: Ditolak, en: Refused}}
actions:
  - {id: check, title: {id: Periksa, en: Check}}
  - {id: return, title: {id: Kembalikan, en: Return}}
  - {id: mend, title: {id: Perbaiki, en: Mend}}
  - {id: issue, title: {id: Terbitkan, en: Issue}}
  - {id: refuse, title: {id: Tolak, en: Refuse}}
transitions:
  - {action: check, from: [submitted], to: checked, roles: [clerk]}
  - {action: return, from: [submitted], to: waiting, roles: [clerk], reasons: [false-data]}
  - {action: mend, from: [waiting], to: submitted, roles: [applicant]}
  - {action: issue, from: [checked], to: issued, roles: [head], needs: {fees: [retribution]}}
  - {action: refuse, from: [checked], to: refused, roles: [head], reasons: [false-data]}
tests:
  - {name: issued, when: [{act: check}, {pay: retribution, amount: 100000}, {act: issue}], then: {state: issued}}
`

func TestWhatIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		replace []string
		en, id  string
	}{
		"nothing": {nil, "", ""},
		"a longer term": {
			[]string{"budget: 5 working days", "budget: 7 working days"},
			"Terms\n  term law: was 5 working days, now 7 working days: longer, the citizen may wait longer\n",
			"Jangka waktu\n  jangka waktu law: dulu 5 hari kerja, kini 7 hari kerja: lebih lama, warga dapat menunggu lebih lama\n",
		},
		"a shorter term, in other units": {
			[]string{"budget: 5 working days", "budget: 5 days"},
			"Terms\n  term law: was 5 working days, now 5 days: it is counted otherwise\n", "",
		},
		"less time for the citizen": {
			[]string{"budget: 10 days", "budget: 100 hours"},
			"Terms\n  state waiting: time limit: was 10 days, now 100 hours: shorter, the citizen has less time\n",
			"Jangka waktu\n  keadaan waiting: batas waktu: dulu 10 hari, kini 100 jam: lebih singkat, waktu warga dipersingkat\n",
		},
		"the clock stops": {
			[]string{"starts: [check]", "starts: [check], suspended_in: [waiting]"},
			"Terms\n  term law: suspended in: now also waiting\n", "",
		},
		"who may, four eyes, a condition": {
			[]string{"to: issued, roles: [head]", "to: issued, roles: [head, clerk], not_by: [check], when: history.did('check')"},
			"Transitions\n" +
				"  transition issue (checked → issued): who may: now also clerk\n" +
				"  transition issue (checked → issued): condition: was none, now history.did('check')\n" +
				"  transition issue (checked → issued): not by who did: now also check\n", "",
		},
		"a fee": {
			[]string{"amount: 100000, due", "amount: 150000, due", "amount: 100000}", "amount: 150000}"},
			"Fees\n  fee retribution: amount in rupiah: was 100000, now 150000\nTests in the file\n  were 1, are 1: 0 new, 0 gone, 1 changed\n",
			"Biaya\n  biaya retribution: jumlah dalam rupiah: dulu 100000, kini 150000\nUji dalam berkas\n  dulu 1, kini 1: 0 baru, 0 dihapus, 1 berubah\n",
		},
		"the fee is no longer needed": {
			[]string{", needs: {fees: [retribution]}", "", "{pay: retribution, amount: 100000}, ", ""},
			"Transitions\n  transition issue (checked → issued): needs: fees paid: no longer retribution\nTests in the file\n  were 1, are 1: 0 new, 0 gone, 1 changed\n", "",
		},
		"another name for a state": {
			[]string{"id: checked", "id: with-head", "[checked]", "[with-head]", "to: checked", "to: with-head"},
			"States\n  state checked seems to be called with-head now (a guess: same kind, status and owner, like transitions)\n",
			"Keadaan\n  keadaan checked tampaknya kini bernama with-head (dugaan: macam, status dan petugasnya sama, peralihannya serupa)\n",
		},
		"a date instead of a budget": {
			[]string{"budget: 5 working days", "due: held", "roles:\n", "facts:\n  - {id: held, type: time, title: {id: Hari acara, en: Day of the event}}\nroles:\n"},
			"Terms\n  term law: was 5 working days, now until the date in fact held: it is counted otherwise\nFacts and form\n  fact held: new: type time; title Day of the event\n",
			"Jangka waktu\n  jangka waktu law: dulu 5 hari kerja, kini sampai tanggal dalam fakta held: dihitung dengan cara lain\nFakta dan formulir\n  fakta held: baru: jenis time; nama Hari acara\n",
		},
		"only one language": {
			[]string{"en: Permit}", "en: Licence}"},
			"Service and its standard\n  service title (the English text): was \"Permit\", now \"Licence\"\n",
			"Layanan dan standarnya\n  nama layanan (teks Inggris): dulu \"Permit\", kini \"Licence\"\n",
		},
		"a transition leads elsewhere, one is new, one is gone": {
			[]string{
				"{action: mend, from: [waiting], to: submitted, roles: [applicant]}", "{action: mend, from: [waiting], to: checked, roles: [applicant]}",
				"  - {action: refuse, from: [checked], to: refused, roles: [head], reasons: [false-data]}\n", "  - {action: issue, from: [submitted], to: issued, roles: [clerk], automatic: false}\n",
				"  - {id: refuse, title: {id: Tolak, en: Refuse}}\n", "",
			},
			"Transitions\n" +
				"  action refuse: gone\n" +
				"  transition mend (waiting → checked): leads to: was submitted, now checked\n" +
				"  transition issue (submitted → issued): new: who may clerk\n" +
				"  transition refuse (checked → refused): gone\n", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := Between(read(t, permit), read(t, strings.NewReplacer(c.replace...).Replace(permit)))
			if d := cmp.Diff(c.en, r.Words("en")); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if c.id != "" && r.Words("id") != c.id {
				t.Errorf("got\n%s\nwant\n%s", r.Words("id"), c.id)
			}
		})
	}
}

// When somebody is reminded, and what is promised, is not how long the citizen waits.
func TestAReminderIsNoWaiting(t *testing.T) {
	with := func(law, own string) *workflows.Definition {
		return read(t, strings.NewReplacer("budget: 5 working days", "budget: 5 working days"+law, "budget: 10 days", "budget: 10 days"+own).Replace(permit))
	}
	none, second, fourth := "", ", remind_after: 2 working days", ", remind_after: 4 working days"
	for name, c := range map[string]struct {
		before, after *workflows.Definition
		en, id        string
	}{
		"sooner": {
			with(fourth, none), with(second, none),
			"reminded after: was 4 working days, now 2 working days: whoever has the work is reminded sooner",
			"diingatkan setelah: dulu 4 hari kerja, kini 2 hari kerja: petugas diingatkan lebih awal",
		},
		"later": {
			with(second, none), with(fourth, none),
			"reminded after: was 2 working days, now 4 working days: whoever has the work is reminded later",
			"diingatkan setelah: dulu 2 hari kerja, kini 4 hari kerja: petugas diingatkan lebih lambat",
		},
		"newly": {
			with(none, none), with(fourth, none),
			"reminded after: was none, now 4 working days: there is a reminder now",
			"diingatkan setelah: dulu tidak ada, kini 4 hari kerja: kini ada pengingat",
		},
		"no longer": {
			with(fourth, none), with(none, none),
			"reminded after: was 4 working days, now none: there is no reminder any more",
			"diingatkan setelah: dulu 4 hari kerja, kini tidak ada: tidak ada pengingat lagi",
		},
		"of the citizen": {
			with(none, ", remind_after: 8 days"), with(none, ", remind_after: 5 days"),
			"reminded after: was 8 days, now 5 days: the citizen is reminded sooner",
			"diingatkan setelah: dulu 8 hari, kini 5 hari: warga diingatkan lebih awal",
		},
		"a promise": {
			with(none, none), with(", promise: 3 working days", none),
			"promise: was none, now 3 working days: there is a promise now",
			"janji: dulu tidak ada, kini 3 hari kerja: kini ada janji",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := Between(c.before, c.after)
			for lang, want := range map[string]string{"en": c.en, "id": c.id} {
				if got := r.Words(lang); !strings.HasSuffix(got, ": "+want+"\n") {
					t.Errorf("got\n%s\nwant it to end with\n%s", got, want)
				}
			}
		})
	}
}

// A state of another kind, or with other ways in and out, is another state.
func TestWhatIsNoRename(t *testing.T) {
	for name, replace := range map[string][]string{
		"another owner": {"id: checked, kind: work, public: in_process, owner: head", "id: with-head, kind: work, public: in_process, owner: clerk", "[checked]", "[with-head]", "to: checked", "to: with-head"},
		"other ways": {
			"id: checked", "id: with-head", "[checked]", "[with-head]", "to: checked", "to: with-head",
			"action: check,", "action: pass,", "action: issue,", "action: sign,", "action: refuse,", "action: deny,",
			"id: check,", "id: pass,", "id: issue,", "id: sign,", "id: refuse,", "id: deny,", "act: check", "act: pass", "act: issue", "act: sign", "[check]", "[pass]",
		},
	} {
		r := Between(read(t, permit), read(t, strings.NewReplacer(replace...).Replace(permit)))
		if count(r, Renamed) > 0 {
			t.Errorf("%s:\n%s", name, r.Words("en"))
		}
	}
}

// The guess leaves the definitions as they were.
func TestAGuessChangesNothing(t *testing.T) {
	before := read(t, permit)
	after := read(t, strings.NewReplacer("id: checked", "id: with-head", "[checked]", "[with-head]", "to: checked", "to: with-head").Replace(permit))
	if r := Between(before, after); count(r, Renamed) != 1 {
		t.Fatal(r)
	}
	if d := Between(before, read(t, permit)); len(d.Changes) > 0 || before.Transitions[0].To != domain.StateID("checked") {
		t.Errorf("%s", d.Words("en"))
	}
}
