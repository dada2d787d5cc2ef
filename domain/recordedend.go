package domain

import "time"

// A case that was imported is recorded whole, at one moment. While nothing was done with
// it here since, it is told by its record: where that says when cases end, a case has
// ended when it says so, and is open where it does not say it, whatever its history came
// to. Statistics, the inbox, with whom it was how long and the page of a request go by
// what stands here.

// End is when the case ended by its record; zero while it has not.
func (i *Imported) End() time.Time {
	if !IsDate(i.Ended) {
		return time.Time{}
	}
	return i.Ended.Truncate(exactly)
}

// Says reports whether the record says when the case ended, if it did: it has a due time
// or an end, or the version of the workflow says where a record has it.
func (i *Imported) Says(version bool) bool { return version || !i.Due.IsZero() || !i.Ended.IsZero() }

// DoneHere reports whether an event of a case that was imported, and recorded at a moment,
// is something that was done with it here: it was recorded at another, and took an action
// or moved it. That a term ran out meanwhile, or that it was put under another version in
// which it goes on, is nothing that was done with it.
func DoneHere(e Recorded, recorded time.Time) bool {
	if b, migrates := e.Body.(RequestMigrated); migrates && b.Outcome == "" {
		return false
	}
	_, moves := MoveOf(e.Body)
	return moves && e.At.UnixMicro() != recorded.UnixMicro()
}

// ByRecord reports whether a request is an imported case that is told by its record, for
// a version that says, or does not, where a record has the end.
func (r *Request) ByRecord(version bool) bool {
	return r.Imported != nil && !r.here && r.Imported.Says(version)
}

// EndedByRecord is when an imported case ended by its record, while it is told by that;
// zero otherwise.
func (r *Request) EndedByRecord() time.Time {
	if r.Imported == nil || r.here {
		return time.Time{}
	}
	return r.Imported.End()
}
