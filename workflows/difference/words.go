package difference

// words are how a field is told, and under which group if it is another than that of
// what it is a field of.
type words struct {
	name  Text
	group Group
}

type groupTitle struct {
	group Group
	title Text
}

// groups are told in this order.
var groups = []groupTitle{
	{Service, Text{"Layanan dan standarnya", "Service and its standard"}},
	{Roles, Text{"Peran", "Roles"}},
	{States, Text{"Keadaan", "States"}},
	{Transitions, Text{"Peralihan", "Transitions"}},
	{Terms, Text{"Jangka waktu", "Terms"}},
	{Documents, Text{"Dokumen", "Documents"}},
	{Fees, Text{"Biaya", "Fees"}},
	{Checklists, Text{"Daftar periksa", "Checklists"}},
	{Reviews, Text{"Penilaian", "Reviews"}},
	{Systems, Text{"Sistem luar", "External systems"}},
	{Facts, Text{"Fakta dan formulir", "Facts and form"}},
	{Reasons, Text{"Alasan", "Reasons"}},
	{Notifications, Text{"Pemberitahuan", "Notifications"}},
	{Invariants, Text{"Yang harus selalu berlaku", "What must always hold"}},
	{Imports, Text{"Pembacaan catatan lama", "How old logs are read"}},
}

// fieldWords has a line for each field of the language, as Type.Field. A field that
// has none is told under its key in the file; a test asks for its words.
var fieldWords = map[string]words{
	"Definition.Language":    {Text{"versi bahasa", "language version"}, Service},
	"Definition.ID":          {Text{"kode layanan", "service code"}, Service},
	"Definition.Title":       {Text{"nama layanan", "service title"}, Service},
	"Definition.Agency":      {Text{"instansi", "agency"}, Service},
	"Definition.Office":      {Text{"unit kerja", "office"}, Service},
	"Definition.Promise":     {Text{"janji layanan", "promise"}, Service},
	"Definition.Fee":         {Text{"biaya, dengan kata-kata", "fee in words"}, Service},
	"Definition.History":     {Text{"catatan lama", "old logs"}, Imports},
	"Definition.Retention":   {Text{"penyimpanan data pribadi", "how long personal data is kept"}, Service},
	"Definition.Standard":    {Text{"standar pelayanan", "service standard"}, Service},
	"Definition.Form":        {Text{"formulir", "form"}, Facts},
	"Definition.Facts":       {Text{"fakta", "fact"}, Facts},
	"Definition.Roles":       {Text{"peran", "role"}, Roles},
	"Definition.Submit":      {Text{"yang boleh mengajukan", "who may submit"}, Roles},
	"Definition.Payers":      {Text{"yang boleh mencatat pembayaran", "who may record a payment"}, Fees},
	"Definition.Reasons":     {Text{"alasan", "reason"}, Reasons},
	"Definition.Documents":   {Text{"dokumen", "document"}, Documents},
	"Definition.Checklists":  {Text{"daftar periksa", "checklist"}, Checklists},
	"Definition.Fees":        {Text{"biaya", "fee"}, Fees},
	"Definition.Reviews":     {Text{"penilaian", "review"}, Reviews},
	"Definition.Systems":     {Text{"sistem", "system"}, Systems},
	"Definition.Terms":       {Text{"jangka waktu", "term"}, Terms},
	"Definition.Notices":     {Text{"pemberitahuan", "notification"}, Notifications},
	"Definition.States":      {Text{"keadaan", "state"}, States},
	"Definition.Actions":     {Text{"tindakan", "action"}, Transitions},
	"Definition.Transitions": {Text{"peralihan", "transition"}, Transitions},
	"Definition.Separate":    {Text{"tindakan yang tidak boleh dilakukan satu orang", "what no one person may do both of"}, Transitions},
	"Definition.Invariants":  {Text{"aturan tetap", "invariant"}, Invariants},

	"History.Role":  {name: Text{"atribut peran", "attribute of the role"}},
	"History.Due":   {name: Text{"fakta tenggat", "fact of the due date"}},
	"History.Ended": {name: Text{"fakta akhir", "fact of the end"}},

	"Retention.Class":  {name: Text{"golongan", "class"}},
	"Retention.Years":  {name: Text{"tahun", "years"}},
	"Retention.Ground": {name: Text{"dasar", "ground"}},

	"Standard.Requirements": {name: Text{"persyaratan", "requirements"}},
	"Standard.Procedure":    {name: Text{"prosedur", "procedure"}},
	"Standard.Duration":     {name: Text{"waktu", "duration"}},
	"Standard.Fee":          {name: Text{"biaya", "fee"}},
	"Standard.Product":      {name: Text{"produk", "product"}},
	"Standard.Complaints":   {name: Text{"pengaduan", "complaints"}},
	"Standard.LegalBasis":   {name: Text{"dasar hukum", "legal basis"}},
	"Standard.Facilities":   {name: Text{"sarana", "facilities"}},
	"Standard.Competence":   {name: Text{"kompetensi", "competence"}},
	"Standard.Supervision":  {name: Text{"pengawasan", "supervision"}},
	"Standard.Staffing":     {name: Text{"jumlah pelaksana", "staffing"}},
	"Standard.Guarantee":    {name: Text{"jaminan pelayanan", "guarantee"}},
	"Standard.Safety":       {name: Text{"jaminan keamanan", "safety"}},
	"Standard.Evaluation":   {name: Text{"evaluasi", "evaluation"}},

	"Fact.ID":         {name: Text{"kode", "code"}},
	"Fact.Type":       {name: Text{"jenis", "type"}},
	"Fact.Title":      {name: Text{"nama", "title"}},
	"Fact.Required":   {name: Text{"wajib", "required"}},
	"Fact.Values":     {name: Text{"nilai yang boleh", "values it may have"}},
	"Fact.From":       {name: Text{"dihitung dari formulir", "computed from the form"}},
	"Fact.Default":    {name: Text{"nilai bila tidak diisi", "where it is not given"}},
	"Fact.RecordedAs": {Text{"nama dalam catatan lama", "name in old logs"}, Imports},

	"Fact.Recorded": {name: Text{"dicatat oleh petugas", "recorded by an officer"}},

	"Role.ID":         {name: Text{"kode", "code"}},
	"Role.Title":      {name: Text{"nama", "title"}},
	"Role.Capacities": {name: Text{"bertindak sebagai", "may act as"}},
	"Role.RecordedAs": {Text{"nama dalam catatan lama", "name in old logs"}, Imports},

	"Reason.Code":  {name: Text{"kode", "code"}},
	"Reason.Title": {name: Text{"nama", "title"}},

	"State.ID":        {name: Text{"kode", "code"}},
	"State.Kind":      {name: Text{"macam", "kind"}},
	"State.Public":    {name: Text{"status bagi warga", "status shown to citizens"}},
	"State.Title":     {name: Text{"nama", "title"}},
	"State.Owner":     {name: Text{"yang bertugas", "who has to act"}},
	"State.Outcome":   {name: Text{"hasil", "outcome"}},
	"State.Promise":   {name: Text{"janji", "promise"}},
	"State.Next":      {name: Text{"langkah berikut bagi warga", "what citizens are told comes next"}},
	"State.Term":      {Text{"batas waktu", "time limit"}, Terms},
	"State.Reviews":   {Text{"penilaian yang ditunggu", "reviews that are waited for"}, Reviews},
	"State.Join":      {Text{"penggabungan penilaian", "how the reviews are counted"}, Reviews},
	"State.OnlyAfter": {name: Text{"hanya setelah", "only after"}},
	"State.WaitsFor":  {Text{"sistem yang ditunggu", "system that is waited for"}, Systems},
	"State.Allocate":  {name: Text{"pembagian tugas", "how work is given out"}},

	"Join.Need":    {name: Text{"yang harus setuju", "how many must approve"}},
	"Join.Outvote": {name: Text{"penolakan dapat dikalahkan suara", "a refusal can be outvoted"}},
	"Join.Again":   {name: Text{"diminta ulang", "asked again"}},

	"Allocation.Rule":     {name: Text{"aturan", "rule"}},
	"Allocation.Assigner": {name: Text{"yang boleh memindahkan", "who may reassign"}},

	"Action.ID":         {name: Text{"kode", "code"}},
	"Action.Title":      {name: Text{"nama", "title"}},
	"Action.RecordedAs": {Text{"nama dalam catatan lama", "name in old logs"}, Imports},

	"Transition.Action":    {name: Text{"tindakan", "action"}},
	"Transition.From":      {name: Text{"dari", "possible from"}},
	"Transition.To":        {name: Text{"menuju", "leads to"}},
	"Transition.Roles":     {name: Text{"yang boleh", "who may"}},
	"Transition.Reasons":   {name: Text{"alasan yang harus dipilih", "reasons to choose from"}},
	"Transition.Kind":      {name: Text{"macam", "kind"}},
	"Transition.When":      {name: Text{"syarat", "condition"}},
	"Transition.Because":   {name: Text{"penjelasan syarat", "what is told when the condition refuses"}},
	"Transition.NotBy":     {name: Text{"bukan oleh orang yang melakukan", "not by who did"}},
	"Transition.Needs":     {name: Text{"memerlukan", "needs"}},
	"Transition.Automatic": {name: Text{"berjalan sendiri", "follows by itself"}},

	"Transition.Records": {name: Text{"mencatat fakta", "records the facts"}},
	"Transition.Clears":  {name: Text{"mengosongkan daftar periksa", "clears the checklists"}},

	"Needs.Documents":  {name: Text{"dokumen", "documents"}},
	"Needs.Required":   {name: Text{"semua dokumen wajib", "all required documents"}},
	"Needs.Fees":       {name: Text{"biaya lunas", "fees paid"}},
	"Needs.Checklists": {name: Text{"daftar periksa", "checklists"}},
	"Needs.Reviews":    {name: Text{"penilaian", "reviews"}},
	"Needs.Answer":     {name: Text{"jawaban sistem", "answer of the system"}},

	"Term.Budget":     {},
	"Term.Expires":    {name: Text{"bila habis", "when it runs out"}},
	"Expiry.Escalate": {name: Text{"dilaporkan kepada", "told to"}},
	"Expiry.To":       {name: Text{"berpindah ke", "moves to"}},
	"Expiry.Ground":   {name: Text{"dasar", "ground"}},

	"LegalTerm.ID":          {name: Text{"kode", "code"}},
	"LegalTerm.Title":       {name: Text{"nama", "title"}},
	"LegalTerm.Budget":      {},
	"LegalTerm.Starts":      {name: Text{"mulai dengan", "starts with"}},
	"LegalTerm.SuspendedIn": {name: Text{"berhenti sementara dalam", "suspended in"}},
	"LegalTerm.Expires":     {name: Text{"bila habis", "when it runs out"}},
	"LegalTerm.Basis":       {name: Text{"dasar hukum", "legal basis"}},

	"Document.ID":           {name: Text{"kode", "code"}},
	"Document.Title":        {name: Text{"nama", "title"}},
	"Document.Formats":      {name: Text{"format", "formats"}},
	"Document.MaxSize":      {name: Text{"ukuran terbesar", "largest size"}},
	"Document.Required":     {name: Text{"wajib", "required"}},
	"Document.RequiredWhen": {name: Text{"wajib bila", "required when"}},
	"Document.By":           {name: Text{"diserahkan oleh", "handed in by"}},
	"Document.RefusedBy":    {name: Text{"dapat ditolak oleh", "may be refused by"}},
	"Document.Reasons":      {name: Text{"alasan penolakan", "reasons for a refusal"}},
	"Document.In":           {name: Text{"diserahkan dalam keadaan", "handed in while in"}},

	"Document.RefusedIn": {name: Text{"dapat ditolak dalam keadaan", "may be refused while in"}},

	"Checklist.ID":    {name: Text{"kode", "code"}},
	"Checklist.Title": {name: Text{"nama", "title"}},
	"Checklist.By":    {name: Text{"diisi oleh", "answered by"}},
	"Checklist.In":    {name: Text{"diisi dalam keadaan", "answered while in"}},
	"Checklist.Items": {name: Text{"butir", "item"}},
	"CheckItem.ID":    {name: Text{"kode", "code"}},
	"CheckItem.Title": {name: Text{"nama", "title"}},

	"Fee.ID":         {name: Text{"kode", "code"}},
	"Fee.Title":      {name: Text{"nama", "title"}},
	"Fee.Amount":     {name: Text{"jumlah dalam rupiah", "amount in rupiah"}},
	"Fee.Table":      {name: Text{"tabel tarif", "table"}},
	"Fee.Formula":    {name: Text{"rumus", "formula"}},
	"Fee.When":       {name: Text{"terutang bila", "due when"}},
	"Fee.DueIn":      {name: Text{"terutang dalam keadaan", "due in"}},
	"Fee.Basis":      {name: Text{"dasar hukum", "legal basis"}},
	"Fee.OnlyAfter":  {name: Text{"hanya setelah", "only after"}},
	"Fee.Account":    {name: Text{"masuk ke rekening", "for the account of"}},
	"FeeTable.Fact":  {name: Text{"menurut fakta", "by the fact"}},
	"FeeTable.Rows":  {name: Text{"baris", "row"}},
	"FeeRow.UpTo":    {name: Text{"sampai dengan", "up to"}},
	"FeeRow.Value":   {name: Text{"nilai", "value"}},
	"FeeRow.Amount":  {name: Text{"jumlah dalam rupiah", "amount in rupiah"}},
	"Review.ID":      {name: Text{"kode", "code"}},
	"Review.Title":   {name: Text{"nama", "title"}},
	"Review.Role":    {name: Text{"oleh", "given by"}},
	"Review.When":    {name: Text{"diminta bila", "asked for when"}},
	"Review.Term":    {Text{"batas waktu", "time limit"}, Terms},
	"Review.Reasons": {name: Text{"alasan penolakan", "reasons for a refusal"}},

	"System.ID":       {name: Text{"kode", "code"}},
	"System.Title":    {name: Text{"nama", "title"}},
	"System.Role":     {name: Text{"peran", "role"}},
	"System.Outcomes": {name: Text{"jawaban", "answers"}},

	"Notice.ID":   {name: Text{"kode", "code"}},
	"Notice.On":   {name: Text{"saat masuk ke", "on coming to"}},
	"Notice.To":   {name: Text{"kepada", "told to"}},
	"Notice.Text": {name: Text{"isi", "text"}},

	"Invariant.Never":   {name: Text{"tidak pernah", "never"}},
	"Invariant.Always":  {name: Text{"selalu", "always"}},
	"Invariant.Before":  {name: Text{"urutan", "order"}},
	"Invariant.Because": {name: Text{"dasar hukum", "the rule that says so"}},
	"Before.First":      {name: Text{"lebih dulu", "first"}},
	"Before.Then":       {name: Text{"kemudian", "then"}},
}

// valueWords are values that have words of their own.
var valueWords = map[string]Text{
	"deemed_approval": {"dianggap dikabulkan", "deemed approved"},
	"deemed_refusal":  {"dianggap ditolak", "deemed refused"},
	"lapse":           {"gugur", "lapses"},
	"approved":        {"disetujui", "approved"},
	"rejected":        {"ditolak", "refused"},
	"refused":         {"ditolak", "refused"},
	"withdrawn":       {"dibatalkan", "withdrawn"},
	"closed":          {"ditutup", "closed"},
}

// phrases are what is said of a field or of what has it.
var phrases = map[string]Text{
	"was":           {"dulu %s, kini %s", "was %s, now %s"},
	"none":          {"tidak ada", "none"},
	"given":         {"ada", "there"},
	"yes":           {"ya", "yes"},
	"no":            {"tidak", "no"},
	"also":          {"kini juga %s", "now also %s"},
	"no longer":     {"tidak lagi %s", "no longer %s"},
	"reordered":     {"urutan lain: %s", "in another order: %s"},
	"added":         {"baru", "new"},
	"removed":       {"dihapus", "gone"},
	"renamed":       {"keadaan %s tampaknya kini bernama %s (dugaan: macam, status dan petugasnya sama, peralihannya serupa)", "state %s seems to be called %s now (a guess: same kind, status and owner, like transitions)"},
	"in Indonesian": {"(teks Indonesia)", "(the Indonesian text)"},
	"in English":    {"(teks Inggris)", "(the English text)"},
	"tests":         {"Uji dalam berkas", "Tests in the file"},
	"tests count":   {"dulu %d, kini %d: %d baru, %d dihapus, %d berubah", "were %d, are %d: %d new, %d gone, %d changed"},

	"time limited":     {"dulu %s, kini %s: kini ada batas waktu", "was %s, now %s: there is a limit now"},
	"time unlimited":   {"dulu %s, kini %s: tidak ada batas waktu lagi", "was %s, now %s: there is no limit any more"},
	"time otherwise":   {"dulu %s, kini %s: dihitung dengan cara lain", "was %s, now %s: it is counted otherwise"},
	"time longer":      {"dulu %s, kini %s: lebih lama, warga dapat menunggu lebih lama", "was %s, now %s: longer, the citizen may wait longer"},
	"time shorter":     {"dulu %s, kini %s: lebih singkat, warga menunggu lebih singkat", "was %s, now %s: shorter, the citizen waits less"},
	"time longer own":  {"dulu %s, kini %s: lebih lama, warga mendapat waktu lebih banyak", "was %s, now %s: longer, the citizen has more time"},
	"time shorter own": {"dulu %s, kini %s: lebih singkat, waktu warga dipersingkat", "was %s, now %s: shorter, the citizen has less time"},
}
