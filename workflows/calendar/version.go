package calendar

import (
	"encoding/hex"
	"fmt"
)

// Version says what a calendar was made of: the first so many decrees recorded for
// the nation and for the tenant, upon the table that is shipped. Digest is of
// everything in it, so that a calendar made again can be compared.
type Version struct {
	National int
	Tenant   int
	Digest   [6]byte
}

// String is the version as it is recorded in events: "2.1-3fa9c1d2e4b5".
func (v Version) String() string {
	return fmt.Sprintf("%d.%d-%x", v.National, v.Tenant, v.Digest)
}

// ParseVersion reads what [Version.String] wrote.
func ParseVersion(s string) (Version, error) {
	var v Version
	var digest string
	n, err := fmt.Sscanf(s, "%d.%d-%s", &v.National, &v.Tenant, &digest)
	b, err2 := hex.DecodeString(digest)
	if n != 3 || err != nil || err2 != nil || len(b) != len(v.Digest) {
		return Version{}, fmt.Errorf("%q is not a version of a calendar", s)
	}
	copy(v.Digest[:], b)
	if v.String() != s {
		return Version{}, fmt.Errorf("%q is not a version of a calendar", s)
	}
	return v, nil
}

// Supersedes reports whether a calendar came after another of the same tenant: it has
// all of its decrees and more. Of two that have as many, neither does: the table that is
// shipped does not change.
func (v Version) Supersedes(was Version) bool {
	return v.National >= was.National && v.Tenant >= was.Tenant && v.National+v.Tenant > was.National+was.Tenant
}
