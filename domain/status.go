package domain

// PublicStatus is one of the few words a citizen is shown. Every state of every
// workflow maps to one, so that a person who has learnt them once can read the
// page of any service. The words are those of Indonesian licensing offices'
// own sites.
type PublicStatus string

// The public statuses and their Indonesian words.
const (
	StatusReceived        PublicStatus = "received"         // Diterima
	StatusVerification    PublicStatus = "verification"     // Menunggu verifikasi
	StatusInProcess       PublicStatus = "in_process"       // Sedang diproses
	StatusNeedsCorrection PublicStatus = "needs_correction" // Perlu perbaikan
	StatusWaitingPayment  PublicStatus = "waiting_payment"  // Menunggu pembayaran
	StatusApproved        PublicStatus = "approved"         // Disetujui
	StatusRejected        PublicStatus = "rejected"         // Ditolak
	StatusWithdrawn       PublicStatus = "withdrawn"        // Dibatalkan
	StatusCompleted       PublicStatus = "completed"        // Selesai: closed, outcome not recorded
)

// PublicStatuses lists every public status.
func PublicStatuses() []PublicStatus {
	return []PublicStatus{
		StatusReceived, StatusVerification, StatusInProcess, StatusNeedsCorrection,
		StatusWaitingPayment, StatusApproved, StatusRejected, StatusWithdrawn, StatusCompleted,
	}
}
