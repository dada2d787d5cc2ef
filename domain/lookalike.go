package domain

import (
	"strings"
	"unicode"
)

// unseen is a character that does not show, or shows as a gap that is no space: two ids
// that differ by it alone look the same.
func unseen(r rune) bool {
	return r != ' ' && (r == '\u2800' || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Zs,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector))
}

// Invisible reports whether nothing of a text shows.
func Invisible(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r != ' ' && !unseen(r) })
}

// lookalikes are other forms of letters and digits that have a plain one: wide and narrow,
// mathematical, circled, raised and lowered, ligatures, Roman numerals (the blocks of
// Unicode's compatibility characters that a Latin letter or a digit is written with).
var lookalikes = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0xaa, 0xaa, 1},
		{0xb2, 0xb3, 1},
		{0xb9, 0xba, 1},
		{0x132, 0x133, 1},
		{0x13f, 0x140, 1},
		{0x149, 0x149, 1},
		{0x1c4, 0x1cc, 1},
		{0x1f1, 0x1f3, 1},
		{0x2b0, 0x2b8, 1},
		{0x2e0, 0x2e4, 1},
		{0x1d2c, 0x1d6a, 1},
		{0x2010, 0x2015, 1},
		{0x2070, 0x209f, 1},
		{0x2100, 0x214f, 1},
		{0x2150, 0x218f, 1},
		{0x2212, 0x2212, 1},
		{0x2460, 0x24ff, 1},
		{0xfb00, 0xfb06, 1},
		{0xff00, 0xffef, 1},
	},
	R32:         []unicode.Range32{{0x1d400, 0x1d7ff, 1}, {0x1f100, 0x1f1ff, 1}},
	LatinOffset: 3,
}

// ambiguous says what of an id could be written otherwise and look the same; empty where
// nothing could. Whole words of another alphabet are let be: whose they are is for the
// directory that gives ids out.
func ambiguous(id string) string {
	var latin, similar bool
	for _, r := range id {
		switch {
		case unicode.Is(unicode.M, r):
			return "a mark that is joined to the letter before it"
		case unicode.Is(lookalikes, r):
			return "another form of a plain letter, digit or dash"
		}
		latin = latin || unicode.Is(unicode.Latin, r)
		similar = similar || unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee)
	}
	if latin && similar {
		return "letters of two alphabets that look alike"
	}
	return ""
}

// folded is an id of an older log as it looks: without what does not show, and wide letters
// as plain ones.
func folded(id string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unseen(r):
			return -1
		case '\uff01' <= r && r <= '\uff5e':
			return r - '\uff01' + '!'
		}
		return r
	}, id)
}
