package calendar

// Text is what people read, in Indonesian and in English.
type Text struct {
	ID string `json:"id"`
	EN string `json:"en"`
}

// In is the text in a language.
func (t Text) In(lang string) string {
	if lang == "en" {
		return t.EN
	}
	return t.ID
}

// Kind is what a decree makes of a day.
type Kind string

// The kinds of day.
const (
	Holiday    Kind = "holiday"     // libur nasional
	JointLeave Kind = "joint_leave" // cuti bersama
	Election   Kind = "election"    // libur pemilu
	Regional   Kind = "regional"    // libur daerah
	Working    Kind = "working"     // a day made a working day
	OwnHours   Kind = "hours"       // a working day with hours of its own
)

// Kinds lists every kind of day.
func Kinds() []Kind { return []Kind{Holiday, JointLeave, Election, Regional, Working, OwnHours} }

// DayRule is what a decree says of one day.
type DayRule struct {
	Date  Date
	Kind  Kind
	Name  Text
	Hours Hours // of OwnHours, and of Working if they are not those of the weekday
}

// Decree is an act that says when offices work: the yearly joint decree of three
// ministers on holidays and joint leave (SKB 3 Menteri), a president's decree on an
// election day, a regulation on working hours, a regent's on a local holiday.
//
// Of two decrees on one day that was published later counts, of one publication day
// that recorded later; that of a tenant goes before those of the nation.
type Decree struct {
	Number    string
	Title     Text
	Source    string // where its text is to be found
	Published Date   // 0: not known
	Amends    []string
	Repeals   []string // these count no more for days after Published
	Covers    []int    // the years of which it gives all national holidays
	Projected bool     // computed, not decreed: it counts only in years that no other covers
	Rules     []Rules
	Ramadan   []Period // takes the place of earlier periods that it touches
	Days      []DayRule
}
