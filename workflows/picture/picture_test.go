package picture_test

import (
	"flag"
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/picture"
)

var update = flag.Bool("update", false, "write the pictures anew")

func depict(t *testing.T, source, lang string, here domain.StateID) *picture.Picture {
	t.Helper()
	d, err := workflows.Read("w.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	p, err := picture.Depict(d, lang, here)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func sourceOf(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The pictures of three services, in both languages, to be read.
func TestPictures(t *testing.T) {
	for name, path := range map[string]string{
		"pbg":        "../testdata/definitions/pbg.yaml",
		"clock":      "../testdata/clock/sip.yaml",
		"sip-dokter": "../catalogue/11.71/sip-dokter.yaml",
	} {
		for _, lang := range []string{"id", "en"} {
			p := depict(t, sourceOf(t, path), lang, "")
			for ext, got := range map[string]string{"dot": p.DOT(), "mmd": p.Mermaid()} {
				golden := filepath.Join("testdata", name+"."+lang+"."+ext)
				if *update {
					if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				if diff := cmp.Diff(sourceOf(t, golden), got); diff != "" {
					t.Errorf("%s (-want +got; go test ./workflows/picture -run Pictures -update writes it):\n%s", golden, diff)
				}
			}
		}
	}
}

// rest is what the language has beside what the two services above use.
const rest = `
alur: 1
id: rest
title: {id: Izin, en: Permit}
agency: {id: Dinas, en: Office}
office: dinas
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
  - {id: head, title: {id: Kepala, en: Head}, capacities: [officer]}
  - {id: registry, title: {id: Dukcapil, en: Registry}, capacities: [system]}
submit: [applicant]
facts:
  - {id: held, type: time, title: {id: Hari acara, en: Day of the event}}
reasons:
  - {code: bad, title: {id: Buruk, en: Bad}}
documents:
  - {id: photo, title: {id: Pas foto, en: Photograph}, formats: [jpg], max_size: 1 MB, by: [applicant]}
checklists:
  - {id: site, title: {id: Lapangan, en: Site}, by: [clerk], items: [{id: a, title: {id: A, en: A}}]}
reviews:
  - {id: one, title: {id: Satu, en: One}, role: clerk, reasons: [bad]}
  - {id: two, title: {id: Dua, en: Two}, role: head, reasons: [bad]}
  - {id: three, title: {id: Tiga, en: Three}, role: head, reasons: [bad], term: {budget: 2 days, expires: {to: refused, ground: lapse}}}
systems:
  - {id: dedup, title: {id: Ketunggalan, en: De-duplication}, role: registry, outcomes: [single, double]}
terms:
  - {id: legal, title: {id: Jangka waktu, en: Legal term}, budget: 1 working day, starts: [check], expires: {to: granted, ground: deemed_approval}, basis: {id: UU, en: Law}}
  - {id: event, title: {id: Acara, en: Event}, due: held, starts: [submit], expires: {to: refused, ground: lapse}, basis: {id: Perda, en: By-law}}
states:
  - {id: submitted, kind: start, public: verification, owner: clerk, title: {id: Masuk, en: Submitted}, term: {budget: 3 hours, expires: {escalate: [head, clerk]}}}
  - {id: asked, kind: wait, public: in_process, owner: registry, waits_for: dedup, title: {id: Dicek, en: Asked}, term: {budget: 30 working minutes, expires: {to: refused, ground: deemed_refusal}}}
  - {id: any, kind: gather, public: in_process, owner: clerk, reviews: [one, two], join: {need: any}, title: {id: Salah satu, en: Either}}
  - {id: two, kind: gather, public: in_process, owner: clerk, reviews: [one, two, three], join: {need: 2, outvote: true}, title: {id: Dua dari tiga, en: Two of three}}
  - {id: granted, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Granted}}
  - {id: refused, kind: end, outcome: rejected, public: rejected, title: {id: Ditolak, en: Refused}}
  - {id: withdrawn, kind: end, outcome: withdrawn, public: withdrawn, title: {id: Batal, en: Withdrawn}}
actions:
  - {id: note, title: {id: Catat, en: Note}}
  - {id: check, title: {id: Periksa, en: Check}}
  - {id: answered, title: {id: Dijawab, en: Answered}}
  - {id: passed, title: {id: Lolos, en: Passed}}
  - {id: withdraw, title: {id: Cabut, en: Withdraw}}
  - {id: override, title: {id: Kesampingkan, en: Set aside}}
  - {id: back, title: {id: Buka, en: Open again}}
transitions:
  - {action: note, from: [submitted], to: submitted, roles: [clerk]}
  - {action: check, from: [submitted], to: asked, roles: [clerk, head], needs: {documents: [photo], checklists: [site]}}
  - {action: answered, from: [asked], to: any, automatic: true, needs: {answer: single}}
  - {action: answered, from: [asked], to: refused, automatic: true, needs: {answer: double}}
  - {action: passed, from: [any], to: two, automatic: true, needs: {reviews: approved}}
  - {action: passed, from: [two], to: granted, automatic: true, needs: {reviews: approved}}
  - {action: withdraw, kind: withdraw, from: [submitted, any], to: withdrawn, roles: [applicant]}
  - {action: override, kind: override, from: [any], to: granted, roles: [head], reasons: [bad]}
  - {action: back, from: [granted], to: submitted, roles: [head], reasons: [bad]}
`

func TestPictureSaysEverything(t *testing.T) {
	for lang, want := range map[string][]string{
		"id": {
			"Batas waktu: 3 jam; bila terlewati, dilaporkan kepada Kepala, Petugas", "Menunggu jawaban Ketunggalan", "Batas waktu: 30 menit kerja",
			"lewat 30 menit kerja: dianggap ditolak", "1 harus setuju, dan tidak ada yang menolak", "2 yang setuju cukup, meskipun ada yang menolak", "• Tiga (Kepala; 2 hari)", "Tiga: lewat 2 hari: gugur",
			"(Petugas, Kepala)", "syarat: Pas foto, daftar periksa Lapangan", "syarat: jawaban Ketunggalan = single", "(otomatis)",
			"(Pemohon, pembatalan)", "(Kepala, pengecualian, dengan alasan)", "(Kepala, dibuka kembali, dengan alasan)", "Akhir: dibatalkan",
			"Jangka waktu 1 hari kerja, sejak Periksa; lewat 1 hari kerja: dianggap dikabulkan → Terbit (UU)",
			"Acara sampai tanggal: Hari acara, sejak pengajuan permohonan; lewat tanggal: Hari acara: gugur → Ditolak (Perda)", "▶ Permohonan di sini",
		},
		"en": {
			"Term: 3 hours; when overdue, told to Head, Clerk", "Waits for De-duplication", "Term: 30 working minutes",
			"after 30 working minutes: deemed refused", "1 must approve, and nobody refuse", "2 must approve, whoever refuses", "• Three (Head; 2 days)", "Three: after 2 days: lapses",
			"(Clerk, Head)", "needs: Photograph, checklist Site", "needs: answer De-duplication = single", "(automatic)",
			"(Applicant, withdrawal)", "(Head, override, with a reason)", "(Head, reopening, with a reason)", "End: withdrawn",
			"Legal term 1 working day, from Check; after 1 working day: deemed approved → Granted (Law)",
			"Event until the date: Day of the event, from the submission; after the date: Day of the event: lapses → Refused (By-law)", "▶ The request is here",
		},
	} {
		p := depict(t, rest, lang, "any")
		tags := regexp.MustCompile(`<[^<>]*>`)
		dot := strings.Join(strings.Fields(tags.ReplaceAllString(strings.ReplaceAll(p.DOT(), "[label=", " "), " ")), " ")
		entity := regexp.MustCompile(`#(\d+);`)
		mermaid := entity.ReplaceAllStringFunc(p.Mermaid(), func(s string) string {
			n, _ := strconv.Atoi(s[1 : len(s)-1])
			return string(rune(n))
		})
		for _, w := range want {
			if !strings.Contains(dot, w) {
				t.Errorf("dot in %s does not say %q", lang, w)
			}
			if !strings.Contains(mermaid, w) {
				t.Errorf("mermaid in %s does not say %q", lang, w)
			}
			if w := strings.TrimPrefix(w, "▶ "); !strings.Contains(p.Description(), strings.Trim(w, "()")) {
				t.Errorf("the description in %s does not say %q", lang, w)
			}
		}
	}
}

// Whom a term tells that runs out is not said where the request moves instead.
func TestAMoveIsDrawnAndNobodyIsTold(t *testing.T) {
	for _, move := range []string{"{to: refused, ground: deemed_refusal", "{to: granted, ground: deemed_approval"} {
		got := depict(t, strings.Replace(rest, move, move+", escalate: [head], ombudsman: true", 1), "en", "").Description()
		if got != depict(t, rest, "en", "").Description() {
			t.Errorf("%s: it is drawn otherwise than the move alone:\n%s", move, got)
		}
	}
}

// An arrow without a condition beside one that has one is not taken in any case.
func TestArrowsSayOtherwise(t *testing.T) {
	const note = "  - {action: note, from: [submitted], to: submitted, roles: [clerk]"
	source := strings.NewReplacer("facts:\n", "facts:\n  - {id: n, type: number, title: {id: N, en: N}, default: 1}\n",
		note+"}\n", note+", when: facts.n > 5.0}\n"+note+", when: facts.n > 3.0}\n"+note+"}\n",
		"  - {action: withdraw, kind", "  - {action: passed, from: [any], to: refused, automatic: true, needs: {reviews: refused}}\n  - {action: passed, from: [any], to: refused, automatic: true, when: facts.n > 2.0}\n  - {action: passed, from: [any], to: refused, automatic: true}\n  - {action: withdraw, kind").Replace(rest)
	got := depict(t, source, "en", "").Description()
	for _, want := range []string{
		"- Note; (Clerk); if facts.n > 5.0 → Submitted\n- Note; (Clerk); otherwise, if facts.n > 3.0 → Submitted\n- Note; (Clerk); otherwise → Submitted\n",
		"- Passed; (automatic); needs: reviews approved → Two of three\n- Passed; (automatic); needs: a review refused → Refused\n- Passed; (automatic); otherwise, if facts.n > 2.0 → Refused\n- Passed; (automatic); otherwise → Refused\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want %s\n in %s", want, got)
		}
	}
	if n := strings.Count(got, "otherwise"); n != 4 {
		t.Errorf("%d arrows say otherwise:\n%s", n, got)
	}
}

func TestPictureOfNoSuchState(t *testing.T) {
	d, err := workflows.Read("w.yaml", []byte(rest))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := picture.Depict(d, "id", "grantd"); err == nil || !strings.Contains(err.Error(), `did you mean "granted"?`) {
		t.Errorf("got %v", err)
	}
}

// Requests of one version share a layout, wherever they stand.
func TestLayoutDoesNotShowTheRequest(t *testing.T) {
	if a, b := depict(t, rest, "id", "any"), depict(t, rest, "id", ""); a.Layout() != b.Layout() || a.Layout() != b.DOT() || a.DOT() == b.DOT() {
		t.Error("the layout depends on where the request stands, or dot does not")
	}
}

func TestPicturesAreTheSameEveryTime(t *testing.T) {
	pbg := sourceOf(t, "../testdata/definitions/pbg.yaml")
	want := depict(t, pbg, "id", "payment")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			d, err := workflows.Read("w.yaml", []byte(pbg))
			if err != nil {
				t.Error(err)
				return
			}
			p, err := picture.Depict(d, "id", "payment")
			if err != nil || p.DOT() != want.DOT() || p.Mermaid() != want.Mermaid() || p.Description() != want.Description() {
				t.Errorf("another picture (%v)", err)
			}
		})
	}
	wg.Wait()
}

// Titles are text, whatever is in them.
func TestPictureEscapes(t *testing.T) {
	long := strings.Repeat("sangat ", 30) + strings.Repeat("x", 100)
	title := `<script>alert(1)</script> "a" 'b' & \N %% {c}; #d: ` + "`e`" + `\u202e\u0007\nf ` + long
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(title)
	quoted = strings.NewReplacer(`\\u202e`, `\u202e`, `\\u0007`, `\u0007`, `\\nf`, `\nf`).Replace(quoted)
	p := depict(t, strings.NewReplacer("en: Either", `en: "`+quoted+`"`, "en: Check}", `en: "`+quoted+`"}`).Replace(rest), "en", "")
	for name, text := range map[string]string{"dot": p.DOT(), "mermaid": p.Mermaid(), "description": p.Description()} {
		if strings.ContainsAny(text, "\u202e\a") || name != "description" && strings.Contains(text, "<script") {
			t.Errorf("%s is not escaped:\n%s", name, text)
		}
	}
	if !strings.Contains(p.DOT(), "&lt;script&gt;alert(1)") || !strings.Contains(p.Mermaid(), "#60;script#62;alert(1)#60;/script#62; #34;a#34; 'b' #38; #92;N #37;#37; #123;c#125;#59; #35;d#58; #96;e#96; f sangat") {
		t.Errorf("the title is not there:\n%s", p.Mermaid())
	}
	if strings.Contains(p.DOT(), `\N`) {
		t.Error("Graphviz would put the name of a state for what only looks like it")
	}
	for _, line := range regexp.MustCompile(`<[^<>]*>|\n`).Split(p.DOT(), -1) {
		if n := len([]rune(html.UnescapeString(line))); n > 110 && !strings.Contains(line, "=") {
			t.Errorf("a line has %d letters: %s", n, line)
		}
	}
}

// However long the texts are, there is a picture, and soon.
func TestPictureOfEndlessTitles(t *testing.T) {
	d, err := workflows.Read("w.yaml", []byte(rest))
	if err != nil {
		t.Fatal(err)
	}
	for i := range d.States {
		d.States[i].Title.ID = strings.Repeat("é", 1<<20)
		if i > 0 && d.States[i].Kind != workflows.KindEnd { // one action from many states
			d.Transitions[6].From = append(d.Transitions[6].From, d.States[i].ID, d.States[i].ID, d.States[i].ID)
		}
	}
	p, err := picture.Depict(d, "id", "")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(p.DOT()); n > 50_000 || !strings.Contains(p.DOT(), "Dari:") {
		t.Errorf("the picture has %d bytes", n)
	}
}

// Text on every fill, and every border, can be told from what is behind it (WCAG
// 1.4.6 and 1.4.11).
func TestPictureContrast(t *testing.T) {
	const ink = "#1a1a1a"
	boxes := regexp.MustCompile(`fillcolor="(#\w{6})", color="(#\w{6})"`).FindAllStringSubmatch(depict(t, rest, "id", "").DOT(), -1)
	if len(boxes) != 7 {
		t.Fatalf("found %d boxes", len(boxes))
	}
	for _, m := range boxes {
		if got := contrast(ink, m[1]); got < 12 {
			t.Errorf("text on %s has a contrast of %.1f", m[1], got)
		}
		if got := math.Min(contrast(m[2], m[1]), contrast(m[2], "#ffffff")); got < 4.5 {
			t.Errorf("border %s has a contrast of %.1f", m[2], got)
		}
	}
}

func contrast(a, b string) float64 {
	la, lb := luminance(a), luminance(b)
	return (math.Max(la, lb) + 0.05) / (math.Min(la, lb) + 0.05)
}

func luminance(color string) float64 {
	var part [3]uint8
	if _, err := fmt.Sscanf(color, "#%02x%02x%02x", &part[0], &part[1], &part[2]); err != nil {
		panic(err)
	}
	linear := func(c uint8) float64 {
		if v := float64(c) / 255; v > 0.04045 {
			return math.Pow((v+0.055)/1.055, 2.4)
		}
		return float64(c) / 255 / 12.92
	}
	return 0.2126*linear(part[0]) + 0.7152*linear(part[1]) + 0.0722*linear(part[2])
}
