//go:build race

package main

// underRace says that the race detector slows the test tenfold.
const underRace = true
