// Package projections is what people see: views that are folded from the event
// log into SQL tables, and the runner that keeps them current.
//
// A view holds nothing that is not in the log and may be thrown away at any
// time; it is then built anew and has the same rows. Views for citizens have no
// column for an officer: what is not there cannot be shown by mistake.
package projections
