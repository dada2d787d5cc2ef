package domain

// DecreeAdded makes a decree part of the calendar by which working time is counted:
// that of the nation or of one tenant. Its number in the stream is the version of
// that part of the calendar.
type DecreeAdded struct {
	Number string `json:"number"` // by which people know the decree
	Source string `json:"source"` // the decree as it was handed in
	Hash   string `json:"hash"`   // SHA-256 of Source, hex
	Why    string `json:"why"`
}

// Type implements [Body].
func (DecreeAdded) Type() (string, int) { return "DecreeAdded", 1 }

// Intact reports whether the decree is the one that the hash is of.
func (d DecreeAdded) Intact() bool { return d.Hash == HashOf(d.Source) }

// CalendarStream names the stream of the decrees of a tenant; of no tenant, of those
// of the nation.
func CalendarStream(tenant TenantCode) string {
	if tenant == "" {
		return "calendar-national"
	}
	return "calendar-" + string(tenant)
}
