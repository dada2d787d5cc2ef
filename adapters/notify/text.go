package notify

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// words are what a message says beside the texts of the workflow.
var words = struct {
	subject, about, when, now, remind, reason, proxy, counter, replaced, fee, owed, nothing, link, number workflows.Text
	acts, back, migrated, runs, stopped, over, dropped, yours                                             workflows.Text
	public                                                                                                map[domain.PublicStatus]workflows.Text
	stop                                                                                                  map[domain.StopGround]workflows.Text
}{
	subject:  workflows.Text{ID: "Permohonan %s: %s", EN: "Request %s: %s"},
	about:    workflows.Text{ID: "%s, %s. Nomor permohonan %s.", EN: "%s, %s. Request %s."},
	when:     workflows.Text{ID: "%d %s %d pukul %s", EN: "%d %s %d at %s"},
	now:      workflows.Text{ID: "Status permohonan Anda: %s (%s).", EN: "The status of your request: %s (%s)."},
	remind:   workflows.Text{ID: "Waktu Anda untuk \"%s\" habis pada %s.", EN: "Your time for \"%s\" runs out on %s."},
	reason:   workflows.Text{ID: "Alasan: %s.", EN: "Reason: %s."},
	proxy:    workflows.Text{ID: "Permohonan ini diajukan atas nama Anda oleh orang lain. Jika Anda tidak menyuruhnya, hubungi kantor layanan.", EN: "Somebody else filed this request in your name. If you did not ask them to, tell the office."},
	counter:  workflows.Text{ID: "Permohonan ini diajukan atas nama Anda oleh petugas loket.", EN: "Staff at a counter filed this request in your name."},
	replaced: workflows.Text{ID: "Alamat untuk pemberitahuan permohonan ini diganti. Ini pesan terakhir ke alamat yang lama. Jika bukan Anda yang menggantinya, hubungi kantor layanan.", EN: "The address for messages about this request was replaced. This is the last message to the old one. If it was not you who replaced it, tell the office."},
	fee:      workflows.Text{ID: "Biaya resmi: %s.", EN: "The official fee: %s."},
	owed:     workflows.Text{ID: "Belum dibayar: %s.", EN: "Still to be paid: %s."},
	nothing:  workflows.Text{ID: "Jangan membayar apa pun selain biaya resmi, kepada siapa pun.", EN: "Pay nothing else than the official fee, to anybody."},
	link:     workflows.Text{ID: "Riwayat dan langkah berikutnya: %s", EN: "History and what happens next: %s"},
	number:   workflows.Text{ID: "Lacak permohonan Anda dengan nomornya. Jangan memberikannya kepada orang yang tidak Anda percayai.", EN: "Track your request by its number. Do not give that to anybody you do not trust."},
	acts:     workflows.Text{ID: "Ada yang harus Anda lakukan.", EN: "There is something for you to do."},
	back:     workflows.Text{ID: "Dokumen dikembalikan, mohon serahkan lagi: %s.", EN: "A document was sent back; please hand it in again: %s."},
	migrated: workflows.Text{ID: "Permohonan Anda dilanjutkan menurut aturan yang baru: %s.", EN: "Your request goes on under new rules: %s."},
	runs:     workflows.Text{ID: "%s: sampai %s.", EN: "%s: until %s."},
	stopped:  workflows.Text{ID: "%s: dihentikan sementara, %s.", EN: "%s: it stands still, %s."},
	over:     workflows.Text{ID: "%s: habis pada %s.", EN: "%s: it ran out on %s."},
	dropped:  workflows.Text{ID: "%s: tidak berlaku lagi.", EN: "%s: it does not apply any more."},
	yours:    workflows.Text{ID: "Waktu Anda", EN: "Your time"},
	stop: map[domain.StopGround]workflows.Text{
		domain.StopApplicant:    {ID: "kami menunggu Anda", EN: "we are waiting for you"},
		domain.StopOtherAgency:  {ID: "kami menunggu instansi lain", EN: "we are waiting for another agency"},
		domain.StopForceMajeure: {ID: "tidak ada yang dapat memprosesnya (keadaan kahar)", EN: "nobody can work on it (force majeure)"},
		domain.StopClosed:       {ID: "permohonan telah ditutup", EN: "the request was closed"},
		domain.StopAway:         {ID: "permohonan berada pada tahap lain", EN: "the request is at another stage"},
	},
	public: map[domain.PublicStatus]workflows.Text{
		domain.StatusReceived:        {ID: "Diterima", EN: "Received"},
		domain.StatusVerification:    {ID: "Menunggu verifikasi", EN: "Waiting for verification"},
		domain.StatusInProcess:       {ID: "Sedang diproses", EN: "Being processed"},
		domain.StatusNeedsCorrection: {ID: "Perlu perbaikan", EN: "Needs correction"},
		domain.StatusWaitingPayment:  {ID: "Menunggu pembayaran", EN: "Waiting for payment"},
		domain.StatusApproved:        {ID: "Disetujui", EN: "Approved"},
		domain.StatusRejected:        {ID: "Ditolak", EN: "Refused"},
		domain.StatusWithdrawn:       {ID: "Dibatalkan", EN: "Withdrawn"},
		domain.StatusCompleted:       {ID: "Selesai", EN: "Completed"},
	},
}

var months = map[string][12]string{
	"id": {"Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember"},
	"en": {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
}

// write makes the letter of a message. It says when it was so: it may be read long after,
// or have waited. It names nobody, and holds no remark of an officer.
func write(t workflows.Telling, m domain.Message, public string) Letter {
	lang, r, d := m.Language, t.Request, t.Workflow.Definition
	say := func(text workflows.Text, args ...any) string { return fmt.Sprintf(text.In(lang), args...) }
	status := words.public[r.Public].In(lang)
	lines := []string{say(words.about, d.Title.In(lang), d.Agency.In(lang), r.Reference), "", when(t.When, r.Tenant, lang)}
	for _, n := range t.Notices {
		lines = append(lines, n.Text.In(lang))
	}
	if x := t.Reminded; x != nil {
		lines = append(lines, say(words.remind, x.Title.In(lang), moment(x.Due, r.Tenant, lang)))
	}
	if state, ok := t.Workflow.State(r.State); t.Changed || len(t.Notices) == 0 {
		title := string(r.State)
		if ok {
			title = state.Title.In(lang)
		}
		lines = append(lines, say(words.now, status, title))
	}
	lines = append(lines, changes(t, lang)...)
	if !t.Reason.IsZero() {
		lines = append(lines, say(words.reason, t.Reason.In(lang)))
	}
	switch t.FiledBy {
	case domain.CapacityProxy, domain.CapacityProfessional:
		lines = append(lines, say(words.proxy))
	case domain.CapacityCounter:
		lines = append(lines, say(words.counter))
	default: // the applicant knows
	}
	if m.Former {
		lines = append(lines, say(words.replaced))
	}
	lines = append(append(lines, ""), cost(t, lang)...)
	lines = append(lines, say(words.nothing), "")
	if public != "" {
		lines = append(lines, say(words.link, strings.TrimSuffix(public, "/")+"/lacak/"+string(r.Reference)))
	} else {
		lines = append(lines, say(words.number))
	}
	return Letter{
		ID: m.ID, To: address(t, m), Language: lang,
		Subject: say(words.subject, r.Reference, status), Text: strings.Join(lines, "\n") + "\n",
	}
}

// changes say what the applicant has to do, and what became of the time that there is.
func changes(t workflows.Telling, lang string) (lines []string) {
	say := func(text workflows.Text, args ...any) { lines = append(lines, fmt.Sprintf(text.In(lang), args...)) }
	if t.Migrated != nil {
		say(words.migrated, workflows.Text(*t.Migrated).In(lang))
	}
	for _, x := range t.SentBack {
		title := x.Document.Title.In(lang)
		if why := t.Workflow.Definition.ReasonTitle(x.Reason); !why.IsZero() {
			title += " (" + why.In(lang) + ")"
		}
		say(words.back, title)
	}
	if t.Acts && len(t.SentBack) == 0 {
		say(words.acts)
	}
	for _, x := range t.Timed {
		name := x.Title.In(lang)
		if x.Own {
			name = words.yours.In(lang)
		}
		switch {
		case x.Dropped:
			say(words.dropped, name)
		case x.Stopped != "":
			say(words.stopped, name, words.stop[x.Stopped].In(lang))
		case x.Over:
			say(words.over, name, moment(x.Due, t.Request.Tenant, lang))
		default:
			say(words.runs, name, moment(x.Due, t.Request.Tenant, lang))
		}
	}
	return lines
}

func when(at time.Time, tenant domain.TenantCode, lang string) string {
	return moment(at, tenant, lang) + ":"
}

// moment is a time by the tenant's clock.
func moment(at time.Time, tenant domain.TenantCode, lang string) string {
	at = at.In(tenant.Zone())
	clock := at.Format("15.04 MST")
	if lang == "en" {
		clock = at.Format("15:04 MST")
	}
	return fmt.Sprintf(words.when.In(lang), at.Day(), months[lang][at.Month()-1], at.Year(), clock)
}

// cost says what the request costs officially: what was assessed, in figures, else what
// the workflow says of it in words.
func cost(t workflows.Telling, lang string) []string {
	d, bill := t.Workflow.Definition, t.Workflow.Bill(t.Request.Dossier)
	var assessed int64
	for _, line := range bill.Lines {
		if !line.Stale {
			assessed += line.Assessed
		}
	}
	switch {
	case assessed > 0 && bill.Owed > 0:
		return []string{fmt.Sprintf(words.fee.In(lang), rupiah(assessed, lang)), fmt.Sprintf(words.owed.In(lang), rupiah(bill.Owed, lang))}
	case assessed > 0:
		return []string{fmt.Sprintf(words.fee.In(lang), rupiah(assessed, lang))}
	case !d.Fee.IsZero():
		return []string{fmt.Sprintf(words.fee.In(lang), strings.TrimSuffix(d.Fee.In(lang), "."))}
	}
	return nil
}

// rupiah is an amount as the language writes it: "Rp 2.500.000".
func rupiah(amount int64, lang string) string {
	return message.NewPrinter(language.MustParse(lang)).Sprintf("Rp %d", amount)
}
