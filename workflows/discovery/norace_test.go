//go:build !race

package discovery_test

// underRace says that the race detector slows the test tenfold.
const underRace = false
