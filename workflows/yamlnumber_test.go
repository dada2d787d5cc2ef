package workflows_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/workflows"
)

// A number that is not written as JSON writes it is read as it always was, since a version
// that was published has to load, and stands against publishing another.
func TestANumberIsWrittenAsJSONWritesIt(t *testing.T) {
	source := tiny(map[string]string{"top": numberFact(`  - {id: many, type: number, title: {id: M, en: M}, default: 0x10}
  - {id: word, type: string, title: {id: W, en: W}, values: ["1e3", 08], default: 08}
form: {type: object, properties: {n: {type: number, minimum: -010, maximum: 1_000, enum: [+5, .5, 5., 0o17, 0b11, 01.5, 09, 01e3, -0, 1e3]}}}
payers: [clerk]
fees: [{id: f, title: {id: F, en: 1e6}, table: {fact: n, rows: [{up_to: 010, amount: 050000}, {amount: 0100_000}]}, due_in: [a], basis: {id: L, en: L}}]
`)})
	d, findings, err := workflows.Check("w.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"n":{"enum":[5,0.5,5,15,3,1.5,"09",1000,0,1000],"maximum":1000,"minimum":-8,"type":"number"}} 16 "08" 8 20480 32768`
	var read []string
	for _, v := range []any{d.Form.Schema["properties"], d.Facts[2].Default, d.Facts[3].Default, *d.Fees[0].Table.Rows[0].UpTo, d.Fees[0].Table.Rows[0].Amount, d.Fees[0].Table.Rows[1].Amount} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		read = append(read, string(text))
	}
	if got := strings.Join(read, " "); got != want {
		t.Errorf("want %s\n got %s", want, got)
	}
	var told []string
	for _, f := range findings {
		if f.Rule == workflows.FindingNumber {
			told = append(told, f.Message)
		}
	}
	if diff := cmp.Diff([]string{
		"fact default: 0x10 is not a number as JSON writes it: write 16",
		"fact value: 08 is taken for text here, and other programs read it as a number: put it in quotes, or write a number as JSON does",
		"fact default: 08 is taken for text here, and other programs read it as a number: put it in quotes, or write a number as JSON does",
		"form: -010 is read as -8, since it begins with 0: write -10, or -8 if that is meant",
		"form: 1_000 is not a number as JSON writes it: write 1000",
		"form: +5 is not a number as JSON writes it: write 5",
		"form: .5 is not a number as JSON writes it: write 0.5",
		"form: 5. is not a number as JSON writes it: write 5",
		"form: 0o17 is not a number as JSON writes it: write 15",
		"form: 0b11 is not a number as JSON writes it: write 3",
		"form: 01.5 is not a number as JSON writes it: write 1.5",
		"form: 09 is taken for text here, and other programs read it as a number: put it in quotes, or write a number as JSON does",
		"form: 01e3 is not a number as JSON writes it: write 1000",
		"fee title in English: 1e6 is taken for text here, and other programs read it as a number: put it in quotes, or write a number as JSON does",
		"row up_to: 010 is read as 8, since it begins with 0: write 10, or 8 if that is meant",
		"row amount: 050000 is read as 20480, since it begins with 0: write 50000, or 20480 if that is meant",
		"row amount: 0100_000 is read as 32768, since it begins with 0: write 100000, or 32768 if that is meant",
	}, told); diff != "" {
		t.Errorf("(-want +told)\n%s", diff)
	}
}
