package domain

// Facts are the clear values of a request that its workflow declares: what
// guards and statistics may read. A fact is a string, a float64 or a bool; a
// moment is a string in RFC 3339, which is also how it is stored. Whatever a
// workflow does not declare as a fact is personal and has no place here.
type Facts map[string]any
