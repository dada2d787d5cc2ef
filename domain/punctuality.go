package domain

// Punctuality compares the end of an imported case with its due date, both as
// the system it came from had them.
type Punctuality string

// A case that ended at the very due time is on time. One that has no due date
// has no punctuality.
const (
	PunctualityOnTime Punctuality = "on_time"
	PunctualityLate   Punctuality = "late"
	PunctualityOpen   Punctuality = "open" // due, and not ended
)

// Punctuality is whether the case ended in time, "" when it had no due date.
func (i Imported) Punctuality() Punctuality {
	switch {
	case i.Due.IsZero():
		return ""
	case i.Ended.IsZero():
		return PunctualityOpen
	case i.Ended.After(i.Due):
		return PunctualityLate
	default:
		return PunctualityOnTime
	}
}
