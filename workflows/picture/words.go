package picture

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alur-id/alur/workflows"
)

// words are what a diagram says in both languages beside what the definition does.
// Kinds, outcomes and grounds stand under their own names.
var words = map[string]struct{ ID, EN string }{
	"start":  {"Awal", "Start"},
	"work":   {"Pengerjaan", "Work"},
	"wait":   {"Menunggu", "Waiting"},
	"gather": {"Penilaian bersama", "Parallel reviews"},
	"end":    {"Akhir", "End"},

	"outcome approved":  {"disetujui", "approved"},
	"outcome rejected":  {"ditolak", "refused"},
	"outcome withdrawn": {"dibatalkan", "withdrawn"},
	"outcome closed":    {"ditutup", "closed"},

	"deemed_approval": {"dianggap dikabulkan", "deemed approved"},
	"deemed_refusal":  {"dianggap ditolak", "deemed refused"},
	"lapse":           {"gugur", "lapses"},

	"withdraw": {"pembatalan", "withdrawal"},
	"correct":  {"perbaikan data", "correction"},
	"reopen":   {"dibuka kembali", "reopening"},
	"override": {"pengecualian", "override"},
	"auto":     {"otomatis", "automatic"},
	"complete": {"pernyataan lengkap", "declares it complete"},
	"return":   {"pengembalian, satu kali", "return, once"},

	"applicant":     {"pemohon harus bertindak", "the applicant has to act"},
	"other_agency":  {"menunggu instansi lain", "another agency has to act"},
	"force_majeure": {"keadaan kahar", "force majeure"},

	"diagram":          {"Diagram alur: %s", "Workflow diagram: %s"},
	"submit":           {"Diajukan oleh %s", "Submitted by %s"},
	"owner":            {"Oleh: %s", "By: %s"},
	"term":             {"Batas waktu: %s", "Term: %s"},
	"promise":          {"Janji layanan: %s", "Promised: %s"},
	"told":             {"bila terlewati, dilaporkan kepada %s", "when overdue, told to %s"},
	"promised":         {"dijanjikan %s", "promised %s"},
	"reminded":         {"diingatkan setelah %s", "a reminder after %s"},
	"ombudsman":        {"akhirnya masuk daftar Ombudsman", "at last on the list of the Ombudsman"},
	"extension":        {"dapat diperpanjang sekali, %s, oleh %s (%s)", "may be extended once, %s, by %s (%s)"},
	"stands still":     {"Waktu berhenti selama %s: %s", "Time stands still in %s: %s"},
	"may stop":         {"Waktu dapat dihentikan oleh %s: %s", "Time may be stopped by %s: %s"},
	"consent":          {"sekali lagi hanya dengan persetujuan %s", "once more only with the consent of %s"},
	"out of":           {"Dari: %s", "From: %s"},
	"after":            {"lewat %s: %s", "after %s: %s"},
	"from":             {"%s, sejak %s", "%s, from %s"},
	"until":            {"sampai tanggal: %s", "until the date: %s"},
	"date":             {"tanggal: %s", "the date: %s"},
	"paused":           {"berhenti selama %s", "paused in %s"},
	"waits":            {"Menunggu jawaban %s", "Waits for %s"},
	"due":              {"Biaya: %s", "Fee due: %s"},
	"assigned":         {"Dibagikan oleh %s", "Given out by %s"},
	"join all":         {"semua harus setuju", "all must approve"},
	"join n":           {"%s harus setuju, dan tidak ada yang menolak", "%s must approve, and nobody refuse"},
	"join outvote":     {"%s yang setuju cukup, meskipun ada yang menolak", "%s must approve, whoever refuses"},
	"if":               {"jika %s", "if %s"},
	"otherwise":        {"jika tidak", "otherwise"},
	"otherwise if":     {"jika tidak, dan jika %s", "otherwise, if %s"},
	"reason":           {"dengan alasan", "with a reason"},
	"not by":           {"bukan oleh pelaku %s", "not by who did %s"},
	"submitting":       {"pengajuan permohonan", "the submission"},
	"needs":            {"syarat: %s", "needs: %s"},
	"required":         {"dokumen wajib", "required documents"},
	"paid":             {"%s lunas", "%s paid"},
	"checklist":        {"daftar periksa %s", "checklist %s"},
	"reviews approved": {"penilaian setuju", "reviews approved"},
	"reviews refused":  {"penilaian menolak", "a review refused"},
	"answer":           {"jawaban %s", "answer %s"},
	"here":             {"Permohonan di sini", "The request is here"},
}

// say is a phrase of [words] in a language, with its blanks filled.
func say(lang, phrase string, fill ...any) string {
	t, ok := words[phrase]
	if !ok {
		return phrase
	}
	return fmt.Sprintf(workflows.Text(t).In(lang), fill...)
}

// shown is a text as it can be put on a page: in one line, and without what no
// page may hold or what changes the order that others are read in.
func shown(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Cc, r):
			return ' '
		case r == utf8.RuneError, unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r), r&0xfffe == 0xfffe:
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// mostLines are the lines of a text in a label: what is longer is cut.
const mostLines = 8

// wrapped is lined, cut to what a label can hold.
func wrapped(s string, width int) []string {
	n := 0
	for i := range s { // what is cut is not looked at: a title may have megabytes
		if n++; n > width*(mostLines+1) {
			s = s[:i]
			break
		}
	}
	out := lined(s, width)
	if len(out) > mostLines {
		out = out[:mostLines]
		out[mostLines-1] += " …"
	}
	return out
}

// lined breaks a text into lines of at most width letters, between words where it can.
func lined(s string, width int) []string {
	var out []string
	line := ""
	for _, word := range strings.Fields(s) {
		for {
			room := width - utf8.RuneCountInString(line)
			if line != "" {
				room--
			}
			n := utf8.RuneCountInString(word)
			if n <= room {
				break
			}
			if line == "" { // a word longer than a line
				head := string([]rune(word)[:width])
				out, word = append(out, head), word[len(head):]
				continue
			}
			out, line = append(out, line), ""
		}
		line = strings.TrimLeft(line+" "+word, " ")
	}
	if line != "" || len(out) == 0 {
		out = append(out, line)
	}
	return out
}
