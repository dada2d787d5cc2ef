package workflows

import "math"

// span is what a number of a condition can be: within two bounds and, where it is not
// zero, no nearer to zero than near. It is wider where that is easier to compute, and
// never narrower.
type span struct {
	least, most, near float64
	zero              bool // it can be
}

// Bounds on the numbers that are kept as facts. They leave room to multiply and divide
// some of them, so that a condition which does no more than that can be judged.
const (
	maxNumber = 1e100
	minNumber = 1e-100
)

// What numbers of a condition may come to: it may fail where they may come to more.
const (
	endlessNumber = 1e305
	endlessWhole  = 1 << 62
	tinyNumber    = 1e-305
)

func exactly(n float64) span {
	near := math.Abs(n)
	if n == 0 {
		near = math.Inf(1)
	}
	return span{n, n, near, n == 0}
}

// normal leaves out what the parts of a span rule out together.
func (s span) normal() span {
	s.zero = s.zero && s.least <= 0 && s.most >= 0
	if s.near < tinyNumber { // what is as small may come to zero
		s.near, s.zero = math.SmallestNonzeroFloat64, s.least <= 0 && s.most >= 0
	}
	if s.least > 0 || s.most < 0 {
		s.near = max(s.near, min(math.Abs(s.least), math.Abs(s.most)))
	}
	return s
}

// within is what a number can be that is of both.
func (s span) within(t span) span {
	return span{max(s.least, t.least), min(s.most, t.most), max(s.near, t.near), s.zero && t.zero}.normal()
}

// or is what a number can be that is of either.
func (s span) or(t span) span {
	return span{min(s.least, t.least), max(s.most, t.most), min(s.near, t.near), s.zero || t.zero}.normal()
}

func (s span) negated() span { return span{-s.most, -s.least, s.near, s.zero} }

// plus: sums of numbers are no nearer to each other than the last digit of the smallest.
func (s span) plus(t span) span {
	const lastDigit = 1.0 / (1 << 53)
	return span{s.least + t.least, s.most + t.most, min(s.near, t.near) * lastDigit, true}.normal()
}

func (s span) times(t span) span {
	corners := []float64{s.least * t.least, s.least * t.most, s.most * t.least, s.most * t.most}
	x := span{corners[0], corners[0], s.near * t.near / 2, s.zero || t.zero}
	for _, n := range corners {
		x.least, x.most = min(x.least, n), max(x.most, n)
	}
	return x.normal()
}

// by is what comes of a division by a number that is not zero.
func (s span) by(t span) span {
	most := s.size() / t.near
	x := span{-most, most, s.near / t.size() / 2, s.zero}
	if s.least >= 0 && t.least >= 0 || s.most <= 0 && t.most <= 0 {
		x.least = 0
	}
	if s.least >= 0 && t.most <= 0 || s.most <= 0 && t.least >= 0 {
		x.most = 0
	}
	return x.normal()
}

func (s span) size() float64 { return max(math.Abs(s.least), math.Abs(s.most)) }
