package simulation

import "math/rand/v2"

// What a random draw is for. Each has a stream of its own, by request and visit, so
// that two settings under one seed meet the same requests, which need the same work.
const (
	forCase = iota
	forChoice
	forWork
	forWord
	forOpinion
)

// draw is a source of random numbers for one purpose.
func (s *run) draw(j *job, row int, purpose uint64) *rand.Rand {
	a := mix(mix(s.Seed, s.rep), j.number)
	b := mix(mix(uint64(row+1), j.visits[row]), purpose)
	s.pcg.Seed(mix(a, b), mix(b, a))
	return s.rand
}

// mix is the finalizer of splitmix64 over two numbers.
func mix(a, b uint64) uint64 {
	x := a*0x9e3779b97f4a7c15 + b + 0x632be59bd9b4e019
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// pickOne draws an index by weight.
func pickOne[T any](r *rand.Rand, list []T, weight func(*T) float64) int {
	total := 0.0
	for i := range list {
		total += weight(&list[i])
	}
	x := r.Float64() * total
	for i := range list {
		if x -= weight(&list[i]); x < 0 {
			return i
		}
	}
	return len(list) - 1
}
