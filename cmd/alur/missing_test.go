package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What becomes of a verb where there is no database: refused is for those that need one;
// makes for those that begin one; neither for those that want none, and for those that
// would begin one and whose input is refused: these say so, and leave nothing behind.
type withoutDatabase struct {
	args    []string
	want    string // in what is told, where it is refused
	refused bool   // for want of a database
	makes   string // a file
}

const (
	noLog    = "there is no event log alur.db"
	noOutbox = "there is no outbox alur.outbox.db"
)

var verbsWithoutDatabase = map[string][]withoutDatabase{
	"serve": {
		{args: []string{"--listen", "0.0.0.0:0"}, want: "the API has no token"},
		{args: []string{"--listen", "127.0.0.1:99999"}, want: "invalid port"},
		{args: []string{"--listen", "127.0.0.1:0", "--kek", "in/none"}, want: "there is no key-encryption key"},
		{args: []string{"--listen", "127.0.0.1:0", "--kek", "in/map.yaml"}, want: "in/map.yaml: "},
		{args: []string{"--listen", "127.0.0.1:0", "--outward", "in/map.yaml"}, want: "in/map.yaml:"},
		{args: []string{"--listen", "127.0.0.1:0", "--outward", "in/none"}, want: "no such file"},
	},
	"reactor list":   {{refused: true, want: noOutbox}},
	"reactor retry":  {{args: []string{"notices"}, refused: true, want: noOutbox}},
	"reactor skip":   {{args: []string{"notices", "--id", "01939d0b-64c8-7000-8000-000000000001"}, refused: true, want: noOutbox}},
	"reactor replay": {{args: []string{"webhook/a", "--after", "0"}, refused: true, want: noOutbox}},

	"demo":                  nil, // throws its own away; TestDemo
	"bench":                 {{args: []string{"--only", "nothing"}, want: "want some of"}},
	"replay":                {{args: []string{"7K3M-Q9XT-2WPN"}, refused: true, want: noLog}},
	"audit":                 {{args: []string{"7K3M-Q9XT-2WPN"}, refused: true, want: noLog}, {args: []string{"--count"}, refused: true, want: noLog}},
	"statistics":            {{refused: true, want: noLog}},
	"permits list":          {{refused: true, want: noLog}},
	"workflow check":        {{args: []string{"in/permit.yaml"}}},
	"workflow test":         {{args: []string{"in/permit.yaml"}}},
	"workflow schema":       {{}},
	"workflow discover":     {{args: []string{"in/log.xes"}}},
	"workflow diagram":      {{args: []string{"in/permit.yaml"}}},
	"workflow import digit": {{args: []string{"in/permit.yaml"}, want: "not JSON"}},
	"workflow simulate":     {{args: []string{"in/permit.yaml", "--db", "alur.db"}, refused: true, want: noLog}},
	"workflow versions":     {{args: []string{"--tenant", "11.71"}, refused: true, want: noLog}},
	"workflow diff":         {{args: []string{"sip-dokter@1", "in/permit.yaml", "--tenant", "11.71"}, refused: true, want: noLog}},
	"workflow backtest":     {{args: []string{"in/permit.yaml"}, refused: true, want: noLog}},
	"workflow retire":       {{args: []string{"sip-dokter", "--tenant", "11.71", "--by", "a", "--reason", "r", "--all"}, refused: true, want: noLog}},
	"workflow migrate":      {{args: []string{"sip-dokter", "--tenant", "11.71", "--from", "1", "--to", "2", "--map", "in/map.yaml", "--by", "a", "--approver", "b", "--ground", "r"}, refused: true, want: noLog}, {args: []string{"sip-dokter", "--tenant", "11.71", "--from", "1", "--to", "2", "--map", "in/map.yaml", "--dry-run"}, refused: true, want: noLog}},
	"workflow publish": {
		{args: []string{"in/permit.yaml", "--tenant", "11.71", "--by", "a", "--reason", "r"}, makes: "alur.db", want: "alur.db is not there: a new event log is made"},
		{args: []string{"in/draft.yaml", "--tenant", "11.71", "--by", "a", "--reason", "r"}, want: "findings stand against it"},
		{args: []string{"in/permit.yaml", "--tenant", "11.71", "--by", "a", "--reason", "r", "--effective", "2020-01-01"}, want: "which is past"},
		{args: []string{"in/permit.yaml", "--tenant", "11.71", "--by", "a@b.id", "--reason", "r"}, want: "looks like a NIK or an e-mail"},
		{args: []string{"in/permit.yaml", "--tenant", "11.71", "--by", "a", "--reason", "r", "--waive", "term=x"}, want: "no finding term to waive"},
		{args: []string{"in/map.yaml", "--tenant", "11.71", "--by", "a", "--reason", "r"}, want: "in/map.yaml"},
	},
	"import xes": {
		{args: []string{"in/log.xes", "--workflow", "in/draft.yaml", "--tenant", "11.71"}, makes: "alur.db", want: "a new event log is made"},
		{args: []string{"in/log.xes", "--workflow", "in/permit.yaml", "--tenant", "11.71"}, want: "lets no system submit requests"},
		{args: []string{"in/log.xes", "--workflow", "in/draft.yaml", "--tenant", "11.71", "--db", "nowhere/alur.db"}, want: "no such file"},
		{args: []string{"in/none.xes", "--workflow", "in/draft.yaml", "--tenant", "11.71"}, want: "no such file"},
	},
	"calendar add": {
		{args: []string{"in/decree.yaml", "--by", "a", "--reason", "r"}, makes: "alur.db", want: "a new event log is made"},
		{args: []string{"in/decree.yaml", "--by", "a", "--reason", ""}, want: "--reason is empty"},
		{args: []string{"in/decree.yaml", "--by", "a", "--reason", "two\nlines"}, want: "a line break"},
		{args: []string{"in/regional.yaml", "--by", "a", "--reason", "r"}, want: "regional holiday"},
	},
	"calendar list":   {{refused: true, want: noLog}},
	"calendar show":   {{args: []string{"--year", "2026"}, refused: true, want: noLog}},
	"log verify":      {{refused: true, want: noLog}},
	"log stat":        {{refused: true, want: noLog}},
	"log backup":      {{args: []string{"backup.db"}, refused: true, want: noLog}},
	"log restore":     {{args: []string{"backup.db"}, refused: true, want: "there is no event log backup.db"}, {args: []string{"in/map.yaml"}, want: "not SQLite"}},
	"log copy":        {{args: []string{"--from", "alur.db", "--to", "copy.db"}, refused: true, want: noLog}, {args: []string{"--from", "in/map.yaml", "--to", "copy.db"}, want: "not SQLite"}},
	"log upgrade":     {{args: []string{"old.db"}, refused: true, want: "old.db"}, {args: []string{"in/map.yaml"}, want: "not SQLite"}},
	"keys list":       {{refused: true, want: noKeysYet}},
	"keys rotate":     {{refused: true, want: noKeysYet}},
	"keys new":        {{args: []string{"--kek", "in/kek"}}},
	"subject export":  {{refused: true, want: noLog}},
	"subject erase":   {{args: []string{"--ground", "court_order", "--note", "n", "--by", "a"}, refused: true, want: noLog}},
	"subject release": {{args: []string{"01a206c6-7880-74bf-99aa-61d2ffa53429"}, refused: true, want: noLog}},
	"request list":    {{refused: true, want: noLog}},
	"request show":    {{args: []string{"7K3M-Q9XT-2WPN"}, refused: true, want: noLog}},
	"term list":       {{refused: true, want: noLog}},
	"term show":       {{args: []string{"7K3M-Q9XT-2WPN"}, refused: true, want: noLog}},
	"term sweep":      {{refused: true, want: noLog}},
	"inbox list":      {{args: []string{"--tenant", "11.71"}, refused: true, want: noLog}},
	"inbox count":     {{args: []string{"--tenant", "11.71"}, refused: true, want: noLog}},
	"mandate list":    {{refused: true, want: noLog}},
	"mandate end":     {{args: []string{"01a206c6-7880-74bf-99aa-61d2ffa53429", "--end", "revoked", "--by", "a"}, refused: true, want: noLog}},
	"mandate grant":   {{args: []string{"--tenant", "11.71", "--holder", "b", "--service", "s", "--last-day", "2030-01-01", "--document", "d", "--by", "a"}, refused: true, want: noLog}},
	"queue list":      {{args: []string{"--tenant", "11.71"}, refused: true, want: noLog}},

	"projection list":    {{refused: true, want: noLog}},
	"projection rebuild": {{refused: true, want: noLog}},
	"projection verify":  {{refused: true, want: noLog}},
	"projection pause":   {{args: []string{"status"}, refused: true, want: noLog}},
	"projection resume":  {{args: []string{"status"}, refused: true, want: noLog}},
}

const noKeysYet = "there is no key store alur.keys.db"

func TestEveryVerbWithoutADatabase(t *testing.T) {
	all := verbs()
	for name := range all {
		list, known := verbsWithoutDatabase[name]
		if !known {
			t.Errorf("alur %s: what it does where there is no database is not said here", name)
		}
		for _, x := range list {
			t.Run(name+" "+strings.Join(x.args, " "), func(t *testing.T) { x.try(t, name) })
		}
	}
	if len(all) != len(verbsWithoutDatabase) {
		t.Errorf("%d verbs, and %d of them here", len(all), len(verbsWithoutDatabase))
	}
}

func (x withoutDatabase) try(t *testing.T, name string) {
	dir := t.TempDir()
	for file, text := range map[string]string{
		"permit.yaml": readText(t, "workflows/catalogue/11.71/sip-dokter.yaml"), "draft.yaml": oneStep, "map.yaml": "migration: 1\n",
		"decree.yaml":   strings.Replace(oneHoliday, "KIND", "holiday", 1),
		"regional.yaml": strings.Replace(oneHoliday, "KIND", "regional", 1),
	} {
		write(t, filepath.Join(dir, "in", file), text)
	}
	writeLog(t, filepath.Join(dir, "in", "log.xes"), 1, 1)
	_, errs, code := verb(t, dir, "", append(strings.Fields(name), x.args...)...)
	if !strings.Contains(errs, x.want) {
		t.Errorf("want %q, got\n%s", x.want, errs)
	}
	if failed := code != 0; failed != (x.makes == "" && x.want != "") {
		t.Errorf("exit code %d\n%s", code, errs)
	}
	if x.refused && (code != exitFailed || !strings.Contains(errs, "alur: hint: ")) {
		t.Errorf("exit code %d, or no hint\n%s", code, errs)
	}
	var left []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	switch {
	case x.makes == "" && len(left) != 1:
		t.Errorf("it left %v", left)
	case x.makes != "" && !slices.Contains(left, x.makes):
		t.Errorf("it made %v", left)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const oneHoliday = `decree: 1
number: SKB 1/2027
title: {id: Libur, en: Holidays}
source: invented
published: 2026-09-10
days: [{date: 2027-01-05, kind: KIND, name: {id: Libur, en: Holiday}}]
`

// oneStep is what alur workflow discover drafts of a log, in short.
const oneStep = `alur: 1
id: log
title: {id: Log, en: Log}
agency: {id: Log, en: Log}
office: log
roles:
  - {id: import, title: {id: Impor, en: Import}, capacities: [system]}
  - {id: r0, title: {id: R0, en: R0}, capacities: [unrecorded], recorded_as: R0}
submit: [import]
states:
  - {id: begun, kind: start, public: received, owner: r0, title: {id: Mulai, en: Begun}}
  - {id: after, kind: end, outcome: closed, public: completed, title: {id: Selesai, en: Ended}}
actions:
  - {id: step-0, title: {id: Langkah, en: Step}, recorded_as: Step 0}
transitions:
  - {action: step-0, from: [begun], to: after, roles: [r0]}
`
