package domain

// Punctuality is whether a request keeps the time that the law gives for it.
type Punctuality string

// What ended at the very due time is on time. What no term of law is counted for has no
// punctuality.
const (
	PunctualityOnTime  Punctuality = "on_time"
	PunctualityLate    Punctuality = "late"
	PunctualityOpen    Punctuality = "open"    // due, and not ended
	PunctualityUnknown Punctuality = "unknown" // ended, and no calendar tells when it was due
)

// Punctuality is that of the terms of law of a request, all of them together. A case that
// was imported without any has what its record says.
func (r Request) Punctuality() Punctuality {
	var p Punctuality
	for id, t := range r.Terms {
		switch {
		case !id.Legal():
		case t.Open():
			return PunctualityOpen
		case t.Kept == PunctualityLate || !t.Expired.IsZero():
			p = PunctualityLate
		case p == "", p == PunctualityOnTime && t.Kept == PunctualityUnknown:
			p = t.Kept
		}
	}
	if p == "" && r.Imported != nil {
		return r.Imported.Punctuality()
	}
	return p
}

// Punctuality compares the end of the case with its due date, both as the record has
// them; "" when it had none.
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
