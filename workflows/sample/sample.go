// Package sample holds a small definition and a small event log that benchmarks and
// tests of several packages use. It is no service of any office; those are in the
// catalogue.
package sample

import (
	_ "embed"
)

// Tenant is whom tests publish it for.
const Tenant = "11.71"

// Licence is a doctor's licence without form and documents, under the id that the
// catalogue's has.
//
//go:embed sip-dokter.yaml
var Licence []byte

// Timed is a licence whose terms run out.
//
//go:embed timed.yaml
var Timed []byte
