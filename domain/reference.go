package domain

import (
	"errors"
	"strings"
)

// Reference is the code a citizen holds, such as "7K3M-Q9XT-2WPN": eleven
// random symbols (53 bits, so a reference cannot be guessed) and a check
// symbol.
//
// The alphabet has 29 symbols, a prime, and no vowels: no word can appear by
// chance, and a weighted sum modulo 29 with twelve different weights notices
// every single wrong symbol and every exchange of two symbols, neighbours or
// not. The letters that look like digits are not in it and are read as those
// digits: O as 0, I and L as 1, S as 5.
type Reference string

const (
	referenceAlphabet = "0123456789BCDFGHJKMNPQRTVWXYZ"
	referenceSymbols  = 11 // without the check symbol
)

// ErrNotReference is what [ParseReference] says of a text that cannot be a
// reference: wrong length, a foreign symbol, or a check that does not hold.
var ErrNotReference = errors.New("not a reference: twelve letters and digits, as on the receipt")

// NewReference makes a reference out of random bits. The caller must draw bits
// from a cryptographic source; 64 of them leave no symbol measurably likelier
// than another.
func NewReference(bits uint64) Reference {
	var symbols [referenceSymbols + 1]int
	for i := range referenceSymbols {
		symbols[i] = int(bits % uint64(len(referenceAlphabet)))
		bits /= uint64(len(referenceAlphabet))
	}
	symbols[referenceSymbols] = checkSymbol(symbols[:referenceSymbols])
	return formatReference(symbols[:])
}

// ParseReference reads a reference as people type it: any case, with or without
// dashes and spaces, with look-alike letters.
func ParseReference(s string) (Reference, error) {
	symbols := make([]int, 0, referenceSymbols+1)
	for _, r := range strings.ToUpper(s) {
		switch r {
		case '-', ' ', '.':
			continue
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		case 'S':
			r = '5'
		}
		at := strings.IndexRune(referenceAlphabet, r)
		if at < 0 || len(symbols) > referenceSymbols {
			return "", ErrNotReference
		}
		symbols = append(symbols, at)
	}
	if len(symbols) != referenceSymbols+1 || checkSymbol(symbols[:referenceSymbols]) != symbols[referenceSymbols] {
		return "", ErrNotReference
	}
	return formatReference(symbols), nil
}

// checkSymbol makes the weighted sum of all twelve symbols zero modulo 29, with
// weight i+1 at place i: the check's own weight, 12, has an inverse because 29
// is prime.
func checkSymbol(symbols []int) int {
	const inverseOf12 = 17 // 12 * 17 = 204 = 7*29 + 1
	m := len(referenceAlphabet)
	sum := 0
	for i, s := range symbols {
		sum += (i + 1) * s
	}
	return (m - sum%m) * inverseOf12 % m
}

func formatReference(symbols []int) Reference {
	var b strings.Builder
	for i, s := range symbols {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(referenceAlphabet[s])
	}
	return Reference(b.String())
}
