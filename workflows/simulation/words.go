package simulation

import "fmt"

// words are what a report says, in Indonesian and English.
var words = map[string][2]string{
	"waits":      {"Waktu tunggu rata-rata per tahap (jam kerja petugas)", "Mean waiting by stage (hours of the officers' time)"},
	"nobody":     {"Tidak ada yang menunggu petugas.", "Nobody waits for officers."},
	"interval":   {"%s: %s jam, selang 95%% dari %s sampai %s", "%s: %s hours, 95%% interval from %s to %s"},
	"growing":    {"%s: %s jam selama simulasi, dan terus bertambah", "%s: %s hours in the time that was simulated, and growing"},
	"simulation": {"%s: simulasi, %d ulangan, benih %d", "%s: simulation, %d replications, seed %d"},

	"figure": {"UKURAN", "FIGURE"}, "value": {"NILAI (SELANG 95%)", "VALUE (95% INTERVAL)"},
	"source": {"ASAL", "SOURCE"}, "what": {"APA", "WHAT"}, "is": {"ISI", "VALUE"}, "seen": {"KALI", "TIMES"},
	"term": {"JANGKA WAKTU", "TERM"}, "budget": {"LAMA", "BUDGET"}, "on time": {"TEPAT WAKTU", "ON TIME"},
	"end": {"AKHIR", "END"}, "share": {"BAGIAN", "SHARE"},
	"stage": {"TAHAP", "STAGE"}, "role": {"PERAN", "ROLE"}, "per day": {"PER HARI", "PER DAY"}, "wait": {"TUNGGU (JAM)", "WAIT (HOURS)"}, "p90": {"P90", "P90"},
	"work": {"KERJA (JAM)", "WORK (HOURS)"}, "queue": {"ANTREAN", "QUEUE"}, "stay": {"LAMA (HARI)", "STAY (DAYS)"}, "in term": {"DALAM BATAS", "IN TERM"},
	"officers": {"PETUGAS", "OFFICERS"}, "busy": {"SIBUK", "BUSY"}, "at work": {"BEKERJA", "AT WORK"}, "barred": {"TERHALANG", "BARRED"},
	"before": {"SEMULA", "BEFORE"}, "after": {"MENJADI", "AFTER"}, "change": {"SELISIH (SELANG 95%)", "CHANGE (95% INTERVAL)"},
	"recorded": {"TERCATAT", "RECORDED"}, "simulated": {"SIMULASI (SELANG 95%)", "SIMULATED (95% INTERVAL)"}, "fitted part": {"BAGIAN YANG DIPAKAI", "PART FITTED TO"}, "held out": {"BAGIAN YANG DISISIHKAN", "PART HELD OUT"},

	"came": {"permohonan masuk per hari", "requests that came per day"}, "ended": {"selesai per hari", "ended per day"},
	"turnaround_mean_days": {"lama seluruhnya, rata-rata (hari)", "turnaround, mean (days)"}, "turnaround_median_days": {"lama seluruhnya, median (hari)", "turnaround, median (days)"},
	"turnaround_p90_days": {"lama seluruhnya, 9 dari 10 (hari)", "turnaround, nine of ten (days)"},
	"deemed_share":        {"diputus oleh hukum karena jangka waktu habis", "decided by law because a term ran out"},
	"open":                {"belum selesai ketika simulasi berhenti", "not over when the simulation ended"}, "stuck": {"tidak dapat berlanjut", "that nothing leads on"},
	"on_time_share": {"tepat waktu", "on time"}, "wait_mean_hours": {"waktu tunggu (jam)", "waiting (hours)"},
	"busy_share": {"sibuk", "busy"},
	"outside":    {"(di luar kantor)", "(outside)"}, "unlimited": {"sebanyak yang perlu", "as many as needed"},
	"given": {"diberikan", "given"}, "fitted": {"dari riwayat", "fitted"}, "assumed": {"anggapan", "assumed"}, "not fitted": {"tidak dapat dipelajari", "not fitted"},

	"head": {
		"%s: %d ulangan, masing-masing %d hari setelah %d hari yang tidak diukur, mulai %s; benih %d; kalender %s; %d permohonan diukur",
		"%s: %d replications, each of %d days after %d that are not measured, from %s; seed %d; calendar %s; %d requests measured",
	},
	"parameters": {"MASUKAN (yang dianggap tidak diukur siapa pun)", "PARAMETERS (nobody measured what is assumed)"},
	"whole":      {"KESELURUHAN", "THE WHOLE"}, "terms": {"KETEPATAN WAKTU", "PUNCTUALITY"}, "ends": {"BERAKHIR DENGAN", "HOW IT ENDS"},
	"stages": {"TAHAP", "STAGES"}, "roles": {"PETUGAS", "OFFICERS"}, "what if": {"JIKA %s", "WHAT IF %s"}, "compared": {"DIBANDINGKAN DENGAN RIWAYAT", "COMPARED WITH WHAT WAS RECORDED"},
	"bottleneck":    {"Leher botol: %s, sibuk %s dari waktunya (tersibuk dalam %s ulangan).", "Bottleneck: %s, busy for %s of the time (the busiest in %s of the replications)."},
	"most waiting":  {" Tunggu terbanyak: %s, %s jam untuk tiap permohonan.", " Most waiting: %s, %s hours for each request."},
	"overload":      {"Antrean tumbuh tanpa batas: %s selalu sibuk. Angka tunggu bergantung pada lamanya simulasi.", "The queue grows without end: %s is always busy. How long is waited depends on how long is simulated."},
	"arrow":         {"↑: bergantung pada lamanya simulasi, maka tanpa selang.", "↑: depends on how long is simulated, and so has no interval."},
	"no rest":       {"↑ (tanpa selang)", "↑ (no interval)"},
	"told stuck":    {"%d kali: %s", "%d times: %s"},
	"told barred":   {"Empat mata: tidak seorang pun dari %s boleh mengerjakan %s pekerjaan per ulangan; tambah petugas.", "Four eyes: nobody of %s may do %s pieces of work a replication; more officers are needed."},
	"never counted": {"tidak pernah berjalan", "never ran"},
	"around":        {"Waktu petugas dihitung 24 jam sehari (clock: wall).", "Officers' time is counted 24 hours a day (clock: wall)."},
	"promise":       {"janji layanan", "promise"},
	"requests":      {"permohonan", "requests"},
}

// Say is a phrase of a report in a language; any other than "en" is Indonesian.
func Say(lang, phrase string, fill ...any) string {
	w, ok := words[phrase]
	if !ok {
		return phrase
	}
	text := w[0]
	if lang == "en" {
		text = w[1]
	}
	if len(fill) == 0 {
		return text
	}
	return fmt.Sprintf(text, fill...)
}
