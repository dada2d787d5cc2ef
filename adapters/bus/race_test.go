//go:build race

package bus_test

// underRace says that the race detector slows the test tenfold.
const underRace = true
