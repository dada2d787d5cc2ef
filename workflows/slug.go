package workflows

import (
	"fmt"
	"strings"
)

// Slugs turns names into ids, each different.
type Slugs map[string]bool

// NewSlugs makes slugs beside ids that are taken.
func NewSlugs(taken ...string) Slugs {
	s := Slugs{}
	for _, t := range taken {
		s[t] = true
	}
	return s
}

// Of is the id of a name: its [Slug], with a number behind it where that is taken.
func (s Slugs) Of(name string) string {
	base := Slug(name)
	slug := base
	for i := 2; s[slug]; i++ {
		slug = fmt.Sprintf("%s-%d", base, i)
	}
	s[slug] = true
	return slug
}

// Slug is an id made of a name: its letters and digits in small, with single
// dashes between. A name without any gives "x".
func Slug(name string) string {
	const most = 56 // leaves room for a number behind it
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(name) {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			dash = b.Len() > 0
			continue
		}
		if dash {
			b.WriteByte('-')
			dash = false
		}
		b.WriteRune(r)
		if b.Len() >= most {
			break
		}
	}
	if b.Len() == 0 {
		return "x"
	}
	return b.String()
}
